"""The other end of each channel: servers of other people's where there are some, and small ones that keep tickets where not."""

import shutil
import urllib.parse
from pathlib import Path

import boto3
import pytest
from conftest import schema
from desk import Answer, Desk, Sent, channel_types, contract
from jsonschema import Draft202012Validator
from local import REGION, Server, free_port, plain_environment
from places import ROOT, SCHEMAS
from standardwebhooks import Webhook

NODE = ROOT / ".venv/node/node_modules/.bin"
ACCOUNT = "123456789012"
SIGNING_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def node(program: str) -> Path:
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    assert (NODE / program).exists(), f"{program} is not installed: run `make setup`"
    return NODE / program


class Prism(Server):
    """PagerDuty, by its own OpenAPI document: what is not valid is refused."""

    def __init__(self, folder: Path):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/enqueue"
        document = SCHEMAS / "pagerduty/events-v2.openapi.json"
        command = [node("prism"), "mock", "-h", "127.0.0.1", "-p", str(port), "--errors", document]
        super().__init__(command, port, plain_environment(), folder, folder / "prism.log")


class SlackEmulator(Server):
    """A Slack that keeps what is posted."""

    def __init__(self, folder: Path):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/api/chat.postMessage"
        command = [node("emulate"), "--service", "slack", "--port", str(port)]
        super().__init__(command, port, plain_environment(), folder, folder / "emulate.log")


class Moto(Server):
    """SNS and Secrets Manager; stricter than the local AWS of tests/stack where subjects and sizes are concerned."""

    def __init__(self, folder: Path):
        port = free_port()
        self.variables = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "OFFLIMITS_PRIVATE_ENDPOINTS": "true",  # where the tests' vendors are
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }
        program = Path(shutil.which("moto_server") or ROOT / ".venv/test/bin/moto_server")
        command = [program, "-H", "127.0.0.1", "-p", str(port)]
        super().__init__(command, port, plain_environment(), folder, folder / "moto.log")

    def client(self, service: str):
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
        return boto3.client(service, endpoint_url=self.variables["AWS_ENDPOINT_URL"], **keys)


class StrictDesk(Desk):
    """The stand-in of every channel that has no server of other people's: it checks what it gets, and keeps it. `faults` are answered first."""

    def __init__(self):
        super().__init__({name: name for name in channel_types()})
        self.received: dict[str, list[dict]] = {name: [] for name in channel_types()}
        self.faults: dict[str, list[Answer]] = {}

    @property
    def tokens(self) -> int:
        """How many access tokens were asked for."""
        return self.vendors["zendesk"].tokens

    def serve(self, channel: str, sent: Sent) -> Answer:
        # A client that follows no redirect never gets there.
        assert channel != "elsewhere", "a redirect was followed"
        if self.faults.get(channel):
            return self.faults[channel].pop(0)
        match channel:
            case "zendesk" if sent.path == ["oauth", "tokens"]:
                form = urllib.parse.parse_qs(sent.text)
                assert form["grant_type"] == ["client_credentials"] and form["client_secret"] == ["s3cret &="], form
            case "servicenow" | "servicenow-events":
                assert sent.headers["Authorization"] == "Basic b2ZmbGltaXRzOnAgc8OkIQ==", "another user or password"
            case "webhook":
                # Raises if the signature, or its time, is not right.
                Webhook(SIGNING_SECRET).verify(sent.text.encode(), {name.lower(): value for name, value in sent.headers.items()})
        answer = super().serve(channel, sent)
        if answer.key is not None:
            said = contract(channel).get("schemas", {})
            if not self.vendors[channel].step(sent)[1]:
                for step in {"post", "open"} & said.keys():
                    self.problems += [e.message for e in Draft202012Validator(schema(said[step])).iter_errors(sent.document)]
            self.received[channel].append(sent.document)
        return answer
