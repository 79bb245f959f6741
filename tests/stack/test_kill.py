"""The packaged function, killed (SIGKILL) while it delivers, and two copies of it on one table: nothing is lost, and what comes twice is counted.

`KILLS=200 .venv/test/bin/python -B -m pytest -s tests/stack/test_kill.py` for a long run.
"""

import http.server
import json
import os
import queue
import random
import re
import subprocess
import threading
import time
from contextlib import AbstractContextManager
from pathlib import Path

import boto3.dynamodb.types
import pytest
from conftest import fresh, sample
from local import ACCOUNT, free_port, package, plain_environment

KILLS = int(os.environ.get("KILLS", "20"))
CHANNELS = ["alpha", "beta"]
RULES = {
    # A fast machine kills more often than once a second, and the storm guard is not what is tried here.
    "channels": {name: {"type": "slack", "max_per_minute": 10000} for name in CHANNELS},
    "rules": [{"id": "KILL", "title": "{actor}", "severity": "high", "when": {"event": "StartInstances"}}],
}
# Of an invocation. Its claims end a little later.
TIMEOUT = 3.0


class Vendor(AbstractContextManager):
    """Takes messages, and logs for each whether its sender was told so."""

    def __init__(self):
        self.taken: list[tuple[str, str]] = []  # channel, key
        self.hangs = threading.Event()
        self.asked = threading.Semaphore(0)
        vendor, lock, seen = self, threading.Lock(), set()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                channel, key = self.path.rsplit("/", 1)[1], re.search(r"message ([0-9a-f]{32})", body)[1]
                vendor.asked.release()
                if vendor.hangs.is_set():
                    time.sleep(30)
                time.sleep(0.01)
                with lock:
                    # One message in four is refused once, so that the function's own retries are killed too.
                    refused = int(key, 16) % 4 == 0 and (channel, key) not in seen
                    seen.add((channel, key))
                    if not refused:
                        vendor.taken.append((channel, key))
                status, answer = (503, b"busy") if refused else (200, b"ok")
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):  # its client was killed
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def credentials(self) -> dict:
        return {c: {"webhook_url": f"http://127.0.0.1:{self.server.server_port}/{c}"} for c in CHANNELS}

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


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


class World:
    """A table, a redelivery queue, a secret, a vendor, and as many copies of the function as are asked for."""

    def __init__(self, aws, vendor: Vendor, folder: Path):
        name = f"kill-{free_port()}"
        rules = folder / "rules.json"
        rules.write_text(json.dumps(RULES))
        self.program = package(folder / "code", rules)
        self.vendor, self.folder, self.table, self.copies = vendor, folder, name, []
        self.dynamodb, self.sqs = aws.client("dynamodb"), aws.client("sqs")
        self.dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ["partition", "sort"]],
            KeySchema=[{"AttributeName": "partition", "KeyType": "HASH"}, {"AttributeName": "sort", "KeyType": "RANGE"}],
        )
        self.queue = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.dead = self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        secret = aws.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(vendor.credentials()))["ARN"]
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

    def event(self) -> dict:
        """An event that opens an alert of its own."""
        event = fresh(sample("start-instances"))
        event["detail"]["userIdentity"]["userName"] = f"user-{event['detail']['eventID'][:8]}"
        return event

    def done(self) -> set[tuple[str, str]]:
        """What the ledger says was delivered: channel, key."""
        found, read = set(), boto3.dynamodb.types.TypeDeserializer().deserialize
        for page in self.dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True):
            for item in page["Items"]:
                item = {k: read(v) for k, v in item.items()}
                if item["partition"].startswith("finding#") and item.get("done") == "delivered":
                    found.add((item["sort"], item["partition"].removeprefix("finding#")))
        return found

    def drain(self, copy: Lambda) -> int:
        """Hands what is in the queue to the function, as Lambda does, until nothing is left. Returns how many messages."""
        count, end = 0, time.monotonic() + 60
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed", "ApproximateNumberOfMessagesNotVisible"]
        while any(int(n) for n in self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"].values()):
            assert time.monotonic() < end, "the queue does not become empty"
            messages = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
            if not messages:
                continue
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


@pytest.fixture
def world(aws, bootstrap, tmp_path):
    with Vendor() as vendor:
        world = World(aws, vendor, tmp_path)
        try:
            yield world
        finally:
            world.close()


def test_killed_at_any_point_it_loses_nothing(world):
    copy, vendor, chance = world.copy(), world.vendor, random.Random(os.environ.get("SEED", "kill"))
    took = []
    for _ in range(3):
        copy.kill()
        begun = time.monotonic()
        copy.invoke(world.event())
        took.append(time.monotonic() - begun)
    spared = len(vendor.taken)
    assert spared == 3 * len(CHANNELS)
    killed, gap, ended = [], set(), 0
    for _ in range(KILLS):
        copy.kill()
        event = world.event()
        copy.start(event)
        # In half of the runs anywhere; in the others around the vendor's answer, where it matters most.
        if chance.random() < 0.5:
            time.sleep(chance.random() * 1.2 * max(took))
        else:
            vendor.asked.acquire(timeout=2)
            time.sleep(chance.random() * 0.06)
        ended += not copy.answers.empty()
        copy.kill()
        killed.append(event)
        time.sleep(0.05)  # what the vendor is at, it finishes
        gap |= set(vendor.taken) - world.done()
        while vendor.asked.acquire(blocking=False):
            pass
    delivered_by_the_dead = len(vendor.taken) - spared
    time.sleep(TIMEOUT + 5.5)  # until every claim has ended
    for event in killed:  # Lambda tries again
        copy.invoke(event)
    redelivered = world.drain(copy)
    copies = {delivery: vendor.taken.count(delivery) for delivery in vendor.taken}
    twice = {delivery for delivery, times in copies.items() if times > 1}
    print(
        f"{KILLS} kills ({ended} after the answer): of {len(CHANNELS) * KILLS} alerts {delivered_by_the_dead} had been taken before the kill, "
        f"{len(gap)} of them with nobody having noted it; after the retry ({redelivered} messages through the queue) "
        f"{len(copies) - spared} alerts have arrived, {len(twice)} of them twice, {sum(t > 2 for t in copies.values())} more often"
    )
    assert len(copies) - spared == len(CHANNELS) * KILLS, "an alert is lost"
    assert twice <= gap, "an alert came twice although its delivery had been noted"
    assert all(times <= 2 for times in copies.values())
    assert world.done() == set(copies)


def test_two_copies_on_one_table_send_each_alert_once(world):
    copies = [world.copy(), world.copy()]
    events = [world.event() for _ in range(15)]
    for event in events:
        for copy in copies:
            copy.start(event)
        for copy in copies:
            how, answer = copy.answers.get(timeout=30)
            assert how == "response", answer
    held = world.drain(copies[0])
    print(f"{len(events)} events to two copies at once: {len(world.vendor.taken)} messages taken, {held} held deliveries came back as duplicates")
    assert len(world.vendor.taken) == len(set(world.vendor.taken)) == len(events) * len(CHANNELS)


def test_a_dead_claimers_alert_arrives_after_its_lease(world):
    dead, other = world.copy(), world.copy()
    world.vendor.hangs.set()
    event = world.event()
    dead.start(event)
    for _ in CHANNELS:
        assert world.vendor.asked.acquire(timeout=10), "the function sends"
    dead.kill()
    begun = time.monotonic()
    world.vendor.hangs.clear()
    answer = other.invoke(event)
    assert answer["deliveries"]["queued"] == len(CHANNELS), "somebody else's claim is respected"
    assert not world.vendor.taken
    world.drain(other)
    print(f"the alerts of a dead claimer arrived within {time.monotonic() - begun:.0f} s of its death")
    assert len(set(world.vendor.taken)) == len(CHANNELS)
