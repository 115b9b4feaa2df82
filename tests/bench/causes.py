#!/usr/bin/env python3
"""Gradients that no text has: are dropout, another step's weights and the sum of several steps named, and nothing where
there is no cause? Masked LM and classifier, CoLA from row 200 on; --inspect alone."""
import collections
import sys

import common

NAME, TITLE = "causes", "Causes"

KINDS = {"none": {}, "dropout": {"share": "dropout"}} | {
    f"{share}, {optimizer} {lr:g}": {"share": share, "optimizer": optimizer, "lr": lr}
    for share in ("another", "sum") for optimizer, lr in (("sgd", 1e-3), ("sgd", 1e-1), ("adamw", 5e-5))}
RIGHT = {"none": ("none",), "dropout": ("dropout",), "another": ("weights",), "sum": ("steps", "weights")}


def options(parser):
    common.add_steps_options(parser, 4)


def measure(bench):
    bench.options.batch = bench.options.batch or [1, 2]
    kinds = {(kind, task): {"task": task, "classes": 3} | order for kind, order in KINDS.items()
             for task in ("mlm", "cls")}
    for (kind, task), encoder, batch, _, shared, _ in common.torch_steps(bench, kinds):
        leakage = common.last_json(common.run(
            [bench.program("dlg-text"), f"--grads={shared}", f"--model={shared.parent / 'model'}", "--inspect",
             "--json", f"--threads={bench.threads}"]))
        names = [cause["name"] for cause in leakage["causes"]] or ["none"]
        bench.record(kind=kind, task=task, encoder=encoder, batch=batch, named=names[0],
                     right=names[0] in RIGHT[kind.split(",")[0]])


def section(records):
    rows = []
    for kind in KINDS:
        part = [r for r in records if r["kind"] == kind]
        named = collections.Counter(r["named"] for r in part)
        rows.append([kind, f"{sum(r['right'] for r in part)} of {len(part)}",
                     ", ".join(f"{name} {n}" for name, n in named.most_common())])
    return common.table(["what was done", "right", "named"], rows)


if __name__ == "__main__":
    common.main(sys.modules[__name__])
