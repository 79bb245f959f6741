"""The calls that others name as attacks, and how many of them alert here.

    python3 tests/evidence/named_calls.py [--rules rules.json] [--tool target/release/offlimits] [--write | --check]

`named_calls.json` holds the names alone, written down by hand in November 2026: the ways up of
pathfinding.cloud with the calls of each (from a copy of its pages), and writes that the rules of Elastic, Panther and SigmaHQ
name (from lists of their files and from memory, not from each rule: some are missing). Each call is made by
an administrator of IAM Identity Center, as the smallest record that CloudTrail could write: without a request. So the shares
are a lower bound: what alerts by a value of the request (with whom a snapshot is shared) does not alert here. A way up counts if
one of its calls alerts; staged rules and those that count several calls (`threshold`) do not count.

What does not alert stands in the JSON with a reason. `--write` writes the tables to `named_calls.md`; `--check` fails if they
differ from what stands there, if a call that does not alert has no reason, if one that alerts has one, or if an aim is missed.
"""

import argparse
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from places import ROOT  # noqa: E402
from tool import built, counting, replay_records  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE / "named_calls.md"
# Of a hundred.
AIM_OF_WRITES, AIM_OF_PATHS = 90, 92
SEED = "RTM-011"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rules", type=pathlib.Path, default=ROOT / "rules.json")
    arguments.add_argument("--tool", type=pathlib.Path, help="the built offlimits")
    arguments.add_argument("--write", action="store_true", help="write named_calls.md")
    arguments.add_argument("--check", action="store_true", help="compare with named_calls.md, and with the aims")
    options = arguments.parse_args()
    named = json.loads((HERE / "named_calls.json").read_bytes())
    calls = sorted({call for group in (named["paths"], named["writes"]) for found in group.values() for call in found})
    alerting = alerts(calls, options)
    page, problems = tables(named, alerting)
    if options.write:
        PAGE.write_text(page)
    elif options.check:
        if not PAGE.exists() or PAGE.read_text() != page:
            problems.append("named_calls.md is not current: run python3 tests/evidence/named_calls.py --write")
        sys.exit("\n".join(problems) or None)
    else:
        print(page)
        print("\n".join(problems))


def alerts(calls, options):
    """Of each call the rules that alert of its smallest record."""
    found = {call: [] for call in calls}
    for finding in replay_records(built(options.tool), options.rules, [smallest(call) for call in calls]):
        if finding["mode"] == "alert" and finding["rule"] not in counting() | {SEED}:
            found[calls[finding["index"]]].append(finding["rule"])
    return found


def smallest(call):
    service, event = call.split(":")
    role = "AWSReservedSSO_AdministratorAccess_0123456789abcdef"
    return {
        "eventVersion": "1.11",
        "eventTime": "2026-04-02T09:15:00Z",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": event,
        "awsRegion": "us-east-1",
        "eventType": "AwsApiCall",
        "sourceIPAddress": "198.51.100.23",
        "userAgent": "aws-cli/2.32.3",
        "readOnly": False,
        "recipientAccountId": "111122223333",
        "userIdentity": {
            "type": "AssumedRole",
            "accountId": "111122223333",
            "arn": f"arn:aws:sts::111122223333:assumed-role/{role}/mara@example.com",
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "userName": role},
                "attributes": {"mfaAuthenticated": "false"},
            },
        },
    }


def tables(named, alerting):
    problems, reasons = [], named["reasons"]
    lines = ["# Calls that others name", "", "Written by `python3 tests/evidence/named_calls.py --write`, which says what counts.", ""]
    lines += ["| whose | named | alert | with a reason | of a hundred |", "|---|---:|---:|---:|---:|"]
    paths = named["paths"]
    up = [name for name, calls in paths.items() if any(alerting[call] for call in calls)]
    rest = [name for name in paths if name not in up]
    lines.append(row("pathfinding.cloud, ways up", len(paths), len(up), len(rest)))
    if 100 * len(up) < AIM_OF_PATHS * len(paths):
        problems.append(f"only {len(up)} of {len(paths)} ways up alert: {', '.join(rest)}")
    for name, calls in named["writes"].items():
        seen = [call for call in calls if alerting[call]]
        told = [call for call in calls if not alerting[call] and call in reasons]
        lines.append(row(name, len(calls), len(seen), len(told)))
        if 100 * (len(seen) + len(told)) < AIM_OF_WRITES * len(calls):
            problems.append(f"{name}: only {len(seen)} of {len(calls)} alert")
    lines += ["", "## What does not alert, and why", "", "| call | why |", "|---|---|"]
    for call in sorted(alerting):
        if not alerting[call] and call in reasons:
            lines.append(f"| `{call}` | {reasons[call]} |")
        elif not alerting[call] and any(call in calls for calls in named["writes"].values()):
            problems.append(f"{call} does not alert, and has no reason")
        elif alerting[call] and call in reasons:
            problems.append(f"{call} has a reason, and alerts: {', '.join(alerting[call])}")
    lines += ["", "Ways up of which no call alerts:", ""]
    lines += [f"- {name}: {', '.join(f'`{call}`' for call in paths[name])}" for name in rest]
    return "\n".join(lines) + "\n", problems


def row(name, total, alert, told):
    return f"| {name} | {total} | {alert} | {told} | {100 * alert / total:.0f} |"


if __name__ == "__main__":
    main()
