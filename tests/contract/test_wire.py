"""The real function over real HTTP, against the other ends that are there: each channel delivers, repeats, and survives faults."""

import http.server
import json
import threading
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError
from desk import Answer, channel_types, contract
from local import Function, free_port, package
from places import PACKAGE, ROOT, SCHEMAS, absent
from vendors import ACCOUNT, SIGNING_SECRET, Moto, Prism, SlackEmulator, StrictDesk

# A channel of each type, which its type's name names.
NAMES = channel_types()
RULES = {
    "channels": {name: {"type": name} | contract(name)["settings"] for name in NAMES},
    "rules": [{"id": "R", "title": "{event} by {actor}", "severity": "high", "when": {"event": {"exists": True}}}],
}
# Those whose stand-in is a server of other people's: what it has got, it is asked in another way.
ELSEWHERE = {"sns", "slack", "pagerduty"}


class World:
    """All vendors, and the function between them."""

    def __init__(self, folder):
        if not (SCHEMAS / "pagerduty").exists():
            pytest.skip(absent(SCHEMAS / "pagerduty"))
        assert (PACKAGE / "bootstrap").exists(), "there is no function to test: run `make build`"
        self.open = []
        self.prism, self.slack, self.moto, self.desk = (self.enter(v) for v in [Prism(folder), SlackEmulator(folder), Moto(folder), StrictDesk()])
        places = {"prism": self.prism.url, "slack": self.slack.url, "desk": self.desk.url}
        credentials = {name: contract(name)["credentials"] for name in NAMES}
        filled = {name: {key: value.format(**places) for key, value in keys.items()} for name, keys in credentials.items()}
        self.credentials = {name: keys for name, keys in filled.items() if keys}
        name = f"offlimits-{free_port()}"
        sns, sqs = self.moto.client("sns"), self.moto.client("sqs")
        topic = sns.create_topic(Name=name)["TopicArn"]
        self.inbox = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self.inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"severity": ["high", "very-high", "extreme"]})
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"FilterPolicy": policy})
        secret = self.moto.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(self.credentials))["ARN"]
        rules = folder / "rules.json"
        rules.write_text(json.dumps(RULES))
        role = f"arn:aws:iam::{ACCOUNT}:role/offlimits"
        variables = {"OFFLIMITS_TOPIC_ARN": topic, "OFFLIMITS_SECRET_ARN": secret, "OFFLIMITS_ROLE_ARN": role}
        code = package(folder / "code", rules)
        self.code, self.variables = code, self.moto.variables | variables
        self.function = self.enter(Function(code, self.variables, folder / "function.log"))

    def enter(self, context):
        self.open.append(context.__enter__() or context)
        return context

    def close(self):
        for context in reversed(self.open):
            context.__exit__(None, None, None)

    def alert(self, event_id: str):
        event = json.loads((ROOT / "events/start-instances.json").read_bytes())
        event["detail"]["eventID"] = event_id
        return self.function.invoke(event)

    def received(self) -> dict:
        """How many each has got."""
        attributes = self.moto.client("sqs").get_queue_attributes(QueueUrl=self.inbox, AttributeNames=["All"])["Attributes"]
        others = {name: len(self.desk.received[name]) for name in NAMES if name not in ELSEWHERE}
        return {"sns": int(attributes["ApproximateNumberOfMessages"])} | others


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("world"))
    yield world
    world.close()


@pytest.fixture(autouse=True)
def nothing_is_wrong(world):
    yield
    assert world.desk.problems == []


def test_each_channel_delivers_a_test_alert(world):
    verdicts = world.function.invoke({"offlimits": "test"})
    assert verdicts == {"test": [{"channel": name, "verdict": "delivered"} for name in NAMES]}
    # Low severity: the filter policy keeps it from the queue.
    assert world.received() == {"sns": 0} | {name: 1 for name in NAMES if name not in ELSEWHERE}


def test_each_channel_delivers_an_event_once(world):
    before = world.received()
    summary = world.alert("event-1")
    assert summary["deliveries"]["routed"] == summary["deliveries"]["delivered"] == len(NAMES), summary
    assert world.received() == {name: count + 1 for name, count in before.items()}
    again = world.alert("event-1")
    assert again["deliveries"]["duplicate"] == len(NAMES), again
    assert world.received() == {name: count + 1 for name, count in before.items()}
    last = world.desk.received["webhook"][-1]
    assert last["event_id"] == "event-1" and last["kind"] == "first"
    assert world.desk.tokens == 1, "the access token is kept"


def test_slack_keeps_what_was_posted(world):
    url = world.slack.url.replace("chat.postMessage", "conversations.history")
    request = urllib.request.Request(url, b'{"channel":"C000000001"}', {"Content-Type": "application/json", "Authorization": "Bearer test_token_admin"})
    with urllib.request.urlopen(request) as reply:
        messages = json.load(reply)["messages"]
    assert any("StartInstances" in m["text"] for m in messages), messages


def post(url: str, body: str, **headers) -> tuple[int, dict]:
    request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"} | headers)
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or "{}")


def test_every_body_is_taken_by_a_server_of_other_peoples(world, requests):
    """Prism, the Slack emulator and moto, with every finding × every kind; a thread is one in the emulator too."""
    token = {"Authorization": "Bearer test_token_admin"}
    topic, sns, taken = world.variables["OFFLIMITS_TOPIC_ARN"], world.moto.client("sns"), {}
    first = None
    for request in requests:
        channel = request["channel"]
        if channel == "pagerduty":
            answer = post(world.prism.url, request["body"])
            assert answer[0] == 202, (request["case"], answer)
        elif channel == "slack":
            message = json.loads(request["body"]) | {"channel": "C000000001"}
            if "thread_ts" in message:
                message["thread_ts"] = first
            status, answer = post(world.slack.url, json.dumps(message), **token)
            assert status == 200 and answer["ok"], (request["case"], answer)
            first = answer["ts"] if request["case"].endswith(" first") else first
        elif channel == "sns":
            attributes = {n: {"DataType": "String", "StringValue": v} for n, v in request["attributes"]}
            message = {"Subject": request["subject"], "Message": request["message"], "MessageStructure": "json"}
            sns.publish(TopicArn=topic, MessageAttributes=attributes, **message)
        else:
            continue
        taken[channel] = taken.get(channel, 0) + 1
    assert taken == {"pagerduty": 42, "slack": 42, "sns": 42}
    url = world.slack.url.replace("chat.postMessage", "conversations.replies")
    _, thread = post(url, json.dumps({"channel": "C000000001", "ts": first}), **token)
    assert len(thread["messages"]) == 4, "the first, two repeats (one is worse, one no worse), and their roll-up"


def test_what_is_not_valid_is_refused(world):
    """The servers above can say no."""
    event = {"routing_key": "x", "event_action": "trigger", "payload": {"summary": "s", "source": "s", "severity": "worst"}}
    assert post(world.prism.url, json.dumps(event))[0] != 202
    status, answer = post(world.slack.url, json.dumps({"channel": "C999", "text": "x"}), Authorization="Bearer test_token_admin")
    assert (status, answer["ok"], answer["error"]) == (200, False, "channel_not_found")
    with pytest.raises(ClientError, match="InvalidParameter"):
        world.moto.client("sns").publish(TopicArn=world.variables["OFFLIMITS_TOPIC_ARN"], Subject="x" * 101, Message="x")


def test_waits_are_kept_redirects_are_not_followed_and_tokens_renewed(world):
    """429 with a fraction of a second, 500, a broken token or a redirect on the way: each arrives. The redirect is not followed, but tried again."""
    before = world.received()
    world.desk.faults = {
        "teams": [Answer(429, headers={"Retry-After": "0.3"}), Answer(503, "<html>")],
        "zendesk": [Answer(401, {"error": "invalid_token"})],
        "servicenow": [Answer(500)],
        "webhook": [Answer(307, headers={"Location": "/elsewhere"})],
    }
    world.alert("event-2")
    after = world.received()
    # The topic may hear of the refusals too.
    assert after["sns"] > before["sns"] and all(after[name] == before[name] + 1 for name in set(after) - {"sns"}), after
    assert world.desk.tokens == 2, "the token that was rejected is fetched anew"


def test_proxies_are_taken_from_the_environment(world, tmp_path):
    """What is not on this machine is asked of the proxy; what the proxy refuses is tried again, and told without a secret."""
    asked = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self):
            asked.append(self.path)
            self.send_error(403)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    credentials = world.credentials | {
        "pagerduty": {"routing_key": "0123456789abcdef0123456789abcdef"},
        "webhook": {"url": "https://siem.example.com/s3cret", "signing_secret": SIGNING_SECRET},
    }
    secret = world.moto.client("secretsmanager").create_secret(Name=f"offlimits-{free_port()}", SecretString=json.dumps(credentials))["ARN"]
    proxy = {"HTTPS_PROXY": f"http://127.0.0.1:{server.server_port}", "NO_PROXY": "127.0.0.1"}
    variables = world.variables | proxy | {"OFFLIMITS_SECRET_ARN": secret}
    try:
        with Function(world.code, variables, tmp_path / "function.log", timeout=4) as function:
            verdicts = {v["channel"]: v["verdict"] for v in function.invoke({"offlimits": "test"})["test"]}
            log = function.log.read_text()
    finally:
        server.shutdown()
        server.server_close()
    assert {"events.pagerduty.com:443", "siem.example.com:443"} == set(asked)
    assert {name for name, verdict in verdicts.items() if verdict != "delivered"} == {"pagerduty", "webhook"}, verdicts
    assert all("s3cret" not in text and "0123456789" not in text and "siem.example" not in text for text in [str(verdicts), log])


def test_the_log_holds_no_secret(world):
    log = world.function.log.read_text()
    assert "trying again" in log and "reading the secret again" in log
    secrets = ["test_token_admin", "0123456789abcdef0123456789abcdef", "s3cret", "p sä!", "token1", "token2", SIGNING_SECRET, world.desk.url]
    assert [s for s in secrets if s in log] == []
