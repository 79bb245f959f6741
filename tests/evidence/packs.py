"""What the shipped rules catch, and how loud they are: the tables of docs/packs.md.

    python3 tests/evidence/packs.py [--data ../shared/data] [--rules rules.json] [--write | --check]

It runs the built `offlimits replay` (of the release build, else of the debug build) over

- TrailDiscover's list of APIs that attackers use (traildiscover.cloud, CC BY 4.0): for each a successful call, which is its
  real record with the error taken away where there is one, and the smallest possible record where there is none;
- real logs, for the findings per 1,000 records.

A rule that counts several matches (`threshold`) alerts of none by itself: its findings are shown, and are no alerts.

`--write` puts the tables between the markers of docs/packs.md; `--check` fails if they differ from what stands there, or if
the aims are missed: 85 % of the writes that are used in the wild, at most one alert per 1,000 records of grycap's log and of
what AWS's services do (sharing a snapshot with a stranger aside, which a service reports and an attacker does).
"""

import argparse
import collections
import gzip
import json
import pathlib
import sys
import typing

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from places import CORPORA, ROOT  # noqa: E402
from tool import built, counting, replay_records  # noqa: E402

START, END = "<!-- tables: python3 tests/evidence/packs.py --write -->\n", "<!-- end of tables -->"
READS = ("Get", "List", "Describe", "Head", "Lookup", "Search", "BatchGet", "Query", "Scan", "Select")
NOISE = [
    ("sans504", "sans504-s3-ransomware/records.jsonl.gz"),
    ("invictus-ir", "invictus-ir/records.json"),
    ("grycap", "grycap-cloudtrail-tracker/records.json"),
]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=pathlib.Path, default=CORPORA)
    arguments.add_argument("--rules", type=pathlib.Path, default=ROOT / "rules.json")
    arguments.add_argument("--tool", type=pathlib.Path, help="the built offlimits")
    arguments.add_argument("--write", action="store_true", help="put the tables into docs/packs.md")
    arguments.add_argument("--check", action="store_true", help="compare with docs/packs.md, and with the aims")
    arguments.add_argument("--missing", action="store_true", help="also name the calls that nothing catches")
    options = arguments.parse_args()
    caught, loud = coverage(options), noise(options)
    tables = "\n\n".join([caught.table, loud.table])
    page = ROOT / "docs/packs.md"
    before, _, rest = page.read_text().partition(START)
    written, _, after = rest.partition(END)
    if options.write:
        page.write_text(f"{before}{START}\n{tables}\n\n{END}{after}")
    elif options.check:
        problems = caught.missed + loud.missed
        if written.strip() != tables:
            problems.append("docs/packs.md is not current: run python3 tests/evidence/packs.py --write")
        sys.exit("\n".join(problems) or None)
    else:
        print(tables)


class Evidence(typing.NamedTuple):
    table: str
    missed: list


def coverage(options):
    calls = attacker_calls(options.data)
    found = collections.defaultdict(list)
    for finding in replay_records(built(options.tool), options.rules, [record for _, record in calls]):
        found[finding["index"]].append(finding)
    rows = {}
    for index, (call, _) in enumerate(calls):
        hits = found.get(index, [])
        sent = [hit for hit in hits if alerts(hit)]
        for name in (*call["tactics"], "all"):
            for kind in kinds(call):
                count = rows.setdefault(name, {}).setdefault(kind, [0, 0, 0])
                count[0] += 1
                count[1] += bool(hits)
                count[2] += bool(sent)
        if options.missing and not hits:
            print("nothing catches", "wild" if call["wild"] else "    ", "read " if call["read"] else "write", call["service"], call["event"])
    lines = [
        "| tactic | all | used in the wild | writes | **writes used in the wild** | reads |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name in sorted(rows, key=lambda name: (name == "all", name)):
        cells = [cell(rows[name].get(kind)) for kind in ("all", "wild", "write", "wild write", "read")]
        lines.append(f"| {'**all tactics**' if name == 'all' else name} | " + " | ".join(cells) + " |")
    real = sum(call["real"] for call, _ in calls)
    lines += ["", f"{len(calls)} calls: {real} from real records, {len(calls) - real} from the smallest possible ones."]
    total, hit, _ = rows["all"]["wild write"]
    missed = [] if hit >= 0.85 * total else [f"only {hit} of {total} writes used in the wild are caught"]
    return Evidence("\n".join(lines), missed)


def cell(count):
    if not count:
        return ""
    total, hit, sent = count
    return f"{hit} of {total} ({100 * hit / total:.0f} %), {sent} alert"


def kinds(call):
    yield "all"
    yield "read" if call["read"] else "write"
    if call["wild"]:
        yield "wild"
        yield "wild read" if call["read"] else "wild write"


def attacker_calls(data):
    real = {}
    for record in json.loads((data / "traildiscover/records.json").read_bytes())["Records"]:
        key = record.get("eventSource"), record.get("eventName")
        # Of several records of one call, one that succeeded.
        if key not in real or "errorCode" in real[key]:
            real[key] = record
    observed = {}
    for line in (data / "api-actions/aws_api_actions.jsonl").read_text().splitlines():
        action = json.loads(line)
        observed[action["eventSource"], action["eventName"]] = action.get("observedReadOnly", action.get("readOnly"))
    calls = []
    for entry in json.loads((data / "traildiscover/attacker_events.json").read_bytes()):
        key = service, event = entry["eventSource"], entry["eventName"]
        record = real.get(key)
        read = (record or {}).get("readOnly")
        if read is None:
            read = observed.get(key)
        if read is None:
            read = event.startswith(READS)
        success = {name: value for name, value in (record or smallest(service, event, read)).items() if name not in ("errorCode", "errorMessage")}
        call = {
            "service": service,
            "event": event,
            "wild": entry["usedInWild"],
            "read": read,
            "real": record is not None,
            "tactics": entry["mitreAttackTactics"] or ["none"],
        }
        calls.append((call, success))
    return calls


def smallest(service, event, read):
    return {
        "eventVersion": "1.08",
        "eventSource": service,
        "eventName": event,
        "eventTime": "2026-01-14T12:00:00Z",
        "eventType": "AwsApiCall",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.15.0",
        "readOnly": read,
        "recipientAccountId": "123456789012",
        "userIdentity": {
            "type": "IAMUser",
            "accountId": "123456789012",
            "arn": "arn:aws:iam::123456789012:user/James",
            "userName": "James",
        },
    }


def noise(options):
    columns, counts, modes = [], collections.defaultdict(dict), {}
    sent, quiet = collections.Counter(), collections.Counter()
    for name, path in NOISE:
        records = read(options.data / path)
        service = [record for record in records if by_service(record)]
        for column, part in ((name, records), (f"{name}, AWS services'", service)):
            columns.append((column, len(part)))
            for finding in replay_records(built(options.tool), options.rules, part):
                rule = finding["rule"]
                modes[rule] = "counts" if finding["mode"] == "alert" and rule in counting() else finding["mode"]
                counts[rule][column] = counts[rule].get(column, 0) + 1
                if alerts(finding):
                    sent[column] += 1
                    quiet[column] += rule != "IMP-2"
    lines = [
        "| rule | " + " | ".join(f"{name} ({size:,})" for name, size in columns) + " |",
        "|---|" + "---:|" * len(columns),
    ]

    def row(title, value):
        return f"| {title} | " + " | ".join(value(name, size) for name, size in columns) + " |"

    def rate(number, size):
        return f"{1000 * number / size:.2f}" if number else ""

    for rule in sorted(counts, key=lambda rule: -sum(counts[rule].values())):
        title = rule if modes[rule] == "alert" else f"{rule} ({modes[rule]})"
        lines.append(row(title, lambda name, size, rule=rule: rate(counts[rule].get(name, 0), size)))
    lines.append(row("**alerts per 1,000 records**", lambda name, size: f"**{1000 * sent[name] / size:.2f}**"))
    missed = [
        f"{name}: {quiet[name]} alerts in {size} records"
        for name, size in columns
        if (name.startswith("grycap") or name.endswith("services'")) and quiet[name] > size / 1000
    ]
    return Evidence("\n".join(lines), missed)


def alerts(finding):
    return finding["mode"] == "alert" and finding["rule"] not in counting()


def by_service(record):
    """Ordinary service traffic: what AWS itself does, or does for somebody."""
    identity = record.get("userIdentity") or {}
    invoked = identity.get("invokedBy")
    return identity.get("type") == "AWSService" or (invoked is not None and invoked != "signin.amazonaws.com")


def read(path):
    if path.suffix == ".gz":
        return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    return json.loads(path.read_bytes())["Records"]


if __name__ == "__main__":
    main()
