"""The built tool and what it says, for the scripts of tests/evidence."""

import functools
import json
import subprocess
import sys
import tempfile

from places import ROOT, TARGET, TOOL


def built(tool=None):
    """This tool, or else one that is built: the optimized one before the other."""
    found = next((known for known in (tool, TARGET / "release/offlimits", TOOL) if known and known.exists()), None)
    return found or sys.exit("run cargo build first")


def lines(tool, *arguments):
    """What it prints, a JSON value a line."""
    run = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    # A file in which something is no record, or in which nothing is found, makes exit code 1 or 2; a panic or a signal is another matter.
    if run.returncode not in (0, 1, 2):
        sys.exit(f"{tool}: {run.returncode}\n{run.stderr}")
    return [json.loads(line) for line in run.stdout.splitlines()]


def replay(tool, rules, file):
    """The findings of these rules in a file."""
    return lines(tool, "replay", "--rules", rules, "--format", "jsonl", file)


def replay_records(tool, rules, records):
    """The findings of these rules in records."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"Records": records}, file)
        file.flush()
        return replay(tool, rules, file.name)


def explained(tool, rules, file, channel):
    """What a channel is sent of each record in a file that alerts there."""
    return lines(tool, "explain", file, "--rules", rules, "--channel", channel)


@functools.cache
def counting():
    """The ids of the shipped rules that count."""
    packs = [json.loads(path.read_bytes()) for path in (ROOT / "packs").glob("*.json")]
    own = {rule["id"] for pack in packs for rule in pack["rules"] if "threshold" in rule}
    included = json.loads((ROOT / "rules.json").read_bytes())["include"]
    overrides = [override for pack in included if isinstance(pack, dict) for override in pack.get("overrides", {}).items()]
    return own | {name for name, override in overrides if "threshold" in override}
