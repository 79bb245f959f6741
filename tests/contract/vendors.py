"""The other end of each channel: servers of other people's where there are some, and small ones that keep tickets where not."""

import http.server
import json
import shutil
import threading
import urllib.parse
from contextlib import AbstractContextManager
from pathlib import Path

import boto3
import pytest
from conftest import schema
from desk import channel_types, contract
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


class Desk(AbstractContextManager):
    """The stand-in of every other channel, under its type's name: it checks what it gets, and keeps it. `faults` are answered first.

    Zendesk, ServiceNow and the receiver of webhooks have manners of their own. Any other is posted to: what it gets is held to
    the schema in the channel's file (`contract`), and answered as that says; a search before that is answered with `found`.
    """

    def __init__(self):
        self.received: dict[str, list[dict]] = {name: [] for name in channel_types()}
        self.tickets = self.received["zendesk"]
        self.incidents = self.received["servicenow"]
        self.tokens = 0
        self.faults: dict[str, list] = {}
        self.problems: list[str] = []
        desk = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                url = urllib.parse.urlsplit(self.path)
                # A client that follows no redirect never gets here.
                if url.path == "/elsewhere":
                    desk.problems.append("a redirect was followed")
                faults = desk.faults.get(url.path.split("/")[1], [])
                if faults:
                    status, headers, answer = faults.pop(0)
                else:
                    status, headers, answer = *desk.answer(self.command, url, body, self.headers), b""
                    status, headers, answer = status, {}, json.dumps(headers).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PUT = do_PATCH = serve

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method: str, url: urllib.parse.SplitResult, body: bytes, headers) -> tuple[int, object]:
        query = urllib.parse.parse_qs(url.query)
        match [method, *url.path.strip("/").split("/")]:
            case ["POST", "zendesk", "oauth", "tokens"]:
                form = urllib.parse.parse_qs(body.decode())
                assert form["grant_type"] == ["client_credentials"] and form["client_secret"] == ["s3cret &="], form
                self.tokens += 1
                return 200, {"access_token": f"token{self.tokens}", "token_type": "bearer", "expires_in": 1800}
            case ["GET" | "POST" | "PUT", "zendesk", *_] if headers["Authorization"] != f"Bearer token{self.tokens}":
                return 401, {"error": "invalid_token"}
            case ["GET", "zendesk", "api", "v2", "tickets.json"]:
                return 200, {"tickets": [t for t in self.tickets if [t["external_id"]] == query["external_id"]]}
            case ["POST", "zendesk", "api", "v2", "tickets.json"]:
                self.check("overlays/zendesk-ticket-create.schema.json", body)
                key = headers["Idempotency-Key"]
                known = [t for t in self.tickets if t["key"] == key]
                if not known:
                    ticket = json.loads(body)["ticket"]
                    about = {"id": len(self.tickets) + 1, "status": "new", "key": key, "comments": 1}
                    self.tickets.append(ticket | about | {"description": ticket["comment"]["html_body"]})
                return 201, {"ticket": (known or self.tickets)[-1]}
            case ["PUT", "zendesk", "api", "v2", "tickets", name]:
                ticket = self.tickets[int(name.removesuffix(".json")) - 1]
                ticket["comments"] += 1
                return 200, {"ticket": ticket}
            case ["GET" | "POST" | "PATCH", "servicenow", *_] if headers["Authorization"] != "Basic b2ZmbGltaXRzOnAgc8OkIQ==":
                return 401, {"error": {"message": "User Not Authenticated"}, "status": "failure"}
            case ["GET", "servicenow", "api", "now", "table", "incident"]:
                wanted = query["sysparm_query"][0].split("^")
                assert wanted[1] == "active=true", wanted
                found = [i for i in self.incidents if f"correlation_id={i['correlation_id']}" == wanted[0]]
                return 200, {"result": found[:1]}
            case ["POST", "servicenow", "api", "now", "table", "incident"]:
                self.check("overlays/servicenow-incident.schema.json", body)
                number = len(self.incidents) + 1
                self.incidents.append(json.loads(body) | {"sys_id": f"{number:032x}", "number": f"INC{number:07}", "notes": 0})
                return 201, {"result": self.incidents[-1]}
            case ["PATCH", "servicenow", "api", "now", "table", "incident", sys_id]:
                self.incidents[int(sys_id, 16) - 1]["notes"] += 1
                return 200, {"result": self.incidents[int(sys_id, 16) - 1]}
            case ["POST", "webhook"]:
                # Raises if the signature, or its time, is not right.
                self.received["webhook"].append(Webhook(SIGNING_SECRET).verify(body, {k.lower(): v for k, v in headers.items()}))
                return 200, {}
            case ["GET", name, *_] if name in self.received and "found" in contract(name):
                return tuple(contract(name)["found"])
            case ["POST", name, *_] if name in self.received and "answer" in contract(name):
                said = contract(name)
                for step in {"post", "open"} & said.get("schemas", {}).keys():
                    self.check(said["schemas"][step], body)
                self.received[name].append(json.loads(body))
                return tuple(said["answer"])
        self.problems.append(f"{method} {url.path} is unknown")
        return 404, {}

    def check(self, path: str | dict, body: bytes):
        self.problems += [e.message for e in Draft202012Validator(schema(path)).iter_errors(json.loads(body))]
