#!/usr/bin/env python3
"""What `offlimits import sigma` makes of Sigma's rules, beside a second engine: pySigma's SQLite backend.

    python3 -m venv V && V/bin/pip install pysigma==2.0.1 pysigma-backend-sqlite==2.1.1
    V/bin/python tests/evidence/sigma_judge.py --tool target/debug/offlimits RULES RECORDS…

RULES is a folder of Sigma's rules (SigmaHQ's `rules/cloud/aws`, or a file such as `tests/import/shapes.yml`), RECORDS are files and
folders of CloudTrail's records. It is run by hand: neither is in CI.

Both engines judge every rule on every record. Prints rules, verdicts and disagreements, and of each disagreement the cause, told by
the record and the rule:

- structure: the rule asks a field that holds a list or an object, or lies inside a list or a text that holds JSON. A column of
  SQLite holds one text; to us each member of a list is a value.
- case: SQLite folds ASCII's letters alone, and `fieldref` regards case on both sides or neither.
- null: the record holds `null`, which both count as missing, and `exists` does not in Sigma.

Anything else is a fault, of ours until it is shown to be another's: the exit code is then 1.
"""

import argparse
import collections
import gzip
import json
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile

import yaml
from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.rule import SigmaRule


def records(paths):
    """The records in files and folders: documents, lists of them, lines of them, plain or gzip."""
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if not re.search(r"records\.jsonl?(\.gz)?$", file.name) and path.is_dir():
                continue
            text = (gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()).decode()
            try:
                documents = [json.loads(text)]
            except json.JSONDecodeError:
                documents = [json.loads(line) for line in text.splitlines() if line.strip()]
            for document in documents:
                for record in document.get("Records", [document]) if isinstance(document, dict) else document:
                    if isinstance(record, dict) and "eventName" in record:
                        yield record


def found(record, path):
    """What a path leads to (`None` is missing), and whether a column can hold it."""
    value = record
    for key in path.split("."):
        if isinstance(value, list) or isinstance(value, str) and value[:1] in "{[%":
            return None, "structure"
        if not isinstance(value, dict) or key not in value:
            return None, None
        value = value[key]
    if value is None:
        return None, "null"
    if isinstance(value, (list, dict)):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False), "structure"
    if isinstance(value, bool):
        return str(value).lower(), None
    text = str(value)
    return text, None if text.isascii() else "case"


def fields_of(detection):
    """The fields that a detection asks, and those that it compares with."""
    fields = set()
    for key, value in detection.items() if isinstance(detection, dict) else []:
        if key in ("condition", "timeframe"):
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                for name, values in item.items():
                    name, *modifiers = name.split("|")
                    fields.add(name)
                    if "fieldref" in modifiers:
                        fields.add(values)
    return fields


def judged(document):
    """The queries of a rule by the second engine, or why there are none."""
    try:
        rule = SigmaRule.from_yaml(document)
        return sqliteBackend().convert(SigmaCollection([rule])), None
    except Exception as error:  # Whatever it raises is its refusal.
        return None, f"{type(error).__name__}: {error}"


def ours(tool, documents, lines, folder):
    """Of each rule's number the records (by number) that match, by `replay`; and the rules that were imported."""
    rules = folder / "rules"
    rules.mkdir()
    for number, document in enumerate(documents):
        (rules / f"r{number}.yml").write_text(document)
    imported = folder / "rules.json"
    report = subprocess.run([tool, "import", "sigma", rules, "-o", imported], capture_output=True, text=True)
    print(report.stderr.splitlines()[0] if report.stderr else "no report")
    for line in report.stderr.splitlines():
        if re.match(r"\s+\S*r\d+\.yml:\d+: ", line):
            print("  refused:", line.strip())
    file = json.loads(imported.read_text())
    for rule in file["rules"]:
        # Each match is a verdict, whatever the rule does of it later.
        for key in ("mode", "threshold", "throttle"):
            rule.pop(key, None)
    imported.write_text(json.dumps(file))
    log = folder / "records.jsonl"
    log.write_text("\n".join(lines) + "\n")
    out = folder / "findings.jsonl"
    with out.open("w") as stream:
        run = subprocess.run([tool, "replay", "--rules", imported, "--format", "jsonl", log], stdout=stream, stderr=subprocess.PIPE)
    if run.returncode:
        sys.exit(run.stderr.decode())
    matched = collections.defaultdict(set)
    with out.open() as stream:
        for line in stream:
            finding = json.loads(line)
            matched[int(finding["rule"][1:])].add(int(finding["event_id"]))
    return {int(rule["id"][1:]) for rule in file["rules"]}, matched


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", default="target/debug/offlimits", type=pathlib.Path)
    parser.add_argument("rules", type=pathlib.Path)
    parser.add_argument("records", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    files = sorted(arguments.rules.rglob("*.yml")) if arguments.rules.is_dir() else [arguments.rules]
    documents = [text for file in files for text in re.split(r"(?m)^---\s*$", file.read_text()) if yaml.safe_load(text)]
    parsed = [yaml.safe_load(text) for text in documents]
    fields = [fields_of(rule.get("detection", {})) for rule in parsed]
    columns = sorted(set().union(*fields))
    all_records = list(records(arguments.records))
    lines = [json.dumps({**record, "eventID": str(number)}) for number, record in enumerate(all_records)]
    print(f"{len(documents)} rules, {len(all_records)} records")

    database = sqlite3.connect(":memory:")
    database.create_function("REGEXP", 2, lambda pattern, text: text is not None and re.search(pattern, text) is not None)
    # Sigma regards no case; the backend writes plain values as `=`, which does.
    quoted = ", ".join('"%s" TEXT COLLATE NOCASE' % name.replace('"', '""') for name in columns)
    database.execute(f"CREATE TABLE logs (number INTEGER, {quoted})")
    marks = ", ".join("?" * (len(columns) + 1))
    rows = ([number, *(found(record, name)[0] for name in columns)] for number, record in enumerate(all_records))
    database.executemany(f"INSERT INTO logs VALUES ({marks})", rows)

    with tempfile.TemporaryDirectory() as folder:
        imported, matched = ours(arguments.tool.resolve(), documents, lines, pathlib.Path(folder))
    verdicts, causes, unexplained = 0, collections.Counter(), []
    for number, (document, rule) in enumerate(zip(documents, parsed)):
        queries, refusal = judged(document)
        if refusal:
            print(f"  not judged: {rule['title']}: {refusal}")
        if refusal or number not in imported:
            continue
        theirs = set()
        for query in queries:
            query = query.replace("SELECT *", "SELECT number", 1).replace("<TABLE_NAME>", "logs")
            theirs.update(found for [found] in database.execute(query))
        verdicts += len(all_records)
        for at in theirs ^ matched[number]:
            reasons = {found(all_records[at], name)[1] for name in fields[number]} - {None}
            if reasons:
                causes[(sorted(reasons)[-1], rule["title"])] += 1
            else:
                unexplained.append((rule["title"], at, at in theirs))
    print(f"{verdicts} verdicts, {sum(causes.values()) + len(unexplained)} disagreements")
    for (cause, title), count in sorted(causes.items()):
        print(f"  {count:6} {cause}: {title}")
    for title, at, their in unexplained[:20]:
        print(f"  UNEXPLAINED {title}: theirs {their}: {lines[at][:400]}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
