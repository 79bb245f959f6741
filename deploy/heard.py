"""After `make deploy` and `make test-alert`: would anybody hear of an alert, and of an alarm? Fails if nobody would, and says what to do.

SNS takes a message for a topic that nobody is subscribed to, and so "delivered" says nothing of people. This counts the subscriptions that are
confirmed, for the stack's topic and for those that the rules name, and the channels that are no topic.
"""

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import boto3
from botocore.exceptions import ClientError


@dataclass
class Topic:
    """Who is subscribed to a topic."""

    arn: str
    confirmed: Counter = field(default_factory=Counter)  # by protocol
    waiting: list[str] = field(default_factory=list)  # the addresses that have not answered yet
    unfiltered: int = 0  # of the confirmed: those that get every message, an alarm too
    unknown: str | None = None  # why it could not be asked

    @property
    def is_heard(self) -> bool:
        return bool(self.confirmed) or self.unknown is not None

    def __str__(self):
        if self.unknown is not None:
            return f"its subscriptions cannot be listed ({self.unknown})"
        confirmed = ", ".join(f"{protocol} {count}" for protocol, count in sorted(self.confirmed.items())) or "nobody"
        return confirmed + (f"; not confirmed yet: {', '.join(self.waiting)}" if self.waiting else "")


def ask(sns, arn: str) -> Topic:
    topic = Topic(arn)
    try:
        for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn):
            for subscription in page["Subscriptions"]:
                # Of a subscription that is not confirmed, or is gone, it is no ARN but a word.
                if not subscription["SubscriptionArn"].startswith("arn:"):
                    topic.waiting.append(subscription["Endpoint"])
                    continue
                topic.confirmed[subscription["Protocol"]] += 1
                attributes = sns.get_subscription_attributes(SubscriptionArn=subscription["SubscriptionArn"])["Attributes"]
                topic.unfiltered += "FilterPolicy" not in attributes
    except ClientError as error:
        topic.unknown = error.response["Error"]["Code"]
    return topic


def judge(own: Topic, second: Topic | None, channels: dict, named: dict[str, Topic]) -> tuple[list[str], list[str]]:
    """What there is to say, and what is wrong: `own` is the stack's topic, `second` the alarms' other one, `named` what the rules name."""
    said, wrong = [f"the stack's topic: {own}"], []
    if second:
        said.append(f"the alarms' second topic: {second}")
    heard = False
    for name, channel in channels.items():
        if channel["type"] != "sns":
            said.append(f"channel {name}: {channel['type']}")
            heard = True
        else:
            topic = named.get(channel.get("topic_arn"), own)
            said += [f"channel {name}: {topic}"] if topic is not own else []
            heard = heard or topic.is_heard
    if not heard:
        wrong.append(
            "nobody would hear of an alert: subscribe somebody (make deploy PARAMETERS=Email=you@example.com), and have them confirm it "
            "by the link in the mail that they get; or add a channel to rules.json"
        )
    if not (own.unfiltered or own.unknown or (second and (second.unfiltered or second.unknown))):
        wrong.append(
            "nobody would hear of an alarm, which tells when offlimits itself fails: subscribe somebody to the stack's topic without a filter "
            "(Email=…, confirmed), or name a topic that is heard with AlarmTopicArn=…. An SMS subscription with SmsSeverities gets no alarm"
        )
    if own.unknown == "NotFound":
        wrong.append("the stack's topic is gone: alerts and alarms go nowhere. Deploy a stack of another name beside it, and find out who deleted it")
    return said, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", default="offlimits")
    parser.add_argument("--region", required=True)
    parser.add_argument("--rules", type=Path, required=True, help="the rules that were deployed, for their channels")
    parser.add_argument("--allow", action="store_true", help="only say what is wrong")
    arguments = parser.parse_args()
    session = boto3.Session(region_name=arguments.region)
    stack = session.client("cloudformation").describe_stacks(StackName=arguments.stack)["Stacks"][0]
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
    parameters = {p["ParameterKey"]: p["ParameterValue"] for p in stack.get("Parameters", [])}
    channels = json.loads(arguments.rules.read_bytes()).get("channels", {})

    def topic(arn: str) -> Topic:
        return ask(session.client("sns", region_name=arn.split(":")[3]), arn)

    second = topic(parameters["AlarmTopicArn"]) if parameters.get("AlarmTopicArn") else None
    named = {arn: topic(arn) for arn in {c["topic_arn"] for c in channels.values() if c.get("topic_arn")}}
    said, wrong = judge(topic(outputs["TopicArn"]), second, channels, named)
    where = f"{arguments.stack} in {arguments.region}"
    for line in said:
        print(f"{where}: {line}")
    for line in wrong:
        print(f"{where}: {line}", file=sys.stderr)
    return 1 if wrong and not arguments.allow else 0


if __name__ == "__main__":
    sys.exit(main())
