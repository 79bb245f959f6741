"""What stands between a client and a server of a test: it hands on what it does not answer itself."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Forwarder(BaseHTTPRequestHandler):
    """A request that may be handed on. Whoever derives from it says what becomes of each method (`do_GET`)."""

    protocol_version = "HTTP/1.1"
    # Headers of an answer that clients look at.
    TOLD = ("Content-Range", "Content-Type", "ETag", "x-amzn-errortype", "x-amzn-query-error")

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def hand_on(self, server: str, body: bytes = b"", headers: dict[str, str] | None = None):
        """Answers what the server at this URL does; with other headers, if there are some."""
        headers = dict(self.headers) if headers is None else headers
        request = urllib.request.Request(server + self.path, data=body or None, headers=headers, method=self.command)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                self.answer(answer.status, answer.read(), answer.headers)
        except urllib.error.HTTPError as error:
            self.answer(error.code, error.read(), error.headers)

    def answer(self, status: int, body: bytes, headers=()):
        self.send_response(status)
        for name in self.TOLD:
            if name in headers:
                self.send_header(name, headers[name])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The URL at which requests are handled so, until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
