"""deploy/spoke.yaml: what a service-managed StackSet takes, and no more than a spoke needs. Offline.

AWS refuses a Transform or a macro in such a StackSet ("Capabilities" in CloudFormation's API, CreateStackSet); moto and cfn-lint do not.
"""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import derived_rules
from local import ROOT, TOOL
from samcli.yamlhelper import yaml_parse

SPOKE = ROOT / "deploy/spoke.yaml"
# The properties with which a resource is given a name; a second instance in the account, or the next stack, could not be made.
NAMES = {
    "AWS::Events::Rule": ["Name"], "AWS::IAM::Role": ["RoleName"], "AWS::SQS::Queue": ["QueueName"], "AWS::Scheduler::Schedule": ["Name"],
    "AWS::SQS::QueuePolicy": [],
}  # fmt: skip


def why_not_a_stack_set(text: str) -> list[str]:
    """What a service-managed StackSet would refuse, or could make only once."""
    template, why = yaml_parse(text), []
    if len(text.encode()) > 51_200:
        why.append("more than 51,200 bytes")
    why += [f"the section {section}" for section in template if section in {"Transform", "Hooks", "Rules"}]

    def walk(place: str, value):
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in {"Fn::Transform", "Fn::ForEach"} or key.startswith("Fn::ForEach::"):
                    why.append(f"the macro {key} at {place}")
                walk(f"{place}/{key}", inner)
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                walk(f"{place}/{number}", inner)

    walk("", template)
    for name, resource in template["Resources"].items():
        kind = resource["Type"]
        if kind not in NAMES:
            why.append(f"{name} is of the type {kind}")
        why += [f"{name} has a name" for key in NAMES.get(kind, []) if key in resource.get("Properties", {})]
    return why


@pytest.fixture(scope="module")
def spoke() -> dict:
    return yaml_parse(SPOKE.read_text())


def test_a_stack_set_takes_it():
    assert why_not_a_stack_set(SPOKE.read_text()) == []


@pytest.mark.parametrize(
    "place, more, said",
    [
        ("Parameters:", "Transform: AWS::Serverless-2016-10-31\n", "the section Transform"),
        ("Parameters:", "Transform: [AWS::LanguageExtensions]\n", "the section Transform"),
        ("      MessageRetentionPeriod:", "      QueueName: letters\n", "Letters has a name"),
        ("      ScheduleExpression:", "      Name: probe\n", "Probe has a name"),
        ("      MessageRetentionPeriod:", "      Fn::Transform: {Name: AWS::Include}\n", "the macro Fn::Transform at /Resources/Letters/Properties"),
        ("  Letters: #", "  Other:\n    Type: AWS::Serverless::Function\n", "Other is of the type AWS::Serverless::Function"),
        ("Parameters:", "# " + "x" * 51_200 + "\n", "more than 51,200 bytes"),
    ],
)
def test_what_a_stack_set_refuses_is_noticed(place, more, said):
    text = SPOKE.read_text()
    assert place in text
    assert said in why_not_a_stack_set(text.replace(place, more + place, 1))


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "cn-north-1"])
def test_cfn_lint_finds_nothing(region):
    """In each partition, its informational findings too."""
    command = [Path(sys.executable).parent / "cfn-lint", "--include-checks", "I", "--regions", region, "--", SPOKE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and not done.stdout.strip(), done.stdout + done.stderr


def test_its_rule_sends_what_the_stacks_own_rule_takes(spoke, transformed):
    rule, own = spoke["Resources"]["Trail"]["Properties"], transformed["Resources"]["FunctionTrail"]["Properties"]
    assert rule["EventPattern"] == own["EventPattern"] and rule["State"] == own["State"] and "EventBusName" not in rule
    assert spoke["Parameters"]["RuleState"]["AllowedValues"] == transformed["Parameters"]["RuleState"]["AllowedValues"]
    for name, rule in spoke["Resources"].items():
        if rule["Type"] == "AWS::Events::Rule":
            [target] = rule["Properties"]["Targets"]
            assert target["Arn"] == {"Ref": "HubBusArn"}, name
            assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
            assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["Letters", "Arn"]}}


def test_its_derived_rules_are_the_stacks(spoke, transformed):
    """By the same rules, on the same parameters."""
    derived, own = derived_rules(spoke), derived_rules(transformed)
    assert derived.keys() == own.keys() and len(derived) > 3
    for name, rule in derived.items():
        for key in ["Description", "State", "EventPattern"]:
            assert rule["Properties"][key] == own[name]["Properties"][key], name
        assert rule["Condition"] == own[name]["Condition"], name
    assert spoke["Parameters"]["EventPatterns"]["AllowedValues"] == ["wide", "derived"] and spoke["Parameters"]["EventPatterns"]["Default"] == "wide"


def test_its_roles_may_do_one_thing_each(spoke):
    granted = {}
    for name, role in spoke["Resources"].items():
        if role["Type"] != "AWS::IAM::Role":
            continue
        properties = role["Properties"]
        assert "ManagedPolicyArns" not in properties
        [trust] = properties["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        [policy] = properties["Policies"]
        [statement] = policy["PolicyDocument"]["Statement"]
        granted[name] = (trust["Principal"]["Service"], statement["Effect"], statement["Action"], statement["Resource"])
    assert granted == {
        "Role": ("events.amazonaws.com", "Allow", "events:PutEvents", {"Ref": "HubBusArn"}),
        "ProbeRole": ("scheduler.amazonaws.com", "Allow", "sqs:TagQueue", {"Fn::GetAtt": ["Letters", "Arn"]}),
    }


def test_its_queue_takes_from_the_rule_and_gives_to_the_hubs_role_alone(spoke):
    queue, policy = spoke["Resources"]["Letters"], spoke["Resources"]["LettersPolicy"]
    for resource in [queue, policy]:
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain"), "it holds what nobody has had"
    assert queue["Properties"] == {"MessageRetentionPeriod": 14 * 86400, "SqsManagedSseEnabled": True}
    statements = {s["Sid"]: s for s in policy["Properties"]["PolicyDocument"]["Statement"]}
    derived = [{"Fn::If": [rule["Condition"], {"Fn::GetAtt": [name, "Arn"]}, {"Ref": "AWS::NoValue"}]} for name, rule in derived_rules(spoke).items()]
    rule = {"aws:SourceArn": [{"Fn::GetAtt": ["Trail", "Arn"]}, *derived]}
    assert statements.keys() == {"FromTheRule", "FromNobodyElse", "ToTheHub", "TlsOnly"}
    assert (statements["FromTheRule"]["Action"], statements["FromTheRule"]["Condition"]) == ("sqs:SendMessage", {"ArnEquals": rule})
    others = statements["FromNobodyElse"]
    assert (others["Effect"], others["Principal"], others["Action"], others["Condition"]) == ("Deny", "*", "sqs:SendMessage", {"ArnNotEquals": rule})
    hub = statements["ToTheHub"]
    assert set(hub["Action"]) == {"sqs:ReceiveMessage", "sqs:DeleteMessage"}
    assert hub["Condition"] == {"ArnEquals": {"aws:PrincipalArn": {"Ref": "MoverRoleArn"}}}
    assert (statements["TlsOnly"]["Effect"], statements["TlsOnly"]["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_it_makes_its_queue_known(spoke):
    probe = spoke["Resources"]["Probe"]["Properties"]
    target = probe["Target"]
    assert probe["ScheduleExpression"] == "rate(5 minutes)" and target["Arn"] == {"Fn::Sub": "arn:${AWS::Partition}:scheduler:::aws-sdk:sqs:tagQueue"}
    text, values = target["Input"]["Fn::Sub"]
    given = json.loads(text)
    assert given.keys() == {"QueueUrl", "Tags"} and given["QueueUrl"] == "${Letters}"
    assert given["Tags"].keys() == {"offlimits:probe", "offlimits:patterns"}, "a queue has room for fifty"
    assert values == {"Digest": {"Fn::If": ["TakesReads", {"Fn::FindInMap": ["Patterns", "Digest", "All"]}, "all"]}}
    # The hub knows the role by its path and its name: src/cloudtrail/probe.rs.
    assert spoke["Resources"]["ProbeRole"]["Properties"]["Path"] == "/offlimits-probe/"


def test_its_patterns_are_the_stacks(spoke, transformed):
    assert spoke["Mappings"] == transformed["Mappings"]


def test_in_the_hubs_own_account_and_region_it_sends_nothing(spoke):
    """There the hub's own rule hears the default bus."""
    elsewhere = {"IsNotHub", "IsDerived", "TakesReads"}
    assert {name for name, r in spoke["Resources"].items() if r.get("Condition") not in elsewhere} == {"Letters"}, "a stack needs a resource"
    for condition in ["IsDerived", "TakesReads"]:
        assert spoke["Conditions"][condition]["Fn::And"][0] == {"Condition": "IsNotHub"}


def test_a_stack_set_takes_a_whole_stack_too(tmp_path):
    """The other road: plain CloudFormation, whose code lies in a bucket of each region. Every parameter without a default is given."""
    made = tmp_path / "whole-stack.json"
    subprocess.run([sys.executable, "-B", ROOT / "deploy/plain.py", "--regional", made], check=True, timeout=60)
    template = json.loads(made.read_text())
    assert not {"Transform", "Hooks"} & template.keys()
    assert not [r["Type"] for r in template["Resources"].values() if r["Type"].startswith("AWS::Serverless::")]
    functions = [r["Properties"]["Code"] for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Function"]
    assert functions == [{"S3Bucket": {"Fn::Sub": "${CodeBucket}-${AWS::Region}"}, "S3Key": {"Ref": "CodeKey"}}]
    linter = [Path(sys.executable).parent / "cfn-lint", "--regions", "us-east-1", "us-gov-west-1", "cn-north-1", "--ignore-checks", "W", "--template", made]
    linted = subprocess.run(linter, capture_output=True, text=True, timeout=300)
    assert linted.returncode == 0 and not linted.stdout.strip(), linted.stdout + linted.stderr
    needed = {name for name, parameter in template["Parameters"].items() if "Default" not in parameter}
    calls = [c for step in steps(tmp_path, "--whole-stacks") for c in step["commands"] if re.search("(create|update)-stack-set ", c)]
    assert len(calls) == 2
    for call in calls:
        assert needed <= set(re.findall(r"ParameterKey=(\w+)", call)) <= template["Parameters"].keys(), call


ORG = ["org", "--organization", "o-a1b2c3d4e5", "--hub-account", "111122223333", "--hub-region", "eu-central-1", "--units", "r-ab12,ou-ab12-cdef3456"]
ORG += ["--regions", "eu-central-1,eu-west-1"]


def steps(folder: Path, *more: str) -> list[dict]:
    done = subprocess.run([TOOL, *ORG, *more, "--format", "jsonl"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_org_writes_what_a_stack_set_takes(tmp_path):
    found = steps(tmp_path)
    assert (tmp_path / "spoke.yaml").read_text() == SPOKE.read_text()
    assert [step["phase"] for step in found] == sorted((step["phase"] for step in found), key=["deploy", "update", "remove"].index)
    given = set(re.findall(r"ParameterKey=(\w+)", json.dumps(found)))
    assert given == yaml_parse(SPOKE.read_text())["Parameters"].keys()
    [hub] = {command for step in found for command in step["commands"] if command.startswith("make deploy") and "o-a1b2" in command}
    set_by_org = set(re.findall(r"(\w+)=", hub.split('"')[1]))
    assert set_by_org <= yaml_parse((ROOT / "template.yaml").read_text())["Parameters"].keys()


@pytest.mark.parametrize("road", [[], ["--delegated"], ["--rule-state", "all"], ["--whole-stacks"]], ids=str)
def test_a_shell_and_aws_understand_the_commands(road, tmp_path):
    """Each command as a shell takes it apart; and AWS's own models know the call, its parameters, and the values that are listed there."""
    import botocore.session

    session = botocore.session.get_session()
    for step in steps(tmp_path, *road):
        for command in step["commands"]:
            subprocess.run(["bash", "-n", "-c", command], check=True, capture_output=True, timeout=10)
            inner = re.match(r"\w+=\$\((aws .*)\)$", command)
            words = shlex.split(inner[1] if inner else command)
            if words[0] != "aws" or words[1] == "s3":  # which is no API's
                continue
            model = session.get_service_model(words[1].removesuffix("api"))
            operation = model.operation_model("".join(part.title() for part in words[2].split("-")))
            known = {"-".join(re.findall("[A-Z]+(?![a-z])|[A-Z][a-z]+", name)).lower(): shape for name, shape in operation.input_shape.members.items()}
            for place, word in enumerate(words):
                if not word.startswith("--") or word in {"--region", "--query", "--output"}:
                    continue
                name = re.sub("^no-", "", word[2:])
                assert name in known, f"{words[2]} has no {word}"
                if known[name].type_name == "string" and getattr(known[name], "enum", []):
                    assert words[place + 1] in known[name].enum, command
                if known[name].type_name == "structure" and words[place + 1][0] != "{":
                    keys = {pair.split("=")[0] for pair in re.split(r",(?=[A-Z]\w*=)", words[place + 1])}
                    assert keys <= known[name].members.keys(), command
