#!/usr/bin/env python3
"""Runs every measurement and puts the results together: RESULTS/results.md, as it is kept in tests/bench,
RESULTS/results.json, and, where --python has matplotlib, RESULTS/figures.

Measurements that --only names are run, or all; with --collect none is. What is put together is everything that lies in
RESULTS, so a long measurement may be made alone, at another time. Options of single scripts keep their defaults;
--cases is shared.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import attacks
import batches
import blind
import common
import cost
import defences
import dropout
import evidence
import labels
import peer
import precision
import preset_batches
import recover_presets
import recover_transformers
import recovery
import scaling
import sweeps

SCRIPTS = [recover_presets, recover_transformers, labels, peer, recovery, scaling, precision, sweeps, defences,
           dropout, evidence, attacks, batches, preset_batches, blind, cost]


def options_of(script, chosen):
    """The script's own options, with what was chosen for all of them."""
    options = common.parser(script).parse_args([])
    for name, value in vars(chosen).items():
        if hasattr(options, name) and value is not None:
            setattr(options, name, value)
    return options


def runs():
    """(name of the results, script, its set or None), in the order of the report."""
    for script in SCRIPTS:
        if script is recover_transformers:
            yield from ((f"{script.NAME}-{name}", script, name) for name in script.SETS)
        else:
            yield script.NAME, script, None


def measure(chosen):
    for name, script, set_name in runs():
        if chosen.only and name not in chosen.only and script.NAME not in chosen.only:
            continue
        options = options_of(script, chosen)
        if set_name:
            options.sets = [set_name]
        print(f"== {name}", file=sys.stderr, flush=True)
        common.perform(script, options, name)


def describe(machines):
    """The machine; where not all results are of one machine, version and day, each of them with its results."""
    lines, by_machine = [], {}
    for name, machine in machines.items():
        key = json.dumps({k: v for k, v in machine.items() if k != "load"})
        by_machine.setdefault(key, []).append(name)
    for key, names in by_machine.items():
        m = json.loads(key)
        busiest = max(machines[name]["load"] for name in names)
        which = "" if len(by_machine) == 1 else f"{', '.join(names)}: "
        lines.append(f"{which}{m['processor']}, {m['cores']} processors, {m['memory_gib']} GiB; {m['system']}; "
                     f"{m['blas']}; {m['threads']} threads; dlg-text {m['version']}; {m['date']}; load when a "
                     f"measurement began at most {busiest}.")
    return "\n\n".join(lines)


def collect(folder):
    text, whole, machines = "", {}, {}
    for script in SCRIPTS:
        records, skipped = [], []
        for name, owner, _ in runs():
            path = folder / f"{name}.jsonl"
            if owner is not script or not path.exists():
                continue
            machines[name], part, why = common.read(path)
            records += part
            skipped += [f"skipped: {name}: {why}"] if why else []
            whole[name] = {"machine": machines[name], "skipped": why, "records": part}
        body = [script.section(records).strip()] if records else []
        text += f"\n## {script.TITLE}\n\n" + ("\n\n".join(body + skipped) or "not measured") + "\n"
    (folder / "results.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    report = f"# Results\n\nMade by all.py; README.md says what is measured.\n\n{describe(machines)}\n{text}"
    (folder / "results.md").write_text(report, encoding="utf-8")
    return report


def draw(folder, python):
    if common.has_packages(python, "matplotlib"):
        subprocess.run([python, common.HERE / "figures.py", folder, folder / "figures"], check=True)
    else:
        print(f"skipped: figures: {python} has no matplotlib", file=sys.stderr)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_options(p)
    p.add_argument("--cases", type=pathlib.Path,
                   help="where transformers' cases are or will be (default: BUILD/bench/cases)")
    names = [script.NAME for script in SCRIPTS] + [name for name, _, set_name in runs() if set_name]
    p.add_argument("--only", action="append", choices=names, help="repeatable")
    p.add_argument("--collect", action="store_true", help="measure nothing")
    chosen = p.parse_args()
    if not chosen.collect:
        measure(chosen)
    folder = chosen.output or chosen.build / "bench"
    if not folder.is_dir():
        sys.exit(f"{folder}: no results there")
    print(collect(folder))
    draw(folder, chosen.python)


if __name__ == "__main__":
    main()
