"""A real browser, and reports for it to show."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from places import TOOL  # noqa: E402

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

SEVERITIES = ["low", "medium", "high", "very-high", "extreme"]


def started():
    """A browser without a window, and without anything that it would ask of a network by itself."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    quiet = ["disable-background-networking", "disable-component-update", "disable-sync", "disable-quic", "no-first-run"]
    for argument in ["headless", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", *quiet]:
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(DRIVER))


@pytest.fixture(scope="session")
def browser():
    if not BROWSER or not DRIVER:
        pytest.skip("chromium and chromium-driver are not installed")
    driver = started()
    yield driver
    driver.quit()


def rules() -> dict:
    """A rule for each severity, told by the event's name."""
    return {
        "channels": {"topic": {"type": "sns"}},
        "rules": [
            {"id": f"R-{severity}", "title": "{event} by {actor}", "severity": severity,
             "description": "<b>Nobody</b> does this.", "when": {"event": f"^{severity}"}}
            for severity in SEVERITIES
        ],
    }


def record(number: int, **changes) -> dict:
    severity = SEVERITIES[number % 5]
    return {
        "eventVersion": "1.08", "eventID": f"00000000-0000-4000-8000-{number:012}", "eventName": f"{severity}Event{number}",
        "eventSource": "iam.amazonaws.com", "awsRegion": "eu-west-1", "recipientAccountId": "111122223333",
        "eventTime": f"2025-03-{1 + number % 28:02}T10:{number % 60:02}:00Z", "sourceIPAddress": f"192.0.2.{number % 7}",
        "userIdentity": {"type": "IAMUser", "userName": f"user{number % 9}"}, "requestParameters": {"number": f"n{number}"},
    } | changes


def backtest(folder: Path, records: list[dict], *more: str, rules_are: dict | None = None, accounts: dict | None = None) -> str:
    """What `offlimits backtest` prints of these records."""
    (folder / "rules.json").write_text(json.dumps(rules_are or rules()))
    (folder / "log.json").write_text(json.dumps({"Records": records}))
    if accounts:
        (folder / "accounts.json").write_text(json.dumps(accounts))
    run = subprocess.run([TOOL, "backtest", "log.json", *more], cwd=folder, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    return run.stdout


def report(folder: Path, records: list[dict], **more: dict) -> str:
    """The address of a report on these records."""
    backtest(folder, records, "--report", "report.html", **more)
    return (folder / "report.html").as_uri()
