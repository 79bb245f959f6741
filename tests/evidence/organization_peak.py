"""Ten minutes of an organization's peak, played through the function of `make build` and a ledger in the local AWS: 400 accounts in five regions, whose
calls are drawn from the real records of ../shared/data, and in three of them a storm of one caller. Run by hand, after `make build`:

  PYTHONPATH=tests/support .venv/test/bin/python -B tests/evidence/organization_peak.py [EVENTS [SEED]]     (3000 and 7 unless told)

Several copies of the function run side by side, as in Lambda, each handling one event after the other as fast as it can: the ten minutes are those of the
records' times, not of the clock. It prints how the findings and deliveries ended, summed over all answers, and fails where a sum does not hold, a copy
answers with an error, or the table has not one claim for each delivery that was not a duplicate.
"""

import gzip
import json
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/stack"))
sys.path.insert(0, str(ROOT / "benches"))
from cold_start import request  # noqa: E402
from local import PACKAGE, REGION, Aws  # noqa: E402
from places import CORPORA, absent  # noqa: E402

COPIES = 4
ACCOUNTS = [f"{100_000_000_000 + 7_919 * number}" for number in range(400)]
REGIONS = ["us-east-1", "us-east-2", "us-west-2", "eu-west-1", "ap-southeast-2"]
START = datetime(2026, 11, 28, 12, tzinfo=UTC)
# One event in four is the storm's: one caller in each of three accounts, who tries one call after the other.
STORM = 4
STORM_CALLS = [("cloudtrail.amazonaws.com", "StopLogging"), ("cloudtrail.amazonaws.com", "DeleteTrail"), ("iam.amazonaws.com", "CreateAccessKey")]


def drawn() -> list[dict]:
    """The records that calls are drawn from."""
    for folder in ["invictus-ir", "sans504-s3-ransomware"]:
        if not (CORPORA / folder).exists():
            sys.exit(absent(CORPORA / folder))
    quiet = json.loads((CORPORA / "invictus-ir/records.json").read_bytes())["Records"]
    with gzip.open(CORPORA / "sans504-s3-ransomware/records.jsonl.gz", "rt") as lines:
        return quiet + [json.loads(line) for line in lines]


def events(count: int, seed: int) -> list[bytes]:
    chance, records = random.Random(seed), drawn()
    stormy = chance.sample(ACCOUNTS, 3)
    made = []
    for number in range(count):
        record = dict(chance.choice(records))
        account, region = chance.choice(ACCOUNTS), chance.choice(REGIONS)
        record.pop("sharedEventID", None)
        if number % STORM == 0:
            account = chance.choice(stormy)
            service, name = chance.choice(STORM_CALLS)
            caller = {"type": "IAMUser", "userName": "mallory", "accountId": account, "arn": f"arn:aws:iam::{account}:user/mallory"}
            target = {"name": f"trail{chance.randrange(50)}", "userName": f"user{chance.randrange(50)}"}
            record |= {"eventSource": service, "eventName": name, "userIdentity": caller, "requestParameters": target, "readOnly": False}
            record |= {"eventType": "AwsApiCall", "eventCategory": "Management", "errorCode": None}
        at = START + timedelta(seconds=600 * number / count)
        record |= {"eventID": f"{seed}-{number}", "recipientAccountId": account, "awsRegion": region, "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        envelope = {"detail-type": "AWS API Call via CloudTrail", "source": "aws.cloudtrail", "account": account, "region": region, "detail": record}
        made.append(json.dumps(envelope).encode())
    return made


def copy_of_function(number: int, queue: list[bytes], lock: threading.Lock, environment: dict, folder: Path, answers: list[dict]):
    """One process, which takes event after event until there are none."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(60)
    own = environment | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{listener.getsockname()[1]}"}
    with (folder / f"log{number}").open("wb") as log:
        process = subprocess.Popen([PACKAGE / "bootstrap"], env=own, stdout=log, stderr=log)
        try:
            connection = listener.accept()[0]
            while (asked := request(connection)).line:
                if asked.line.startswith("GET"):
                    with lock:
                        body = queue.pop() if queue else None
                    if body is None:
                        return
                    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: 1\r\n"
                    head += f"Lambda-Runtime-Deadline-Ms: {int(time.time() * 1000) + 30_000}\r\nContent-Length: {len(body)}\r\n"
                    head += "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:f\r\n\r\n"
                    connection.sendall(head.encode() + body)
                    continue
                answers.append(json.loads(asked.body) | {"posted": asked.line.split()[1].rsplit("/", 1)[1]})
                connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        finally:
            process.terminate()
            process.wait()


def resources(aws: Aws) -> dict:
    topic = aws.client("sns").create_topic(Name="peak")["TopicArn"]
    queue = aws.client("sqs").create_queue(QueueName="peak")["QueueUrl"]
    keys = [("partition", "HASH"), ("sort", "RANGE")]
    aws.client("dynamodb").create_table(
        TableName="peak",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
    )
    return {"OFFLIMITS_TOPIC_ARN": topic, "OFFLIMITS_TABLE": "peak", "OFFLIMITS_REDELIVERY_URL": queue}


def items(aws: Aws) -> Counter:
    """The items of the table, by what their partition begins with."""
    pages = aws.client("dynamodb").get_paginator("scan").paginate(TableName="peak", ProjectionExpression="#p", ExpressionAttributeNames={"#p": "partition"})
    return Counter(item["partition"]["S"].split("#")[0] for page in pages for item in page["Items"])


def main():
    count, seed = (int(value) for value in [*sys.argv[1:], *["3000", "7"][len(sys.argv) - 1 :]])
    made = events(count, seed)[::-1]
    with tempfile.TemporaryDirectory() as name, Aws(Path(name)) as aws:
        lambdas = {"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_FUNCTION_VERSION": "1"}
        environment = aws.environment | resources(aws) | lambdas | {"LAMBDA_TASK_ROOT": str(PACKAGE), "AWS_REGION": REGION}
        environment |= {"AWS_LAMBDA_LOG_FORMAT": "JSON"}
        answers, lock, begun = [], threading.Lock(), time.monotonic()
        arguments = (made, lock, environment, Path(name), answers)
        copies = [threading.Thread(target=copy_of_function, args=(number, *arguments)) for number in range(COPIES)]
        for thread in copies:
            thread.start()
        for thread in copies:
            thread.join()
        took = time.monotonic() - begun
        log = sum((Path(name) / f"log{number}").stat().st_size for number in range(COPIES))
        table = items(aws)
    posted = Counter(answer["posted"] for answer in answers)
    findings, deliveries = Counter(), Counter()
    for answer in answers:
        findings.update({key: value for key, value in answer.get("findings", {}).items() if isinstance(value, int)})
        deliveries.update({key: value for key, value in answer.get("deliveries", {}).items() if isinstance(value, int)})
    print(f"{count} events, seed {seed}, {COPIES} copies: {took:.1f} s, {log / count:.0f} bytes of log an event; answers {dict(posted)}")
    print(f"findings {dict(findings)}")
    print(f"deliveries {dict(deliveries)}")
    print(f"items {dict(table)}")
    if posted != Counter(response=count):
        sys.exit("a copy did not answer, or with an error")
    ended = sum(deliveries[key] for key in ["delivered", "throttled", "digested", "queued", "dead", "failed"])
    if table["finding"] != ended:
        sys.exit(f"{ended} deliveries ended, and {table['finding']} are claimed")


if __name__ == "__main__":
    main()
