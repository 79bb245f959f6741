"""The function alone, under Lambda's Runtime Interface Emulator, against a local AWS."""

import json
import re

import pytest
from conftest import HERE, sample
from local import Function, assert_slack_accepts, package, serve

RULES = HERE / "rules.json"


@pytest.fixture
def function(aws, slack, bootstrap, tmp_path):
    variables, topic = serve(aws, slack, json.loads(RULES.read_bytes()))
    with Function(package(tmp_path / "code", RULES), variables, tmp_path / "function.log") as function:
        function.inbox, function.slack = aws.listen(topic), slack
        yield function


def test_an_event_in_and_its_alerts_out(function):
    summary = function.invoke(sample("start-instances"))
    assert summary["records"] == 1, summary
    assert function.inbox.next()["MessageAttributes"]["severity"]["Value"] == "very-high"
    [message] = function.slack.received
    assert_slack_accepts(message)


def test_it_stays_warm_and_says_so_when_a_delivery_fails(function):
    """Slack refuses for good: the answer is an error, SNS has had its alert, and the next event is handled as ever."""
    function.slack.status, function.slack.body = 404, "no_service"
    answer = function.invoke(sample("start-instances"))
    assert answer == {"errorType": "Undelivered", "errorMessage": "1 deliveries did not complete: soc"}
    assert function.inbox.next()
    function.slack.status, function.slack.body = 200, "ok"
    assert function.invoke(sample("delete-trail"))["records"] == 1
    assert len(function.slack.received) == 1


def test_its_log_is_json_and_holds_no_secret(function):
    function.invoke(sample("start-instances"))
    log = function.log.read_text()
    assert function.slack.url not in log and "AKIAIOSFODNN7EXAMPLE" not in log
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    # Without both, Lambda's filter takes a line for INFO.
    for line in lines:
        assert line["level"] in {"DEBUG", "INFO", "WARN", "ERROR"}, line
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", line["timestamp"]), line
    assert [line for line in lines if "Records" in line], "the metrics"


def test_what_matches_nothing_is_counted_with_the_next_line(function):
    """The first event of a process is told at once; further ones that match nothing wait, and an alert is told with them."""

    def metrics():
        lines = [json.loads(line) for line in function.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if "_aws" in line]

    quiet = sample("describe-instances")
    for _ in range(7):
        assert function.invoke(quiet)["findings"]["total"] == 0
    # One of them may be the first of a new slot of the clock.
    before = metrics()
    assert 1 <= len(before) <= 2 and all(len(json.dumps(line)) < 400 for line in before), before
    function.invoke(sample("start-instances"))
    *_, told = metrics()
    assert sum(line["Records"] for line in metrics()) == 8
    assert (told["Findings"], told["LogLevel"]) == (1, "INFO")
    names = [metric["Name"] for metric in told["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    assert "Records" in names and len(metrics()) <= 3


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARN", "ERROR"])
def test_no_log_level_drops_metrics_or_errors(aws, slack, bootstrap, tmp_path, level):
    """Lambda's own filter is fixed at DEBUG; ours never touches what the alarms live on."""
    variables, _ = serve(aws, slack, json.loads(RULES.read_bytes()))
    slack.status, slack.body = 404, "no_service"
    variables |= {"OFFLIMITS_LOG_LEVEL": level, "AWS_LAMBDA_LOG_LEVEL": "DEBUG"}
    with Function(package(tmp_path / "code", RULES), variables, tmp_path / "function.log") as function:
        function.invoke(sample("start-instances"))
        lines = [json.loads(line) for line in function.log.read_text().splitlines() if line.startswith("{")]
    order = ["DEBUG", "INFO", "WARN", "ERROR"]
    ours = [line for line in lines if "Records" not in line]
    assert len(lines) > len(ours), "the metrics"
    assert [line for line in ours if line["level"] == "ERROR"]
    assert all(order.index(line["level"]) >= order.index(level) for line in ours)


@pytest.mark.parametrize("event", [{}, [], None, "text", 7, {"Records": []}, {"detail": None}], ids=str)
def test_what_is_no_event_of_cloudtrails_does_no_harm(function, event):
    function.invoke(event)
    assert function.invoke(sample("start-instances"))["records"] == 1
    assert len(function.slack.received) == 1


def test_rules_that_do_not_compile_stop_the_start(aws, slack, bootstrap, tmp_path):
    """Half a rule set never runs: the log says what is wrong, and every invocation fails."""
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps({"rules": [{"id": "X", "title": "x", "severity": "high", "when": {"evnt": "A"}}]}))
    variables, _ = serve(aws, slack, {})
    with Function(package(tmp_path / "code", wrong, index=False), variables, tmp_path / "function.log") as function:
        answer = function.invoke(sample("start-instances"))
        assert "errorType" in answer, answer
        assert "evnt" in function.log.read_text()
