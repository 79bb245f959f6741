"""The whole road: our template, deployed by `sam deploy` into a local AWS, with the packaged bootstrap."""

import json

import pytest
from conftest import fresh, sample, samples
from local import ACCOUNT, assert_slack_accepts, until

SEVERE = {"severity": ["very-high", "extreme"]}


@pytest.fixture
def channels(stack, slack):
    """Both channels, ready: the local Slack, and two queues on the topic, one with the filter that an SMS has."""
    stack.credentials({"soc": {"webhook_url": slack.url}})
    stack.configure(Timeout=30)  # a new process, which has not yet read another test's secret
    inbox = stack.aws.listen(stack.outputs["TopicArn"])
    severe = stack.aws.listen(stack.outputs["TopicArn"], SEVERE)
    return inbox, severe, slack


@pytest.fixture(scope="module")
def matches(stack):
    """What EventBridge says of an event and the deployed rule."""
    events = stack.aws.client("events")
    rule = events.describe_rule(Name=stack.outputs["RuleName"])
    assert rule["State"] == "ENABLED"
    return lambda event: events.test_event_pattern(EventPattern=rule["EventPattern"], Event=json.dumps(event))["Result"]


@pytest.mark.parametrize("one", samples(), ids=lambda s: s.path.stem)
def test_the_rule_takes_cloudtrails_events_and_no_others(matches, one):
    """What another account recorded is for that account's stack: there it is taken, here it is not."""
    assert matches(one.event | {"account": ACCOUNT}) == one.is_cloudtrails
    assert matches(one.event) == (one.is_cloudtrails and one.event["account"] == ACCOUNT)


def test_the_samples_try_the_rule():
    """Of each kind there is one, so that the test above can fail."""
    kinds = {s.event["detail-type"] for s in samples() if s.is_cloudtrails}
    assert {f"AWS {k} via CloudTrail" for k in ["API Call", "Console Sign In", "Service Event"]} <= kinds
    assert not all(s.is_cloudtrails for s in samples())


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ({"detail-type": "AWS Console Signin via CloudTrail"}, True),
        ({"region": "eu-west-1"}, True),  # forwarded from another region of the account
        ({"account": "999999999999"}, False),  # forwarded from another account
        ({"source": "forged.ec2"}, False),  # put on the bus by anybody who may
        ({"detail-type": "EC2 Instance State-change Notification"}, False),
    ],
    ids=str,
)
def test_the_rule_takes_this_account_only_and_no_forgery(matches, change, taken):
    assert matches(sample("start-instances") | change) == taken


def test_the_rule_feeds_the_function_and_keeps_what_it_cannot_hand_over(stack):
    [target] = stack.aws.client("events").list_targets_by_rule(Rule=stack.outputs["RuleName"])["Targets"]
    assert target["Arn"].endswith(":function:" + stack.outputs["FunctionName"])
    assert target["DeadLetterConfig"]["Arn"].rsplit(":", 1)[1] == stack.outputs["UndeliveredEventsUrl"].rsplit("/", 1)[1]


def test_an_event_becomes_an_sns_message_and_a_slack_message(stack, channels):
    inbox, severe, slack = channels
    summary, failed = stack.invoke(fresh(sample("start-instances")))
    assert failed is None, summary
    assert summary["records"] == 1
    for queue in [inbox, severe]:
        message = queue.next()
        assert message["Subject"] and len(message["Subject"]) < 100
        assert message["MessageAttributes"]["severity"]["Value"] == "very-high"
        body = json.loads(message["Message"])  # the part for machines
        assert "StartInstances" in json.dumps(body)
    [message] = slack.received
    assert_slack_accepts(message)
    assert "StartInstances" in json.dumps(message) and "James" in json.dumps(message)


def test_the_filter_keeps_a_lesser_alert_from_the_phone(stack, channels):
    inbox, severe, slack = channels
    summary, failed = stack.invoke(fresh(sample("create-access-key")))
    assert failed is None, summary
    assert inbox.next()["MessageAttributes"]["severity"]["Value"] == "medium"
    assert severe.take() is None
    assert len(slack.received) == 1


def test_the_phone_has_that_filter(stack):
    sns = stack.aws.client("sns")
    subscriptions = sns.list_subscriptions_by_topic(TopicArn=stack.outputs["TopicArn"])["Subscriptions"]
    [phone] = [s for s in subscriptions if s["Protocol"] == "sms"]
    attributes = sns.get_subscription_attributes(SubscriptionArn=phone["SubscriptionArn"])["Attributes"]
    assert json.loads(attributes["FilterPolicy"]) == SEVERE
    assert "email" in [s["Protocol"] for s in subscriptions]


def test_an_event_that_no_rule_names_sends_nothing(stack, channels):
    inbox, _, slack = channels
    summary, failed = stack.invoke(sample("ec2-state-change"))
    assert failed is None, summary
    assert inbox.take() is None and not slack.received


def test_the_test_alert_reaches_every_channel(stack, channels):
    inbox, _, slack = channels
    verdicts, failed = stack.invoke({"offlimits": "test"})
    assert failed is None, verdicts
    assert verdicts == {"test": [{"channel": name, "verdict": "delivered"} for name in ["topic", "soc"]]}
    assert inbox.next()
    assert_slack_accepts(slack.received[0])


def test_the_test_alert_names_the_channel_that_is_wrong(stack, channels):
    """What `make test-alert` looks for."""
    stack.credentials({})
    verdicts, failed = stack.invoke({"offlimits": "test"})
    assert failed is None
    verdict = {v["channel"]: v["verdict"] for v in verdicts["test"]}
    assert verdict["topic"] == "delivered" and verdict["soc"] != "delivered"


def test_a_failed_event_is_kept_and_can_be_sent_through_again(stack, channels):
    """Slack is down, and there is no queue to wait in; Lambda tries three times, then writes the on-failure record; later that record is
    the event."""
    inbox, _, slack = channels
    slack.status, slack.body = 500, "down"
    client, name = stack.aws.client("lambda"), stack.outputs["FunctionName"]
    environment = client.get_function_configuration(FunctionName=name)["Environment"]
    without = {k: v for k, v in environment["Variables"].items() if k not in {"OFFLIMITS_REDELIVERY_URL", "OFFLIMITS_TABLE"}}
    stack.configure(Timeout=4, Environment={"Variables": without})  # a short deadline, so that three tries are soon over
    event = fresh(sample("delete-trail"))
    stack.invoke(event, InvocationType="Event")  # as EventBridge does
    record = stack.queue("FailedEventsUrl").next(60)
    assert record["requestPayload"] == event
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert ACCOUNT in record["requestContext"]["functionArn"]
    assert not slack.received
    assert inbox.next(), "a channel that is down keeps nothing from another"

    slack.status, slack.body = 200, "ok"
    stack.configure(Timeout=30, Environment=environment)
    summary, failed = stack.invoke(record)
    assert failed is None, summary
    message = until(lambda: slack.received and slack.received[0], what="message in Slack")
    assert_slack_accepts(message)
    assert "DeleteTrail" in json.dumps(message)
