"""The probe and the sweep in a stack with both, in ministack: the schedules are there, the real function counts a probe and alerts nobody, and
the sweep reads the real EventBridge rules. ministack has no CloudTrail: the probe's record is made here. It fires schedules after five minutes,
which no test waits for."""

import copy
import json
import subprocess
import uuid
from datetime import UTC, datetime

import pytest
from conftest import HERE, SAM, TEMPLATE, Stack, built, sample
from local import ACCOUNT, ARCHITECTURE, REGION, ROOT, package


def deployed(aws, folder, name: str, *parameters: str) -> Stack:
    built(folder, TEMPLATE)
    package(folder / "Function", HERE / "rules.json")
    given = [f"Architecture={ARCHITECTURE}", "SavedQueries=false", "PrivateEndpoints=true", *parameters]
    command = [SAM, "deploy", "--template-file", "template.yaml", "--config-file", ROOT / "samconfig.toml"]
    command += ["--stack-name", name, "--parameter-overrides", *given]
    done = subprocess.run(command, cwd=folder, env=aws.environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    described = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return Stack(aws, name, {o["OutputKey"]: o["OutputValue"] for o in described["Outputs"]})


@pytest.fixture(scope="module", params=["wide", "derived"])
def probed(request, aws, bootstrap, tmp_path_factory):
    """A stack and the order that its schedule gives."""
    stack = deployed(aws, tmp_path_factory.mktemp("probed"), f"probed-{request.param}", f"EventPatterns={request.param}")
    found = aws.client("cloudformation").describe_stack_resources(StackName=stack.name)["StackResources"]
    physical = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}
    [target] = aws.client("events").list_targets_by_rule(Rule=physical["Sweep"])["Targets"]
    return stack, physical, json.loads(target["Input"])


def call(stack: Stack, role: str) -> dict:
    """The call of the probe, by a role of this path and name."""
    event, now = copy.deepcopy(sample("delete-trail")), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    event["detail"] |= {
        "eventTime": now, "eventSource": "sqs.amazonaws.com", "eventName": "TagQueue", "awsRegion": REGION, "recipientAccountId": ACCOUNT,
        "eventID": str(uuid.uuid4()),
        "userIdentity": {"type": "AssumedRole", "accountId": ACCOUNT, "sessionContext": {"sessionIssuer": {"type": "Role", "arn": arn}}},
        "requestParameters": {"queueUrl": stack.outputs["UndeliveredEventsUrl"], "tags": {"offlimits:patterns": "all"}},
    }  # fmt: skip
    event["account"] = ACCOUNT
    return event


def test_the_schedules_are_made(probed):
    stack, physical, order = probed
    schedule = stack.aws.client("scheduler").get_schedule(Name=physical["Probe"])
    assert schedule["ScheduleExpression"] == "rate(5 minutes)" and schedule["Target"]["Arn"].endswith(":scheduler:::aws-sdk:sqs:tagQueue")
    given = json.loads(schedule["Target"]["Input"])
    # This AWS has URLs with a host of its own.
    assert given["QueueUrl"].rsplit("/", 1)[1] == stack.outputs["UndeliveredEventsUrl"].rsplit("/", 1)[1]
    assert len(given["Tags"]["offlimits:patterns"]) == 12
    names = [arn.rsplit("/", 1)[1].rsplit("-", 2)[1] for arn in order["rules"]]
    derived = [name for name in names if name.startswith("Calls")]
    assert order["offlimits"] == "sweep" and names[0] == "FunctionTrail" and "Reads1" in names
    assert bool(derived) == stack.name.endswith("derived")


def test_a_probe_is_counted_and_another_roles_call_is_not(probed):
    stack, _, _ = probed
    answer, error = stack.invoke(call(stack, "offlimits-probe/x-ProbeRole-1"))
    assert error is None and (answer["records"], answer["probes"], answer["findings"]["total"]) == (1, 1, 0)
    answer, error = stack.invoke(call(stack, "x-ProbeRole-1"))
    assert error is None and answer["records"] == 1 and "probes" not in answer


def test_the_sweep_tells_where_our_rules_differ_and_once(probed):
    """As EventBridge tells them; a rule that is disabled, and one that is narrowed to the probe, though the probe comes."""
    stack, physical, order = probed
    events, inbox = stack.aws.client("events"), stack.aws.listen(stack.outputs["TopicArn"])
    stack.invoke(call(stack, "offlimits-probe/x-ProbeRole-1"))

    def sweep() -> tuple[dict, str | None]:
        answer, error = stack.invoke(order)
        assert error is None, answer
        told = inbox.take()
        assert bool(answer["operational"]) == bool(told)
        return answer["sweep"], told and told["Message"]

    found, told = sweep()
    assert (found["sources"], found["silent"], found["faults"], told) == (1, 0, 0, None) and found["latency_ms"] < 60_000
    fed = "Calls2" if stack.name.endswith("derived") else "FunctionTrail"
    rule = events.describe_rule(Name=physical[fed])
    events.disable_rule(Name=physical[fed])
    found, told = sweep()
    assert found["faults"] >= 1 and physical[fed] in told and "is in the state DISABLED" in told
    assert sweep()[1] is None, "people know"
    events.enable_rule(Name=physical[fed])
    narrowed = json.loads(rule["EventPattern"]) | {"detail": {"eventSource": ["sqs.amazonaws.com"], "eventName": ["TagQueue"]}}
    assert sweep()[0]["faults"] == 0
    events.put_rule(Name=physical[fed], EventPattern=json.dumps(narrowed), State=rule["State"])
    found, told = sweep()
    assert (found["silent"], found["faults"]) == (0, 1) and "was deployed" in told or "were deployed" in told
    events.put_rule(Name=physical[fed], EventPattern=rule["EventPattern"], State=rule["State"])
    assert sweep()[0]["faults"] == 0, "another fault of the rule is news when this one is over"
    [target] = events.list_targets_by_rule(Rule=physical[fed])["Targets"]
    events.put_targets(Rule=physical[fed], Targets=[target | {"Input": "{}"}])
    found, told = sweep()
    assert found["faults"] == 1 and "does not hand its events to the function" in told
    events.remove_targets(Rule=physical[fed], Ids=[target["Id"]])
    events.put_targets(Rule=physical[fed], Targets=[target])
    assert sweep()[0]["faults"] == 0
    gone = [arn for arn in order["rules"] if "Reads1" not in arn]
    answer, _ = stack.invoke(order | {"rules": gone})
    assert answer["sweep"]["faults"] == 1, "an order that leaves a rule out"
