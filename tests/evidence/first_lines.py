"""Whether the fact that decides stands in the first three lines of every channel's message to people.

    python3 tests/evidence/first_lines.py [--shared ../shared] [--rules rules.json] [--tool target/debug/offlimits]

For each call below it asks the built `offlimits explain --channel` for the message that tells of it, on every channel that people read, and
looks for the fact: words that were taken from the record by hand, and not from a message. A line is what the channel lays out as one, a
block of Slack or an element of a Teams card; a mail has its subject besides, a PagerDuty incident its summary alone, and an SMS is one line. It prints a table, and exits with 1
where a fact is missing or a call has no message.
"""

import argparse
import html
import json
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from places import CORPORA, ROOT, TOOL  # noqa: E402
from tool import explained  # noqa: E402

CHANNELS = {
    "topic": {"type": "sns"},
    "slack": {"type": "slack"},
    "teams": {"type": "teams"},
    "pagerduty": {"type": "pagerduty"},
    "zendesk": {"type": "zendesk", "subdomain": "example"},
    "servicenow": {"type": "servicenow", "instance": "example"},
}
SEVERITIES = ["extreme", "very-high", "high", "medium", "low"]
COLUMNS = ["Email", "SMS", "Slack", "Teams", "PagerDuty", "Zendesk", "ServiceNow"]

# A file of cases/detection by its number, or the eventID of a record; the fact, all of whose words must stand
# there. An SMS cuts long names in their middle. Nothing is said of the cases 03, 12, 17 and 40, which raise no alert, and of 30, 31 and 38, which no shipped rule is about.
FACTS = [
    ("01", ["stratus-red-team_"]),
    ("02", ["FAILED", "PasswordUpdated"]),
    ("04", ["tcp 22 from 0.0.0.0/0", "sg-1"]),
    ("05", ["tcp 22 from 0.0.0.0/0", "sg-1"]),
    ("06", ["public-read|everybody"]),
    ("07", ["key of the caller's own|customer|SSE-C", "big.db|b"]),
    ("08", ["public", "db"]),
    ("09", ["backup-2024-01-15"]),
    ("10", ["cluster-ABC"]),
    ("11", ["DENIED", "i-0123456789abcdef0"]),
    ("13", ["DENIED", "p2.xlarge"]),
    ("14", ["pay", "UpdateFunctionCode"]),
    ("15", ["EnableExternalIdPCo.*urationForDirectory", "d-1"]),
    ("16", ["i-0123456789abcdef0"]),
    ("32", ["backup"]),
    ("33", ["everybody|Principal \\*|anybody|Allow", "example-bucket"]),
    ("34", ["tcp 22 from 0.0.0.0/0", "sg-0a1b2c3d4e5f67890"]),
    ("35", ["public-read-write|everybody", "example-bucket"]),
    ("36", ["IAM:\\*", "x"]),
    ("37", ["p5.48xlarge"]),
    ("39", ["svc", "999999999999"]),
    ("41", ["222222222222", "S3UnlockBucketPolicy"]),
    ("42", ["i-01234567abcabcabc", "StartInstances"]),
    ("edc26fa8-655a-4346-9e18-f79b0d9e25de", ["AmazonSSMManagedInstanceCore", "stra.*role"]),
    ("99b46479-d5c7-4384-b342-006ece8c36a0", ["i-0dbc91f429e48eeed", "AWS-RunShellScript"]),
    ("f6e10706-705c-47f2-94d4-112a9527ab8b", ["FAILED", "stratus-red-team-ct-stop-trail-qzbgnfqisx"]),
    ("de58d903-38d7-4f30-a84b-b79d858e8376", ["fl-064ed3a785e4a37ef"]),
    ("076e96d5-2983-473f-920a-2fc2d7e02777", ["ReadOnly|management"]),
    ("b7e19efd-92be-4182-bbbc-b6468296710b", ["FAILED", "stratus-red-team-cloudtraild-trail-aueolsaccp"]),
    ("7823c70d-f7f9-4a04-b4c0-baa8fbe09ea3", ["1 day", "stratus-red-team-ctlr-bucket-zqfsvooxqj"]),
    ("8fe3095f-909c-41f5-a769-00b9ec6e95df", ["012345678901", "ami-0aa1d83d0b0985c86"]),
    ("2d19ab1e-82e9-4302-ad10-a405b50c8d49", ["193672423079", "exfiltration"]),
    ("f0d7bb15-75c8-4770-a500-92d1f71b948c", ["stra.*user"]),
    ("c704b1d0-d5a6-4eed-aaf6-caecd497993b", ["FAILED", "terraform-20230710121504061500000001"]),
    ("059cf0ed-af91-40a6-9c89-a8a4fb81dc65", ["trusts ec2|ec2.amazonaws.com", "backdoor-r-role"]),
    ("66d008e1-12cf-4a45-99e7-0be67fc70d71", ["stratus-red-team-nmfalu-gfjyeaypjt"]),
    ("64b7de64-bf53-47ae-b7e3-d30cb1b5136e", ["AKIA", "stra.*user"]),
    ("f4923a37-92d5-4dfd-9786-6caef2b5f33c", ["AdministratorAccess", "malicious-iam-user"]),
    ("2e15203f-d196-441a-adeb-794b195b4a28", ["stra.*func"]),
    ("b921a62d-9241-42a2-bb3c-6821e55c20cd", ["stratus-red-team-bdbp-lhfzvgcamn", "DeleteBucketPolicy"]),
    ("0c8ebbec-bc39-4e01-8ef5-720e75664a54", ["DENIED", "TrailDiscoverDetectorId"]),
    ("7a0067f3-5a91-4116-ab94-e497b06054ae", ["760507577735"]),
]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--shared", type=pathlib.Path, default=CORPORA.parent)
    arguments.add_argument("--rules", type=pathlib.Path, default=ROOT / "rules.json")
    arguments.add_argument("--tool", type=pathlib.Path, default=TOOL)
    options = arguments.parse_args()
    records = corpus(options.shared / "data")
    with tempfile.TemporaryDirectory() as folder:
        rules = with_channels(options.rules, pathlib.Path(folder))
        print("| call | rule | fact |", " | ".join(COLUMNS), "|\n|---|---|---|" + "---|" * len(COLUMNS))
        missing = 0
        for key, fact in FACTS:
            event = pathlib.Path(folder) / "event.json"
            event.write_text(case(options.shared / "cases/detection", key) if len(key) == 2 else json.dumps(records[key]))
            name = json.loads(event.read_text())
            name = (name.get("detail") or name.get("Records", [name])[0]).get("eventName")
            alerts = messages(options.tool, rules, event)
            chosen = next(iter(alerts), None)
            lines = alerts.get(chosen, {})
            said = {column: all(re.search(word, lines.get(column, ""), re.I) for word in fact) for column in COLUMNS}
            missing += list(said.values()).count(False)
            print(f"| {key[:8]} {name} | {chosen} | {', '.join(fact)} |", " | ".join("yes" if said[c] else "**no**" for c in COLUMNS), "|")
            for column in COLUMNS:
                if not said[column]:
                    print(f"  {column}: {lines.get(column)!r}", file=sys.stderr)
    print(f"\n{len(FACTS)} calls, {missing} messages without the fact")
    return missing > 0


def corpus(data):
    found = {}
    for name in ("invictus-ir", "traildiscover", "panther-share"):
        for record in json.loads((data / name / "records.json").read_text())["Records"]:
            found.setdefault(record.get("eventID"), record)
    return found


def case(folder, number):
    return next(folder.glob(f"{number}-*.json")).read_text()


def with_channels(rules, folder):
    """The same rules, and a channel of each type that people read."""
    document = json.loads(rules.read_text())
    document.pop("$schema", None)
    document["channels"] = CHANNELS
    (folder / "packs").symlink_to(rules.resolve().parent / "packs")
    (folder / "rules.json").write_text(json.dumps(document))
    return folder / "rules.json"


def messages(tool, rules, event):
    """By rule, the most severe first, and by column: the lines that are read first."""
    alerts = {}
    sent = [explained(tool, rules, event, channel) for channel in CHANNELS]
    for topic, slack, teams, pagerduty, zendesk, servicenow in zip(*sent, strict=True):
        machine = json.loads(topic["machine"])
        alerts[SEVERITIES.index(machine["severity"]), machine["rule"]] = {
            "Email": [topic["subject"], *topic["email"].splitlines()[:3]],
            "SMS": [topic["sms"]],
            "Slack": [texts(block) for block in slack["blocks"][:3]],
            "Teams": [texts(block) for block in teams["attachments"][0]["content"]["body"][:3]],
            "PagerDuty": [pagerduty["payload"]["summary"]],
            "Zendesk": [html.unescape(re.sub("<.*?>", " ", part)) for part in re.split("</p>(?!<ul>)|</ul>", zendesk["ticket"]["comment"]["html_body"])[:3]],
            "ServiceNow": servicenow["description"].splitlines()[:3],
        }
    return {rule: {column: "\n".join(lines) for column, lines in alert.items()} for (_, rule), alert in sorted(alerts.items())}


def texts(block):
    """All that a block of Slack or Teams says."""
    if isinstance(block, list):
        return " ".join(map(texts, block))
    if isinstance(block, dict):
        return " ".join(value if key == "text" and isinstance(value, str) else texts(value) for key, value in block.items())
    return ""


if __name__ == "__main__":
    sys.exit(main())
