"""The ledger's store in DynamoDB: what tests/delivery/ledger.rs asks of every store."""

import subprocess

from local import ROOT, plain_environment


def test_dynamodb_does_what_every_store_must(aws):
    aws.client("dynamodb").create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ["partition", "sort"]],
        KeySchema=[{"AttributeName": "partition", "KeyType": "HASH"}, {"AttributeName": "sort", "KeyType": "RANGE"}],
    )
    # The same features as `make test` has just built with.
    command = ["cargo", "test", "--locked", "--all-features", "--test", "integration", "--", "--ignored", "delivery::ledger::the_store_in_dynamodb"]
    env = plain_environment() | aws.variables | {"OFFLIMITS_TABLE": "ledger", "CARGO_TERM_COLOR": "never"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
