#!/usr/bin/env python3
"""Times tokenizer/ against the `tokenizers` package, both on one thread, in one run.

    tokenizer.py BUILD/bin/bench_tokenizer VOCABULARY TEXT [--repeats 5]

Every line of TEXT is encoded with special tokens. `tokenizers` is timed twice: encode() line by line, and
encode_batch() of all lines at once, which spares it Python's overhead. Of each the fastest pass counts. Exit 1 if the
ids do not number the same or if ours is less than 5 times as fast as the faster of the two.
"""
import argparse
import os
import platform
import subprocess
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
import tokenizers  # noqa: E402  (reads the environment)

MARK = 5


def fastest(repeats, work):
    best, result = float("inf"), None
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    return best, result


def processor():
    with open("/proc/cpuinfo") as info:
        return next((line.split(":")[1].strip() for line in info if line.startswith("model name")),
                    platform.processor())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("vocabulary")
    parser.add_argument("text")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    with open(options.text, encoding="utf-8", newline="\n") as file:
        text = file.read()
    lines = text.removesuffix("\n").split("\n")
    megabytes = len(text.encode()) / 1e6
    theirs = tokenizers.BertWordPieceTokenizer(options.vocabulary, lowercase=True)
    command = [options.program, options.vocabulary, options.text, str(options.repeats)]
    ours_s, n_lines, n_ids = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    ours_s, n_lines, n_ids = float(ours_s), int(n_lines), int(n_ids)
    loop_s, loop_ids = fastest(options.repeats, lambda: sum(len(theirs.encode(line).ids) for line in lines))
    batch_s, batch = fastest(options.repeats, lambda: theirs.encode_batch(lines))
    batch_ids = sum(len(e.ids) for e in batch)

    print(f"{processor()}, {time.strftime('%Y-%m-%d')}, one thread, {n_lines} lines, {megabytes:.2f} MB, {n_ids} ids,",
          f"fastest of {options.repeats}")
    peer = f"tokenizers {tokenizers.__version__}"
    for name, seconds in [("dlg-text", ours_s), (f"{peer}, encode", loop_s), (f"{peer}, encode_batch", batch_s)]:
        print(f"{name:36} {seconds:8.4f} s {megabytes / seconds:8.1f} MB/s {seconds / ours_s:8.1f} x")
    if not n_ids == loop_ids == batch_ids or n_lines != len(lines):
        sys.exit(f"ids: want {loop_ids}, found {n_ids}")
    if min(loop_s, batch_s) < MARK * ours_s:
        sys.exit(f"want at least {MARK} times as fast")


main()
