#!/usr/bin/env python3
"""Classification, batch of one: is the class label read exactly from the gradient (iDLG), and does the sentence of trained-cls come back?

100 preset models, each with a seed of its own: tiny and mini in turn, of 2, 5 and 100 classes, the label going round. The label is inferred
before the attack begins, so that is cut short; on fixtures/trained-cls it runs to its end.
"""
import json
import sys

import common

NAME, TITLE = "labels", "Class labels, read from the gradient"

PRESETS, CLASSES = ("tiny", "mini"), (2, 5, 100)


def options(parser):
    parser.add_argument("--models", type=int, default=100, help="preset models (default 100)")


def measure_preset(bench, seed):
    n_classes = CLASSES[seed % len(CLASSES)]
    preset, label = PRESETS[seed % len(PRESETS)], 7 * seed % n_classes
    gradient = bench.scratch / "case.g"
    truth = bench.share(gradient, f"--preset={preset}", "--task=cls", f"--num-labels={n_classes}", f"--label={label}",
                        f"--model-seed={seed}", f"--text={common.PAPER[seed // 6 % len(common.PAPER)]}")
    if json.loads(truth.read_text(encoding="utf-8"))["labels"] != [label]:
        sys.exit(f"{truth}: want label {label}")
    start, _, _ = bench.attack_raw(gradient, "--attack=dlg", "--iterations=1", "--starts=1")
    read = start["inferred"]["labels"]
    r = bench.record(kind="preset", case=f"{preset}, seed {seed}, {n_classes} classes", n_classes=n_classes, label=label, read=read,
                     right=read == [label], knowledge=start["knowledge"])
    return r["right"]


def measure(bench):
    n_right = 0
    for seed in range(bench.options.models):
        n_right += measure_preset(bench, seed)
        if (seed + 1) % 10 == 0 or seed + 1 == bench.options.models:
            bench.say(f"labels read from preset models: {n_right} of {seed + 1}")
    folder = bench.from_shared("fixtures/trained-cls")
    r = bench.attack("trained-cls", folder / "case.g", folder / "case.truth.json", f"--model={folder / 'model'}", kind="trained")
    bench.say(f"trained-cls: label {'read' if r['labels_right'] else 'NOT READ'}, sentence {'exact' if r['exact'] else 'NOT EXACT'}, "
              f"{r['iterations']} iterations, {r['seconds']:.1f} s")


def section(records):
    presets, trained = ([r for r in records if r["kind"] == kind] for kind in ("preset", "trained"))
    parts = [(f"presets tiny and mini, {n} classes", [r for r in presets if r["n_classes"] == n]) for n in CLASSES]
    rows = [[name, f"{sum(r['right'] for r in part)} of {len(part)}", ""] for name, part in parts + [("all presets", presets)]]
    rows += [["trained-cls", f"{int(r['labels_right'])} of 1", f"{'exact' if r['exact'] else 'not exact'}: {r['iterations']} iterations, "
              f"{r['evaluations']} evaluations, {r['seconds']:.1f} s"] for r in trained]
    wrong = [f"- {r['case']}: want {r['label']}, read {r['read']}" for r in presets if not r["right"]]
    return "\n".join([common.table(["", "label exact", "sentence"], rows), "", *wrong, common.missed(trained)])


if __name__ == "__main__":
    common.main(sys.modules[__name__])
