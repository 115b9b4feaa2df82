#!/usr/bin/env python3
"""Single sentences of CoLA under defences, told nothing: exact, claimed, seconds.

Sentences are the first rows from 200 on of in_domain_train with at least 5 tokens, [CLS] and [SEP] not counted; each
alone is the batch of a step on fixtures/trained-model, masked LM, 128 x 2, 15 % masked. dlg-grads makes the gradient
and defends it; its metadata, which tell the batch size and the defence, are taken out. `auto` attacks, told neither
labels nor masked positions nor length. One that has not ended after --limit seconds is interrupted, and its best text
so far counts. A sentence is exact when every token is, with the labels put back. "Claimed" are those that the program
calls recovered; a wrong claim is one that is not exact. Seconds are the attack's own.
"""
import itertools
import sys

import common

NAME, TITLE = "blind", "Defences, sentences of CoLA, told nothing"

ROWS, FIRST, LEAST = "data/cola/in_domain_train.tsv", 200, 5
DEFENCES = ("int8", "gaussian:1e-4", "gaussian:1e-3", "prune:0.5")
WANTED = 90  # percent of the sentences, exact, under each


def options(parser):
    parser.add_argument("--defence", action="append", dest="defences",
                        help=f"of dlg-grads; repeatable (default: {' '.join(DEFENCES)})")
    parser.add_argument("--sentences", type=int, default=20, help="how many (default 20)")
    parser.add_argument("--limit", type=int, default=60, help="seconds an attack may take (default 60)")


def attack(bench, model, defence, number, text):
    gradient = bench.scratch / "case.g"
    truth = bench.share(gradient, f"--model={model}", "--task=mlm", f"--seed={number}", f"--defend={defence}",
                        f"--text={text}")
    common.take_metadata_out(gradient)
    result, _, process_s, _ = bench.attack_within(bench.options.limit, gradient, f"--model={model}", f"--truth={truth}",
                                                  "--attack=auto")
    metrics = result.get("metrics")
    return bench.record(defence=defence, case=number, exact=bool(metrics and metrics["exact_sentences"]),
                        token_accuracy=metrics["token_accuracy"] if metrics else 0, claims=result["recovered"],
                        end=result["end"], seconds=result.get("seconds", process_s),
                        evaluations=result.get("evaluations", 0), limit=bench.options.limit, notes=bench.notes(),
                        text=result.get("text", [""])[0], truth=text)


def measure(bench):
    model = bench.from_shared("fixtures/trained-model")
    rows = common.rows_with_length(bench, ROWS, model, FIRST)
    texts = list(itertools.islice((text for text, n_tokens in rows if n_tokens - 2 >= LEAST), bench.options.sentences))
    for defence in bench.options.defences or DEFENCES:
        records = []
        for number, text in enumerate(texts):
            r = attack(bench, model, defence, number, text)
            records.append(r)
            if not r["exact"]:
                bench.say(f"{defence}, {number}: {100 * r['token_accuracy']:.0f} % of tokens, {r['end']} after "
                          f"{r['seconds']:.1f} s; {'; '.join(r['notes'])}")
        bench.say(f"{defence}: {sum(r['exact'] for r in records)} of {len(records)} sentences exact")


def section(records):
    rows = []
    for defence in dict.fromkeys(r["defence"] for r in records):
        part = [r for r in records if r["defence"] == defence]
        n, exact = len(part), sum(r["exact"] for r in part)
        rows.append([defence, f"{exact} of {n}", f"{100 * exact / n:.0f} %",
                     f"{WANTED} %" if defence in DEFENCES else "", sum(r["claims"] for r in part),
                     sum(r["claims"] and not r["exact"] for r in part),
                     common.spread([r["seconds"] for r in part], "{:.2f}")])
    head = ["defence", "sentences exact", "", "wanted", "claimed", "wrongly", "seconds: median (most)"]
    lines = [f"- {r['defence']}, sentence {r['case']}: {100 * r['token_accuracy']:.0f} % of tokens, ended {r['end']}"
             f"{', called recovered' if r['claims'] else ''}; read \"{r['text']}\"" for r in records if not r["exact"]]
    return f"{records[0]['limit']} s allowed a sentence.\n\n{common.table(head, rows)}\n\n" + "\n".join(lines)


if __name__ == "__main__":
    common.main(sys.modules[__name__])
