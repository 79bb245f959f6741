"""The commands of the shipped rules, held to the AWS CLI: each service, operation and option is there, and none that is needed is missing.

The CLI makes its commands of botocore's models, by `xform_name`; what it calls otherwise stands in `RENAMED` (source: awscli's
customizations `argrename.py` and `commands.py`). A field is a value of its own: an option of a structure, whose value could hold
more than was meant, takes none.
"""

import itertools
import json
import shlex
import subprocess
import botocore.session
import pytest
from botocore import xform_name
from conftest import ROOT
from places import TOOL

SERVICES = {"s3api": "s3", "configservice": "config"}
RENAMED = {("ec2", "ingress"): "egress"}
# https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-options.html
# and https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-pagination.html
EVERYWHERE = {"region", "query", "max-items"}
SESSION = botocore.session.Session()
MODELS = {}


def commands(program):
    for path in (*sorted((ROOT / "packs").glob("*.json")), ROOT / "rules.json", ROOT / "src/cli/init/rules.json"):
        for rule in json.loads(path.read_bytes())["rules"]:
            for number, step in enumerate(rule["respond"]):
                if "run" in step and isinstance(step, dict) and program in (None, step["run"].split()[0]):
                    yield pytest.param(step["run"], id=f"{rule['id']}-{number}")


def operations(service):
    if service not in MODELS:
        model = SESSION.get_service_model(SERVICES.get(service, service))
        MODELS[service] = {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}
    return MODELS[service]


def test_every_command_is_one_of_these_programs():
    assert sum(1 for program in ("aws", "offlimits") for _ in commands(program)) == sum(1 for _ in commands(None))


@pytest.mark.parametrize("command", list(commands("offlimits")))
def test_the_command_is_one_of_our_own(command):
    _, *words = shlex.split(command)
    names = list(itertools.takewhile(lambda word: not word.startswith("--"), words))
    told = subprocess.run([TOOL, *names, "--help"], capture_output=True, text=True, check=True).stdout
    assert [word for word in words if word.startswith("--") and word not in told.split()] == []


@pytest.mark.parametrize("command", list(commands("aws")))
def test_the_command_is_one_of_the_cli(command):
    _, service, operation, *rest = shlex.split(command)
    request = operations(service)[operation].input_shape
    members = {xform_name(name, "-"): (name, member) for name, member in request.members.items()} if request else {}
    given, option = {}, None
    for word in rest:
        if word.startswith("--"):
            option = word[2:]
            assert option not in given, f"{option} stands twice"
            given[option] = []
        else:
            assert option, f"{word} belongs to no option"
            given[option].append(word)
    there = set()
    for option, values in given.items():
        if option in EVERYWHERE:
            assert len(values) == 1
            continue
        name = RENAMED.get((service, option), option)
        member = members.get(name) or members.get(name.removeprefix("no-"))
        assert member, f"aws {service} {operation} has no --{option}: {sorted(members)}"
        name, shape = member
        there.add(name)
        fields = [value for value in values if value.startswith("{")]
        if shape.type_name == "boolean":
            assert not values, f"--{option} takes no value"
        elif shape.type_name == "list":
            assert values and (not fields or shape.member.type_name == "string"), f"--{option} is a list of structures"
        else:
            assert len(values) == 1 and not any("[*]" in value for value in values), f"--{option} takes one value"
            assert not fields or shape.type_name not in ("structure", "map"), f"--{option} is a structure"
            if getattr(shape, "enum", None) and not fields:
                assert values[0] in shape.enum, f"--{option} {values[0]}: {shape.enum}"
    required = set(request.required_members) if request else set()
    assert required <= there, f"aws {service} {operation} needs {sorted(required - there)}"


def test_regional_services_are_told_the_region():
    """Of global services the CLI knows the one region; every other command says which."""
    of_the_partition = {"iam", "organizations", "route53", "cloudfront", "account"}
    for command in (parameter.values[0] for parameter in commands("aws")):
        service, operation = command.split()[1:3]
        has_none = service in of_the_partition or operation in {"list-buckets", "register-organization-delegated-admin"}
        assert ("--region" in command.split()) != has_none, command
