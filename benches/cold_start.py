"""How long the function takes from nothing to its first answer, beside a `lambda_runtime` that does nothing. `make bench` runs it.

Each start is a new process under a stub of Lambda's Runtime API, from spawn to the arrival of its first response: its wall time, the CPU time
that it used, and (once, where there is valgrind) its instructions, which no other load of this machine can blur. The kinds take turns, so that
whatever else the machine does falls on all alike; the figures to hold are the ratios:

  hello      lambda_runtime with an empty handler: same versions, same profile
  no match   our bootstrap with the rules of the package, and an event that none of them names
  10 rules   the same with ten made-up rules
  1000 rules the same with a thousand
  accounts   as "no match", with the names of 100,000 accounts beside the rules
  compiled   the same thousand without their index, so that they are compiled at the start
  alert      our bootstrap and an event that it alerts on: it asks the ledger's table, reads the secret, publishes to SNS and posts to Slack, each
             over TLS to a mock of its own, so that no connection serves two
  3 findings the same with three rules that find the event: one message on each channel, and asked for as often
  1 rule     as "no match", with the alert's one rule in place of the package's: what the package's others add is what loading them costs

With --against, the function of another checkout is built too and starts between ours, each with the rules of its own package and the index of its
own tool: its kinds are called "old …". Nothing is written into that checkout.

With --odd, nothing of this: so many made-up rules are started with a record that is written plainly, with one that has an escaped key, and with one
that has a list in the place of a call, of which every rule must be asked. None may take the memory of all rules.

usage: cold_start.py [--against CHECKOUT] [RUNS]     (40 unless told; builds hello once, about a minute)
       cold_start.py --odd RULES
"""

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/stack"))
from local import LAMBDA, PACKAGE, TOOL, plain_environment  # noqa: E402
from mocks import certificate, mocks, request  # noqa: E402
from places import TARGET  # noqa: E402

# What is to be held, and what is aimed at.
BARS = {
    "no match ÷ hello": (1.5, 1.25),
    "alert ÷ hello": (6.0, 4.0),
    "1000 rules ÷ 10 rules": (2.2, 1.3),
    "accounts ÷ no match": (1.05, 1.05),
    "peak memory, MiB": (12.0, 12.0),
    "size, MB": (7.5, 6.0),
    "no match ÷ old": (1.02, 1.0),
    "alert ÷ old": (1.05, 1.0),
    "a rule's load ÷ old": (1.1, 0.5),
    "a warm event ÷ hello": (1.25, 1.15),
}
# Further events that a process is given where one that is warm is to be counted.
WARM = 200
RULES = {
    "channels": {"topic": {"type": "sns"}, "soc": {"type": "slack"}},
    "rules": [
        {
            "id": "RTM-011",
            "title": "Unintended AWS API call: {event} by {actor}",
            "severity": "very-high",
            "when": [
                {"identity": "^(IAM).*", "service": "^(ec2.amazonaws.com).*", "event": "StartInstances"},
                {"identity": "^(IAM).*", "service": "^(cloudtrail.amazonaws.com).*", "event": "DeleteTrail"},
                {
                    "identity": "IAMUser",
                    "service": "^(iam.amazonaws.com).*",
                    "event": ["^(Create).*", "^(Delete).*", "^(Update).*", "^(Put).*"],
                },
            ],
        }
    ],
}


def of_three(rules: dict) -> dict:
    """The same rules, with two more that find what the first one does."""
    [rule] = rules["rules"]
    return rules | {"rules": [rule | {"id": f"{rule['id']}-{number}"} for number in range(1, 4)]}


def hello() -> Path:
    """Builds the yardstick with our own profile and our own lock file."""
    ours = tomllib.loads((ROOT / "Cargo.toml").read_text())
    folder = TARGET / "hello"
    (folder / "src").mkdir(parents=True, exist_ok=True)
    shutil.copy2(ROOT / "Cargo.lock", folder)

    def profile(name: str) -> str:
        lines = [f"{key} = {json.dumps(value)}" for key, value in ours["profile"][name].items() if key != "package"]
        # Of the packages that are built otherwise, it has this one.
        package = ours["profile"][name].get("package", {}).get("serde_json", {})
        own = [f"package.serde_json.{key} = {json.dumps(value)}" for key, value in package.items()]
        return "\n".join([f"[profile.{name}]", *lines, *own, ""])

    runtime = ours["dependencies"]["lambda_runtime"]
    features = json.dumps(runtime["features"])
    (folder / "Cargo.toml").write_text(
        f"""[package]
name = "hello"
edition = "2024"

[[bin]]
name = "bootstrap"
path = "src/main.rs"

[dependencies]
lambda_runtime = {{ version = "{runtime["version"]}", default-features = false, features = {features} }}
serde_json = "1"
tokio = {{ version = "1", default-features = false, features = ["macros", "rt"] }}

[workspace]

{profile("release")}
{profile("function")}"""
    )
    (folder / "src/main.rs").write_text(
        """use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|_: LambdaEvent<serde_json::Value>| async { Ok::<_, Error>(serde_json::json!({})) })).await
}
"""
    )
    target = folder / "target"
    subprocess.run(
        ["cargo", "build", "-q", "--profile", "function"], cwd=folder, env={**os.environ, "CARGO_TARGET_DIR": str(target)}, check=True
    )
    return target / "function/bootstrap"


def made_up(count: int) -> dict:
    """Rules as people write them, each about calls of its own: names, prefixes in the seed's way, and one in ten with a pattern that is neither."""

    def when(n: int) -> list[dict]:
        service = {"service": {"is": f"service{n % 97}.amazonaws.com"}} if n % 3 else {"service": f"^(service{n % 97}.amazonaws.com).*"}
        event = {"is": [f"Create{n}", f"Delete{n}"]} if n % 2 else [f"^(Put{n}).*", f"^(Update{n}).*"]
        rows: list[dict] = [service | {"event": event, "identity": "IAMUser"}]
        if n % 10 == 0:
            rows.append({"event": f"^(Attach|Detach)(Role|User){n}Policy$", "user": {"not": {"is": "ci-bot"}}})
        return rows

    # `bundle` refuses rules about what is not there, unless they say that they know.
    allow = [{"lint": lint, "reason": "made up"} for lint in ["unknown-service", "unknown-event"]]
    rule = {"title": "{event} by {actor}", "severity": "high", "allow": allow}
    return {"channels": RULES["channels"], "rules": [{"id": f"R-{n}", **rule, "when": when(n)} for n in range(count)]}


@dataclass
class Checkout:
    """A function, and the tool of its own version that packages rules for it."""

    root: Path
    bootstrap: Path
    tool: Path

    def package(self, folder: Path, rules: dict | None = None, index=True, accounts=0) -> Path:
        """The bootstrap with these rules beside it (those that the checkout ships, unless told), and with their index unless they are to be compiled
        at the start; and with the names of so many accounts."""
        folder.mkdir()
        file = folder / "rules.json"
        if accounts:
            named = {f"{n:012}": {"name": f"account number {n}", "unit": f"Workloads/Team {n % 400}"} for n in range(accounts)}
            (folder / "accounts.json").write_text(json.dumps(named))
        if rules is not None:
            file.write_text(json.dumps(rules))
        if index:
            source = self.root / "rules.json" if rules is None else file
            subprocess.run([self.tool, "bundle", source, "--output", file], check=True, capture_output=True)
        shutil.copy2(self.bootstrap, folder)
        return folder / "bootstrap"

    @property
    def shipped(self) -> int:
        """How many rules the checkout ships, with those of its packs."""
        bundle = subprocess.run([self.tool, "bundle", self.root / "rules.json"], check=True, capture_output=True, text=True).stdout
        whole = json.loads(bundle)
        return sum(len(file.get("rules", [])) for file in [whole, *(include["content"] for include in whole.get("include", []))])


def other(root: Path) -> Checkout:
    """Builds the function and the tool of another checkout, in a folder of ours."""
    target = TARGET / "against"
    function = ["--profile", "function", "--no-default-features", "--features", "lambda", "--bin", "bootstrap"]
    for what in (function, ["--bin", "offlimits"]):
        subprocess.run(["cargo", "build", "-q", "--locked", *what], cwd=root, env={**os.environ, "CARGO_TARGET_DIR": str(target)}, check=True)
    return Checkout(root, target / "function/bootstrap", target / "debug/offlimits")


@dataclass
class Start:
    """One new process: milliseconds from spawn to its last response, those of CPU, its peak memory in MiB, its page faults."""

    wall: float
    cpu: float
    peak: float
    faults: int


def start(command: list[str], event: bytes, environment: dict, end=signal.SIGKILL, events=1) -> Start:
    """Starts a process and gives it an event, so many times."""
    program = Path(command[-1])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        env = environment | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{listener.getsockname()[1]}", "LAMBDA_TASK_ROOT": str(program.parent)}
        begun = time.perf_counter()
        pid = os.posix_spawn(
            command[0], command, env, file_actions=[(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
        )
        try:
            connections: list[socket.socket] = []
            while True:
                if not connections:
                    connections.append(listener.accept()[0])
                    connections[0].settimeout(60)
                asked = request(connections[0])
                line = asked.line
                if not line:
                    connections.pop().close()
                elif line.startswith("GET"):  # …/invocation/next
                    deadline = int(time.time() * 1000) + 30_000
                    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n"
                    head += f"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:f\r\nContent-Length: {len(event)}\r\n\r\n"
                    connections[0].sendall(head.encode() + event)
                elif line.split()[1].endswith("/response"):
                    took = (time.perf_counter() - begun) * 1000
                    events -= 1
                    if not events:
                        break
                    connections[0].sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
                else:
                    raise RuntimeError(f"{program} failed: {line} {asked.body.decode()}")
            status = Path(f"/proc/{pid}/status").read_text()
            peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        finally:
            os.kill(pid, end)
            usage = os.wait4(pid, 0)[2]
        return Start(took, (usage.ru_utime + usage.ru_stime) * 1000, peak / 1024, usage.ru_minflt + usage.ru_majflt)


def instructions(program: Path, event: bytes, environment: dict, folder: Path, events=1) -> int | None:
    """Those of the whole process, with its loader's and the C library's."""
    if not (valgrind := shutil.which("valgrind")):
        return None
    out = folder / "callgrind"
    start([valgrind, "--tool=callgrind", f"--callgrind-out-file={out}", str(program)], event, environment, signal.SIGTERM, events)
    return int(next(line for line in out.read_text().splitlines() if line.startswith("totals:")).split()[1])


def be_first() -> bool:
    """Where we may, nothing else on this machine comes between: the kinds are measured, not their neighbours."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except (OSError, AttributeError):
        return False
    return True


def environment_with(endpoints: dict, folder: Path) -> dict:
    """What Lambda and the template tell the function, with these places of AWS's services."""
    environment = plain_environment() | LAMBDA | endpoints
    return environment | {
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "SSL_CERT_FILE": str(folder / "ca.pem"),
        "OFFLIMITS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:offlimits",
        "OFFLIMITS_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:offlimits-AbCdEf",
        "OFFLIMITS_ROLE_ARN": "arn:aws:iam::123456789012:role/offlimits",
        "OFFLIMITS_TABLE": "offlimits",
        "OFFLIMITS_PRIVATE_ENDPOINTS": "true",  # where the mocks are
        # Not asked where all goes well.
        "OFFLIMITS_REDELIVERY_URL": "https://localhost:1/redelivery",
        "OFFLIMITS_DEAD_LETTERS_URL": "https://localhost:1/dead-letters",
    }


def odd(rules: int):
    record = {"eventVersion": "1.08", "eventSource": "service7.amazonaws.com", "eventName": "NoSuchCall", "eventID": "e", "userIdentity": {"type": "IAMUser"}}
    around = {"detail-type": "AWS API Call via CloudTrail", "source": "aws.iam", "account": "123456789012", "region": "us-east-1"}
    of = lambda record: json.dumps(around | {"detail": record}).encode()
    kinds = {"plain": of(record), "escaped key": of(record).replace(b"eventName", b"eventN\\u0061me"), "list for a call": of(record | {"eventName": ["NoSuchCall", "Other"]})}
    with tempfile.TemporaryDirectory() as folder:
        program = Checkout(ROOT, PACKAGE / "bootstrap", TOOL).package(Path(folder) / "package", made_up(rules))
        environment = environment_with({}, Path(folder))
        for name, event in kinds.items():
            took = start([str(program)], event, environment)
            print(f"{rules:,} rules, {name:16} {took.wall:8.1f} ms, peak {took.peak:5.1f} MiB")
            assert took.peak < 100, "all rules are in memory"


# A program, and the event that it is started with.
Kind = tuple[Path, bytes]


def kinds_of(ours: Checkout, old: Checkout | None, folder: Path) -> dict[str, Kind]:
    """What is started, in this order."""
    silent, alerting = ((ROOT / f"events/{name}.json").read_bytes() for name in ("describe-instances", "start-instances"))
    seed = ours.package(folder / "seed", RULES)
    kinds = {
        "hello": (hello(), silent),
        "no match": (ours.package(folder / "packaged"), silent),
        "1 rule": (seed, silent),
        "accounts": (ours.package(folder / "accounts", accounts=100_000), silent),
        "10 rules": (ours.package(folder / "ten", made_up(10)), silent),
        "1000 rules": (ours.package(folder / "thousand", made_up(1000)), silent),
        "compiled": (ours.package(folder / "compiled", made_up(1000), index=False), silent),
        "alert": (seed, alerting),
        "3 findings": (ours.package(folder / "three", of_three(RULES)), alerting),
    }
    if old:
        seed = old.package(folder / "old-seed", RULES)
        kinds |= {
            "old no match": (old.package(folder / "old-packaged"), silent),
            "old 1 rule": (seed, silent),
            "old alert": (seed, alerting),
        }
    return kinds


def main():
    arguments = argparse.ArgumentParser(description="How long the function takes from nothing to its first answer.")
    arguments.add_argument("--against", type=Path, metavar="CHECKOUT", help="starts that checkout's function too")
    arguments.add_argument("--odd", type=int, metavar="RULES", help="starts so many rules with records that are written unusually, and nothing else")
    arguments.add_argument("runs", type=int, nargs="?", default=40)
    told = arguments.parse_args()
    if not (PACKAGE / "bootstrap").exists():
        sys.exit("there is no function to measure: run `make build`")
    if told.odd:
        return odd(told.odd)
    ours = Checkout(ROOT, PACKAGE / "bootstrap", TOOL)
    old = other(told.against.resolve()) if told.against else None
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        kinds = kinds_of(ours, old, folder)
        certificate(folder)
        undisturbed = be_first()
        # Another version may ask otherwise: it has mocks of its own.
        endpoints, counts, an_alert_asks = stack.enter_context(mocks(folder))
        environments = {kind: environment_with(endpoints, folder) for kind in kinds}
        if old:
            endpoints = stack.enter_context(mocks(folder))[0]
            environments |= {kind: environment_with(endpoints, folder) for kind in kinds if kind.startswith("old ")}
        results: dict[str, list[Start]] = {kind: [] for kind in kinds}
        for turn in range(told.runs + 2):
            for kind, (program, event) in kinds.items():
                result = start([str(program)], event, environments[kind])
                if turn >= 2:  # the first two warm the page cache
                    results[kind].append(result)
        asked = [count.value for count in counts]
        # What three rules find in one event is one message on each channel, and asks as often as what one finds.
        alerts = 2 * (told.runs + 2)
        if asked != [alerts * times for times in an_alert_asks]:
            sys.exit(f"each alert asks Secrets Manager, SNS, Slack and DynamoDB {an_alert_asks} times; {alerts} alerts asked {asked} times")
        counted = {kind: instructions(*of, environments[kind], folder) for kind, of in kinds.items()}
        warm = {}
        for kind in ("hello", "no match", "old no match"):
            if kind in kinds and counted[kind]:
                warm[kind] = (instructions(*kinds[kind], environments[kind], folder, 1 + WARM) - counted[kind]) / WARM
        sizes = {kind: kinds[kind][0].stat().st_size / 1e6 for kind in ("hello", "no match", "old no match") if kind in kinds}
        rules = {"": ours.shipped} | ({"old ": old.shipped} if old else {})

    print(f"spawn to first response, medians of {told.runs}, the kinds in turn{', before all else on this machine' if undisturbed else ''}")
    print(f"  {'':12}  {'ms':>6}  {'10 % to 90 %':>14}  {'CPU ms':>6}  {'million instructions':>20}  {'page faults':>11}  {'peak MiB':>8}")

    def median(kind: str, what: str) -> float:
        return statistics.median(getattr(found, what) for found in results[kind])

    for kind, found in results.items():
        spread = statistics.quantiles([one.wall for one in found], n=10)
        between = f"{spread[0]:.2f} to {spread[-1]:.2f}"
        million = "" if counted[kind] is None else f"{counted[kind] / 1e6:.3f}"
        print(
            f"  {kind:12}  {median(kind, 'wall'):6.2f}  {between:>14}  {median(kind, 'cpu'):6.2f}  {million:>20}  "
            f"{median(kind, 'faults'):11.0f}  {median(kind, 'peak'):8.1f}"
        )
    print()

    def ratio(one: str, other: str) -> tuple[float, str]:
        wall, cpu, faults = (median(one, what) / median(other, what) for what in ("wall", "cpu", "faults"))
        more = f"CPU {cpu:.2f}"
        if counted[one] and counted[other]:
            more += f", instructions {counted[one] / counted[other]:.2f}, page faults {faults:.2f}"
        return wall, more

    def load(version: str) -> float:
        return (counted[f"{version}no match"] - counted[f"{version}1 rule"]) / (rules[version] - 1)

    figures = {
        "no match ÷ hello": ratio("no match", "hello"),
        "alert ÷ hello": ratio("alert", "hello"),
        "1000 rules ÷ 10 rules": ratio("1000 rules", "10 rules"),
        "accounts ÷ no match": ratio("accounts", "no match"),
        "peak memory, MiB": (median("alert", "peak"), f"hello {median('hello', 'peak'):.1f}"),
        "size, MB": (sizes["no match"], ", ".join(f"{kind} {size:.2f}" for kind, size in sizes.items() if kind != "no match")),
    }
    if warm:
        told_in_full = ", ".join(f"{kind} {count:,.0f}" for kind, count in warm.items())
        figures["a warm event ÷ hello"] = (warm["no match"] / warm["hello"], f"instructions: {told_in_full}")
    if old:
        figures["no match ÷ old"] = ratio("no match", "old no match")
        figures["alert ÷ old"] = ratio("alert", "old alert")
        if counted["no match"]:
            loads = f"instructions: {load(''):,.0f} of {rules['']} rules, {load('old '):,.0f} of {rules['old ']}"
            figures["a rule's load ÷ old"] = (load("") / load("old "), loads)
    for name, (figure, more) in figures.items():
        bar, aim = BARS[name]
        verdict = "aim met" if figure <= aim else "bar met" if figure <= bar else "MISSED"
        print(f"  {name:22} {figure:5.2f}   bar {bar:g}, aim {aim:g}: {verdict:8} ({more})")


if __name__ == "__main__":
    main()
