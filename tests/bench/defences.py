#!/usr/bin/env python3
"""What defences do to the attack: the step of fixtures/trained-mlm (28 tokens) repeated by dlg-grads under each,
attacked by dlg-text.

Beside them the accuracy that a prototype in PyTorch reached with the plain distance and inferred labels within 60
iterations. Each defended gradient is attacked three times: with 60 iterations and one start, as the prototype had; with
60 iterations in each start; and with the program's own limits. Where the span check cannot see the masked positions
they are told; for none, fp16 and bf16 nothing is.
"""
import sys

import common

NAME, TITLE = "defences", "Defences, one sentence on a trained model"

# defence: (accuracy of the prototype in per cent, whether the masked positions are told)
DEFENCES = {
    "none": (100, False),
    "fp16": (100, False),
    "bf16": (100, False),
    "int8": (100, True),
    "gaussian:1e-4": (100, True),
    "gaussian:1e-3": (100, True),
    "gaussian:1e-2": (46, True),
    "prune:0.5": (100, True),
    "prune:0.9": (29, True),
    "prune:0.99": (11, True),
}

LIMITS = {"60 iterations": ["--iterations=60", "--starts=1"], "60 a start": ["--iterations=60"], "own limits": []}


def options(parser):
    parser.add_argument("--defence", action="append", choices=list(DEFENCES), dest="defences",
                        help="repeatable (default: all)")
    parser.add_argument("--limits", action="append", choices=list(LIMITS), dest="limits",
                        help="repeatable (default: all three)")


def measure(bench):
    step, model = bench.from_shared("fixtures/trained-mlm/case.truth.json"), bench.from_shared("fixtures/trained-model")
    for defence in bench.options.defences or DEFENCES:
        gradient = bench.scratch / "case.g"
        applied = [] if defence == "none" else [f"--defend={defence}"]
        bench.share(gradient, f"--model={model}", f"--step={step}", *applied)
        told = [f"--know=masked:{step}"] if DEFENCES[defence][1] else []
        for limit in bench.options.limits or LIMITS:
            r = bench.attack(f"{defence}, {limit}", gradient, step, f"--model={model}", *told, *LIMITS[limit],
                             defence=defence, limit=limit)
            bench.say(f"{r['case']}: {100 * r['token_accuracy']:.0f} % of tokens{', exact' if r['exact'] else ''}, "
                      f"ended {r['end']} after {r['iterations']} iterations, {r['seconds']:.1f} s")


def section(records):
    rows = []
    for defence, (published, _) in DEFENCES.items():
        found = {r["limit"]: r for r in records if r["defence"] == defence}
        if not found:
            continue
        row = [defence, ", ".join(next(iter(found.values()))["knowledge"]) or "nothing", f"{published} %"]
        for limit in LIMITS:
            r = found.get(limit)
            row += ([f"{100 * r['token_accuracy']:.0f} %", f"{r['iterations']} ({r['seconds']:.0f} s)"] if r
                    else ["", ""])
        row.append("yes" if all(r["labels_right"] for r in found.values()) else "no")
        rows.append(row)
    head = ["defence", "told", "prototype"]
    for limit in LIMITS:
        head += [limit, "used"]
    head.append("labels exact")
    wanted_exact = [r for r in records if DEFENCES[r["defence"]][0] == 100 or r["claims"]]
    return common.table(head, rows) + "\n\n" + common.missed(wanted_exact)


if __name__ == "__main__":
    common.main(sys.modules[__name__])
