"""`offlimits silence` against our template in a local AWS: a rule is held back once the topic has been told, and the command lists and ends it."""

import json
import re
import subprocess

import pytest
from conftest import Stack, deployed, fresh, sample
from local import REGION, TOOL


@pytest.fixture(scope="module")
def silenced(aws, bootstrap, tmp_path_factory) -> Stack:
    """A stack of its own: a silence holds for every test that uses the stack."""
    return deployed(aws, tmp_path_factory.mktemp("silenced"), "offlimits-silenced", "silences.json")


def silence(stack: Stack, *more) -> subprocess.CompletedProcess:
    command = [TOOL, "silence", *more, "--stack", stack.name, "--region", REGION]
    return subprocess.run(command, env=stack.aws.environment, capture_output=True, text=True, timeout=60)


def add(stack: Stack, rule: str, *more) -> subprocess.CompletedProcess:
    return silence(stack, "add", "--rule", rule, "--for", "1h", "--reason", "CHG-1042: the database moves", *more)


def machine(message: dict) -> dict:
    """What the topic told machines."""
    return json.loads(message["Message"])


def test_a_rule_is_held_back_once_the_topic_was_told_and_until_the_silence_is_ended(silenced):
    inbox = silenced.aws.listen(silenced.outputs["TopicArn"])
    event = sample("start-instances")
    account = event["account"]
    done = add(silenced, "MOVES", "--by", f"account={account}")
    assert done.returncode == 0, done.stdout + done.stderr
    [id] = re.findall(r"\b[0-9a-f]{16}\b", done.stdout)
    # The call that CloudTrail records.
    tags = silenced.aws.client("lambda").get_function(FunctionName=silenced.outputs["FunctionName"])["Tags"]
    assert tags["offlimits:silence"].startswith(f"{id} MOVES until ")

    listed = silence(silenced, "list")
    assert listed.returncode == 0, listed.stderr
    assert all(part in listed.stdout for part in [id, "MOVES", f"account {account}", "CHG-1042: the database moves"]), listed.stdout

    # The first goes out and names it; the next one waits for the roll-up.
    assert silenced.invoke(event)[1] is None
    told = inbox.next()
    assert "CHG-1042: the database moves" in told["Message"], told
    assert silenced.invoke(fresh(event))[1] is None
    assert inbox.take() is None
    # Of another rule, and of what the silence is not for.
    assert silenced.invoke(sample("delete-trail"))[1] is None
    assert machine(inbox.next())["rule"] == "TRAIL"

    ended = silence(silenced, "end", id)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{id} silenced MOVES (account {account}) until " in silence(silenced, "list").stdout
    # A process that has read no silences yet.
    silenced.configure(Timeout=31)
    assert silenced.invoke(fresh(event))[1] is None
    assert machine(inbox.next())["rule"] == "MOVES"


def test_what_may_not_be_silenced_and_what_is_not_there_is_said(silenced):
    refused = add(silenced, "SELF-1")
    assert refused.returncode == 2 and "SELF-1 watches this monitor: it cannot be silenced" in refused.stderr, refused.stderr
    unknown = silence(silenced, "end", "0123456789abcdef")
    assert unknown.returncode == 1, unknown.stdout + unknown.stderr
    absent = subprocess.run(
        [TOOL, "silence", "list", "--stack", "no-such-stack", "--region", REGION], env=silenced.aws.environment, capture_output=True, text=True, timeout=60
    )
    assert absent.returncode == 2 and "no-such-stack" in absent.stderr, absent.stderr
