"""`make invoke EVENT=events/x.json`: the packaged function on one event, with no AWS account.

The function's answer goes to stdout, its log to stderr. Where there is Docker, it runs in Lambda's own image (`sam local invoke`). A container
cannot reach this machine's loopback interface, so there every rule is staged: found, counted and logged, but not sent. Without Docker it runs
under the Runtime Interface Emulator, beside a local AWS and a local Slack, and what they received is shown too.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from local import ARCHITECTURE, PACKAGE, ROOT, Aws, Function, Slack, docker, note, package, plain_environment, serve


def in_docker(event: Path, options: list[str], folder: Path) -> int:
    rules = json.loads((PACKAGE / "rules.json").read_bytes())
    for rule in rules["rules"]:
        rule["mode"] = "stage"
    for pack in rules.get("include", []):
        overrides = pack.setdefault("overrides", {})
        for rule in ["*", *overrides]:
            overrides.setdefault(rule, {}).setdefault("mode", "stage")
    (folder / "rules.json").write_text(json.dumps(rules))
    shutil.copy2(ROOT / "template.yaml", folder)
    package(folder / "target/package", folder / "rules.json", index=False)
    sam = [Path(sys.executable).parent / "sam", "local", "invoke", "Function", "--event", event]
    sam += ["--parameter-overrides", f"Architecture={ARCHITECTURE}", *options]
    return subprocess.run(sam, cwd=folder, env=plain_environment()).returncode


def emulated(event: Path, folder: Path) -> int:
    rules = json.loads((PACKAGE / "rules.json").read_bytes())
    with Slack() as slack:
        with Aws(folder) as aws:
            variables, topic = serve(aws, slack, rules)
            inbox = aws.listen(topic)
            with Function(PACKAGE, variables, folder / "function.log") as function:
                answer = function.invoke(json.loads(event.read_bytes()))
            note(function.log.read_text())
            print(json.dumps(answer), flush=True)
            while message := inbox.take():
                note(f"\nSNS received: {json.dumps(message, indent=2)}")
        for message in slack.received:
            note(f"\nSlack received: {json.dumps(message, indent=2)}")
    return 1 if isinstance(answer, dict) and "errorType" in answer else 0


def main() -> int:
    event, *options = sys.argv[1:]
    event = Path(event).resolve()
    json.loads(event.read_bytes())  # a mistake in the event is better said here
    with tempfile.TemporaryDirectory() as name:
        return in_docker(event, options, Path(name)) if docker() else emulated(event, Path(name))


if __name__ == "__main__":
    sys.exit(main())
