#!/usr/bin/env python3
"""Seconds until a sentence is there, PyTorch's over ours, side by side on the same cases.

PyTorch's side is ../shared/tools/peer_time.py --recover 30: L-BFGS as in the DLG paper, told the labels and the masked
positions, until every token is right. Its seconds are those of the iterations alone, without loading anything. Ours is
dlg-text, told nothing, as it comes and with --attack dlg, which searches as PyTorch does: the seconds of the whole
process. Its threads wait as in peer.py, in the way that is faster for three evaluations. Where PyTorch is not exact
after 30 iterations its seconds, and so the ratio, are the least that they could be.

Cases are those of recover_transformers.py, seed 0, and of tiny alike; base only where --size asks for it (PyTorch takes
minutes for each).
"""
import itertools
import pathlib
import sys

import common
import peer

NAME, TITLE = "recovery", "One recovery, PyTorch over ours"

ITERATIONS = 30
DEFAULT = ["tiny", "mini", "small"]
WANTED = {"mini": 8, "small": 8}


def options(parser):
    parser.add_argument("--cases", type=pathlib.Path,
                        help="where the cases are or will be (default: BUILD/bench/cases)")
    parser.add_argument("--size", action="append", choices=list(peer.SIZES), dest="sizes",
                        help="repeatable (default: all but base)")
    parser.add_argument("--count", type=int, default=len(common.PAPER), help="sentences (default 3)")


def make(bench, sizes):
    folder = common.cases_folder(bench)
    cases = {size: [folder / f"{size}-0-{number}" for number in range(bench.options.count)] for size in sizes}
    common.make_cases(bench, [{"out": str(case), "model": size, "text": text, "seed": 0}
                              for size in sizes for case, text in zip(cases[size], common.PAPER)])
    return cases


def faster_wait(bench, case):
    """How PyTorch's threads shall wait."""
    command = [bench.python, bench.from_shared("tools/peer_time.py"), case, "--evaluations", 3, "--threads",
               bench.threads]
    seconds = {wait: common.last_json(common.run(command, **peer.WAITS[wait]))["seconds_per_evaluation"]
               for wait in peer.WAITS}
    return min(seconds, key=seconds.get)


def measure(bench):
    tool = bench.from_shared("tools/peer_time.py")
    bench.torch()
    cases = make(bench, [size for size in peer.SIZES if size in (bench.options.sizes or DEFAULT)])
    for size, of_size in cases.items():
        wait = faster_wait(bench, of_size[0])
        for case in of_size:
            command = [bench.python, tool, case, "--recover", ITERATIONS, "--threads", bench.threads]
            theirs = common.last_json(common.run(command, **peer.WAITS[wait]))
            for attack in common.ATTACKS:
                r = bench.attack(case.name, case / "case.g", case / "case.truth.json", f"--model={case / 'model'}",
                                 f"--attack={attack}", size=size, peer_seconds=theirs["seconds"],
                                 peer_iterations=theirs["iterations"], peer_tokens=theirs["tokens_right"],
                                 peer_waits=wait, torch=theirs["torch"])
                bench.say(f"{case.name}: PyTorch {theirs['seconds']:.1f} s, {theirs['iterations']} iterations, "
                          f"{100 * theirs['tokens_right']:.0f} % of tokens; {attack} {r['process_seconds']:.2f} s, "
                          f"{r['iterations']} iterations, {'exact' if r['exact'] else 'NOT EXACT'}")


def ratio_of(part):
    least = any(r["peer_tokens"] < 1 for r in part)
    ratio = common.median([r["peer_seconds"] / r["process_seconds"] for r in part])
    return ("at least " if least else "") + f"{ratio:.1f}"


def section(records):
    rows = []
    for size, attack in itertools.product(peer.SIZES, common.ATTACKS):
        part = [r for r in records if r["size"] == size and r["attack"] == attack]
        if part:
            n = len(part)
            rows.append([f"{size} ({peer.SIZES[size]}), {attack}", f"{sum(r['peer_tokens'] == 1 for r in part)} of {n}",
                         common.spread([r["peer_iterations"] for r in part]),
                         common.spread([r["peer_seconds"] for r in part], "{:.1f}"),
                         f"{sum(r['exact'] for r in part)} of {n}", common.spread([r["iterations"] for r in part]),
                         common.spread([r["process_seconds"] for r in part], "{:.1f}"), ratio_of(part),
                         WANTED.get(size, "")])
    head = ["", "PyTorch: exact", "iterations: median (most)", "seconds", "ours: exact", "iterations", "seconds",
            "ratio: median", "wanted"]
    return (f"PyTorch {records[0]['torch']} is told labels and masked positions and may take {ITERATIONS} iterations; "
            f"dlg-text is told nothing, and its seconds are the "
            f"whole process's.\n\n{common.table(head, rows)}\n\n{common.missed(records)}")


if __name__ == "__main__":
    common.main(sys.modules[__name__])
