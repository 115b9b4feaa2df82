#!/usr/bin/env python3
"""Seconds for one evaluation, the distance between gradients and its derivative by the embeddings: PyTorch's over ours.

PyTorch's side is ../shared/tools/peer_time.py (transformers' model, create_graph=True), ours bench_evaluate, which calls the attack's
objective and nothing else. Both have labels and masked positions given, the same case, 26 tokens of the real vocabulary, the same number
of threads. They run in turn, one process after the other, --rounds times; each process gives the median of its evaluations, and of those
the median over the rounds counts. PyTorch runs twice in each round, as it comes and with its threads waiting as briefly as ours do
(GOMP_SPINCOUNT; on a busy machine that makes it many times as fast); the faster way counts. Peak memory is that of the process, model and
gradient included.

The column "in an attack" has decoding, labels and the optimiser's own work in it: seconds over evaluations of a dlg-text run that is cut
off after three iterations.

Cases are made once in --cases (2 GB). Wanted: at least 1.5 everywhere.
"""
import json
import pathlib
import subprocess
import sys

import common

NAME, TITLE = "peer", "One evaluation, PyTorch over ours"

TEXT = "The public library stays open until nine on the first Monday of every month, and children may borrow up to ten books."
WAITS = {"as it comes": {}, "brief": {"GOMP_SPINCOUNT": "1000"}}
SIZES = {"tiny": "128 × 2", "mini": "256 × 4", "small": "512 × 4", "base": "768 × 12"}
WANTED = 1.5


def options(parser):
    parser.add_argument("--cases", type=pathlib.Path, help="where the cases are or will be (default: BUILD/bench/cases)")
    parser.add_argument("--size", action="append", choices=list(SIZES), dest="sizes", help="repeatable (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="processes of each side (default 5)")
    parser.add_argument("--evaluations", type=int, default=10, help="in each process (default 10)")
    parser.add_argument("--thread-counts", type=int, nargs="+", default=[1, 2], help="(default 1 2)")


def make(bench, sizes):
    folder = (bench.options.cases or bench.build / "bench" / "cases").resolve()
    cases = {size: folder / f"peer-{size}" for size in sizes}
    if not all((case / "case.truth.json").exists() for case in cases.values()):
        orders = [{"out": str(case), "model": size, "text": TEXT, "seed": 0} for size, case in cases.items()]
        tool = bench.from_shared("tools/hf_case.py")
        subprocess.run([bench.torch(), common.HERE / "hf_cases.py", tool], input=json.dumps(orders), text=True, check=True)
    return cases


def median_of(runs, key):
    return common.median([run[key] for run in runs])


def measure_size(bench, peer, size, case, n_threads):
    n, theirs, ours = bench.options.evaluations, {wait: [] for wait in WAITS}, []
    files = [case / "model", case / "case.g", case / "case.truth.json"]
    for _ in range(bench.options.rounds):
        for wait, variables in WAITS.items():
            command = [bench.python, peer, case, "--evaluations", n, "--threads", n_threads]
            theirs[wait].append(common.last_json(common.run(command, **variables)))
        ours.append(common.last_json(common.run([bench.program("bench_evaluate"), *files, n, n_threads])))
    attack = common.last_json(common.run([bench.program("dlg-text"), "--grads", files[1], "--model", files[0], "--json", "-q", "--starts=1",
                                          "--iterations=3", f"--threads={n_threads}"]))
    wait = min(WAITS, key=lambda name: median_of(theirs[name], "seconds_per_evaluation"))
    peer_s, ours_s = median_of(theirs[wait], "seconds_per_evaluation"), median_of(ours, "seconds_per_evaluation")
    r = bench.record(size=size, n_threads=n_threads, tokens=ours[0]["tokens"], masked=ours[0]["masked"], torch=theirs[wait][0]["torch"],
                     peer_seconds=peer_s, ours_seconds=ours_s, ratio=peer_s / ours_s, attack_seconds=attack["seconds_per_evaluation"],
                     peer_mib=median_of(theirs[wait], "peak_mib"), ours_mib=median_of(ours, "peak_mib"), rounds=bench.options.rounds,
                     peer_waits=wait, peer_runs={w: [t["seconds_per_evaluation"] for t in theirs[w]] for w in WAITS},
                     ours_runs=[o["seconds_per_evaluation"] for o in ours])
    bench.say(f"{size}, {n_threads} thread(s): PyTorch {1e3 * peer_s:.1f} ms, ours {1e3 * ours_s:.2f} ms, ratio {r['ratio']:.1f}")


def measure(bench):
    sizes = [size for size in SIZES if not bench.options.sizes or size in bench.options.sizes]
    peer = bench.from_shared("tools/peer_time.py")
    bench.torch()
    cases = make(bench, sizes)
    for size in sizes:
        for n_threads in bench.options.thread_counts:
            measure_size(bench, peer, size, cases[size], n_threads)


def section(records):
    rows = [[f"{r['size']} ({SIZES[r['size']]})", r["n_threads"], f"{1e3 * r['peer_seconds']:.1f}", f"{1e3 * r['ours_seconds']:.2f}",
             f"{r['ratio']:.1f}", f"{1e3 * r['attack_seconds']:.2f}", f"{r['peer_mib']:.0f}", f"{r['ours_mib']:.0f}"] for r in records]
    head = ["", "threads", "PyTorch, ms", "ours, ms", "ratio", "in an attack, ms", "PyTorch, MiB", "ours, MiB"]
    first = records[0]
    return (f"{first['tokens']} tokens, {first['masked']} masked, vocabulary 30,522; torch {first['torch']}; median of {first['rounds']} "
            f"runs of each, in turn.\n\n{common.table(head, rows)}\n\nWanted: a ratio of at least {WANTED} everywhere; the least is "
            f"{min(r['ratio'] for r in records):.1f}.")


if __name__ == "__main__":
    common.main(sys.modules[__name__])
