"""What `make deploy`, `make test-alert` and `make rollback` do around `sam`: who would hear of an alert, and what is kept to come back to."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter

import pytest
from botocore.exceptions import ClientError
from local import ROOT, plain_environment

sys.path.insert(0, str(ROOT / "deploy"))
from heard import Topic, ask, judge  # noqa: E402

ARN = "arn:aws:sns:us-east-1:123456789012:offlimits-Topic-1"


class Sns:
    """SNS's answers, as it gives them: a subscription that nobody has confirmed has a word for its ARN."""

    def __init__(self, *subscriptions: tuple[str, str, dict | None], error: str | None = None):
        self.subscriptions, self.error = subscriptions, error

    def get_paginator(self, name):
        assert name == "list_subscriptions_by_topic"
        return self

    def paginate(self, TopicArn):
        if self.error:
            raise ClientError({"Error": {"Code": self.error}}, "ListSubscriptionsByTopic")
        listed = [
            {"SubscriptionArn": f"{TopicArn}:{n}" if state == "confirmed" else state, "Protocol": protocol, "Endpoint": f"{protocol}-{n}"}
            for n, (protocol, state, _) in enumerate(self.subscriptions)
        ]
        return [{"Subscriptions": listed[:1]}, {"Subscriptions": listed[1:]}]  # in two pages

    def get_subscription_attributes(self, SubscriptionArn):
        attributes = self.subscriptions[int(SubscriptionArn.rsplit(":", 1)[1])][2]
        return {"Attributes": attributes or {}}


CONFIRMED = ("email", "confirmed", None)
PENDING = ("email", "PendingConfirmation", None)
PHONE = ("sms", "confirmed", {"FilterPolicy": '{"severity":["extreme"]}'})
SNS_CHANNEL = {"topic": {"type": "sns"}}
SLACK = {"soc": {"type": "slack"}}


@pytest.mark.parametrize(
    ("subscriptions", "channels", "wrong"),
    [
        ([CONFIRMED], SNS_CHANNEL, []),
        ([CONFIRMED, PENDING], SNS_CHANNEL, []),
        ([], SNS_CHANNEL, ["alert", "alarm"]),
        ([PENDING], SNS_CHANNEL, ["alert", "alarm"]),
        ([("email", "Deleted", None)], SNS_CHANNEL, ["alert", "alarm"]),
        ([PHONE], SNS_CHANNEL, ["alarm"]),  # an alarm has no severity
        ([], SLACK, ["alarm"]),
        ([CONFIRMED], {}, ["alert"]),
        ([CONFIRMED], SNS_CHANNEL | SLACK, []),
    ],
    ids=str,
)
def test_a_deployment_that_nobody_would_hear_fails(subscriptions, channels, wrong):
    said, found = judge(ask(Sns(*subscriptions), ARN), None, channels, {})
    assert [re.search("of an (alert|alarm)", line)[1] for line in found] == wrong
    assert all("Email=" in line for line in found), "it says what to do"
    assert said


def test_who_has_not_confirmed_is_named():
    said, _ = judge(ask(Sns(CONFIRMED, PENDING), ARN), None, SNS_CHANNEL, {})
    assert said == ["the stack's topic: email 1; not confirmed yet: email-1"]


def test_the_second_road_of_the_alarms_counts_for_alarms_alone():
    own, second = ask(Sns(), ARN), ask(Sns(CONFIRMED), ARN + "2")
    _, wrong = judge(own, second, SNS_CHANNEL, {})
    assert len(wrong) == 1 and "of an alert" in wrong[0]


def test_a_topic_of_others_counts_for_alerts_alone():
    other = "arn:aws:sns:us-east-1:999999999999:soc"
    channels = {"soc": {"type": "sns", "topic_arn": other}}
    _, wrong = judge(Topic(ARN), None, channels, {other: ask(Sns(CONFIRMED), other)})
    assert len(wrong) == 1 and "of an alarm" in wrong[0]
    _, wrong = judge(Topic(ARN), None, channels, {other: Topic(other)})
    assert len(wrong) == 2
    # That we may not ask another account who is subscribed is no reason to fail.
    said, wrong = judge(Topic(ARN, Counter(email=1), unfiltered=1), None, channels, {other: ask(Sns(error="AuthorizationError"), other)})
    assert not wrong and "AuthorizationError" in said[-1]


def test_a_topic_that_is_gone_is_no_matter_of_subscriptions():
    _, wrong = judge(ask(Sns(error="NotFound"), ARN), None, SNS_CHANNEL, {})
    assert [line for line in wrong if "is gone" in line]


# A `sam` that builds what lies there, notes what it was asked to deploy, fails in the region "broken", and has a function that delivers.
SAM = r"""#!/bin/bash
[[ $1 == build ]] || echo "$@" >> sam.log
case $1 in
  build) cp -r built/. .aws-sam/build/; echo "Architecture: $(cat built/Function/processor)" > .aws-sam/architecture.yaml ;;
  deploy) cat "$3" "$(dirname "$3")/Function/bootstrap" >> sam.log ;;
  remote) echo '{"test":[{"channel":"topic","verdict":"delivered"}]}' ;;
esac
[[ "$*" != *"--region broken"* ]]
"""
# The other script beside it: nobody hears of the stack "deaf".
HEARD = """import sys
print("heard", *sys.argv[1:])
sys.exit("--stack deaf" in " ".join(sys.argv) and "--allow" not in sys.argv)
"""


@pytest.fixture
def checkout(tmp_path):
    """The Makefile in a folder of its own, and what it runs."""
    for name in ["Makefile", "samconfig.toml"]:
        shutil.copy2(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "deploy/heard.py").write_text(HEARD)
    python = tmp_path / ".venv/deploy/bin/python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    sam = tmp_path / "sam"
    sam.write_text(SAM)
    sam.chmod(0o755)

    class Checkout:
        folder = tmp_path

        def version(self, name: str):
            for folder in ["built/Function", ".aws-sam/build"]:
                (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / "built/template.yaml").write_text(f"template {name}\n")
            (tmp_path / "built/Function/bootstrap").write_text(f"bootstrap {name}\n")
            (tmp_path / "built/Function/processor").write_text("arm64")
            (tmp_path / "built/Function/rules.json").write_text("{}")

        def make(self, *arguments: str) -> tuple[int, list[str], str]:
            """How it ended, what sam deployed, and what was printed."""
            (tmp_path / "sam.log").write_text("")
            command = ["make", *arguments, "SAM=./sam", "-o", ".venv/deploy/.done"]
            env = plain_environment() | {"MAKEFLAGS": "", "PATH": os.environ["PATH"]}
            done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
            return done.returncode, (tmp_path / "sam.log").read_text().splitlines(), done.stdout + done.stderr

    return Checkout()


def versions(log: list[str]) -> list[str]:
    return [line for line in log if line.startswith(("template", "bootstrap"))]


def test_rollback_deploys_what_was_deployed_before(checkout):
    checkout.version("one")
    code, _, printed = checkout.make("deploy")
    assert code == 0, printed
    code, log, printed = checkout.make("rollback")
    assert code != 0 and not log and "one version only" in printed
    checkout.version("two")
    assert checkout.make("deploy")[0] == 0
    assert checkout.make("deploy")[0] == 0  # again, unchanged: what was before is still "one"
    code, log, printed = checkout.make("rollback", "REGIONS=eu-west-1 us-east-1")
    assert code == 0 and versions(log) == ["template one", "bootstrap one"] * 2, printed
    assert "Architecture=arm64" in log[0] and "--region eu-west-1" in log[0]
    # And back.
    assert versions(checkout.make("rollback")[1]) == ["template two", "bootstrap two"]


def test_what_did_not_reach_every_region_is_nothing_to_come_back_to(checkout):
    checkout.version("one")
    assert checkout.make("deploy")[0] == 0
    checkout.version("two")
    code, log, _ = checkout.make("deploy", "REGIONS=eu-west-1 broken us-east-1")
    assert code != 0 and "us-east-1" not in "".join(log), "the regions after it are left as they are"
    checkout.version("three")
    assert checkout.make("deploy")[0] == 0
    assert versions(checkout.make("rollback")[1]) == ["template one", "bootstrap one"]


def test_each_stack_has_its_own_version_before(checkout):
    for name, stack in [("one", "a"), ("two", "a"), ("three", "b")]:
        checkout.version(name)
        assert checkout.make("deploy", f"STACK={stack}")[0] == 0
    assert versions(checkout.make("rollback", "STACK=a")[1]) == ["template one", "bootstrap one"]
    assert checkout.make("rollback", "STACK=b")[0] != 0


def test_deploy_fails_where_nobody_would_hear_and_says_so_last(checkout):
    checkout.version("one")
    code, log, printed = checkout.make("deploy", "STACK=deaf", "REGIONS=eu-west-1 us-east-1")
    assert code != 0 and len(versions(log)) == 4, "it is deployed all the same"
    assert printed.count("heard --stack deaf") == 2
    assert checkout.make("deploy", "STACK=deaf", "UNHEARD=allow")[0] == 0


def test_test_alert_asks_who_would_hear(checkout):
    checkout.version("one")
    code, log, printed = checkout.make("test-alert")
    assert code == 0 and "heard --stack offlimits --region us-east-1" in printed, printed
    assert checkout.make("test-alert", "STACK=deaf")[0] != 0


def test_dead_letters_are_handled_in_every_region(checkout):
    checkout.version("one")
    script = 'import sys\nprint("letters", *sys.argv[1:])\nsys.exit("broken" in sys.argv)\n'
    for name in ["dead_letters", "redrive"]:
        (checkout.folder / f"deploy/{name}.py").write_text(script)
    where = "letters --stack s --region"
    regions = ["STACK=s", "REGIONS=broken us-east-1"]
    _, _, printed = checkout.make("dead-letters", *regions, "QUEUES=DeadLetters")
    assert f"{where} us-east-1 list DeadLetters\n" in printed
    code, _, printed = checkout.make("readdress", *regions, "TO=spare", "ID=a b")
    assert code != 0 and f"{where} us-east-1 readdress --rules target/package/rules.json --to spare a b\n" in printed, printed
    _, _, printed = checkout.make("readdress", *regions, "TO=spare", "OF=soc")
    assert " --to spare --of soc\n" in printed
    code, _, printed = checkout.make("drop", "STACK=s", "ID=a")
    assert code == 0 and f"{where} us-east-1 drop a\n" in printed
    _, _, printed = checkout.make("redrive", "STACK=s", "INTO=t", "QUEUES=Redelivery")
    assert f"{where} us-east-1 --into t Redelivery\n" in printed


def test_tags_and_parameters_reach_sam(checkout):
    checkout.version("one")
    _, log, _ = checkout.make("deploy", "TAGS=team=security cost-center=42", "PARAMETERS=Email=you@example.com")
    assert "--tags team=security cost-center=42" in log[0] and "Email=you@example.com" in log[0]
    assert "--tags" not in checkout.make("deploy")[1][0]


@pytest.mark.parametrize("name", ["deploy/requirements", *(f"tests/requirements/{n}" for n in ["test", "ministack", "zig", "browser"])])
def test_what_pip_installs_has_its_hashes(name):
    """Everything that is named has one version and its files' hashes; and what a human wrote is in it."""
    text = (ROOT / f"{name}.txt").read_text()
    packages = re.findall(r"^([a-z0-9][\w.-]*)(?:\[[^\]]*\])?==(\S+)[^\n]*\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.M)
    assert packages and len(packages) == len(re.findall(r"^[a-z0-9]", text, re.M))
    pinned = {(package, version) for package, version, _ in packages}
    for line in (ROOT / f"{name}.in").read_text().splitlines():
        if wanted := re.match(r"([\w-]+)(?:\[[^\]]*\])?==(\S+)", line):
            assert wanted.groups() in pinned
    makefile = (ROOT / "Makefile").read_text()
    assert makefile.count("pip install") == makefile.count("pip install -q --require-hashes") + makefile.count("(pip install uv)")


def test_beside_the_credentials_runs_sam_alone():
    makefile = (ROOT / "Makefile").read_text()
    for target in ["deploy", "rollback", "test-alert", "redrive", "dead-letters", "readdress", "drop"]:
        [rule] = re.findall(rf"^{target}: (.*?) ##", makefile, re.M)
        assert rule.split() == [".venv/deploy/.done"], target
    wanted = [line for line in (ROOT / "deploy/requirements.in").read_text().splitlines() if not line.startswith("#")]
    assert len(wanted) == 1 and wanted[0].startswith("aws-sam-cli==")
    installed = (ROOT / "deploy/requirements.txt").read_text()
    for package in ["moto", "pytest", "ministack", "slackblocks"]:
        assert f"\n{package}==" not in installed
