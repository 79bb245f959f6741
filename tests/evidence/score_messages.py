"""What messages about labelled traffic are worth.

    python3 tests/evidence/intruders.py OUT
    offlimits replay OUT/records.jsonl --format jsonl > OUT/findings.jsonl
    python3 tests/evidence/score_messages.py --labels OUT/labels.jsonl --findings OUT/findings.jsonl --messages FILE
        [--within SECONDS] [--counting FILE] [--begin SECONDS --road SECONDS] [--json]

`--labels` is what `intruders.py` writes, `--findings` what `offlimits replay --format jsonl` prints of its records. `--messages`
has a line of JSON for each message that was sent:

    channel    the channel's name: each is scored by itself
    group      what the message belongs to: an incident, an alert with its roll-up, or the message alone. Messages of one channel
               with the same group are one thread; a message may be in several groups (a list)
    time       when it was sent, in seconds from any beginning (optional)
    findings   the ids of the findings that it names or counts (the key `finding` of replay), or
    events     the eventIDs of the records: then all findings of these records count as named
    person     whom the message calls the person behind all this (optional)

`--counting` has a line for each rule that counts (a threshold): of what it has found, and no message names, nobody was to be told
(below the threshold it is not told), and it is left out of every figure.

It prints, for each channel:

    reduction   1 - messages / findings
    grave       the share of very-high and extreme findings that some message names
    soon        with `--begin`, of each group and each rule and outcome with such findings: the share of which the first was named
                within a minute of its arrival
    recall      of the pairs of findings of one intruder: the share that is together in some group
    precision   of the pairs in some group of which one at least is an intruder's: the share that is one intruder's
    persons     of the chains of roles of which a message tells: the share of which each message that names a person names the
                right one, and one does

`--begin` is the beginning from which the messages' times are counted, in seconds since 1970; `--road` how long after its call a
finding arrives.

Pairs of two findings of the owners are neither right nor wrong. `--within` looks only at pairs that are so near in time, since
what lies far apart need not be told together. The same recall is printed for pairs of one account: whoever does not follow
credentials from account to account can have no more.
"""

import argparse
import collections
import datetime
import itertools
import json
import pathlib
import sys


def lines(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines() if line.strip()]


class Scored:
    """The figures of one channel."""

    def __init__(self, labels, findings, messages, within=None, counting=(), clock=None):
        self.labels = {label["event"]: label for label in labels}
        # CloudTrail delivers some records twice; a finding is one.
        self.findings = {finding["finding"]: finding for finding in findings if finding["mode"] == "alert"}
        self.of_event = collections.defaultdict(list)
        for name, finding in self.findings.items():
            self.of_event[finding["event_id"]].append(name)
        self.messages, self.within, self.clock = messages, within, clock
        self.groups = collections.defaultdict(set)
        self.named = set()
        for message in messages:
            names = self.names(message)
            self.named |= names
            groups = message["group"]
            for group in groups if isinstance(groups, list) else [groups]:
                self.groups[group] |= names
        for name in [name for name, finding in self.findings.items() if finding["rule"] in counting and name not in self.named]:
            del self.findings[name]
        self.leave_out_told_by_another_account()

    def leave_out_told_by_another_account(self):
        """What two accounts have recorded of one call is told once, whichever record came first."""
        acts = collections.defaultdict(set)
        for name, finding in self.findings.items():
            shared = self.label(name).get("shared")
            if shared:
                acts[shared, finding["rule"]].add(name)
        for names in acts.values():
            for name in names - self.named if names & self.named else ():
                del self.findings[name]

    def names(self, message):
        names = set(message.get("findings", []))
        for event in message.get("events", []):
            names.update(self.of_event[event])
        unknown = names - self.findings.keys()
        if unknown:
            raise SystemExit(f"a message names {len(unknown)} findings that are not in --findings, such as {min(unknown)}")
        return names

    def label(self, finding):
        return self.labels[self.findings[finding]["event_id"]]

    def reduction(self):
        return 1 - len(self.messages) / len(self.findings)

    def grave(self):
        grave = {name for name, finding in self.findings.items() if finding["severity"] in ("very-high", "extreme")}
        return len(grave & self.named) / len(grave) if grave else 1.0

    def soon(self):
        """Of what is grave: the groups × rules × outcomes, and those of which the first finding was named within a minute."""
        begin, road = self.clock
        arrived, named = {}, {}
        for message in self.messages:
            for name in self.names(message) & self.findings.keys():
                finding = self.findings[name]
                if finding["severity"] not in ("very-high", "extreme"):
                    continue
                groups = message["group"]
                for group in groups if isinstance(groups, list) else [groups]:
                    what = group, finding["rule"], finding["error"] is None
                    arrival = seconds(finding["event_time"]) + road - begin
                    arrived[what] = min(arrived.get(what, arrival), arrival)
                    named[what] = min(named.get(what, message["time"]), message["time"])
        return len(arrived), sum(named[what] - arrival <= 60 for what, arrival in arrived.items())

    def is_near(self, one, other):
        if self.within is None:
            return True
        return abs(seconds(self.findings[one]["event_time"]) - seconds(self.findings[other]["event_time"])) <= self.within

    def pairs(self):
        """Right pairs that are together, right pairs, the same of one account, and pairs of two who are together."""
        together = set()
        for names in self.groups.values():
            together.update(pair for pair in itertools.combinations(sorted(names), 2) if self.is_near(*pair))
        whose = {name: self.label(name)["who"] for name in self.findings}
        account = {name: finding["account"] for name, finding in self.findings.items()}
        right, right_here, found, found_here = 0, 0, 0, 0
        by_intruder = collections.defaultdict(list)
        for name, who in whose.items():
            if who != "operator":
                by_intruder[who].append(name)
        for names in by_intruder.values():
            for pair in itertools.combinations(sorted(names), 2):
                if not self.is_near(*pair):
                    continue
                is_here = account[pair[0]] == account[pair[1]]
                is_found = pair in together
                right, right_here = right + 1, right_here + is_here
                found, found_here = found + is_found, found_here + (is_here and is_found)
        wrong = sum(whose[one] != whose[other] for one, other in together)
        return {"right": right, "found": found, "right_in_account": right_here, "found_in_account": found_here, "wrong": wrong}

    def persons(self):
        """Chains of which a message tells, and those of which the right person is told."""
        said = collections.defaultdict(set)
        for message in self.messages:
            for name in self.names(message):
                label = self.label(name)
                if label["chain"] is not None:
                    said[label["chain"], label["person"]].add(message.get("person"))
        right = sum(names - {None} == {person} for (_, person), names in said.items())
        return len(said), right

    def figures(self):
        pairs = self.pairs()
        chains, right = self.persons()
        share = lambda part, whole: part / whole if whole else 1.0  # noqa: E731
        grave, soon = self.soon() if self.clock else (0, 0)
        return {
            "findings": len(self.findings), "messages": len(self.messages), "reduction": round(self.reduction(), 4),
            "grave": round(self.grave(), 4), **({"soon": round(share(soon, grave), 4)} if self.clock else {}),
            "recall": round(share(pairs["found"], pairs["right"]), 4),
            "recall_in_account": round(share(pairs["found_in_account"], pairs["right_in_account"]), 4),
            "precision": round(share(pairs["found"], pairs["found"] + pairs["wrong"]), 4),
            "persons": round(share(right, chains), 4), "chains": chains, **{f"pairs_{key}": value for key, value in pairs.items()},
        }


def seconds(time):
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("labels", "findings", "messages"):
        arguments.add_argument(f"--{name}", type=pathlib.Path, required=True)
    arguments.add_argument("--within", type=float, help="look only at pairs that are at most so many seconds apart")
    arguments.add_argument("--counting", type=pathlib.Path, help="the ids of the rules that count, one a line")
    arguments.add_argument("--begin", type=float, help="when the messages' times begin, in seconds since 1970")
    arguments.add_argument("--road", type=float, default=0, help="seconds from a call to the arrival of its findings")
    arguments.add_argument("--json", action="store_true", help="print one object, by channel")
    options = arguments.parse_args()
    labels, findings = lines(options.labels), lines(options.findings)
    counting = set(options.counting.read_text().split()) if options.counting else set()
    by_channel = collections.defaultdict(list)
    for message in lines(options.messages):
        by_channel[message["channel"]].append(message)
    clock = None if options.begin is None else (options.begin, options.road)
    figures = {channel: Scored(labels, findings, messages, options.within, counting, clock).figures()
               for channel, messages in sorted(by_channel.items())}
    if options.json:
        return print(json.dumps(figures))
    for channel, values in figures.items():
        print(channel)
        for name, value in values.items():
            print(f"  {name:18} {value:.2%}" if isinstance(value, float) else f"  {name:18} {value:,}")
    return None


if __name__ == "__main__":
    sys.exit(main())
