"""What template.yaml becomes: sound, and no more than it needs. Offline."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SAM, TEMPLATE
from local import ROOT, plain_environment

# All that the function may do, and why. A new statement needs a new line here.
GRANTS = {
    ("logs:CreateLogStream", "Logs"): "its log",
    ("logs:PutLogEvents", "Logs"): "its log",
    ("sns:Publish", "Topic"): "the alerts",
    ("sns:Publish", "MoreTopicArns"): "those that go to topics of others",
    ("kms:GenerateDataKey*", "MoreTopicKeyArns"): "which may be encrypted with keys of their own",
    ("kms:Decrypt", "MoreTopicKeyArns"): "which may be encrypted with keys of their own",
    ("kms:GenerateDataKey*", "Key"): "publishing to an encrypted topic takes its data key",
    ("kms:Decrypt", "Key"): "and opens it",
    ("secretsmanager:GetSecretValue", "Secret"): "the channels' credentials, in the secret made here",
    ("secretsmanager:GetSecretValue", "SecretArn"): "or in one that was there",
    ("kms:Decrypt", "SecretKeyArn"): "which may be encrypted with a key of its own",
    ("sqs:SendMessage", "FailedEvents"): "Lambda hands over what failed in the function's name",
    ("sqs:SendMessage", "Redelivery"): "what a channel did not take",
    ("sqs:ReceiveMessage", "Redelivery"): "Lambda takes it from there in the function's name",
    ("sqs:DeleteMessage", "Redelivery"): "and is done with it",
    ("sqs:GetQueueAttributes", "Redelivery"): "and asks how much there is",
    ("sqs:SendMessage", "DeadLetters"): "what no channel takes",
    ("dynamodb:BatchGetItem", "Ledger"): "what has been delivered",
    ("dynamodb:PutItem", "Ledger"): "alone or in a transaction",
    ("dynamodb:Query", "Ledger"): "the repeats of an alert, the sightings of a threshold",
    ("dynamodb:UpdateItem", "Ledger"): "the counter of a minute",
}


def listed(value) -> list:
    return value if isinstance(value, list) else [value]


def targets(value) -> list[str]:
    """The names that a Ref, GetAtt or If comes down to; text stays as it is."""
    if isinstance(value, str):
        return [value]
    [(function, argument)] = value.items()
    match function:
        case "Ref":
            return [argument]
        case "Fn::GetAtt":
            return [argument[0]]
        case "Fn::If":
            return [name for branch in argument[1:] for name in targets(branch)]
    raise AssertionError(f"no name in {value}")


def statements(policy: dict) -> list[dict]:
    """The statements of a policy, those under an If too."""
    found = [s["Fn::If"][1] if "Fn::If" in s else s for s in listed(policy["Statement"])]
    assert all("Effect" in s for s in found)
    return found


def of_type(template: dict, kind: str) -> dict[str, dict]:
    return {name: r.get("Properties", {}) for name, r in template["Resources"].items() if r["Type"] == kind}


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_sam_finds_it_valid(region):
    done = subprocess.run(
        [SAM, "validate", "--lint", "--template", TEMPLATE, "--region", region],
        env=plain_environment(), cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_cfn_lint_finds_nothing_in_what_sam_makes_of_it(transformed, tmp_path):
    """On SAM's own source cfn-lint does not understand EventBridge events."""
    made = tmp_path / "transformed.json"
    made.write_text(json.dumps(transformed))
    linter = Path(sys.executable).parent / "cfn-lint"
    done = subprocess.run([linter, "--regions", "us-east-1", "eu-west-1", "--", made], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_function_may_do_only_what_it_needs(transformed):
    role = transformed["Resources"]["Role"]["Properties"]
    assert "ManagedPolicyArns" not in role, "a managed policy is not scoped to our resources"
    assert of_type(transformed, "AWS::IAM::Role").keys() == {"Role"}
    assert not of_type(transformed, "AWS::IAM::Policy") and not of_type(transformed, "AWS::IAM::ManagedPolicy")
    granted = set()
    for policy in role["Policies"]:
        for statement in statements(policy["PolicyDocument"]):
            assert statement["Effect"] == "Allow" and "NotAction" not in statement and "NotResource" not in statement
            for resource in [name for r in listed(statement["Resource"]) for name in targets(r)]:
                assert "*" not in resource, f"{statement['Sid']} is not scoped"
                granted |= {(action, resource) for action in listed(statement["Action"])}
    assert granted == GRANTS.keys()
    for _, resource in granted:
        assert resource in transformed["Resources"] or resource in transformed["Parameters"]


def test_topics_of_others_are_granted_only_where_they_are_named(transformed):
    statements = transformed["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    conditional = {s["Fn::If"][1]["Sid"]: s["Fn::If"] for s in statements if "Fn::If" in s}
    for sid, condition, parameter in [
        ("AlertElsewhere", "HasMoreTopics", "MoreTopicArns"),
        ("EncryptAlertsElsewhere", "HasMoreTopicKeys", "MoreTopicKeyArns"),
    ]:
        assert conditional[sid][0] == condition and conditional[sid][2] == {"Ref": "AWS::NoValue"}
        assert transformed["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": parameter}]}, ""]}]}
        assert transformed["Parameters"][parameter]["Default"] == ""
    fits = transformed["Parameters"]["MoreTopicArns"]["AllowedPattern"]
    for arn in ["", "arn:aws:sns:us-east-1:123456789012:soc", "arn:aws-us-gov:sns:us-gov-west-1:123456789012:soc_2"]:
        assert re.search(fits, arn)
    for arn in ["*", "arn:aws:sns:*:123456789012:soc", "arn:aws:sns:us-east-1:123456789012:*", "arn:aws:sqs:us-east-1:123456789012:soc"]:
        assert not re.search(fits, arn)


def test_only_lambda_may_become_the_role(transformed):
    [trust] = statements(transformed["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"])
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_no_resource_policy_lets_strangers_in(transformed):
    """Each names its principal, and whom a service may act for."""
    conditions = {}
    for kind in ["AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"]:
        for properties in of_type(transformed, kind).values():
            for statement in statements(properties["PolicyDocument"]):
                assert "*" not in json.dumps([statement["Principal"], statement["Action"], statement["Resource"]])
                conditions[statement["Principal"]["Service"]] = statement["Condition"]
    assert conditions == {
        "events.amazonaws.com": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["FunctionTrail", "Arn"]}}},
        "cloudwatch.amazonaws.com": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    for permission in of_type(transformed, "AWS::Lambda::Permission").values():
        assert permission["Principal"] == "events.amazonaws.com"
        assert permission["SourceArn"] == {"Fn::GetAtt": ["FunctionTrail", "Arn"]}


def test_alarms_can_publish_to_the_encrypted_topic(transformed):
    topic = transformed["Resources"]["Topic"]["Properties"]
    assert targets(topic["KmsMasterKeyId"]) == ["Key"], "alias/aws/sns does not let alarms in"
    key = transformed["Resources"]["Key"]["Properties"]
    assert key["EnableKeyRotation"] is True
    [admitted] = [s for s in statements(key["KeyPolicy"]) if s["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    assert set(admitted["Action"]) == {"kms:GenerateDataKey*", "kms:Decrypt"}


def test_what_is_lost_is_kept_and_encrypted(transformed):
    queues = of_type(transformed, "AWS::SQS::Queue")
    assert queues.keys() == {"UndeliveredEvents", "FailedEvents", "DeadLetters", "Redelivery"}
    for queue in queues.values():
        assert queue["SqsManagedSseEnabled"] is True and queue["MessageRetentionPeriod"] == 14 * 86400
    [target] = transformed["Resources"]["FunctionTrail"]["Properties"]["Targets"]
    assert targets(target["DeadLetterConfig"]["Arn"]) == ["UndeliveredEvents"]
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 30}
    asynchronous = transformed["Resources"]["FunctionEventInvokeConfig"]["Properties"]
    assert targets(asynchronous["DestinationConfig"]["OnFailure"]["Destination"]) == ["FailedEvents"]
    assert asynchronous["MaximumRetryAttempts"] == 2 and asynchronous["MaximumEventAgeInSeconds"] == 6 * 3600


def test_what_a_channel_did_not_take_comes_back(transformed):
    timeout = transformed["Resources"]["Function"]["Properties"]["Timeout"]
    queue = of_type(transformed, "AWS::SQS::Queue")["Redelivery"]
    assert queue["VisibilityTimeout"] >= 6 * timeout
    assert targets(queue["RedrivePolicy"]["deadLetterTargetArn"]) == ["DeadLetters"] and queue["RedrivePolicy"]["maxReceiveCount"] >= 3
    [source] = of_type(transformed, "AWS::Lambda::EventSourceMapping").values()
    assert targets(source["EventSourceArn"]) == ["Redelivery"] and targets(source["FunctionName"]) == ["Function"]
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"] and source["ScalingConfig"]["MaximumConcurrency"] >= 2


def test_sqs_may_redrive_its_dead_letters(transformed):
    """It takes the dead letters of another queue alone, and any may name them; tests/evidence/sqs_redrive.py runs it."""
    queues = of_type(transformed, "AWS::SQS::Queue")
    sources = [name for name, queue in queues.items() if "DeadLetters" in json.dumps(queue.get("RedrivePolicy", {}))]
    assert sources == ["Redelivery"] and not any("RedriveAllowPolicy" in queue for queue in queues.values())


def test_the_ledger_forgets_and_costs_nothing_idle(transformed):
    [table] = of_type(transformed, "AWS::DynamoDB::Table").values()
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert [k["AttributeName"] for k in table["KeySchema"]] == ["partition", "sort"]


def test_alarms_on_errors_throttles_dead_letters_and_silence(transformed):
    alarms = of_type(transformed, "AWS::CloudWatch::Alarm")
    watched = set()
    for alarm in alarms.values():
        assert targets(alarm["AlarmActions"][0]) == ["Topic"]
        [dimension] = alarm["Dimensions"]
        watched.add((alarm["MetricName"], *targets(dimension["Value"])))
        silence = alarm["MetricName"] == "Records"
        assert alarm["Namespace"] == ("offlimits" if silence or alarm["MetricName"] == "LedgerFaults" else alarm["Namespace"])
        assert alarm["TreatMissingData"] == ("breaching" if silence else "notBreaching")
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == (("LessThanThreshold", 1) if silence else ("GreaterThanThreshold", 0))
        assert alarm["Period"] == (86400 if silence else 60)
    assert watched == {
        ("Errors", "Function"),
        ("Throttles", "Function"),
        ("Records", "Function"),
        ("ApproximateNumberOfMessagesVisible", "UndeliveredEvents"),
        ("ApproximateNumberOfMessagesVisible", "FailedEvents"),
        ("ApproximateNumberOfMessagesVisible", "DeadLetters"),
        ("LedgerFaults", "Function"),
    }


def test_sms_is_filtered_by_severity(transformed):
    sms = transformed["Resources"]["SmsSubscription"]["Properties"]
    assert sms["FilterPolicy"] == {"severity": {"Ref": "SmsSeverities"}} and sms["FilterPolicyScope"] == "MessageAttributes"
    assert transformed["Parameters"]["SmsSeverities"]["Default"] == "very-high,extreme"


def test_the_function_and_its_log(transformed):
    function = transformed["Resources"]["Function"]["Properties"]
    assert function["Runtime"] == "provided.al2023" and function["Timeout"] < 60
    assert targets(function["LoggingConfig"]["LogGroup"]) == ["Logs"] and function["LoggingConfig"]["LogFormat"] == "JSON"
    assert transformed["Resources"]["Logs"]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert set(function["Environment"]["Variables"]) == {
        "OFFLIMITS_TOPIC_ARN",
        "OFFLIMITS_SECRET_ARN",
        "OFFLIMITS_ROLE_ARN",
        "OFFLIMITS_TABLE",
        "OFFLIMITS_REDELIVERY_URL",
        "OFFLIMITS_DEAD_LETTERS_URL",
    }
    assert transformed["Parameters"]["Architecture"]["Default"] == "arm64"
    assert transformed["Resources"]["Secret"]["Properties"]["SecretString"] == "{}", "no credential stands in a template"


def test_stacks_and_regions_do_not_collide(transformed):
    """A physical name begins with the stack's, or CloudFormation makes it."""
    for name, resource in transformed["Resources"].items():
        for key, value in resource.get("Properties", {}).items():
            if key.endswith("Name") and key not in {"MetricName", "FunctionName", "DisplayName"}:
                assert "${AWS::StackName}" in value["Fn::Sub"], f"{name}.{key} would collide"


def test_the_help_names_every_target():
    env = os.environ | {"MAKEFLAGS": ""}
    shown = subprocess.run(["make", "-s", "help"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=30, check=True).stdout
    for target in ["check", "test", "build", "bench", "invoke", "deploy", "test-alert", "redrive", "fuzz", "setup"]:
        assert f"  {target} " in shown
