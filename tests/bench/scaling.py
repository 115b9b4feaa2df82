#!/usr/bin/env python3
"""Time and memory of an evaluation against length, batch and threads: preset mini, gradients of dlg-grads.

One sentence of 16 to 512 tokens, and 1 to 16 sentences of 16 tokens, 15 % of them masked, each on one and two threads.
bench_evaluate gives the seconds and the peak memory, medians over the rounds, bench_profile what of it is attention and
what is the products with the target's factors and Gram matrices, which grow with the square of the rows as attention
does. Needs nothing but the build.
"""
import sys

import common
import peer

NAME, TITLE = "scaling", "An evaluation against length, batch and threads"

LENGTHS = [16, 32, 64, 128, 256, 512]
BATCHES = [1, 2, 4, 8, 16]
BATCH_LENGTH = 16


def options(parser):
    parser.add_argument("--preset", default="mini")
    parser.add_argument("--rounds", type=int, default=3, help="processes for each measurement (default 3)")
    parser.add_argument("--evaluations", type=int, default=10, help="in each process (default 10)")
    parser.add_argument("--thread-counts", type=int, nargs="+", default=[1, 2], help="(default 1 2)")


def texts_of(n_sentences, length):
    """Different texts of at least so many tokens, for --max-length to cut."""
    words = (peer.LONG_TEXT + " ").split()
    many = words * (2 + (length + n_sentences) // len(words))
    return [" ".join(many[7 * b % len(words):][:length]) for b in range(n_sentences)]


def measure_case(bench, n_sentences, length):
    gradient = bench.scratch / "case.g"
    truth = bench.share(gradient, f"--preset={bench.options.preset}", f"--max-length={length}",
                        *[f"--text={text}" for text in texts_of(n_sentences, length)])
    for n_threads in bench.options.thread_counts:
        arguments = ["-", gradient, truth, bench.options.evaluations, n_threads]
        runs = [common.last_json(common.run([bench.program("bench_evaluate"), *arguments]))
                for _ in range(bench.options.rounds)]
        profile = common.last_json(common.run([bench.program("bench_profile"), *arguments]))
        if runs[0]["tokens"] != n_sentences * length:
            sys.exit(f"scaling: want {n_sentences} sentences of {length} tokens, found {runs[0]['tokens']} tokens")
        r = bench.record(n_sentences=n_sentences, length=length, n_threads=n_threads, preset=bench.options.preset,
                         tokens=runs[0]["tokens"], seconds=peer.median_of(runs, "seconds_per_evaluation"),
                         bare_seconds=peer.median_of(runs, "bare_seconds"),
                         startup_seconds=peer.median_of(runs, "startup_seconds"), mib=peer.median_of(runs, "peak_mib"),
                         profile_seconds=profile["seconds_per_evaluation"],
                         attention_seconds=common.seconds_in(profile, "attention"),
                         target_seconds=common.seconds_in(profile, "linear: other products"))
        bench.say(f"{n_sentences} of {length} tokens, {n_threads} thread(s): {1e3 * r['seconds']:.2f} ms, "
                  f"{r['mib']} MiB")


def measure(bench):
    for n_sentences, length in dict.fromkeys([(1, length) for length in LENGTHS]
                                             + [(n, BATCH_LENGTH) for n in BATCHES]):
        measure_case(bench, n_sentences, length)


def section(records):
    rows = []
    for r in records:
        per_token, share = 1e6 / r["tokens"], r["seconds"] / r["profile_seconds"]
        attention, target = r["attention_seconds"] * share, r["target_seconds"] * share
        rows.append([f"{r['n_sentences']} × {r['length']}", r["n_threads"], f"{1e3 * r['seconds']:.2f}",
                     f"{per_token * r['seconds']:.0f}", f"{per_token * attention:.0f}", f"{per_token * target:.0f}",
                     f"{per_token * (r['seconds'] - attention - target):.0f}", f"{1e3 * r['bare_seconds']:.2f}",
                     f"{r['startup_seconds']:.2f}", f"{r['mib']:.0f}"])
    head = ["sentences × tokens", "threads", "ms", "µs a token", "of it attention", "target's factors", "the rest",
            "bare products, ms", "start-up, s", "MiB"]
    return f"Preset {records[0]['preset']}, 15 % of the tokens masked.\n\n{common.table(head, rows)}"


if __name__ == "__main__":
    common.main(sys.modules[__name__])
