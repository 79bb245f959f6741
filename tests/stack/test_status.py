"""A person on call, who has only the docs, finds out in the deployed stack why each of ten events did not alert.

Each case is brought about in the stack; then `offlimits status` is asked, as docs/no-alert.md says, and for what it does not know the `offlimits
explain` that it names. What both print is compared with the page, line by line. ministack knows no JSON patterns of CloudWatch's, and gives every
line; the tool sieves them again. tests/status.rs asks a stand-in that judges the patterns.
"""

import json
import re
import subprocess
import time

import pytest
from conftest import HERE, Stack, fresh, sample
from local import ACCOUNT, REGION, ROOT, TOOL, until

PAGE = (ROOT / "docs/no-alert.md").read_text()


def shown(case: str, command: str) -> list[str]:
    """What the page shows of a case: the lines that a command prints."""
    [section] = re.findall(rf"^### {case}\n(.*?)(?=^##)", PAGE, re.M | re.S)
    [lines] = re.findall(rf"^```text\n\$ offlimits {command} \w+\n(.*?)^```", section, re.M | re.S)
    return lines.splitlines()


def plain(text: str, event: str) -> list[str]:
    """What was printed, with the page's words for what differs from one time to the next."""
    text = text.replace(event, "EVENT").replace(REGION, "REGION")
    text = re.sub(r"alert [0-9a-f]{32}", "alert ALERT", text)
    text = re.sub(r"[0-9a-f]{32}", "FINDING", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    return re.sub(r"[\d,]+ ms after", "MS ms after", text).splitlines()


def fits(page: list[str], printed: list[str]) -> bool:
    """Whether lines are as the page shows them: `…` stands for any lines, and after other words for the rest of one."""
    if not page:
        return not printed
    first, *rest = page
    if first == "…":
        return any(fits(rest, printed[skipped:]) for skipped in range(len(printed) + 1))
    if not printed:
        return False
    same = printed[0].startswith(first[:-1]) if first.endswith("…") else printed[0] == first
    return same and fits(rest, printed[1:])


def offlimits(stack: Stack, *arguments) -> subprocess.CompletedProcess:
    return subprocess.run([TOOL, *arguments], env=stack.aws.environment, capture_output=True, text=True, timeout=120)


def status(stack: Stack, subject: str, *more: str) -> subprocess.CompletedProcess:
    return offlimits(stack, "status", subject, "--region", REGION, "--stack", stack.name, *more)


def told(stack: Stack, event: dict, case: str) -> list[str]:
    """What `status` says of the event, which must be what the page shows."""
    expected = shown(case, "status")
    answer = status(stack, event["detail"]["eventID"])
    printed = plain(answer.stdout, event["detail"]["eventID"])
    assert answer.returncode in {0, 1} and not answer.stderr, answer.stderr
    assert fits(expected, printed), "\n".join(["--- the page shows", *expected, "--- printed", *printed])
    return answer.stdout.splitlines()


def logged(stack: Stack, event: dict, outcome: str, seconds=60):
    """Waits until `status` has this outcome: ministack writes the log after the answer."""

    def known():
        answer = status(stack, event["detail"]["eventID"], "--format", "json")
        return f'"outcome":"{outcome}"' in answer.stdout

    until(known, seconds, f"{outcome} in the log")


def call(event_name: str, **detail) -> dict:
    event = fresh(sample("start-instances"))
    event["detail"] |= {"eventName": event_name} | detail
    return event


@pytest.fixture(autouse=True)
def channels(oncall, slack):
    oncall.credentials({name: {"webhook_url": slack.url} for name in ["soc", "spare"]})
    oncall.configure(Timeout=30)  # a new process, which reads the secret anew


def sent(stack: Stack, event: dict) -> dict:
    summary, error = stack.invoke(event)
    assert error is None, summary
    return summary


def test_throttled(oncall):
    first, repeat = call("DeleteTrail"), call("DeleteTrail")
    assert sent(oncall, first)["deliveries"]["delivered"] == 1
    assert sent(oncall, repeat)["deliveries"]["throttled"] == 1
    logged(oncall, repeat, "throttled")
    printed = told(oncall, repeat, "throttled")
    # The page says: ask for the first.
    [named] = re.findall(r"`offlimits status ([0-9a-f]{32})`", "\n".join(printed))
    document = json.loads(status(oncall, named, "--format", "json").stdout)
    [finding] = document["findings"]
    assert finding["event_id"] == first["detail"]["eventID"]
    assert finding["channels"][0]["outcome"] == "delivered"


def test_duplicate(oncall):
    event = call("StopLogging")
    assert sent(oncall, event)["deliveries"]["delivered"] == 1
    assert sent(oncall, event)["deliveries"]["duplicate"] == 1

    def twice():
        return '"duplicates":1' in status(oncall, event["detail"]["eventID"], "--format", "json").stdout

    until(twice, 60, "duplicate in the log")
    told(oncall, event, "duplicate")


def test_below_threshold(oncall):
    event = call("ConsoleLogin")
    assert sent(oncall, event)["findings"]["below_threshold"] == 1
    logged(oncall, event, "below_threshold")
    told(oncall, event, "below threshold")


def test_unrouted(oncall, tmp_path):
    event = call("CreateUser")
    assert sent(oncall, event)["findings"]["unrouted"] == 1
    logged(oncall, event, "unrouted")
    told(oncall, event, "unrouted")
    # It names the command that says why.
    explained = explain(oncall, event, tmp_path, "--rule", "NOBODYS")
    assert any(text.startswith("  channel spare does not take it: ") for text in explained)


def test_staged(oncall):
    event = call("CreateRole")
    assert sent(oncall, event)["findings"]["staged"] == 1
    logged(oncall, event, "staged")
    told(oncall, event, "staged")


def test_self(oncall):
    function, role = oncall.outputs["FunctionName"], oncall.outputs["RoleArn"].rsplit("/", 1)[1]
    identity = {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{function}",
        "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": oncall.outputs["RoleArn"], "userName": role}},
    }
    topic = {"topicArn": oncall.outputs["TopicArn"]}
    # As its SDK says: with another user agent somebody else has its session.
    agent = "aws-sdk-rust/1.3.14 ua/2.1 api/sns/1.99.0 os/linux lang/rust/1.95.0"
    published = {"eventSource": "sns.amazonaws.com", "userIdentity": identity, "userAgent": agent, "requestParameters": topic}
    event = call("Publish", **published, responseElements=None)
    assert sent(oncall, event)["findings"]["self"] == 1
    logged(oncall, event, "self")
    told(oncall, event, "self")


def test_dead(oncall, slack):
    slack.status, slack.body = 400, "invalid_payload"
    event = call("RunInstances")
    assert sent(oncall, event)["deliveries"]["dead"] == 1
    logged(oncall, event, "dead")
    told(oncall, event, "dead")


def test_waiting(oncall, slack):
    slack.status, slack.body = 503, "down"
    oncall.configure(Timeout=4)  # its own attempts are soon over
    event = call("RunInstances")
    assert sent(oncall, event)["deliveries"]["queued"] == 1
    logged(oncall, event, "queued")
    told(oncall, event, "waiting")
    # What arrives in the end is told as such, by its finding as well.
    slack.status, slack.body = 200, "ok"
    logged(oncall, event, "delivered", 120)
    [finding] = json.loads(status(oncall, event["detail"]["eventID"], "--format", "json").stdout)["findings"]
    [channel] = json.loads(status(oncall, finding["finding"], "--format", "json").stdout)["findings"][0]["channels"]
    assert channel["outcome"] == "delivered" and channel["reason"] is None and channel["latency_ms"] > 0


def explain(stack: Stack, event: dict, folder, *options: str) -> list[str]:
    """What `status` sends people to: the rules that are deployed, asked about the record."""
    record = folder / "record.json"
    record.write_text(json.dumps(event["detail"]))
    answer = offlimits(stack, "explain", record, "--rules", HERE / "oncall.json", *options)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.splitlines()


def assert_nothing_is_known(stack: Stack, event: dict):
    """The page shows that once."""
    answer = status(stack, event["detail"]["eventID"])
    assert answer.returncode == 1, answer.stdout
    expected = shown("excepted", "status")
    printed = plain(answer.stdout, event["detail"]["eventID"])
    assert fits(expected, printed), "\n".join(["--- the page shows", *expected, "--- printed", *printed])


def test_excepted(oncall, tmp_path):
    sent(oncall, call("CreateRole"))  # so that the log has lines
    event = call("CreateAccessKey", userIdentity={"type": "IAMUser", "userName": "pipeline", "accountId": ACCOUNT})
    assert sent(oncall, event)["findings"]["total"] == 0
    assert_nothing_is_known(oncall, event)
    assert fits(shown("excepted", "explain"), explain(oncall, event, tmp_path))


def test_never_seen(oncall, tmp_path):
    event = call("StopLogging")
    assert_nothing_is_known(oncall, event)
    assert fits(shown("never seen", "explain"), explain(oncall, event, tmp_path))


def test_a_log_without_such_lines_is_told_apart_from_silence(oncall):
    """LogLevel=WARN: an event leads nowhere, and the finding still does."""
    client, name = oncall.aws.client("lambda"), oncall.outputs["FunctionName"]
    environment = client.get_function_configuration(FunctionName=name)["Environment"]
    event = call("StopLogging")
    begun = int(time.time()) + 1
    time.sleep(2)
    oncall.configure(Environment={"Variables": environment["Variables"] | {"OFFLIMITS_LOG_LEVEL": "WARN"}})
    try:
        sent(oncall, event)
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begun))
        answer = status(oncall, event["detail"]["eventID"], "--since", since)
        assert answer.returncode == 1 and "LogLevel is WARN or ERROR" in answer.stdout, answer.stdout
        record = json.dumps(event["detail"])
        command = [TOOL, "explain", "-", "--rules", HERE / "oncall.json", "--rule", "PLAIN", "--format", "jsonl"]
        explained = subprocess.run(command, input=record, capture_output=True, text=True, check=True, timeout=60).stdout
        document = json.loads(status(oncall, json.loads(explained)["finding"], "--since", since, "--format", "json").stdout)
        assert document["findings"][0]["channels"][0]["outcome"] == "delivered"
    finally:
        oncall.configure(Environment=environment)


def test_a_stack_or_a_name_that_is_not_there_is_said(oncall):
    answer = offlimits(oncall, "status", "e-1", "--region", REGION, "--stack", "no-such-stack")
    assert answer.returncode == 2 and "error: the stack no-such-stack in us-east-1: " in answer.stderr, answer.stderr
    answer = status(oncall, "e-1", "--log-group", "/no/such/group")
    assert answer.returncode == 2 and "ResourceNotFoundException" in answer.stderr, answer.stderr


def test_the_page_has_ten_cases():
    assert len(re.findall(r"^### ", PAGE, re.M)) == 10
