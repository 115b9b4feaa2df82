#!/usr/bin/env python3
"""Seconds for one evaluation, the distance between gradients and its derivative by the embeddings: PyTorch's over ours.

PyTorch's side is ../shared/tools/peer_time.py (transformers' model, create_graph=True), ours bench_evaluate, which
calls the attack's objective and nothing else. Both have labels and masked positions given, the same case, the real
vocabulary, the same number of threads. Three kinds of cases: 26 tokens, 128 tokens, and 26 tokens with a dense target,
the same gradient with Gaussian noise of 1e-4.

They run in turn, one process after the other, --rounds times; each process gives the median of its evaluations, and of
those the median over the rounds counts. PyTorch's threads can wait for each other as they come and as briefly as ours
do (GOMP_SPINCOUNT; on a busy machine that makes it many times as fast): the first round tries both, the faster way is
kept. Peak memory is that of the process, model and gradient included.

"Bare products" are those that the sweeps of one evaluation do with the model's weights, run alone, in turn with the
evaluations. The column "in an attack" has decoding, labels and the optimiser's own work in it: seconds over evaluations
of a run of attack dlg that is cut off after three iterations. "Start-up" is what one that is cut off after the first
iteration takes besides its evaluations.

Cases are made once in --cases (4 GB).
"""
import json
import pathlib
import subprocess
import sys

import common

NAME, TITLE = "peer", "One evaluation, PyTorch over ours"

TEXT = ("The public library stays open until nine on the first Monday of every month, and children may borrow up to "
        "ten books.")
LONG_TEXT = (
    "It was a cold morning in the valley, and the farmers were already at work in the fields below the stone bridge. "
    "The mill had been standing there for two hundred years; nobody remembered who had built it, although the baker "
    "liked to say that his great grandfather had carried the first stones up from the river on his back. Every spring "
    "the water rose until it touched the lowest window, and every spring the miller moved his sacks of grain to the "
    "upper floor and waited. This year the rain had come late, the river was low, and the wheel turned so slowly that "
    "the children could count its blades while they ate their bread."
)
NOISE = 1e-4
WAITS = {"as it comes": {}, "brief": {"GOMP_SPINCOUNT": "1000"}}
SIZES = {"tiny": "128 × 2", "mini": "256 × 4", "small": "512 × 4", "base": "768 × 12"}

# kind: (title, beginning of the cases' names, what the ratio shall be on two threads)
KINDS = {
    "short": ("26 tokens", "peer", {"tiny": 8, "mini": 6.5, "small": 5, "base": 5}),
    "long": ("128 tokens", "long", {"tiny": 5, "mini": 5, "small": 4, "base": 3}),
    "dense": ("26 tokens, dense target", "dense", {"tiny": 5, "mini": 4.5, "small": 3.5, "base": 3.5}),
}
# Of short cases on two threads: an evaluation over its bare products, and the peak memory in MiB, at most.
WANTED_OVER_BARE = {"tiny": 2, "mini": 1.5, "small": 1.3, "base": 1.25}
WANTED_MIB = {"base": 1434}


def options(parser):
    parser.add_argument("--cases", type=pathlib.Path,
                        help="where the cases are or will be (default: BUILD/bench/cases)")
    parser.add_argument("--size", action="append", choices=list(SIZES), dest="sizes", help="repeatable (default: all)")
    parser.add_argument("--kind", action="append", choices=list(KINDS), dest="kinds", help="repeatable (default: all)")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each side (default 3)")
    parser.add_argument("--evaluations", type=int, default=10, help="in each process (default 10)")
    parser.add_argument("--thread-counts", type=int, nargs="+", default=[1, 2],
                        help="of the short cases (default 1 2); others: --threads")


def case_of(bench, kind, size):
    return common.cases_folder(bench) / f"{KINDS[kind][1]}-{size}"


def make(bench, kinds, sizes):
    """Have those cases made that are not there."""
    orders = []
    for size in sizes:
        short, long, dense = (case_of(bench, kind, size) for kind in KINDS)
        if "short" in kinds or "dense" in kinds:
            orders.append({"out": str(short), "model": size, "text": TEXT, "seed": 0})
        if "dense" in kinds:
            orders.append({"out": str(dense), "noisy": str(short), "deviation": NOISE})
        if "long" in kinds:
            orders.append({"out": str(long), "model": size, "text": LONG_TEXT, "seed": 0})
    common.make_cases(bench, orders)


def median_of(runs, key):
    return common.median([run[key] for run in runs])


def run_peer(bench, case, n_threads, wait):
    tool = bench.from_shared("tools/peer_time.py")
    command = [bench.python, tool, case, "--evaluations", bench.options.evaluations, "--threads", n_threads]
    return common.last_json(common.run(command, **WAITS[wait]))


def run_ours(bench, files, n_threads):
    return common.last_json(common.run([bench.program("bench_evaluate"), *files, bench.options.evaluations, n_threads]))


def cut_off(bench, files, n_threads, iterations):
    """An attack that ends after so many iterations: its result, and the seconds of the whole process."""
    _, result, process_s = bench.attack_raw(files[1], f"--model={files[0]}", "--attack=dlg", "--starts=1",
                                            f"--iterations={iterations}", f"--threads={n_threads}")
    return result, process_s


def startup(bench, files, n_threads):
    """(evaluations, seconds with them)"""
    result, process_s = cut_off(bench, files, n_threads, 1)
    return result["evaluations"], process_s


def measure_case(bench, kind, size, n_threads):
    case = case_of(bench, kind, size)
    files = [case / "model", case / "case.g", case / "case.truth.json"]
    tried = {wait: run_peer(bench, case, n_threads, wait) for wait in WAITS}
    wait = min(tried, key=lambda name: tried[name]["seconds_per_evaluation"])
    theirs, ours, startups = [tried[wait]], [run_ours(bench, files, n_threads)], [startup(bench, files, n_threads)]
    for _ in range(bench.options.rounds - 1):
        theirs.append(run_peer(bench, case, n_threads, wait))
        ours.append(run_ours(bench, files, n_threads))
        startups.append(startup(bench, files, n_threads))
    attack, _ = cut_off(bench, files, n_threads, 3)
    peer_s, ours_s = median_of(theirs, "seconds_per_evaluation"), median_of(ours, "seconds_per_evaluation")
    startup_s = common.median([seconds - evaluations * ours_s for evaluations, seconds in startups])
    r = bench.record(kind=kind, size=size, n_threads=n_threads, tokens=ours[0]["tokens"], masked=ours[0]["masked"],
                     torch=theirs[0]["torch"], rounds=bench.options.rounds, peer_seconds=peer_s, ours_seconds=ours_s,
                     ratio=peer_s / ours_s, bare_seconds=median_of(ours, "bare_seconds"),
                     over_bare=median_of(ours, "over_bare"), attack_seconds=attack["seconds_per_evaluation"],
                     startup_seconds=startup_s, peer_mib=median_of(theirs, "peak_mib"),
                     ours_mib=median_of(ours, "peak_mib"), peer_waits=wait,
                     peer_tried={name: run["seconds_per_evaluation"] for name, run in tried.items()},
                     peer_runs=[run["seconds_per_evaluation"] for run in theirs],
                     ours_runs=[run["seconds_per_evaluation"] for run in ours])
    bench.say(f"{size}, {KINDS[kind][0]}, {n_threads} thread(s): PyTorch {1e3 * peer_s:.1f} ms, ours "
              f"{1e3 * ours_s:.2f} ms, ratio {r['ratio']:.1f}; {r['over_bare']:.2f} times its products")


def measure(bench):
    kinds = bench.options.kinds or list(KINDS)
    sizes = bench.options.sizes or list(SIZES)
    bench.from_shared("tools/peer_time.py")
    bench.torch()
    make(bench, kinds, sizes)
    for kind in kinds:
        for size in sizes:
            for n_threads in bench.options.thread_counts if kind == "short" else [bench.threads]:
                measure_case(bench, kind, size, n_threads)


def section(records):
    parts = []
    for kind, (title, _, wanted) in KINDS.items():
        rows = []
        for r in (r for r in records if r["kind"] == kind):
            size, is_judged = r["size"], r["n_threads"] == 2
            at_most = lambda limits: f" (≤ {limits[size]})" if is_judged and kind == "short" and size in limits else ""
            rows.append([f"{size} ({SIZES[size]})", r["n_threads"], f"{1e3 * r['peer_seconds']:.1f}",
                         f"{1e3 * r['ours_seconds']:.2f}",
                         f"{r['ratio']:.1f}" + (f" (≥ {wanted[size]})" if is_judged else ""),
                         f"{1e3 * r['bare_seconds']:.2f}", f"{r['over_bare']:.2f}{at_most(WANTED_OVER_BARE)}",
                         f"{1e3 * r['attack_seconds']:.2f}", f"{r['startup_seconds']:.2f}", f"{r['peer_mib']:.0f}",
                         f"{r['ours_mib']:.0f}{at_most(WANTED_MIB)}"])
        if rows:
            head = ["", "threads", "PyTorch, ms", "ours, ms", "ratio", "bare products, ms", "ours over bare",
                    "in an attack, ms", "start-up, s", "PyTorch, MiB", "ours, MiB"]
            first = next(r for r in records if r["kind"] == kind)
            parts.append(f"**{title}**, {first['masked']} masked, vocabulary 30,522; torch {first['torch']}; median of "
                         f"{first['rounds']} runs of each, in turn. In brackets what "
                         f"is wanted.\n\n{common.table(head, rows)}")
    return "\n\n".join(parts)


if __name__ == "__main__":
    common.main(sys.modules[__name__])
