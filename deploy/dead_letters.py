"""`make dead-letters`, `make readdress` and `make drop`: what lies in a stack's dead-letter queues, and what to do with one of them.

SQS gives a message only to who takes it for a while. So each command takes what lies there for a minute, and gives back at its end what it has
not moved or dropped; who is interrupted loses nothing. A letter that is re-addressed is deleted where it was only when it is in the other queue.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass

import boto3
from redrive import QUEUES, outputs_of

# Seconds for which what is looked at is hidden from others.
HIDDEN = 60
# Of a message that was rendered before 2026-11-29, which does not say for which type of channel: a member that no other type has at this place.
MARKS = {
    "slack": lambda body: "blocks" in body or ("text" in body and "attachments" in body),
    "pagerduty": lambda body: "event_action" in body,
    "teams": lambda body: body.get("type") == "message" and "attachments" in body,
    "webhook": lambda body: "rules_digest" in body,
    "zendesk": lambda body: "ticket" in body,
    "servicenow": lambda body: "short_description" in body,
    "servicenow-events": lambda body: "records" in body,
    "jsm": lambda body: "alias" in body,
    "jira": lambda body: "issuetype" in body.get("fields", {}),
}


@dataclass
class Letter:
    """A message of a dead-letter queue."""

    queue: str
    id: str
    handle: str
    body: str
    sent: float  # in seconds since 1970

    @property
    def message(self) -> dict:
        try:
            read = json.loads(self.body)
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}

    @property
    def is_delivery(self) -> bool:
        return self.message.get("offlimits") == "delivery"

    def facts(self, now: float) -> dict:
        """What people want to know of it. What it does not say is null."""
        message, task = self.message, members(self.message, "task")
        delivery = members(task, "deliver")
        finding = members(members(task, next(iter(task), "")), "finding")  # of what has still to be rendered
        about = members(delivery, "about") or {"rule": members(finding, "rule").get("id")} | members(finding, "call")
        detail = members(members(message, "requestPayload") or message, "detail")
        failed = members(message, "responsePayload")
        return {
            "version": 1,
            "queue": self.queue,
            "id": self.id,
            "age_seconds": max(0, int(now - self.sent)),
            "kind": message.get("offlimits", "event"),
            "channel": message.get("channel"),
            "task": next(iter(task), None),
            "type": type_of(message),
            "rule": about.get("rule"),
            "reason": message.get("reason") or failed.get("errorMessage"),
            "attempts": message.get("attempts"),
            "finding": delivery.get("id") or finding.get("id"),
            "event_id": about.get("event_id") or detail.get("eventID"),
            "sentence": about.get("sentence") or detail.get("eventName"),
        }


def members(of: dict, name: str) -> dict:
    """An object's member that is an object; else nothing."""
    value = of.get(name)
    return value if isinstance(value, dict) else {}


def type_of(message: dict) -> str | None:
    """The type of channel that a delivery was rendered for; None for what has still to be rendered, and for what is no delivery."""
    delivery = members(members(message, "task"), "deliver")
    body = members(delivery, "body")
    if not body:
        return None
    if isinstance(said := delivery.get("type"), str):
        return said
    if body.get("to") == "sns":
        return "sns"
    document = json.loads(body.get("json" if body.get("to") == "json" else "open", "{}"))
    return next((name for name, is_of in MARKS.items() if is_of(document)), "unknown")


class Queue:
    """One of the queues, as far as it was taken by this command."""

    def __init__(self, sqs, name: str, url: str):
        self.sqs, self.name, self.url = sqs, name, url
        self.taken: dict[str, Letter] = {}

    def __enter__(self):
        """Takes all that lies there now."""
        try:
            attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
            there = int(attributes["ApproximateNumberOfMessages"])
            while len(self.taken) < there:
                batch = self.sqs.receive_message(
                    QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=HIDDEN, AttributeNames=["SentTimestamp"]
                ).get("Messages", [])
                if not batch:
                    break
                for m in batch:
                    sent = int(m["Attributes"]["SentTimestamp"]) / 1000
                    self.taken[m["MessageId"]] = Letter(self.name, m["MessageId"], m["ReceiptHandle"], m["Body"], sent)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        """Gives back what is left."""
        for letter in self.taken.values():
            try:
                self.sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=letter.handle, VisibilityTimeout=0)
            except self.sqs.exceptions.ClientError:
                pass  # it comes back by itself

    def delete(self, letter: Letter):
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=letter.handle)
        del self.taken[letter.id]


def ago(seconds: int) -> str:
    """3d 4h, 5h 10m, 12m"""
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    return f"{days}d {hours}h" if days else f"{hours}h {minutes}m" if hours else f"{minutes}m"


def line(facts: dict) -> str:
    """One letter for people."""
    where = facts["channel"] or f"({facts['kind']})"
    if facts["task"] in {"roll_up", "digest"}:
        where += f" ({facts['task'].replace('_', '-')})"
    said = [f"{facts['queue']} {facts['id']}", ago(facts["age_seconds"]), where, facts["rule"] or "-", facts["reason"] or "no reason"]
    named = [f"{name} {facts[key]}" for name, key in [("finding", "finding"), ("event", "event_id")] if facts[key]]
    return "  ".join(said) + (f"  ({', '.join(named)})" if named else "")


def show(queues: list[Queue], as_json: bool) -> int:
    for queue in queues:
        with queue:
            letters = sorted(queue.taken.values(), key=lambda letter: letter.sent)
            if not letters and not as_json:
                print(f"{queue.name}: empty")
            for letter in letters:
                facts = letter.facts(time.time())
                print(json.dumps(facts) if as_json else line(facts))
    return 0


def chosen(queue: Queue, ids: list[str]) -> tuple[list[Letter], list[str]]:
    """The letters whose ids begin so, and what is wrong: an id that is not there, or that several begin with."""
    found, wrong = [], []
    for wanted in ids:
        matching = [letter for letter in queue.taken.values() if letter.id.startswith(wanted)]
        if len(matching) > 1:
            wrong.append(f"{queue.name}: several letters begin with {wanted}")
        found += matching if len(matching) == 1 else []
    return found, wrong


def drop(queues: list[Queue], ids: list[str]) -> int:
    missing, failed = set(ids), False
    for queue in queues:
        with queue:
            letters, wrong = chosen(queue, ids)
            for reason in wrong:
                print(reason, file=sys.stderr)
                failed = True
            for letter in letters:
                # Whoever keeps the output can put it back.
                print(letter.body)
                sys.stdout.flush()
                queue.delete(letter)
                print(f"dropped: {line(letter.facts(time.time()))}", file=sys.stderr)
                missing -= {wanted for wanted in ids if letter.id.startswith(wanted)}
    if missing and not failed:
        print(f"no letter begins with {', '.join(sorted(missing))}: make dead-letters lists them", file=sys.stderr)
    return 1 if missing or failed else 0


def why_not(letter: Letter, to: str, channels: dict) -> str | None:
    """Why a letter cannot go to that channel."""
    if not letter.is_delivery:
        return "it is no delivery to a channel. If it is an event, the rules decide where it goes: make redrive sends it through again"
    rendered, wanted = type_of(letter.message), channels[to]["type"]
    if rendered not in {None, wanted}:
        return (
            f"it was rendered for a channel of the type {rendered}, and {to} is {wanted}. "
            'docs/dead-letters.md, "To a channel of another type", says how to send its event there'
        )
    return None


def readdress(sqs, queue: Queue, target: str, to: str, ids: list[str], of: str | None, channels: dict) -> int:
    failed = False
    with queue:
        letters, wrong = chosen(queue, ids)
        if of:
            letters += [letter for letter in queue.taken.values() if letter.message.get("channel") == of and letter not in letters]
        missing = [wanted for wanted in ids if not any(letter.id.startswith(wanted) for letter in letters)]
        wrong += [f"no letter begins with {wanted}: make dead-letters lists them" for wanted in missing if not wrong]
        for reason in wrong:
            print(reason, file=sys.stderr)
            failed = True
        for letter in letters:
            said = line(letter.facts(time.time()))
            if reason := why_not(letter, to, channels):
                print(f"left where it is: {said}: {reason}", file=sys.stderr)
                failed = True
                continue
            sqs.send_message(QueueUrl=target, MessageBody=json.dumps(letter.message | {"channel": to}))
            queue.delete(letter)
            print(f"sent to {to}: {said}")
        if not letters and not failed:
            print(f"{queue.name} has nothing for the channel {of}")
    return 1 if failed else 0


def letter_id(text: str) -> str:
    """An id, or so much of its beginning that nobody means another."""
    if len(text) < 8:
        raise argparse.ArgumentTypeError(f"{text}: give at least the first 8 characters of a letter's id")
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", default="offlimits")
    parser.add_argument("--region", required=True)
    what = parser.add_subparsers(dest="what", required=True)
    listing = what.add_parser("list", help="each letter: its queue, id, age, channel, rule and reason")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    listing.add_argument("queues", nargs="*", metavar="QUEUE", help=f"of {', '.join(QUEUES)}; default: all")
    other = what.add_parser("readdress", help="sends letters of DeadLetters to another channel")
    other.add_argument("--rules", required=True, help="the rules that are deployed, for their channels")
    other.add_argument("--to", required=True, metavar="CHANNEL")
    other.add_argument("--of", metavar="CHANNEL", help="all letters of this channel")
    other.add_argument("ids", nargs="*", metavar="ID", type=letter_id, help="the letters' ids, or how they begin")
    gone = what.add_parser("drop", help="deletes letters, and prints what they held")
    gone.add_argument("ids", nargs="+", metavar="ID", type=letter_id)
    arguments = parser.parse_args()
    names = getattr(arguments, "queues", None) or QUEUES
    if unknown := set(names) - set(QUEUES):
        parser.error(f"no such queue: {', '.join(sorted(unknown))}")
    session = boto3.Session(region_name=arguments.region)
    outputs, sqs = outputs_of(session, arguments.stack), session.client("sqs")
    queues = [Queue(sqs, name, outputs[f"{name}Url"]) for name in names]
    match arguments.what:
        case "list":
            return show(queues, arguments.json)
        case "drop":
            return drop(queues, arguments.ids)
    if not arguments.ids and not arguments.of:
        parser.error("name letters by their ids, or all of a channel with --of")
    with open(arguments.rules, encoding="utf-8") as file:
        channels = json.load(file).get("channels", {})
    if arguments.to not in channels:
        parser.error(f"the rules have no channel {arguments.to}: there are {', '.join(channels)}")
    [dead] = [queue for queue in queues if queue.name == "DeadLetters"]
    return readdress(sqs, dead, outputs["RedeliveryUrl"], arguments.to, arguments.ids, arguments.of, channels)


if __name__ == "__main__":
    sys.exit(main())
