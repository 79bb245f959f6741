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

usage: cold_start.py [RUNS]     (40 unless told; builds hello once, about a minute)
"""

import datetime
import json
import multiprocessing
import os
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/stack"))
from local import LAMBDA, PACKAGE, TOOL, plain_environment  # noqa: E402
from places import TARGET  # noqa: E402

# What is to be held, and what is aimed at.
BARS = {
    "no match ÷ hello": (1.5, 1.25),
    "alert ÷ hello": (6.0, 4.0),
    "1000 rules ÷ 10 rules": (2.2, 1.3),
    "accounts ÷ no match": (1.05, 1.05),
    "peak memory, MiB": (12.0, 12.0),
    "size, MB": (8.0, 6.0),
}
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
        lines = [f"{key} = {json.dumps(value)}" for key, value in ours["profile"][name].items()]
        return "\n".join([f"[profile.{name}]", *lines, ""])

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


def certificate(folder: Path):
    """An authority of our own and a certificate for this machine. (Clients refuse one that vouches for itself.)"""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from ipaddress import ip_address

    now = datetime.datetime.now(datetime.UTC)

    def make(subject: str, issuer: str, key, signer, *extensions) -> bytes:
        names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, n)]) for n in (subject, issuer)]
        builder = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=2))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    (folder / "ca.pem").write_bytes(make("ca", "ca", authority, authority, (x509.BasicConstraints(True, None), True)))
    here = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    pem = make("localhost", "ca", key, authority, (here, False), (x509.BasicConstraints(False, None), True))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(pem + private)


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
class Service:
    """One that always says the same of an operation (the end of the header X-Amz-Target; none where there is no such header), or makes its
    answer of what is asked."""

    kind: str
    answers: dict[str, str | Callable[[dict], dict]]
    # How often an alert asks, so that a run which alerted nobody is not taken for a fast one.
    asked: int = 1


def mock(listener: socket.socket, folder: Path, service: Service, count):
    """Answers, on as many connections as there are, and counts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")

    def serve(connection: socket.socket):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with context.wrap_socket(connection, server_side=True) as tls:
                while (asked := request(tls)).line:
                    body = service.answers[asked.target]
                    if callable(body):
                        body = json.dumps(body(json.loads(asked.body)))
                    with count.get_lock():
                        count.value += 1
                    head = f"HTTP/1.1 200 OK\r\nContent-Type: {service.kind}\r\nContent-Length: {len(body)}\r\n\r\n"
                    tls.sendall((head + body).encode())
        except OSError:  # the function was killed: that is how every run ends
            pass

    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def updated(asked: dict) -> dict:
    """What DynamoDB answers to an UpdateItem of an item that is new: all of it, if it is asked for that, and else that a count is 1."""
    if asked["ReturnValues"] != "ALL_NEW":
        return {"Attributes": {"count": {"N": "1"}}}
    values = asked["ExpressionAttributeValues"]
    return {"Attributes": asked["Key"] | {name: values[f":{placeholder[1:]}"] for placeholder, name in asked["ExpressionAttributeNames"].items()}}


@contextmanager
def mocks(folder: Path):
    """Secrets Manager, SNS, Slack and DynamoDB: the environment that leads to them, how often each was asked, and how often an alert asks.
    Each is a process: what they do to answer takes turns with nothing."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    secrets, sns, slack, dynamodb = (f"https://localhost:{listener.getsockname()[1]}" for listener in listeners)
    secret = json.dumps({"soc": {"webhook_url": f"{slack}/services/T0/B0/x"}})
    published = (
        '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId>'
        "</PublishResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></PublishResponse>"
    )
    # For each of the two channels: nothing is known of the finding or its group; both are written; it is the minute's first; it is done. And
    # once for both: the pair of the caller and the call is new.
    table = {
        "BatchGetItem": '{"Responses":{},"UnprocessedKeys":{}}',
        "TransactWriteItems": "{}",
        "UpdateItem": updated,
        "PutItem": "{}",
    }
    services = [
        Service("application/x-amz-json-1.1", {"GetSecretValue": json.dumps({"ARN": "arn", "Name": "offlimits", "SecretString": secret})}),
        Service("text/xml", {"": published}),
        Service("text/plain", {"": "ok"}),
        Service("application/x-amz-json-1.0", table, 2 * len(table) + 1),
    ]
    counts = [multiprocessing.Value("i", 0) for _ in services]
    processes = [
        multiprocessing.Process(target=mock, args=(listener, folder, service, count), daemon=True)
        for listener, service, count in zip(listeners, services, counts, strict=True)
    ]
    for process in processes:
        process.start()
    try:
        endpoints = {"SECRETS_MANAGER": secrets, "SNS": sns, "DYNAMODB": dynamodb}
        yield {f"AWS_ENDPOINT_URL_{name}": url for name, url in endpoints.items()}, counts, [service.asked for service in services]
    finally:
        for process in processes:
            process.terminate()
            process.join()


@dataclass
class Request:
    """One HTTP request: its first line, the operation of AWS's JSON protocols that it names, and its body. Empty at a connection's end."""

    line: str = ""
    target: str = ""
    body: bytes = b""


def request(connection: socket.socket) -> Request:
    data, target = b"", ""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return Request()
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    for header in head.split(b"\r\n"):
        line = header.lower()
        if line.startswith(b"x-amz-target:"):
            target = header.decode().rsplit(".", 1)[1]
        if line.startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                body += connection.recv(65536)
        if line.startswith(b"transfer-encoding: chunked"):
            while not body.endswith(b"0\r\n\r\n"):
                body += connection.recv(65536)
    return Request(head.split(b"\r\n", 1)[0].decode(), target, body)


@dataclass
class Start:
    """One new process: milliseconds from spawn to its first response, those of CPU, its peak memory in MiB."""

    wall: float
    cpu: float
    peak: float


def start(command: list[str], event: bytes, environment: dict, end=signal.SIGKILL) -> Start:
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
                    break
                else:
                    raise RuntimeError(f"{program} failed: {line} {asked.body.decode()}")
            status = Path(f"/proc/{pid}/status").read_text()
            peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        finally:
            os.kill(pid, end)
            usage = os.wait4(pid, 0)[2]
        return Start(took, (usage.ru_utime + usage.ru_stime) * 1000, peak / 1024)


def instructions(program: Path, event: bytes, environment: dict, folder: Path) -> int | None:
    """Those of the whole process, with its loader's and the C library's."""
    if not (valgrind := shutil.which("valgrind")):
        return None
    out = folder / "callgrind"
    start([valgrind, "--tool=callgrind", f"--callgrind-out-file={out}", str(program)], event, environment, signal.SIGTERM)
    return int(next(line for line in out.read_text().splitlines() if line.startswith("totals:")).split()[1])


def package(folder: Path, rules: str, index=True, accounts=0) -> Path:
    """Our bootstrap with these rules beside it, and with their index unless they are to be compiled at the start; and with the names of so many
    accounts."""
    folder.mkdir()
    (folder / "rules.json").write_text(rules)
    if accounts:
        named = {f"{n:012}": {"name": f"account number {n}", "unit": f"Workloads/Team {n % 400}"} for n in range(accounts)}
        (folder / "accounts.json").write_text(json.dumps(named))
    if index:
        subprocess.run([TOOL, "bundle", folder / "rules.json", "--output", folder / "rules.json"], check=True, capture_output=True)
    shutil.copy2(PACKAGE / "bootstrap", folder)
    return folder / "bootstrap"


def be_first() -> bool:
    """Where we may, nothing else on this machine comes between: the kinds are measured, not their neighbours."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except (OSError, AttributeError):
        return False
    return True


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    if not (PACKAGE / "bootstrap").exists():
        sys.exit("there is no function to measure: run `make build`")
    yardstick = hello()
    silent, alerting = ((ROOT / f"events/{name}.json").read_bytes() for name in ("describe-instances", "start-instances"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seed = package(folder / "seed", json.dumps(RULES))
        kinds = {
            "hello": (yardstick, silent),
            "no match": (package(folder / "packaged", (PACKAGE / "rules.json").read_text()), silent),
            "accounts": (package(folder / "accounts", (PACKAGE / "rules.json").read_text(), accounts=100_000), silent),
            "10 rules": (package(folder / "ten", json.dumps(made_up(10))), silent),
            "1000 rules": (package(folder / "thousand", json.dumps(made_up(1000))), silent),
            "compiled": (package(folder / "compiled", json.dumps(made_up(1000)), index=False), silent),
            "alert": (seed, alerting),
            "3 findings": (package(folder / "three", json.dumps(of_three(RULES))), alerting),
        }
        certificate(folder)
        undisturbed = be_first()
        with mocks(folder) as (endpoints, counts, an_alert_asks):
            environment = plain_environment() | LAMBDA | endpoints
            environment |= {
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
            results: dict[str, list[Start]] = {kind: [] for kind in kinds}
            for turn in range(runs + 2):
                for kind, (program, event) in kinds.items():
                    result = start([str(program)], event, environment)
                    if turn >= 2:  # the first two warm the page cache
                        results[kind].append(result)
            asked = [count.value for count in counts]
            # What three rules find in one event is one message on each channel, and asks as often as what one finds.
            alerts = 2 * (runs + 2)
            if asked != [alerts * times for times in an_alert_asks]:
                sys.exit(f"each alert asks Secrets Manager, SNS, Slack and DynamoDB {an_alert_asks} times; {alerts} alerts asked {asked} times")
            counted = {kind: instructions(program, event, environment, folder) for kind, (program, event) in kinds.items()}

    print(f"spawn to first response, medians of {runs}, the kinds in turn{', before all else on this machine' if undisturbed else ''}")
    print(f"  {'':10}  {'ms':>6}  {'10 % to 90 %':>14}  {'CPU ms':>6}  {'million instructions':>20}  {'peak MiB':>8}")

    def median(kind: str, what: str) -> float:
        return statistics.median(getattr(found, what) for found in results[kind])

    for kind, found in results.items():
        spread = statistics.quantiles([one.wall for one in found], n=10)
        between = f"{spread[0]:.2f} to {spread[-1]:.2f}"
        million = "" if counted[kind] is None else f"{counted[kind] / 1e6:.2f}"
        print(f"  {kind:10}  {median(kind, 'wall'):6.2f}  {between:>14}  {median(kind, 'cpu'):6.2f}  {million:>20}  {median(kind, 'peak'):8.1f}")
    print()

    def ratio(one: str, other: str) -> tuple[float, str]:
        wall, cpu = (median(one, what) / median(other, what) for what in ("wall", "cpu"))
        more = f"CPU {cpu:.2f}"
        if counted[one] and counted[other]:
            more += f", instructions {counted[one] / counted[other]:.2f}"
        return wall, more

    figures = {
        "no match ÷ hello": ratio("no match", "hello"),
        "alert ÷ hello": ratio("alert", "hello"),
        "1000 rules ÷ 10 rules": ratio("1000 rules", "10 rules"),
        "accounts ÷ no match": ratio("accounts", "no match"),
        "peak memory, MiB": (median("alert", "peak"), f"hello {median('hello', 'peak'):.1f}"),
        "size, MB": ((PACKAGE / "bootstrap").stat().st_size / 1e6, f"hello {yardstick.stat().st_size / 1e6:.2f}"),
    }
    for name, (figure, more) in figures.items():
        bar, aim = BARS[name]
        verdict = "aim met" if figure <= aim else "bar met" if figure <= bar else "MISSED"
        print(f"  {name:22} {figure:5.2f}   bar {bar:g}, aim {aim:g}: {verdict:8} ({more})")


if __name__ == "__main__":
    main()
