"""Archives in S3: the tool, built with the feature `s3`, against moto's S3."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from forwarder import Forwarder, served  # noqa: E402
from moto_server import moto_server  # noqa: E402
from places import TOOL  # noqa: E402

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@pytest.fixture(scope="module")
def s3():
    """The address of an S3."""
    with moto_server() as address:
        yield address


@pytest.fixture(scope="module")
def between(s3):
    """The same S3 behind something that counts requests, and fails as it is told to."""

    state = SimpleNamespace(paths=[], faults=[])

    class Between(Forwarder):
        def do_GET(self):
            state.paths.append(self.path)
            if state.faults:
                status, code = state.faults.pop()
                return self.answer(status, f"<Error><Code>{code}</Code></Error>".encode())
            self.hand_on(s3)

    with served(Between) as state.url:
        yield state


def record(number):
    return {
        "eventName": "StopLogging", "eventSource": "cloudtrail.amazonaws.com", "eventID": f"e-{number}",
        "eventTime": "2025-03-01T00:00:00Z", "recipientAccountId": "111122223333",
    }


def log_file(numbers):
    return gzip.compress(json.dumps({"Records": [record(number) for number in numbers]}).encode())


@pytest.fixture(scope="module")
def bucket(s3):
    """An organisation's trail: two accounts, two regions, four days, two files a day; and what is none of ours."""
    client = boto3.client("s3", endpoint_url=s3, region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
    client.create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    put = lambda key, body: client.put_object(Bucket="trail", Key=key, Body=body)
    number = 0
    for account in ["111122223333", "444455556666"]:
        for region in ["eu-west-1", "us-east-1"]:
            for day in ["2025/02/28", "2025/03/01", "2025/03/02", "2025/03/03"]:
                for hour in ["0100", "0200"]:
                    time = day.replace("/", "") + f"T{hour}Z"
                    folder = f"logs/AWSLogs/o-abc/{account}/CloudTrail/{region}/{day}"
                    put(f"{folder}/{account}_CloudTrail_{region}_{time}_x+y é.json.gz", log_file([number]))
                    number += 1
        put(f"logs/AWSLogs/o-abc/{account}/CloudTrail-Digest/eu-west-1/2025/03/01/digest.json.gz", gzip.compress(b"{}"))
        put(f"logs/AWSLogs/o-abc/{account}/Config/eu-west-1/2025/3/1/config.json.gz", gzip.compress(b"{}"))
    put("odd/readme.txt", b"no log file")
    put("odd/broken.json.gz", log_file([900])[:40])
    put("odd/fine.json", json.dumps(record(901)).encode())
    # Larger than a piece, and not compressible to less.
    lines = [json.dumps(record(1000 + n) | {"requestParameters": {"noise": os.urandom(3000).hex()}}) for n in range(1800)]
    put("large/large.json", "\n".join(lines).encode())
    return client


def backtest(tmp_path, address, *paths, environment=KEYS):
    (tmp_path / "rules.json").write_text(json.dumps({"rules": [
        {"id": "R", "title": "t", "severity": "low", "when": {"event": "StopLogging"}},
    ]}))
    command = [TOOL, "backtest", "--format", "jsonl", "--rules", tmp_path / "rules.json", *paths]
    run = subprocess.run(
        command, capture_output=True, text=True, timeout=120,
        env={"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL_S3": address, "AWS_REGION": "eu-west-1"} | environment,
    )
    return run, [json.loads(line) for line in run.stdout.splitlines()]


def numbers(lines):
    return [int(line["event_id"].removeprefix("e-")) for line in lines]


def test_a_whole_archive_is_read_in_the_order_of_its_keys(tmp_path, bucket, s3):
    run, lines = backtest(tmp_path, s3, "s3://trail/logs/")
    # Everything below is read: digests and other services' logs are told to be none of ours.
    assert run.returncode == 0, run.stderr
    assert numbers(lines) == list(range(32))
    assert lines[0]["file"] == (
        "s3://trail/logs/AWSLogs/o-abc/111122223333/CloudTrail/eu-west-1/2025/02/28/"
        "111122223333_CloudTrail_eu-west-1_20250228T0100Z_x+y é.json.gz"
    )


def test_days_accounts_and_regions_are_chosen_before_they_are_listed(tmp_path, bucket, between):
    between.paths.clear()
    run, lines = backtest(
        tmp_path, between.url, "s3://trail/logs", "--since", "2025-03-01", "--until", "2025-03-02",
        "--account", "444455556666", "--region", "us-east-1",
    )
    assert run.returncode == 0, run.stderr
    assert numbers(lines) == [26, 27, 28, 29]
    asked = " ".join(between.paths)
    for other in ["111122223333%2FC", "eu-west-1%2F2025", "02%2F28", "03%2F03", "Digest%2Feu", "Config%2Feu"]:
        assert other not in asked, other


def test_what_fails_is_tried_again_and_named_in_the_end(tmp_path, bucket, between):
    between.faults.extend([(503, "SlowDown"), (500, "InternalError"), (429, "TooMany"), (503, "SlowDown")])
    run, lines = backtest(tmp_path, between.url, "s3://trail/logs/")
    assert (run.returncode, numbers(lines)) == (0, list(range(32))), run.stderr

    run, lines = backtest(tmp_path, between.url, "s3://trail/odd/")
    assert (run.returncode, numbers(lines)) == (2, [901])
    assert "s3://trail/odd/broken.json.gz" in run.stderr and "readme" not in run.stderr

    between.faults.append((403, "AccessDenied"))
    run, lines = backtest(tmp_path, between.url, "s3://trail/logs/")
    assert (run.returncode, lines) == (2, [])
    assert "s3://trail/logs/: S3 says 403 AccessDenied: reading needs s3:ListBucket" in run.stderr


def test_a_large_object_is_read_a_piece_at_a_time(tmp_path, bucket, between):
    between.paths.clear()
    run, lines = backtest(tmp_path, between.url, "s3://trail/large/")
    assert (run.returncode, numbers(lines)) == (0, list(range(1000, 2800))), run.stderr
    assert sum("large.json?" in path for path in between.paths) == 2


@pytest.mark.parametrize("address", ["s3://nowhere/", "s3://trail/empty/", "s3://"])
def test_what_is_not_there_is_named(tmp_path, bucket, s3, address):
    run, lines = backtest(tmp_path, s3, address)
    assert (run.returncode, lines) == (2, [])
    assert f"error: cannot read {address}" in run.stderr


def test_credentials_come_from_the_environment_or_the_aws_command_line(tmp_path, bucket, s3):
    run, _ = backtest(tmp_path, s3, "s3://trail/logs/", environment={"PATH": ""})
    assert run.returncode == 2
    assert "AWS_ACCESS_KEY_ID" in run.stderr and "sign in" in run.stderr
    aws = tmp_path / "aws"
    aws.write_text("#!/bin/sh\n[ \"$*\" = 'configure export-credentials --format process' ] && "
                   "echo '{\"Version\":1,\"AccessKeyId\":\"test\",\"SecretAccessKey\":\"test\",\"SessionToken\":\"t\"}'\n")
    aws.chmod(0o755)
    run, lines = backtest(tmp_path, s3, "s3://trail/logs/", environment={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert (run.returncode, len(lines)) == (0, 32), run.stderr
