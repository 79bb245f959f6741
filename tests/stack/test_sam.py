"""Plain SAM, as its own documentation has it: `sam build`, `sam deploy`, a change of rules, `sam local invoke`. No target of our own is called."""

import itertools
import json
import os
import shutil
import subprocess

import pytest
from conftest import SAM, Stack, fresh, sample
from local import ARCHITECTURE, PACKAGE, REGION, ROOT, TOOL, Function, package, plain_environment

OTHER = {"arm64": "x86_64", "x86_64": "arm64"}[ARCHITECTURE]
# Where neither SAM nor the function may find a service: nothing listens there.
NOWHERE = "http://127.0.0.1:9"
NUMBERS = itertools.count()


class Checkout:
    """A checkout on a machine with SAM, make and the tool, but without Rust; the function is one that was packaged elsewhere. The packs are the
    tool's own: no folder of them lies here."""

    def __init__(self, folder):
        self.folder = folder
        for name in ["template.yaml", "samconfig.toml", "Makefile", "rules.json"]:
            shutil.copy2(ROOT / name, folder)
        (folder / "target/package").mkdir(parents=True)
        shutil.copy2(PACKAGE / "bootstrap", folder / "target/package")
        tools = folder / "bin"
        tools.mkdir()
        for name, program in [("offlimits", TOOL), ("sam", SAM)]:
            (tools / name).symlink_to(program)
        self.path = f"{tools}:/usr/bin:/bin"
        if shutil.which("cargo", path=self.path):
            pytest.skip("cargo is among this system's own programs: there is no PATH without it")

    def sam(self, *arguments, environment=None, **variables) -> subprocess.CompletedProcess:
        environment = (environment or plain_environment()) | {"PATH": self.path, "MAKEFLAGS": ""} | variables
        return subprocess.run(["sam", *map(str, arguments)], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300)

    def change_title(self, title: str):
        rules = json.loads((self.folder / "rules.json").read_text())
        [rule] = [rule for rule in rules["rules"] if rule["id"] == "RTM-011"]
        rule["title"] = title
        (self.folder / "rules.json").write_text(json.dumps(rules))


@pytest.fixture
def checkout(bootstrap, tmp_path):
    return Checkout(tmp_path)


def succeeded(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def failed(done: subprocess.CompletedProcess) -> str:
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


def deploy(aws, sam, name: str) -> Stack:
    """`sam deploy` with what samconfig.toml has. (A parameter more: ministack knows no queries, and refuses a template that has one.)"""
    parameters = ["file://.aws-sam/architecture.yaml", "SavedQueries=false", "Email=someone@example.com"]
    succeeded(sam("deploy", "--stack-name", name, "--parameter-overrides", *parameters, environment=aws.environment))
    [described] = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    assert {"ParameterKey": "Architecture", "ParameterValue": ARCHITECTURE} in described["Parameters"]
    return Stack(aws, name, {o["OutputKey"]: o["OutputValue"] for o in described["Outputs"]})


def alerted(stack: Stack, inbox) -> dict:
    """The message that SNS has of one more call, as machines read it. Each call is another user's: repeats would wait for their sum."""
    event = fresh(sample("start-instances"))
    identity, user = event["detail"]["userIdentity"], f"user-{next(NUMBERS)}"
    identity |= {"userName": user, "arn": identity["arn"].replace("James", user)}
    answer, error = stack.invoke(event)
    assert not error and answer["deliveries"]["delivered"] == 1, answer
    return json.loads(inbox.next()["Message"])


def test_a_change_of_rules_is_built_and_deployed_without_rust(aws, checkout):
    succeeded(checkout.sam("build"))
    stack = deploy(aws, checkout.sam, "offlimits-plain")
    inbox = aws.listen(stack.outputs["TopicArn"])
    assert alerted(stack, inbox)["title"].startswith("Unintended AWS API call: StartInstances on i-01234567abcabcabc by user-")
    checkout.change_title("{event} was changed by plain sam")
    succeeded(checkout.sam("build"))
    stack = deploy(aws, checkout.sam, "offlimits-plain")
    assert alerted(stack, inbox)["title"] == "StartInstances was changed by plain sam"


def test_a_deployed_function_cannot_be_silenced_by_claiming_to_be_local(aws, checkout):
    """Whoever may configure the function may set what is not reserved; and here even what is."""
    succeeded(checkout.sam("build"))
    stack = deploy(aws, checkout.sam, "offlimits-silenced")
    inbox = aws.listen(stack.outputs["TopicArn"])
    function = stack.outputs["FunctionName"]
    variables = aws.client("lambda").get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    stack.configure(Environment={"Variables": variables | {"AWS_SAM_LOCAL": "true", "AWS_LAMBDA_LOG_STREAM_NAME": "$LATEST"}})
    alerted(stack, inbox)
    events = aws.client("logs").filter_log_events(logGroupName=stack.outputs["LogGroupName"])["events"]
    assert any("ERROR" in event["message"] and "AWS_SAM_LOCAL is set on a deployed function" in event["message"] for event in events), events


def test_sam_build_with_rust_builds_what_make_build_builds(aws, bootstrap):
    def sam(*arguments, environment=None):
        # By itself, `cargo run` would put a tool without the features that other tests need where theirs is.
        environment = (environment or plain_environment()) | {"PATH": os.environ["PATH"], "MAKEFLAGS": "", "OFFLIMITS": str(TOOL)}
        return subprocess.run([SAM, *map(str, arguments)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1500)

    if not shutil.which("cargo"):
        pytest.skip("there is no cargo on the PATH")
    succeeded(sam("build"))
    built = ROOT / ".aws-sam/build/Function"
    assert {p.name: p.read_bytes() for p in built.iterdir()} == {p.name: p.read_bytes() for p in PACKAGE.iterdir()}
    stack = deploy(aws, sam, "offlimits-rust")
    alerted(stack, aws.listen(stack.outputs["TopicArn"]))


def test_nothing_is_deployed_or_run_before_it_is_built(aws, checkout):
    for command in [["deploy"], ["local", "invoke"]]:
        assert "file://.aws-sam/architecture.yaml was not found" in failed(checkout.sam(*command, environment=aws.environment))


def test_without_cargo_and_without_a_function_sam_build_says_what_to_do(checkout):
    (checkout.folder / "target/package/bootstrap").unlink()
    assert "there is no function yet" in failed(checkout.sam("build"))


def test_rules_with_a_mistake_are_not_built(checkout):
    (checkout.folder / "rules.json").write_text('{"rules":[{"id":"X","title":"x","severity":"high","when":{"evnt":"A"}}]}')
    assert "evnt" in failed(checkout.sam("build"))


def test_the_parameter_and_what_is_built_agree_or_the_build_stops(checkout):
    program = checkout.folder / "target/package/bootstrap"
    content = bytearray(program.read_bytes())
    content[18:20] = {"arm64": b"\xb7\0", "x86_64": b"\x3e\0"}[OTHER]  # ELF's number of the processor
    program.write_bytes(content)
    succeeded(checkout.sam("build"))
    assert (checkout.folder / ".aws-sam/architecture.yaml").read_text() == f"Architecture: {OTHER}\n"
    assert f"is for {OTHER}, and not for {ARCHITECTURE}" in failed(checkout.sam("build", ARCH=ARCHITECTURE))
    # What `sam deploy --guided` has saved.
    config = checkout.folder / "samconfig.toml"
    config.write_text(config.read_text() + f'[late.deploy.parameters]\nparameter_overrides = "Email=\\"\\" Architecture=\\"{ARCHITECTURE}\\""\n')
    assert f"samconfig.toml deploys for {ARCHITECTURE}, and this function is built for {OTHER}" in failed(checkout.sam("build"))


@pytest.fixture
def laptop(bootstrap, tmp_path):
    """The function as `sam local` runs it: under the emulator, with neither credentials nor a network."""
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps(RULES))
    nowhere = {"AWS_SAM_LOCAL": "true", "AWS_ENDPOINT_URL": NOWHERE, "HTTPS_PROXY": NOWHERE, "AWS_REGION": REGION}
    nowhere |= {"OFFLIMITS_TOPIC_ARN": "Topic", "OFFLIMITS_TABLE": "Ledger", "OFFLIMITS_REDELIVERY_URL": "Redelivery"}
    with Function(package(tmp_path / "code", rules), nowhere, tmp_path / "function.log") as function:
        yield function


RULES = {
    "channels": {"topic": {"type": "sns"}, "soc": {"type": "slack"}, "pager": {"type": "pagerduty", "min_severity": "extreme"}},
    "rules": [
        {"id": "START", "title": "{event} by {actor}", "severity": "high", "when": {"event": {"is": "StartInstances"}}},
        {"id": "OFTEN", "title": "t", "severity": "low", "threshold": {"count": 3, "window": "10m"}, "when": {"event": {"is": "StartInstances"}}},
        {"id": "STAGED", "title": "t", "severity": "low", "mode": "stage", "when": {"event": {"is": "StartInstances"}}},
    ],
}


def test_on_a_laptop_the_answer_shows_each_message_and_nothing_is_sent(laptop):
    answer = laptop.invoke(sample("start-instances"))
    assert (answer["records"], answer["preview"]) == (1, "nothing was sent: this is what the deployed function would send")
    start, often, staged = answer["findings"]
    assert start["title"] == "HIGH: StartInstances by James" and start["outcome"] == "routed"
    assert start["sentence"] == "James (IAM user) called StartInstances on i-01234567abcabcabc in us-east-1: allowed"
    assert [(c["channel"], c["type"]) for c in start["channels"]] == [("topic", "sns"), ("soc", "slack")]
    topic, soc = (c["message"] for c in start["channels"])
    assert start["sentence"] in topic["email"] and topic["subject"] == "[HIGH] StartInstances by James"
    assert "StartInstances by James" in json.dumps(soc)
    assert often["threshold"] == {"count": 3, "window": 600}
    assert (staged["outcome"], staged["channels"]) == ("staged", [])
    assert '"level":"ERROR"' not in laptop.log.read_text()


def test_on_a_laptop_whatever_comes_is_answered(laptop):
    test = laptop.invoke({"offlimits": "test"})
    assert [c["channel"] for c in test["findings"][0]["channels"]] == ["topic", "soc", "pager"]
    assert laptop.invoke(sample("describe-instances"))["findings"] == []
    for event in [{}, [], None, "text", {"Records": []}, {"detail": None}]:
        assert "preview" in laptop.invoke(event)
