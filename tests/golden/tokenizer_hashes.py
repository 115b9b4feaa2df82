#!/usr/bin/env python3
"""Prints the numbers in tokenizer.c: FNV-1a hashes of what Hugging Face's tokenizer makes of larger inputs.

    tokenizer_hashes.py bert-base-uncased/vocab.txt FILE...

For each file, the ids (four bytes each, little-endian, with [CLS] and [SEP]) of its lines; and for every code point X,
the words of "aXb", each with a line feed, uncased and cased.
"""
import os
import sys

from tokenizers import normalizers, pre_tokenizers
from transformers import BertTokenizerFast


def fnv(chunks):
    value = 0xCBF29CE484222325
    for chunk in chunks:
        for byte in chunk:
            value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def words(lower):
    normalizer, cutter = normalizers.BertNormalizer(lowercase=lower), pre_tokenizers.BertPreTokenizer()
    for c in [*range(0xD800), *range(0xE000, 0x110000)]:
        for word, _ in cutter.pre_tokenize_str(normalizer.normalize_str("a" + chr(c) + "b")):
            yield word.encode() + b"\n"


tokenizer = BertTokenizerFast(sys.argv[1])
for path in sys.argv[2:]:
    with open(path, encoding="utf-8", newline="\n") as file:
        lines = file.read().removesuffix("\n").split("\n")
    ids = tokenizer(lines)["input_ids"]
    value = fnv(i.to_bytes(4, "little") for row in ids for i in row)
    print(f'{{"{os.path.basename(path)}", {len(lines)}, {sum(map(len, ids))}, 0x{value:016x}}},')
for lower in (True, False):
    print(f"{'uncased' if lower else 'cased'}: 0x{fnv(words(lower)):016x}")
