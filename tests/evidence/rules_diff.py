"""What an upgrade does to the rules: added, changed and removed, and what a day of an archive shows of each, for CHANGELOG.md.

    python3 tests/evidence/rules_diff.py OLD NEW [--tool TOOL] [--archive FOLDER] [--markdown]

OLD and NEW are files of rules (`rules.json`), each beside the packs that it includes: the last release's is made by
`git worktree add ../old TAG`. A rule that only moved to another pack is not listed. Of a changed rule the keys that differ are
named; its tests, its runbook and what to do first are no change of what it finds. `--archive` counts the findings of both over a
folder of log files (`offlimits replay`), by rule and as findings a day: of the days that the records' times name. TOOL is a built
`offlimits` that reads both, by default this checkout's.
"""

import argparse
import collections
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from places import TOOL  # noqa: E402
from tool import replay  # noqa: E402

# Keys that change nothing of what is found, or of how it is told.
QUIET = {"tests", "runbook", "description", "tags", "respond", "allow"}


def a_day(findings):
    """Findings a day, in three digits or whole."""
    return f"{findings:.3g}" if findings < 100 else f"{findings:.0f}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("old", type=pathlib.Path, metavar="OLD")
    arguments.add_argument("new", type=pathlib.Path, metavar="NEW")
    arguments.add_argument("--tool", type=pathlib.Path, default=TOOL)
    arguments.add_argument("--archive", type=pathlib.Path)
    arguments.add_argument("--markdown", action="store_true", help="for CHANGELOG.md: a table of what finds something, and the other rules in one line for each kind of change")
    options = arguments.parse_args()
    old, new = rules(options.old), rules(options.new)
    before, after, days = collections.Counter(), collections.Counter(), 1
    if options.archive:
        (before, one), (after, other) = (findings(options.tool, file, options.archive) for file in (options.old, options.new))
        days = max(len(one | other), 1)
    rows = []
    for rule in sorted(old.keys() | new.keys()):
        change = changed(old.get(rule), new.get(rule))
        if change or before[rule] != after[rule]:
            kept = new.get(rule) or old[rule]
            figures = [a_day(before[rule] / days), a_day(after[rule] / days)] if options.archive else []
            rows.append([rule, change or "finds otherwise", kept["severity"], kept.get("mode", "alert"), *figures, kept["title"]])
    counted = collections.Counter(row[1].split(":")[0] for row in rows)
    numbers = ", ".join(f"{number} {what}" for what, number in counted.items())
    print(f"{len(old)} rules before, {len(new)} after: {numbers or 'as before'}")
    if options.archive:
        print(f"{sum(before.values())} findings before, {sum(after.values())} after, in records of {days} {'day' if days == 1 else 'days'}")
    titles = ["rule", "change", "severity", "mode", *(["a day before", "a day after"] if options.archive else []), "title"]
    if options.markdown:
        silent = [row for row in rows if options.archive and not before[row[0]] and not after[row[0]]]
        line = lambda cells: print(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")  # noqa: E731
        line(titles)
        line(["---"] * len(titles))
        for row in rows:
            if row not in silent:
                line([*row[:-1], f"`{row[-1]}`"])
        for what in sorted({row[1] for row in silent}):
            print(f"\nWithout a finding there, {what}: {', '.join(row[0] for row in silent if row[1] == what)}.")
    else:
        for row in [titles, *rows]:
            print("\t".join(row))


def rules(file):
    """The rules of a file and of the packs that it includes, by id, as they run: overrides applied."""
    root = json.loads(file.read_text())
    found = {rule["id"]: rule for rule in root.get("rules", [])}
    for include in root.get("include", []):
        pack, overrides = (include, {}) if isinstance(include, str) else (include["pack"], include.get("overrides", {}))
        for rule in json.loads((file.parent / pack).read_text())["rules"]:
            override = dict(overrides.get(rule["id"], {}))
            rule["unless"] = rule.get("unless", []) + override.pop("unless", [])
            found[rule["id"]] = {**rule, **override}
    return found


def changed(old, new):
    """What became of a rule; nothing where it finds and tells what it did."""
    if old is None or new is None:
        return "added" if old is None else "removed"
    keys = sorted(key for key in (old.keys() | new.keys()) - QUIET if old.get(key) != new.get(key))
    return f"changed: {', '.join(keys)}" if keys else None


def findings(tool, rules, archive):
    """How many findings there are of each rule, and the days of the records that have one."""
    counted, days = collections.Counter(), set()
    for finding in replay(tool.resolve(), rules.resolve(), archive.resolve()):
        counted[finding["rule"]] += 1
        days.add((finding.get("event_time") or "")[:10])
    return counted, days


if __name__ == "__main__":
    main()
