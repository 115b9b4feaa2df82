#!/usr/bin/env python3
"""Recovery on the project's own models: preset mini, weight seeds 0 to 9, the three sentences of the DLG paper, told
nothing, with the default attack and with --attack dlg, which searches as the paper does.

Wanted: all 30 exact, labels included, within 30 iterations.
"""
import sys

import common

NAME, TITLE = "recover_presets", "Recovery, preset mini, told nothing"


def options(parser):
    parser.add_argument("--preset", default="mini")
    parser.add_argument("--seeds", type=int, default=10, help="weight seeds 0 to N - 1 (default 10)")


def measure(bench):
    for attack in common.ATTACKS:
        n_exact = n = 0
        for seed in range(bench.options.seeds):
            for number, text in enumerate(common.PAPER):
                gradient = bench.scratch / "case.g"
                truth = bench.share(gradient, f"--preset={bench.options.preset}", f"--model-seed={seed}",
                                    f"--text={text}")
                r = bench.attack(f"{bench.options.preset}, seed {seed}, sentence {number + 1}, {attack}", gradient,
                                 truth, f"--attack={attack}", sentence=number + 1)
                n_exact, n = n_exact + r["exact"], n + 1
                bench.say(f"{r['case']}: {'exact' if r['exact'] else 'NOT EXACT'}, {r['iterations']} iterations, "
                          f"{r['evaluations']} evaluations, {r['seconds']:.1f} s; so far {n_exact} of {n}")


def section(records):
    rows = []
    for attack in dict.fromkeys(r["attack"] for r in records):
        all_of = [r for r in records if r["attack"] == attack]
        for name, part in [(f"sentence {s}", [r for r in all_of if r["sentence"] == s])
                           for s in (1, 2, 3)] + [("all", all_of)]:
            rows.append([f"{attack}, {name}", f"{sum(r['exact'] for r in part)} of {len(part)}",
                         common.spread([r["iterations"] for r in part]),
                         common.spread([r["evaluations"] for r in part]),
                         common.spread([r["seconds"] for r in part], "{:.1f}")])
    head = ["", "exact", "iterations: median (most)", "evaluations", "seconds"]
    return common.table(head, rows) + "\n\nWanted: 30 of 30 each, within 30 iterations.\n\n" + common.missed(records)


if __name__ == "__main__":
    common.main(sys.modules[__name__])
