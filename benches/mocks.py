"""What the function asks while its cold start is measured: Secrets Manager, SNS, Slack and DynamoDB, each in a process of its own, over TLS."""

import datetime
import json
import multiprocessing
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


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


@dataclass
class Service:
    """One that always says the same of an operation (the end of the header X-Amz-Target; none where there is no such header), or makes its
    answer of what is asked."""

    kind: str
    answers: dict[str, str | Callable[[dict], dict]]
    # How often an alert asks, so that a run which alerted nobody is not taken for a fast one.
    asked: int = 1


class Tally:
    """What a mock shares with who measures: how often it was asked, when the last request came (seconds of the machine's monotonic clock), and
    how long everything that goes to it and back is on its way, in seconds."""

    def __init__(self, delay):
        self.count, self.came, self.delay = multiprocessing.Value("i", 0), multiprocessing.Value("d", 0), delay


def mock(listener: socket.socket, folder: Path, service: Service, tally: Tally):
    """Answers, on as many connections as there are, and counts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")

    def serve(connection: socket.socket):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            # There and back for the connection, and once more for TLS.
            time.sleep(2 * tally.delay.value)
            with context.wrap_socket(connection, server_side=True) as tls:
                while (asked := request(tls)).line:
                    # What is sent arrives after half of the way there and back.
                    time.sleep(tally.delay.value / 2)
                    tally.came.value = time.monotonic()
                    body = service.answers[asked.target]
                    if callable(body):
                        body = json.dumps(body(json.loads(asked.body)))
                    with tally.count.get_lock():
                        tally.count.value += 1
                    time.sleep(tally.delay.value / 2)
                    head = f"HTTP/1.1 200 OK\r\nContent-Type: {service.kind}\r\nContent-Length: {len(body)}\r\n\r\n"
                    tls.sendall((head + body).encode())
        except OSError:  # the function was killed: that is how every run ends
            pass

    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def updated(asked: dict) -> dict:
    """What DynamoDB answers to an UpdateItem of an item that is new: all of it, if it is asked for that, and else that a count is 1."""
    if asked.get("ReturnValues") != "ALL_NEW":
        return {"Attributes": {"count": {"N": "1"}}}
    values = asked["ExpressionAttributeValues"]
    return {"Attributes": asked["Key"] | {name: values[f":{placeholder[1:]}"] for placeholder, name in asked["ExpressionAttributeNames"].items()}}


@contextmanager
def distant(folder: Path):
    """Secrets Manager, SNS, Slack and DynamoDB: the environment that leads to them, the tally of each, how often an alert asks each, and the
    seconds that a way to them and back takes, which may be changed. Each is a process: what they do to answer takes turns with nothing."""
    delay = multiprocessing.Value("d", 0)
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    secrets, sns, slack, dynamodb = (f"https://localhost:{listener.getsockname()[1]}" for listener in listeners)
    secret = json.dumps({"soc": {"webhook_url": f"{slack}/services/T0/B0/x"}})
    published = (
        '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId>'
        "</PublishResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></PublishResponse>"
    )
    # For each of the two channels: the finding and its group are written, where nothing stood; it is the minute's first; it is done. And
    # once for both: the pair of the caller and the call is new, and nothing is silenced.
    table = {
        "BatchGetItem": '{"Responses":{},"UnprocessedKeys":{}}',
        "TransactWriteItems": "{}",
        "UpdateItem": updated,
        "PutItem": "{}",
        "Query": '{"Count":0,"Items":[]}',
    }
    services = [
        Service("application/x-amz-json-1.1", {"GetSecretValue": json.dumps({"ARN": "arn", "Name": "offlimits", "SecretString": secret})}),
        Service("text/xml", {"": published}),
        Service("text/plain", {"": "ok"}),
        Service("application/x-amz-json-1.0", table, 8),
    ]
    tallies = [Tally(delay) for _ in services]
    processes = [
        multiprocessing.Process(target=mock, args=(listener, folder, service, tally), daemon=True)
        for listener, service, tally in zip(listeners, services, tallies, strict=True)
    ]
    for process in processes:
        process.start()
    try:
        endpoints = {"SECRETS_MANAGER": secrets, "SNS": sns, "DYNAMODB": dynamodb}
        yield {f"AWS_ENDPOINT_URL_{name}": url for name, url in endpoints.items()}, tallies, [service.asked for service in services], delay
    finally:
        for process in processes:
            process.terminate()
            process.join()


@contextmanager
def mocks(folder: Path):
    """The same, as near as this machine's: the environment, how often each was asked, and how often an alert asks."""
    with distant(folder) as (environment, tallies, asked, _):
        yield environment, [tally.count for tally in tallies], asked


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
