#!/usr/bin/env python3
"""Differential test: the ids of tokenizer/ against Hugging Face's, text by text.

    tokenizer_against_hf.py BUILD/bin/golden_tokenizer_ids [--vocabulary vocab.txt] [--text FILE...] [--random N]
    [--seed S]

Compares, for BERT's uncased and a cased vocabulary, every line of the files given and N random strings of all of
Unicode. Uncased is measured against both transformers' BertTokenizer and the tokenizers package alone. Exit 1 if one id
differs.
"""
import argparse
import os
import random
import struct
import subprocess
import sys
import tempfile

from tokenizers import AddedToken, BertWordPieceTokenizer
from transformers import BertTokenizerFast

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# Where things go wrong: one row a family. Each string is drawn from one to three of them.
FAMILIES = {
    "anything": [(0, 0xD7FF), (0xE000, 0x10FFFF)],
    "basic plane": [(0, 0xD7FF), (0xE000, 0xFFFF)],
    "ascii": [(0, 0x7F)],
    "latin": [(0x80, 0x24F), (0x1E00, 0x1EFF), (0x2C60, 0x2C7F), (0xA720, 0xA7FF)],
    "greek and cyrillic": [(0x370, 0x52F), (0x1C80, 0x1C8F), (0x1F00, 0x1FFF)],
    "marks": [(0x300, 0x36F), (0x483, 0x489), (0x591, 0x5C7), (0x610, 0x61A), (0x64B, 0x65F), (0x8CA, 0x8FF),
              (0x1AB0, 0x1ACE), (0x1DC0, 0x1DFF), (0x20D0, 0x20F0), (0x302A, 0x302F), (0xFE20, 0xFE2F),
              (0x1D165, 0x1D1AD), (0x16FF0, 0x16FF1), (0x1E000, 0x1E02A)],
    "indic": [(0x900, 0xDFF), (0xE00, 0x109F), (0x1700, 0x17FF), (0x1900, 0x1CFF), (0xA800, 0xABFF),
              (0x11000, 0x11FFF)],
    "hangul": [(0x1100, 0x11FF), (0x3130, 0x318F), (0xA960, 0xA97F), (0xAC00, 0xD7FF)],
    "chinese": [(0x2E80, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF), (0x2F800, 0x2FA1F)],
    "spaces and controls": [(0, 0x20), (0x7F, 0xA0), (0xAD, 0xAD), (0x600, 0x605), (0x180E, 0x180F), (0x1680, 0x1680),
                            (0x2000, 0x206F), (0x3000, 0x3000), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFF0, 0xFFFF),
                            (0xE0000, 0xE01EF)],
    "punctuation": [(0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E), (0xA1, 0xBF), (0x2010, 0x2070),
                    (0x2E00, 0x2E7F), (0x3000, 0x303F), (0xFE10, 0xFE6F), (0xFF00, 0xFFEF)],
    "emoji": [(0x1F300, 0x1FAFF), (0x200D, 0x200D), (0xFE0F, 0xFE0F), (0x1F1E6, 0x1F1FF), (0x1F3FB, 0x1F3FF)],
    "private and unassigned": [(0xE000, 0xF8FF), (0xF0000, 0x10FFFF), (0x378, 0x379), (0xFDD0, 0xFDEF),
                               (0x40000, 0x40FFF)],
    "compatibility": [(0x2100, 0x214F), (0x2460, 0x24FF), (0xFB00, 0xFDFF), (0xFE70, 0xFEFF), (0x1D400, 0x1D7FF)],
}
PHRASES = SPECIAL + ["[mask]", "[MASK", "##ing", "İ", "ΑΣ", "ß", "ǅ", "é", "can't", "a" * 100, "a" * 101, "é" * 100,
                     "e\u0301" * 99, "unaffable", "0.5%"]


def random_text(rng):
    families = [FAMILIES[name] for name in rng.choices(list(FAMILIES), k=rng.randint(1, 3))]
    out = []
    for _ in range(rng.choice([1, 3, 10, 30])):
        kind = rng.random()
        if kind < 0.08:
            out.append(rng.choice(PHRASES))
        elif kind < 0.25:
            out.append(rng.choice([" ", "a", "E", "x"]))
        else:
            first, last = rng.choice(rng.choice(families))
            out.append(chr(rng.randint(first, last)))
    return "".join(out)


def cased_vocabulary(path):
    """A vocabulary with a piece for every character up to the last planes, so that no difference hides behind [UNK]."""
    pieces = SPECIAL + ["The", "the", "Th", "##ing", "un", "##aff", "##able", "war", "War"]
    for c in [*range(0x21, 0xD800), *range(0xF900, 0x32400), *range(0xE0000, 0xE0200)]:
        pieces += [chr(c), "##" + chr(c)]
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        out.write("".join(p + "\n" for p in dict.fromkeys(pieces) if p.strip() == p))


def ours(program, vocabulary, kind, texts):
    raw = [t.encode() for t in texts]
    message = b"".join(struct.pack("<I", len(r)) + r for r in raw)
    answer = subprocess.run([program, vocabulary, kind], input=message, capture_output=True, check=True).stdout
    at, ids = 0, []
    for _ in texts:
        (n,) = struct.unpack_from("<I", answer, at)
        ids.append(list(struct.unpack_from(f"<{n}I", answer, at + 4)))
        at += 4 + 4 * n
    assert at == len(answer)
    return ids


def compare(name, mine, theirs, texts):
    wrong = [i for i in range(len(texts)) if mine[i] != theirs[i]]
    print(f"{name}: {len(texts)} texts, {sum(map(len, theirs))} ids, {len(wrong)} differ", flush=True)
    for i in sorted(wrong, key=lambda i: len(texts[i]))[:10]:
        print("   ", [f"{ord(c):x}" for c in texts[i]][:40], mine[i][:20], theirs[i][:20])
    return len(wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--vocabulary", action="append", default=[], help="uncased; may be repeated")
    parser.add_argument("--text", action="append", default=[], nargs="+")
    parser.add_argument("--random", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--characters", action="store_true", help="every single code point, too")
    options = parser.parse_args()

    rng = random.Random(options.seed)
    sets = {}
    for path in sum(options.text, []):
        with open(path, encoding="utf-8", newline="\n") as file:
            sets[os.path.basename(path)] = [cell for line in file.read().split("\n") for cell in line.split("\t")]
    sets[f"random, seed {options.seed}"] = [random_text(rng) for _ in range(options.random)]
    if options.characters:
        sets["characters"] = [f"a{chr(c)}b {chr(c)}" for c in range(0x110000) if not 0xD800 <= c < 0xE000]

    differ = 0
    with tempfile.TemporaryDirectory() as folder:
        cased = os.path.join(folder, "cased.txt")
        cased_vocabulary(cased)
        for vocabulary, lower in [(v, True) for v in options.vocabulary] + [(cased, True), (cased, False)]:
            bare = BertWordPieceTokenizer(vocabulary, lowercase=lower)
            bare.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in SPECIAL])
            whole = BertTokenizerFast(vocabulary, do_lower_case=lower)
            for name, texts in sets.items():
                kind = "uncased" if lower else "cased"
                mine = ours(options.program, vocabulary, kind, texts)
                title = f"{os.path.basename(vocabulary)}, {kind}, {name}"
                differ += compare(title + ", tokenizers", mine, [e.ids for e in bare.encode_batch(texts)], texts)
                differ += compare(title + ", transformers", mine, whole(texts, truncation=False)["input_ids"], texts)
    sys.exit(1 if differ else 0)


main()
