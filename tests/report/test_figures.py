"""The figures of the terminal, of the JSON and of the report are the same figures, and the CSV says what the report shows."""

import csv
import json
import re

import many
import pytest
from conftest import SEVERITIES, backtest, record, report
from places import CORPORA, ROOT, absent
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from test_report import HOSTILE, look_at, open_report, whole


def number(text: str) -> int:
    return int(text.replace(",", ""))


def tables(browser, selector: str) -> list[list[str]]:
    """The cells of a table's body."""
    script = f"return [...document.querySelectorAll('{selector} tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))"
    return browser.execute_script(script)


def names(browser, kind: str) -> dict[str, int]:
    script = f"return [...document.querySelectorAll('[data-filter={kind}]')].map((b) => [b.dataset.value, b.querySelector('.count').textContent])"
    return {name: number(count) for name, count in browser.execute_script(script)}


def invictus() -> tuple[list[dict], dict]:
    path = CORPORA / "invictus-ir/records.json"
    if not path.exists():
        pytest.skip(absent(path))
    shipped = json.loads((ROOT / "rules.json").read_text())
    return json.loads(path.read_text())["Records"], shipped


def generated() -> tuple[list[dict], dict]:
    rules = many.rules()
    rules["rules"][2]["mode"] = "stage"
    rules["rules"][5]["threshold"] = {"count": 3, "window": "1h"}
    rules["rules"].append({"id": "SILENT", "title": "Nothing", "severity": "low", "when": {"event": "^NobodyCallsThis"}})
    rules["channels"]["pager"] = {"type": "pagerduty", "min_severity": "very-high"}
    records = many.records(3000)
    # Some come twice, and some have no time.
    odd = [record(n, eventName="StopLogging", eventTime=None) for n in range(3)]
    return records + records[:100] + odd, rules


@pytest.mark.parametrize("archive", [generated, invictus])
def test_terminal_json_and_report_agree(browser, tmp_path, archive):
    records, rules = archive()
    accounts = {records[0]["recipientAccountId"]: {"name": "production"}}
    more = {"rules_are": rules, "accounts": accounts}
    told = re.sub(r"\x1b\[[0-9;]*m", "", backtest(tmp_path, records, "--report", "report.html", "--top", "1000", **more))
    said = json.loads(backtest(tmp_path, records, "--format", "json", "--top", "1000", **more))
    lines = [json.loads(line) for line in backtest(tmp_path, records, "--format", "jsonl", **more).splitlines()]
    open_report(browser, (tmp_path / "report.html").as_uri())
    findings = said["findings"]
    assert len(lines) == findings + said["repeats"]

    # The terminal and the JSON.
    assert number(re.search(r"([\d,]+) findings? in ", told)[1]) == findings
    assert number(re.search(r"^([\d,]+) messages? = ", told, re.MULTILINE)[1]) == said["messages"]
    for rule in said["rules"]:
        line = re.search(rf"^{re.escape(rule['rule'])} +(\S+) +([\d,]+) +([\d,]+)", told, re.MULTILINE)
        assert (line[1], number(line[2]), number(line[3])) == (rule["severity"], rule["findings"], rule["alerts"])

    # The report.
    assert browser.find_element(By.TAG_NAME, "h1").text == f"{findings:,} findings"
    tiles = [number(tile.text) for tile in browser.find_elements(By.CSS_SELECTOR, ".tile .value")]
    assert tiles == [findings, said["messages"], said["worst_day"]["count"], len(said["rules"]), said["actors"]["distinct"]]
    of_page = {row[0]: row for row in tables(browser, ".rules")}
    assert len(of_page) == len(said["rules"])
    for rule in said["rules"]:
        [row] = [row for name, row in of_page.items() if re.search(rf"{re.escape(rule['rule'])}( ·|$)", name)]
        assert (number(row[2]), number(row[3])) == (rule["findings"], rule["messages"])
        assert row[1].lower().replace(" ", "-") == rule["severity"]
        assert row[4] == f"{rule['worst_day']['day']}: {rule['worst_day']['count']:,}"
    assert len(browser.find_elements(By.CSS_SELECTOR, ".silent li")) == len(said["silent"])
    headings = [th.get_attribute("textContent").lower().replace(" ", "_").replace("-", "_") for th in browser.find_elements(By.CSS_SELECTOR, ".channels thead th")]
    for row in tables(browser, ".channels"):
        [channel] = [channel for channel in said["channels"] if channel["channel"] == row[0]]
        figures = dict(zip(headings[1:], map(number, row[1:]), strict=True))
        assert figures == {key: channel[key] for key in figures}
        assert figures["findings"] == sum(figures.get(key, 0) for key in ["alerts", "held_back", "digested", "merged", "duplicates", "below_threshold"])
    for kind, said_of in [("actor", "actors"), ("address", "addresses")]:
        top = {name["name"]: name["findings"] for name in said[said_of]["names"]}
        of_report = names(browser, kind)
        assert of_report and all(top.get(name, 0) == count for name, count in of_report.items() if len(name) < 60)
    severities = {level.split(" ", 1)[1].replace(" ", "-"): number(level.split(" ")[0]) for level in
                  [item.text for item in browser.find_elements(By.CSS_SELECTOR, ".levels button")]}
    first = {line["id"]: line for line in reversed(lines)} if "id" in lines[0] else None
    assert sum(severities.values()) == findings
    assert sum(names(browser, "region").values()) == findings
    of_accounts = names(browser, "account")
    assert any(name.startswith("production (") for name in of_accounts)

    # The groups are made of the same findings, and so are the filters.
    groups = whole(browser)
    assert sum(number(re.match(r"[\d,]+", group["count"])[0]) for group in groups) == findings
    if first:
        of_lines = {severity: sum(line["severity"] == severity for line in first.values()) for severity in SEVERITIES}
        assert severities == {severity: count for severity, count in of_lines.items() if count}
    for severity, count in severities.items():
        browser.find_element(By.CSS_SELECTOR, f".levels [data-value={severity}]").click()
        assert browser.find_element(By.CSS_SELECTOR, ".shown").text.startswith(f"{count:,} of {findings:,} findings")
    for rule in said["rules"][:5]:
        browser.execute_script(f"document.querySelector('.rules [data-value=\"{rule['rule']}\"]').click()")
        assert browser.find_element(By.CSS_SELECTOR, ".shown").text.startswith(f"{rule['findings']:,} of ")
    # A finding counts for each technique of its rule.
    tags = {rule["id"]: rule.get("tags", []) for rule in rules["rules"]}
    for technique in browser.find_elements(By.CSS_SELECTOR, ".attack [data-filter=technique]")[:5]:
        name, count = technique.get_attribute("data-value"), number(technique.get_attribute("textContent").split()[0])
        browser.execute_script("arguments[0].click()", technique)
        assert browser.find_element(By.CSS_SELECTOR, ".shown").text.startswith(f"{count:,} of "), (name, tags)
    made = browser.find_element(By.CSS_SELECTOR, ".made").text
    assert "offlimits backtest log.json --report report.html --top 1000" in made and re.search(r"Made \d{4}-\d\d-\d\d \d\d:\d\d:\d\d by offlimits \d", made)


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1+1", "a;=1+1", 'a";"=cmd|x', "a,=1", "'=1", '"=1', "a\n=1"]


@pytest.fixture
def saved(browser, tmp_path):
    """Presses the button, and reads the file that the browser saves."""
    folder = tmp_path / "saved"
    folder.mkdir()
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})

    def save() -> list[dict]:
        for old in folder.iterdir():
            old.unlink()
        browser.find_element(By.CSS_SELECTOR, ".csv").click()
        WebDriverWait(browser, 20).until(lambda _: [file for file in folder.iterdir() if file.suffix == ".csv" and file.stat().st_size])
        [file] = [file for file in folder.iterdir() if file.suffix == ".csv"]
        text = file.read_bytes().decode("utf-8-sig")
        assert file.read_bytes().startswith(b"\xef\xbb\xbf") and text.endswith("\r\n")
        return list(csv.DictReader(text.splitlines(keepends=True), strict=True))

    yield save
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "deny"})


def test_the_csv_is_what_is_shown(browser, tmp_path, saved):
    records = [record(n, requestParameters={"userName": f"target{n % 3}"}, errorCode=["AccessDenied", None][n % 2]) for n in range(300)]
    open_report(browser, report(tmp_path, records) + "#q=user3")
    lines, groups = saved(), whole(browser)
    assert [(line["Actor"], line["Target"], line["Findings"], line["First (UTC)"], line["Last (UTC)"]) for line in lines] == [
        (group["who"], group["target"], re.match(r"[\d,]+", group["count"])[0], group["time first"], group["time last"]) for group in groups]
    assert {line["Accounts"] for line in lines} == {"111122223333"}
    look_at(browser, "findings")
    lines, findings = saved(), whole(browser)
    assert len(lines) == len([n for n in range(300) if n % 9 == 3])
    assert [(line["Time (UTC)"], line["Actor"], line["Address"]) for line in lines] == [(f["time"], f["who"], f["from"]) for f in findings]
    # Each is of the record that it names.
    for line in lines:
        number_of = int(line["Event ID"][-12:])
        of = records[number_of]
        assert (line["Event"], line["User agent"] or None) == (of["eventName"], of.get("userAgent"))
        assert json.loads(line["Request"]) == of["requestParameters"]
        assert line["Title"].startswith("DENIED: ") == (number_of % 2 == 0)


def test_no_cell_is_a_formula(browser, tmp_path, saved):
    texts = FORMULAS + HOSTILE
    records = [record(5 * n + 4, userAgent=text, userIdentity={"type": "IAMUser", "userName": text}, requestParameters={"userName": text}, awsRegion=text,
                      errorCode=text, errorMessage=text) for n, text in enumerate(texts)]
    open_report(browser, report(tmp_path, records))
    for view in ["groups", "findings"]:
        look_at(browser, view)
        lines = saved()
        assert len(lines) >= len(texts) - 3 if view == "groups" else len(lines) == len(texts)
        cells = [cell for line in lines for cell in line.values()]
        assert any(cell.startswith("'=") for cell in cells)
        for text in cells:
            # As a spreadsheet reads it whose separator is the comma, the semicolon or the tab.
            for part in re.split(r"[;\t]", text):
                assert not re.match(r"[\s\"']*(?<!')[=+\-@＝＋－＠]", part) or re.match(r"\s*[\"']*'", part), repr(text)
