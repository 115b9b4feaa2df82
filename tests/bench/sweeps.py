#!/usr/bin/env python3
"""Where the time of an evaluation goes, by operator and sweep: bench_profile on peer.py's short cases of mini and base.

To look closer, into functions and instructions (virtual machines have no hardware counters, so it samples by the
clock):

    perf record -e cpu-clock -g build/bin/bench_evaluate CASE/model CASE/case.g CASE/case.truth.json 100 1
    perf report --no-children --sort symbol
"""
import pathlib
import sys

import common
import peer

NAME, TITLE = "sweeps", "Where the time of an evaluation goes"

SWEEPS = {"forward": "forward", "backward": "backward", "gradient": "gradient", "rstart": "R-start",
          "rforward": "R-forward", "rbackward": "R-backward"}


def options(parser):
    parser.add_argument("--cases", type=pathlib.Path,
                        help="where the cases are or will be (default: BUILD/bench/cases)")
    parser.add_argument("--size", action="append", choices=list(peer.SIZES), dest="sizes",
                        help="repeatable (default: mini and base)")
    parser.add_argument("--kind", default="short", choices=list(peer.KINDS), help="of case (default short)")
    parser.add_argument("--evaluations", type=int, default=30, help="(default 30)")


def measure(bench):
    sizes, kind = bench.options.sizes or ["mini", "base"], bench.options.kind
    peer.make(bench, [kind], sizes)
    for size in sizes:
        case = peer.case_of(bench, kind, size)
        profile = common.last_json(common.run([bench.program("bench_profile"), case / "model", case / "case.g",
                                               case / "case.truth.json", bench.options.evaluations, bench.threads]))
        bench.record(size=size, **profile)
        bench.say(f"{size}: {1e3 * profile['seconds_per_evaluation']:.2f} ms")


def section(records):
    parts = []
    for r in records:
        whole = r["seconds_per_evaluation"]
        rows = [[part["operator"], *(f"{1e3 * part[sweep]:.2f}" for sweep in SWEEPS),
                 f"{1e3 * sum(part[s] for s in SWEEPS):.2f}", f"{100 * sum(part[s] for s in SWEEPS) / whole:.1f} %"]
                for part in r["parts"]]
        rows.append(["between the sweeps", *[""] * len(SWEEPS), f"{1e3 * r['between_sweeps']:.2f}",
                     f"{100 * r['between_sweeps'] / whole:.1f} %"])
        head = ["milliseconds", *SWEEPS.values(), "together", "of all"]
        parts.append(f"**{r['size']} ({peer.SIZES[r['size']]})**, {r['tokens']} tokens, {r['threads']} threads: "
                     f"{1e3 * whole:.2f} ms an evaluation.\n\n{common.table(head, rows)}")
    return "\n\n".join(parts)


if __name__ == "__main__":
    common.main(sys.modules[__name__])
