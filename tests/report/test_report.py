"""The report in a real browser: it works, asks nothing of any network, and lets no record speak for itself."""

import base64
import json
import os

import pytest
from conftest import record, report
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


def show(browser, address, size="desktop", scheme="light", medium="screen"):
    width, height = SIZES[size]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": medium, "features": features})
    browser.get_log("browser"), browser.get_log("performance")
    browser.get(address)


def requests(browser) -> list[str]:
    """The addresses that the browser asked for since the page was shown."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


def shown(browser) -> list[dict]:
    """The data of the rows that are shown, in their order."""
    rows = "[...document.querySelectorAll('.findings tbody tr')].filter((row) => row.checkVisibility())"
    return browser.execute_script(f"return {rows}.map((row) => ({{ ...row.dataset }}))")


def status(browser) -> str:
    return browser.find_element(By.CSS_SELECTOR, ".shown").text


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return report(tmp_path_factory.mktemp("report"), [record(number) for number in range(200)])


def test_it_asks_nothing_of_any_network_and_complains_of_nothing(browser, page):
    show(browser, page)
    browser.find_element(By.CSS_SELECTOR, ".more summary").click()
    assert requests(browser) == [page]
    assert browser.get_log("browser") == []


def test_text_severity_rule_and_time_filter_the_table(browser, page):
    show(browser, page)
    assert (len(shown(browser)), status(browser)) == (200, "200 findings")
    search = browser.find_element(By.NAME, "text")
    search.send_keys("USER3 192.0.2.1")
    expected = [n for n in range(200) if n % 9 == 3 and n % 7 == 1]
    assert (len(shown(browser)), status(browser)) == (len(expected), f"{len(expected)} of 200 findings")
    # What stands in the details is found, too.
    search.clear()
    search.send_keys('"n17"')
    assert len(shown(browser)) == 1
    search.send_keys(Keys.CONTROL, "a", Keys.NULL, Keys.DELETE)
    # By keyboard: a chip is a checkbox.
    browser.find_element(By.CSS_SELECTOR, "[name=severity][value=extreme]").send_keys(Keys.SPACE)
    assert len(shown(browser)) == 160
    Select(browser.find_element(By.NAME, "rule")).select_by_value("R-low")
    assert {row["severity"] for row in shown(browser)} == {"low"}
    browser.find_element(By.CSS_SELECTOR, ".clear").click()
    assert len(shown(browser)) == 200
    browser.execute_script("document.querySelector('.bar').dispatchEvent(new Event('click'))")
    assert {row["time"][:6] for row in shown(browser)} == {"174082"}
    assert "2025-03-01" in browser.find_element(By.CSS_SELECTOR, ".chosen").text
    browser.find_element(By.CSS_SELECTOR, ".chosen").click()
    assert len(shown(browser)) == 200
    browser.find_element(By.CSS_SELECTOR, "[data-filter=text][data-value='user4']").click()
    assert {row["actor"] for row in shown(browser)} == {"user4"}


def test_the_table_is_sorted_as_asked(browser, page):
    show(browser, page)
    ranks = [int(row["rank"]) for row in shown(browser)]
    assert ranks == sorted(ranks, reverse=True)
    for order, key, reverse in [("time", "time", False), ("-time", "time", True), ("actor", "actor", False)]:
        Select(browser.find_element(By.NAME, "sort")).select_by_value(order)
        values = [row[key] for row in shown(browser)]
        assert values == sorted(values, reverse=reverse)
        heading = browser.find_element(By.CSS_SELECTOR, "th[aria-sort]")
        assert heading.get_attribute("aria-sort") == ("descending" if reverse else "ascending")


CONTRAST = """
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
// Colours as painted, one over the other: `color-mix` included.
const paint = (...colours) => { canvas.clearRect(0, 0, 1, 1); for (const c of colours) { canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); }
  return canvas.getImageData(0, 0, 1, 1).data; };
const light = (d) => { const [r, g, b] = [0, 1, 2].map((i) => { const c = d[i] / 255; return c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; });
  return .2126 * r + .7152 * g + .0722 * b; };
const low = [];
for (const element of document.querySelectorAll("body *")) {
  const text = Array.from(element.childNodes).some((n) => n.nodeType === 3 && n.data.trim());
  if (!text || !element.checkVisibility() || element.matches("script, style, title, option")) continue;
  const layers = [];
  for (let e = element; e; e = e.parentElement) layers.unshift(getComputedStyle(e).backgroundColor);
  const style = getComputedStyle(element);
  const back = light(paint("#fff", ...layers)), front = light(paint("#fff", ...layers, element instanceof SVGElement ? style.fill : style.color));
  const ratio = (Math.max(back, front) + .05) / (Math.min(back, front) + .05);
  if (ratio < 4.5) low.push([element.tagName, element.getAttribute("class"), element.textContent.slice(0, 30), ratio]);
}
return low.slice(0, 20);
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_can_be_read(browser, page, size, scheme):
    show(browser, page, size, scheme)
    browser.find_element(By.CSS_SELECTOR, ".more summary").click()
    width = browser.execute_script("return document.documentElement.scrollWidth")
    assert width <= SIZES[size][0], "nothing hangs over the edge"
    # WCAG 2.2, 1.4.3.
    assert browser.execute_script(CONTRAST) == []
    unnamed = "return [...document.querySelectorAll('input, select')].filter((e) => !e.labels.length).length"
    assert browser.execute_script(unnamed) == 0
    if folder := os.environ.get("SCREENSHOTS"):
        shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True})
        with open(f"{folder}/{size}-{scheme}.png", "wb") as file:
            file.write(base64.b64decode(shot["data"]))


def test_it_prints_dark_on_white_and_without_its_controls(browser, page):
    show(browser, page, scheme="dark", medium="print")
    assert not browser.find_element(By.CSS_SELECTOR, ".filters").is_displayed()
    colours = "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
    assert browser.execute_script(colours) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {})["data"]).startswith(b"%PDF")


def test_it_can_be_read_without_its_script(browser, page):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        show(browser, page)
        rows = browser.find_elements(By.CSS_SELECTOR, ".findings tbody tr")
        assert len(rows) == 200 and rows[0].is_displayed() and rows[-1].is_displayed()
        assert not browser.find_element(By.CSS_SELECTOR, ".filters").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


HOSTILE = [
    "<script>window.owned=1</script>", "</script><script>window.owned=1</script>", "\"><img src=x onerror=window.owned=1>",
    "' onmouseover='window.owned=1", "<svg onload=window.owned=1>", "</td></tr></table><iframe src='javascript:window.owned=1'>",
    "javascript:window.owned=1", "{{constructor.constructor('window.owned=1')()}}", "</style><style>*{display:none}",
    "</title><script>window.owned=1</script>", "<a href='javascript:window.owned=1'>x</a>", "\u202egnp.exe", "\0\x1b[2J", "]]>", "&lt;b&gt;",
    "<base href='//evil.example/'>", "<meta http-equiv=refresh content='0;url=//evil.example'>", "<!--", "<plaintext>",
]


def test_no_record_speaks_for_itself(browser, tmp_path):
    records = []
    for number, text in enumerate(HOSTILE):
        texts = dict.fromkeys(["eventID", "eventSource", "awsRegion", "sourceIPAddress", "userAgent", "errorCode", "errorMessage"], text)
        identity = {"type": text, "userName": text, "arn": text, "principalId": text, "accessKeyId": text}
        record_of = record(number, **texts, userIdentity=identity, requestParameters={text: text}, recipientAccountId=text)
        records.append(record_of | {"eventName": f"extreme{text}"})
    show(browser, report(tmp_path, records))
    rows = shown(browser)
    assert len(rows) == len(HOSTILE)
    for summary in browser.find_elements(By.CSS_SELECTOR, ".more summary"):
        summary.click()
    for name in browser.find_elements(By.CSS_SELECTOR, "[data-filter=text]"):
        name.click()
    # Every text stands on the page as it was written, but for what would make it say something else.
    text = browser.find_element(By.TAG_NAME, "body").get_attribute("textContent")
    for hostile in HOSTILE:
        assert hostile.replace("\u202e", "").replace("\0\x1b", "").strip() in text.replace("\u202e", "")
    assert "\u202e" not in text and "\x1b" not in text
    made = "return [window.owned, document.querySelectorAll('script').length, document.querySelectorAll('img, iframe, base, plaintext').length]"
    assert browser.execute_script(made) == [None, 1, 0]
    links = [link.get_attribute("href") for link in browser.find_elements(By.CSS_SELECTOR, "main a")]
    assert all(link.startswith("https://") for link in links)
    assert browser.get_log("browser") == []
    # Were one to slip through, the policy would stop it.
    browser.execute_script("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.owned=1>')")
    assert browser.execute_script("return window.owned") is None
    assert any("Content Security Policy" in entry["message"] for entry in browser.get_log("browser"))


def test_a_large_archive_makes_no_large_page(browser, tmp_path):
    records = [record(number, userAgent="x" * 1000, requestParameters={"text": "y" * 5000}) for number in range(2500)]
    address = report(tmp_path, records)
    assert (tmp_path / "report.html").stat().st_size < 12_000_000
    show(browser, address)
    assert status(browser) == "2,000 findings"
    note = browser.find_element(By.CSS_SELECTOR, "#findings .warning").text
    assert "500 others are counted above, and not listed" in note
    # The least severe are left out.
    assert browser.find_elements(By.CSS_SELECTOR, "tr[data-severity=low]") == []
