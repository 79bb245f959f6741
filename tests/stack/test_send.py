"""`offlimits send` over TLS, to servers that are trusted and not, and to SNS as moto has it. tests/send.rs has the rest."""

import datetime
import http.server
import json
import os
import ssl
import subprocess
import threading
from contextlib import contextmanager

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from local import TOOL
from moto_server import moto_server

SECRET = "s3cret-0123456789"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": "t0ken", "AWS_REGION": "us-east-1"}


def send(folder, *arguments, **variables):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and "PROXY" not in name.upper()}
    run = subprocess.run([TOOL, "send", *arguments], env=environment | variables, cwd=folder, capture_output=True, text=True, timeout=120)
    assert SECRET not in run.stdout + run.stderr and "t0ken" not in run.stdout + run.stderr
    return run


def rules(folder, channels):
    rule = {"id": "R", "title": "t", "severity": "low", "when": {"event": "x"}}
    (folder / "rules.json").write_text(json.dumps({"channels": channels, "rules": [rule]}))


@contextmanager
def tls_server(folder):
    """A webhook over TLS on this machine: its address, the file of its root, and the paths and bodies that it was sent."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "root.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = folder / "key.pem"
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            received.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"https://localhost:{server.server_port}", pem, received
    finally:
        server.shutdown()
        server.server_close()


def test_a_webhook_over_tls(tmp_path):
    rules(tmp_path, {"soc": {"type": "slack"}})
    with tls_server(tmp_path) as (address, root, received):
        secret = tmp_path / "secret.json"
        secret.write_text(json.dumps({"soc": {"webhook_url": f"{address}/services/{SECRET}"}}))
        secret.chmod(0o600)
        command = ["--channel", "soc", "--secret", "secret.json", "--timeout", "3"]
        done = send(tmp_path, *command, SSL_CERT_FILE=str(root))
        assert (done.returncode, done.stdout) == (0, "soc (slack): delivered\n"), done.stderr
        [(path, message)] = received
        assert path == f"/services/{SECRET}" and "TEST" in message["text"]
        # A server whose certificate nobody trusts gets nothing.
        refused = send(tmp_path, *command)
        assert refused.returncode == 1 and "TLS: the certificate's issuer is not trusted" in refused.stdout, refused.stdout + refused.stderr
        assert len(received) == 1


@pytest.fixture(scope="module")
def moto():
    with moto_server() as address:
        yield address


def test_a_topic(moto, tmp_path):
    clients = [boto3.client(service, endpoint_url=moto, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")
               for service in ["sns", "sqs"]]
    sns, sqs = clients
    topic = sns.create_topic(Name="offlimits")["TopicArn"]
    queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    # A filter sees what the function's messages have: the attributes are sent along.
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"FilterPolicy": json.dumps({"kind": ["test"]})})
    rules(tmp_path, {"topic": {"type": "sns"}, "named": {"type": "sns", "topic_arn": topic}})
    variables = KEYS | {"AWS_ENDPOINT_URL_SNS": moto}
    # The topic's region counts, and not the environment's.
    for arguments in [["--channel", "named"], ["--channel", "topic", "--topic", topic]]:
        done = send(tmp_path, *arguments, **variables)
        assert (done.returncode, done.stdout) == (0, f"{arguments[1]} (sns): delivered\n"), done.stderr
        [message] = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        sent = json.loads(message["Body"])
        assert "TEST: offlimits can reach this channel" in sent["Subject"]
        assert json.loads(sent["Message"])["kind"] == "test"
    gone = send(tmp_path, "--channel", "topic", "--topic", topic + "-gone", **variables)
    assert gone.returncode == 1 and "refused: NotFound" in gone.stdout and "docs/channels/sns.md" in gone.stderr, gone.stdout


def test_the_signature_is_what_botocore_makes_of_the_request(tmp_path):
    """moto looks at no signature."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            body = b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    rules(tmp_path, {"topic": {"type": "sns", "topic_arn": "arn:aws:sns:eu-west-3:123456789012:offlimits"}})
    done = send(tmp_path, "--channel", "topic", **KEYS, AWS_ENDPOINT_URL_SNS=address)
    server.shutdown()
    server.server_close()
    assert done.returncode == 0, done.stdout + done.stderr
    [(path, headers, body)] = asked
    headers = {name.lower(): value for name, value in headers.items()}
    fields = dict(field.strip().split("=", 1) for field in headers["authorization"].removeprefix("AWS4-HMAC-SHA256").split(","))
    assert "/eu-west-3/sns/aws4_request" in fields["Credential"] and headers["x-amz-security-token"] == KEYS["AWS_SESSION_TOKEN"]
    signed = {name: headers[name] for name in fields["SignedHeaders"].split(";")}
    assert {"host", "content-type", "x-amz-date", "x-amz-security-token"} <= signed.keys()
    request = AWSRequest(method="POST", url=address + path, data=body, headers=signed)
    request.context["timestamp"] = headers["x-amz-date"]
    auth = SigV4Auth(Credentials(KEYS["AWS_ACCESS_KEY_ID"], SECRET, KEYS["AWS_SESSION_TOKEN"]), "sns", "eu-west-3")
    assert auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request) == fields["Signature"]
