#!/usr/bin/env python3
"""Whether tokens that dlg-text calls likely are right: its evidence for each token of sentences of CoLA under defences,
beside the truth.

Sentences are rows 200 and on of in_domain_train with at least 20 letters, masked LM on fixtures/trained-model (128 x
2), attacked by auto and by dlg, told their length, one start of 60 iterations: so that there are texts which are not
recovered too. A token is clear where the program calls it likely, or would in a text that settled: it is the only one
that fits, or its margin of cosine is 0.2 or more. Doubtful are the others, and most of all those with half that margin
or less.
"""
import json
import sys

import common

NAME, TITLE = "evidence", "What speaks for each token"

DEFENCES = ("gaussian:1e-3", "gaussian:1e-2", "prune:0.9", "int8")
ROWS, FIRST, LEAST_LETTERS = "data/cola/in_domain_train.tsv", 200, 20
CLEAR, SMALL = 0.2, 0.1
KINDS = ("clear", "doubtful", "most doubtful")


def options(parser):
    parser.add_argument("--sentences", type=int, default=6, help="how many (default 6)")


def kind_of(choices, margin):
    if choices == 1 or (margin is not None and margin >= CLEAR):
        return "clear"
    return "doubtful" if margin is None or margin >= SMALL else "most doubtful"


def compare(bench, case, gradient, truth, model, attack):
    _, result, _ = bench.attack_raw(gradient, f"--model={model}", f"--attack={attack}", f"--know=length:{truth}",
                                    "--iterations=60", "--starts=1")
    real, evidence = json.loads(truth.read_text(encoding="utf-8")), result["evidence"]
    counts = {kind: [0, 0] for kind in KINDS}
    for tokens, ids, choices, margins in zip(result["tokens"], real["ids"], evidence["choices"], evidence["margin"]):
        for token, wanted, n, margin in zip(tokens, ids, choices, margins):
            count = counts[kind_of(n, margin)]
            count[0] += token == wanted
            count[1] += 1
    return bench.record(case=case, attack=attack, end=result["end"], counts=counts)


def measure(bench):
    model = bench.from_shared("fixtures/trained-model")
    lines = bench.from_shared(ROWS).read_text(encoding="utf-8").splitlines()[FIRST:]
    texts = [text for text in (line.split("\t")[-1] for line in lines)
             if len(text) >= LEAST_LETTERS][:bench.options.sentences]
    for i, text in enumerate(texts):
        for defence in DEFENCES:
            gradient = bench.scratch / "case.g"
            truth = bench.share(gradient, f"--model={model}", f"--text={text}", f"--defend={defence}")
            for attack in common.ATTACKS:
                r = compare(bench, f"sentence {i + 1}, {defence}", gradient, truth, model, attack)
                bench.say(f"{r['case']}, {attack}: {r['end']}, "
                          + ", ".join(f"{kind} {n} of {of}" for kind, (n, of) in r["counts"].items()))


def section(records):
    rows = []
    for name, ends in (("settled", ("settled",)), ("not recovered", ("exhausted",))):
        part = [r for r in records if r["end"] in ends]
        totals = {kind: [sum(r["counts"][kind][i] for r in part) for i in range(2)] for kind in KINDS}
        rows.append([name, str(len(part))] + [f"{n} of {of}" for n, of in totals.values()])
    return common.table(["text", "attacks", "clear: right", "doubtful: right", "most doubtful: right"], rows)


if __name__ == "__main__":
    common.main(sys.modules[__name__])
