#!/usr/bin/env python3
"""What is read off a gradient without an attack (dlg-text --inspect), and whether it is right.

    preset      the class of one sentence (iDLG): 100 preset models, each with a seed of its own, tiny and mini in turn,
                of 2, 5 and 100 classes, the label going round
    trained     trained-cls with its sentence, attacked to the end
    classes     the classes of batches of one, two, four and eight sentences: the cases of attacks.py
    counts      how often each token is a label: 32 and 64 masked positions in passages of a book with at least five
                labels that come again, random and trained weights
    base        seconds of --inspect on gradients of 768 x 12: the cases of peer.py

Of what was read "certain" are those that the program calls so.
"""
import json
import pathlib
import re
import sys

import attacks
import common
import peer

NAME, TITLE = "labels", "What is read off without an attack"

PRESETS, CLASSES = ("tiny", "mini"), (2, 5, 100)
BATCHES = (1, 2, 4, 8)
BOOK = "data/text/1342.txt"
N_MASKED, N_REPEATED, MASK_RATE, N_PASSAGES = (32, 64), 5, 0.25, 5
MODELS = {"preset mini (256 × 4), random weights": None, "trained-model (128 × 2)": "fixtures/trained-model",
          "trained-mini (256 × 4)": "fixtures/trained-mini"}


def options(parser):
    parser.add_argument("--models", type=int, default=100, help="preset models (default 100)")
    parser.add_argument("--cases", type=pathlib.Path,
                        help="where transformers' cases are or will be (default: BUILD/bench/cases)")


def inspect(bench, gradient, *arguments):
    return common.last_json(common.run([bench.program("dlg-text"), "--inspect", f"--grads={gradient}", "--json",
                                        f"--threads={bench.threads}", *arguments]))


def measure_preset(bench, seed):
    n_classes = CLASSES[seed % len(CLASSES)]
    preset, label = PRESETS[seed % len(PRESETS)], 7 * seed % n_classes
    gradient = bench.scratch / "case.g"
    truth = bench.share(gradient, f"--preset={preset}", "--task=cls", f"--num-labels={n_classes}", f"--label={label}",
                        f"--model-seed={seed}", f"--text={common.PAPER[seed // 6 % len(common.PAPER)]}")
    if json.loads(truth.read_text(encoding="utf-8"))["labels"] != [label]:
        sys.exit(f"{truth}: want label {label}")
    found = inspect(bench, gradient)
    r = bench.record(kind="preset", case=f"{preset}, seed {seed}, {n_classes} classes", n_classes=n_classes,
                     label=label, read=found["labels"]["value"], right=found["labels"]["value"] == [label],
                     sure=found["labels"]["sure"])
    return r["right"]


def record_labels(bench, kind, case, group, gradient, *arguments):
    """What --inspect says of the labels, beside the truth next to the gradient."""
    truth = json.loads(gradient.with_suffix(".truth.json").read_text(encoding="utf-8"))
    rows = truth["labels"] if truth["task"] == "mlm" else [truth["labels"]]
    labels = sorted(label for row in rows for label in row if label != -100)
    found = inspect(bench, gradient, *arguments)
    read = found["labels"]["value"]
    return bench.record(kind=kind, case=case, group=group, right=read is not None and sorted(read) == labels,
                        sure=found["labels"]["sure"], n_labels=len(labels), n_different=len(set(labels)),
                        n_repeated=sum(labels.count(label) > 1 for label in set(labels)), batch=found["batch_size"],
                        seconds=found["seconds"])


def tell(bench, what, records):
    bench.say(f"{what}: {sum(r['right'] for r in records)} of {len(records)} right, "
              f"{sum(r['sure'] == 'certain' for r in records)} of them certain")


def measure_classes(bench):
    for name, what in (("cls", "trained 128 × 2"), ("cls-mini", "256 × 4")):
        for batch in BATCHES:
            group = f"{what}, batch {batch}"
            cases = attacks.cases_of(bench, name, batch)
            tell(bench, group,
                 [record_labels(bench, "classes", case.name, group, case / "case.g", f"--model={case / 'model'}")
                  for case in cases])


def passages(bench, model, n_masked):
    """Gradients of passages of the book, some words after each other, of which so many are masked that n_masked labels
    come of it."""
    words = re.findall(r"[A-Za-z]+|[.,;]", bench.from_shared(BOOK).read_text(encoding="utf-8"))[2000:]
    arguments = [f"--model={bench.from_shared(model)}"] if model else ["--preset=mini"]
    gradient, file = bench.scratch / "case.g", bench.scratch / "passage.txt"
    n_words, start, n_found = int(n_masked / MASK_RATE * 0.8), 0, 0
    while n_found < N_PASSAGES:
        file.write_text(" ".join(words[start:start + n_words]) + "\n", encoding="utf-8")
        start += n_words
        truth = json.loads(bench.share(gradient, *arguments, f"--file={file}",
                                       "--mask-rate=0").read_text(encoding="utf-8"))
        rate = n_masked / (sum(truth["attention"][0]) - 2)
        truth = json.loads(bench.share(gradient, *arguments, f"--file={file}", f"--mask-rate={rate}",
                                       f"--seed={start}").read_text(encoding="utf-8"))
        labels = [label for label in truth["labels"][0] if label != -100]
        if len(labels) == n_masked and sum(labels.count(label) > 1 for label in set(labels)) >= N_REPEATED:
            n_found += 1
            yield gradient, arguments


def measure_counts(bench):
    for what, model in MODELS.items():
        for n_masked in N_MASKED:
            group = f"{n_masked} masked, {what}"
            tell(bench, group, [record_labels(bench, "counts", f"passage {number}", group, gradient, *arguments)
                                for number, (gradient, arguments) in enumerate(passages(bench, model, n_masked))])


def measure_base(bench):
    peer.make(bench, ["short", "long"], ["base"])
    for kind in ("short", "long"):
        case = peer.case_of(bench, kind, "base")
        r = record_labels(bench, "base", peer.KINDS[kind][0], "base", case / "case.g", f"--model={case / 'model'}")
        bench.say(f"base, {r['case']}: {r['seconds']:.2f} s")


def measure(bench):
    n_right = 0
    for seed in range(bench.options.models):
        n_right += measure_preset(bench, seed)
        if (seed + 1) % 10 == 0 or seed + 1 == bench.options.models:
            bench.say(f"labels read from preset models: {n_right} of {seed + 1}")
    folder = bench.from_shared("fixtures/trained-cls")
    r = bench.attack("trained-cls", folder / "case.g", folder / "case.truth.json", f"--model={folder / 'model'}",
                     kind="trained")
    bench.say(f"trained-cls: label {'read' if r['labels_right'] else 'NOT READ'}, sentence "
              f"{'exact' if r['exact'] else 'NOT EXACT'}, {r['iterations']} iterations, {r['seconds']:.1f} s")
    measure_counts(bench)
    measure_classes(bench)
    measure_base(bench)


def section(records):
    presets, trained = ([r for r in records if r["kind"] == kind] for kind in ("preset", "trained"))
    parts = [(f"class of one sentence, presets tiny and mini, {n} classes", [r for r in presets if r["n_classes"] == n])
             for n in CLASSES]
    read = [r for r in records if r["kind"] in ("counts", "classes")]
    parts += [(f"{'label counts' if part[0]['kind'] == 'counts' else 'classes'}: {group}", part) for group in
              dict.fromkeys(r["group"] for r in read) for part in [[r for r in read if r["group"] == group]]]
    rows = [[name, f"{sum(r['right'] for r in part)} of {len(part)}", sum(r["sure"] == "certain" for r in part),
             sum(r["sure"] == "certain" and not r["right"] for r in part),
             common.spread([r["seconds"] for r in part if "seconds" in r], "{:.2f}")] for name, part in parts if part]
    rows += [[f"trained-cls, attacked; its sentence {'exact' if r['exact'] else 'not exact'}",
              f"{int(r['labels_right'])} of 1", "", "", f"{r['seconds']:.2f}"] for r in trained]
    rows += [[f"labels: 768 × 12, {r['case']}", f"{int(r['right'])} of 1", int(r["sure"] == "certain"),
              int(r["sure"] == "certain" and not r["right"]), f"{r['seconds']:.2f}"]
             for r in records if r["kind"] == "base"]
    wrong = [f"- {r['case']}: want {r['label']}, read {r['read']}" for r in presets if not r["right"]]
    head = ["", "gradients read right", "certain", "of these wrong", "seconds: median (most)"]
    return "\n".join([common.table(head, rows), "", *wrong, common.missed(trained)])


if __name__ == "__main__":
    common.main(sys.modules[__name__])
