#!/usr/bin/env python3
"""Writes a gradient, a safetensors file in F32, with all its numbers multiplied. Needs numpy.

    multiply.py GRADIENT OUT FACTOR

FACTOR is a number, or "clip": to a norm of 1 where it is larger, as clip_grad_norm_ does.
"""
import pathlib
import sys

import numpy


def main():
    source, out, factor = sys.argv[1:]
    content = pathlib.Path(source).read_bytes()
    first = 8 + int.from_bytes(content[:8], "little")
    values = numpy.frombuffer(content, "<f4", offset=first)
    times = min(1, 1 / numpy.linalg.norm(values.astype("f8"))) if factor == "clip" else float(factor)
    pathlib.Path(out).write_bytes(content[:first] + (values * numpy.float32(times)).astype("<f4").tobytes())


if __name__ == "__main__":
    main()
