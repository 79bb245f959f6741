#!/usr/bin/env bash
# In moto, GuardDuty's DeleteDetector succeeds for a detector that does not exist, while GetDetector and UpdateDetector refuse it.
#
# AWS documents BadRequestException for all three, for a detector that is not the account's
# (https://docs.aws.amazon.com/guardduty/latest/APIReference/API_DeleteDetector.html). Whoever tests in moto what a refused call
# looks like (an alarm on attempts to switch GuardDuty off, a clean-up that must notice a wrong id) sees a success instead.
#
# Seen with moto 5.2.5: BadRequestException of GetDetector and UpdateDetector, and status 200 of DeleteDetector.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check 'moto[guardduty]==5.2.5'
"$folder/venv/bin/python" - <<'PYTHON'
import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

OWN = {"region_name": "eu-west-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
NOWHERE = "00000000000000000000000000000000"


@mock_aws
def answer(call: str, **more) -> str:
    try:
        said = getattr(boto3.client("guardduty", **OWN), call)(DetectorId=NOWHERE, **more)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return f"status {said['ResponseMetadata']['HTTPStatusCode']}"


answers = {"get_detector": answer("get_detector"), "update_detector": answer("update_detector", Enable=False), "delete_detector": answer("delete_detector")}
print(", ".join(f"{call}: {said}" for call, said in answers.items()))
assert answers == {"get_detector": "BadRequestException", "update_detector": "BadRequestException", "delete_detector": "status 200"}, "the behaviour has changed"
PYTHON
