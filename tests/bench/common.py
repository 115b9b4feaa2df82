"""What the measuring scripts share: options, running the programs, JSON lines, tables.

A script is a module with

    NAME                 of its results
    TITLE                of its section in the report
    measure(bench)       does the work and calls bench.record(...) for every case
    section(records)     the Markdown of its section, from those records
    options(parser)      adds options of its own; may be absent

and ends with `common.main(sys.modules[__name__])`. Records go, as they come, to RESULTS/NAME.jsonl, whose first line
describes the machine; totals so far go to standard error, the section to standard output.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# Table 1 of "Deep Leakage from Gradients" (Zhu et al. 2019).
ATTACKS = ("auto", "dlg")  # the default, and what searches as the paper does
PAPER = (
    "Registration, volunteer applications, and student travel application open the first week of September. "
    "Child care will be available.",
    "We welcome proposals for tutorials on either core machine learning topics or topics of emerging importance for "
    "machine learning.",
    "We invite submissions for the Thirty-Third Annual Conference on Neural Information Processing Systems.",
)


class Skipped(Exception):
    """What is missing, in words: the measurement cannot be made here."""


def environment():
    """The programs' environment: without a choice of OpenBLAS kernels, which they make themselves."""
    return {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}


def run(command, **variables):
    """A program's standard output; ends this one, with the command and what it said, if it fails. `variables` join its
    environment."""
    command = [str(word) for word in command]
    done = subprocess.run(command, env=environment() | variables, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr.strip()}")
    return done.stdout


def last_json(text):
    return json.loads(text.strip().splitlines()[-1])


def has_packages(python, *names):
    """Whether this interpreter can import them."""
    try:
        return subprocess.run([python, "-c", f"import {', '.join(names)}"], capture_output=True,
                              check=False).returncode == 0
    except OSError:
        return False


def seconds_in(profile, operator):
    """bench_profile: the seconds of an operator in all sweeps, with what is inside it."""
    parts = [part for part in profile["parts"] if part["operator"].startswith(operator)]
    return sum(seconds for part in parts for name, seconds in part.items() if name != "operator")


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        return next((line.split(":")[1].strip() for line in info if line.startswith("model name")),
                    platform.processor())


def memory_gib():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


class Bench:
    def __init__(self, script, options):
        self.script, self.options = script, options
        self.build, self.shared = options.build.resolve(), options.shared.resolve()
        self.threads, self.python = options.threads, options.python
        self.scratch = None
        self.file = None

    def program(self, name):
        path = self.build / "bin" / name
        if not path.exists():
            sys.exit(f"{path}: not there; --build names the directory that CMake builds in")
        return path

    def from_shared(self, name):
        path = self.shared / name
        if not path.exists():
            raise Skipped(f"{path} is not there")
        return path

    def torch(self):
        """The interpreter that has PyTorch and transformers."""
        if not has_packages(self.python, "torch", "transformers", "tokenizers", "safetensors"):
            raise Skipped(f"{self.python} has no torch, transformers, tokenizers and safetensors; --python names "
                          f"one that has")
        return self.python

    def machine(self):
        """Where and when; the line about BLAS is that of an attack's start."""
        with tempfile.TemporaryDirectory() as folder:
            gradient = pathlib.Path(folder) / "a.g"
            self.share(gradient, "--preset=tiny", "--text=One machine.")
            start, _, _ = self.attack_raw(gradient, "--attack=dlg", "--iterations=1", "--starts=1")
        return {
            "processor": processor(),
            "cores": os.cpu_count(),
            "memory_gib": round(memory_gib(), 1),
            "system": platform.platform(),
            "threads": self.threads,
            "blas": start["blas"],
            "version": start["version"],
            "load": round(os.getloadavg()[0], 2),
            "date": time.strftime("%Y-%m-%d"),
        }

    def share(self, gradient, *arguments):
        """dlg-grads: writes the gradient, the truth beside it. @return the truth's path"""
        truth = gradient.with_suffix(".truth.json")
        run([self.program("dlg-grads"), *arguments, "-q", f"--threads={self.threads}", "-o", gradient,
             f"--truth={truth}"])
        return truth

    def attack_raw(self, gradient, *arguments):
        """dlg-text: the start event, the result, and the seconds of the whole process."""
        began = time.perf_counter()
        lines = run([self.program("dlg-text"), f"--grads={gradient}", "--json", "-q", f"--threads={self.threads}",
                     *arguments])
        process_s = time.perf_counter() - began
        events = {event["event"]: event for event in map(json.loads, lines.splitlines())}
        return events["start"], events["result"], process_s

    def attack_within(self, limit_s, gradient, *arguments, n_threads=None):
        """dlg-text, interrupted after so many seconds (None: never). @return of it: the result ({"end": "killed"} where
        an interrupt did not end it either), what it noted of its checks, the seconds of the whole process and its peak
        memory in MiB"""
        command = ["timeout", "--foreground", "--signal=INT", "--kill-after=30", str(limit_s)] if limit_s else []
        command += map(str, [self.program("dlg-text"), f"--grads={gradient}", "--json", f"--every={10**9}",
                             f"--threads={n_threads or self.threads}", *arguments])
        with open(self.scratch / "output", "w+", encoding="utf-8") as output, \
                open(self.scratch / "notes", "w+", encoding="utf-8") as notes:
            began = time.perf_counter()
            process = subprocess.Popen(command, env=environment(), stdout=output, stderr=notes)
            _, status, usage = os.wait4(process.pid, 0)
            process_s, process.returncode = time.perf_counter() - began, os.waitstatus_to_exitcode(status)
            output.seek(0)
            notes.seek(0)
            lines, said = output.read().splitlines(), notes.read()
        if process.returncode not in (0, 124, 130, 137):
            sys.exit(f"{' '.join(command)}: exit {process.returncode}\n{said.strip()}")
        last = json.loads(lines[-1]) if lines and process.returncode != 137 else {}
        result = last if last.get("event") == "result" else {"end": "killed", "recovered": False}
        checks = [line.strip() for line in said.splitlines() if "check" in line]
        return result, checks, process_s, usage.ru_maxrss / 1024

    def notes(self):
        """All lines that the last attack_within noted."""
        return [line.strip() for line in (self.scratch / "notes").read_text(encoding="utf-8").splitlines()]

    def attack(self, case, gradient, truth, *arguments, **more):
        """Attack and compare with the truth. Records and returns what came of it; `more` is added to the record."""
        start, result, process_s = self.attack_raw(gradient, f"--truth={truth}", *arguments)
        real = json.loads(pathlib.Path(truth).read_text(encoding="utf-8"))
        attended = [[token for token, mask in zip(row, mask) if mask]
                    for row, mask in zip(real["fed_ids"], real["attention"])]
        if real["task"] == "mlm":
            labels = sorted(label for row in real["labels"] for label in row if label != -100)
        else:
            labels = real["labels"]
        labels_right = sorted(result["labels"]) == sorted(labels)
        return self.record(
            case=case,
            attack=result["attack"],
            # Every token, with the labels put back; the labels themselves; what the model was fed, so masks in their
            # places.
            exact=result["metrics"]["exact_match"] and labels_right and result["fed_tokens"] == attended,
            text_exact=result["metrics"]["exact_match"],
            labels_right=labels_right,
            token_accuracy=result["metrics"]["token_accuracy"],
            claims=result["recovered"],
            end=result["end"],
            knowledge=result["knowledge"],
            inferred=start["inferred"],
            iterations=result["iterations"],
            evaluations=result["evaluations"],
            start=result["start"],
            seconds=result["seconds"],
            process_seconds=process_s,
            seconds_per_evaluation=result["seconds_per_evaluation"],
            distance=result["distance"],
            distance_of_tokens=result["distance_of_tokens"],
            scale=result["scale"],
            text=result["text"],
            truth=real["text"],
            **more,
        )

    def record(self, **fields):
        self.file.write(json.dumps(fields) + "\n")
        self.file.flush()
        return fields

    def say(self, line):
        """Progress."""
        print(line, file=sys.stderr, flush=True)


# ---- cases of dlg-grads ----

ROWS_AT_ONCE = 200


def rows_with_length(bench, rows, model, first=0):
    """(text, its tokens with [CLS] and [SEP]) of a CoLA file's rows from `first` on, as asked for: dlg-grads cuts them
    into tokens, and its truth says how many those are."""
    texts = [line.split("\t")[3] for line in bench.from_shared(rows).read_text(encoding="utf-8").splitlines()]
    file, gradient = bench.scratch / "rows.txt", bench.scratch / "rows.g"
    for start in range(first, len(texts), ROWS_AT_ONCE):
        part = texts[start:start + ROWS_AT_ONCE]
        file.write_text("".join(f"{text}\n" for text in part), encoding="utf-8")
        real = json.loads(bench.share(gradient, f"--model={model}", f"--file={file}").read_text(encoding="utf-8"))
        yield from ((text, sum(mask)) for text, mask in zip(part, real["attention"], strict=True))


def take_metadata_out(gradient):
    """In place: the header keeps its length, so that no tensor moves."""
    with open(gradient, "r+b") as file:
        n_bytes = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(n_bytes))
        del header["__metadata__"]
        file.seek(8)
        file.write(json.dumps(header, separators=(",", ":")).encode().ljust(n_bytes))


# ---- cases of transformers ----


def cases_folder(bench):
    folder = bench.options.cases or bench.build / "bench" / "cases"
    return folder.resolve()


def make_cases(bench, orders):
    """Have hf_cases.py make what is not there."""
    orders = [order for order in orders
              if "count" in order or not (pathlib.Path(order["out"]) / "case.truth.json").exists()]
    if orders:
        tool = bench.from_shared("tools/hf_case.py")
        subprocess.run([bench.torch(), HERE / "hf_cases.py", tool], input=json.dumps(orders), text=True, check=True)


# ---- other steps, by PyTorch ----

ENCODERS = {"128 x 2": "fixtures/trained-model", "256 x 4": "fixtures/trained-mini"}


def add_steps_options(p, count):
    p.add_argument("--cases", type=pathlib.Path, help="where the cases are kept (default: BUILD/bench/cases)")
    p.add_argument("--count", type=int, default=count, help=f"gradients of each kind (default {count})")
    p.add_argument("--batch", type=int, action="append", help="sentences in each; repeatable")
    p.add_argument("--encoder", action="append", choices=ENCODERS, help="one of them alone; repeatable")


def torch_steps(bench, kinds, **more):
    """Have torch_steps.py make --count of each kind of step, {its key: what the order says}, on each encoder, all that
    are not there in one process. Yields (key, encoder, batch, model, what is shared, truth)."""
    o, orders, made = bench.options, [], []
    for key, kind in kinds.items():
        for encoder in o.encoder or ENCODERS:
            for batch in kind.get("batches", o.batch or (1,)):
                order = {"model": str(bench.from_shared(ENCODERS[encoder])), "count": o.count, "batch": batch,
                         "rows": str(bench.from_shared("data/cola/in_domain_train.tsv")), **kind, **more}
                words = key if isinstance(key, tuple) else (key,)
                name = "-".join(map(str, (bench.script.NAME, *words, encoder, batch, order["count"]))).replace(" ", "")
                order["out"] = str(cases_folder(bench) / "steps" / name)
                orders.append(order)
                made.append((key, encoder, batch, pathlib.Path(order["out"])))
    if not all(out.exists() for *_, out in made):
        subprocess.run([bench.torch(), HERE / "torch_steps.py"], input=json.dumps(orders), text=True, check=True)
    for key, encoder, batch, out in made:
        for truth in sorted(out.glob("[0-9]*.json")):
            shared = next(path for path in out.glob(f"{truth.stem}.*") if path != truth)
            yield key, encoder, batch, out / "model", shared, json.loads(truth.read_text(encoding="utf-8"))
        bench.say(f"{key}, {encoder}, {batch}")


def is_exact(result, truth):
    """Every sentence, and where its second part begins."""
    tokens = result.get("tokens") or []
    segments = result.get("segments") or [[0] * len(row) for row in tokens]
    return sorted(zip(tokens, segments)) == sorted(zip(truth["ids"], truth["segments"]))


def count_exact(records, *keys):
    """Rows of a table: what the keys name, exact, recovered though not exact, and seconds of the median."""
    groups = {}
    for r in records:
        groups.setdefault(tuple(r[key] for key in keys), []).append(r)
    return [[*group, f"{sum(r['exact'] for r in part)} of {len(part)}",
             sum(r["recovered"] and not r["exact"] for r in part), f"{median([r['seconds'] for r in part]):.2f}"]
            for group, part in groups.items()]


# ---- gradients of a multiple of the loss ----


def add_factor_option(p):
    p.add_argument("--factor", help="multiply each gradient: by a number; sum: by how many labels there are, as where "
                   "the loss was summed instead of averaged; clip: to a norm of 1 where it is larger")


def with_factor(bench, gradient, truth):
    """The gradient itself, or, where --factor is given, a file of its multiple that the next call overwrites."""
    factor = bench.options.factor
    if not factor:
        return gradient
    if factor == "sum":
        real = json.loads(truth.read_text(encoding="utf-8"))
        factor = sum(1 for label in flat(real["labels"]) if label != -100)
    multiple = bench.scratch / "multiple.g"
    run([bench.python, HERE / "multiply.py", gradient, multiple, factor])
    return multiple


def flat(labels):
    """Of a masked LM's rows of labels one list; a classifier's is one already."""
    return [label for row in labels for label in (row if isinstance(row, list) else [row])]


def factor_in_words(factor):
    """Behind what it was measured of."""
    return {None: "", "sum": ", summed", "clip": ", clipped to norm 1"}.get(factor, f", times {factor}")


# ---- tables ----


def table(head, rows):
    """Markdown; the first column is text, the others are numbers."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["| " + " | ".join(c.ljust(w) if not i else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))) + " |"
             for row in cells]
    rule = "|" + "|".join("-" * (w + 2) if not i else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def median(values):
    return statistics.median(values) if values else float("nan")


def spread(values, form="{:.0f}"):
    """median (largest)"""
    return f"{form.format(median(values))} ({form.format(max(values))})" if values else ""


def missed(records):
    """One line for every case that was not exact, or where the program's own word (recovered or not) is wrong."""
    lines = []
    for r in records:
        if not r["exact"]:
            wrong = "" if r["labels_right"] else ", labels wrong"
            lines.append(f"- {r['case']}: {100 * r['token_accuracy']:.0f} % of tokens{wrong}, ended {r['end']} after "
                         f"{r['iterations']} iterations; read \"{' / '.join(r['text'])}\"")
        if r["claims"] and not r["text_exact"]:
            lines.append(f"- {r['case']}: the program calls this recovered, and it is not")
        elif r["exact"] and not r["claims"]:
            lines.append(f"- {r['case']}: exact, but the program does not say so")
    return "\n".join(lines)


# ---- running ----


def add_options(p):
    """What all scripts take."""
    p.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="where CMake built (default: build)")
    p.add_argument("--output", type=pathlib.Path, help="folder of the results (default: BUILD/bench)")
    p.add_argument("--shared", type=pathlib.Path, default=ROOT.parent / "shared",
                   help="the shared cases (default: ../shared)")
    p.add_argument("--python", default=sys.executable,
                   help="an interpreter with torch and transformers (default: this one)")
    p.add_argument("--threads", type=int, default=2, help="of the programs (default 2)")


def parser(script):
    p = argparse.ArgumentParser(description=script.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(p)
    if hasattr(script, "options"):
        script.options(p)
    return p


def perform(script, options, name=None):
    """Measure, writing RESULTS/name.jsonl. A measurement that cannot be made leaves one record that says why."""
    bench = Bench(script, options)
    bench.program("dlg-text")
    folder = options.output or options.build / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name or script.NAME}.jsonl"
    partial = path.with_suffix(".partial")
    with tempfile.TemporaryDirectory() as scratch, partial.open("w", encoding="utf-8") as bench.file:
        bench.scratch = pathlib.Path(scratch)
        bench.record(machine=bench.machine())
        try:
            script.measure(bench)
        except Skipped as why:
            print(f"skipped: {script.NAME}: {why}", file=sys.stderr)
            bench.record(skipped=str(why))
    partial.replace(path)  # so that a run that was broken off does not pass for a result
    return path


def read(path):
    """(machine, records, why it was skipped or None)"""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    records = [line for line in lines if "machine" not in line and "skipped" not in line]
    return lines[0]["machine"], records, next((line["skipped"] for line in lines if "skipped" in line), None)


def section(script, path):
    _, records, skipped = read(path)
    text = f"## {script.TITLE}\n\n"
    if records:
        text += script.section(records).strip() + "\n"
    if skipped:
        text += f"\nskipped: {skipped}\n" if records else f"skipped: {skipped}\n"
    return text


def main(script):
    options = parser(script).parse_args()
    print(section(script, perform(script, options)))
