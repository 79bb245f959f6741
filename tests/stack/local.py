"""A local AWS, a local Slack, and the function between them: what the tests, `make invoke` and benches/cold_start.py share.

Everything listens on the loopback interface alone, on a free port, and ends with the `with` that started it.
"""

import http.server
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import sysconfig
import threading
import time
import urllib.error
import urllib.request
from contextlib import AbstractContextManager
from pathlib import Path

import boto3
import slackblocks
from botocore.config import Config
from slackblocks.blocks import Block

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from places import PACKAGE, ROOT, TOOL  # noqa: E402

ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
ACCOUNT, REGION = "123456789012", "us-east-1"  # the sample events'


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(probe, seconds=20.0, what="a result"):
    """Asks `probe` again and again, and returns the first answer that is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := probe():
            return answer
        time.sleep(0.05)
    raise TimeoutError(f"no {what} within {seconds:.0f} s")


def listens(port: int) -> bool:
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


# What Lambda says of itself to every function.
LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "offlimits",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_LOG_FORMAT": "JSON",
}


def plain_environment() -> dict:
    """This process's environment, without whatever it says of a real AWS."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "OFFLIMITS_"))} | {"SAM_CLI_TELEMETRY": "0"}


class Server(AbstractContextManager):
    """A program that listens on a port: started, awaited, and ended by its own process id. Its output goes to `log`."""

    def __init__(self, command: list, port: int, env: dict, cwd: Path, log: Path):
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            until(lambda: self.process.poll() is not None or listens(port), 60, f"answer of {command[0]}")
            if self.process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended at once: {log.read_text()}")
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Aws(Server):
    """ministack. `more`: further variables of its own."""

    def __init__(self, folder: Path, more: dict | None = None):
        port = free_port()
        program = ROOT / ".venv/ministack/bin/ministack"
        if not program.exists():
            raise FileNotFoundError("ministack is not installed: run `make setup`")
        # What a client needs, and what ministack hands on to the function. A key made of 12 digits names the account.
        self.variables = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "OFFLIMITS_PRIVATE_ENDPOINTS": "true",  # where the tests' vendors are
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }
        self.environment = plain_environment() | self.variables
        own = self.environment | {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)} | (more or {})
        super().__init__([program], port, own, folder, folder / "ministack.log")
        until(self._healthy, 60, "healthy ministack")

    def _healthy(self):
        try:
            return self.client("sts").get_caller_identity()["Account"] == ACCOUNT
        except Exception:  # not yet
            return False

    def client(self, service: str):
        return boto3.client(
            service,
            endpoint_url=self.variables["AWS_ENDPOINT_URL"],
            region_name=REGION,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 1}, connect_timeout=5, read_timeout=120),
        )

    def listen(self, topic: str, filter_policy: dict | None = None) -> "Inbox":
        """An SQS queue that is subscribed to the topic."""
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=f"inbox-{free_port()}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        attributes = {"FilterPolicy": json.dumps(filter_policy)} if filter_policy else {}
        self.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        return Inbox(sqs, url)


class Inbox:
    """A queue, read one message after another; what was read is gone."""

    def __init__(self, sqs, url: str):
        self.sqs, self.url = sqs, url

    def take(self) -> dict | None:
        for message in self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=1).get("Messages", []):
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            return json.loads(message["Body"])
        return None

    def next(self, seconds=20.0) -> dict:
        return until(self.take, seconds, "message in the queue")


class Slack(AbstractContextManager):
    """An incoming webhook, and `chat.postMessage` with any token. `status` and `body` are what it answers."""

    def __init__(self):
        self.received: list[dict] = []
        self.status, self.body = 200, "ok"
        slack = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if slack.status == 200:
                    slack.received.append(message)
                body = slack.body.encode()
                self.send_response(slack.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/T0/B0/secret"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def slack_block(block: dict):
    """The block as slackblocks makes it, which refuses what Slack would. It cannot read a block of actions yet: ours are buttons."""
    if block["type"] != "actions":
        return Block.from_dict(block)
    assert all(button.keys() <= {"type", "text", "url"} and button["type"] == "button" for button in block["elements"]), block
    buttons = [slackblocks.Button(text=button["text"]["text"], url=button["url"]) for button in block["elements"]]
    return slackblocks.ActionsBlock(elements=buttons)


def assert_slack_accepts(message: dict):
    """Raises what Slack would refuse: each block by itself, then the message's own limits."""
    assert message.get("text"), "Slack wants `text` beside blocks, for notifications and screen readers"
    attachments = message.get("attachments", [])
    groups = [[slack_block(b) for b in part.get("blocks", [])] for part in [message, *attachments]]
    assert any(groups), "the message has no blocks"
    slackblocks.WebhookMessage(
        text=message["text"],
        blocks=groups[0] or None,
        attachments=[slackblocks.Attachment(blocks=g, color=a.get("color")) for g, a in zip(groups[1:], attachments)] or None,
    ).to_dict()


def package(folder: Path, rules: Path, index=True) -> Path:
    """Another package of the same bootstrap, with other rules beside it: as `make build` packages them, or as they are."""
    if not (PACKAGE / "bootstrap").exists():
        raise FileNotFoundError("there is no function to run: run `make build`")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy2(PACKAGE / "bootstrap", folder / "bootstrap")
    if index:
        subprocess.run([TOOL, "bundle", rules, "--output", folder / "rules.json"], check=True, capture_output=True, timeout=60)
    else:
        shutil.copy2(rules, folder / "rules.json")
    return folder


class Function(Server):
    """The function alone, under Lambda's Runtime Interface Emulator."""

    def __init__(self, code: Path, variables: dict, log: Path, timeout=30):
        found = sorted(Path(sysconfig.get_path("purelib")).glob(f"samcli/local/rapid/aws-lambda-rie-{ARCHITECTURE}"))
        if not found:
            raise FileNotFoundError("the Runtime Interface Emulator is not installed: run `make setup`")
        emulator = log.parent / "aws-lambda-rie"
        shutil.copy2(found[0], emulator)
        emulator.chmod(0o755)
        port, runtime = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        env = plain_environment() | LAMBDA | {"AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout), "LAMBDA_TASK_ROOT": str(code)}
        listen = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}", "--runtime-api-address", f"127.0.0.1:{runtime}"]
        super().__init__([emulator, *listen, code / "bootstrap"], port, env | variables, code, log)

    def invoke(self, event: object):
        request = urllib.request.Request(self.url, json.dumps(event).encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:  # without a body, when the function does not start
            return json.loads(error.read() or '{"errorType": "Runtime.ExitError", "errorMessage": "see the log"}')


def serve(aws: Aws, slack: Slack, rules: dict) -> tuple[dict, str]:
    """Makes what the function needs in the local AWS; returns its environment and the topic. Every Slack channel is the local one."""
    name = f"offlimits-{free_port()}"  # another for each caller
    topic = aws.client("sns").create_topic(Name=name)["TopicArn"]
    credentials = {n: {"webhook_url": slack.url} for n, c in rules.get("channels", {}).items() if c.get("type") == "slack"}
    secret = aws.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(credentials))["ARN"]
    role = f"arn:aws:iam::{ACCOUNT}:role/offlimits"
    return aws.variables | {"OFFLIMITS_TOPIC_ARN": topic, "OFFLIMITS_SECRET_ARN": secret, "OFFLIMITS_ROLE_ARN": role}, topic


def docker() -> bool:
    """Is there a Docker engine to run a container with?"""
    return bool(shutil.which("docker")) and subprocess.run(["docker", "info"], capture_output=True, timeout=20).returncode == 0


def note(text: str):
    print(text, file=sys.stderr)
