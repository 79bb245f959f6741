"""What stands for the vendors over real HTTP: each keeps and answers what `vendor` in tests/channels/NAME.json says.

tests/delivery/vendors plays the same for tests whose vendors are no servers.
"""

import http.server
import json
import re
import threading
import urllib.parse
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from places import ROOT


def channel_types() -> list[str]:
    """The types of channels that are registered, in the order of the pages."""
    document = json.loads((ROOT / "rules.schema.json").read_bytes())
    return [kind["properties"]["type"]["const"] for kind in document["definitions"]["Channel"]["oneOf"]]


def sample(channel: str) -> dict:
    """A channel's file."""
    file = ROOT / f"tests/channels/{channel}.json"
    assert file.exists(), f"the channel {channel} has no samples: write tests/channels/{channel}.json"
    return json.loads(file.read_bytes())


def contract(channel: str) -> dict:
    """How the function meets a channel's stand-in: `contract` in the channel's file."""
    said = sample(channel).get("contract")
    assert said is not None, f'tests/channels/{channel}.json has no "contract": how does the function meet a stand-in?'
    return said


def ways() -> dict[str, dict]:
    """Every way to a vendor by its name, with settings and credentials: of each registered type one, and the others of those that have several."""
    found = {}
    for channel in channel_types():
        others = sample(channel).get("ways", {})
        for name, way in {channel: contract(channel), **others}.items():
            found[name] = {"settings": {"type": channel} | way["settings"], "credentials": way["credentials"]}
    return found


@dataclass
class Kept:
    """A ticket, an issue, an incident, an alert or a thread."""

    n: int
    alert: str  # what it is found by
    id: str
    key: str  # of the message that it was opened with
    remembered: dict = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)  # the keys of all, as people read them

    def named(self, name: str) -> object:
        """What a name in braces stands for."""
        return {"n": self.n, "id": self.id, "alert": self.alert}.get(name, self.remembered.get(name))


@dataclass
class Answer:
    status: int
    body: object = None
    key: str | None = None  # of the message that people can read from now on
    text: str = ""
    headers: dict = field(default_factory=dict)


def pointed(document: object, pointer: str) -> object:
    """What a JSON pointer (RFC 6901) leads to: keys and places, without escapes. None, if that is nothing."""
    for part in pointer.removeprefix("/").split("/"):
        document = document[int(part)] if isinstance(document, list) else document.get(part)
    return document


@dataclass
class Sent:
    """A request to a vendor."""

    method: str
    path: list[str]
    query: dict[str, list[str]]
    text: str
    headers: object

    @property
    def document(self) -> dict:
        return json.loads(self.text) if self.text.startswith("{") else {}

    def at(self, pointer: str) -> object:
        """What stands in the document, at a pointer."""
        return pointed(self.document, pointer)

    def matched(self, step: dict) -> str | None:
        """The id in the path, or an empty text where the step has none, if this is a request to it."""
        method, *path = re.split("[ /]", step["to"])
        if method != self.method or len(path) != len(self.path) or step.get("without", "-") in self.headers:
            return None
        if any(of_step not in ["*", "{id}", part] for of_step, part in zip(path, self.path, strict=True)):
            return None
        return next((part for of_step, part in zip(path, self.path, strict=True) if of_step == "{id}"), "")

    def key(self, step: dict) -> str:
        """The key of the message, which stands in its footer where no header has it."""
        return self.headers[step["key_in"]] if "key_in" in step else re.search(r"message ([0-9a-f]{32})", self.text)[1]

    def tells(self, step: dict) -> bool:
        """Whether people can read it from now on."""
        tells = step.get("tells", False)
        return tells if isinstance(tells, bool) else all(self.at(pointer) in words for pointer, words in tells.items())


def id_in(text: str) -> str:
    """The id of an alert, in a text around it."""
    return re.search(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", text)[0]


def filled(template: object, named) -> object:
    """A document in which each text that is a name in braces is what that stands for, and one within a text is written there."""
    if isinstance(template, list):
        return [filled(value, named) for value in template]
    if isinstance(template, dict):
        return {key: filled(value, named) for key, value in template.items()}
    if not isinstance(template, str) or not (name := re.search(r"\{(.+?)\}", template)):
        return template
    value = named(name[1])
    return value if name[0] == template else template.replace(name[0], str(value))


class Vendor:
    """The vendor of one channel, which keeps and answers what `vendor` in its channel's file says (tests/channels/vendor.rs explains it)."""

    def __init__(self, channel_type: str):
        self.type, self.kept, self.tokens, self.lock = channel_type, [], 0, threading.Lock()
        self.said = sample(channel_type).get("vendor", {"answers": []})

    def of_alert(self, alert: str) -> Kept | None:
        return next((k for k in reversed(self.kept) if k.alert == alert), None)

    def of_id(self, id: str) -> Kept | None:
        return next((k for k in self.kept if k.id == id), None)

    def step(self, sent: Sent) -> tuple[dict, str]:
        """Which of its steps a request is, and the id in its path."""
        for step in self.said["answers"]:
            if (id := sent.matched(step)) is not None:
                return step, id
        raise LookupError(f'"vendor" in tests/channels/{self.type}.json has no answer to {sent.method} {sent.path}')

    def answer(self, sent: Sent) -> Answer:
        if self.type == "zendesk" and (answer := self.token(sent)) is not None:
            return answer
        step, id = self.step(sent)
        tells = sent.tells(step)
        known = None
        if tells and step.get("once"):
            alert = id_in(json.dumps(sent.at(step["joins"]))) if "joins" in step else None
            known = next((k for k in self.kept if k.key == sent.key(step) and alert in [None, k.alert]), None)
        about = known or self.concerned(step, id, sent)
        if about is None and (id or "finds" in step or "adds_to" in step):
            assert "otherwise" in step or "finds" in step, f"{self.type}: nothing is there for {sent.method} {sent.path}"
            status, body = step.get("otherwise", step["answer"])
            return Answer(status, filled(body, {"found": []}.get))

        def named(name: str) -> object:
            shown = filled(self.said.get("object"), about.named)
            return {"it": shown, "found": [shown]}.get(name) or about.named(name)

        status, body = step["answer"]
        answer = Answer(status, filled(body, named))
        if tells and known is None:
            answer.key, answer.text = sent.key(step), sent.text
            if about is not None:
                about.messages.append(answer.key)
        return answer

    def concerned(self, step: dict, id: str, sent: Sent) -> Kept | None:
        """What a request is about, of what is kept; opened, if it is to be."""
        if id:
            about = self.of_id(id)
            if about is not None:
                about.remembered |= {name: sent.at(pointer) for name, pointer in step.get("keeps", {}).items()}
            return about
        if "finds" in step:
            return self.of_alert(id_in(sent.query[step["finds"]][0]))
        if "opens" in step or "joins" in step:
            alert = id_in(json.dumps(sent.at(step.get("opens") or step["joins"])))
            return ("joins" in step and self.of_alert(alert)) or self.open(step, alert, sent)
        if "adds_to" in step:
            id = sent.at(step["adds_to"])
            return self.of_id(id) if id else self.open(step, None, sent)
        return None

    def open(self, step: dict, alert: str | None, sent: Sent) -> Kept:
        """Opens something; of no alert, if it has nothing but its own id."""
        n = len(self.kept) + 1
        id = step.get("id", "{alert}").format(n=n, alert=alert)
        remembered = {name: sent.at(pointer) for name, pointer in step.get("keeps", {}).items()}
        self.kept.append(Kept(n, alert or id, id, sent.key(step), remembered))
        return self.kept[-1]

    def token(self, sent: Sent) -> Answer | None:
        """Zendesk's access tokens. Each copy of the function has one of its own."""
        if sent.path == ["oauth", "tokens"]:
            self.tokens += 1
            return Answer(200, {"access_token": f"token{self.tokens}", "token_type": "bearer", "expires_in": 1800})
        is_valid = 0 < int(sent.headers["Authorization"].removeprefix("Bearer token")) <= self.tokens
        return None if is_valid else Answer(401, {"error": "invalid_token"})


class Desk(AbstractContextManager):
    """The vendors of all channels that are reached over HTTP: each under its channel's name, the first part of the path."""

    def __init__(self, types: dict[str, str]):
        self.vendors = {name: Vendor(channel_type) for name, channel_type in types.items()}
        self.problems: list[str] = []
        desk = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                url = urllib.parse.urlsplit(self.path)
                channel, *path = url.path.strip("/").split("/")
                try:
                    answer = desk.serve(channel, Sent(self.command, path, urllib.parse.parse_qs(url.query), text, self.headers))
                except Exception as error:
                    desk.problems.append(f"{self.command} {url.path}: {error!r}")
                    raise
                body = answer.body if isinstance(answer.body, str) else "" if answer.body is None else json.dumps(answer.body)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            do_GET = do_POST = do_PUT = do_PATCH = serve

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_):  # its client was killed
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def serve(self, channel: str, sent: Sent) -> Answer:
        vendor = self.vendors[channel]
        with vendor.lock:
            return vendor.answer(sent)

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
