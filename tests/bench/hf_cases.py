#!/usr/bin/env python3
"""Makes cases with hf_case.py, all in one process, since PyTorch is slow to start. Needs torch, transformers,
tokenizers, safetensors.

    hf_cases.py HF_CASE.PY < ORDERS

ORDERS is a JSON list. {"out": DIR, "model": SIZE or DIR, "text": TEXT, "seed": N} is one case. {"out": DIR, "model":
DIR, "rows": FILE, "count": N, "least": TOKENS} makes DIR/00, DIR/01, ... of the first N sentences of a CoLA file that
have so many tokens, seeded by their number; with "batch": B, "first", "last" and "task" ("mlm" or "cls" of so many
"classes") as well, of batches of B of those rows. "head": DIR has a model without a classifier be given one, by seed 0,
and kept there, so that all cases have the same.
{"out": DIR, "noisy": DIR, "deviation": STD} is a case that is there, with Gaussian noise added to its gradient. A case
that is there is left alone. Of a model that is a directory no copy is kept, but a link.
"""
import contextlib
import importlib.util
import io
import json
import pathlib
import shutil
import sys

import torch
from safetensors.torch import load_file, save_file


def load(path):
    spec = importlib.util.spec_from_file_location("hf_case", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_partial(hf_case, out, model, texts, seed, *more):
    """A case in a folder of its own beside `out`, which is returned."""
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    sys.argv = ["hf_case.py", str(partial), "--model", str(model), "--seed", str(seed), *more]
    sys.argv += [word for text in texts for word in ("--text", text)]
    with contextlib.redirect_stdout(io.StringIO()):
        hf_case.main()
    return partial


def make(hf_case, out, model, texts, seed, *more):
    if out.exists():
        return
    partial = make_partial(hf_case, out, model, texts, seed, *more)
    if pathlib.Path(model).is_dir():
        shutil.rmtree(partial / "model")
        (partial / "model").symlink_to(pathlib.Path(model).resolve())
    partial.rename(out)
    print(f"made {out}", file=sys.stderr, flush=True)


def make_head(hf_case, out, model, classes):
    """The model with a head, without the case that hf_case.py makes of it."""
    if out.exists():
        return
    partial = make_partial(hf_case, out, model, ["Any text."], 0, "--task", "cls", "--num-labels", str(classes))
    (partial / "model").rename(out)
    shutil.rmtree(partial)


def make_noisy(out, case, deviation):
    """The same model and truth; of both no copy is kept, but a link."""
    if out.exists():
        return
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    generator = torch.Generator().manual_seed(0)
    noisy = {name: g + deviation * torch.randn(g.shape, generator=generator)
             for name, g in load_file(case / "case.g").items()}
    save_file(noisy, partial / "case.g")
    for name in ("model", "case.truth.json"):
        (partial / name).symlink_to((case / name).resolve())
    partial.rename(out)


def long_enough(tokenizer, rows, least):
    """(row, its text) of those that have so many tokens."""
    for row, line in enumerate(rows):
        text = line.rstrip("\n").split("\t")[3]
        if len(tokenizer.encode(text).ids) - 2 >= least:
            yield row, text


def make_batches(hf_case, out, order, rows):
    """The label of a classifier's row i is i mod `classes`."""
    rows = [(row, text) for row, text in rows if order["first"] <= row <= order["last"]]
    for number in range(min(order["count"], len(rows) // order["batch"])):
        part = rows[number * order["batch"]:(number + 1) * order["batch"]]
        labels = [word for row, _ in part for word in ("--label", str(row % order["classes"]))]
        more = ["--task", "cls", "--num-labels", str(order["classes"]), *labels] if order["task"] == "cls" else []
        make(hf_case, out / f"{number:02d}", order["model"], [text for _, text in part], number, *more)


def main():
    hf_case = load(sys.argv[1])
    for order in json.load(sys.stdin):
        out = pathlib.Path(order["out"])
        if "text" in order:
            make(hf_case, out, order["model"], [order["text"]], order["seed"])
            continue
        if "noisy" in order:
            make_noisy(out, pathlib.Path(order["noisy"]), order["deviation"])
            continue
        tokenizer = hf_case.BertWordPieceTokenizer(f"{order['model']}/vocab.txt", lowercase=True)
        with open(order["rows"], encoding="utf-8") as rows:
            found = long_enough(tokenizer, rows, order["least"])
            if "head" in order:
                make_head(hf_case, pathlib.Path(order["head"]), order["model"], order["classes"])
                order["model"] = order["head"]
            if "batch" in order:
                make_batches(hf_case, out, order, found)
                continue
            for number, (_, text) in zip(range(order["count"]), found):
                make(hf_case, out / f"{number:02d}", order["model"], [text], number)


if __name__ == "__main__":
    main()
