#!/usr/bin/env python3
"""How many ways to AWS and back an alert waits for, from the function's start: what the network costs it, wherever it is.

The function is started as by cold_start.py, and given an event that alerts on two channels, SNS and Slack. The services that it asks are mocks to
which, and back from which, everything takes so long (a connection, TLS, and each request one such way). What the time grows by, over the delay, is
the number of ways that follow one another: until the answer, and until the request to each vendor has arrived (its half of the last way included).
An older function (--beside FILE) takes turns with ours.

usage: round_trips.py [--beside FILE] [--runs N]
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from cold_start import PACKAGE, ROOT, RULES, TOOL, Checkout, be_first, environment_with, start
from mocks import certificate, distant

# Of a way there and back, in seconds.
DELAYS = [0.005, 0.02]
VENDORS = {"SNS": 1, "Slack": 2}


def main():
    arguments = argparse.ArgumentParser(description="How many ways to AWS and back an alert waits for.")
    arguments.add_argument("--beside", type=Path, metavar="FILE", help="an older function")
    arguments.add_argument("--runs", type=int, default=9)
    told = arguments.parse_args()
    functions = {"ours": PACKAGE / "bootstrap"} | ({"older": told.beside} if told.beside else {})
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        certificate(folder)
        alerting = (ROOT / "events/start-instances.json").read_bytes()
        programs = {name: Checkout(ROOT, file, TOOL).package(folder / name, RULES) for name, file in functions.items()}
        with distant(folder) as (endpoints, tallies, _, delay):
            environment = environment_with(endpoints, folder)
            be_first()
            took = {(name, way, seconds): [] for name in programs for way in ["answer", *VENDORS] for seconds in DELAYS}
            asked = {}
            for _ in range(told.runs):
                for seconds in DELAYS:
                    delay.value = seconds
                    for name, program in programs.items():
                        before, begun = [tally.count.value for tally in tallies], time.monotonic()
                        answer = start([str(program)], alerting, environment)
                        took[name, "answer", seconds].append(answer.wall / 1000)
                        for vendor, place in VENDORS.items():
                            took[name, vendor, seconds].append(tallies[place].came.value - begun)
                        asked[name] = [tally.count.value - count for tally, count in zip(tallies, before, strict=True)]
    report = {}
    for name in programs:
        few, many = ({way: statistics.median(took[name, way, seconds]) for way in ["answer", *VENDORS]} for seconds in DELAYS)
        ways = {way: round((many[way] - few[way]) / (DELAYS[1] - DELAYS[0]), 1) for way in few}
        # The request is on half of its way when it arrives.
        arrives = {vendor: round(ways[vendor] + 0.5, 1) for vendor in VENDORS}
        requests = dict(zip(["Secrets Manager", "SNS", "Slack", "DynamoDB"], asked[name], strict=True))
        report[name] = {"ways until the answer": ways["answer"], "the request to it is the way number": arrives, "requests": requests}
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
