"""`backtest` over millions of findings, against a reference in Python that keeps all of them: messages by kind and by day, repeats, the gate, and how much
memory and time it takes. Run by hand, after `cargo build --release`:

  PYTHONPATH=tests/support python3 -B tests/evidence/many_findings.py [--findings 6000000] [--seed 7] [--tool FILE] [--before FILE] [--keep FOLDER]

It writes an archive of four weeks and four regions, with a file for every hour, in which every record is a finding and every fourth is two: one rule is throttled, the other
has a threshold too, and each has a channel of its own with a storm guard. One record in twenty comes again, a quarter of the archive later. `--before`
is another version of the tool, whose figures and times are printed beside. It fails where a figure differs, where the peak of memory is above 300 MB,
and where a temporary folder that does not exist is not told of.
"""

import argparse
import gzip
import heapq
import json
import random
import sys
import tempfile
from array import array
from collections import Counter, deque
from datetime import UTC, datetime
from pathlib import Path

from measured import Run
from tool import built

START = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
HOURS, REGIONS = 28 * 24, ["eu-west-1", "us-east-1", "us-west-2", "ap-southeast-2"]
EVENTS = ["DescribeInstances", "ListBuckets", "GetCallerIdentity", "ListUsers"]
ACTORS, ADDRESSES, AGAIN = 400, 2000, HOURS
MOST_MEMORY = 300
THROTTLE, THRESHOLD, WINDOW, GUARD = 3600, 4, 900, 50
RULES = {
    "channels": {"all": {"type": "webhook", "max_per_minute": GUARD}, "lists": {"type": "webhook", "max_per_minute": GUARD}},
    "rules": [
        {
            "id": "ALL",
            "title": "{actor} called {event}",
            "severity": "low",
            "when": {"event": {"exists": True}},
            "throttle": {"by": ["actor", "region"], "window": "1h"},
            "notify": ["all"],
        },
        {
            "id": "LISTS",
            "title": "{actor} lists buckets",
            "severity": "medium",
            "when": {"event": "^ListBuckets$"},
            "threshold": {"count": THRESHOLD, "window": "15m", "by": ["source_ip"]},
            "throttle": {"by": ["source_ip"], "window": "1h"},
            "notify": ["lists"],
        },
    ],
}


class Archive:
    """The records, and the order in which they stand in the files."""

    def __init__(self, records, seed):
        chance = random.Random(seed)
        self.times, self.actors, self.addresses = array("I"), array("H"), array("H")
        self.events, self.failed, self.regions = array("B"), array("B"), array("B")
        self.files, number = [], 0
        per_file = records // (HOURS * len(REGIONS)) + 1
        for region in range(len(REGIONS)):
            for hour in range(HOURS):
                file = []
                for _ in range(min(per_file, records - number)):
                    # Most of what happens in an hour does so at its beginning.
                    self.times.append(START + hour * 3600 + int(chance.random() ** 3 * 3600))
                    self.actors.append(int(chance.random() * ACTORS))
                    self.addresses.append(int(chance.random() * ADDRESSES))
                    self.events.append(int(chance.random() * len(EVENTS)))
                    self.failed.append(chance.random() < 0.5)
                    self.regions.append(region)
                    file.append(number)
                    number += 1
                if len(self.files) >= AGAIN and self.files[-AGAIN]:
                    before = self.files[-AGAIN]
                    file.extend(before[0] + int(chance.random() * len(before) * 0.95) for _ in range(len(file) // 20))
                self.files.append(array("I", file))
        self.count = number

    def write(self, folder):
        for place, file in enumerate(self.files):
            with gzip.open(folder / f"{place:04}.json.gz", "wb", compresslevel=1) as out:
                out.write(b'{"Records":[')
                for start in range(0, len(file), 5000):
                    text = ",".join(map(self.record, file[start : start + 5000]))
                    out.write(("," if start else "").encode() + text.encode())
                out.write(b"]}")

    def record(self, number):
        moment = datetime.fromtimestamp(self.times[number], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        error = '"errorCode":"AccessDenied",' if self.failed[number] else ""
        return (
            f'{{"eventVersion":"1.08","userIdentity":{{"type":"IAMUser","accountId":"111122223333","userName":"user{self.actors[number]}"}},'
            f'"eventTime":"{moment}","eventSource":"example.amazonaws.com","eventName":"{EVENTS[self.events[number]]}",{error}'
            f'"awsRegion":"{REGIONS[self.regions[number]]}","sourceIPAddress":"host{self.addresses[number]}.example.com","userAgent":"aws-cli/2.15",'
            f'"requestParameters":null,"responseElements":null,"eventID":"00000000-0000-4000-8000-{number:012}","eventType":"AwsApiCall",'
            f'"recipientAccountId":"111122223333"}}'
        )

    def in_time_order(self):
        """The record numbers in the order of their times, and of the archive where these are equal."""
        known, order = bytearray(self.count), array("Q")
        repeats = Counter()
        place = 0
        for file in self.files:
            for number in file:
                if known[number]:
                    repeats[EVENTS[self.events[number]]] += 1
                    continue
                known[number] = 1
                order.append((self.times[number] - START) << 40 | place)
                place += 1
        # Records stand in the archive in the order of their numbers, those that come again aside.
        assert place == self.count
        return [key & (1 << 40) - 1 for key in sorted(order)], repeats


class Channel:
    """What one channel is sent: throttle, roll-ups, storm guard, digests."""

    def __init__(self):
        self.counts, self.days = Counter(), Counter()
        self.windows, self.queue, self.queued = {}, [], 0
        self.minute, self.counted, self.digest = None, 0, None

    def sent(self, kind, now):
        self.counts[kind] += 1
        self.counts["messages"] += 1
        self.days[datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")] += 1

    def enqueue(self, due, message):
        heapq.heappush(self.queue, (due, self.queued, message))
        self.queued += 1

    def passes(self, now, is_alert):
        if now // 60 != self.minute:
            self.minute, self.counted, self.digest = now // 60, 0, None
        passes = self.counted < GUARD
        self.counted += passes or is_alert
        if not passes and self.digest is None:
            self.digest = ["digest"]
            self.enqueue((now // 60 + 1) * 60 + 60, self.digest)
        return passes

    def advance(self, now):
        while self.queue and (now is None or self.queue[0][0] <= now):
            due, _, message = heapq.heappop(self.queue)
            if message[0] == "digest":
                self.sent("digests", due)
            elif self.passes(due, is_alert=False):
                self.sent("roll_ups", due)
            else:
                self.counts["digested_roll_ups"] += 1

    def finding(self, group, succeeded, now):
        self.advance(now)
        window = self.windows.get(group)
        if window is None or now >= window[0]:
            self.windows[group] = [now + THROTTLE, succeeded, False]
        elif succeeded and not window[1]:
            window[1] = True
        else:
            self.counts["held_back"] += 1
            if not window[2]:
                window[2] = True
                self.enqueue(window[0] + 60, ["roll-up"])
            return
        if self.passes(now, is_alert=True):
            self.sent("alerts", now)
        else:
            self.counts["digested"] += 1


def reference(archive):
    order, repeats = archive.in_time_order()
    every, lists = Channel(), Channel()
    occurrences = {}
    for number in order:
        now, succeeded = archive.times[number], not archive.failed[number]
        every.finding((archive.actors[number], archive.regions[number]), succeeded, now)
        if EVENTS[archive.events[number]] != "ListBuckets":
            continue
        times = occurrences.setdefault(archive.addresses[number], deque(maxlen=THRESHOLD))
        times.append(now)
        if len(times) == THRESHOLD and now - times[0] <= WINDOW:
            lists.finding(archive.addresses[number], succeeded, now)
        else:
            lists.counts["below_threshold"] += 1
    for channel in (every, lists):
        channel.advance(None)
    findings = archive.count + sum(1 for event in archive.events if EVENTS[event] == "ListBuckets")
    return findings, repeats.total() + repeats["ListBuckets"], every, lists


KEYS = ["alerts", "held_back", "digested", "roll_ups", "digested_roll_ups", "digests", "messages", "below_threshold"]


def figures(summary):
    return {key: summary[key] for key in ["findings", "repeats", *KEYS]} | {
        "days": {day["day"]: day["messages"] for day in summary["days"] if day["messages"]},
        "channels": {line["channel"]: {key: line[key] for key in KEYS} for line in summary["channels"]},
    }


def expected(findings, repeats, every, lists):
    counts = {key: every.counts[key] + lists.counts[key] for key in KEYS}
    days = every.days + lists.days
    channels = {"all": every, "lists": lists}
    return {"findings": findings, "repeats": repeats} | counts | {
        "days": dict(days),
        "channels": {name: {key: channel.counts[key] for key in KEYS} for name, channel in channels.items()},
    }


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--findings", type=int, default=6_000_000)
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--tool", type=Path)
    arguments.add_argument("--before", type=Path)
    arguments.add_argument("--keep", type=Path)
    asked = arguments.parse_args()
    tool = built(asked.tool)
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        logs, rules, page = folder / "logs", folder / "rules.json", folder / "report.html"
        archive = Archive(asked.findings * 4 // 5, asked.seed)
        if not logs.exists():
            logs.mkdir(parents=True)
            archive.write(logs)
        rules.write_text(json.dumps(RULES))
        right = expected(*reference(archive))
        worst = max(right["days"].values())
        told = {key: value for key, value in right.items() if key not in ("days", "channels")}
        print(f"{told}, worst day: {worst}", flush=True)
        wrong = []
        common = ["backtest", str(logs), "--rules", str(rules), "--format", "json"]
        if asked.before:
            ran = Run([asked.before, *common])
            before = figures(json.loads(ran.out))
            told = {key: value for key, value in before.items() if key not in ("days", "channels")}
            print(f"before: {ran}: {told}, worst day: {max(before['days'].values())}", flush=True)
        for name, options, code in [
            ("open gate", ["--max-per-day", str(worst)], 0),
            ("closed gate", ["--max-per-day", str(worst - 1)], 1),
            ("report", ["--report", str(page)], 0),
        ]:
            ran = Run([tool, *common, *options])
            print(f"{name}: {ran}", flush=True)
            if ran.code != code:
                wrong.append(f"{name}: exit code {ran.code}: {ran.told}")
            if not ran.out or figures(json.loads(ran.out)) != right:
                wrong.append(f"{name}: other figures: {ran.out or ran.told}")
            if ran.megabytes > MOST_MEMORY and name != "report":
                wrong.append(f"{name}: {ran.megabytes:.0f} MB")
        if f"{right['findings']:,}" not in page.read_text():
            wrong.append("the report has another number of findings")
        nowhere = folder / "nowhere"
        ran = Run([tool, *common], TMPDIR=str(nowhere))
        is_large = asked.findings > 2_000_000
        if is_large and (ran.code != 2 or ran.out or str(nowhere) not in ran.told or "TMPDIR" not in ran.told):
            wrong.append(f"without a temporary folder: {ran}: {ran.out}{ran.told}")
        elif is_large:
            print(ran.told.strip())
    sys.exit("\n".join(wrong) or None)


if __name__ == "__main__":
    main()
