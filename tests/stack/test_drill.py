"""`offlimits drill` through the real function in ministack: every rule that the function has answers, on each channel and on the webhook that the
command opens; a rule that only the local rules have never does.

And by real calls: moto is the sandbox account, and refuses them. No local AWS makes CloudTrail's records: tests/support/sandbox.py makes them of the
calls that came, and hands them to the function."""

import base64
import json
import re
import subprocess

import boto3
import pytest
from conftest import SAM, TEMPLATE, Stack, built
from local import ACCOUNT, ARCHITECTURE, REGION, ROOT, TOOL, free_port, package
from moto_server import moto_server
from sandbox import SandboxAccount

NAME = "offlimits-drilled"


def rule(id: str, event: str, **more) -> dict:
    record = {"eventSource": "iam.amazonaws.com", "eventName": event, "userIdentity": {"type": "IAMUser", "userName": "jana"}}
    tests = [{"name": "it", "event": record, "expect": True}, {"name": "not it", "event": record | {"eventName": "ListUsers"}, "expect": False}]
    when = {"event": {"is": event}, "service": {"is": "iam.amazonaws.com"}}
    return {"id": id, "title": "{event} by {actor}", "severity": "high", "throttle": "off", "when": when, "tests": tests} | more


def refused(id: str, service: str, event: str, **more) -> dict:
    """A rule that a call of the drill's own exercises."""
    return {"id": id, "title": "{event} by {actor}", "severity": "high", "throttle": "off", "when": {"event": {"is": event}, "service": {"is": f"{service}.amazonaws.com"}}} | more


CHANNELS = {"topic": {"type": "sns"}, "hook": {"type": "webhook"}}
DEPLOYED = [rule("USERS", "CreateUser"), rule("KEYS", "CreateAccessKey"), rule("STAGED", "DeleteUser", mode="stage"), {key: value for key, value in rule("UNTESTED", "TagUser").items() if key != "tests"}]
CALLED = [refused("TRAILS", "cloudtrail", "StopLogging"), refused("GROUPS", "iam", "AddUserToGroup"), refused("LOGS", "logs", "DeleteLogGroup", severity="low")]
DEPLOYED += CALLED
LOCAL = [*DEPLOYED, rule("SILENT", "DeactivateMFADevice")]


def written(path, rules):
    path.write_text(json.dumps({"channels": CHANNELS, "rules": rules}))
    return path


@pytest.fixture(scope="module")
def drilled(aws, bootstrap, tmp_path_factory):
    folder = tmp_path_factory.mktemp("drilled")
    built(folder, TEMPLATE)
    package(folder / "Function", written(folder / "rules.json", DEPLOYED))
    given = [f"Architecture={ARCHITECTURE}", "SavedQueries=false", "Probes=false", "PrivateEndpoints=true"]
    command = [SAM, "deploy", "--template-file", "template.yaml", "--config-file", ROOT / "samconfig.toml"]
    command += ["--stack-name", NAME, "--parameter-overrides", *given]
    done = subprocess.run(command, cwd=folder, env=aws.environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    described = aws.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]
    stack = Stack(aws, NAME, {o["OutputKey"]: o["OutputValue"] for o in described["Outputs"]})
    port = free_port()
    stack.credentials({"hook": {"url": f"http://127.0.0.1:{port}/", "signing_secret": "whsec_" + base64.b64encode(bytes(32)).decode()}})
    return stack, f"127.0.0.1:{port}"


def drill(stack: Stack, rules, *more) -> subprocess.CompletedProcess:
    command = [TOOL, "drill", "--rules", rules, "--stack", stack.name, "--region", REGION, *more]
    return subprocess.run(command, env=stack.aws.environment, capture_output=True, text=True, timeout=120)


def test_every_rule_answers_on_each_channel_and_on_the_webhook(drilled, tmp_path):
    stack, address = drilled
    done = drill(stack, written(tmp_path / "rules.json", DEPLOYED), "--webhook", address, "--wait", "60", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert [rule["rule"] for rule in report["rules"]] == ["USERS", "KEYS"] and report["unanswered"] == []
    for rule in report["rules"]:
        assert rule["answered"] and rule["event_id"].startswith("offlimits-drill-") and 0 <= rule["webhook_ms"] < 60_000
        assert {channel["channel"]: channel["outcome"] for channel in rule["channels"]} == {"topic": "delivered", "hook": "delivered"}
        assert all(0 <= channel["ms"] < 60_000 for channel in rule["channels"])
    assert "STAGED is left out" in done.stderr and "UNTESTED is left out: it has no test that must match" in done.stderr


def test_a_rule_that_never_answers_is_named(drilled, tmp_path):
    """And no secret's value is printed."""
    stack, address = drilled
    rules = written(tmp_path / "rules.json", LOCAL)
    done = drill(stack, rules, "--rule", "USERS", "--rule", "SILENT", "--webhook", address, "--wait", "8")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "2 rules, of which 1 did not answer on all of its channels: SILENT" in done.stdout and "SILENT  topic: no answer" in done.stdout
    assert "USERS   topic: delivered after" in done.stdout and "USERS   here, on the webhook" in done.stdout and "offlimits status offlimits-drill-" in done.stdout
    assert "whsec_" not in done.stdout + done.stderr


def test_what_cannot_be_drilled_is_an_error(drilled, tmp_path):
    stack, address = drilled
    rules = written(tmp_path / "rules.json", DEPLOYED)
    for more, said in [
        (["--rule", "UNTESTED"], "there is no rule to drill"),
        (["--rule", "NONE"], "NONE"),
        ([], "the stack nobody in"),
        (["--webhook", "192.0.2.1:80"], "a webhook cannot be opened"),
    ]:
        done = drill(stack if more else Stack(stack.aws, "nobody", {}), rules, *more)
        assert (done.returncode, done.stdout) == (2, "") and said in done.stderr, done.stdout + done.stderr


@pytest.fixture(scope="module")
def moto():
    with moto_server() as url:
        yield url


def called(stack: Stack, sandbox: SandboxAccount, rules, *more, account=ACCOUNT) -> subprocess.CompletedProcess:
    """Of AWS, what belongs to the stack is ministack, and all else the sandbox account."""
    stacks = {f"AWS_ENDPOINT_URL_{name}": stack.aws.variables["AWS_ENDPOINT_URL"] for name in ["CLOUDFORMATION", "DYNAMODB"]}
    command = [TOOL, "drill", "--rules", rules, "--stack", stack.name, "--region", REGION, "--account", account, *more]
    return subprocess.run(command, env=stack.aws.environment | {"AWS_ENDPOINT_URL": sandbox.url} | stacks, capture_output=True, text=True, timeout=180)


def deliver(stack: Stack):
    function = stack.outputs["FunctionName"]
    return lambda event: stack.aws.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event))


def test_calls_in_a_sandbox_are_found_again_as_alerts(drilled, moto, tmp_path):
    stack, address = drilled
    local = written(tmp_path / "rules.json", [*CALLED, rule("USERS", "CreateUser"), refused("QUIET", "config", "DeleteConfigRule")])
    with SandboxAccount(moto, ACCOUNT, REGION, deliver(stack)) as sandbox:
        done = called(stack, sandbox, local, "--webhook", address, "--wait", "12", "--format", "json")
    # The function does not have QUIET.
    assert done.returncode == 1, done.stdout + done.stderr
    report = json.loads(done.stdout)
    rules = {rule["rule"]: rule for rule in report["rules"]}
    assert report["account"] == ACCOUNT and report["unanswered"] == [] and [*rules] == ["TRAILS", "GROUPS", "LOGS", "QUIET"]
    answers = {"TRAILS": "TrailNotFoundException", "GROUPS": "NoSuchEntity", "LOGS": "ResourceNotFoundException", "QUIET": "NoSuchConfigRuleException"}
    assert {name: rule["call"]["answer"] for name, rule in rules.items()} == answers
    for name, found in rules.items():
        assert found["call"]["recorded"] and found["call"]["name"].startswith(f"{NAME}-drill-"), name
        assert {channel["channel"]: channel["outcome"] for channel in found["channels"]} == dict.fromkeys(["topic", "hook"], None if name == "QUIET" else "delivered")
        assert found["answered"] == (name != "QUIET") and ("webhook_ms" in found) == (name != "QUIET")
    [left_out] = report["not_drilled"]
    assert left_out["rule"] == "USERS" and "no harmless call is known" in left_out["reason"] and "USERS is not drilled by a call" in done.stderr
    # It said what it would call before it did.
    assert f"4 calls in the account {ACCOUNT} in {REGION}" in done.stderr and "cloudtrail:StopLogging: there is no such trail" in done.stderr
    assert "whsec_" not in done.stdout + done.stderr


def test_a_call_without_a_record_is_told(drilled, moto, tmp_path):
    stack, _ = drilled
    with SandboxAccount(moto, ACCOUNT, REGION) as sandbox:
        sandbox.record = lambda *_: None
        done = called(stack, sandbox, written(tmp_path / "rules.json", CALLED), "--rule", "TRAILS", "--wait", "1")
    assert done.returncode == 1 and "TRAILS  cloudtrail:StopLogging: TrailNotFoundException: CloudTrail had no record of it yet" in done.stdout, done.stdout + done.stderr


# What moto does without an error though it is about nothing.
MOTO_REFUSES_NOT = {
    ("backup", "DeleteBackupVault"),
    ("ec2", "CreateTrafficMirrorSession"),
    ("guardduty", "DeleteDetector"),
    ("iam", "DeleteAccountAlias"),
    ("iam", "DeleteSAMLProvider"),
    ("identitystore", "DeleteUser"),
    ("logs", "PutMetricFilter"),
}


def plain(code: str) -> str:
    """A code without what CloudTrail and the protocols add to it."""
    for end in ["Exception", "Fault", "Error"]:
        code = code.removesuffix(end)
    return code.rsplit(".", 1)[-1]


def test_every_call_is_refused(drilled, moto):
    """Whatever the table holds: moto does what is asked where it can be done."""
    stack, _ = drilled
    with SandboxAccount(moto, ACCOUNT, REGION) as sandbox:
        sandbox.record = lambda *_: None
        done = called(stack, sandbox, ROOT / "rules.json", "--wait", "1", "--format", "json")
    report = json.loads(done.stdout)
    calls = [(rule["call"]["service"], rule["call"]["call"], rule["call"]["answer"]) for rule in report["rules"]]
    plan = json.loads(subprocess.run([TOOL, "drill", "--account", ACCOUNT, "--plan", "--region", REGION, "--format", "json"], cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    documented = {(call["service"], call["call"]): call["error"] for call in plan["calls"]}
    assert len(calls) > 90 and report["unanswered"] == [], report["unanswered"]
    # moto deletes what is not there without a word, and knows no dry run of one call.
    lax = {call[:2] for call in calls if call[2] == "done"}
    assert lax <= MOTO_REFUSES_NOT, lax - MOTO_REFUSES_NOT
    unknown = [call for call in calls if call[2].startswith("status ")]
    as_documented = [call for call in calls if plain(call[2]) == plain(documented.get(call[:2], ""))]
    others = [call for call in calls if call[:2] not in lax and call not in unknown and call not in as_documented]
    print(f"{len(calls)} calls: {len(as_documented)} refused as documented, {len(others)} otherwise, {len(lax)} done, {len(unknown)} unknown to moto")
    # The plan is of a person of IAM Identity Center, and this caller a user of IAM, for whom one rule more has a call.
    is_refusal = re.compile("Invalid|NotFound|Validation|DryRun")
    assert len(as_documented) > 35 and all(is_refusal.search(answer) for _, _, answer in others), others


def test_an_account_that_is_not_the_sandbox_is_left_alone(drilled, moto, tmp_path):
    stack, _ = drilled
    rules = written(tmp_path / "rules.json", CALLED)
    with SandboxAccount(moto, ACCOUNT, REGION) as sandbox:
        other = called(stack, sandbox, rules, account="111122223333")
        assert other.returncode == 2 and f"the credentials are of the account {ACCOUNT}" in other.stderr and "nothing was called" in other.stderr
        organizations = boto3.client("organizations", endpoint_url=moto, region_name=REGION, aws_access_key_id=ACCOUNT, aws_secret_access_key="test")
        organizations.create_organization(FeatureSet="ALL")
        management = called(stack, sandbox, rules)
        organizations.delete_organization()
        assert management.returncode == 2 and "is the management account of its organization" in management.stderr, management.stderr
        # A plan asks nobody.
        plan = called(stack, sandbox, rules, "--plan")
        assert plan.returncode == 0 and "3 calls in the account" in plan.stdout
        assert sandbox.calls == []
