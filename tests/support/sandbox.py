"""A sandbox account for `offlimits drill --account`: moto answers the calls, and this stand-in does what CloudTrail does with them, which
neither moto nor ministack does. Of each call that came it makes the record (from the request and the answer), hands that over as EventBridge
would, and keeps it in the event history that LookupEvents asks."""

import http.client
import http.server
import json
import re
import threading
import time
import urllib.parse
import uuid
from contextlib import AbstractContextManager


def small(name: str) -> str:
    return name[:1].lower() + name[1:]


class SandboxAccount(AbstractContextManager):
    def __init__(self, moto: str, account: str, region: str, deliver=lambda event: None):
        self.moto, self.account, self.region, self.deliver = moto.removeprefix("http://"), account, region, deliver
        self.calls: list[tuple[str, str, str | None]] = []  # what came: service, operation, error
        self.history: list[dict] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do(self):
                outer.take(self)

            do_GET = do_POST = do_PUT = do_DELETE = do

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def take(self, request):
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        scope = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/", request.headers["authorization"])
        form = dict(urllib.parse.parse_qsl(body.decode())) if b"Action=" in body else {}
        target = request.headers.get("x-amz-target")
        operation = target.rsplit(".", 1)[-1] if target else form.get("Action", f"{request.command} {request.path}")
        if operation == "LookupEvents":
            return self.answer(request, 200, {"content-type": "application/x-amz-json-1.1"}, self.look_up(json.loads(body)))
        connection = http.client.HTTPConnection(self.moto, timeout=30)
        connection.request(request.command, request.path, body, {name: value for name, value in request.headers.items() if name.lower() != "host"} | {"Host": "127.0.0.1"})
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        if operation not in {"GetCallerIdentity", "DescribeOrganization"}:
            error = self.error(reply, content) if reply.status >= 400 else None
            self.calls.append((scope[3], operation, error))
            if target or form:
                parameters = {small(name): value for name, value in form.items() if name not in {"Action", "Version"}} if form else {small(name): value for name, value in json.loads(body).items()}
                self.record(scope, operation, parameters, error, request.headers["user-agent"])
        self.answer(request, reply.status, dict(reply.getheaders()), content)

    @staticmethod
    def answer(request, status, headers, content):
        request.send_response(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection", "date", "server"}:
                request.send_header(name, value)
        request.send_header("content-length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    @staticmethod
    def error(reply, content) -> str:
        text = content.decode(errors="replace")
        found = re.search(r"<Code>([^<]+)</Code>", text) or re.search(r'"__type":\s*"(?:[^"#]*#)?([^"]+)"', text)
        return found[1] if found else reply.getheader("x-amzn-errortype", f"status {reply.status}").split(":")[0]

    def record(self, scope, operation, parameters, error, agent):
        detail = {
            "eventVersion": "1.11", "eventType": "AwsApiCall", "eventCategory": "Management", "managementEvent": True, "readOnly": False,
            "eventID": str(uuid.uuid4()), "requestID": str(uuid.uuid4()), "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "eventSource": f"{scope[3]}.amazonaws.com", "eventName": operation, "awsRegion": scope[2], "sourceIPAddress": "192.0.2.7", "userAgent": f"[{agent}]",
            "userIdentity": {"type": "IAMUser", "userName": "moto", "accountId": self.account, "accessKeyId": scope[1], "arn": f"arn:aws:iam::{self.account}:user/moto"},
            "recipientAccountId": self.account, "requestParameters": parameters, "responseElements": None,
        }
        if error:
            detail |= {"errorCode": error, "errorMessage": error}
        self.history.append(detail)
        self.deliver({"version": "0", "id": detail["eventID"], "detail-type": "AWS API Call via CloudTrail", "source": f"aws.{scope[3]}", "account": self.account, "time": detail["eventTime"], "region": scope[2], "resources": [], "detail": detail})

    def look_up(self, asked: dict) -> bytes:
        [attribute] = asked["LookupAttributes"]
        assert attribute["AttributeKey"] == "AccessKeyId" and asked["StartTime"] <= time.time()
        events = [record for record in self.history if record["userIdentity"]["accessKeyId"] == attribute["AttributeValue"]]
        start = int(asked.get("NextToken", 0))
        page = [{"EventId": record["eventID"], "EventName": record["eventName"], "CloudTrailEvent": json.dumps(record)} for record in events[start : start + 2]]
        more = {"NextToken": str(start + 2)} if start + 2 < len(events) else {}
        return json.dumps({"Events": page} | more).encode()
