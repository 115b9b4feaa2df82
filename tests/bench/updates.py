#!/usr/bin/env python3
"""Weights after training instead of a gradient: one step of SGD over learning rates, one of AdamW, one sentence of CoLA
each; and Flower's way, one epoch of AdamW over many sentences with dropout on, the weights as a nameless list. Told is
what --update, --optimizer and --lr tell; of Flower's that they are weights."""
import sys

import common

NAME, TITLE = "updates", "Weights after training"

RATES = {"sgd": (1e-2, 1e-3, 1e-4, 5e-5), "adamw": (1e-3, 5e-5)}
EPOCHS = (32, 320)


def options(parser):
    common.add_steps_options(parser, 20)
    parser.add_argument("--limit", type=int, default=60, help="seconds for each (default 60)")


def bag_is_right(result, truth):
    tokens = ((result.get("update") or {}).get("tokens") or {}).get("value")
    return tokens is not None and set(tokens) == {token for row in truth["fed"] for token in row}


def one_step(bench):
    kinds = {(optimizer, task, lr): {"task": task, "classes": 2, "share": "weights", "optimizer": optimizer, "lr": lr}
             for optimizer, rates in RATES.items() for lr in rates for task in ("mlm", "cls")}
    for (optimizer, task, lr), encoder, _, model, shared, truth in common.torch_steps(bench, kinds):
        result, _, process_s, _ = bench.attack_within(bench.options.limit, shared, f"--model={model}",
                                                      "--update=weights", f"--optimizer={optimizer}", f"--lr={lr:g}",
                                                      "--steps=1")
        bench.record(kind="one step", task=task, optimizer=optimizer, lr=lr, encoder=encoder, end=result["end"],
                     exact=common.is_exact(result, truth), labels_right=result.get("labels") == truth["labels"],
                     bag=bag_is_right(result, truth), recovered=result["recovered"], seconds=process_s)


def one_epoch(bench):
    kinds = {count: {"task": "cls", "classes": 2, "epoch": True, "optimizer": "adamw", "lr": 5e-5, "count": count,
                     "batches": (32,)} for count in EPOCHS}
    for count, encoder, _, model, shared, truth in common.torch_steps(bench, kinds):
        result, _, process_s, _ = bench.attack_within(bench.options.limit, shared, f"--model={model}",
                                                      "--update=weights")
        bench.record(kind="epoch", count=count, encoder=encoder, bag=bag_is_right(result, truth),
                     n_tokens=len({token for row in truth["fed"] for token in row}),
                     n_least=result["update"]["sentences_at_least"]["value"], seconds=process_s)


def measure(bench):
    one_step(bench)
    one_epoch(bench)


def section(records):
    steps = [r for r in records if r["kind"] == "one step"]
    rows = common.count_exact(steps, "optimizer", "task", "encoder", "lr")
    for row in rows:
        part = [r for r in steps if [r[key] for key in ("optimizer", "task", "encoder", "lr")] == row[:4]]
        row.insert(5, f"{sum(r['bag'] for r in part)} of {len(part)}")
    epochs = [[r["encoder"], r["count"], "yes" if r["bag"] else "no", r["n_tokens"], r["n_least"],
               f"{r['seconds']:.2f}"] for r in records if r["kind"] == "epoch"]
    return common.table(["one step of", "task", "encoder", "lr", "exact", "bag", "wrongly recovered", "seconds"],
                        rows) + "\n\n" + common.table(
        ["one epoch", "sentences", "bag exact", "tokens", "sentences at least", "seconds"], epochs)


if __name__ == "__main__":
    common.main(sys.modules[__name__])
