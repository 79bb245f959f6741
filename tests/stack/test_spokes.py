"""A hub and its spokes in a local AWS of several accounts and regions (moto), and the real function behind the hub's bus.

moto forwards events between accounts and regions, and puts the hub's region into the envelope, without an account: what an alert says must come
from the record. What moto does not do stands in here: it hands events to a queue and not to Lambda, so the test carries them; it has no dead
letters, so the test puts the event into the spoke's queue as EventBridge would; and its SQS knows the caller's queues alone, so the function's
calls pass through something that goes by the account in the queue's URL, as SQS does.
"""

import json
import uuid

import boto3
import pytest
from conftest import fresh, sample
from forwarder import Forwarder, served
from local import ROOT, Function, Inbox, package
from moto_server import moto_server

HUB, HUB_REGION = "123456789012", "us-east-1"
SPOKES = [(account, region) for account in ["222222222222", "333333333333"] for region in ["eu-west-1", "us-west-2"]]
RULES = {"channels": {"topic": {"type": "sns"}}, "rules": [{"id": "STOP", "title": "stopped", "severity": "high", "throttle": "off", "when": {"event": {"is": "StopLogging"}}}]}


class Accounts:
    """moto, as any of the accounts; and the address at which the function reaches it."""

    def __init__(self, url: str):
        self.url, self.asked = url, []
        accounts = self

        class Between(Forwarder):
            def do_POST(self):
                body = self.body()
                target, headers = self.headers.get("X-Amz-Target", ""), dict(self.headers)
                accounts.asked.append(target or body.decode()[:80])
                if target.startswith("AmazonSQS."):
                    headers["x-moto-account-id"] = json.loads(body)["QueueUrl"].split("/")[-2]
                self.hand_on(url, body, headers)

        self.served = served(Between)
        self.between = self.served.__enter__()

    def client(self, service: str, account=HUB, region=HUB_REGION):
        client = boto3.client(service, endpoint_url=self.url, region_name=region, aws_access_key_id="test", aws_secret_access_key="test")
        client.meta.events.register("before-send.*.*", lambda request, **_: request.headers.update({"x-moto-account-id": account}))
        return client


@pytest.fixture(scope="module")
def accounts():
    with moto_server() as address:
        accounts = Accounts(address)
        yield accounts
        accounts.served.__exit__(None, None, None)


@pytest.fixture(scope="module")
def hub(accounts, transformed):
    """The hub's bus and rule, as the template has them; its rule fills a queue. Then every spoke, as the StackSet makes it. It returns the queue."""
    events, sqs = accounts.client("events"), accounts.client("sqs")
    bus = events.create_event_bus(Name="offlimits")["EventBusArn"]
    url = sqs.create_queue(QueueName="to-the-function")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for bus_name, rule in [("offlimits", "HubTrail"), ("default", "FunctionTrail")]:
        pattern = json.dumps(transformed["Resources"][rule]["Properties"]["EventPattern"]).replace('{"Ref": "AWS::AccountId"}', f'"{HUB}"')
        events.put_rule(Name=rule, EventBusName=bus_name, EventPattern=pattern)
        events.put_targets(Rule=rule, EventBusName=bus_name, Targets=[{"Id": "Function", "Arn": arn}])
    parameters = {"HubBusArn": bus, "MoverRoleArn": f"arn:aws:iam::{HUB}:role/offlimits"}
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    for account, region in [*SPOKES, (HUB, HUB_REGION)]:
        stack = f"StackSet-offlimits-{uuid.uuid4()}"
        formation = accounts.client("cloudformation", account, region)
        formation.create_stack(StackName=stack, TemplateBody=(ROOT / "deploy/spoke.yaml").read_text(), Parameters=parameters, Capabilities=["CAPABILITY_IAM"])
        [made] = formation.describe_stacks(StackName=stack)["Stacks"]
        assert made["StackStatus"] == "CREATE_COMPLETE"
    return Inbox(sqs, url)


@pytest.fixture
def function(accounts, bootstrap, tmp_path):
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps(RULES))
    sns, sqs = accounts.client("sns"), accounts.client("sqs")
    name = f"f-{uuid.uuid4()}"
    topic = sns.create_topic(Name=name)["TopicArn"]
    inbox, redelivery, dead = (sqs.create_queue(QueueName=f"{queue}-{name}")["QueueUrl"] for queue in ["inbox", "redelivery", "dead"])
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{HUB_REGION}:{HUB}:inbox-{name}")
    key = {"partition": "HASH", "sort": "RANGE"}
    accounts.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": part, "AttributeType": "S"} for part in key],
        KeySchema=[{"AttributeName": part, "KeyType": kind} for part, kind in key.items()],
    )
    variables = {
        "AWS_ENDPOINT_URL": accounts.between, "AWS_REGION": HUB_REGION, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "OFFLIMITS_TOPIC_ARN": topic, "OFFLIMITS_TABLE": name, "OFFLIMITS_REDELIVERY_URL": redelivery, "OFFLIMITS_DEAD_LETTERS_URL": dead,
        "OFFLIMITS_ROLE_ARN": f"arn:aws:iam::{HUB}:role/offlimits", "OFFLIMITS_STACK_SET": "offlimits",
    }  # fmt: skip
    with Function(package(tmp_path / "code", rules), variables, tmp_path / "function.log") as function:
        function.inbox, function.redelivery, function.dead = Inbox(sqs, inbox), Inbox(sqs, redelivery), Inbox(sqs, dead)
        yield function


def record_of(account: str, region: str) -> dict:
    """A call in this account and region."""
    detail = fresh(sample("stop-logging"))["detail"]
    return detail | {"recipientAccountId": account, "awsRegion": region}


def happens(accounts, account: str, region: str, detail: dict, source="aws.cloudtrail"):
    """CloudTrail puts its record on the account's default bus."""
    entry = {"Source": source, "DetailType": "AWS API Call via CloudTrail", "Detail": json.dumps(detail)}
    put = accounts.client("events", account, region).put_events(Entries=[entry])
    assert put["FailedEntryCount"] == 0


def letters_of(accounts, account: str, region: str) -> Inbox:
    sqs = accounts.client("sqs", account, region)
    [url] = sqs.list_queues(QueueNamePrefix="StackSet-offlimits-")["QueueUrls"]
    return Inbox(sqs, url)


def alert_of(function) -> tuple[str, str]:
    attributes = function.inbox.next()["MessageAttributes"]
    return attributes["account"]["Value"], attributes["region"]["Value"]


def test_every_account_and_region_alerts_through_the_hub(accounts, hub, function):
    for account, region in SPOKES:
        happens(accounts, account, region, record_of(account, region))
        event = hub.next()
        assert event["region"] == HUB_REGION, "moto rewrites the envelope, and leaves its account out"
        assert function.invoke(event)["records"] == 1
        assert alert_of(function) == (account, region)
    assert hub.take() is None and function.inbox.take() is None


def test_what_is_not_awss_and_what_is_the_hubs_own_come_through_no_spoke(accounts, hub):
    """And an event of the hub's own account and region comes once: by its own rule."""
    account, region = SPOKES[0]
    happens(accounts, account, region, record_of(account, region), source="com.example")
    assert hub.take() is None
    happens(accounts, HUB, HUB_REGION, record_of(HUB, HUB_REGION))
    assert hub.next()["detail"]["recipientAccountId"] == HUB
    assert hub.take() is None


def test_without_a_hub_other_accounts_events_alert_nobody(accounts, hub, transformed):
    """The default bus's rule has the filter on the account, whoever may put events there. (moto gives an event the account of the bus that it is
    put on, so the pattern is asked what AWS would ask it.)"""
    pattern = json.loads(json.dumps(transformed["Resources"]["FunctionTrail"]["Properties"]["EventPattern"]).replace('{"Ref": "AWS::AccountId"}', f'"{HUB}"'))
    from moto.events.models import EventPattern

    event = sample("stop-logging") | {"account": HUB}
    rule = EventPattern.load(json.dumps(pattern))
    assert rule.matches_event(event)
    assert not rule.matches_event(event | {"account": SPOKES[0][0]})


def test_what_could_not_be_sent_is_fetched_from_every_account_and_region(accounts, hub, function):
    for account, region in SPOKES:
        letters = letters_of(accounts, account, region)
        # As the probe's hourly call is recorded, and comes through the spoke.
        probe = {"eventSource": "sqs.amazonaws.com", "eventName": "TagQueue", "requestParameters": {"queueUrl": letters.url}}
        happens(accounts, account, region, record_of(account, region) | probe)
        assert function.invoke(hub.next())["findings"]["total"] == 0
        event = sample("stop-logging") | {"account": account, "region": region, "detail": record_of(account, region)}
        letters.sqs.send_message(QueueUrl=letters.url, MessageBody=json.dumps(event))
    # Somebody who governs an account would like to tell of another.
    forger = letters_of(accounts, *SPOKES[0])
    forged = sample("stop-logging") | {"account": SPOKES[2][0], "detail": record_of(*SPOKES[2])}
    for body in [json.dumps(forged), '{"offlimits":"delivery","channel":"topic"}']:
        forger.sqs.send_message(QueueUrl=forger.url, MessageBody=body)
    answer = function.invoke({"offlimits": "move"})
    assert answer["spokes"] == {"moved": len(SPOKES), "refused": 2, "unreached": 0}, function.log.read_text()[-3000:]
    assert function.inbox.take() is None, "they come by the redelivery queue"
    told = set()
    for _ in SPOKES:
        message = {"messageId": str(uuid.uuid4()), "eventSource": "aws:sqs", "body": json.dumps(function.redelivery.next())}
        message["eventSourceARN"] = f"arn:aws:sqs:{HUB_REGION}:{HUB}:" + function.redelivery.url.rsplit("/", 1)[1]
        assert function.invoke({"Records": [message]}) == {"batchItemFailures": []}
        told.add(alert_of(function))
    assert told == set(SPOKES)
    assert function.redelivery.take() is None and function.dead.take() is None, "what is forged goes nowhere"
    for account, region in SPOKES:
        left = letters_of(accounts, account, region)
        held = left.sqs.get_queue_attributes(QueueUrl=left.url, AttributeNames=["All"])["Attributes"]
        count = int(held["ApproximateNumberOfMessages"]) + int(held["ApproximateNumberOfMessagesNotVisible"])
        assert count == (2 if (account, region) == SPOKES[0] else 0)
    # AWS refuses an event whose source begins with "aws." from anybody else, and moto does not.
    assert not [target for target in accounts.asked if "Events" in target], "never by PutEvents"
    assert {"AmazonSQS.ReceiveMessage", "AmazonSQS.DeleteMessageBatch", "AmazonSQS.SendMessageBatch"} <= set(accounts.asked)
    lines = [json.loads(line) for line in function.log.read_text().splitlines() if line.startswith("{")]
    [metrics] = [line for line in lines if line.get("SpokeLettersMoved")]
    assert (metrics["SpokeLettersMoved"], metrics["SpokeLettersRefused"], metrics["Records"]) == (len(SPOKES), 2, 0)
