"""`offlimits drill` through the real function in ministack: every rule that the function has answers, on each channel and on the webhook that the
command opens; a rule that only the local rules have never does."""

import base64
import json
import subprocess

import pytest
from conftest import SAM, TEMPLATE, Stack, built
from local import ARCHITECTURE, REGION, ROOT, TOOL, free_port, package

NAME = "offlimits-drilled"


def rule(id: str, event: str, **more) -> dict:
    record = {"eventSource": "iam.amazonaws.com", "eventName": event, "userIdentity": {"type": "IAMUser", "userName": "jana"}}
    tests = [{"name": "it", "event": record, "expect": True}, {"name": "not it", "event": record | {"eventName": "ListUsers"}, "expect": False}]
    when = {"event": {"is": event}, "service": {"is": "iam.amazonaws.com"}}
    return {"id": id, "title": "{event} by {actor}", "severity": "high", "throttle": "off", "when": when, "tests": tests} | more


CHANNELS = {"topic": {"type": "sns"}, "hook": {"type": "webhook"}}
DEPLOYED = [rule("USERS", "CreateUser"), rule("KEYS", "CreateAccessKey"), rule("STAGED", "DeleteUser", mode="stage"), {key: value for key, value in rule("UNTESTED", "TagUser").items() if key != "tests"}]
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
