"""Something that stands between a function and S3, and fails or changes things as it is told to."""

import threading
import urllib.error
import urllib.parse
import urllib.request
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Between(AbstractContextManager):
    """Hands every request on, unless `fault` answers it: with a status and a code of S3's."""

    def __init__(self, s3: str):
        between = self
        # Of the method, the key or the list's prefix, and whether it is a list.
        self.fault = lambda method, key, is_list: None

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                url = urllib.parse.urlsplit(self.path)
                query = urllib.parse.parse_qs(url.query)
                is_list = "list-type" in query
                key = query.get("prefix", [""])[0] if is_list else urllib.parse.unquote(url.path).split("/", 2)[-1]
                if fault := between.fault(self.command, key, is_list):
                    status, code = fault
                    return self.answer(status, {}, f"<Error><Code>{code}</Code></Error>".encode())
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                headers["Host"] = self.headers["Host"]
                request = urllib.request.Request(s3 + self.path, data=body or None, headers=headers, method=self.command)
                try:
                    with urllib.request.urlopen(request, timeout=60) as answer:
                        self.answer(answer.status, answer.headers, answer.read())
                except urllib.error.HTTPError as error:
                    self.answer(error.code, error.headers, error.read())

            do_GET = do_PUT = do_HEAD = handle_any

            def answer(self, status, headers, body):
                self.send_response(status)
                for name in ("ETag", "Content-Type", "Content-Range"):
                    if name in headers:
                        self.send_header(name, headers[name])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
