#!/usr/bin/env bash
# tokenizer.sh BUILD: is the tokenizer at least five times as fast as the `tokenizers` package? PYTHON names one that
# has it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
data=$here/../../../shared/data
cmake --build "$1" --target bench_tokenizer
exec "${PYTHON:-python3}" "$here/tokenizer.py" "$1/bin/bench_tokenizer" "$data/bert-base-uncased/vocab.txt" \
    "$data/text/2600.txt"
