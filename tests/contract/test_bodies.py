"""Each body against its vendor's schema: `overlays/` has the rules that the vendors' own files omit."""

import json

import pytest
from conftest import schema
from jsonschema import Draft6Validator, Draft202012Validator, FormatChecker
from local import assert_slack_accepts

KINDS = {"first", "repeat", "roll-up", "digest", "operational", "test"}
FINDINGS = {"minimal", "full", "hostile", "maximal", "quotes", "wide"}


def bodies(requests, channel, step):
    """Case and body; every case must be there, so that none of the tests below tests nothing."""
    found = [(r["case"], json.loads(r["body"])) for r in requests if (r["channel"], r["step"]) == (channel, step)]
    assert {case for case, _ in found} == {f"{f} {k}" for f in FINDINGS for k in KINDS}
    return found


def valid(validator, body, case):
    errors = [f"{case}: {'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in validator.iter_errors(body)]
    assert not errors, errors[:5]


def strict(path):
    return Draft202012Validator(schema(path), format_checker=FormatChecker())


def test_pagerduty(requests):
    for case, event in bodies(requests, "pagerduty", "post"):
        valid(strict("overlays/pagerduty-event.schema.json"), event, case)


def test_zendesk_tickets(requests):
    for case, ticket in bodies(requests, "zendesk", "open"):
        valid(strict("overlays/zendesk-ticket-create.schema.json"), ticket, case)


def test_zendesk_comments(requests):
    """An update needs no subject; what it holds is held to the same."""
    update = schema("overlays/zendesk-ticket-create.schema.json")
    update["properties"]["ticket"]["required"] = ["comment"]
    for case, ticket in bodies(requests, "zendesk", "comment"):
        valid(Draft202012Validator(update), ticket, case)


def test_servicenow_incidents(requests):
    for case, incident in bodies(requests, "servicenow", "open"):
        valid(strict("overlays/servicenow-incident.schema.json"), incident, case)


def test_servicenow_notes(requests):
    note = schema("overlays/servicenow-incident.schema.json") | {"required": ["work_notes"]}
    for case, incident in bodies(requests, "servicenow", "comment"):
        valid(Draft202012Validator(note), incident, case)


def test_teams(requests):
    """Microsoft's schema knows nothing of `msteams`, Teams's own addition."""
    validator = Draft6Validator(schema("teams/adaptive-card-1.4.0.json"))
    for case, message in bodies(requests, "teams", "post"):
        [attachment] = message["attachments"]
        card = attachment["content"]
        assert card.pop("msteams") == {"width": "full"}
        assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        valid(validator, card, case)


def test_slack(requests):
    """The Rust tests ask the crate of the same name, which is another implementation."""
    for _, message in bodies(requests, "slack", "post"):
        assert_slack_accepts(message)


def test_a_schema_that_is_broken_is_noticed(requests):
    """The validators above can fail."""
    _, event = bodies(requests, "pagerduty", "post")[0]
    event["payload"]["severity"] = "worst"
    with pytest.raises(AssertionError, match="payload/severity"):
        valid(strict("overlays/pagerduty-event.schema.json"), event, "broken")
