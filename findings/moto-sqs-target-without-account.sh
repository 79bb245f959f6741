#!/usr/bin/env bash
# In moto, the event that an EventBridge rule sends to an SQS queue has no `account`, although a pattern on `account` matches it.
#
# AWS documents `account` as one of the nine fields that every event has, whatever its target
# (https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html). moto has the account while it matches a
# pattern, and leaves it out of what it puts into the queue. Whoever tests in moto what reads events of several accounts from a
# queue (dead letters of a rule's target, say) has to put the field in, or a reader that refuses an event without it looks broken.
#
# Seen with moto 5.2.5: the pattern on the account matches, and the message has the fields detail, detail-type, id, region,
# resources, source, time and version.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check 'moto[events,sqs]==5.2.5'
"$folder/venv/bin/python" - <<'PYTHON'
import json

import boto3
from moto import mock_aws

OWN = {"region_name": "eu-west-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
ACCOUNT = "123456789012"  # moto's own


@mock_aws
def received() -> list[dict]:
    events, queues = boto3.client("events", **OWN), boto3.client("sqs", **OWN)
    queue = queues.create_queue(QueueName="orders")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="orders", EventPattern=json.dumps({"account": [ACCOUNT], "source": ["shop"]}))
    events.put_targets(Rule="orders", Targets=[{"Id": "queue", "Arn": arn}])
    events.put_events(Entries=[{"Source": "shop", "DetailType": "Order", "Detail": json.dumps({"number": 1})}])
    return [json.loads(message["Body"]) for message in queues.receive_message(QueueUrl=queue).get("Messages", [])]


[event] = received()
print(f"the pattern on the account matches, and the message has the fields {', '.join(sorted(event))}")
assert "account" not in event and event["source"] == "shop", "the behaviour has changed"
PYTHON
