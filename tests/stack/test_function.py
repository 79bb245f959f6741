"""The function alone, under Lambda's Runtime Interface Emulator, against a local AWS."""

import json

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
    for line in log.splitlines():
        if line.startswith("{"):
            json.loads(line)


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
