"""`offlimits history` against a local AWS: what it reports of an archive is what `backtest` reports of the same folder, whatever happens to
the functions that read it."""

import json
import random
import shutil
import time
from pathlib import Path

import pytest
from between import Between
from history import History, lines, moved
from local import ROOT, Aws
from places import CORPORA, absent

# Archives of real files: one with all files side by side, one in CloudTrail's layout.
ARCHIVES = {"invictus-ir": CORPORA / "invictus-ir/original", "sans504": CORPORA / "sans504-s3-ransomware/original"}


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    if missing := [path for path in ARCHIVES.values() if not path.exists()]:
        pytest.skip(absent(missing[0]))
    folder = tmp_path_factory.mktemp("history")
    with Aws(folder, {"SFN_WAIT_SCALE": "0.05"}) as aws:
        history = History(aws, folder)
        history.s3.create_bucket(Bucket="trail")
        for name, archive in ARCHIVES.items():
            history.upload(archive, "trail", f"{name}/")
        history.deploy(ArchiveBucket="trail", Readers=2)
        yield history


def backtest(history: History, folder: Path, *options):
    return history.run("backtest", f"{folder}/", *options)


def without_parts(document: dict) -> dict:
    """The summary, but for the parts, which a folder has not; and for what `backtest` meets that a plan passes by."""
    return {key: value for key, value in document.items() if key != "parts"}


@pytest.mark.parametrize("name", ARCHIVES)
def test_the_findings_and_the_summary_are_those_of_backtest(history, name):
    plan = history.read(f"s3://trail/{name}/")
    for options in [[], ["--rule", "IR-1"], ["--severity", "high"]]:
        expected = backtest(history, ARCHIVES[name], "--format", "jsonl", *options)
        reported = history.report(plan, "--format", "jsonl", *options)
        assert reported.returncode == expected.returncode, reported.stderr
        if not options:
            assert len(lines(reported)) > 100
        assert lines(reported) == moved(lines(expected), f"{ARCHIVES[name]}/", f"s3://trail/{name}/")
    expected = json.loads(backtest(history, ARCHIVES[name], "--format", "json").stdout)
    reported = json.loads(history.report(plan, "--format", "json").stdout)
    assert without_parts(reported) == expected
    assert reported["parts"]["missing"] == 0
    # The state machine's own merge is the same.
    results = history.outputs["ResultsBucket"]
    merged = history.s3.get_object(Bucket=results, Key=f"results/{plan}/summary.json")["Body"].read()
    assert json.loads(merged) == reported
    page = history.s3.get_object(Bucket=results, Key=f"results/{plan}/report.html")["Body"].read().decode()
    assert f"offlimits history report {plan}" in page and "Partial" not in page


def assert_like_backtest(history, plan, folder: Path, archive: str, *options):
    """What is reported of a plan is what `backtest` reports of the folder; returns what the report said on stderr."""
    expected = backtest(history, folder, "--format", "jsonl", *options)
    reported = history.report(plan, "--format", "jsonl")
    assert lines(reported) == moved(lines(expected), f"{folder}/", archive)
    assert reported.returncode == expected.returncode, reported.stderr
    expected = backtest(history, folder, "--format", "json", *options)
    summary = history.report(plan, "--format", "json")
    assert without_parts(json.loads(summary.stdout)) == json.loads(expected.stdout)
    return reported.stderr


# Another stack's name is another question: nothing that was read for others is of use for it.
def another(name: str) -> list[str]:
    return ["--stack", name]


def test_readers_that_are_killed_and_run_twice_change_nothing(history):
    chance = random.Random(7)
    planned = history.plan("s3://trail/sans504/", *another("killed"))
    plan = planned["plan"]
    # Twice at the same time, and readers die of it now and then.
    history.start(plan)
    history.start(plan)
    killed = 0
    end = time.monotonic() + 60
    while killed < 25 and len(history.done(planned["rules"])) < planned["parts"] and time.monotonic() < end:
        if readers := history.readers():
            history.kill(chance.choice(readers))
            killed += 1
        time.sleep(chance.uniform(0.05, 0.4))
    history.ended(plan)
    assert killed > 5
    # Who dies again and again is missing: starting again reads that alone.
    for _ in range(5):
        if len(history.done(planned["rules"])) < planned["parts"]:
            history.start(plan)
            history.watch(plan)
    assert_like_backtest(history, plan, ARCHIVES["sans504"], "s3://trail/sans504/", *another("killed"))


def test_a_part_that_is_too_much_for_one_invocation_is_read_by_several(history):
    # A reader keeps 45 seconds for writing: it reads for one.
    history.reader(Timeout=46)
    try:
        planned = history.plan("s3://trail/sans504/", *another("slices"))
        history.start(planned["plan"])
        assert history.watch(planned["plan"]).returncode == 0
        slices = [len(mark["slices"]) for mark in history.marks(planned["rules"]).values()]
        assert max(slices) > 1, slices
        assert_like_backtest(history, planned["plan"], ARCHIVES["sans504"], "s3://trail/sans504/", *another("slices"))
    finally:
        history.reader(Timeout=900)


@pytest.fixture(scope="module")
def days(tmp_path_factory) -> Path:
    """Some days of the real archive, of which twenty files are damaged in one way or another."""
    folder = tmp_path_factory.mktemp("days") / "archive"
    for path in sorted(ARCHIVES["sans504"].rglob("*.json.gz"))[::8]:
        to = folder / path.relative_to(ARCHIVES["sans504"])
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, to)
    damage = [lambda it: it[: len(it) // 2], lambda it: b"", lambda it: b"no gzip", lambda it: it[:-8] + b"\0" * 8]
    chosen = random.Random(3).sample(sorted(folder.rglob("*.json.gz")), 20)
    for number, path in enumerate(chosen):
        path.write_bytes(damage[number % len(damage)](path.read_bytes()))
    (folder.parent / "damaged.json").write_text(json.dumps([str(path.relative_to(folder)) for path in chosen]))
    return folder


def test_what_cannot_be_read_is_named_and_the_rest_is_there(history, days):
    history.upload(days, "trail", "damaged/")
    planned = history.plan("s3://trail/damaged/")
    history.start(planned["plan"])
    assert history.watch(planned["plan"]).returncode == 0
    said = assert_like_backtest(history, planned["plan"], days, "s3://trail/damaged/")
    damaged = json.loads((days.parent / "damaged.json").read_text())
    assert len(damaged) == 20
    for name in damaged:
        assert f"s3://trail/damaged/{name}" in said, name
    # And of the intact archive it is the findings of those files that are missing, and no others.
    whole = lines(backtest(history, ARCHIVES["sans504"], "--format", "jsonl"))
    names = {str(path.relative_to(days)) for path in days.rglob("*.json.gz")} - set(damaged)
    of = lambda finding, root: finding["file"].removeprefix(root)
    intact = {(f["finding"], of(f, f"{ARCHIVES['sans504']}/")) for f in whole if of(f, f"{ARCHIVES['sans504']}/") in names}
    reported = lines(history.report(planned["plan"], "--format", "jsonl"))
    assert {(f["finding"], of(f, "s3://trail/damaged/")) for f in reported if of(f, "s3://trail/damaged/") in names} == intact
    # Mended, they are read again where that is asked for, and not otherwise.
    for name in damaged:
        history.s3.put_object(Bucket="trail", Key=f"damaged/{name}", Body=(ARCHIVES["sans504"] / name).read_bytes())
    history.start(planned["plan"])
    history.watch(planned["plan"])
    assert lines(history.report(planned["plan"], "--format", "jsonl")) == reported
    history.start(planned["plan"], "--again")
    assert history.watch(planned["plan"]).returncode == 0
    again = history.report(planned["plan"], "--format", "jsonl")
    assert again.returncode == 0, again.stderr
    expected = {f["finding"] for f in whole if of(f, f"{ARCHIVES['sans504']}/") in names | set(damaged)}
    assert {f["finding"] for f in lines(again)} == expected


def test_an_archive_that_fails_and_changes_while_it_is_read(history, days):
    history.upload(days, "trail", "wild/")
    keys = [f"wild/{path.relative_to(days)}" for path in sorted(days.rglob("*.json.gz"))]
    busy, slow, changed, gone = keys[10], keys[20], keys[30], keys[40]
    tries, done = {}, set()

    def fault(method, key, is_list):
        if is_list or method != "GET":
            return None
        tries[key] = tries.get(key, 0) + 1
        if key == slow:
            return 503, "SlowDown"
        if key == busy and tries[key] < 3:
            return 503, "SlowDown"
        if key == changed and key not in done:
            done.add(key)
            history.s3.put_object(Bucket="trail", Key=key, Body=b'{"Records":[]}')
        if key == gone and key not in done:
            done.add(key)
            history.s3.delete_object(Bucket="trail", Key=key)
        return None

    planned = history.plan("s3://trail/wild/", *another("wild"))
    with Between(history.aws.variables["AWS_ENDPOINT_URL"]) as between:
        between.fault = fault
        history.reader({"AWS_ENDPOINT_URL_S3": between.url})
        try:
            history.start(planned["plan"])
            assert history.watch(planned["plan"]).returncode == 0
        finally:
            history.reader({})
    troubles = {t["place"]: t["reason"] for mark in history.marks(planned["rules"]).values() for s in mark["slices"] for t in s.get("troubles", [])}
    assert troubles[f"s3://trail/{slow}"] == "S3 says 503 SlowDown, 6 times"
    assert troubles[f"s3://trail/{changed}"] == "it has changed since it was listed"
    assert troubles[f"s3://trail/{gone}"] == "S3 says 404 NoSuchKey"
    assert f"s3://trail/{busy}" not in troubles and tries[busy] == 3
    reported = history.report(planned["plan"], "--format", "jsonl")
    assert reported.returncode == 2
    for key in (slow, changed, gone):
        assert f"error: cannot read s3://trail/{key}: " in reported.stderr
    # All others are there.
    without = days.parent / "without"
    shutil.copytree(days, without)
    for key in (slow, changed, gone):
        (without / key.removeprefix("wild/")).unlink()
    expected = backtest(history, without, "--format", "jsonl", *another("wild"))
    assert lines(reported) == moved(lines(expected), f"{without}/", "s3://trail/wild/")


def test_parts_that_are_missing_are_named_and_read_when_it_is_started_again(history):
    refused = "/us-east-1/"
    planned = history.plan("s3://trail/sans504/", *another("missing"))
    plan = planned["plan"]
    with Between(history.aws.variables["AWS_ENDPOINT_URL"]) as between:
        between.fault = lambda method, key, is_list: (403, "AccessDenied") if is_list and refused in key else None
        history.reader({"AWS_ENDPOINT_URL_S3": between.url})
        try:
            history.start(plan)
            watched = history.watch(plan)
        finally:
            history.reader({})
    assert watched.returncode == 1 and "PartsMissing" in watched.stderr, watched.stderr
    missing = planned["parts"] - len(history.done(planned["rules"]))
    assert 0 < missing < planned["parts"]
    partial = history.report(plan, "--format", "json", "--report", "partial.html")
    summary = json.loads(partial.stdout)
    assert partial.returncode == 2
    assert summary["parts"]["missing"] == missing and len(summary["parts"]["named"]) == missing
    assert f"error: {missing} of {planned['parts']} parts have not been read" in partial.stderr
    assert f"Partial: {missing} of" in (history.folder / "partial.html").read_text()
    assert f"PARTIAL: {missing} of" in history.report(plan).stdout
    marks = history.marks(planned["rules"])
    history.start(plan)
    watched = history.watch(plan)
    assert watched.returncode == 0, watched.stderr
    assert marks.items() <= history.marks(planned["rules"]).items(), "what had been read is as it was"
    assert_like_backtest(history, plan, ARCHIVES["sans504"], "s3://trail/sans504/", *another("missing"))


def test_a_later_plan_reads_the_days_that_came_since(history, tmp_path):
    files = sorted(ARCHIVES["sans504"].rglob("*.json.gz"))
    of_region = [path for path in files if "us-east-1" in path.parts]
    all_days = sorted({path.parent for path in of_region})
    assert len(all_days) >= 2, all_days
    archive = tmp_path / "growing"

    def add(day):
        to = archive / day.relative_to(ARCHIVES["sans504"])
        shutil.copytree(day, to)
        history.upload(to, "trail", f"growing/{to.relative_to(archive)}/")

    # A part a day, so that a day that has been read is a part that has.
    options = ["--part-megabytes", "0", *another("growing")]
    for day in all_days[:-1]:
        add(day)
    history.plan("s3://trail/growing/", *options)
    first = history.read("s3://trail/growing/", *options)
    rules = history.plan("s3://trail/growing/", *options)["rules"]
    before = history.marks(rules)
    add(all_days[-1])
    second = history.read("s3://trail/growing/", *options)
    assert second != first
    after = history.marks(rules)
    assert before.items() < after.items()
    assert_like_backtest(history, second, archive, "s3://trail/growing/", *another("growing"))


def test_accounts_regions_days_and_actors_are_chosen_as_by_backtest(history):
    chosen = ["--region", "us-east-1", "--region", "us-east-2", "--since", "2021-07-30", "--until", "2021-07-30"]
    folder, archive = ARCHIVES["sans504"], "s3://trail/sans504/"
    expected = moved(lines(backtest(history, folder, "--format", "jsonl", *chosen)), f"{folder}/", archive)
    assert expected
    # In the plan, and in the report of a plan of all.
    plan = history.read(archive, *chosen)
    assert lines(history.report(plan, "--format", "jsonl")) == expected
    whole = history.plan(archive)["plan"]
    assert lines(history.report(whole, "--format", "jsonl", *chosen)) == expected
    actor = expected[0]["actor"]
    of_actor = [finding for finding in expected if finding["actor"] == actor]
    assert lines(history.report(whole, "--format", "jsonl", *chosen, "--actor", actor)) == of_actor


def test_kept_records_that_are_damaged_or_gone_are_told(history):
    planned = history.plan("s3://trail/invictus-ir/", *another("damage"))
    history.start(planned["plan"])
    assert history.watch(planned["plan"]).returncode == 0
    whole = lines(history.report(planned["plan"], "--format", "jsonl"))
    [mark] = history.marks(planned["rules"]).values()
    kept, bucket = mark["slices"][0]["kept"], history.outputs["ResultsBucket"]
    intact = history.s3.get_object(Bucket=bucket, Key=kept["records"])["Body"].read()
    history.s3.put_object(Bucket=bucket, Key=kept["records"], Body=intact[: len(intact) // 2])
    damaged = history.report(planned["plan"], "--format", "jsonl")
    assert damaged.returncode == 2 and 0 < len(lines(damaged)) < len(whole)
    assert f"error: cannot read s3://{bucket}/{kept['records']}" in damaged.stderr
    history.s3.put_object(Bucket=bucket, Key=kept["records"], Body=intact)
    history.s3.delete_object(Bucket=bucket, Key=kept["places"])
    gone = history.report(planned["plan"], "--format", "jsonl")
    assert gone.returncode == 2 and f"error: {kept['places']}: it is missing" in gone.stderr


def test_a_search_finds_calls_without_any_rule(history):
    records = [record for path in ARCHIVES["invictus-ir"].glob("*.json") for record in json.loads(path.read_bytes())["Records"]]
    of_call = {record["eventID"] for record in records if record["eventName"] == "ListBuckets"}
    searched = history.run("history", "search", "s3://trail/invictus-ir/", "--call", "listbuckets", "--format", "json")
    assert searched.returncode == 0 and of_call, searched.stderr
    plan = json.loads(searched.stdout)["plan"]
    history.start(plan)
    assert history.watch(plan).returncode == 0
    assert {finding["event_id"] for finding in lines(history.report(plan, "--format", "jsonl"))} == of_call


def test_what_costs_too_much_is_not_started(history):
    plan = history.plan("s3://trail/invictus-ir/")["plan"]
    refused = history.run("history", "start", plan, "--max-usd", "0.000001")
    assert refused.returncode == 1 and "--max-usd allows" in refused.stderr
    assert history.run("history", "start", "nosuchplan", "--max-usd", "1").returncode == 2


def test_a_plan_counts_or_says_that_it_estimates(history):
    sizes = [path.stat().st_size for path in ARCHIVES["sans504"].rglob("*.json.gz")]
    exact = history.plan("s3://trail/sans504/", "--dry-run")
    assert exact["exact"] and (exact["objects"], exact["bytes"]) == (len(sizes), sum(sizes)) and not exact["kept"]
    rough = history.plan("s3://trail/sans504/", "--dry-run", "--list-days", "5")
    assert not rough["exact"] and rough["listed_days"] < rough["days"] == exact["days"]
    assert rough["lists"] < exact["lists"]
    told = history.run("history", "plan", "s3://trail/sans504/", "--dry-run", "--list-days", "5").stdout
    assert f"estimated from {rough['listed_days']} listed days of {rough['days']}" in told
    assert history.run("history", "plan", "s3://trail/nothing/", "--dry-run").returncode == 2
