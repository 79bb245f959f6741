"""How long readers take for ten million records, what memory and processor time they and the merge need, and what `backtest` needs for the same files. Run
by hand, after `make history`:

  PYTHONPATH=tests/support .venv/test/bin/python -B tests/evidence/history.py [RECORDS [COPIES [READERS]]]     (1000000, 10 and 1,2,4 unless told)

../shared/data/corpus/generate.py makes RECORDS records; they lie under COPIES days, each with its own prefix, so that all but the first copy are repeats to
whoever counts findings. S3 is a program here that gives these files from the disk, and hands the bucket of results to a local AWS. Each reader has one
processor, as a function of 1,769 MB has. It prints a table, and fails where a report is not what `backtest` says, or where a reader or the merge has more
than 200 MB.
"""

import functools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/stack"))
from forwarder import Forwarder, served  # noqa: E402
from history import History  # noqa: E402
from local import Aws  # noqa: E402
from places import CORPORA  # noqa: E402

PAGE = 1000
print = functools.partial(print, flush=True)
TICKS = os.sysconf("SC_CLK_TCK")


class Disk(Forwarder):
    """The bucket `trail`, whose objects are files; everything else is the local AWS's."""

    files: dict[str, Path] = {}
    aws = ""

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        bucket, _, key = urllib.parse.unquote(url.path).lstrip("/").partition("/")
        if bucket != "trail":
            return self.hand_on(self.aws)
        if not key:
            return self.answer(200, self.listed(urllib.parse.parse_qs(url.query)))
        path = self.files[key]
        with path.open("rb") as file:
            self.send_response(200)
            self.send_header("ETag", f'"{path.stat().st_size}"')
            self.send_header("Content-Length", str(path.stat().st_size))
            self.end_headers()
            self.wfile.flush()
            self.connection.sendfile(file)

    def do_PUT(self):
        self.hand_on(self.aws, self.body())

    def listed(self, query) -> bytes:
        get = lambda name: query.get(name, [""])[0]
        prefix, delimiter = get("prefix"), get("delimiter")
        after = get("continuation-token") or get("start-after")
        found, folders, last = [], [], ""
        for key in sorted(self.files):
            if not key.startswith(prefix) or key <= after:
                continue
            if delimiter and delimiter in key[len(prefix) :]:
                folder = prefix + key[len(prefix) :].split(delimiter)[0] + delimiter
                if folder not in folders:
                    folders.append(folder)
                continue
            if len(found) == PAGE:
                break
            found.append(key)
            last = key
        else:
            last = ""
        size = lambda key: self.files[key].stat().st_size
        contents = "".join(f"<Contents><Key>{escape(k)}</Key><ETag>&quot;{size(k)}&quot;</ETag><Size>{size(k)}</Size></Contents>" for k in found)
        prefixes = "".join(f"<CommonPrefixes><Prefix>{escape(f)}</Prefix></CommonPrefixes>" for f in folders)
        token = f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if last else ""
        return f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{contents}{prefixes}{token}</ListBucketResult>'.encode()


class Watched(threading.Thread):
    """The most memory, and the processor time, of the functions' processes, by what they are."""

    def __init__(self, history):
        super().__init__(daemon=True)
        self.history, self.memory, self.seconds, self.stop = history, {}, {}, False

    def run(self):
        while not self.stop:
            for pid in self.history.readers():
                try:
                    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                    kind = "merge" if any(b"FUNCTION_NAME" in one and b"Merger" in one for one in environment) else "reader"
                    status = Path(f"/proc/{pid}/status").read_text()
                    most = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
                    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                except (OSError, StopIteration):
                    continue
                self.memory[kind] = max(self.memory.get(kind, 0), most / 1000)
                self.seconds[pid, kind] = (int(stat[11]) + int(stat[12])) / TICKS
            time.sleep(0.1)

    def processor(self, kind):
        return sum(seconds for (_, one), seconds in self.seconds.items() if one == kind)


def measured(command, environment):
    """What a command prints, its wall and processor time in seconds, and its memory in MB."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(["taskset", "-c", "0", *command], env=environment, stdout=out)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        out.seek(0)
        return out.read(), time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000


def main():
    records, copies = (int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000), (int(sys.argv[2]) if len(sys.argv) > 2 else 10)
    rounds = [int(number) for number in (sys.argv[3] if len(sys.argv) > 3 else "1,2,4").split(",")]
    tool = ROOT / "target/history/offlimits"
    assert tool.exists(), "run make history first"
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        corpus = folder / "corpus"
        command = [sys.executable, CORPORA / "corpus/generate.py", "--records", str(records), "--out", corpus, "--data", CORPORA]
        corpus.mkdir()
        subprocess.run(command, check=True, capture_output=True)
        files = sorted(corpus.rglob("*.json.gz"))
        for copy in range(copies):
            day = f"AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/{copy + 1:02}"
            Disk.files |= {f"{day}/{path.name}": path for path in files}
        size = sum(path.stat().st_size for path in files) * copies
        print(f"{records * copies:,} records in {len(Disk.files):,} files of {size / 1e6:,.0f} MB")
        with served(Disk) as archive, Aws(folder, {"SFN_WAIT_SCALE": "0.05"}) as aws:
            Disk.aws = aws.variables["AWS_ENDPOINT_URL"]
            aws.environment["AWS_ENDPOINT_URL_S3"] = archive
            history = History(aws, folder, tool)
            environment = aws.environment
            rules = ["--rules", str(ROOT / "rules.json")]
            out, wall, processor, memory = measured([tool, "backtest", "s3://trail/AWSLogs/", "--threads", "1", "--format", "json", *rules], environment)
            expected = json.loads(out)
            per_gb = processor / size * 1e9
            print(f"backtest, one thread, from the same S3: {wall:.1f} s, {processor:.1f} CPU s ({per_gb:.1f} a GB), {memory:.0f} MB")
            worst = {"reader": 0.0, "merge": 0.0}
            for readers in rounds:
                bootstrap = (ROOT / "deploy/history-bootstrap").read_text().replace("exec ", "exec taskset -c $(($$ % 2)) ")
                (folder / "bootstrap").write_text(bootstrap)
                history.bootstrap = folder / "bootstrap"
                # What is deployed goes to the local AWS itself.
                del environment["AWS_ENDPOINT_URL_S3"]
                history.deploy(ArchiveBucket="trail", Readers=readers)
                environment["AWS_ENDPOINT_URL_S3"] = archive
                history.reader({"AWS_ENDPOINT_URL_S3": archive})
                # Another stack's name is another question.
                plan = history.plan("s3://trail/AWSLogs/", "--part-megabytes", "200", "--stack", f"readers-{readers}")
                watched = Watched(history)
                watched.start()
                began = time.monotonic()
                history.start(plan["plan"])
                while len(history.done(plan["rules"])) < plan["parts"]:
                    time.sleep(0.2)
                wall = time.monotonic() - began
                history.ended(plan["plan"])
                whole = time.monotonic() - began
                watched.stop = True
                watched.join()
                processor, memory = watched.processor("reader"), watched.memory
                print(
                    f"{readers} readers, {plan['parts']} parts: read in {wall:.1f} s, merged in {whole - wall:.1f} s; {processor:.1f} CPU s "
                    f"({processor / size * 1e9:.1f} a GB, {processor / size * 1e9 / per_gb:.2f} of backtest); a reader {memory['reader']:.0f} MB, the merge {memory.get('merge', 0):.0f} MB"
                )
                worst = {kind: max(most, memory.get(kind, 0)) for kind, most in worst.items()}
            out, wall, processor, memory = measured([tool, "history", "report", plan["plan"], "--format", "json"], environment)
            reported = json.loads(out)
            assert reported.pop("parts")["missing"] == 0
            assert reported == expected, "the report is not what backtest says"
            print(f"  history report: {wall:.1f} s, {processor:.1f} CPU s, {memory:.0f} MB; {reported['findings']:,} findings, {reported['repeats']:,} repeats")
            assert max(worst.values()) <= 200, worst


main()
