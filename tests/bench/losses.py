#!/usr/bin/env python3
"""Gradients of other losses than the plain mean cross-entropy: is the text exact, is the loss named, is a wrong text
called recovered? Smoothed labels, class weights, several labels a text, regression, on trained encoders of 128 x 2 and
256 x 4 with a fresh head, and a masked LM with smoothed labels; CoLA from row 200 on."""
import sys

import common

NAME, TITLE = "losses", "Other losses"

KINDS = {"masked LM, smooth": {"task": "mlm", "loss": "smooth"}, "1 class, mse": {"classes": 1, "loss": "mse"}} | {
    f"{classes} classes, {loss}": {"classes": classes, "loss": loss}
    for classes in (2, 3, 6) for loss in ("smooth", "weights", "multi")}
NAMES = {"smooth": "cross-entropy with smoothed labels", "weights": "weighted cross-entropy",
         "multi": "binary cross-entropy", "mse": "mean squared error"}


def options(parser):
    common.add_steps_options(parser, 8)
    parser.add_argument("--limit", type=int, default=60, help="seconds for each (default 60)")


def measure(bench):
    kinds = {kind: {"task": "cls"} | order for kind, order in KINDS.items()}
    for kind, encoder, batch, model, shared, truth in common.torch_steps(bench, kinds):
        result, _, process_s, _ = bench.attack_within(bench.options.limit, shared, f"--model={model}")
        found = (result.get("loss") or {}).get("kind")
        bench.record(kind=kind, encoder=encoder, batch=batch, exact=common.is_exact(result, truth),
                     recovered=result["recovered"], end=result["end"], loss=found,
                     named=found == NAMES[KINDS[kind]["loss"]], seconds=process_s)


def section(records):
    rows = common.count_exact(records, "kind", "encoder", "batch")
    for row in rows:
        part = [r for r in records if [r["kind"], r["encoder"], r["batch"]] == row[:3]]
        row.insert(4, f"{sum(r['named'] for r in part)} of {len(part)}")
    return common.table(["loss", "encoder", "batch", "exact", "named", "wrongly recovered", "seconds"], rows) + (
        "\n\nOf one row smoothing, or of two classes weights, are a factor, and named so.")


if __name__ == "__main__":
    common.main(sys.modules[__name__])
