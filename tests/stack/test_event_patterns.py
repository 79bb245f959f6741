"""The judge of the derived patterns (tests/patterns/judge.rs) beside another implementation of EventBridge's language: ministack's
TestEventPattern. It takes patterns that are too long, and dispatches no rule in the state for all management events; the sizes and the states
are asserted elsewhere.

It asks a ministack of its own: thousands of requests, some of which take a while, are no neighbours for a test that waits for an alert, and what
they might bring down is theirs alone."""

import json
import os
import subprocess

import pytest
from botocore.exceptions import BotoCoreError
from local import ROOT, Aws


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    """Started when the pairs are there: the compiler may have needed the machine's memory before."""
    folder = tmp_path_factory.mktemp("patterns")
    pairs = folder / "pairs.jsonl"
    command = ["cargo", "test", "--locked", "--all-features", "--test", "integration", "--", "the_judges_answers_can_be_written_down"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"OFFLIMITS_PAIRS": str(pairs)}, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    with Aws(folder) as aws:
        yield aws, [json.loads(line) for line in pairs.read_text().splitlines()]


def state(aws: Aws) -> str:
    """How this AWS is, for whoever reads that it has not answered."""
    code = aws.process.poll()
    if code is not None:
        return f"ministack has ended with {code}; its log ends with: {aws.log.read_text()[-1000:]}"
    lines = open(f"/proc/{aws.process.pid}/status").read().splitlines() if os.path.exists("/proc/self/status") else []
    told = [" ".join(line.split()) for line in lines if line.startswith(("VmHWM", "Threads"))]
    return f"ministack runs ({', '.join(told)}); its log ends with: {aws.log.read_text()[-1000:]}"


def test_the_judge_and_the_emulator_agree(aws):
    aws, pairs = aws
    events, differ, passed = aws.client("events"), [], 0
    for asked, pair in enumerate(pairs):
        pattern, event = json.dumps(pair["pattern"]), json.dumps(pair["event"])
        try:
            answer = events.test_event_pattern(EventPattern=pattern, Event=event)["Result"]
        except BotoCoreError as error:
            pytest.fail(f"pair {asked} of {len(pairs)} was not answered: {error}\n{state(aws)}\n{pattern[:500]}\n{event[:500]}", pytrace=False)
        passed += answer
        if answer != pair["passes"]:
            differ.append((answer, pair))
    print(f"{len(pairs)} pairs, {passed} pass, {len(differ)} differ; {state(aws)}")
    assert not differ, f"{len(differ)} of {len(pairs)}: {differ[0]}"
    assert len(pairs) >= 5000 and 0 < passed < len(pairs)
