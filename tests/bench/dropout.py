#!/usr/bin/env python3
"""How well sentences are read where dropout was on (10 %, attention's too), told nothing: CoLA's rows from 200 on, in
batches, of a classifier and a masked LM, with the embeddings shared and frozen. transformers makes the gradients.

Of a masked LM a sentence is exact where what was fed is, masks in their places.
"""
import json
import pathlib
import subprocess
import sys

import common

NAME, TITLE = "dropout", "Dropout on"

ROWS, FIRST, LEAST_WORDS = "data/cola/in_domain_train.tsv", 200, 4
TASKS = ("cls", "mlm")
# Of a case that is there: the same without the embeddings' tensors.
FREEZE = """
import sys
from safetensors.torch import load_file, save_file
save_file({n: v for n, v in load_file(sys.argv[1]).items() if "embeddings." not in n}, sys.argv[2])
"""


def options(parser):
    parser.add_argument("--model", type=pathlib.Path, help="a folder that transformers saved (default: trained-mini)")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4], help="sentences of each (default 1 2 4)")
    parser.add_argument("--count", type=int, default=20, help="batches of each kind (default 20)")
    parser.add_argument("--time", type=float, default=60, help="seconds for each (default 60)")
    parser.add_argument("--cases", type=pathlib.Path,
                        help="where the cases are or will be (default: BUILD/bench/cases)")


def texts(bench):
    lines = bench.from_shared(ROWS).read_text(encoding="utf-8").splitlines()[FIRST:]
    rows = [line.split("\t")[3] for line in lines]
    return [row for row in rows if len(row.split()) >= LEAST_WORDS]


def make(bench, model, task, batch, number):
    """@return the folder of the case"""
    out = common.cases_folder(bench) / f"dropout-{model.name}-{task}-{batch}" / f"{number:03}"
    if not (out / "frozen.g").exists():
        some = texts(bench)[number * batch:(number + 1) * batch]
        labels = [word for i in range(batch) for word in ("--label", str((number + i) % 2))]
        subprocess.run([bench.torch(), bench.from_shared("tools/hf_case.py"), out, "--model", model, "--task", task,
                        "--train-mode", "--seed", str(1000 * batch + number), *(labels if task == "cls" else []),
                        *(word for text in some for word in ("--text", text))], check=True, capture_output=True)
        subprocess.run([bench.torch(), "-c", FREEZE, out / "case.g", out / "frozen.g"], check=True)
    return out


def attack(bench, case, frozen, task, batch):
    truth = json.loads((case / "case.truth.json").read_text(encoding="utf-8"))
    fed = [[token for token, mask in zip(row, masks) if mask]
           for row, masks in zip(truth["fed_ids"], truth["attention"])]
    result, _, process_s, _ = bench.attack_within(None, case / ("frozen.g" if frozen else "case.g"),
                                                  f"--model={case / 'model'}", f"--time={bench.options.time}")
    left, right, wrong = list(fed), 0, 0
    for sentence in result.get("fed_tokens") or []:
        if sentence in left:
            left.remove(sentence)
            right += 1
        else:
            wrong += 1
    claims = result["recovered"] or result["end"] == "partly"
    return bench.record(task=task, batch=batch, frozen=frozen, n=len(fed), right=right, end=result["end"],
                        recovered=result["recovered"], wrong_claim=claims and wrong > 0, seconds=process_s)


def measure(bench):
    model = (bench.options.model or bench.from_shared("fixtures/trained-mini")).resolve()
    for task in TASKS:
        for batch in bench.options.batches:
            for frozen in (False, True):
                done = [attack(bench, make(bench, model, task, batch, number), frozen, task, batch)
                        for number in range(bench.options.count)]
                bench.say(f"{task}, batch of {batch}, {'frozen' if frozen else 'shared'}: "
                          f"{sum(r['right'] for r in done)} of {sum(r['n'] for r in done)} sentences")


def section(records):
    rows = []
    for key in sorted({(r["task"], r["batch"], r["frozen"]) for r in records}):
        some = [r for r in records if (r["task"], r["batch"], r["frozen"]) == key]
        rows.append([f"{key[0]}, batch of {key[1]}", "frozen" if key[2] else "shared",
                     f"{sum(r['right'] for r in some)} of {sum(r['n'] for r in some)}",
                     f"{sum(r['recovered'] for r in some)} of {len(some)}", sum(r["wrong_claim"] for r in some),
                     common.spread([r["seconds"] for r in some], "{:.1f}")])
    return common.table(["gradient of", "embeddings", "sentences exact", "recovered", "wrong claims",
                         "seconds: median (most)"], rows)


if __name__ == "__main__":
    common.main(sys.modules[__name__])
