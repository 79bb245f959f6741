"""What one event, one alert and one repeat cost the function that is warm: requests, DynamoDB's units, bytes of log, instructions; and in
dollars, by AWS's list prices (us-east-1, arm64). docs/scale.md goes on from there.

The bootstrap of the package runs under a stub of Lambda's Runtime API, and all of AWS and the channels is one mock, which counts. A figure is
the difference between runs of some events and of more, so that the start is in none.

usage: unit_costs.py [EVENTS]     (40 unless told)
"""

import copy
import http.server
import json
import math
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from cold_start import LAMBDA, PACKAGE, ROOT, plain_environment, request
from mocks import updated

# us-east-1, 2026-11. Sources: the pages of prices of Lambda, DynamoDB (on demand), CloudWatch, SNS, SQS and EventBridge.
PRICES = {
    "lambda request": 0.20e-6,
    "lambda GB-second": 13.3334e-6,
    "write unit": 0.625e-6,
    "read unit": 0.125e-6,
    "log GB": 0.50,
    "sqs request": 0.40e-6,
}
MEMORY_GB = 0.125
# Instructions that a 128 MB function runs in a second: a fourteenth of a processor of about 3·10⁹. Its share by memory is documented (1,769 MB are one
# processor), the rest is an estimate.
INSTRUCTIONS_A_SECOND = 3e9 * 128 / 1769
# What an event waits for, in seconds: nothing, or about ten round trips of an alert.
WAITS = {"no match": 0.001, "alert": 0.05, "repeat": 0.01}

RULES = {
    "channels": {"topic": {"type": "sns"}},
    "rules": [
        {"id": "EACH", "title": "{event}", "severity": "low", "throttle": "off", "when": {"event": {"is": "DeleteTrail"}}},
        {"id": "REPEATED", "title": "{event}", "severity": "low", "when": {"event": {"is": "StopLogging"}}},
    ],
}


@dataclass
class Costs:
    """Of so many events of one kind."""

    requests: Counter = field(default_factory=Counter)
    write_units: float = 0
    read_units: float = 0
    log_bytes: int = 0
    instructions: int = 0

    def less(self, other: "Costs", events: int) -> dict:
        requests = {name: (count - other.requests[name]) / events for name, count in self.requests.items()}
        return {
            "requests": {name: round(count, 2) for name, count in requests.items() if count},
            "write units": (self.write_units - other.write_units) / events,
            "read units": (self.read_units - other.read_units) / events,
            "log bytes": (self.log_bytes - other.log_bytes) / events,
            "instructions": (self.instructions - other.instructions) / events,
        }


def kilobytes(item: dict) -> int:
    """Write units of an item: one a kilobyte, or part of one. The names and values of the attributes count; JSON's marks do not, so that this is a little much."""
    return max(1, math.ceil(len(json.dumps(item)) / 1024))


class Mock(http.server.ThreadingHTTPServer):
    """AWS. It keeps what is put, as a table does: a repeat is one only if its window is known."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.items, self.costs, self.lock = {}, Costs(), threading.Lock()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Mock

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        target = self.headers.get("X-Amz-Target", "").rsplit(".", 1)[-1]
        with self.server.lock:
            answer = self.answer(target, body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def answer(self, target: str, body: bytes) -> bytes:
        costs, items = self.server.costs, self.server.items
        costs.requests[target or "Publish"] += 1
        if not target:
            return b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
        asked = json.loads(body)

        def key(item: dict) -> str:
            return f"{item['partition']['S']} {item['sort']['S']}"

        if target == "BatchGetItem":
            [keys] = [one["Keys"] for one in asked["RequestItems"].values()]
            costs.read_units += len(keys)
            found = [items[key(one)] for one in keys if key(one) in items]
            return json.dumps({"Responses": {"offlimits": found}, "UnprocessedKeys": {}}).encode()
        if target == "Query":
            costs.read_units += 1
            return b'{"Count":0,"Items":[]}'
        if target == "TransactWriteItems":
            for put in (one["Put"]["Item"] for one in asked["TransactItems"]):
                costs.write_units += 2 * kilobytes(put)
                items[key(put)] = put
        if target == "PutItem":
            costs.write_units += kilobytes(asked["Item"])
            items[key(asked["Item"])] = asked["Item"]
        if target == "UpdateItem":
            costs.write_units += 1
            return json.dumps(updated(asked)).encode()
        return b'{"MessageId":"1"}' if target == "SendMessage" else b"{}"


def event(kind: str, number: int) -> bytes:
    made = copy.deepcopy(json.loads((ROOT / "events/start-instances.json").read_bytes()))
    made["detail"]["eventName"] = {"no match": "DescribeNothing", "alert": "DeleteTrail", "repeat": "StopLogging"}[kind]
    made["detail"]["eventID"] = f"{kind}-{number}"
    return json.dumps(made).encode()


def run(kind: str, events: int, folder: Path, counts_instructions: bool) -> Costs:
    """Plays these events, one invocation each, into a new process over an empty table."""
    mock = Mock()
    threading.Thread(target=mock.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{mock.server_port}"
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(120)
    environment = plain_environment() | LAMBDA | {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{listener.getsockname()[1]}",
        "LAMBDA_TASK_ROOT": str(folder),
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": url,
        "OFFLIMITS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:offlimits",
        "OFFLIMITS_TABLE": "offlimits",
        "OFFLIMITS_REDELIVERY_URL": f"{url}/redelivery",
        "OFFLIMITS_DEAD_LETTERS_URL": f"{url}/dead-letters",
    }
    out, log = folder / "callgrind", folder / "log"
    valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"] if counts_instructions else []
    with log.open("wb") as output:
        process = subprocess.Popen([*valgrind, folder / "bootstrap"], env=environment, stdout=output, stderr=subprocess.DEVNULL)
        connection, sent = listener.accept()[0], 0
        try:
            while sent <= events:
                asked = request(connection)
                if asked.line.startswith("GET"):
                    if sent == events:
                        break
                    body = event(kind, sent)
                    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: {int(time.time() * 1000) + 30_000}\r\n"
                    head += f"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:f\r\nContent-Length: {len(body)}\r\n\r\n"
                    connection.sendall(head.encode() + body)
                    sent += 1
                elif asked.line.split()[1].endswith("/response"):
                    connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
                else:
                    raise RuntimeError(f"{asked.line} {asked.body.decode()}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            mock.shutdown()
    costs = mock.costs
    costs.log_bytes = log.stat().st_size
    if counts_instructions:
        costs.instructions = int(next(line for line in out.read_text().splitlines() if line.startswith("totals:")).split()[1])
    return costs


# What Lambda itself writes of an invocation, start and report, is about as long as AWS's examples of them:
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
LINES_OF_LAMBDA = 400


def dollars(cost: dict, kind: str) -> float:
    seconds = WAITS[kind] + cost["instructions"] / INSTRUCTIONS_A_SECOND
    queue = sum(count for name, count in cost["requests"].items() if name.startswith("SendMessage"))
    return (
        PRICES["lambda request"]
        + seconds * MEMORY_GB * PRICES["lambda GB-second"]
        + cost["write units"] * PRICES["write unit"]
        + cost["read units"] * PRICES["read unit"]
        + (cost["log bytes"] + LINES_OF_LAMBDA) / 1e9 * PRICES["log GB"]
        + queue * PRICES["sqs request"]
    )


def main():
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    counts_instructions = shutil.which("valgrind") is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rules.json").write_text(json.dumps(RULES))
        shutil.copy2(PACKAGE / "bootstrap", folder)
        costs = {}
        for kind in WAITS:
            few, many = (run(kind, count, folder, counts_instructions) for count in (events // 2, events + events // 2))
            costs[kind] = many.less(few, events)
    print("of one event, on one channel")
    for kind, cost in costs.items():
        print(f"  {kind:9} {cost['write units']:5.2f} write units, {cost['read units']:.2f} read units, {cost['log bytes']:6.0f} bytes of log, ", end="")
        print(f"{cost['instructions'] / 1e3:8.0f} thousand instructions, {dollars(cost, kind) * 1e6:6.3f} dollars a million; {cost['requests']}")


if __name__ == "__main__":
    main()
