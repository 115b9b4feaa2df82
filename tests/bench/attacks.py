#!/usr/bin/env python3
"""Attacks on batches of CoLA sentences, told nothing: how many sentences come back, by attack, model and batch size.

Rows 200 to 299 of in_domain_train with at least 5 tokens, in their order, cut into batches; what is left over is dropped. Models:

    mlm         fixtures/trained-model, masked LM, 128 x 2
    cls         fixtures/trained-cls/model, classifier; the label of row i is i mod 6
    mlm-mini    fixtures/trained-mini, masked LM, 256 x 4; the first 25 sentences

An attack that has not ended after --limit seconds is interrupted, and its best text so far counts. With --evaluations N each may take so
many instead, in as many starts as it likes, which compares attacks on equal terms and does not depend on the machine. A sentence is exact
when every token is, with the labels put back, wherever in the batch it stands. "Claimed" are batches that the program calls recovered; a
wrong claim is one that is not exact. Cases are made once, in --cases, by ../shared/tools/hf_case.py.
"""
import itertools
import json
import pathlib
import subprocess
import sys

import common

NAME, TITLE = "attacks", "Attacks on batches of CoLA, told nothing"

ROWS, FIRST, LAST, LEAST_TOKENS, N_CLASSES = "data/cola/in_domain_train.tsv", 200, 299, 5, 6
# name: (model, task, sentences at most, what auto is to reach by batch size)
SETS = {
    "mlm": ("fixtures/trained-model", "mlm", 100, {1: 99, 2: 97, 4: 90}),
    "cls": ("fixtures/trained-cls/model", "cls", 100, {1: 99, 2: 95, 4: 85}),
    "mlm-mini": ("fixtures/trained-mini", "mlm", 25, {}),
}


def options(parser):
    parser.add_argument("--cases", type=pathlib.Path, help="where the cases are or will be (default: BUILD/bench/cases)")
    parser.add_argument("--attack", action="append", dest="attacks", help="repeatable (default: auto)")
    parser.add_argument("--set", action="append", choices=list(SETS), dest="sets", help="repeatable (default: all)")
    parser.add_argument("--batch", type=int, action="append", dest="batches", help="repeatable (default: 1 2 4)")
    parser.add_argument("--sentences", type=int, help="only the first N of each set")
    parser.add_argument("--evaluations", type=int, help="an attack may take, however long that lasts; then --limit is not looked at")
    parser.add_argument("--update", choices=["batch", "sentence"], default="batch", help="see dlg-text --help (default batch)")
    parser.add_argument("--limit", type=int, default=60, help="seconds an attack may take (default 60)")


def cases_of(bench, name, batch):
    model, task, most, _ = SETS[name]
    most = min(most, bench.options.sentences or most)
    out = common.cases_folder(bench) / "attacks" / f"{name}-{batch}"
    common.make_cases(bench, [{"out": str(out), "model": str(bench.from_shared(model)), "rows": str(bench.from_shared(ROWS)), "task": task,
                               "first": FIRST, "last": LAST, "least": LEAST_TOKENS, "batch": batch, "classes": N_CLASSES,
                               "count": most // batch}])
    return sorted(out.iterdir())[:most // batch]


def attack(bench, name, attack_name, case):
    budget = bench.options.evaluations
    command = [] if budget else ["timeout", "--signal=INT", str(bench.options.limit)]
    command += [bench.program("dlg-text"), f"--grads={case / 'case.g'}",
               f"--model={case / 'model'}", f"--truth={case / 'case.truth.json'}", f"--attack={attack_name}", "--json", "-q",
               f"--threads={bench.threads}"]
    command += [f"--evaluations={budget}", "--starts=1000000"] if budget else []
    command += [f"--update={bench.options.update}"] if bench.options.update != "batch" else []
    done = subprocess.run(command, env=common.environment(), capture_output=True, text=True, check=False)
    if done.returncode not in (0, 124, 130):
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr.strip()}")
    result = common.last_json(done.stdout)
    truth = json.loads((case / "case.truth.json").read_text(encoding="utf-8"))
    metrics, batch = result.get("metrics"), len(truth["text"])
    shown = attack_name if bench.options.update == "batch" else f"{attack_name}, sentence by sentence"
    return bench.record(set=name, attack=shown, batch=batch, case=case.name, exact=metrics["exact_sentences"] if metrics else 0,
                        labels=metrics["label_accuracy"] if metrics else 0, rouge1=metrics["rouge"]["rouge1"]["f1"] if metrics else 0,
                        rouge2=metrics["rouge"]["rouge2"]["f1"] if metrics else 0, claims=result["recovered"], end=result["end"],
                        seconds=result["seconds"], evaluations=result["evaluations"], limit=bench.options.limit, budget=budget)


def measure(bench):
    chosen = itertools.product(bench.options.sets or SETS, bench.options.batches or [1, 2, 4], bench.options.attacks or ["auto"])
    for name, batch, attack_name in chosen:
        records = [attack(bench, name, attack_name, case) for case in cases_of(bench, name, batch)]
        bench.say(f"{name}, batch {batch}, {attack_name}: {sum(r['exact'] for r in records)} of {batch * len(records)} sentences exact")


def section(records):
    rows = []
    for key in dict.fromkeys((r["set"], r["batch"], r["attack"]) for r in records):
        name, batch, attack_name = key
        part = [r for r in records if (r["set"], r["batch"], r["attack"]) == key]
        n, exact = batch * len(part), sum(r["exact"] for r in part)
        wanted = SETS[name][3].get(batch) if attack_name == "auto" else None
        rows.append([f"{name}, batch {batch}, {attack_name}", f"{exact} of {n}", f"{100 * exact / n:.0f} %", f"{wanted} %" if wanted else "",
                     f"{100 * sum(r['rouge1'] for r in part) / len(part):.0f} / {100 * sum(r['rouge2'] for r in part) / len(part):.0f}",
                     f"{100 * sum(r['labels'] for r in part) / len(part):.0f} %", sum(r["claims"] for r in part),
                     sum(r["claims"] and r["exact"] < batch for r in part), common.spread([r["seconds"] for r in part], "{:.2f}"),
                     f"{part[0]['budget']} evaluations" if part[0].get("budget") else f"{part[0]['limit']} s"])
    head = ["", "sentences exact", "", "wanted", "ROUGE-1 / -2", "labels", "batches claimed", "wrongly", "seconds: median (most)",
            "allowed"]
    return common.table(head, rows)


if __name__ == "__main__":
    common.main(sys.modules[__name__])
