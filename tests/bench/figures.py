#!/usr/bin/env python3
"""Draws what scaling.py and precision.py measured. Needs matplotlib.

    figures.py RESULTS FOLDER        RESULTS/{scaling,precision}.jsonl to FOLDER/{scaling,precision}.svg,
                                     those that are there

Backgrounds are transparent, and all words and lines are of a grey or colour that can be read on white and on black.
"""
import argparse
import pathlib

import matplotlib
import matplotlib.pyplot as plt

import common

GREY = "#767676"
COLOURS = ("#1f88d1", "#d9730d", "#2a9d5c")
STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "dlg-text", "font.family": "sans-serif", "font.size": 11,
    "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none", "text.color": GREY,
    "axes.labelcolor": GREY, "axes.titlecolor": GREY, "axes.edgecolor": GREY, "xtick.color": GREY, "ytick.color": GREY,
    "grid.color": GREY, "grid.alpha": 0.3, "axes.grid": True, "legend.frameon": False, "legend.labelcolor": GREY,
}


def ticks(axes, values):
    axes.set_xscale("log", base=2)
    axes.set_xticks(values, [str(value) for value in values])
    axes.minorticks_off()


def per_token(r, *left_out):
    share = r["seconds"] / r["profile_seconds"]
    return 1e6 / r["tokens"] * (r["seconds"] - share * sum(r[name] for name in left_out))


def draw_scaling(records):
    figure, (by_length, by_batch, memory) = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
    for axes, of, x in ((by_length, [r for r in records if r["n_sentences"] == 1], "length"),
                        (by_batch, [r for r in records if r["length"] == 16], "n_sentences")):
        of = sorted(of, key=lambda r: r[x])
        for colour, n_threads in zip(COLOURS, sorted({r["n_threads"] for r in of})):
            part = [r for r in of if r["n_threads"] == n_threads]
            name = f"{n_threads} thread{'s' if n_threads > 1 else ''}"
            axes.plot([r[x] for r in part], [per_token(r) for r in part], "o-", color=colour, label=name)
            axes.plot([r[x] for r in part], [per_token(r, "attention_seconds", "target_seconds") for r in part], "--",
                      color=colour, label=f"{name}, without what grows with the square")
        ticks(axes, sorted({r[x] for r in of}))
        axes.set_ylim(bottom=0)
        axes.set_title("µs a token")
    by_length.set_xlabel("tokens in one sentence")
    figure.legend(*by_length.get_legend_handles_labels(), loc="outside lower left", ncols=2, fontsize=9)
    by_batch.set_xlabel("sentences of 16 tokens")
    two = [r for r in records if r["n_threads"] == max(r["n_threads"] for r in records)]
    for colour, name, part in ((COLOURS[2], "one sentence", [r for r in two if r["n_sentences"] == 1]),
                               (GREY, "sentences of 16", [r for r in two if r["length"] == 16])):
        part = sorted(part, key=lambda r: r["tokens"])
        memory.plot([r["tokens"] for r in part], [r["mib"] for r in part], "o-", color=colour, label=name)
    ticks(memory, sorted({r["tokens"] for r in two}))
    memory.set_ylim(bottom=0)
    memory.set_title("peak memory, MiB")
    memory.set_xlabel("tokens together")
    memory.legend(fontsize=9)
    return figure


def draw_precision(records):
    figure, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
    for colour, key, name in ((COLOURS[0], "derivative_error", "derivative"),
                              (COLOURS[1], "distance_error", "distance")):
        for marker, end, part in (("o", "along the descent", [r for r in records if r["iteration"]]),
                                  ("x", "on the straight line to the solution",
                                   [r for r in records if not r["iteration"]])):
            axes.plot([r["relative_distance"] for r in part], [r[key] for r in part], marker, color=colour,
                      markersize=5, label=f"{name}, {end}")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.invert_xaxis()
    axes.set_xlabel("relative distance of the gradients, |g − g*| / |g*|")
    axes.set_title("relative error of the float build against the double build")
    axes.legend(fontsize=9)
    return figure


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("results", type=pathlib.Path)
    p.add_argument("folder", type=pathlib.Path)
    options = p.parse_args()
    matplotlib.use("svg")
    plt.rcParams.update(STYLE)
    for name, draw in (("scaling", draw_scaling), ("precision", draw_precision)):
        path = options.results / f"{name}.jsonl"
        records = common.read(path)[1] if path.exists() else []
        if records:
            options.folder.mkdir(parents=True, exist_ok=True)
            draw(records).savefig(options.folder / f"{name}.svg", metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()
