"""moto, a local AWS in a process of its own, for what ministack does not have."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def moto_server() -> Iterator[str]:
    """The address of a moto that ends with the block."""
    command = [sys.executable, "-c", "from moto.server import main; main(['-H', '127.0.0.1', '-p', '0'])"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        for line in server.stderr:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                break
        # Whoever is not read waits once the pipe is full.
        threading.Thread(target=lambda: [None for _ in server.stderr], daemon=True).start()
        yield found[0]
    finally:
        server.kill()
        server.wait()
