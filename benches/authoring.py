#!/usr/bin/env python3
"""How long the tool takes over rules, by their number: whether `check`, `diff` and `test --mutate` grow as the rules do, and no faster.

The rules are generated with a seed, from the calls of the catalogue (src/lint/catalogue/catalogue.txt): some name a call exactly,
some by a pattern, and each has cells beside the call. Processor seconds, the least of some runs, all in one run of this program.

usage: authoring.py [--tool FILE] [--beside FILE] [--runs N] [--most N] [--seed N]
         --tool    the program to measure (target/release/offlimits unless told)
         --beside  an older one, whose figures stand beside it, and whose diagnostics must be the same
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
USERS = ["james", "svc-jenkins", "ci", "backup", "deploy", "root-cause"]


def calls():
    """Service and call of the catalogue, but for calls that only read, and those that are recorded under another name."""
    service, found, renamed = "", [], set()
    for line in (ROOT / "src/lint/catalogue/catalogue.txt").read_text().splitlines():
        if line.startswith(("#", "[")):
            service = ""
        elif not line.startswith(" "):
            service = line
        elif service and line.startswith(" >"):
            renamed |= {(service, pair.partition("=")[0]) for pair in line.split()[1:]}
        elif service:
            verb, *rest = line.split()
            verb, _, flags = verb.partition(":")
            if not flags:
                found += [(service, verb + ("" if word == "-" else word)) for word in rest]
    return [call for call in found if call not in renamed]


def rules(count, seed, invented=False):
    """Rules about known calls, or about calls that nobody has."""
    dice, known = random.Random(seed), calls()
    made = []
    for number in range(count):
        rows = []
        for _ in range(1 + dice.randrange(2)):
            service, event = dice.choice(known)
            if invented:
                at = dice.randrange(1, len(event))
                event = event[:at] + dice.choice("XYZ") + dice.choice("qwv") + event[at:]
            name = dice.choice([{"is": event}, f"^{event}$", f"^{event}", event])
            row = {"service": {"is": service}, "event": name}
            if dice.randrange(2):
                row["user"] = {"not": {"is": dice.choice(USERS) + str(number)}}
            if not dice.randrange(4):
                row["source_ip"] = {"cidr": f"10.{number % 250}.0.0/16"}
            rows.append(row)
        tests = [{"name": "it", "event": {"eventName": "Nothing", "eventSource": "none"}, "expect": False}]
        made.append({"id": f"R-{number}", "title": "{event} by {actor}", "severity": "high", "when": rows, "tests": tests})
    return json.dumps({"rules": made}, indent=1)


def seconds(command, runs):
    """The least processor time of some runs."""
    best = None
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = took if best is None else min(best, took)
    return best


def said(tool, file):
    """What `check` says of a file, without its place."""
    run = subprocess.run([tool, "check", file, "--format", "json"], capture_output=True, check=False)
    return json.loads(run.stdout)["diagnostics"]


def main():
    arguments = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    arguments.add_argument("--tool", default=os.environ.get("CARGO_TARGET_DIR", ROOT / "target") / Path("release/offlimits"))
    arguments.add_argument("--beside")
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--most", type=int, default=50_000)
    arguments.add_argument("--seed", type=int, default=11)
    told = arguments.parse_args()
    tools = [str(told.tool)] + ([told.beside] if told.beside else [])
    differ = 0
    with tempfile.TemporaryDirectory() as folder:
        file, events = Path(folder, "rules.json"), str(ROOT / "events")
        figures = {}
        for count in [count for count in (1_000, 10_000, 50_000) if count <= told.most]:
            file.write_text(rules(count, told.seed))
            commands = {
                "bundle": ["bundle", str(file), "--output", str(Path(folder, "bundle.json"))],
                "check": ["check", str(file)],
                "test --mutate": ["test", "--mutate", "--rules", str(file)],
                "backtest": ["backtest", events, "--rules", str(file)],
                "diff": ["diff", str(file), str(file), events],
            }
            for name, command in commands.items():
                # What was quadratic is not asked for the largest file.
                figures[name, count] = [seconds([tool, *command], told.runs) for tool in tools if count < 50_000 or tool == tools[0]]
        for count in (250, 1_000, 4_000):
            for name, invented in (("known", False), ("invented", True)):
                file.write_text(rules(count, told.seed, invented))
                figures[f"check, {name} names", count] = [seconds([tool, "check", str(file)], told.runs) for tool in tools]
                if told.beside:
                    differ += said(tools[0], str(file)) != said(tools[1], str(file))
    for (name, count), took in figures.items():
        print(f"{name:<24}{count:>8,}  " + "  ".join(f"{each:8.3f} s" for each in took))
    def ratio(one, other):
        return "  ".join(f"{a / b:8.2f}  " for a, b in zip(figures[one], figures[other]))
    print(f"{'check ÷ bundle':<24}{10_000:>8,}  " + ratio(("check", 10_000), ("bundle", 10_000)))
    print(f"{'invented ÷ known':<24}{1_000:>8,}  " + ratio(("check, invented names", 1_000), ("check, known names", 1_000)))
    print(f"{'diff ÷ backtest':<24}{10_000:>8,}  " + ratio(("diff", 10_000), ("backtest", 10_000)))
    if differ:
        sys.exit(f"{differ} files have other diagnostics than before")


if __name__ == "__main__":
    main()
