#!/usr/bin/env python3
"""Makes vocab.txt: 8,192 uncased WordPiece pieces from the text files given. The same files in the same order give the
same bytes.

    pip install tokenizers==0.23.3; make_vocab.py TEXT... > vocab.txt

Each line of a .txt file is a sentence; of a .tsv file (CoLA) the last column is.
"""
import sys

from tokenizers import BertWordPieceTokenizer

SIZE = 8192
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def sentences(path):
    with open(path, encoding="utf-8-sig") as lines:
        for line in lines:
            yield line.rstrip("\n").split("\t")[-1] if path.endswith(".tsv") else line.rstrip("\n")


def main(paths):
    if not paths:
        sys.exit(__doc__)
    tokenizer = BertWordPieceTokenizer(lowercase=True)
    texts = (text for path in paths for text in sentences(path))
    # Every ASCII letter, digit and mark is in, and the typographer's quotes and dashes, whether or not a book happens
    # to use it.
    alphabet = [chr(c) for c in range(33, 127) if not chr(c).isupper()] + list("‘’“”–—…")
    # The trainer breaks ties by id, and gives "##a" its id in the order of a randomly seeded hash table; named here, it
    # has it already.
    continued = ["##" + c for c in "abcdefghijklmnopqrstuvwxyz0123456789"]
    tokenizer.train_from_iterator(texts, vocab_size=SIZE, min_frequency=2, limit_alphabet=200,
                                  initial_alphabet=alphabet, special_tokens=SPECIAL + continued, show_progress=False)
    pieces = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    assert [i for _, i in pieces] == list(range(SIZE)) and [p for p, _ in pieces[:5]] == SPECIAL, len(pieces)
    unnamed = [p for p, _ in pieces if len(p) == 3 and p.startswith("##") and p not in continued]
    assert not unnamed, unnamed
    sys.stdout.buffer.write("".join(piece + "\n" for piece, _ in pieces).encode())


main(sys.argv[1:])
