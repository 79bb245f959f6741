#!/usr/bin/env python3
"""Counts the instructions of a fixed piece of work (src/bin/workload.rs), and fails if there are more than instructions.json
allows: a count is the same whatever else the machine does, so that CI can tell what has become slower.

usage: instructions.py            compares with the limits
       instructions.py --write    sets the limits anew, and renews the table in docs/performance.md
       instructions.py --records FILE    counts over records of one's own, a line each, and compares with nothing"""

import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/support"))
from places import target  # noqa: E402

LIMITS = HERE / "instructions.json"
PAGE = HERE.parent / "docs" / "performance.md"
# What is small varies more from one compiler to the next.
HEADROOM = {"extract": 1.15, "compile": 1.15, "outline": 1.15, "find": 1.15, "quiet": 1.15, "alert": 1.15, "check": 1.15}
HEADROOM_OF_REST = 1.3
PHASES = {
    "extract": "extract the fields of a record",
    "seen": "evaluate it, beside extracting: its call in the cache",
    "fresh": "the same: half of the calls new",
    "forgotten": "the same: without a call cache",
    "outline": "evaluate it where a rule matches, and outline the finding",
    "find": "evaluate it where a rule matches, and make the whole finding",
    "quiet": "handle an event that matches nothing, with 1,000 rules",
    "alert": "handle an event that alerts on one channel, ledger in memory",
    "compile": "compile a rule, of 1,000",
    "check": "check a rule, of 1,000",
}


def main():
    if platform.machine() != "x86_64":
        print("skipped: the limits are counts of x86-64 instructions")
        return
    if not valgrind():
        print("skipped: valgrind is not installed, which counts the instructions")
        return
    counts, size = count(sys.argv[2:3] if "--records" in sys.argv else [])
    limits = json.loads(LIMITS.read_text()) if LIMITS.exists() else {}
    print(f"{'instructions':>12} {'limit':>9}  to")
    for name, what in PHASES.items():
        print(f"{counts[name]:12,} {limits.get(name, 0):9,}  {what}")
    if "--write" in sys.argv:
        write(counts, size)
    elif "--records" not in sys.argv:
        over = [PHASES[name] for name in PHASES if counts[name] > limits[name]]
        if over:
            sys.exit(
                f"too many instructions to {'; to '.join(over)}. What has become dearer? "
                "If it is worth it: benches/instructions.py --write"
            )


def valgrind():
    """Whether it is there; CI may install it."""
    if not shutil.which("valgrind") and os.environ.get("CI") and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-q"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "valgrind"], check=False)
    return shutil.which("valgrind")


def count(arguments):
    """Instructions of each phase, for one thing of it; and the bytes of a record."""
    subprocess.run(
        ["cargo", "build", "--locked", "--quiet", "--profile", "gate", "--no-default-features", "--features", "gate", "--bin", "workload"],
        cwd=HERE,
        env={**os.environ, "CARGO_TARGET_DIR": str(target(HERE))},
        check=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        profile = pathlib.Path(folder) / "profile"
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", "--dump-after=workload::phase_*"]
            + [target(HERE) / "gate" / "workload", *arguments],
            check=True,
            capture_output=True,
            text=True,
        )
        said = [line.split() for line in done.stdout.splitlines()]
        counts = {}
        for number, (name, things) in enumerate(said[:-1], start=1):
            total = re.search(r"^totals: (\d+)", pathlib.Path(f"{profile}.{number}").read_text(), re.MULTILINE)
            counts[name] = int(total[1]) // int(things)
    for name in ("seen", "fresh", "forgotten"):
        counts[name] -= counts["extract"]
    return counts, int(said[-1][1])


def write(counts, size):
    limits = {name: int(counts[name] * HEADROOM.get(name, HEADROOM_OF_REST)) for name in PHASES}
    LIMITS.write_text(json.dumps(limits, indent=2) + "\n")
    ratio = {name: f"{counts[name] / counts['extract']:.3f}" for name in PHASES} | {"compile": "–", "check": "–"}
    rows = "".join(f"| {what} | {counts[name]:,} | {ratio[name]} |\n" for name, what in PHASES.items())
    text = f"Records of {size:,} bytes, made up.\n\n| what | instructions | ÷ extract |\n|---|---:|---:|\n{rows}"
    begin, end = "<!-- begin instructions -->\n", "<!-- end instructions -->"
    page = PAGE.read_text()
    PAGE.write_text(f"{page[: page.index(begin)]}{begin}\n{text}\n{page[page.index(end) :]}")


if __name__ == "__main__":
    main()
