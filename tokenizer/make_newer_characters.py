#!/usr/bin/env python3
"""Writes newer_characters.h: where Hugging Face's `tokenizers` and utf8proc disagree about a character.

`tokenizers` knows the categories of Unicode 8, the decompositions of Unicode 9 and the lower case of Unicode 17;
utf8proc 2.8 has Unicode 15 for all three. The same ids need the older view, so every code point is asked of both and
the differences are printed.

    pip install tokenizers==0.23.3; make_newer_characters.py > newer_characters.h     (finds utf8proc as
                                                                                      libutf8proc.so.2)
"""
import ctypes
import sys

from tokenizers import normalizers, pre_tokenizers

DECOMPOSE = 1 << 4
utf8proc = ctypes.CDLL("libutf8proc.so.2")
utf8proc.utf8proc_category_string.restype = ctypes.c_char_p
utf8proc.utf8proc_unicode_version.restype = ctypes.c_char_p


class Property(ctypes.Structure):
    _fields_ = [("category", ctypes.c_int16), ("combining_class", ctypes.c_int16)]


utf8proc.utf8proc_get_property.restype = ctypes.POINTER(Property)


def bert(**parts):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**off, **parts}).normalize_str


clean, strip, lower = bert(clean_text=True), bert(strip_accents=True), bert(lowercase=True)
nfd = normalizers.NFD().normalize_str
words = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
# One mark of each combining class that NFD can be asked about: it moves before a mark of a higher class.
MARKS = {1: 0x334, 7: 0x93C, 9: 0x94D, 202: 0x327, 216: 0x31B, 220: 0x316, 222: 0x5AD, 230: 0x301, 232: 0x315,
         240: 0x345}


def category(c):
    return utf8proc.utf8proc_category_string(c).decode()


def decomposition(c):
    out, last = (ctypes.c_int32 * 8)(), ctypes.c_int(0)
    n = utf8proc.utf8proc_decompose_char(c, out, 8, DECOMPOSE, ctypes.byref(last))
    return "".join(map(chr, out[:n]))


def theirs(c):
    s = chr(c)
    if clean("a" + s + "b") == "ab":
        return "DROPPED"
    if clean("a" + s + "b") == "a b":
        return "SPACE"
    if len(words("a" + s + "b")) == 3:
        return "PUNCTUATION"
    if nfd(s) == s and strip("a" + s) == "a":
        return "MARK"
    return "LETTER"


def ours(c):
    kind = category(c)
    if c in (9, 10, 13) or kind[0] == "Z":
        return "SPACE"
    if c == 0xFFFD or kind in ("Cc", "Cf", "Co"):
        return "DROPPED"
    if kind[0] == "P" or c < 128 and kind[0] == "S":
        return "PUNCTUATION"
    return "MARK" if kind == "Mn" and decomposition(c) == chr(c) else "LETTER"


def is_inert_there(c):
    """Whether `tokenizers` neither decomposes nor reorders what utf8proc does."""
    s, order = chr(c), utf8proc.utf8proc_get_property(c).contents.combining_class
    if decomposition(c) != s:
        return nfd(s) == s
    if not order:
        return False
    return not any(nfd(chr(mark) + s) == s + chr(mark) for level, mark in MARKS.items() if order < level) and \
        not any(nfd(s + chr(mark)) == chr(mark) + s for level, mark in MARKS.items() if level < order)


def ranges(rows):
    merged = []
    for c, *value in rows:
        if merged and merged[-1][1] == c - 1 and merged[-1][2] == value:
            merged[-1][1] = c
        else:
            merged.append([c, c, value])
    return merged


kinds, cases = [], []
for c in [*range(0xD800), *range(0xE000, 0x110000)]:
    inert, kind = is_inert_there(c), theirs(c)
    if inert or kind != ours(c):
        kinds.append((c, kind, inert))
    small, known = lower(chr(c)), chr(utf8proc.utf8proc_tolower(c))
    if small != known and len(small) == 1:
        cases.append((c, ord(small) - c))

unicode = utf8proc.utf8proc_unicode_version().decode()
print(f"""/*
 * Made by make_newer_characters.py from tokenizers and utf8proc ({unicode}); not to be edited.
 * Characters of which `tokenizers` has another view than utf8proc, most of them newer than its tables.
 */
static const struct {{
    uint32_t first, last;
    unsigned char kind;
    bool inert; /* neither decomposed nor reordered */
}} newer_kinds[] = {{""")
for first, last, (kind, inert) in ranges(kinds):
    print(f"    {{0x{first:05x}, 0x{last:05x}, DLG_CHARACTER_{kind}, {'true' if inert else 'false'}}},")
print("""};

/* Capital letters that utf8proc has no lower case for, and how far away it is. */
static const struct {
    uint32_t first, last;
    int32_t distance;
} newer_capitals[] = {""")
for first, last, (distance,) in ranges(cases):
    print(f"    {{0x{first:05x}, 0x{last:05x}, {distance}}},")
print("};")
sys.stdout.flush()
