#!/usr/bin/env python3
"""Batches on models of random weights, of the presets' sizes and BERT's own vocabulary, told nothing: exact, seconds,
peak memory.

The model is one that transformers draws by seed 0: the sizes of mini and base, vocabulary of 30,522. Sentences are the
first of CoLA's in_domain_train that are exactly 16 tokens, [CLS] and [SEP] included, cut into batches of 1, 2, 4 and 8;
the gradient is that of dlg-grads, masked LM, 15 % masked. Its metadata, which tell the batch size, are taken out. An
attack that has not ended after --limit seconds is interrupted, and its best text so far counts; sentences are exact
wherever in the batch they stand. Memory is the peak of the whole process, with the pages of model and gradient that it
reads where they lie in their files.
"""
import itertools
import pathlib
import sys

import common
import recover_transformers

NAME, TITLE = "preset_batches", "Batches on models of random weights, told nothing"

LENGTH, SIZES, BATCHES = 16, {"mini": "256 × 4", "base": "768 × 12"}, (1, 2, 4, 8)


def options(parser):
    parser.add_argument("--cases", type=pathlib.Path,
                        help="where the models are or will be (default: BUILD/bench/cases)")
    parser.add_argument("--size", action="append", choices=list(SIZES), dest="sizes", help="repeatable (default: all)")
    parser.add_argument("--batch", type=int, action="append", dest="batches", help="repeatable (default: 1 2 4 8)")
    parser.add_argument("--sentences", type=int, default=16, help="in all batches of a size together (default 16)")
    parser.add_argument("--attack", default="auto")
    parser.add_argument("--limit", type=int, default=60, help="seconds an attack may take (default 60)")


def model_of(bench, size):
    """That of recover_transformers.py's first case."""
    orders, cases = recover_transformers.orders_of(bench, size)
    common.make_cases(bench, orders[:1])
    return cases[0] / "model"


def texts_of(bench):
    """The first sentences of the wanted length."""
    rows = common.rows_with_length(bench, recover_transformers.ROWS, model_of(bench, "mini"))
    found = list(itertools.islice((text for text, n_tokens in rows if n_tokens == LENGTH), bench.options.sentences))
    if len(found) < bench.options.sentences:
        sys.exit(f"{NAME}: want {bench.options.sentences} sentences of {LENGTH} tokens, found {len(found)}")
    return found


def measure_batch(bench, size, model, number, texts):
    gradient = bench.scratch / "case.g"
    truth = bench.share(gradient, f"--model={model}", "--task=mlm", f"--seed={number}",
                        *[f"--text={text}" for text in texts])
    common.take_metadata_out(gradient)
    result, checks, process_s, mib = bench.attack_within(bench.options.limit, gradient, f"--model={model}",
                                                         f"--truth={truth}", f"--attack={bench.options.attack}")
    metrics = result.get("metrics")
    r = bench.record(size=size, batch=len(texts), case=number, attack=bench.options.attack,
                     exact=metrics["exact_sentences"] if metrics else 0, claims=result["recovered"], end=result["end"],
                     seconds=result.get("seconds", process_s), process_seconds=process_s,
                     evaluations=result.get("evaluations", 0), mib=mib, limit=bench.options.limit, checks=checks,
                     text=result.get("text"), truth=texts)
    bench.say(f"{size}, batch {len(texts)}, {number}: {r['exact']} of {len(texts)} exact, {r['end']} after "
              f"{r['evaluations']} evaluations, {r['seconds']:.1f} s, {mib:.0f} MiB"
              + ("" if r["exact"] == len(texts) else f"; {'; '.join(checks)}"))


def measure(bench):
    texts = texts_of(bench)
    for size in bench.options.sizes or SIZES:
        model = model_of(bench, size)
        for batch in bench.options.batches or BATCHES:
            for number in range(len(texts) // batch):
                measure_batch(bench, size, model, number, texts[batch * number:batch * (number + 1)])


def section(records):
    rows = []
    for key in dict.fromkeys((r["size"], r["batch"], r["attack"]) for r in records):
        part = [r for r in records if (r["size"], r["batch"], r["attack"]) == key]
        size, batch, attack = key
        rows.append([f"{size} ({SIZES[size]}), batch {batch}, {attack}",
                     f"{sum(r['exact'] for r in part)} of {batch * len(part)}", sum(r["claims"] for r in part),
                     sum(r["claims"] and r["exact"] < batch for r in part),
                     common.spread([r["evaluations"] for r in part]),
                     common.spread([r["seconds"] for r in part], "{:.2f}"),
                     common.spread([r["process_seconds"] for r in part], "{:.2f}"),
                     common.spread([r["mib"] for r in part])])
    head = ["", "sentences exact", "batches claimed", "wrongly", "evaluations: median (most)", "seconds",
            "whole process", "peak MiB"]
    return (f"Sentences of {LENGTH} tokens, vocabulary 30,522, {records[0]['limit']} s allowed a batch. Wanted: all of "
            f"them exact.\n\n{common.table(head, rows)}")


if __name__ == "__main__":
    common.main(sys.modules[__name__])
