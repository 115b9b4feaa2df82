#!/usr/bin/env python3
"""Attacks on batches of CoLA sentences, told nothing: how many sentences come back, by attack, model and batch size.

Rows of in_domain_train, in their order, cut into batches; what is left over is dropped. The label of a classifier's row
i is i mod 6. Sets:

    mlm         rows 200 to 299 with at least 5 tokens; fixtures/trained-model, masked LM, 128 x 2
    cls         the same rows; fixtures/trained-cls/model, classifier, 128 x 2
    mlm-mini    the first 25 of them; fixtures/trained-mini, masked LM, 256 x 4
    cls-mini    the same 25; fixtures/trained-mini with a classifier's head of random weights, the same for all
    peers       rows 1000 to 1019 with the model of cls, on one thread, beside what other tools take

An attack that has not ended after --limit seconds is interrupted, and its best text so far counts. With --evaluations N
each may take so many instead, in as many starts as it likes, which compares attacks on equal terms and does not depend
on the machine. A sentence is exact when every token is, with the labels put back, wherever in the batch it stands.
"Claimed" are batches that the program calls recovered; a wrong claim is one that is not exact. Seconds are the attack's
own, and those of the whole process. Cases are made once, in --cases, by ../shared/tools/hf_case.py.
"""
import json
import pathlib
import sys
import typing

import common

NAME, TITLE = "attacks", "Attacks on batches of CoLA, told nothing"

ROWS, N_CLASSES = "data/cola/in_domain_train.tsv", 6
REPORT = None  # measured, and nothing is wanted


class Wanted(typing.NamedTuple):
    exact: int                      # percent of the sentences
    seconds: float | None = None    # median of the batches


class Set(typing.NamedTuple):
    model: str
    task: str
    first: int
    last: int
    least: int                      # tokens
    most: int                       # sentences
    wanted: dict                    # (attack, batch): Wanted or REPORT; what is measured where no options choose
    n_threads: int | None = None    # None: --threads
    needs_head: bool = False


MLM = {("auto", 1): Wanted(99), ("auto", 2): Wanted(97), ("auto", 4): Wanted(90)}
CLS = {("auto", 1): Wanted(99), ("auto", 2): Wanted(95), ("auto", 4): Wanted(85)}
PEERS = {("auto", 1): Wanted(100, 0.2), ("auto", 2): Wanted(95, 2), ("auto", 4): Wanted(85, 10),
         ("dlg", 1): Wanted(95, 2)}
SETS = {
    "mlm": Set("fixtures/trained-model", "mlm", 200, 299, 5, 100, MLM | {("auto", 8): REPORT}),
    "cls": Set("fixtures/trained-cls/model", "cls", 200, 299, 5, 100, CLS | {("auto", 8): REPORT}),
    "mlm-mini": Set("fixtures/trained-mini", "mlm", 200, 299, 5, 25, MLM),
    "cls-mini": Set("fixtures/trained-mini", "cls", 200, 299, 5, 25, CLS, needs_head=True),
    "peers": Set("fixtures/trained-cls/model", "cls", 1000, 1019, 0, 20, PEERS, n_threads=1),
}


def options(parser):
    parser.add_argument("--cases", type=pathlib.Path,
                        help="where the cases are or will be (default: BUILD/bench/cases)")
    parser.add_argument("--attack", action="append", dest="attacks",
                        help="repeatable (default: auto, and dlg on single peers)")
    parser.add_argument("--set", action="append", choices=list(SETS), dest="sets", help="repeatable (default: all)")
    parser.add_argument("--batch", type=int, action="append", dest="batches",
                        help="repeatable (default: 1 2 4, of mlm and cls 8 too)")
    parser.add_argument("--sentences", type=int, help="only the first N of each set")
    parser.add_argument("--evaluations", type=int,
                        help="an attack may take, however long that lasts; then --limit is not looked at")
    parser.add_argument("--update", choices=["batch", "sentence"], default="batch",
                        help="see dlg-text --help (default batch)")
    common.add_factor_option(parser)
    parser.add_argument("--limit", type=int, default=60, help="seconds an attack may take (default 60)")


def chosen(bench, name):
    """(attack, batch) of a set: those that its table wants, or what --attack and --batch say."""
    wanted = list(SETS[name].wanted)
    attacks, batches = bench.options.attacks, bench.options.batches
    if attacks:
        return [(attack, batch) for attack in attacks
                for batch in batches or dict.fromkeys(batch for _, batch in wanted)]
    known = [(attack, batch) for attack, batch in wanted if not batches or batch in batches]
    return known + [("auto", batch) for batch in batches or [] if ("auto", batch) not in known]


def cases_of(bench, name, batch, n_sentences=None):
    of, folder = SETS[name], common.cases_folder(bench) / "attacks"
    most = min(of.most, n_sentences or of.most)
    out = folder / f"{name}-{batch}"
    order = {"out": str(out), "model": str(bench.from_shared(of.model)), "rows": str(bench.from_shared(ROWS)),
             "task": of.task, "first": of.first, "last": of.last, "least": of.least, "batch": batch,
             "classes": N_CLASSES, "count": most // batch}
    common.make_cases(bench, [order | ({"head": str(folder / f"{name}-model")} if of.needs_head else {})])
    return sorted(out.iterdir())[:most // batch]


def attack(bench, name, attack_name, case):
    budget, n_threads = bench.options.evaluations, SETS[name].n_threads or bench.threads
    more = [f"--evaluations={budget}", "--starts=1000000"] if budget else []
    more += [f"--descend={bench.options.update}"] if bench.options.update != "batch" else []
    gradient = common.with_factor(bench, case / "case.g", case / "case.truth.json")
    arguments = [gradient, f"--model={case / 'model'}", f"--truth={case / 'case.truth.json'}",
                 f"--attack={attack_name}", *more]
    result, checks, process_s, _ = bench.attack_within(None if budget else bench.options.limit, *arguments,
                                                       n_threads=n_threads)
    truth = json.loads((case / "case.truth.json").read_text(encoding="utf-8"))
    metrics, batch = result.get("metrics"), len(truth["text"])
    shown = attack_name if bench.options.update == "batch" else f"{attack_name}, sentence by sentence"
    return bench.record(set=name, attack=shown, factor=bench.options.factor, batch=batch, case=case.name,
                        exact=metrics["exact_sentences"] if metrics else 0,
                        labels=metrics["label_accuracy"] if metrics else 0,
                        rouge1=metrics["rouge"]["rouge1"]["f1"] if metrics else 0,
                        rouge2=metrics["rouge"]["rouge2"]["f1"] if metrics else 0, claims=result["recovered"],
                        end=result["end"], seconds=result.get("seconds", process_s), process_seconds=process_s,
                        evaluations=result.get("evaluations", 0), n_threads=n_threads, limit=bench.options.limit,
                        budget=budget, checks=checks, text=result.get("text"), truth=truth["text"])


def measure(bench):
    for name in bench.options.sets or SETS:
        for attack_name, batch in chosen(bench, name):
            records = []
            for case in cases_of(bench, name, batch, bench.options.sentences):
                r = attack(bench, name, attack_name, case)
                records.append(r)
                if r["exact"] < batch:
                    bench.say(f"{name}, batch {batch}, {attack_name}, {r['case']}: {r['exact']} of {batch} exact, "
                              f"{r['end']} after {r['seconds']:.1f} s; {'; '.join(r['checks'])}")
            bench.say(f"{name}, batch {batch}, {attack_name}: {sum(r['exact'] for r in records)} of "
                      f"{batch * len(records)} sentences exact")


def in_words(wanted):
    if not wanted:
        return ""
    return f"{wanted.exact} %" + (f" in {wanted.seconds} s" if wanted.seconds else "")


def section(records):
    rows = []
    for key in dict.fromkeys((r["set"], r["batch"], r["attack"]) for r in records):
        name, batch, attack_name = key
        part = [r for r in records if (r["set"], r["batch"], r["attack"]) == key]
        n, exact = batch * len(part), sum(r["exact"] for r in part)
        factor = common.factor_in_words(part[0].get("factor"))
        rows.append([f"{name}, batch {batch}, {attack_name}{factor}", f"{exact} of {n}", f"{100 * exact / n:.0f} %",
                     in_words(SETS[name].wanted.get((attack_name, batch))),
                     f"{100 * sum(r['rouge1'] for r in part) / len(part):.0f} / "
                     f"{100 * sum(r['rouge2'] for r in part) / len(part):.0f}",
                     f"{100 * sum(r['labels'] for r in part) / len(part):.0f} %", sum(r["claims"] for r in part),
                     sum(r["claims"] and r["exact"] < batch for r in part),
                     common.spread([r["seconds"] for r in part], "{:.2f}"),
                     common.spread([r["process_seconds"] for r in part], "{:.2f}"), part[0]["n_threads"],
                     f"{part[0]['budget']} evaluations" if part[0].get("budget") else f"{part[0]['limit']} s"])
    head = ["", "sentences exact", "", "wanted", "ROUGE-1 / -2", "labels", "batches claimed", "wrongly",
            "seconds: median (most)", "whole process", "threads", "allowed"]
    return common.table(head, rows)


if __name__ == "__main__":
    common.main(sys.modules[__name__])
