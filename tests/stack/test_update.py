"""A stack of the version before is updated to this one and back, in a local AWS: what it holds stays where it is."""

import json
import subprocess

import pytest
from conftest import BEFORE, SAM, TEMPLATE, built
from local import ARCHITECTURE, ROOT

QUEUES = ["Redelivery", "DeadLetters", "FailedEvents", "UndeliveredEvents"]
NAME = "offlimits-older"


@pytest.fixture
def deploy(aws, tmp_path):
    """Deploys a template with these parameters; gives the outputs. The function is never invoked: its code does not matter. ministack knows no
    saved queries, and refuses a template that has one."""

    def deploy(template, *parameters: str) -> dict:
        built(tmp_path, template)
        (tmp_path / "Function").mkdir(exist_ok=True)
        bootstrap = tmp_path / "Function/bootstrap"
        bootstrap.write_text("#!/bin/sh\nexit 1\n")
        bootstrap.chmod(0o755)
        command = [SAM, "deploy", "--template-file", "template.yaml", "--config-file", ROOT / "samconfig.toml", "--stack-name", NAME]
        command += ["--parameter-overrides", f"Architecture={ARCHITECTURE}", *parameters]
        done = subprocess.run(command, cwd=tmp_path, env=aws.environment, capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stdout + done.stderr
        [stack] = aws.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
        assert stack["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
        return {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}

    return deploy


def resources(aws) -> dict[str, str]:
    pages = aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=NAME)
    return {r["LogicalResourceId"]: r["PhysicalResourceId"] for page in pages for r in page["StackResourceSummaries"]}


def test_what_a_stack_holds_survives_an_update_and_its_rollback(aws, deploy):
    sqs, table = aws.client("sqs"), aws.client("dynamodb")
    outputs = deploy(BEFORE, "Email=someone@example.com", "LogLevel=WARN")
    made = resources(aws)
    silence = made.pop("SilenceAlarm")  # the alarm of a stack with probes takes its place
    mapping = aws.client("lambda").list_event_source_mappings(FunctionName=outputs["FunctionName"])["EventSourceMappings"][0]["UUID"]
    # Nobody takes what waits while the test looks.
    aws.client("lambda").update_event_source_mapping(UUID=mapping, Enabled=False)
    for queue in QUEUES:
        sqs.send_message(QueueUrl=outputs[f"{queue}Url"], MessageBody=json.dumps({"queue": queue}))
    table.put_item(TableName=outputs["TableName"], Item={"partition": {"S": "finding#1"}, "sort": {"S": "topic"}})
    aws.client("secretsmanager").put_secret_value(SecretId=outputs["SecretArn"], SecretString='{"soc":{}}')

    def assert_all_is_there(outputs: dict):
        assert {name: made[name] for name in made} == {name: resources(aws).get(name) for name in made}, "something was replaced"
        for queue in QUEUES:
            received = sqs.receive_message(QueueUrl=outputs[f"{queue}Url"], VisibilityTimeout=0)["Messages"]
            assert [json.loads(m["Body"]) for m in received] == [{"queue": queue}]
        assert "Item" in table.get_item(TableName=outputs["TableName"], Key={"partition": {"S": "finding#1"}, "sort": {"S": "topic"}})
        assert aws.client("secretsmanager").get_secret_value(SecretId=outputs["SecretArn"])["SecretString"] == '{"soc":{}}'

    updated = deploy(TEMPLATE, "SavedQueries=false")
    assert_all_is_there(updated)
    assert outputs.items() <= updated.items(), "outputs that scripts read"
    variables = aws.client("lambda").get_function_configuration(FunctionName=outputs["FunctionName"])["Environment"]["Variables"]
    assert variables["OFFLIMITS_LOG_LEVEL"] == "WARN", "a parameter that was set is remembered"
    assert len(aws.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{NAME}-")["MetricAlarms"]) == 23
    assert resources(aws).keys() >= {"SilentSourcesAlarm", "Probe", "Sweep"} and "SilenceAlarm" not in resources(aws)
    assert_all_is_there(deploy(BEFORE))
    assert resources(aws)["SilenceAlarm"] == silence


def test_a_stack_takes_every_parameter(aws, deploy):
    """Each that is empty by default, at once: what an organisation asks of a stack fits together."""
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    topic = aws.client("sns").create_topic(Name="second-road")["TopicArn"]
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="offlimits", Description="offlimits", VpcId=vpc)["GroupId"]
    outputs = deploy(
        TEMPLATE,
        f"AlarmTopicArn={topic}",
        "SilenceMinutes=0",
        "ReservedConcurrency=6",
        "Dashboard=false",
        "SavedQueries=false",
        "PermissionsBoundaryArn=arn:aws:iam::aws:policy/PowerUserAccess",
        "RolePath=/security/",
        f"SubnetIds={subnet}",
        f"SecurityGroupIds={group}",
        "HttpsProxy=http://proxy.example.com:3128",
        "NoProxy=.amazonaws.com",
        *(f"{name}={key}" for name in ["LogsKeyArn", "LedgerKeyArn", "QueuesKeyArn", "SecretKeyArn"]),
        "PointInTimeRecovery=true",
        "OrganizationId=o-a1b2c3d4e5",
        "StackSetName=all",
    )
    configuration = aws.client("lambda").get_function_configuration(FunctionName=outputs["FunctionName"])
    assert configuration["Environment"]["Variables"]["HTTPS_PROXY"] == "http://proxy.example.com:3128"
    for queue in QUEUES:
        attributes = aws.client("sqs").get_queue_attributes(QueueUrl=outputs[f"{queue}Url"], AttributeNames=["All"])["Attributes"]
        assert attributes["KmsMasterKeyId"] == key
        assert "aws:SecureTransport" in attributes["Policy"]
    found = aws.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{NAME}-")["MetricAlarms"]
    assert configuration["Environment"]["Variables"]["OFFLIMITS_STACK_SET"] == "all"
    bus = aws.client("events").describe_event_bus(Name=NAME)
    # Its policy, which this AWS does not tell, is test_template.py's.
    assert bus["Arn"] == outputs["HubBusArn"]
    assert [rule["Name"] for rule in aws.client("events").list_rules(EventBusName=NAME)["Rules"]]
    assert len(found) == 28 and all(topic in alarm["AlarmActions"] for alarm in found)
