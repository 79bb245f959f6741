"""Something that stands between a function and S3, and fails or changes things as it is told to."""

import urllib.parse
from contextlib import AbstractContextManager

from forwarder import Forwarder, served


class Between(AbstractContextManager):
    """Hands every request on, unless `fault` answers it: with a status and a code of S3's."""

    def __init__(self, s3: str):
        between = self
        # Of the method, the key or the list's prefix, and whether it is a list.
        self.fault = lambda method, key, is_list: None

        class Handler(Forwarder):
            def handle_any(self):
                body = self.body()
                url = urllib.parse.urlsplit(self.path)
                query = urllib.parse.parse_qs(url.query)
                is_list = "list-type" in query
                key = query.get("prefix", [""])[0] if is_list else urllib.parse.unquote(url.path).split("/", 2)[-1]
                if fault := between.fault(self.command, key, is_list):
                    status, code = fault
                    return self.answer(status, f"<Error><Code>{code}</Code></Error>".encode())
                self.hand_on(s3, body)

            do_GET = do_PUT = do_HEAD = handle_any

        self.served = served(Handler)
        self.url = self.served.__enter__()

    def __exit__(self, *_):
        self.served.__exit__(None, None, None)
