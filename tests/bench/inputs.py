#!/usr/bin/env python3
"""Inputs as they are: pairs of sentences with the boundary between them, padding that was attended to behind and before
the text, and a sentence that stands in the batch with two classes. Exact is every token, padding and boundary included;
CoLA from row 200 on."""
import sys

import common

NAME, TITLE = "inputs", "Pairs, padding and twins"

KINDS = {f"{kind}, {task}": {"input": kind, "task": task} for kind, tasks in {
    "pair": ("mlm", "cls"), "right": ("mlm", "cls"), "left": ("mlm", "cls"), "twins": ("cls",)}.items()
    for task in tasks}
BATCHES = {"pair": (1, 2), "right": (2, 4), "left": (2, 4), "twins": (2, 3, 4)}


def options(parser):
    common.add_steps_options(parser, 15)
    parser.add_argument("--limit", type=int, default=60, help="seconds for each (default 60)")
    parser.add_argument("--classes", type=int, default=3, help="of a classifier (default 3)")


def measure(bench):
    kinds = {kind: order | {"classes": bench.options.classes, "batches": bench.options.batch or BATCHES[order["input"]]}
             for kind, order in KINDS.items()}
    for kind, encoder, batch, model, shared, truth in common.torch_steps(bench, kinds):
        result, _, process_s, _ = bench.attack_within(bench.options.limit, shared, f"--model={model}")
        labels_right = sorted(result.get("labels") or []) == sorted(truth["labels"])
        bench.record(kind=kind, encoder=encoder, batch=batch, end=result["end"], recovered=result["recovered"],
                     exact=common.is_exact(result, truth) and labels_right, seconds=process_s)


def section(records):
    return common.table(["input, task", "encoder", "batch", "exact", "wrongly recovered", "seconds"],
                        common.count_exact(records, "kind", "encoder", "batch"))


if __name__ == "__main__":
    common.main(sys.modules[__name__])
