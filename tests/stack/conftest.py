"""The tests of what is deployed: the template, the package, and the function at work in a local AWS. `make test` runs them."""

import copy
import json
import re
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from local import ARCHITECTURE, PACKAGE, REGION, ROOT, Aws, Inbox, Slack, package, until

HERE = Path(__file__).parent
TEMPLATE = ROOT / "template.yaml"
# What the version before deployed. A stack that was made with it must survive an update: kept as it was.
BEFORE = HERE / "before.yaml"
SAM = Path(sys.executable).parent / "sam"


@dataclass
class Sample:
    """One file of events/."""

    path: Path
    event: dict

    @property
    def is_cloudtrails(self) -> bool:
        return self.event.get("detail-type", "").endswith(" via CloudTrail")


def samples() -> list[Sample]:
    """The samples that are EventBridge events, which is all but the log file of the seed."""
    found = [Sample(p, json.loads(p.read_bytes())) for p in sorted((ROOT / "events").glob("*.json"))]
    return [s for s in found if "detail-type" in s.event]


def sample(name: str) -> dict:
    return json.loads((ROOT / f"events/{name}.json").read_bytes())


def fresh(event: dict) -> dict:
    """The same call once more: another event, which no ledger has seen."""
    event = copy.deepcopy(event)
    event["detail"]["eventID"] = str(uuid.uuid4())
    return event


@pytest.fixture(scope="session")
def aws(tmp_path_factory):
    with Aws(tmp_path_factory.mktemp("aws")) as aws:
        yield aws


@pytest.fixture
def slack():
    with Slack() as slack:
        yield slack


@pytest.fixture(scope="session")
def bootstrap() -> Path:
    assert (PACKAGE / "bootstrap").exists(), "there is no function to test: run `make build`"
    return PACKAGE / "bootstrap"


@dataclass
class Stack:
    """Our template, deployed into the local AWS."""

    aws: Aws
    name: str
    outputs: dict

    def invoke(self, event, **more) -> tuple[object, str | None]:
        """The function's answer, and whether it is an error."""
        reply = self.aws.client("lambda").invoke(FunctionName=self.outputs["FunctionName"], Payload=json.dumps(event), **more)
        body = reply["Payload"].read()
        return json.loads(body) if body else None, reply.get("FunctionError")

    def queue(self, output: str) -> Inbox:
        return Inbox(self.aws.client("sqs"), self.outputs[output])

    def credentials(self, value: dict):
        """Puts the channels' credentials where the owner of the stack would."""
        self.aws.client("secretsmanager").put_secret_value(SecretId=self.outputs["SecretArn"], SecretString=json.dumps(value))

    def configure(self, **settings):
        """Changes the function's settings; its next invocation is a cold start."""
        client, name = self.aws.client("lambda"), self.outputs["FunctionName"]
        client.update_function_configuration(FunctionName=name, **settings)
        until(lambda: client.get_function_configuration(FunctionName=name).get("LastUpdateStatus") == "Successful", what="update")


@pytest.fixture(scope="session")
def stack(aws, bootstrap, tmp_path_factory) -> Stack:
    return deployed(aws, tmp_path_factory.mktemp("stack"), "offlimits-test", "rules.json")


@pytest.fixture(scope="session")
def oncall(aws, bootstrap, tmp_path_factory) -> Stack:
    """The stack of the person on call: its rules end in every way in which an event may not alert."""
    stack = deployed(aws, tmp_path_factory.mktemp("oncall"), "offlimits-oncall", "oncall.json")
    # Lambda tells a function the format of its log, as LoggingConfig has it; ministack does not.
    configuration = aws.client("lambda").get_function_configuration(FunctionName=stack.outputs["FunctionName"])
    assert configuration["LoggingConfig"]["LogFormat"] == "JSON"
    stack.configure(Environment={"Variables": configuration["Environment"]["Variables"] | {"AWS_LAMBDA_LOG_FORMAT": "JSON"}})
    return stack


def built(folder: Path, template: Path):
    """Writes the template as `sam build` leaves it: the function's code lies beside it. (That of the version before named target/package.)"""
    (folder / "template.yaml").write_text(re.sub(r"CodeUri: (\.|target/package/)\n", "CodeUri: Function\n", template.read_text()))


def deployed(aws, folder: Path, name: str, rules: str) -> Stack:
    """`sam deploy`, as `make deploy` does it, but with rules of the tests' own beside the bootstrap. tests/stack/test_sam.py goes the whole way."""
    built(folder, TEMPLATE)
    package(folder / "Function", HERE / rules)
    parameters = [f"Architecture={ARCHITECTURE}", "Email=someone@example.com", "Phone=+14155550123"]
    parameters.append("PrivateEndpoints=true")  # where the tests' vendors are
    parameters.append("Probes=false")  # ministack fires schedules: a sweep would be one invocation more, and no probe would come
    parameters.append("SavedQueries=false")  # ministack knows no queries, and refuses a template that has one
    command = [SAM, "deploy", "--template-file", "template.yaml", "--config-file", ROOT / "samconfig.toml"]
    command += ["--stack-name", name, "--parameter-overrides", *parameters]
    deployed = subprocess.run(command, cwd=folder, env=aws.environment, capture_output=True, text=True, timeout=180)
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    described = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return Stack(aws, name, {o["OutputKey"]: o["OutputValue"] for o in described["Outputs"]})


def transform(template: Path, region: str = REGION) -> dict:
    """A template as CloudFormation gets it: what SAM makes of it, offline."""
    from samcli.yamlhelper import yaml_parse
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    source = yaml_parse(template.read_text())
    source["Resources"]["Function"]["Properties"]["CodeUri"] = "s3://bucket/key"  # as `sam package` writes it
    return Translator({}, Parser(), boto_session=boto3.Session(region_name=region)).translate(source, {})


def derived_rules(template: dict) -> dict[str, dict]:
    """The EventBridge rules that `offlimits pattern` has written."""
    rules = {name: r for name, r in template["Resources"].items() if r["Type"] == "AWS::Events::Rule"}
    return {name: r for name, r in rules.items() if r.get("Condition") in {"IsDerived", "TakesReads"}}


@pytest.fixture(scope="session")
def transformed() -> dict:
    return transform(TEMPLATE)


def pytest_collection_modifyitems(items):
    """The cheap and telling ones first."""
    order = ["test_template", "test_spoke", "test_deploy", "test_dependencies", "test_package", "test_ledger", "test_function", "test_spokes", "test_sam", "test_stack", "test_redelivery", "test_dead_letters", "test_status", "test_doctor", "test_drill", "test_probe", "test_kill"]
    known = {name: place for place, name in enumerate(order)}
    items.sort(key=lambda item: known.get(item.module.__name__, len(known)))  # another folder's tests follow
