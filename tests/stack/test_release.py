"""What a release is made of, as far as it can be looked at without GitHub, a registry of images and Terraform's providers."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from local import ROOT, TOOL

WORKFLOW = ROOT / ".github/workflows/release.yml"
ACTION = ROOT / "deploy/action/action.yml"
TERRAFORM = sorted((ROOT / "deploy/terraform").glob("*.tf"))
# Inline policies of a role have so many characters together, white space not counted:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
INLINE_POLICY = 10_240


def script(name: str):
    """A script of deploy/, as a module."""
    sys.path.insert(0, str(ROOT / "deploy"))
    spec = importlib.util.spec_from_file_location(name, ROOT / f"deploy/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_deployers_rights_are_those_that_the_types_of_the_template_need(transformed):
    permissions = script("permissions")
    written = permissions.POLICY.read_text()
    assert written == json.dumps(permissions.policy(), indent=2) + "\n", "run .venv/test/bin/python deploy/permissions.py --write"
    allowed = {action for s in json.loads(written)["Statement"] for action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])}
    for kind, actions in permissions.documented({r["Type"] for r in transformed["Resources"].values()}).items():
        assert actions and not {a.split(":")[0].lower() + ":" + a.split(":")[1] for a in actions} - allowed, kind
    assert len(re.sub(r"\s", "", written)) <= INLINE_POLICY


def test_the_deployer_makes_no_role_but_the_stacks():
    for statement in json.loads((ROOT / "deploy/deployer-policy.json").read_text())["Statement"]:
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        if any(a.startswith("iam:") and a != "iam:CreateServiceLinkedRole" for a in actions):
            assert statement["Resource"] == "arn:aws:iam::*:role/offlimits*"
        if "iam:PassRole" in actions:
            assert actions == ["iam:PassRole"] and statement["Condition"]["StringEquals"] == {"iam:PassedToService": "lambda.amazonaws.com"}


def test_the_plain_template_needs_no_transform(tmp_path):
    plain = script("plain").plain()
    assert "Transform" not in plain and not [r for r in plain["Resources"].values() if r["Type"].startswith("AWS::Serverless")]
    assert plain["Resources"]["Function"]["Properties"]["Code"] == {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": {"Ref": "CodeKey"}}
    file = tmp_path / "offlimits.template.json"
    file.write_text(json.dumps(plain))
    lint = [Path(sys.executable).parent / "cfn-lint", "--template", file, "--regions", "us-east-1", "us-gov-west-1", "cn-north-1", "--ignore-checks", "W"]
    done = subprocess.run(lint, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout


def steps(document: dict) -> list[dict]:
    return [step for job in document["jobs"].values() for step in job["steps"]]


def test_the_workflow_grants_little_and_names_versions():
    workflow = yaml.safe_load(WORKFLOW.read_text())
    assert workflow["permissions"] == {}
    assert workflow[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 takes "on" for a truth
    writing = {name for name, job in workflow["jobs"].items() if "write" in job["permissions"].values()}
    assert writing == {"image", "release"}
    for step in steps(workflow):
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@(v\d+|[0-9a-f]{40})", step["uses"]), step
        # What others chose, such as a tag's name, comes by the environment, and not into a script's text.
        assert "${{ github." not in step.get("run", "") and "${{ inputs." not in step.get("run", ""), step
    assert set(workflow["jobs"]["release"]["needs"]) == workflow["jobs"].keys() - {"release"}


@pytest.mark.parametrize("file", [WORKFLOW, ACTION], ids=lambda file: file.name)
def test_each_script_is_one_that_bash_can_read(file):
    document = yaml.safe_load(file.read_text())
    scripts = [step["run"] for step in (document["runs"]["steps"] if "runs" in document else steps(document)) if "run" in step]
    assert scripts
    for text in scripts:
        text = re.sub(r"\$\{\{[^}]*\}\}", "value", text)
        subprocess.run(["bash", "-n", "-c", text], check=True, timeout=20)


def test_what_the_workflow_calls_is_there():
    text = WORKFLOW.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"\bmake ([a-z-]+)", text)) <= targets
    assert (ROOT / re.search(r"docker build -f (\S+)", text)[1]).exists()


@pytest.mark.parametrize(("when", "ends_well"), [({"event": {"is": "StopLogging"}}, True), ({"event": {"is": "StopLoging"}}, False)], ids=["right", "wrong"])
def test_the_action_and_the_hooks_check_and_test(tmp_path, when, ends_well):
    tests = [{"name": name, "event": {"eventName": name}, "expect": name == "StopLogging"} for name in ("StopLogging", "StartLogging")]
    rule = {"id": "R", "title": "t", "severity": "low", "when": when, "tests": tests}
    (tmp_path / "rules.json").write_text(json.dumps({"channels": {"topic": {"type": "sns"}}, "rules": [rule]}))
    action = yaml.safe_load(ACTION.read_text())
    inputs = {name: given["default"] for name, given in action["inputs"].items()} | {"tool": str(TOOL)}
    for step in action["runs"]["steps"]:
        environment = {name: inputs[re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", value)[1]] for name, value in step["env"].items()}
        done = subprocess.run(["bash", "-e", "-c", step["run"]], cwd=tmp_path, env=os.environ | environment, capture_output=True, text=True, timeout=60)
        assert (done.returncode == 0) == ends_well, step["name"] + done.stderr
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in hooks] == ["offlimits-check", "offlimits-test"]
    for hook in hooks:
        assert re.search(hook["files"], "rules.json") and not re.search(hook["files"], "rules.json.new")
        program, *arguments = hook["entry"].split()
        assert program == "offlimits"
        done = subprocess.run([TOOL, *arguments, "rules.json"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert (done.returncode == 0) == ends_well, done.stderr


def test_the_terraform_module_declares_what_it_uses():
    text = "\n".join(file.read_text() for file in TERRAFORM)
    declared = set(re.findall(r'^variable "(\w+)"', text, re.M))
    assert set(re.findall(r"\bvar\.(\w+)", text)) == declared
    kinds = {f"{kind}.{name}" for kind, name in re.findall(r'^resource "(\w+)" "(\w+)"', text, re.M)}
    used = {f"{kind}.{name}" for kind, name in re.findall(r"(?<!data\.)\b(aws_\w+)\.(\w+)\.", text)}
    assert used <= kinds
    plain = script("plain").plain()["Parameters"]
    [parameters] = re.findall(r"merge\(var\.parameters, \{(.*?)\}\)", text, re.S)
    assert set(re.findall(r"^\s*(\w+)\s*=", parameters, re.M)) == {"Architecture", "CodeBucket", "CodeKey"} <= plain.keys()
    assert [name for name, of in plain.items() if "Default" not in of] == ["Architecture", "CodeBucket", "CodeKey"]


def test_terraform_can_read_the_module():
    terraform = shutil.which("terraform")
    if not terraform:
        pytest.skip("terraform is not installed")
    done = subprocess.run([terraform, "fmt", "-check", "-diff", ROOT / "deploy/terraform"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
