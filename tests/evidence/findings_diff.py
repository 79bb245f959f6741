"""What changed in the findings between two versions, over a folder of records: each with its own rules.

    python3 tests/evidence/findings_diff.py OLD_TOOL NEW_TOOL FOLDER [--old-rules FILE] [--new-rules FILE] [--titles] [--examples N]

A TOOL is a built `offlimits`; its rules are the `rules.json` of the checkout that holds it, unless an option names others. Both
replay every file of the folder that is a log (`.json`, `.jsonl`, with or without `.gz`). A finding is known by its file, the number of its
record, and its rule. The groups are rule × event × what changed: new, gone, another severity or mode; with `--titles` also other words in the
title or the sentence. Each group has its number of findings and of distinct events (a corpus may hold one twice), and examples.

What changed from commit 5577458 on, with the reason of each group, stands in tests/evidence/findings_diff.md.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys

SUFFIXES = (".json", ".jsonl", ".json.gz", ".jsonl.gz")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("old", type=pathlib.Path, metavar="OLD_TOOL")
    arguments.add_argument("new", type=pathlib.Path, metavar="NEW_TOOL")
    arguments.add_argument("folder", type=pathlib.Path, metavar="FOLDER")
    arguments.add_argument("--old-rules", type=pathlib.Path)
    arguments.add_argument("--new-rules", type=pathlib.Path)
    arguments.add_argument("--titles", action="store_true", help="compare titles and sentences, too")
    arguments.add_argument("--examples", type=int, default=1)
    arguments.add_argument("--fold", type=int, default=6, help="one group for a change that has more events than these")
    options = arguments.parse_args()
    files = sorted(file for file in options.folder.rglob("*") if file.is_file() and file.name.endswith(SUFFIXES))
    old = findings(options.old, options.old_rules, files)
    new = findings(options.new, options.new_rules, files)
    groups = collections.defaultdict(list)
    for key in sorted(old.keys() | new.keys()):
        for change in changes(old.get(key), new.get(key), options.titles):
            event = (new.get(key) or old[key])["event"] or "-"
            groups[(key[2], event, change)].append((key, old.get(key), new.get(key)))
    events = collections.Counter((rule, change) for rule, _, change in groups)
    for rule, event, change in list(groups):
        if events[rule, change] > options.fold:
            groups[(rule, f"any of {events[rule, change]} events", change)] += groups.pop((rule, event, change))
    print(f"{len(files)} files: {len(old)} findings before, {len(new)} after, {len(groups)} groups of changes")
    for (rule, event, change), members in sorted(groups.items()):
        distinct = {(after or before)["event_id"] or key[:2] for key, before, after in members}
        print(f"{rule} | {event} | {change} | {len(members)} findings, {len(distinct)} events")
        for (file, index, _), before, after in members[: options.examples]:
            print(f"    {pathlib.Path(file).relative_to(options.folder)} #{index}")
            for sign, finding in (("-", before), ("+", after)):
                if finding:
                    print(f"    {sign} {finding['severity']}: {finding['title']}\n      {finding['sentence']}")


def findings(tool, rules, files):
    """The findings of a tool, by file, record and rule."""
    tool = tool.resolve()
    rules = rules or next(parent / "rules.json" for parent in tool.parents if (parent / "rules.json").exists())
    run = subprocess.run(
        [tool, "replay", "--rules", rules, "--format", "jsonl", *files], capture_output=True, check=False, cwd=rules.parent
    )
    # What is no log makes exit code 1 or 2; a panic or a signal is another matter.
    if run.returncode not in (0, 1, 2):
        sys.exit(f"{tool}: {run.returncode}\n{run.stderr.decode()}")
    found = {}
    for line in run.stdout.splitlines():
        finding = json.loads(line)
        found[(finding["file"], finding["index"], finding["rule"])] = finding
    if not found:
        sys.exit(f"{tool} found nothing:\n{run.stderr.decode()}")
    return found


def changes(before, after, with_titles):
    """What changed, in words."""
    if before is None:
        return [f"new, {after['severity']}{staged(after)}"]
    if after is None:
        return [f"gone, was {before['severity']}{staged(before)}"]
    keys = ["severity", "mode"] + (["title", "sentence"] if with_titles else [])
    words = []
    for key in keys:
        if before[key] != after[key]:
            words.append(key if key in ("title", "sentence") else f"{key} {before[key]} → {after[key]}")
    return words


def staged(finding):
    return "" if finding["mode"] == "alert" else f" ({finding['mode']})"


if __name__ == "__main__":
    main()
