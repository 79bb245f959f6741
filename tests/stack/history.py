"""deploy/history.yaml in a local AWS, with archives in its S3: what the tests of it and tests/evidence/history.py share."""

import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local import ROOT, TOOL, Aws, until

SAM = Path(sys.executable).parent / "sam"
STACK = "offlimits-history"
TEMPLATE = ROOT / "deploy/history.yaml"


class History:
    """The stack, and the tool that asks it."""

    def __init__(self, aws: Aws, folder: Path, tool: Path = TOOL):
        self.aws, self.folder, self.tool = aws, folder, tool
        self.s3 = aws.client("s3")
        self.outputs, self.bootstrap = {}, ROOT / "deploy/history-bootstrap"

    def run(self, *arguments, rules: Path = ROOT / "rules.json", input=None):
        """The tool, as somebody runs it who may ask this AWS."""
        command = [self.tool, *arguments]
        if (arguments[0] == "backtest" or arguments[:2] == ("history", "plan")) and "--rules" not in arguments:
            command += ["--rules", rules]
        return subprocess.run(command, env=self.aws.environment, cwd=self.folder, input=input, capture_output=True, text=True, timeout=600)

    def deploy(self, **parameters):
        """`make history` and `sam deploy`; without debug information, for a debug build has a lot of it."""
        code = self.folder / "target/history"
        code.mkdir(parents=True, exist_ok=True)
        subprocess.run(["strip", "-o", code / "offlimits", self.tool], check=True)
        shutil.copyfile(self.bootstrap, code / "bootstrap")
        (code / "bootstrap").chmod(0o755)
        (self.folder / "deploy").mkdir(exist_ok=True)
        shutil.copy2(TEMPLATE, self.folder / "deploy/history.yaml")
        command = [SAM, "deploy", "--template-file", "deploy/history.yaml", "--stack-name", STACK, "--resolve-s3"]
        command += ["--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-fail-on-empty-changeset"]
        command += ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
        done = subprocess.run(command, cwd=self.folder, env=self.aws.environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        stack = self.aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def upload(self, folder: Path, bucket: str, prefix: str):
        """A folder's files as objects."""
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        put = lambda path: self.s3.put_object(Bucket=bucket, Key=prefix + str(path.relative_to(folder)), Body=path.read_bytes())
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(put, files))

    def plan(self, archive: str, *options, rules: Path = ROOT / "rules.json") -> dict:
        """A plan, as `--format json` prints it."""
        run = self.run("history", "plan", archive, "--format", "json", *options, rules=rules)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    def start(self, plan: str, *options):
        run = self.run("history", "start", plan, "--max-usd", "100", *options)
        assert run.returncode == 0, run.stderr

    def watch(self, plan: str):
        return self.run("history", "watch", plan, "--every", "1")

    def read(self, archive: str, *options, rules: Path = ROOT / "rules.json") -> str:
        """Plans, starts, and waits until all is read."""
        plan = self.plan(archive, *options, rules=rules)["plan"]
        self.start(plan)
        watched = self.watch(plan)
        assert watched.returncode == 0, watched.stdout + watched.stderr
        return plan

    def report(self, plan: str, *options):
        return self.run("history", "report", plan, *options)

    def reader(self, variables: dict | None = None, **settings):
        """Changes the readers' settings, and ends those that have the old ones."""
        client = self.aws.client("lambda")
        name = next(f["FunctionName"] for f in client.list_functions()["Functions"] if "-Reader" in f["FunctionName"])
        if variables is not None:
            own = {"OFFLIMITS_HISTORY_RESULTS": self.outputs["ResultsBucket"]}
            settings["Environment"] = {"Variables": own | variables}
        client.update_function_configuration(FunctionName=name, **settings)
        until(lambda: client.get_function_configuration(FunctionName=name).get("LastUpdateStatus") == "Successful", what="update")
        for pid in self.readers():
            self.kill(pid)

    def marks(self, rules: str) -> dict[str, dict]:
        """The marks of these parts, by their ids."""
        get = lambda part: self.s3.get_object(Bucket=self.outputs["ResultsBucket"], Key=f"runs/{rules}/done/{part}.json")
        return {part: json.loads(get(part)["Body"].read()) for part in self.done(rules)}

    def done(self, rules: str) -> set[str]:
        """The parts that have been read to their end."""
        prefix = f"runs/{rules}/done/"
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.outputs["ResultsBucket"], Prefix=prefix)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return {key.removeprefix(prefix).removesuffix(".json") for key in keys}

    def readers(self) -> list[int]:
        """The processes of the functions at work: descendants of this AWS."""
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError, ValueError):
                continue  # it has ended
        ours = []
        for pid in parents:
            chain, at = [], pid
            while at in parents and at not in chain:
                chain.append(at)
                at = parents[at]
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if self.aws.process.pid in chain and command[1:3] == [b"history", b"work"]:
                ours.append(pid)
        return ours

    def kill(self, pid: int):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def ended(self, plan: str, seconds=300):
        """Waits until no execution of a plan runs."""
        states, machine = self.aws.client("stepfunctions"), self.outputs["StateMachineArn"]
        running = lambda: [e for e in states.list_executions(stateMachineArn=machine)["executions"] if e["name"].startswith(plan) and e["status"] == "RUNNING"]
        until(lambda: not running(), seconds, "end of the executions")


def lines(run) -> list[dict]:
    return [json.loads(line) for line in run.stdout.splitlines()]


def moved(found: list[dict], old: str, new: str) -> list[dict]:
    """The findings of a folder, as those of the archive that it was put into."""
    return [finding | {"file": new + finding["file"].removeprefix(old)} for finding in found]
