"""Vocabularies with added tokens and with odd lines in added/, and the ids that transformers finds for texts, in
added/texts.json. Usage: make_added.py, with transformers 5."""
import json, pathlib, shutil
from tokenizers import AddedToken
from transformers import BertTokenizer

HERE = pathlib.Path(__file__).resolve().parent / "added"
PIECES = "[PAD] [UNK] [CLS] [SEP] [MASK] a b c ab ##a ##b ##c the name na ##me [ ] < > . - ' e ##e ##é é".split()
ADDED = [
    AddedToken("[NAME]"),  # normalised, as tokenizer.add_tokens(["[NAME]"]) makes it
    AddedToken("[E1]", special=True, normalized=False),
    AddedToken("[E1] b", special=True, normalized=False),  # the longer one is found
    AddedToken("Ab-C", single_word=True),
    AddedToken("cab", single_word=True, normalized=False),
    AddedToken("Née", lstrip=True, rstrip=True),
    AddedToken("a b", normalized=True),
    AddedToken("<中>"),
]
TEXTS = [
    "a [NAME] [name] [Name]b[NAME]c", "[E1]a[E1] b[e1] [E1]  b", "Ab-C ab-c xab-c ab-cx ab-c.",
    "cab Cab acab cab_ cab- (cab)é", "a nee née NÉE néeb", "a b a  b A\tB ab aa bb", "<中> < 中 > 中<中>中",
    "[MASK][NAME][mask] [MASK]a the\u0301 name", "", " ", "[NAME]", "a\u00adb [NA\u00adME]",
    "e\u0301 [E1\u0301] \u0301[E1]", "cab\u0301 cab\u200db cab\u203fb cab\u0660 écab",
]


def directory(name, pieces):
    folder = HERE / name
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("".join(p + "\n" for p in pieces), encoding="utf-8")
    return folder


def config(**more):
    values = dict(tokenizer_class="BertTokenizer", do_lower_case=True, **more)
    return json.dumps(values, indent=1, ensure_ascii=False) + "\n"


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    found = {}
    lines = directory("lines", PIECES[:6] + ["", "ab", "b", "ab"] + PIECES[6:])
    (lines / "tokenizer_config.json").write_text(config())
    decoder = {str(len(PIECES) + i): dict(content=t.content, lstrip=t.lstrip, rstrip=t.rstrip, special=t.special,
                                          single_word=t.single_word, normalized=t.normalized)
               for i, t in enumerate(ADDED)}
    v4 = directory("v4", PIECES)
    (v4 / "tokenizer_config.json").write_text(config(added_tokens_decoder=decoder))
    (v4 / "added_tokens.json").write_text(json.dumps({t["content"]: int(i) for i, t in decoder.items()}) + "\n")
    older = directory("older", PIECES)
    (older / "tokenizer_config.json").write_text(config())
    (older / "added_tokens.json").write_text(json.dumps({"[NAME]": len(PIECES), "a b": len(PIECES) + 1}) + "\n")
    special = {"additional_special_tokens": ["[E1]", "the"], "mask_token": "[MASK]"}
    (older / "special_tokens_map.json").write_text(json.dumps(special) + "\n")
    for folder in (lines, v4, older):
        tokenizer = BertTokenizer.from_pretrained(folder)
        found[folder.name] = [dict(text=t, ids=tokenizer(t)["input_ids"]) for t in TEXTS]
        if folder is v4:
            tokenizer.save_pretrained(HERE / "v5")
            found["v5"] = found["v4"]
    lines = [json.dumps(name) + ":[\n" + ",\n".join(map(json.dumps, texts)) + "]" for name, texts in found.items()]
    (HERE / "texts.json").write_text("{" + ",\n".join(lines) + "}\n")


main()
