"""Each body against its vendor's schema: `overlays/` has the rules that the vendors' own files omit."""

import json

import pytest
from conftest import schema
from desk import channel_types, contract, pointed
from jsonschema import Draft6Validator, Draft202012Validator, FormatChecker
from jsonschema.validators import validator_for
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


def validator(channel: str, step: str) -> Draft202012Validator:
    """The schema that a channel's file names for a step. A comment needs less than what opens a ticket, and is held to the same."""
    said = contract(channel)
    document = schema(said["schemas"][step])
    if step == "comment":
        for pointer, required in said.get("required_of_a_comment", {}).items():
            part = document
            for key in pointer.split("/")[1:]:
                part = part[key]
            part["required"] = required
    return Draft202012Validator(document, format_checker=FormatChecker())


STEPS = [(channel, step) for channel in channel_types() for step in contract(channel).get("schemas", {})]


@pytest.mark.parametrize(("channel", "step"), STEPS)
def test_each_body_is_valid_by_its_schema(requests, channel, step):
    for case, body in bodies(requests, channel, step):
        valid(validator(channel, step), body, case)


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


PARTS = [(channel, step, pointer) for channel in channel_types() for step, parts in contract(channel).get("parts", {}).items() for pointer in parts]


@pytest.mark.parametrize(("channel", "step", "pointer"), PARTS)
def test_a_part_of_each_body_is_valid_by_a_schema_of_its_own(requests, channel, step, pointer):
    document = schema(contract(channel)["parts"][step][pointer])
    for case, body in bodies(requests, channel, step):
        valid(validator_for(document)(document), pointed(body, pointer), case)


def test_amazon_q(requests):
    """The notification by the schema that AWS states, and its texts by a validator of the chat that shows them."""
    validator = Draft202012Validator(schema("overlays/amazon-q-notification.schema.json"))
    cases = set()
    for request in requests:
        if request["channel"] == "sns":
            notification = json.loads(json.loads(request["message"])["https"])
            valid(validator, notification, request["case"])
            content = notification["content"]
            texts = [content["description"], *content.get("nextSteps", [])]
            header = {"type": "header", "text": {"type": "plain_text", "text": content["title"]}}
            sections = [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in texts]
            assert_slack_accepts({"text": content["title"], "blocks": [header, *sections]})
            cases.add(request["case"])
    assert cases == {f"{f} {k}" for f in FINDINGS for k in KINDS}


def test_a_schema_that_is_broken_is_noticed(requests):
    """The validators above can fail."""
    _, event = bodies(requests, "pagerduty", "post")[0]
    event["payload"]["severity"] = "worst"
    with pytest.raises(AssertionError, match="payload/severity"):
        valid(validator("pagerduty", "post"), event, "broken")
