"""What stands for the vendors over real HTTP: what each keeps and answers, as its pages say (the channels' files in src/channel name them).

tests/delivery/vendors is the same for tests whose vendors are no servers.
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


def contract(channel: str) -> dict:
    """How the function meets a channel's stand-in: `contract` in the channel's file."""
    file = ROOT / f"tests/channels/{channel}.json"
    assert file.exists(), f"the channel {channel} has no samples: write tests/channels/{channel}.json"
    said = json.loads(file.read_bytes()).get("contract")
    assert said is not None, f'tests/channels/{channel}.json has no "contract": how does the function meet a stand-in?'
    return said


def ways() -> dict[str, dict]:
    """Every way to a vendor by its name, with settings and credentials: of each registered type one, and the others of those that have several."""
    of_types = {n: {"settings": {"type": n} | contract(n)["settings"], "credentials": contract(n)["credentials"]} for n in channel_types()}
    return of_types | json.loads((ROOT / "tests/delivery/vendors/ways.json").read_bytes())


@dataclass
class Kept:
    """A ticket, an issue, an incident, an alert or a thread."""

    alert: str  # what it is found by
    id: str
    key: str  # of the message that it was opened with
    text: object = None
    priority: object = None
    messages: list[str] = field(default_factory=list)  # the keys of all, as people read them


@dataclass
class Answer:
    status: int
    body: object = None
    key: str | None = None  # of the message that people can read from now on
    text: str = ""


def key_of(text: str) -> str:
    """The key of a message, which stands in its footer."""
    return re.search(r"message ([0-9a-f]{32})", text)[1]


def pointed(document: object, pointer: str) -> object:
    """What a JSON pointer (RFC 6901) leads to: keys and places, without escapes."""
    for part in pointer.removeprefix("/").split("/"):
        document = document[int(part) if isinstance(document, list) else part]
    return document


class Vendor:
    """The vendor of one channel."""

    def __init__(self, channel_type: str):
        self.type, self.kept, self.tokens, self.lock = channel_type, [], 0, threading.Lock()

    def of_alert(self, alert: str) -> Kept | None:
        return next((k for k in reversed(self.kept) if k.alert == alert), None)

    def of_id(self, id: str) -> Kept | None:
        return next((k for k in self.kept if k.id == id), None)

    def open(self, alert: str, id: str, key: str, text=None, priority=None) -> Kept:
        self.kept.append(Kept(alert, id, key, text, priority))
        return self.kept[-1]

    def say(self, kept: Kept | None, status: int, body: object, key: str, text: str) -> Answer:
        """The answer to a message that people can read from now on, there."""
        if kept is not None:
            kept.messages.append(key)
        return Answer(status, body, key, text)

    def answer(self, method: str, path: list[str], query: dict, text: str, headers) -> Answer:
        document = json.loads(text) if text.startswith("{") else {}
        match [self.type, method, *path]:
            case ["slack", "POST"] if "Authorization" not in headers:
                return Answer(200, "ok", key_of(text), text)
            case ["slack", "POST"]:
                name = f"{sum(len(k.messages) for k in self.kept) + 1}.000000"
                thread = self.of_id(document["thread_ts"]) if "thread_ts" in document else self.open(name, name, key_of(text))
                if thread is None:
                    return Answer(200, {"ok": False, "error": "thread_not_found"})
                return self.say(thread, 200, {"ok": True, "ts": name}, key_of(text), text)
            case ["webhook", "POST"]:
                return self.join(document["alert"], 204, None, headers["webhook-id"], text)
            case ["pagerduty", "POST"]:
                alert = document["dedup_key"]
                return self.join(alert, 202, {"status": "success", "message": "Event processed", "dedup_key": alert}, key_of(text), text)
            case ["zendesk", "POST", "oauth", "tokens"]:
                self.tokens += 1
                return Answer(200, {"access_token": f"token{self.tokens}", "token_type": "bearer", "expires_in": 1800})
            case ["zendesk", _, "api", "v2", *rest]:
                # Each copy of the function has a token of its own.
                if not 0 < int(headers["Authorization"].removeprefix("Bearer token")) <= self.tokens:
                    return Answer(401, {"error": "invalid_token"})
                return self.zendesk(method, rest, query, document.get("ticket"), text, headers)
            case ["servicenow", _, "api", "now", "table", "incident", *rest]:
                return self.servicenow(method, rest, query, document, text)
            case ["jira", _, "rest", "api", "2" | "3", *rest]:
                return self.jira(method, rest, query, document, text)
            case ["jsm", "POST", "jsm", "ops", "integration", "v2", "alerts", *rest]:
                return self.jsm_by_key(rest, document, text)
            case ["jsm", _, "jsm", "ops", "api", _, "v1", "alerts", *rest]:
                return self.jsm_by_token(method, rest, query, document, text)
            # What the channel's file says, of a vendor that joins what has one key of the document, or keeps nothing of which a test speaks.
            case [_, "POST", *_] if "joined_by" in contract(self.type):
                said = contract(self.type)
                return self.join(pointed(document, said["joined_by"]), *said["answer"], key_of(text), text)
            case [_, "GET", *_] if "found" in contract(self.type):
                return Answer(*contract(self.type)["found"])
            case [_, _, *_] if "answer" in contract(self.type):
                return Answer(*contract(self.type)["answer"], key_of(text), text)
        raise LookupError(f"{self.type} knows no {method} {path}: it has no answer in its contract, and no stand-in here")

    def join(self, alert: str, status: int, body: object, key: str, text: str) -> Answer:
        """Of those who join what has one key."""
        return self.say(self.of_alert(alert) or self.open(alert, alert, key), status, body, key, text)

    def zendesk(self, method, rest, query, ticket, text, headers) -> Answer:
        match [method, *rest]:
            case ["GET", "tickets.json"]:
                found = [k for k in self.kept if [k.alert] == query["external_id"]]
                return Answer(200, {"tickets": [{"id": int(k.id), "status": "new", "description": k.text} for k in found]})
            case ["POST", "tickets.json"]:
                key = headers["Idempotency-Key"]
                known = next((k for k in self.kept if k.key == key), None)
                if known is not None:  # the answer of the first request with this key, once more
                    return Answer(201, {"ticket": {"id": int(known.id)}})
                opened = self.open(ticket["external_id"], str(len(self.kept) + 1), key, ticket["comment"]["html_body"])
                return self.say(opened, 201, {"ticket": {"id": int(opened.id)}}, key, text)
            case ["PUT", "tickets", name]:
                known = self.of_id(name.removesuffix(".json"))
                return self.say(known, 200, {"ticket": {"id": int(known.id)}}, key_of(text), text)
        raise LookupError(f"Zendesk knows no {method} {rest}")

    def servicenow(self, method, rest, query, incident, text) -> Answer:
        def of(kept: Kept) -> dict:
            return {"sys_id": kept.id, "number": f"INC{int(kept.id):07}", "description": kept.text}

        match [method, *rest]:
            case ["GET"]:
                wanted = query["sysparm_query"][0].split("^")
                assert wanted[1] == "active=true", wanted
                found = [k for k in self.kept if f"correlation_id={k.alert}" == wanted[0]]
                return Answer(200, {"result": [of(k) for k in reversed(found)][:1]})
            case ["POST"]:
                opened = self.open(incident["correlation_id"], f"{len(self.kept) + 1:032}", key_of(text), incident["description"])
                return self.say(opened, 201, {"result": of(opened)}, opened.key, text)
            case ["PATCH", sys_id]:
                known = self.of_id(sys_id)
                return self.say(known, 200, {"result": of(known)}, key_of(text), text)
        raise LookupError(f"ServiceNow knows no {method} {rest}")

    def jira(self, method, rest, query, document, text) -> Answer:
        def of(kept: Kept) -> dict:
            status = {"statusCategory": {"key": "new"}}
            return {"id": "1", "key": kept.id, "fields": {"status": status, "priority": {"name": kept.priority}, "description": kept.text}}

        match [method, *rest]:
            case ["GET", "search"] | ["GET", "search", "jql"]:
                alert = re.search(r'labels = "offlimits-([0-9a-f]{32})"', query["jql"][0])[1]
                return Answer(200, {"issues": [of(k) for k in reversed(self.kept) if k.alert == alert]})
            case ["GET", "issue", name]:
                known = self.of_id(name)
                return Answer(200, of(known)) if known else Answer(404, {"errorMessages": ["Issue does not exist"]})
            case ["POST", "issue"]:
                fields = document["fields"]
                alert = next(m[1] for label in fields["labels"] if (m := re.fullmatch(r"offlimits-([0-9a-f]{32})", label)))
                opened = self.open(alert, f"SEC-{len(self.kept) + 1}", key_of(text), fields["description"], fields["priority"]["name"])
                return self.say(opened, 201, {"id": "1", "key": opened.id}, opened.key, text)
            case ["POST", "issue", name, "comment"]:
                return self.say(self.of_id(name), 201, {"id": "1"}, key_of(text), text)
            case ["PUT", "issue", name]:
                self.of_id(name).priority = document["fields"]["priority"]["name"]
                return Answer(204)
        raise LookupError(f"Jira knows no {method} {rest}")

    TAKEN = {"result": "Request will be processed", "requestId": "0e2ea5c0", "took": 0.1}

    def jsm_by_key(self, rest, document, text) -> Answer:
        match rest:
            case []:
                alert, key = document["alias"], key_of(text)
                # The message of all others is the note that follows.
                is_whole = document["extraProperties"]["kind"] in ["first", "test"]
                known = self.of_alert(alert)
                if known is not None and known.key == key:  # one more in its count
                    return Answer(202, self.TAKEN)
                known = known or self.open(alert, alert, key, document["description"], document["priority"])
                return self.say(known, 202, self.TAKEN, key, text) if is_whole else Answer(202, self.TAKEN)
            case [alias, "notes"]:
                return self.say(self.of_alert(alias), 202, self.TAKEN, key_of(text), text)
        raise LookupError(f"JSM's integrations know no {rest}")

    def jsm_by_token(self, method, rest, query, document, text) -> Answer:
        match [method, *rest]:
            case ["GET", "alias"]:
                known = self.of_alert(query["alias"][0])
                if known is None:
                    return Answer(404, {"message": "No alert exists"})
                return Answer(200, {"id": known.id, "tinyId": "12", "priority": known.priority, "description": known.text})
            case ["POST"]:
                known = self.of_alert(document["alias"])
                known = known or self.open(document["alias"], f"a-{len(self.kept) + 1}", key_of(text), document["description"], document["priority"])
                return self.say(known, 202, self.TAKEN, key_of(text), text)
            case ["PATCH", name, "priority"]:
                self.of_id(name).priority = document["priority"]
                return Answer(202, self.TAKEN)
            case ["POST", name, "notes"]:
                return self.say(self.of_id(name), 202, self.TAKEN, key_of(text), text)
        raise LookupError(f"JSM knows no {method} {rest}")


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
                    answer = desk.serve(channel, self.command, path, urllib.parse.parse_qs(url.query), text, self.headers)
                except Exception as error:
                    desk.problems.append(f"{self.command} {url.path}: {error!r}")
                    raise
                body = answer.body if isinstance(answer.body, str) else "" if answer.body is None else json.dumps(answer.body)
                self.send_response(answer.status)
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

    def serve(self, channel: str, method: str, path: list[str], query: dict, text: str, headers) -> Answer:
        vendor = self.vendors[channel]
        with vendor.lock:
            return vendor.answer(method, path, query, text, headers)

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
