#!/usr/bin/env python3
"""Batches of real sentences, classifier, dropout off, told nothing but the model.

    cola      rows of CoLA from 200 on, of four words and more
    reviews   sentences of 15 to 30 words out of three novels, as long as film reviews are

Models: fixtures/trained-cls (128 x 2) and whatever --real names, a folder with a classifier that transformers can read
(a published 384 x 6 encoder with a head of two classes, say). Sentences are exact where their tokens are, wrong where
the program gives one that was not in the batch and calls the batch explained.
"""
import pathlib
import random
import re
import sys

import common

NAME, TITLE = "batches", "Batches of real sentences"

COLA, BOOKS = "data/cola/in_domain_train.tsv", ("1342", "2701", "2600")
FIRST_ROW, FEWEST_WORDS, WORDS = 200, 4, (15, 30)
SIZES = {"cola": (1, 2, 4, 8, 16), "reviews": (1, 2, 4, 8)}


def options(parser):
    parser.add_argument("--real", type=pathlib.Path, action="append", default=[],
                        help="another classifier's folder; may be repeated")
    parser.add_argument("--batches", type=int, default=4, help="of each size (default 4)")
    parser.add_argument("--kind", choices=tuple(SIZES), action="append", help="may be repeated (default: all)")
    parser.add_argument("--size", type=int, action="append", help="may be repeated (default: all)")
    parser.add_argument("--limit", type=int, default=120, help="seconds a batch may take (default 120)")


def cola(bench):
    rows = bench.from_shared(COLA).read_text(encoding="utf-8").splitlines()[FIRST_ROW:]
    return [text for text in (row.split("\t")[-1] for row in rows) if len(text.split()) >= FEWEST_WORDS]


def reviews(bench):
    books = (bench.from_shared(f"data/text/{name}.txt").read_text(encoding="utf-8", errors="replace")[20000:400000]
             for name in BOOKS)
    text = re.sub(r"\s+", " ", "\n".join(books))
    found = [one.strip() for one in re.split(r"(?<=[.!?])\s", text)]
    found = [one for one in found if WORDS[0] <= len(one.split()) <= WORDS[1]]
    random.Random(1).shuffle(found)
    return found


def measure_batch(bench, model, kind, size, number, texts):
    gradient = bench.scratch / "batch.g"
    truth = bench.share(gradient, f"--model={model}", *(f"--label={i % 2}" for i in range(size)),
                        *(f"--text={text}" for text in texts))
    common.take_metadata_out(gradient)
    result, _, seconds, _ = bench.attack_within(None, gradient, f"--model={model}", f"--truth={truth}",
                                                f"--time={bench.options.limit}")
    metrics = result.get("metrics")
    n_exact = metrics["exact_sentences"] if metrics else 0
    return bench.record(model=str(model), kind=kind, batch=size, case=number, n_exact=n_exact,
                        rouge1=metrics["rouge"]["rouge1"]["f1"] if metrics else 0,
                        rouge2=metrics["rouge"]["rouge2"]["f1"] if metrics else 0, end=result["end"],
                        wrong=bool(result["recovered"] and n_exact < size), seconds=seconds)


def measure(bench):
    texts = {"cola": cola(bench), "reviews": reviews(bench)}
    for model in (bench.from_shared("fixtures/trained-cls/model"), *bench.options.real):
        for kind in bench.options.kind or SIZES:
            for size in bench.options.size or SIZES[kind]:
                records = [measure_batch(bench, model.resolve(), kind, size, k, texts[kind][k * size:(k + 1) * size])
                           for k in range(bench.options.batches)]
                bench.say(f"{model} {kind} {size}: {sum(r['n_exact'] for r in records)} of {size * len(records)}")


def section(records):
    rows = []
    for model, kind, size in dict.fromkeys((r["model"], r["kind"], r["batch"]) for r in records):
        part = [r for r in records if (r["model"], r["kind"], r["batch"]) == (model, kind, size)]
        rows.append([f"{pathlib.Path(model).name}, {kind}, {size}",
                     f"{sum(r['n_exact'] for r in part)} of {size * len(part)}",
                     f"{100 * sum(r['rouge1'] for r in part) / len(part):.0f} / "
                     f"{100 * sum(r['rouge2'] for r in part) / len(part):.0f}",
                     common.spread([r["seconds"] for r in part], "{:.1f}"), sum(r["wrong"] for r in part)])
    return common.table(["model, sentences, batch of", "exact", "ROUGE-1 / -2", "seconds: median (largest)",
                         "wrong claims"], rows)


if __name__ == "__main__":
    common.main(sys.modules[__name__])
