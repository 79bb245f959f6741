"""`make invoke EVENT=events/x.json`: the packaged function on one event, and what it would have sent, with no AWS account.

The function's answer goes to stdout, its log and the messages that left it to stderr. It runs in Lambda's own image where there is Docker
(`sam local invoke`), else under the Runtime Interface Emulator, in either case against a local AWS and a local Slack.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from local import ARCHITECTURE, PACKAGE, ROOT, Aws, Function, Slack, docker, note, serve


def in_docker(event: Path, variables: dict, folder: Path, options: list[str]) -> int:
    """Shares the host's network, so that the container reaches the local AWS."""
    (folder / "env.json").write_text(json.dumps({"Parameters": variables}))
    sam = [Path(sys.executable).parent / "sam", "local", "invoke", "Function", "--template", ROOT / "template.yaml"]
    sam += ["--event", event, "--env-vars", folder / "env.json", "--docker-network", "host"]
    sam += ["--parameter-overrides", f"Architecture={ARCHITECTURE}", *options]
    return subprocess.run(sam, cwd=ROOT, env={**os.environ, **variables, "SAM_CLI_TELEMETRY": "0"}).returncode


def emulated(event: Path, variables: dict, folder: Path) -> int:
    with Function(PACKAGE, variables, folder / "function.log") as function:
        answer = function.invoke(json.loads(event.read_bytes()))
    note(function.log.read_text())
    print(json.dumps(answer), flush=True)
    return 1 if isinstance(answer, dict) and "errorMessage" in answer else 0


def main() -> int:
    event, *options = sys.argv[1:]
    event = Path(event).resolve()
    json.loads(event.read_bytes())  # a mistake in the event is better said here
    rules = json.loads((PACKAGE / "rules.json").read_bytes())
    with tempfile.TemporaryDirectory() as name, Slack() as slack:
        folder = Path(name)
        with Aws(folder) as aws:
            variables, topic = serve(aws, slack, rules)
            inbox = aws.listen(topic)
            code = in_docker(event, variables, folder, options) if docker() else emulated(event, variables, folder)
            while message := inbox.take():
                note(f"\nSNS received: {json.dumps(message, indent=2)}")
        for message in slack.received:
            note(f"\nSlack received: {json.dumps(message, indent=2)}")
    return code


if __name__ == "__main__":
    sys.exit(main())
