"""What lies in the dead-letter queues is seen, sent elsewhere or thrown away, and never lost: `make dead-letters`, `readdress`, `drop`."""

import json
import subprocess
import sys

import pytest
from conftest import HERE, fresh, sample
from local import REGION, ROOT, TOOL, assert_slack_accepts, until

sys.path.insert(0, str(ROOT / "deploy"))
from dead_letters import MARKS, Letter, Queue, ago, line, readdress, type_of  # noqa: E402


def run(stack, *arguments: str) -> tuple[int, list[str], str]:
    """The script, as `make` runs it: how it ended, what it printed, and what it said beside that."""
    command = [sys.executable, ROOT / "deploy/dead_letters.py", "--stack", stack.name, "--region", REGION, *arguments]
    done = subprocess.run(command, env=stack.aws.environment, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout.splitlines(), done.stderr


def listed(stack, *queues: str) -> list[dict]:
    code, printed, said = run(stack, "list", "--json", *queues)
    assert code == 0, said
    return [json.loads(letter) for letter in printed]


def mentions(slack, word: str) -> list[dict]:
    return [m for m in slack.received if word in json.dumps(m)]


@pytest.fixture
def letter(oncall, slack) -> dict:
    """A delivery to Slack that was rejected, as the list has it."""
    oncall.credentials({name: {"webhook_url": slack.url} for name in ["soc", "spare"]})
    oncall.configure(Timeout=30)
    slack.status, slack.body = 400, "invalid_payload"
    event = fresh(sample("start-instances"))
    event["detail"]["eventName"] = "RunInstances"
    summary, error = oncall.invoke(event)
    assert error is None and summary["deliveries"]["dead"] == 1, summary
    slack.status, slack.body = 200, "ok"
    [found] = [letter for letter in listed(oncall, "DeadLetters") if letter["event_id"] == event["detail"]["eventID"]]
    return found


def test_a_letter_is_listed_with_its_age_channel_rule_and_reason(oncall, letter):
    known = {"queue": "DeadLetters", "channel": "soc", "type": "slack", "task": "deliver", "rule": "CHAT", "reason": "rejected: invalid_payload"}
    assert known.items() <= letter.items()
    assert letter["age_seconds"] < 60 and len(letter["finding"]) == 32
    # It was looked at, and not taken.
    code, printed, _ = run(oncall, "list")
    assert code == 0
    [shown] = [text for text in printed if letter["id"] in text]
    assert shown.startswith(f"DeadLetters {letter['id']}  0m  soc  CHAT  rejected: invalid_payload  (finding ")
    assert printed[-2:] != [shown] and "FailedEvents: empty" in printed


def test_a_letter_goes_to_another_channel(oncall, slack, letter):
    rules = ["--rules", str(HERE / "oncall.json")]
    code, printed, said = run(oncall, "readdress", *rules, "--to", "spare", letter["id"][:13])
    assert code == 0, said
    assert printed[0].startswith(f"sent to spare: DeadLetters {letter['id']}")
    [message] = until(lambda: mentions(slack, letter["event_id"]), 60, "message in the other channel")
    assert_slack_accepts(message)
    assert not [other for other in listed(oncall, "DeadLetters") if other["id"] == letter["id"]]
    # The ledger knows it on its new channel: a second copy is a duplicate.
    table = oncall.aws.client("dynamodb")
    key = {"partition": {"S": f"finding#{letter['finding']}"}, "sort": {"S": "spare"}}
    until(lambda: table.get_item(TableName=oncall.outputs["TableName"], Key=key)["Item"].get("done") == {"S": "delivered"}, what="note")


def test_a_letter_goes_to_no_channel_of_another_type(oncall, letter):
    rules = ["--rules", str(HERE / "oncall.json")]
    code, printed, said = run(oncall, "readdress", *rules, "--to", "topic", letter["id"])
    assert code == 1 and not printed and "left where it is" in said and "topic is sns" in said
    code, _, said = run(oncall, "readdress", *rules, "--to", "nowhere", letter["id"])
    assert code == 2 and "there are topic, soc, spare" in said
    assert [other for other in listed(oncall, "DeadLetters") if other["id"] == letter["id"]], "nothing is lost"


def test_all_letters_of_a_channel_go_to_another(oncall, slack, letter):
    code, printed, said = run(oncall, "readdress", "--rules", str(HERE / "oncall.json"), "--to", "spare", "--of", "soc")
    assert code == 0, said
    assert [text for text in printed if letter["id"] in text] and not listed(oncall, "DeadLetters")
    until(lambda: mentions(slack, letter["event_id"]), 60, "message in the other channel")


def test_a_letter_is_dropped_by_its_id_and_what_it_held_is_printed(oncall, letter):
    code, printed, said = run(oncall, "drop", letter["id"])
    assert code == 0 and f"dropped: DeadLetters {letter['id']}" in said
    assert json.loads(printed[0])["task"]["deliver"]["about"]["event_id"] == letter["event_id"]
    assert not [other for other in listed(oncall) if other["id"] == letter["id"]]
    code, printed, said = run(oncall, "drop", letter["id"])
    assert code == 1 and not printed and "no letter begins with" in said
    assert run(oncall, "drop", letter["id"][:7])[0] == 2, "so short an id may be another's"


def test_events_are_listed_and_dropped_and_have_no_address(oncall):
    sqs = oncall.aws.client("sqs")
    event = fresh(sample("create-access-key"))
    failed = {"requestPayload": event, "responsePayload": {"errorMessage": "1 deliveries did not complete: soc"}}
    ids = {
        queue: sqs.send_message(QueueUrl=oncall.outputs[f"{queue}Url"], MessageBody=json.dumps(body))["MessageId"]
        for queue, body in [("UndeliveredEvents", event), ("FailedEvents", failed), ("DeadLetters", event)]
    }
    found = {letter["queue"]: letter for letter in listed(oncall) if letter["id"] in ids.values()}
    assert {letter["event_id"] for letter in found.values()} == {event["detail"]["eventID"]} and len(found) == 3
    assert found["FailedEvents"]["reason"] == failed["responsePayload"]["errorMessage"]
    code, _, said = run(oncall, "readdress", "--rules", str(HERE / "oncall.json"), "--to", "spare", ids["DeadLetters"])
    assert code == 1 and "it is no delivery" in said
    code, printed, _ = run(oncall, "drop", *ids.values())
    assert code == 0 and len(printed) == 3


def test_what_another_stack_left_goes_through_this_one(oncall, stack, slack):
    """All that a broken stack holds, what waits included."""
    stack.credentials({"soc": {"webhook_url": slack.url}})
    stack.configure(Timeout=30)
    client = oncall.aws.client("lambda")
    mappings = client.list_event_source_mappings(FunctionName=oncall.outputs["FunctionName"])["EventSourceMappings"]
    set_enabled = lambda enabled: [client.update_event_source_mapping(UUID=m["UUID"], Enabled=enabled) for m in mappings]  # noqa: E731
    set_enabled(False)  # its function is as good as gone
    try:
        events = {queue: fresh(sample("create-access-key")) for queue in ["UndeliveredEvents", "Redelivery"]}
        # The second as people put it there: the bare record, from CloudTrail's history.
        for queue, body in zip(events, [events["UndeliveredEvents"], events["Redelivery"]["detail"]], strict=True):
            oncall.aws.client("sqs").send_message(QueueUrl=oncall.outputs[f"{queue}Url"], MessageBody=json.dumps(body))
        command = [sys.executable, ROOT / "deploy/redrive.py", "--stack", oncall.name, "--region", REGION, "--into", stack.name, *events]
        done = subprocess.run(command, env=stack.aws.environment, capture_output=True, text=True, timeout=60)
        assert done.stdout == "".join(f"{queue}: 1 sent through again\n" for queue in events), done.stdout + done.stderr
    finally:
        set_enabled(True)
    for event in events.values():
        until(lambda event=event: mentions(slack, event["detail"]["eventID"]), 60, "message by the other stack")


class Crash(Exception):
    pass


class Sqs:
    """Two queues, one of which may fail: what was sent, deleted and given back."""

    class exceptions:  # noqa: N801, as boto3 has it
        ClientError = Crash

    def __init__(self, bodies: list[dict], fails: str = ""):
        self.messages = {f"id-{n}": json.dumps(body) for n, body in enumerate(bodies)}
        self.sent, self.fails, self.visible = [], fails, set(self.messages)

    def get_queue_attributes(self, **_):
        return {"Attributes": {"ApproximateNumberOfMessages": str(len(self.visible))}}

    def receive_message(self, **_):
        taken, self.visible = self.visible, set()
        return {"Messages": [{"MessageId": i, "ReceiptHandle": i, "Body": self.messages[i], "Attributes": {"SentTimestamp": "0"}} for i in sorted(taken)]}

    def send_message(self, MessageBody, **_):
        if self.fails == "send":
            raise Crash
        self.sent.append(json.loads(MessageBody))

    def delete_message(self, ReceiptHandle, **_):
        if self.fails == "delete":
            raise Crash
        del self.messages[ReceiptHandle]

    def change_message_visibility(self, ReceiptHandle, **_):
        self.visible.add(ReceiptHandle)


DELIVERY = {"offlimits": "delivery", "channel": "soc", "task": {"roll_up": {"finding": {"id": "f", "rule": {"id": "R"}, "call": {}}}}}


@pytest.mark.parametrize("fails", ["send", "delete"])
def test_who_dies_while_readdressing_loses_nothing(fails):
    """It is in one of the two queues at least, whatever fails."""
    sqs = Sqs([DELIVERY], fails)
    with pytest.raises(Crash):
        readdress(sqs, Queue(sqs, "DeadLetters", "url"), "target", "spare", ["id-0"], None, {"spare": {"type": "pagerduty"}})
    assert len(sqs.messages) == 1 and sqs.visible == {"id-0"}, "it is given back at once"
    assert len(sqs.sent) == (fails == "delete")


def test_a_sum_goes_to_a_channel_of_any_type(capsys):
    """It is rendered only when it is sent."""
    sqs = Sqs([DELIVERY, DELIVERY | {"channel": "other"}])
    queue = Queue(sqs, "DeadLetters", "url")
    assert readdress(sqs, queue, "target", "spare", [], "soc", {"spare": {"type": "pagerduty"}}) == 0
    assert sqs.sent == [DELIVERY | {"channel": "spare"}] and list(sqs.messages) == ["id-1"] and sqs.visible == {"id-1"}
    assert "soc (roll-up)  R" in capsys.readouterr().out


# A channel of each type, by what its file in tests/channels says.
CHANNELS = {path.stem: json.loads(path.read_bytes()) for path in sorted((ROOT / "tests/channels").glob("*.json")) if path.stem != "secrets"}


def test_the_type_of_a_letter_is_seen_in_what_was_rendered(tmp_path):
    """Of a letter of before 2026-11-29, which does not say it. Asked of the tool, so that a vendor's body that changes does not go unnoticed."""
    rules = {
        "channels": {name: {"type": name} | sample["contract"]["settings"] for name, sample in CHANNELS.items()},
        "rules": [{"id": "R", "title": "{event}", "severity": "high", "when": {"event": "StartInstances"}}],
    }
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    for name in ["sns", *MARKS]:
        command = [TOOL, "explain", ROOT / "events/start-instances.json", "--rules", tmp_path / "rules.json", "--channel", name]
        printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()[0]
        kind = "sns" if name == "sns" else "ticket" if "lead_up_of_a_repeat" in CHANNELS[name] else "json"
        body = {"to": kind, "open": printed, "json": printed}
        assert type_of({"task": {"deliver": {"body": body}}}) == name
    assert type_of({"task": {"deliver": {"body": {"to": "json", "json": "{}"}}}}) == "unknown"
    # Since 2026-11-29 it is said.
    assert type_of({"task": {"deliver": {"type": "jsm", "body": {"to": "json", "json": "{}"}}}}) == "jsm"


def test_anything_may_lie_in_a_queue():
    stray = '{"offlimits":"stray","reason":"nobody knows it","died":7,"stray":"x"}'
    odd = ['{"requestPayload":7}', '{"task":7}', '{"task":{"deliver":7}}', '{"task":{"digest":{"finding":{}}}}', '{"task":{"deliver":{"body":{"to":"x"}}}}']
    assert line(Letter("DeadLetters", "id", "handle", stray, 0.0).facts(60.0)) == "DeadLetters id  1m  (stray)  -  nobody knows it"
    for body in ["", "7", "[]", "{}", '{"offlimits":"delivery"}', *odd]:
        facts = Letter("DeadLetters", "id", "handle", body, 0.0).facts(90_061.0)
        assert line(facts).startswith("DeadLetters id  1d 1h  "), body
    assert [ago(s) for s in [59, 3600, 7_500, 200_000]] == ["0m", "1h 0m", "2h 5m", "2d 7h"]
