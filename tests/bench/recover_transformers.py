#!/usr/bin/env python3
"""Recovery from files that PyTorch and transformers wrote, told nothing (for a file without metadata the batch size is
taken to be 1).

Sets, of which --set names one (repeatable; default: all):

    mini            256 x 4, real vocabulary of 30,522, random weights of 5 seeds, three sentences; wanted: 15 of 15
    small, base     512 x 4 and 768 x 12, seed 0, three sentences; wanted: 3 of 3 each
    trained-mlm     a sentence on a trained model (128 x 2); wanted: exact
    cola-model      the first 50 sentences of CoLA with at least 6 tokens on the same model; wanted: 48
    cola-mini       the first 20 of them on a trained model of 256 x 4; wanted: 18

Each set has a result of its own. Cases are made once, in --cases (some 6 GB for all sets), by
../shared/tools/hf_case.py.
"""
import itertools
import pathlib
import sys

import common

NAME, TITLE = "recover_transformers", "Recovery from transformers' own files, told nothing"

LEAST_TOKENS = 6
ROWS = "data/cola/in_domain_train.tsv"

# name: (what it is, how many exact are wanted, cases)
SETS = {
    "mini": ("256 × 4, random weights, vocabulary 30,522", 15, 15),
    "small": ("512 × 4, random weights, vocabulary 30,522", 3, 3),
    "base": ("768 × 12, random weights, vocabulary 30,522", 3, 3),
    "trained-mlm": ("trained 128 × 2, fixtures/trained-mlm", 1, 1),
    "cola-model": ("trained 128 × 2, CoLA", 48, 50),
    "cola-mini": ("trained 256 × 4, CoLA", 18, 20),
}


def options(parser):
    parser.add_argument("--set", action="append", choices=list(SETS), dest="sets")
    parser.add_argument("--cases", type=pathlib.Path,
                        help="where the cases are or will be (default: BUILD/bench/cases)")
    parser.add_argument("--count", type=int, help="only the first N cases of each set")
    parser.add_argument("--attack", action="append", dest="attacks", help="repeatable (default: auto, dlg)")
    common.add_factor_option(parser)


def orders_of(bench, name):
    """What hf_cases.py is to make, and the cases that come of it."""
    folder, count = common.cases_folder(bench), SETS[name][2]
    if name.startswith("cola-"):
        out = folder / name
        order = {"out": str(out), "model": str(bench.from_shared(f"fixtures/trained-{name.removeprefix('cola-')}")),
                 "rows": str(bench.from_shared(ROWS)), "count": count, "least": LEAST_TOKENS}
        return [order], [out / f"{number:02d}" for number in range(count)]
    cases = [(folder / f"{name}-{seed}-{number}", seed, text)
             for seed in range(count // 3) for number, text in enumerate(common.PAPER)]
    orders = [{"out": str(out), "model": name, "text": text, "seed": seed} for out, seed, text in cases]
    return orders, [out for out, _, _ in cases]


def make(bench, orders, cases):
    """Have those cases made that are not there."""
    if all((case / "case.truth.json").exists() for case in cases):
        return
    common.make_cases(bench,
                      [dict(order, count=min(order["count"], len(cases))) if "count" in order else order
                       for order in orders])


def cases_of(bench, name):
    """(name, gradient, truth, model) of each case of a set."""
    if name == "trained-mlm":
        folder = bench.from_shared("fixtures/trained-mlm")
        return [(name, folder / "case.g", folder / "case.truth.json", bench.from_shared("fixtures/trained-model"))]
    orders, cases = orders_of(bench, name)
    cases = cases[:bench.options.count]
    make(bench, orders[:len(cases)], cases)
    return [(f"{name}: {case.name}", case / "case.g", case / "case.truth.json", case / "model") for case in cases]


def measure(bench):
    name = bench.options.sets[0]
    for attack in bench.options.attacks or common.ATTACKS:
        n_exact = 0
        for n, (case, gradient, truth, model) in enumerate(cases_of(bench, name), 1):
            r = bench.attack(f"{case}, {attack}", common.with_factor(bench, gradient, truth), truth, f"--model={model}",
                             f"--attack={attack}", set=name, factor=bench.options.factor)
            n_exact += r["exact"]
            bench.say(f"{r['case']}: {'exact' if r['exact'] else 'NOT EXACT'}, start {r['start']}, {r['iterations']} "
                      f"iterations, {r['evaluations']} evaluations, {r['seconds']:.1f} s; so far {n_exact} of {n}")


def section(records):
    rows = []
    attacks = dict.fromkeys(r["attack"] for r in records)
    for name, attack in itertools.product(SETS, attacks):
        what, wanted, n_cases = SETS[name]
        part = [r for r in records if (r["set"], r["attack"]) == (name, attack)]
        if part:
            factor = common.factor_in_words(part[0].get("factor"))
            rows.append([f"{name}: {what}, {attack}{factor}", f"{sum(r['exact'] for r in part)} of {len(part)}",
                         f"{wanted} of {n_cases}", common.spread([r["iterations"] for r in part]),
                         common.spread([r["evaluations"] for r in part]),
                         common.spread([r["seconds"] for r in part], "{:.1f}")])
    head = ["", "exact", "wanted", "iterations: median (most)", "evaluations", "seconds"]
    return common.table(head, rows) + "\n\n" + common.missed(records)


def main():
    script = sys.modules[__name__]
    options = common.parser(script).parse_args()
    for name in options.sets or SETS:
        options.sets = [name]
        print(common.section(script, common.perform(script, options, f"{NAME}-{name}")))


if __name__ == "__main__":
    main()
