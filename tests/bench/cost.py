#!/usr/bin/env python3
"""What an attack costs against batch, length and vocabulary, told nothing.

Masked LM and classifier of random weights, with a vocabulary of 8,192 (preset mini, 256 × 4), and models in the folders
that --model names, each for its own task. Batches of 1 to 32 sentences of 16 tokens, and single texts of 16 to 512, out
of ../shared's first text. Seconds are the processor's, on one thread, of the whole process: they grow little with what
else the machine does. Beside them what they grow with: different inputs (a token at a position) and the candidates for
them. An attack that has not ended after --limit seconds is interrupted.
"""
import json
import pathlib
import re
import resource
import sys

import common

NAME, TITLE, TEXT = "cost", "The cost of an attack against batch, length and vocabulary", "data/text/1342.txt"

BATCHES, LENGTHS, BATCH_LENGTH = [1, 2, 4, 8, 16, 32], [16, 32, 64, 128, 256, 512], 16


def options(parser):
    parser.add_argument("--model", action="append", type=pathlib.Path, dest="models", default=[],
                        help="folder of a model, beside preset mini; repeatable")
    parser.add_argument("--limit", type=int, default=60, help="seconds an attack may take (default 60)")


def texts_of(bench, n_sentences, length):
    """So many words each, which are as many tokens at least: --max-length cuts them."""
    words = bench.from_shared(TEXT).read_text(encoding="utf-8").split()[10000:]
    return [" ".join(words[length * b:length * (b + 1)]) for b in range(n_sentences)]


def candidates_in(notes):
    """Of the last span check that saw some."""
    found = [re.search(r"(\d+) candidates at (\d+) positions", note) for note in notes]
    return next((int(match[1]) for match in reversed(found) if match), None)


def measure_case(bench, name, of_model, task, n_sentences, length):
    gradient = bench.scratch / "case.g"
    of_task = ["--task=mlm"] if task == "mlm" else [f"--label={b % 2}" for b in range(n_sentences)]
    truth = bench.share(gradient, *of_model, *of_task, f"--max-length={length}",
                        *[f"--text={text}" for text in texts_of(bench, n_sentences, length)])
    common.take_metadata_out(gradient)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    of_preset = [f"--task={task}"] if of_model[0].startswith("--preset") else []
    result, checks, _, mib = bench.attack_within(bench.options.limit, gradient, *of_model, *of_preset,
                                                 f"--truth={truth}", n_threads=1)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    metrics = result.get("metrics")
    fed = json.loads(pathlib.Path(truth).read_text(encoding="utf-8"))["fed_ids"]
    r = bench.record(model=name, task=task, batch=n_sentences, length=length, end=result["end"],
                     exact=metrics["exact_sentences"] if metrics else 0, mib=mib, limit=bench.options.limit,
                     seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                     candidates=candidates_in(checks), inputs=len({place for row in fed for place in enumerate(row)}),
                     evaluations=result.get("evaluations", 0), evaluation=result.get("seconds_per_evaluation"))
    bench.say(f"{name}, {task}, {n_sentences} of {length}: {r['exact']} exact, {r['end']}, {r['seconds']:.2f} s")


def measure(bench):
    models = [("mini, 8,192", ["--preset=mini"], ("mlm", "cls"))]
    for folder in bench.options.models:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        tasks = ("mlm",) if "BertForMaskedLM" in config["architectures"] else ("cls",)
        models.append((f"{config['hidden_size']} × {config['num_hidden_layers']}, {config['vocab_size']:,}",
                       [f"--model={folder}"], tasks))
    for name, of_model, tasks in models:
        for task in tasks:
            for n_sentences, length in dict.fromkeys([(n, BATCH_LENGTH) for n in BATCHES]
                                                     + [(1, length) for length in LENGTHS]):
                measure_case(bench, name, of_model, task, n_sentences, length)


def section(records):
    rows = [[r["model"], r["task"], f"{r['batch']} × {r['length']}", r["inputs"], r["candidates"] or "-",
             f"{r['exact']} of {r['batch']}", r["end"], f"{r['seconds']:.2f}", r["evaluations"], f"{r['mib']:.0f}"]
            for r in records]
    head = ["model, vocabulary", "task", "sentences × tokens", "different inputs", "candidates", "exact", "end",
            "processor's seconds", "evaluations", "peak MiB"]
    return f"{records[0]['limit']} s allowed, one thread.\n\n{common.table(head, rows)}"


if __name__ == "__main__":
    common.main(sys.modules[__name__])
