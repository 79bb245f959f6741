"""`make invoke EVENT=events/x.json`: what `sam build` has built, on one event, with no AWS account and no network.

The function's answer goes to stdout: the findings, and each channel's message as people would see it; nothing is sent. Where there is Docker,
it runs in Lambda's own image (`sam local invoke`), otherwise under the Runtime Interface Emulator that SAM brings along.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from local import ROOT, Function, docker, note, plain_environment

BUILT = ROOT / ".aws-sam/build/Function"


def main() -> int:
    event, *options = sys.argv[1:]
    event = Path(event).resolve()
    payload = json.loads(event.read_bytes())  # a mistake in the event is better said here
    if docker():
        sam = [Path(sys.executable).parent / "sam", "local", "invoke", "--event", event, *options]
        return subprocess.run(sam, cwd=ROOT, env=plain_environment()).returncode
    with tempfile.TemporaryDirectory() as name, Function(BUILT, {"AWS_SAM_LOCAL": "true"}, Path(name) / "function.log") as function:
        answer = function.invoke(payload)
        note(function.log.read_text())
    print(json.dumps(answer, indent=2))
    return 1 if "errorType" in answer else 0


if __name__ == "__main__":
    sys.exit(main())
