"""Copies of the packaged function that are killed, the table, the queues and the vendors that they share: what tests/stack/test_kill.py plays with.

There is a channel for every way to every vendor (tests/support/desk.py): what is posted is kept there, what is published is read from a queue.
"""

import hashlib
import http.server
import json
import queue
import subprocess
import threading
import time
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3.dynamodb.types
from conftest import fresh, sample
from desk import Answer, Desk, Kept, ways
from desk import sample as channel_sample
from local import ACCOUNT, free_port, package, plain_environment

WAYS = ways()
CHANNELS = list(WAYS)
TOPICS = [name for name, way in WAYS.items() if way["settings"]["type"] == "sns"]
# Whoever looks for a ticket before it opens one finds that of an attempt whose answer was lost; or the vendor knows the key again.
FIND_THEIR_OWN = [
    name
    for name, way in WAYS.items()
    if any(step.keys() & {"finds", "once"} for step in channel_sample(way["settings"]["type"]).get("vendor", {}).get("answers", []))
]
RULES = [
    {
        "id": "KILL", "title": "{actor}", "severity": "high", "when": {"event": "StartInstances"},
        "severity_when": [{"severity": "very-high", "when": {"user_agent": "worse"}}],
    },
    {"id": "QUIET", "title": "{actor}", "severity": "high", "when": {"event": "StopInstances"}, "throttle": "off"},
]  # fmt: skip
# Of an invocation. Its claims end a little later.
TIMEOUT = 3.0


class Vendors(Desk):
    """They take messages, of which the function is told after a moment, or not at all."""

    def __init__(self):
        super().__init__({name: way["settings"]["type"] for name, way in WAYS.items()})
        self.taken: list[tuple[str, str]] = []  # channel, key
        self.texts: dict[tuple[str, str], str] = {}
        self.hangs = threading.Event()
        self.asked = threading.Semaphore(0)
        self.refused: set[tuple] = set()

    def serve(self, channel, sent) -> Answer:
        self.asked.release()
        if self.hangs.is_set():
            time.sleep(30)
        time.sleep(0.01)
        # One request in four is refused once, so that the function's own retries are killed too.
        request = (channel, sent.method, *sent.path, sent.text)
        if zlib.crc32(repr(request).encode()) % 4 == 0 and request not in self.refused:
            self.refused.add(request)
            return Answer(503, "busy")
        answer = super().serve(channel, sent)
        if answer.key is not None:
            self.take(channel, answer.key, answer.text)
        return answer

    def take(self, channel: str, key: str, text: str):
        self.taken.append((channel, key))
        self.texts[channel, key] = text

    def forget_what_was_asked(self):
        while self.asked.acquire(blocking=False):
            pass


class Lambda:
    """A copy of the function: a process, and Lambda's runtime interface, from which it takes its events."""

    def __init__(self, program: Path, environment: dict, log: Path):
        self.program, self.environment, self.log = program, environment, log
        self.process = self.server = None

    def start(self, event):
        """Gives the event to the process that is there, or to a new one: a cold start."""
        if self.process is None:
            # An interface of its own, for a request of a process that was killed may still be on its way to the last one.
            self.events, self.answers = queue.Queue(), queue.Queue()
            self.server = runtime_interface(self.events, self.answers)
            variables = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.server_port}", "LAMBDA_TASK_ROOT": str(self.program)}
            with self.log.open("ab") as out:
                self.process = subprocess.Popen(
                    [self.program / "bootstrap"], env=self.environment | variables, stdin=subprocess.DEVNULL, stdout=out, stderr=out
                )
        self.events.put(json.dumps(event).encode())

    def invoke(self, event) -> dict:
        self.start(event)
        how, answer = self.answers.get(timeout=30)
        assert how == "response", answer
        return answer

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.events.put(None)
            self.server.shutdown()
            self.server.server_close()
            self.process = self.server = None


def runtime_interface(events: queue.Queue, answers: queue.Queue) -> http.server.ThreadingHTTPServer:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):  # …/invocation/next
            event = events.get()
            if event is None:
                return
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", "1")
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + TIMEOUT) * 1000)))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f")
            self.send_header("Content-Length", str(len(event)))
            self.end_headers()
            self.wfile.write(event)

        def do_POST(self):  # …/response or …/error
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null"
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            answers.put((self.path.rsplit("/", 1)[1], json.loads(body)))

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_):  # its client was killed
            pass

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


def key_of(event: dict, rule="KILL") -> str:
    """The key of the message about an event: the id of its finding (src/ids.rs)."""
    digest = hashlib.sha256()
    for part in [rule, event["detail"]["recipientAccountId"], event["detail"]["eventID"]]:
        digest.update(len(part).to_bytes(8, "little") + part.encode())
    return digest.hexdigest()[:32]


class World:
    """A table, a redelivery queue, a secret, the vendors, and as many copies of the function as are asked for."""

    def __init__(self, aws, vendors: Vendors, folder: Path, lineage: bool):
        """With `lineage`, every channel tells incidents that follow credentials, and what is worse is done in a session of the caller's."""
        self.lineage = lineage
        name = f"kill-{free_port()}"
        self.vendors, self.folder, self.table, self.copies = vendors, folder, name, []
        self.dynamodb, self.sqs, sns = aws.client("dynamodb"), aws.client("sqs"), aws.client("sns")
        # A fast machine kills more often than once a second, and the storm guard is not what is tried here.
        channels = {n: way["settings"] | {"max_per_minute": 10000} for n, way in WAYS.items()}
        if lineage:
            channels = {n: settings | {"incident": {"lineage": True}} for n, settings in channels.items()}
        for topic in TOPICS:
            channels[topic]["topic_arn"] = sns.create_topic(Name=f"{name}-{topic}")["TopicArn"]
        self.inboxes = {topic: aws.listen(channels[topic]["topic_arn"]) for topic in TOPICS}
        rules = folder / "rules.json"
        rules.write_text(json.dumps({"channels": channels, "rules": RULES}))
        self.program = package(folder / "code", rules)
        self.dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ["partition", "sort"]],
            KeySchema=[{"AttributeName": "partition", "KeyType": "HASH"}, {"AttributeName": "sort", "KeyType": "RANGE"}],
        )
        self.queue = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.dead = self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]

        def filled(channel: str, value: str) -> str:
            return f"{vendors.url}/{channel}" if value.startswith("{") else value  # where a test of the wire has its stand-in

        credentials = {n: {k: filled(n, v) for k, v in way["credentials"].items()} for n, way in WAYS.items()}
        secret = aws.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(credentials))["ARN"]
        self.environment = plain_environment() | aws.variables | {
            "OFFLIMITS_TABLE": name,
            "OFFLIMITS_SECRET_ARN": secret,
            "OFFLIMITS_REDELIVERY_URL": self.queue,
            "OFFLIMITS_DEAD_LETTERS_URL": self.dead,
            "AWS_LAMBDA_FUNCTION_NAME": "f",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        }  # fmt: skip

    def copy(self) -> Lambda:
        copy = Lambda(self.program, self.environment, self.folder / f"function{len(self.copies)}.log")
        self.copies.append(copy)
        return copy

    def event(self, name="StartInstances") -> dict:
        """An event that opens an alert of its own."""
        event = fresh(sample("start-instances"))
        event["detail"]["eventName"] = name
        event["detail"]["userIdentity"]["userName"] = f"user-{event['detail']['eventID'][:8]}"
        return event

    def issued(self, event: dict) -> dict:
        """The caller asks for a session of a role: no rule is about that."""
        name = event["detail"]["userIdentity"]["userName"]
        issued = self.event("AssumeRole")
        now = datetime.now(UTC)
        issued["detail"] |= {
            "eventSource": "sts.amazonaws.com",
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "requestParameters": {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/Relay", "roleSessionName": "whoever", "durationSeconds": 3600},
            "responseElements": {"credentials": {"accessKeyId": f"ASIA{name}", "expiration": (now + timedelta(hours=1)).strftime("%b %d, %Y, %I:%M:%S %p")}},
        }
        issued["detail"]["userIdentity"]["userName"] = name
        return issued

    def worse(self, event: dict) -> dict:
        """Another one of its alert, which is told of where that was."""
        event = fresh(event)
        event["detail"]["userAgent"] = "worse"
        if self.lineage:
            event["detail"]["userIdentity"] = {
                "type": "AssumedRole",
                "principalId": "AROARELAY:whoever",
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Relay/whoever",
                "accountId": ACCOUNT,
                "accessKeyId": f"ASIA{event['detail']['userIdentity']['userName']}",
                "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "Relay", "accountId": ACCOUNT}},
            }
        return event

    def silence(self, event: dict) -> str:
        """Somebody wants to hear no more of what this caller does, for an hour. Returns the silence's id."""
        id, now = event["detail"]["eventID"].replace("-", "")[:16], int(time.time() * 1000)
        said = {"rule": "QUIET", "by": {"principal": event["detail"]["userIdentity"]["userName"]}, "who": "jana", "reason": "CHG-1042"}
        times = {"created": now - 1000, "until": now + 3_600_000, "version": 1, "expires": now // 1000 + 7200}
        item = {"partition": "silences", "sort": id} | said | times
        write = boto3.dynamodb.types.TypeSerializer().serialize
        self.dynamodb.put_item(TableName=self.table, Item={k: write(v) for k, v in item.items()})
        return id

    def items(self) -> list[dict]:
        """What the ledger holds."""
        read = boto3.dynamodb.types.TypeDeserializer().deserialize
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        return [{k: read(v) for k, v in item.items()} for page in pages for item in page["Items"]]

    def done(self, how="delivered") -> set[tuple[str, str]]:
        """What the ledger says was delivered: channel, key."""
        claims = [item for item in self.items() if item["partition"].startswith("finding#")]
        return {(item["sort"], item["partition"].removeprefix("finding#")) for item in claims if item.get("done") == how}

    def taken(self) -> list[tuple[str, str]]:
        """What has arrived: channel, key."""
        for topic, inbox in self.inboxes.items():
            while message := inbox.take():
                alert = json.loads(message["Message"])
                self.vendors.take(topic, alert["message"], message["Message"])
        return self.vendors.taken

    def kept(self, channel: str) -> list[Kept]:
        return self.vendors.vendors[channel].kept

    def drain(self, copy: Lambda, expected: set[tuple[str, str]]) -> int:
        """Hands what comes due in the queue to the function, as Lambda does, until all that is expected has been delivered, or is silenced, and
        nothing comes any more. Returns how many messages. (What sums up waits there for longer.)"""
        count, begun, last = 0, time.monotonic(), time.monotonic()
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed", "ApproximateNumberOfMessagesNotVisible"]
        while any(int(n) for n in self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"].values()):
            if time.monotonic() - last > TIMEOUT + 6 and expected <= self.done() | self.done("silenced"):
                break
            assert time.monotonic() < begun + 90, "not everything that is expected arrives"
            messages = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
            if not messages:
                continue
            last = time.monotonic()
            records = [
                {"messageId": m["MessageId"], "receiptHandle": m["ReceiptHandle"], "eventSource": "aws:sqs", "body": m["Body"]}
                for m in messages
            ]
            answer = copy.invoke({"Records": records})
            failed = {f["itemIdentifier"] for f in answer["batchItemFailures"]}
            for m in messages:
                if m["MessageId"] not in failed:
                    self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=m["ReceiptHandle"])
                    count += 1
        return count

    def close(self):
        for copy in self.copies:
            copy.kill()
