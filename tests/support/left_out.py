"""What the tests left out. As a program it shows the list, as `make test` does at its end; as a plugin of pytest (`-p left_out`) it puts
each skipped test and the reason into it. tests/support/corpora.rs does so for the tests in Rust.

The list is the file that OFFLIMITS_LEFT_OUT names: in each line the reason, a tab, and the test."""

import os
from collections import Counter
from pathlib import Path


def pytest_runtest_logreport(report):
    if report.skipped and isinstance(report.longrepr, tuple):
        why = report.longrepr[2].removeprefix("Skipped: ")
        with Path(os.environ["OFFLIMITS_LEFT_OUT"]).open("a") as file:
            file.write(f"{why}\t{Path(report.fspath).name}\n")


def shown(lines: list[str]) -> str:
    """The list by its reasons; of the tests of one file in Python, how many."""
    reasons: dict[str, Counter] = {}
    for line in lines:
        why, _, test = line.partition("\t")
        reasons.setdefault(why, Counter())[test] += 1
    if not reasons:
        return "the tests left nothing out"
    out = ["the tests left out, wholly or in part:"]
    for why, tests in sorted(reasons.items()):
        out.append(f"  {why}:")
        out += [f"    {test}" + (f": {count}" if test.endswith(".py") else "") for test, count in sorted(tests.items())]
    return "\n".join(out)


if __name__ == "__main__":
    file = Path(os.environ["OFFLIMITS_LEFT_OUT"])
    print(shown(file.read_text().splitlines() if file.exists() else []))
