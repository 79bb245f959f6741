"""How long the function takes from nothing to its first answer, beside a `lambda_runtime` that does nothing. `make bench` runs it.

Each start is a new process under a stub of Lambda's Runtime API, timed from spawn to the arrival of its first response. The three kinds take
turns, so that whatever else this machine does falls on all alike; the figures to hold are the ratios:

  hello     lambda_runtime with an empty handler: same versions, same profile
  no match  our bootstrap and an event that no rule names
  alert     our bootstrap and an event that it alerts on: reads the secret, publishes to SNS and posts to Slack, each over TLS to a mock

usage: cold_start.py [RUNS]     (40 unless told; builds hello once, about a minute)
"""

import datetime
import http.server
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
import time
import tomllib
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/stack"))
from local import PACKAGE, listens, plain_environment, free_port, until  # noqa: E402

AIMS = {"no match ÷ hello": 1.5, "alert ÷ hello": 6.0, "peak memory, MiB": 12.0, "size, MB": 6.0}
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


def hello() -> Path:
    """Builds the yardstick with our own profile and our own lock file."""
    ours = tomllib.loads((ROOT / "Cargo.toml").read_text())
    folder = ROOT / "target/hello"
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


def mock(port: int, folder: Path, counts):
    """Secrets Manager, SNS and Slack. `counts` counts what each was asked, so that a run which alerted nobody is not taken for a fast one."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            if "secretsmanager" in self.headers.get("X-Amz-Target", ""):
                asked, kind = 0, "application/x-amz-json-1.1"
                secret = json.dumps({"soc": {"webhook_url": f"https://localhost:{port}/services/T0/B0/x"}})
                body = json.dumps({"ARN": "arn", "Name": "offlimits", "SecretString": secret})
            elif self.path.startswith("/services/"):
                asked, kind, body = 2, "text/plain", "ok"
            else:
                asked, kind = 1, "text/xml"
                body = (
                    '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId>'
                    "</PublishResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></PublishResponse>"
                )
            counts[asked] += 1
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())
            self.wfile.flush()

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_):  # the function was killed: that is how every run ends
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    server = Server(("127.0.0.1", port), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


@contextmanager
def mocks(folder: Path):
    port, counts = free_port(), multiprocessing.Array("i", 3)
    process = multiprocessing.Process(target=mock, args=(port, folder, counts), daemon=True)
    process.start()
    try:
        until(lambda: listens(port), what="answer of the mocks")
        yield port, counts
    finally:
        process.terminate()
        process.join()


def request(connection: socket.socket) -> tuple[str, bytes]:
    """One HTTP request: its first line, and its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return "", b""
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                body += connection.recv(65536)
        if line.startswith(b"transfer-encoding: chunked"):
            while not body.endswith(b"0\r\n\r\n"):
                body += connection.recv(65536)
    return head.split(b"\r\n", 1)[0].decode(), body


def start(program: Path, event: bytes, environment: dict) -> tuple[float, float]:
    """Milliseconds from spawn to the first response, and the peak memory in MiB, of one new process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        env = environment | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{listener.getsockname()[1]}", "LAMBDA_TASK_ROOT": str(program.parent)}
        begun = time.perf_counter()
        pid = os.posix_spawn(
            program, [str(program)], env, file_actions=[(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
        )
        try:
            connections: list[socket.socket] = []
            while True:
                if not connections:
                    connections.append(listener.accept()[0])
                    connections[0].settimeout(20)
                line, body = request(connections[0])
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
                    raise RuntimeError(f"{program} failed: {line} {body.decode()}")
            status = Path(f"/proc/{pid}/status").read_text()
            peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
            return took, peak / 1024
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    if not (PACKAGE / "bootstrap").exists():
        sys.exit("there is no function to measure: run `make build`")
    yardstick = hello()
    alerting = json.loads((ROOT / "events/start-instances.json").read_bytes())
    silent = json.loads((ROOT / "events/describe-instances.json").read_bytes())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = folder / "package/bootstrap"
        ours.parent.mkdir()
        shutil.copy2(PACKAGE / "bootstrap", ours)
        (ours.parent / "rules.json").write_text(json.dumps(RULES))
        certificate(folder)
        with mocks(folder) as (port, counts):
            environment = plain_environment() | {
                "AWS_LAMBDA_FUNCTION_NAME": "offlimits",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_LOG_FORMAT": "JSON",
                "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_ENDPOINT_URL": f"https://localhost:{port}",
                "SSL_CERT_FILE": str(folder / "ca.pem"),
                "OFFLIMITS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:offlimits",
                "OFFLIMITS_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:offlimits-AbCdEf",
                "OFFLIMITS_ROLE_ARN": "arn:aws:iam::123456789012:role/offlimits",
            }
            kinds = {"hello": (yardstick, silent), "no match": (ours, silent), "alert": (ours, alerting)}
            results: dict[str, list] = {kind: [] for kind in kinds}
            for turn in range(runs + 2):
                for kind, (program, event) in kinds.items():
                    result = start(program, json.dumps(event).encode(), environment)
                    if turn >= 2:  # the first two warm the page cache
                        results[kind].append(result)
            if list(counts) != [runs + 2] * 3:
                sys.exit(f"every alert asks Secrets Manager, SNS and Slack once; {runs + 2} alerts asked {list(counts)} times")

    medians = {kind: statistics.median(took for took, _ in found) for kind, found in results.items()}
    print(f"spawn to first response, median of {runs}, the kinds in turn")
    for kind, found in results.items():
        spread = statistics.quantiles([took for took, _ in found], n=10)
        print(f"  {kind:9} {medians[kind]:6.2f} ms   (10 % to 90 %: {spread[0]:.2f} to {spread[-1]:.2f})")
    figures = {
        "no match ÷ hello": medians["no match"] / medians["hello"],
        "alert ÷ hello": medians["alert"] / medians["hello"],
        "peak memory, MiB": statistics.median(peak for _, peak in results["alert"]),
        "size, MB": (PACKAGE / "bootstrap").stat().st_size / 1e6,
    }
    for name, figure in figures.items():
        print(f"  {name:17} {figure:5.2f}   aim ≤ {AIMS[name]:g}: {'met' if figure <= AIMS[name] else 'MISSED'}")
    print(
        f"  hello is {yardstick.stat().st_size / 1e6:.2f} MB and peaks at {statistics.median(peak for _, peak in results['hello']):.1f} MiB"
    )


if __name__ == "__main__":
    main()
