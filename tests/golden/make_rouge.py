"""Writes rouge.json, which rouge.c reads: pairs of texts and what Python's rouge_score makes of them (pip install
rouge-score)."""
import json
from pathlib import Path

from rouge_score.rouge_scorer import RougeScorer

PAIRS = [
    ("We invite submissions for the spring meeting.", "We invite submissions for the spring meeting."),
    ("The boats came home before the storm did.", "before the storm the boats came home"),
    ("the cat and the dog and the bird", "the the the and and cat"),
    ("a", "a"),
    ("a b", "b a"),
    ("one two three four five", "five four three two one"),
    ("nothing in common here", "wholly other words"),
    ("", ""),
    ("", "found where nothing was"),
    ("wanted and not found", ""),
    ("...!?", "...!?"),
    ("Can't, won't; the boy's kite isn't theirs.", "can ' t won t the boys kite isn t theirs"),
    ("state-of-the-art", "state of the art"),
    ("Room 101, 2nd floor: 3.14", "room 101 2nd floor 3 14"),
    ("snake_case and CamelCase", "snake case and camelcase"),
    ("Crème brûlée à la carte", "creme brulee a la carte"),
    ("naïve café", "na ve caf"),
    ("300 \u212a is 27 \u00b0C", "300 k is 27 c"),
    ("5\u212a5 cold", "5k5 cold"),
    ("\u0130zmir and Iğdır", "i zmir and i d r"),
    ("tabs\tand\nlines\r\nand  spaces\u00a0and\u2003more", "tabs and lines and spaces and more"),
    ("日本 tea 茶 and rice", "tea and rice"),
    ("[CLS] the lamp is lit [SEP]", "[CLS] the lamp was lit [SEP]"),
    ("a b c d b c d e b c d", "b c d b c e d b a c"),
    ("x y x y x y x", "y x y x"),
    (" ".join(f"w{i * i % 31}" for i in range(90)), " ".join(f"w{i * 7 % 29}" for i in range(110))),
]
NAMES = ["rouge1", "rouge2", "rougeL"]

scorer = RougeScorer(NAMES, use_stemmer=False)
cases = []
for wanted, found in PAIRS:
    scores = scorer.score(wanted, found)
    cases.append({"wanted": wanted, "found": found, **{name: list(scores[name]) for name in NAMES}})
lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
Path(__file__).with_name("rouge.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
