"""An update of a stack at work, and the way back: the version before and this one, each as it was built, in turn in one stack of a local AWS. What one
has left behind (deliveries in the queue, open windows, a roll-up that was ordered, a claim of an invocation that goes on meanwhile) is taken up by the
other: nothing is lost, and nothing is said twice.

Run by hand, with the version before checked out and built beside this one (`make build` in both):

  .venv/test/bin/python -B tests/evidence/upgrade.py FOLDER_OF_THE_VERSION_BEFORE
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/stack"))
from conftest import SAM, Stack, built, fresh, sample  # noqa: E402
from local import ARCHITECTURE, Aws, Slack, until  # noqa: E402

NAME = "offlimits-upgrade"
RULES = {
    "channels": {"topic": {"type": "sns"}, "soc": {"type": "slack"}},
    "rules": [
        # Opens windows, which are long enough for an update and end within this run.
        {"id": "STOP", "title": "t", "severity": "high", "throttle": {"window": "2m", "by": ["actor"]}, "when": {"event": {"is": "DeleteTrail"}}},
        {"id": "EACH", "title": "t", "severity": "high", "throttle": "off", "when": {"event": {"is": "StartInstances"}}},
    ],
}


def packaged(version: Path, folder: Path) -> Path:
    """What `make deploy` deploys of a version: its template, its function, and these rules as its own tool bundles them."""
    code = folder / "Function"
    code.mkdir(parents=True)
    built(folder, version / "template.yaml")
    shutil.copy2(version / "target/function/bootstrap", code)
    (folder / "plain.json").write_text(json.dumps(RULES))
    tool = version / "target/debug/offlimits"
    subprocess.run([tool, "bundle", folder / "plain.json", "--output", code / "rules.json"], check=True, capture_output=True, timeout=60)
    return folder


def deploy(aws: Aws, folder: Path) -> Stack:
    command = [SAM, "deploy", "--template-file", "template.yaml", "--config-file", ROOT / "samconfig.toml", "--stack-name", NAME]
    parameters = [f"Architecture={ARCHITECTURE}", "Email=someone@example.com"]
    template = (folder / "template.yaml").read_text()
    # ministack knows no queries; and the vendor is on this machine.
    for parameter, value in [("SavedQueries", "false"), ("PrivateEndpoints", "true")]:
        if f"  {parameter}:" in template:
            parameters.append(f"{parameter}={value}")
    command += ["--parameter-overrides", *parameters]
    done = subprocess.run(command, cwd=folder, env=aws.environment, capture_output=True, text=True, timeout=180)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)
    [stack] = aws.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
    stack = Stack(aws, NAME, {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]})
    until(
        lambda: aws.client("lambda").get_function_configuration(FunctionName=stack.outputs["FunctionName"]).get("LastUpdateStatus") == "Successful",
        what="update",
    )
    return stack


def named(messages: list, event: dict) -> list:
    return [m for m in messages if event["detail"]["eventID"] in json.dumps(m)]


def change(aws: Aws, slack: Slack, inbox, heard: list, old: Path, new: Path, word: str) -> None:
    """Leaves everything unfinished under one version, and has the other finish it."""
    stack = deploy(aws, old)
    slack.status, slack.body = 503, "down"
    actor = f"{word}-{int(time.time())}"
    waiting = [fresh(sample("start-instances")) for _ in range(3)]
    repeats = [fresh(sample("delete-trail")) for _ in range(4)]
    for event in repeats:
        event["detail"]["userIdentity"]["userName"] = actor
        event["detail"]["userIdentity"]["arn"] = f"arn:aws:iam::123456789012:user/{actor}"
    with ThreadPoolExecutor() as pool:  # each lasts until the function's deadline
        answers = [pool.submit(stack.invoke, event) for event in [*waiting, repeats[0]]]
        time.sleep(2)  # the window is open
        answers += [pool.submit(stack.invoke, event) for event in repeats[1:]]
        for answer in answers:
            summary, error = answer.result()
            assert error is None, summary
    # An invocation that goes on while the stack is updated: its vendor is down, and so it keeps its claim until its deadline.
    claimed = fresh(sample("start-instances"))
    going = threading.Thread(target=lambda: stack.invoke(claimed))
    going.start()
    time.sleep(2)

    stack = deploy(aws, new)
    summary, error = stack.invoke(claimed)
    assert error is None, summary
    print(f"{word}: the claimed one, by the next version: {summary['deliveries']}")
    slack.status, slack.body = 200, "ok"
    going.join()

    def listen() -> list:
        while (message := inbox.take()) is not None:
            heard.append(message)
        return heard

    for event in [*waiting, claimed, repeats[0]]:
        until(lambda event=event: named(slack.received, event), 240, f"message about {event['detail']['eventID']} on Slack")
    until(lambda: [m for m in slack.received if "and 3 more" in json.dumps(m) and actor in json.dumps(m)], 300, "roll-up on Slack")
    until(lambda: [m for m in listen() if "and 3 more" in json.dumps(m) and actor in json.dumps(m)], 300, "roll-up on the topic")
    # The same events once more: everything was told, whoever told it.
    for event in [*waiting, claimed, *repeats]:
        summary, error = stack.invoke(event)
        assert error is None and summary["deliveries"]["duplicate"] == 2, (summary, event["detail"]["eventID"])
    time.sleep(5)
    listen()
    for event in [*waiting, claimed]:
        assert (len(named(slack.received, event)), len(named(heard, event))) == (1, 1), event["detail"]["eventID"]
    for event in repeats[1:]:
        assert not named(slack.received, event) and not named(heard, event), "a repeat went out by itself"
    for name, messages in [("Slack", slack.received), ("the topic", heard)]:
        sums = [m for m in messages if actor in json.dumps(m) and re.search(r"and \d+ more", json.dumps(m))]
        assert len(sums) == 1, f"{len(sums)} roll-ups on {name}"
    for queue in ["Redelivery", "DeadLetters", "FailedEvents"]:
        counts = aws.client("sqs").get_queue_attributes(QueueUrl=stack.outputs[f"{queue}Url"], AttributeNames=["All"])["Attributes"]
        left = {k: int(v) for k, v in counts.items() if k.startswith("ApproximateNumberOf")}
        assert not any(left.values()), (queue, left)
    print(f"{word}: {len(waiting)} waiting, 1 claimed, 1 window with {len(repeats) - 1} held back: each told once on both channels, nothing left in a queue")


def main(before: Path) -> None:
    with tempfile.TemporaryDirectory() as name, Aws(Path(name)) as aws, Slack() as slack:
        old, new = packaged(before, Path(name) / "old"), packaged(ROOT, Path(name) / "new")
        stack = deploy(aws, old)
        stack.credentials({"soc": {"webhook_url": slack.url}})
        inbox, heard = aws.listen(stack.outputs["TopicArn"]), []
        change(aws, slack, inbox, heard, old, new, "update")
        change(aws, slack, inbox, heard, new, old, "rollback")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
