#!/usr/bin/env python3
"""Makes what a participant shares that is not the plain gradient of plain sentences, by PyTorch and transformers:
other losses, pairs, padding that is attended to, weights after training, and gradients that no text has.

    torch_steps.py < ORDERS

ORDERS is a JSON list of {"out": DIR, "model": DIR, "task": "mlm" or "cls", "classes": C, "rows": FILE, "first": ROW,
"count": N, "batch": B} with what else there is of

    "loss"    plain, smooth, weights, multi, mse
    "input"   plain, pair, right or left (padding that side, attended to), twins (the first once more, another class)
    "share"   gradient; weights, after "steps" of "optimizer" with "lr"; dropout; another (the gradient one step of SGD
              with "lr" later); sum (of three steps' gradients)
    "epoch"   all N sentences are one epoch in batches of B, dropout on: one nameless .npz

DIR/model is the model with its head, by seed 0; DIR/NN.g or .npz what is shared, DIR/NN.json the truth: "ids" and
"segments" of each sentence, padding that was attended to included, what was "fed", and "labels". A folder that is there
is left alone.
"""
import json
import pathlib
import random
import shutil
import sys

import numpy
import torch
import transformers
from safetensors.torch import save_file
from torch.nn import functional

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)


def load_model(order):
    torch.manual_seed(0)
    kind = transformers.BertForMaskedLM if order["task"] == "mlm" else transformers.BertForSequenceClassification
    more = {} if order["task"] == "mlm" else {"num_labels": order["classes"], "ignore_mismatched_sizes": True}
    return kind.from_pretrained(order["model"], attn_implementation="eager", **more).eval()


def tokenize(tokenizer, order, texts):
    """input_ids, attention_mask, token_type_ids"""
    how = order.get("input", "plain")
    tokenizer.padding_side = "left" if how == "left" else "right"
    if how == "pair":
        return tokenizer(texts[0::2], texts[1::2], return_tensors="pt", padding=True)
    if how == "twins":
        texts = [*texts, texts[0]]
    batch = tokenizer(texts, return_tensors="pt", padding=True)
    if how in ("left", "right"):
        batch["attention_mask"] = torch.ones_like(batch["attention_mask"])
    return batch


def draw_labels(order, batch, tokenizer, draw):
    """Classes, or the masked words, whose masks are put in."""
    n = len(batch["input_ids"])
    if order["task"] == "cls":
        labels = [draw.randrange(max(order["classes"], 2)) for _ in range(n)]
        if order.get("input") == "twins":
            labels[-1] = (labels[0] + 1) % order["classes"]
        return torch.tensor(labels)
    labels = torch.full_like(batch["input_ids"], -100)
    for row, out in zip(batch["input_ids"], labels):
        inner = [t for t in range(len(row)) if row[t] not in tokenizer.all_special_ids]
        for t in draw.sample(inner, max(1, round(0.15 * len(inner)))):
            out[t], row[t] = row[t].item(), tokenizer.mask_token_id
    return labels


def loss_of(kind, logits, labels, classes):
    draw = torch.Generator().manual_seed(1)
    if kind == "smooth":
        return functional.cross_entropy(logits, labels, label_smoothing=0.1)
    if kind == "weights":
        return functional.cross_entropy(logits, labels, weight=0.5 + 2 * torch.rand(classes, generator=draw))
    if kind == "multi":
        there = (torch.rand(logits.shape, generator=draw) < 0.4).float()
        return functional.binary_cross_entropy_with_logits(logits, there)
    if kind == "mse":
        return functional.mse_loss(logits.squeeze(-1), labels * 0.7 - 0.3)
    return functional.cross_entropy(logits, labels)


def backward(model, order, batch, labels):
    """@return the gradients"""
    model.zero_grad()
    logits = model(**batch).logits
    if order["task"] == "mlm":
        logits, labels = logits[labels != -100], labels[labels != -100]
    loss_of(order.get("loss", "plain"), logits, labels, logits.shape[-1]).backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def optimizer_of(model, order):
    kind = torch.optim.AdamW if order.get("optimizer") == "adamw" else torch.optim.SGD
    return kind(model.parameters(), lr=order["lr"])


def share(model, order, batch, labels):
    """The tensors that are handed over; the model is as it was."""
    what, before = order.get("share", "gradient"), {k: v.clone() for k, v in model.state_dict().items()}
    model.train(what == "dropout")
    out = backward(model, order, batch, labels)
    optimizer = optimizer_of(model, order) if "lr" in order else None
    for step in range({"weights": order.get("steps", 1), "another": 1, "sum": 2}.get(what, 0)):
        if step and what == "weights":
            backward(model, order, batch, labels)
        optimizer.step()
        if what != "weights":
            later = backward(model, order, batch, labels)
            out = {name: g + out[name] if what == "sum" else g for name, g in later.items()}
    if what == "weights":
        out = {name: p.detach().clone() for name, p in model.named_parameters()}
    model.load_state_dict(before)
    model.eval()
    return out


def one_epoch(model, order, tokenizer, texts, out):
    """As Flower's clients do: every sentence once, dropout on, all weights back as a list."""
    optimizer, draw = optimizer_of(model, order), random.Random(0)
    model.train()
    for at in range(0, len(texts), order["batch"]):
        batch = tokenize(tokenizer, order, texts[at:at + order["batch"]])
        backward(model, order, batch, draw_labels(order, batch, tokenizer, draw))
        optimizer.step()
    numpy.savez(out / "00.npz", *[value.numpy() for value in model.state_dict().values()])
    rows = tokenizer(texts)["input_ids"]
    (out / "00.json").write_text(json.dumps({"fed": rows}), encoding="utf-8")


def make(order, out):
    model = load_model(order)
    model.save_pretrained(out / "model")
    shutil.copy(pathlib.Path(order["model"]) / "vocab.txt", out / "model")
    words = (out / "model" / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
    tokenizer = transformers.BertTokenizer(vocab={word: i for i, word in enumerate(words)})
    lines = pathlib.Path(order["rows"]).read_text(encoding="utf-8").splitlines()[order.get("first", 200):]
    texts = [line.split("\t")[3] for line in lines]
    if order.get("epoch"):
        one_epoch(model, order, tokenizer, texts[:order["count"]], out)
        return
    each = order["batch"] * (2 if order.get("input") == "pair" else 1) - (order.get("input") == "twins")
    for i in range(order["count"]):
        batch = tokenize(tokenizer, order, texts[i * each:(i + 1) * each])
        attended = batch["attention_mask"].bool()
        truth = {"ids": [row[mask].tolist() for row, mask in zip(batch["input_ids"], attended)],
                 "segments": [row[mask].tolist() for row, mask in zip(batch["token_type_ids"], attended)]}
        labels = draw_labels(order, batch, tokenizer, random.Random(i))
        truth["fed"] = [row[mask].tolist() for row, mask in zip(batch["input_ids"], attended)]
        truth["labels"] = labels[labels != -100].tolist()
        tensors = share(model, order, batch, labels)
        save_file({name: g.contiguous() for name, g in tensors.items()}, out / f"{i:02d}.g")
        (out / f"{i:02d}.json").write_text(json.dumps(truth), encoding="utf-8")


def main():
    for order in json.load(sys.stdin):
        out = pathlib.Path(order["out"])
        if out.exists():
            continue
        partial = out.with_name(out.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        make(order, partial)
        partial.rename(out)
        print(f"made {out}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
