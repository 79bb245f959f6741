"""The page of `offlimits preview --html` in a real browser: it shows every channel, runs nothing, and asks nothing of any network."""

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest
from conftest import record
from places import ROOT, TOOL
from selenium.webdriver.common.by import By
from test_report import CONTRAST, HOSTILE, SIZES, requests, show

CHANNELS = {
    "topic": {"type": "sns"}, "soc": {"type": "slack", "severity_map": {"high": "#12AB34"}}, "teams": {"type": "teams"},
    "pager": {"type": "pagerduty"}, "desk": {"type": "zendesk", "subdomain": "acme"},
    "now": {"type": "servicenow", "instance": "acme"}, "siem": {"type": "webhook"},
}
# What each type of channel is shown as.
LOOKS = ["email", "sms", "machine", "slack", "teams", "pagerduty", "zendesk", "servicenow"]


def page(folder: Path, records: list[dict], *more: str) -> str:
    """The address of a page that shows these records' alerts."""
    rules = {
        "channels": CHANNELS,
        "rules": [{"id": "R", "title": "{event} by {actor}", "severity": "high", "description": "<b>Nobody</b> does this.",
                   "runbook": "https://wiki.example.com/R", "when": {"event": {"exists": True}}}],
    }
    (folder / "rules.json").write_text(json.dumps(rules))
    (folder / "log.json").write_text(json.dumps({"Records": records}))
    command = [TOOL, "preview", "log.json", "--html", "page.html", *more]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return (folder / "page.html").as_uri()


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    events = ["security-group-opened", "put-user-policy", "sign-in-failed"]
    records = [json.loads((ROOT / f"events/{event}.json").read_bytes())["detail"] for event in events]
    return page(tmp_path_factory.mktemp("preview"), records)


def test_every_channel_is_shown_and_nothing_is_asked_of_any_network(browser, samples):
    show(browser, samples)
    looks = [article.get_attribute("class").split()[1] for article in browser.find_elements(By.CSS_SELECTOR, ".screen")]
    assert looks == 3 * [*LOOKS, "machine"]
    for summary in browser.find_elements(By.TAG_NAME, "summary"):
        summary.click()
    assert requests(browser) == [samples]
    assert browser.get_log("browser") == []
    bar = browser.find_element(By.CSS_SELECTOR, ".slack .bar")
    assert bar.value_of_css_property("border-left-color") == "rgba(18, 171, 52, 1)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_can_be_read(browser, samples, size, scheme):
    show(browser, samples, size, scheme)
    for summary in browser.find_elements(By.TAG_NAME, "summary"):
        summary.click()
    width = browser.execute_script("return document.documentElement.scrollWidth")
    assert width <= SIZES[size][0], "nothing hangs over the edge"
    # WCAG 2.2, 1.4.3.
    assert browser.execute_script(CONTRAST) == []
    if folder := os.environ.get("SCREENSHOTS"):
        shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True})
        (Path(folder) / f"preview-{size}-{scheme}.png").write_bytes(base64.b64decode(shot["data"]))


@pytest.mark.parametrize("kind", ["first", "repeat", "roll-up", "digest"])
def test_no_record_speaks_for_itself(browser, tmp_path, kind):
    records = []
    for number, text in enumerate([*HOSTILE, "x" * 3000, "<!channel> <https://evil.example|click> *b* `c`"]):
        texts = dict.fromkeys(["eventSource", "awsRegion", "sourceIPAddress", "userAgent", "errorCode", "errorMessage"], text)
        identity = {"type": text, "userName": text, "arn": text, "principalId": text, "accessKeyId": text}
        records.append(record(number, **texts, userIdentity=identity, requestParameters={text: text}, recipientAccountId=text))
    address = page(tmp_path, records, "--kind", kind, "--limit", "100")
    show(browser, address, "phone")
    assert browser.find_elements(By.CSS_SELECTOR, ".screen")
    for summary in browser.find_elements(By.TAG_NAME, "summary"):
        summary.click()
    assert browser.execute_script("return document.documentElement.scrollWidth") <= SIZES["phone"][0]
    text = browser.find_element(By.TAG_NAME, "body").get_attribute("textContent")
    assert "\u202e" not in text and "\x1b" not in text
    made = "return [window.owned, document.querySelectorAll('script, img, iframe, base, plaintext, svg, meta[http-equiv=refresh]').length]"
    assert browser.execute_script(made) == [None, 0]
    links = {link.get_attribute("href") for link in browser.find_elements(By.TAG_NAME, "a")}
    assert all(link.startswith("https://") and "evil" not in link for link in links), links
    assert requests(browser) == [address]
    assert browser.get_log("browser") == []
    # Were one to slip through, the policy would stop it.
    browser.execute_script("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.owned=1>')")
    assert browser.execute_script("return window.owned") is None
    assert any("Content Security Policy" in entry["message"] for entry in browser.get_log("browser"))
