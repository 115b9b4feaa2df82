#!/usr/bin/env python3
"""What single precision loses: distance and derivative of the float build beside those of the double build, along one
whole recovery.

bench_precision of the float build attacks, told nothing, and writes down where it was each time the distance had fallen
by a twentieth, with what it computed there; from the last point it goes on along the straight line to the solution.
bench_precision of the double build (--double-build, made by `cmake -S . -B build-double -DDLG_DOUBLE=ON`) computes the
same at the same points. Relative errors of D and of dD/dx are given against |g - g*| / |g*|, the relative distance of
the gradients, which is what falls.

The case is one of recover_transformers.py (256 × 4, 30,522 words), whose weights are floats in both builds.
"""
import json
import pathlib
import sys

import common

NAME, TITLE = "precision", "Float beside double, along a recovery"

CASE, SEED, SENTENCE = "mini-0-1", 0, 1
STEPS = [1, 1e-1, 1e-2, 5e-3, 2e-3, 1e-3, 1e-4, 1e-5, 1e-6]


def options(parser):
    parser.add_argument("--cases", type=pathlib.Path,
                        help="where the cases are or will be (default: BUILD/bench/cases)")
    parser.add_argument("--double-build", type=pathlib.Path, default=common.ROOT / "build-double",
                        help="(default: build-double)")


def measure(bench):
    double = bench.options.double_build.resolve() / "bin" / "bench_precision"
    if not double.exists():
        raise common.Skipped(f"{double} is not there; --double-build names the directory that the double build is in")
    case = common.cases_folder(bench) / CASE
    common.make_cases(bench, [{"out": str(case), "model": "mini", "text": common.PAPER[SENTENCE], "seed": SEED}])
    arguments = [case / "model", case / "case.g", case / "case.truth.json", bench.scratch / "points", bench.threads]
    common.run([bench.program("bench_precision"), "record", *arguments])
    for line in common.run([double, "compare", *arguments]).splitlines():
        bench.record(case=CASE, **json.loads(line))
    bench.say(f"{CASE}: done")


def section(records):
    rows = []
    for most, least in zip(STEPS, STEPS[1:]):
        for name in ("descent", "straight line"):
            part = [r for r in records
                    if bool(r["iteration"]) == (name == "descent") and least <= r["relative_distance"] < most]
            if part:
                iterations = sorted({r["iteration"] for r in part})
                rows.append([f"{most:g} to {least:g}", name,
                             f"{iterations[0]}–{iterations[-1]}" if iterations[0] else "", len(part),
                             *(f"{form([r[key] for r in part]):.0e}" for key in ("distance_error", "derivative_error")
                               for form in (common.median, max))])
    head = ["relative distance", "", "iterations", "points", "error of D: median", "most", "error of dD/dx: median",
            "most"]
    n_iterations = max(r["iteration"] for r in records)
    return (f"Case {records[0]['case']}: {n_iterations} iterations. Errors are relative, of float against double at "
            f"the same point. After the descent's last point the straight line to "
            f"the solution.\n\n{common.table(head, rows)}")


if __name__ == "__main__":
    common.main(sys.modules[__name__])
