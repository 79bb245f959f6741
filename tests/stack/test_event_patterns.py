"""The judge of the derived patterns (tests/patterns/judge.rs) beside another implementation of EventBridge's language: ministack's
TestEventPattern. It takes patterns that are too long, and dispatches no rule in the state for all management events; the sizes and the states
are asserted elsewhere."""

import json
import os
import subprocess

from local import ROOT


def test_the_judge_and_the_emulator_agree(aws, tmp_path):
    pairs = tmp_path / "pairs.jsonl"
    command = ["cargo", "test", "--locked", "--all-features", "--test", "integration", "--", "the_judges_answers_can_be_written_down"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"OFFLIMITS_PAIRS": str(pairs)}, check=True, capture_output=True, timeout=1800)
    events, differ, asked, passed = aws.client("events"), [], 0, 0
    for line in pairs.read_text().splitlines():
        pair = json.loads(line)
        answer = events.test_event_pattern(EventPattern=json.dumps(pair["pattern"]), Event=json.dumps(pair["event"]))["Result"]
        asked, passed = asked + 1, passed + answer
        if answer != pair["passes"]:
            differ.append((answer, pair))
    print(f"{asked} pairs, {passed} pass, {len(differ)} differ")
    assert not differ, f"{len(differ)} of {asked}: {differ[0]}"
    assert asked >= 5000 and 0 < passed < asked
