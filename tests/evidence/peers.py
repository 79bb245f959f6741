#!/usr/bin/env python3
"""`offlimits backtest` beside others: the same question to the same archive of CloudTrail's log files, in one run, taking turns. Run by hand, after
`cargo build --release`, with zcat and jq on the PATH:

  python3 -m venv V && V/bin/pip install deflate==0.9.0 duckdb==2.0.1 pysigma==2.0.1 pysigma-backend-sqlite==2.1.1
  cargo install rsigma --version 0.23.0 --locked --root R
  PATH=R/bin:$PATH PYTHONPATH=tests/support V/bin/python -B tests/evidence/peers.py [--records 200000] [--files 24] [--rounds 9] [--tool FILE]

../shared/data/corpus/generate.py makes the archive, unless `--archive` names one. The question: who, of people and their programs, made one of a dozen
calls? The answer is the `eventID` of each such record. It fails where two answers differ, or where they are not what the generator wrote down. It prints
a table: the least CPU time of each over the rounds, of which the slow have a turn in every third, the least wall time, and the CPU time over that of
unpacking the archive by libdeflate in a process that does nothing else. Of that process the start is not counted, of all others it is.

- offlimits has one thread and a rule for each service. Two further rows are of the rules that we ship, and of those that the commit `--shipped` shipped:
  these ask more, and find more.
- The same question as Sigma's rules, one for each service, goes to rsigma, to pySigma's SQLite backend the way in which Zircolite uses it (records are laid
  flat into a table in memory), and through `offlimits import sigma` to offlimits.
- rsigma is 0.23.0, the last that Rust 1.95 builds. It reads lines of JSON: zcat unpacks for it, and each file is given the newline that CloudTrail
  does not end it with: of two files on one line it reads neither, says so by a count alone (`Processed 1 events, 0 matches`), and exits with 0.
- DuckDB has one thread, and the form in which it is fastest: with types that it infers, down to the depth that the question needs. With the four columns
  alone that the question reads, given by hand, it takes twice as long, and with records as `JSON[]` more than that.
- Suzaku is left out: on 2026-11-30 crates.io has no crate of that name (PyPI's is another thing), and neither its builds nor its source, which asks for
  a fork of the crate sigma-rust on GitHub, could be fetched. Nor could Zircolite, which PyPI does not have.

At last: the most memory that `backtest` takes for a million records (`--million 0` leaves that out), with the rules that we ship and two threads.
"""

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measured import Run
from places import CORPORA, ROOT
from tool import built

CALLS = {
    "cloudtrail.amazonaws.com": ["StopLogging", "DeleteTrail", "UpdateTrail"],
    "ec2.amazonaws.com": ["ModifySnapshotAttribute", "DeleteFlowLogs", "RunInstances"],
    "iam.amazonaws.com": ["CreateUser", "CreateAccessKey", "AttachUserPolicy", "PutUserPolicy"],
    "s3.amazonaws.com": ["DeleteBucket", "PutBucketPolicy"],
}
IDENTITIES = ["IAMUser", "AssumedRole"]
LARGEST_FILE = 200_000_000
# Whoever takes this many times unpacking has a turn in one of three rounds.
SLOW = 8


def rules():
    """The question in our own words."""
    rows = [{"identity": {"is": IDENTITIES}, "service": {"is": service}, "event": {"is": events}} for service, events in CALLS.items()]
    return {"rules": [{"id": f"CALL-{at}", "title": "{event} by {actor}", "severity": "high", "when": row} for at, row in enumerate(rows, 1)]}


def sigma_rules():
    """The question as Sigma's rules. JSON is YAML."""
    for at, (service, events) in enumerate(CALLS.items(), 1):
        selection = {"eventSource": service, "eventName": events, "userIdentity.type": IDENTITIES}
        yield {
            "title": f"Calls of {service}",
            "id": f"6f1c2b0e-0000-4000-8000-{at:012}",
            "status": "test",
            "logsource": {"product": "aws", "service": "cloudtrail"},
            "detection": {"selection": selection, "condition": "selection"},
            "level": "high",
        }


def gunzip(files):
    """Unpacks alone, and tells its own time."""
    import time

    import deflate

    begun = time.process_time()
    for file in files:
        deflate.gzip_decompress(file.read_bytes())
    yield str(time.process_time() - begun)


def python(files):
    """Python's own readers."""
    for file in files:
        for record in json.loads(gzip.decompress(file.read_bytes()))["Records"]:
            if record["eventName"] in CALLS.get(record["eventSource"], ()) and record["userIdentity"].get("type") in IDENTITIES:
                yield record["eventID"]


def duckdb(files):
    """SQL over the files as they are."""
    import duckdb

    database = duckdb.connect()
    database.execute("SET threads = 1")
    record = f"""SELECT unnest(Records) AS record FROM
        read_json(?, format = 'newline_delimited', maximum_depth = 5, maximum_object_size = {LARGEST_FILE})"""
    calls = " OR ".join(f"record.eventSource = '{service}' AND record.eventName IN {tuple(events)}" for service, events in CALLS.items())
    query = f"SELECT record.eventID FROM ({record}) WHERE ({calls}) AND record.userIdentity.type IN {tuple(IDENTITIES)}"
    return [str(row[0]) for row in database.execute(query, [[str(file) for file in files]]).fetchall()]


def sqlite(files):
    """pySigma's queries over a table in memory."""
    import sqlite3

    from sigma.backends.sqlite import sqliteBackend
    from sigma.collection import SigmaCollection

    queries = sqliteBackend().convert(SigmaCollection.from_dicts(list(sigma_rules())))
    database = sqlite3.connect(":memory:")
    columns = ["eventID", "eventSource", "eventName", "userIdentity.type"]
    # Sigma regards no case; the backend writes plain values as `=`, which does.
    declared = ", ".join(f'"{name}" TEXT COLLATE NOCASE' for name in columns)
    database.execute(f"CREATE TABLE logs ({declared})")
    for file in files:
        records = json.loads(gzip.decompress(file.read_bytes()))["Records"]
        rows = ((record["eventID"], record["eventSource"], record["eventName"], record["userIdentity"].get("type")) for record in records)
        database.executemany("INSERT INTO logs VALUES (?, ?, ?, ?)", rows)
    for query in queries:
        for row in database.execute(query.replace("<TABLE_NAME>", "logs").replace("SELECT *", "SELECT eventID")):
            yield row[0]


IN_PYTHON = {peer.__name__: peer for peer in (gunzip, python, duckdb, sqlite)}


def jq_filter():
    """The question in jq's words."""
    calls = json.dumps({f"{service} {event}": True for service, events in CALLS.items() for event in events})
    who = " or ".join(f'. == "{identity}"' for identity in IDENTITIES)
    return f'.Records[] | select({calls}[.eventSource + " " + .eventName] and (.userIdentity.type | {who})) | .eventID'


def ours(out):
    return [json.loads(line)["event_id"] for line in out.splitlines()]


def summed(out):
    """The summary's number of findings."""
    return json.loads(out)["findings"]


def of_rsigma(out):
    return [json.loads(line)["event"]["eventID"] for line in out.splitlines()]


class Peer:
    """Who is asked, how, and how the records found are read of what is printed."""

    def __init__(self, name, command, read=str.split):
        self.name, self.command, self.read = name, command, read
        self.cpu = self.seconds = float("inf")
        self.found = None

    def run(self):
        ran = Run(self.command)
        if ran.code != 0:
            sys.exit(f"{self.name}: exit code {ran.code}: {ran.told}")
        self.measure(ran)

    def measure(self, ran):
        self.cpu, self.seconds = min(self.cpu, ran.cpu), min(self.seconds, ran.seconds)
        self.found = self.read(ran.out)


class Unpacking(Peer):
    """Tells its own time, and finds nothing."""

    def measure(self, ran):
        self.cpu = self.seconds = min(self.cpu, float(ran.out))


def shipped_by(commit, folder):
    """The rules that a commit shipped, or nothing where the history has no such commit."""
    packed = subprocess.run(["git", "-C", ROOT, "archive", commit, "rules.json", "packs"], capture_output=True, check=False)
    if packed.returncode:
        print(f"left out: the history here has no commit {commit}")
        return None
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
    return folder / "rules.json"


def generated(folder, records, files):
    folder.mkdir()
    make = [sys.executable, CORPORA / "corpus/generate.py", "--out", folder, "--data", CORPORA, "--records", str(records), "--files", str(files)]
    subprocess.run(make, check=True, capture_output=True)
    return folder


def logs(archive):
    """The log files alone: beside them the generator writes what it did, which would be read as records."""
    return archive / "AWSLogs" if (archive / "AWSLogs").is_dir() else archive


def peers(tool, archive, folder, shipped):
    """All that can be asked here."""
    (folder / "rules.json").write_text(json.dumps(rules()))
    sigma = folder / "sigma"
    sigma.mkdir()
    for at, rule in enumerate(sigma_rules()):
        (sigma / f"{at}.yml").write_text(json.dumps(rule))
    subprocess.run([tool, "import", "sigma", sigma, "-o", folder / "imported.json"], check=True, capture_output=True)
    files = sorted(logs(archive).rglob("*.json.gz"))
    (folder / "files").write_text("".join(f"{file}\n" for file in files))

    def backtest(rules, form="jsonl"):
        return [tool, "backtest", "--threads", "1", "--format", form, "--rules", rules, logs(archive)]

    def in_shell(command):
        return ["bash", "-c", f"set -o pipefail; {command}", "bash", folder / "files"]

    def in_python(name):
        return [sys.executable, "-B", __file__, "--play", name, folder / "files"]

    yield Unpacking("gunzip by libdeflate, nothing else", in_python("gunzip"))
    yield Peer("`offlimits backtest`", backtest(folder / "rules.json"), ours)
    yield Peer("`offlimits backtest`, the Sigma rules imported", backtest(folder / "imported.json"), ours)
    if shutil.which("rsigma"):
        lines = 'while read -r file; do zcat "$file"; echo; done < "$1"'
        ask = f"rsigma engine eval -r {sigma} --jq '.Records[]' --include-event"
        yield Peer("zcat and rsigma", in_shell(f"{lines} | {ask}"), of_rsigma)
    else:
        print("left out: rsigma is not on the PATH")
    yield Peer("zcat alone", in_shell('xargs -a "$1" zcat > /dev/null'), lambda out: None)
    (folder / "filter.jq").write_text(jq_filter())
    yield Peer("zcat and jq", in_shell(f'xargs -a "$1" zcat | jq -r -f {folder / "filter.jq"}'))
    yield Peer("Python's `gzip` and `json`", in_python("python"))
    yield Peer("pySigma's SQLite backend over the same", in_python("sqlite"))
    yield Peer("DuckDB", in_python("duckdb"))
    yield Peer("`offlimits backtest`, the shipped rules", backtest(ROOT / "rules.json", "json"), summed)
    if old := shipped_by(shipped, folder / "shipped"):
        yield Peer(f"`offlimits backtest`, the rules shipped by {shipped}", backtest(old, "json"), summed)


def generator_says(archive):
    """The answer by what the generator wrote down, where it made the archive."""
    told = archive / "needles.jsonl"
    if not told.exists():
        return None
    needles = map(json.loads, told.read_text().splitlines())
    return sorted(n["eventID"] for n in needles if n["eventName"] in CALLS.get(n["eventSource"], ()) and n["identity"] in IDENTITIES)


def report(known, truth):
    """Prints the table, and says where answers differ."""
    unpacking = known[0].cpu
    print("| what | CPU s | wall s | ÷ gunzip | findings |\n|---|---:|---:|---:|---:|")
    for peer in known:
        found = len(peer.found) if isinstance(peer.found, list) else peer.found
        count = "–" if found is None else f"{found:,}"
        print(f"| {peer.name} | {peer.cpu:.2f} | {peer.seconds:.2f} | {peer.cpu / unpacking:.2f} | {count} |")
    answers = {peer.name: sorted(peer.found) for peer in known if isinstance(peer.found, list)}
    if truth is None:
        truth = next(iter(answers.values()))
    else:
        print(f"\nThe generator says: {len(truth):,} records.")
    wrong = [name for name, answer in answers.items() if answer != truth]
    for name in wrong:
        missed, more = set(truth) - set(answers[name]), set(answers[name]) - set(truth)
        print(f"{name}: {len(answers[name])} records; {len(missed)} missed {sorted(missed)[:5]}, {len(more)} more {sorted(more)[:5]}")
    if wrong:
        sys.exit("the answers differ")
    print(f"All {len(answers)} answers are the same {len(truth):,} records.")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--records", type=int, default=200_000)
    arguments.add_argument("--files", type=int, default=24)
    arguments.add_argument("--rounds", type=int, default=9)
    arguments.add_argument("--tool", type=Path)
    arguments.add_argument("--archive", type=Path)
    arguments.add_argument("--shipped", default="6573892")
    arguments.add_argument("--million", type=int, default=1_000_000)
    arguments.add_argument("--large-archive", type=Path)
    arguments.add_argument("--play", nargs=2, help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.play:
        name, files = asked.play
        return print("\n".join(IN_PYTHON[name]([Path(line) for line in Path(files).read_text().splitlines()])))
    tool = built(asked.tool).resolve()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        archive = asked.archive or generated(folder / "archive", asked.records, asked.files)
        known = list(peers(tool, archive, folder, asked.shipped))
        for turn in range(asked.rounds):
            # Nobody is always the one after the same.
            for peer in known[turn % len(known) :] + known[: turn % len(known)]:
                if turn % 3 == 0 or peer.cpu < SLOW * known[0].cpu:
                    peer.run()
            print(f"round {turn + 1} of {asked.rounds}", file=sys.stderr, flush=True)
        report(known, generator_says(archive))
        if asked.million:
            large = asked.large_archive or generated(folder / "large", asked.million, 110)
            runs = [Run([tool, "backtest", "--threads", "2", "--rules", ROOT / "rules.json", logs(large)]) for _ in range(3)]
            most = max(run.megabytes for run in runs)
            print(f"\n{asked.million:,} records, the shipped rules, two threads: {most:.0f} MB at most, {min(run.cpu for run in runs):.2f} s of CPU")


if __name__ == "__main__":
    main()
