"""deploy/history.yaml: what it lets whom do, and what its state machine is. Offline."""

import json
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from local import ROOT
from samcli.yamlhelper import yaml_parse

TEMPLATE = ROOT / "deploy/history.yaml"


@pytest.fixture(scope="module")
def template() -> dict:
    return yaml_parse(TEMPLATE.read_text())


def plain() -> dict:
    """As CloudFormation gets it."""
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    source = yaml_parse(TEMPLATE.read_text())
    for name in ("Reader", "Merger"):
        source["Resources"][name]["Properties"]["CodeUri"] = "s3://bucket/key"
    return Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1")).translate(source, {})


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "cn-north-1"])
def test_cfn_lint_finds_nothing(region, tmp_path):
    (tmp_path / "template.json").write_text(json.dumps(plain()))
    command = [Path(sys.executable).parent / "cfn-lint", "--include-checks", "I", "--regions", region, "--", tmp_path / "template.json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and not done.stdout.strip(), done.stdout + done.stderr


def statements(template):
    """Every statement that allows something: the resource that has it, and its own; of a condition, what it is where that is met."""
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", []) if isinstance(policy, dict)]
        if resource["Type"] == "AWS::IAM::Policy":
            documents.append(properties["PolicyDocument"])
        for document in documents:
            for statement in document["Statement"]:
                yield name, statement["Fn::If"][1] if "Fn::If" in statement else statement


def test_nobody_may_more_than_it_takes(template):
    seen = {}
    for name, statement in statements(template):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert statement["Effect"] == "Allow" and statement["Resource"] != "*", name
        assert not [action for action in actions if "*" in action or "Delete" in action], name
        seen.setdefault(name, set()).update(actions)
    reads = {"s3:ListBucket", "s3:GetObject", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey", "logs:CreateLogStream", "logs:PutLogEvents"}
    assert seen.pop("ReaderRole") == reads
    assert seen.pop("MergerRole") == reads
    assert seen.pop("StateMachineMapPolicy") == {"states:StartExecution", "states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"}
    machine = seen.pop("StateMachineRole")
    assert "lambda:InvokeFunction" in machine and not seen
    # The merge has nothing to do with the archive, and readers write nothing but what they keep.
    archive = "${ArchiveBucket}"
    of = lambda role: [statement for name, statement in statements(template) if name == role]
    assert archive not in json.dumps(of("MergerRole"))
    written = [statement["Resource"] for statement in of("ReaderRole") if "s3:PutObject" in statement["Action"]]
    assert written == [{"Fn::Sub": "${Results.Arn}/runs/*"}]
    listed = [statement for statement in of("ReaderRole") if statement.get("Sid") == "ListArchive"]
    assert listed[0]["Condition"] == {"StringLike": {"s3:prefix": {"Fn::Sub": "${ArchivePrefix}*"}}}


def test_results_are_closed_and_forgotten(template):
    bucket = template["Resources"]["Results"]["Properties"]
    assert all(bucket["PublicAccessBlockConfiguration"].values()) and len(bucket["PublicAccessBlockConfiguration"]) == 4
    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == {"Fn::If": ["HasResultsKey", "aws:kms", "AES256"]}
    assert bucket["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == {"Ref": "RetentionDays"}
    [tls] = template["Resources"]["ResultsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert tls["Effect"] == "Deny" and tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    logs = [r for r in template["Resources"].values() if r["Type"] == "AWS::Logs::LogGroup"]
    assert len(logs) == 2 and all("RetentionInDays" in r["Properties"] for r in logs)


def test_the_state_machine_loses_no_part_in_silence(template):
    text = template["Resources"]["StateMachine"]["Properties"]["DefinitionString"]["Fn::Sub"]
    machine = json.loads(text.replace("${Readers}", "100"))
    parts = machine["States"]["Parts"]
    # A part that fails for good fails no other; then each part's mark is looked for.
    assert parts["ToleratedFailurePercentage"] == 100 and "Catch" not in parts and parts["Next"] == "Merge"
    assert parts["ItemReader"]["ReaderConfig"] == {"InputType": "JSONL"}
    assert parts["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    read = parts["ItemProcessor"]["States"]["Read"]
    assert "Catch" not in read and [r["ErrorEquals"] for r in read["Retry"]] == [["Lambda.TooManyRequestsException"], ["States.ALL"]]
    # What all executions return together would be too much for a state: it is written to S3.
    assert parts["ResultWriter"]["Parameters"]["Prefix"] == "maps" and parts["ResultPath"] is None
    states = machine["States"]
    assert states["IsWhole"]["Default"] == "Partial" and states["Partial"]["Type"] == "Fail"


def test_the_outputs_are_those_that_the_tool_asks_for(template):
    asked = (ROOT / "src/cli/history/place.rs").read_text()
    for name in ("ResultsBucket", "StateMachineArn", "Readers", "ArchiveKeyArn"):
        assert f'"{name}"' in asked and name in template["Outputs"]
