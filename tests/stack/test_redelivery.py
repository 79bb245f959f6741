"""The deployed stack when a channel is ill: the others are served at once, and what it did not take arrives later, whichever queue it lay in."""

import json
import subprocess
import sys
import time

import pytest
from conftest import fresh, sample
from local import REGION, ROOT, assert_slack_accepts, until


@pytest.fixture
def channels(stack, slack):
    stack.credentials({"soc": {"webhook_url": slack.url}})
    stack.configure(Timeout=4)  # the function's deadline, so that its own attempts are soon over
    yield stack.aws.listen(stack.outputs["TopicArn"]), slack
    stack.configure(Timeout=30)


def mentions(slack, word: str) -> list[dict]:
    return [m for m in slack.received if word in json.dumps(m)]


def redrive(stack, *queues: str) -> str:
    """`make redrive`."""
    command = [sys.executable, ROOT / "deploy/redrive.py", "--stack", stack.name, "--region", REGION, *queues]
    done = subprocess.run(command, env=stack.aws.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_one_channel_is_down_the_other_is_served_at_once_and_the_first_when_it_recovers(stack, channels):
    inbox, slack = channels
    slack.status, slack.body = 503, "down"
    event = fresh(sample("start-instances"))
    begun = time.monotonic()
    stack.invoke(event, InvocationType="Event")  # as EventBridge does
    assert event["detail"]["eventID"] in json.dumps(inbox.next())
    served = time.monotonic() - begun
    assert served < 4, f"the healthy channel waited {served:.1f} s"
    time.sleep(5)  # the invocation is over, and the delivery in the queue
    slack.status, slack.body = 200, "ok"
    message = until(lambda: mentions(slack, event["detail"]["eventID"]), 90, "redelivered message")[0]
    print(f"SNS after {served:.2f} s, Slack after {time.monotonic() - begun:.0f} s")
    assert_slack_accepts(message)
    # The event comes again: both had it.
    summary, failed = stack.invoke(event)
    assert failed is None and summary["deliveries"]["duplicate"] == 2, summary
    assert inbox.take() is None and len(mentions(slack, event["detail"]["eventID"])) == 1


def test_a_roll_up_follows_although_nothing_more_happens(stack, channels):
    inbox, slack = channels
    counts = [stack.invoke(fresh(sample("delete-trail")))[0]["deliveries"] for _ in range(3)]
    assert [(c["delivered"], c["throttled"]) for c in counts] == [(2, 0), (0, 2), (0, 2)]
    roll_up = until(lambda: mentions(slack, "and 2 more"), 150, "roll-up")[0]
    assert_slack_accepts(roll_up)
    # On the topic, a roll-up waits for the full minute, and is told together with what else is due by then.
    subjects = [inbox.next()["Subject"], inbox.next(90)["Subject"]]
    assert "and 2 more" in subjects[1] and "more" not in subjects[0], subjects


def test_every_dead_letter_can_be_sent_through_again(stack, channels):
    """Those of the rule's target, of Lambda's failures, and our own."""
    inbox, slack = channels
    sqs = stack.aws.client("sqs")
    # EventBridge could not hand it over: the event itself.
    undelivered = fresh(sample("create-access-key"))
    sqs.send_message(QueueUrl=stack.outputs["UndeliveredEventsUrl"], MessageBody=json.dumps(undelivered))
    # The function failed on it three times: Lambda's record.
    failed = fresh(sample("create-access-key"))
    record = {"version": "1.0", "requestContext": {"condition": "RetriesExhausted"}, "requestPayload": failed, "responsePayload": {}}
    sqs.send_message(QueueUrl=stack.outputs["FailedEventsUrl"], MessageBody=json.dumps(record))
    # A credential was revoked.
    slack.status, slack.body = 400, "invalid_payload"
    rejected = fresh(sample("create-access-key"))
    summary, error = stack.invoke(rejected)
    assert error is None and summary["deliveries"]["dead"] == 1 and summary["operational"] == 1, summary
    letter = json.loads(sqs.receive_message(QueueUrl=stack.outputs["DeadLettersUrl"], VisibilityTimeout=0)["Messages"][0]["Body"])
    assert letter["reason"] == "rejected: invalid_payload" and letter["channel"] == "soc"
    assert slack.url not in json.dumps(letter), "no credential travels"
    told = [inbox.next()["Subject"], inbox.next()["Subject"]]
    assert any("offlimits itself needs attention" in subject for subject in told), told

    slack.status, slack.body = 200, "ok"
    assert redrive(stack).split("\n")[:3] == [f"{q}: 1 sent through again" for q in ["UndeliveredEvents", "FailedEvents", "DeadLetters"]]
    for event in [undelivered, failed, rejected]:
        until(lambda event=event: mentions(slack, event["detail"]["eventID"]), 30, "message that was dead")
    assert redrive(stack, "DeadLetters") == "DeadLetters: 0 sent through again\n"


def test_the_account_becomes_metrics(stack, channels):
    """One line of CloudWatch's embedded metric format an invocation, in the function's log."""
    event = fresh(sample("create-access-key"))
    stack.invoke(event)
    logs = stack.aws.client("logs")

    def line():
        events = logs.filter_log_events(logGroupName=stack.outputs["LogGroupName"])["events"]
        found = [json.loads(e["message"]) for e in events if '"CloudWatchMetrics"' in e["message"]]
        return [f for f in found if f["Delivered"] == 2]

    account = until(line, 20, "metrics in the log")[-1]
    [directive] = account["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "offlimits" and directive["Dimensions"] == [["FunctionName"]]
    assert {"Name": "Delivered", "Unit": "Count"} in directive["Metrics"]
    assert account["Findings"] == sum(account[n] for n in ["Staged", "Unrouted", "BelowThreshold", "Self", "Routed"])
    assert sum(account[n] for n in ["RoutedDeliveries", "Redelivered", "RollUps"]) == sum(
        account[n] for n in ["Delivered", "Throttled", "Digested", "Duplicate", "Queued", "Dead", "Failed"]
    )
