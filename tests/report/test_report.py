"""The report in a real browser: it works, asks nothing of any network, and lets no record speak for itself."""

import base64
import json
import os
import re

import pytest
from conftest import record, report
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.ui import WebDriverWait

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


def show(browser, address, size="desktop", scheme="light", medium="screen"):
    width, height = SIZES[size]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": medium, "features": features})
    # What stands after the # alone would load nothing anew.
    browser.get("about:blank")
    browser.get_log("browser"), browser.get_log("performance")
    browser.get(address)


def open_report(browser, address, *more, view=None, **options):
    """Shows a report, and waits for its script."""
    show(browser, address, *more, **options)
    WebDriverWait(browser, 20).until(lambda _: browser.execute_script("return document.body.classList.contains('active')"))
    if view:
        look_at(browser, view)


def look_at(browser, view):
    browser.find_element(By.CSS_SELECTOR, f"[data-view={view}]").click()


def requests(browser) -> list[str]:
    """The addresses that the browser asked for since the page was shown."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


CELLS = """
const [table] = [...document.querySelectorAll("table.rows")].filter((table) => table.checkVisibility());
return [...table.tBodies[0].rows].filter((row) => row.checkVisibility()).map((row) => ({
  ...row.dataset, ...Object.fromEntries([...row.cells].map((cell) => [cell.className || "severity", cell.textContent])),
}));
"""


def shown(browser) -> list[dict]:
    """The lines that are shown, in their order: the text of each cell, and the line's data."""
    return browser.execute_script(CELLS)


def whole(browser) -> list[dict]:
    """The same of all lines, be they on the page already or not."""
    while (further := browser.find_element(By.CSS_SELECTOR, ".further")).is_displayed():
        further.click()
    return shown(browser)


def status(browser) -> str:
    return browser.find_element(By.CSS_SELECTOR, ".shown").text


def fragment(browser) -> str:
    return browser.current_url.partition("#")[2]


def open_details(browser):
    """Opens the first finding's details; returns what they say."""
    browser.find_element(By.CSS_SELECTOR, ".more summary").click()
    WebDriverWait(browser, 5).until(lambda _: browser.find_elements(By.CSS_SELECTOR, ".more dl"))
    return browser.find_element(By.CSS_SELECTOR, ".more dl").text


def empty(browser):
    browser.find_element(By.NAME, "q").send_keys(Keys.CONTROL, "a", Keys.NULL, Keys.DELETE)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return report(tmp_path_factory.mktemp("report"), [record(number) for number in range(200)])


def test_it_asks_nothing_of_any_network_and_complains_of_nothing(browser, page):
    open_report(browser, page, view="findings")
    open_details(browser)
    assert requests(browser) == [page]
    assert browser.get_log("browser") == []


def test_groups_come_first_and_open_into_their_findings(browser, page):
    open_report(browser, page)
    # No request names a target here: a group is a rule and an actor.
    groups = {(n % 5, n % 9) for n in range(200)}
    assert status(browser) == f"200 findings in {len(groups)} groups"
    lines = whole(browser)
    assert len(lines) == len(groups) and sum(int(line["count"].split()[0]) for line in lines) == 200
    assert [int(line["rank"]) for line in lines] == sorted((int(line["rank"]) for line in lines), reverse=True)
    first = lines[0]
    expected = [n for n in range(200) if n % 5 == 4 and f"user{n % 9}" == first["who"]]
    times = sorted(record(n)["eventTime"][:19].replace("T", " ") for n in expected)
    assert (first["time first"], first["time last"]) == (times[0], times[-1])
    assert first["where"] == "111122223333eu-west-1"
    browser.find_element(By.CSS_SELECTOR, ".groups .count button").click()
    lines = whole(browser)
    assert len(lines) == len(expected) and {line["who"] for line in lines} == {first["who"]}
    assert browser.execute_script("return document.activeElement.id") == "findings"
    browser.back()
    assert len(whole(browser)) == len(groups) and fragment(browser) == ""


def test_text_severity_rule_and_time_filter_the_findings(browser, page):
    open_report(browser, page, view="findings")
    assert (len(whole(browser)), status(browser)) == (200, "200 findings in 45 groups")
    search = browser.find_element(By.NAME, "q")
    search.send_keys("USER3 192.0.2.1")
    expected = [n for n in range(200) if n % 9 == 3 and n % 7 == 1]
    assert len(shown(browser)) == len(expected) and status(browser).startswith(f"{len(expected)} of 200 findings")
    # What stands in the details is found, too.
    empty(browser)
    search.send_keys('"n17"')
    assert len(shown(browser)) == 1
    empty(browser)
    search.send_keys("2025-03-05")
    assert {line["time"][:10] for line in whole(browser)} == {"2025-03-05"}
    empty(browser)
    # By keyboard: a chip is a checkbox.
    browser.find_element(By.CSS_SELECTOR, "[name=severity][value=extreme]").send_keys(Keys.SPACE)
    assert len(whole(browser)) == 160
    Select(browser.find_element(By.NAME, "rule")).select_by_value("R-low")
    assert {line["rank"] for line in whole(browser)} == {"0"}
    browser.find_element(By.CSS_SELECTOR, ".clear").click()
    assert len(whole(browser)) == 200
    browser.execute_script("document.querySelector('.bar').dispatchEvent(new Event('click'))")
    assert {line["time"][:10] for line in whole(browser)} == {"2025-03-01"}
    assert "2025-03-01" in browser.find_element(By.CSS_SELECTOR, ".chosen").text
    browser.find_element(By.CSS_SELECTOR, ".chosen button").click()
    assert len(whole(browser)) == 200
    browser.find_element(By.CSS_SELECTOR, "[data-filter=actor][data-value='user4']").click()
    assert {line["who"] for line in whole(browser)} == {"user4"}
    browser.find_element(By.CSS_SELECTOR, "[data-filter=severity][data-value='extreme']").click()
    assert {line["rank"] for line in whole(browser)} == {"4"}


def test_the_address_holds_what_is_asked_for(browser, page):
    open_report(browser, page, view="findings")
    browser.find_element(By.NAME, "q").send_keys("192.0.2.1 &=#+%ü")
    empty(browser)
    browser.find_element(By.NAME, "q").send_keys("192.0.2.1")
    browser.find_element(By.CSS_SELECTOR, "[name=severity][value=low]").send_keys(Keys.SPACE)
    Select(browser.find_element(By.NAME, "sort")).select_by_value("-time")
    browser.execute_script("document.querySelectorAll('.bar')[2].dispatchEvent(new Event('click'))")
    browser.back()
    asked, lines, says = fragment(browser), whole(browser), status(browser)
    assert asked == "view=findings&sort=-time&q=192.0.2.1&severity=extreme%2Cvery-high%2Chigh%2Cmedium"
    assert 0 < len(lines) < 40
    # Whoever has the page and the address sees the same.
    open_report(browser, f"{page}#{asked}")
    assert (whole(browser), status(browser)) == (lines, says)
    assert browser.find_element(By.NAME, "q").get_attribute("value") == "192.0.2.1"
    for odd in ["&=#+%ü", "a b", "'\"<b>"]:
        empty(browser)
        browser.find_element(By.NAME, "q").send_keys(odd)
        open_report(browser, f"{page}#{fragment(browser)}")
        assert browser.find_element(By.NAME, "q").get_attribute("value") == odd
    # The links to the sections leave it alone.
    asked = fragment(browser)
    browser.find_element(By.CSS_SELECTOR, "nav a[href='#attack']").click()
    assert fragment(browser) == asked


@pytest.mark.parametrize("asked", [
    "q=%3Cscript%3Ewindow.owned%3D1%3C%2Fscript%3E", "rule=%3Cimg%20src%3Dx%20onerror%3Dwindow.owned%3D1%3E&view=findings", "view=__proto__&sort=constructor",
    "from=never&to=9999-99-99", "actor=javascript:window.owned=1&target=%22%3E%3Cb%3E", "severity=,x,constructor", "=&&&#", "findings", "%",
])
def test_no_address_makes_the_page_do_anything_else(browser, page, asked):
    open_report(browser, f"{page}#{asked}")
    made = "return [window.owned, document.querySelectorAll('script').length, document.querySelectorAll('main img, main b').length]"
    assert browser.execute_script(made) == [None, 1, 0]
    assert browser.get_log("browser") == []
    browser.find_element(By.CSS_SELECTOR, ".clear").click()
    assert status(browser) == "200 findings in 45 groups"


def test_the_table_is_sorted_as_asked(browser, page):
    open_report(browser, page, view="findings")
    ranks = [int(line["rank"]) for line in whole(browser)]
    assert ranks == sorted(ranks, reverse=True)
    for order, key, reverse in [("time", "time", False), ("-time", "time", True), ("actor", "who", False), ("address", "from", False)]:
        Select(browser.find_element(By.NAME, "sort")).select_by_value(order)
        values = [line[key] for line in whole(browser)]
        assert values == sorted(values, reverse=reverse)
        heading = browser.find_element(By.CSS_SELECTOR, "table.findings th[aria-sort]")
        assert heading.get_attribute("aria-sort") == ("descending" if reverse else "ascending")
    look_at(browser, "groups")
    for order, key, reverse in [("findings", "count", True), ("first", "time first", False), ("-last", "time last", True), ("actor", "who", False)]:
        Select(browser.find_element(By.NAME, "sort")).select_by_value(order)
        values = [int(line[key].split()[0]) if key == "count" else line[key] for line in whole(browser)]
        assert values == sorted(values, reverse=reverse)


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
    for view in ["groups", "findings"]:
        open_report(browser, page, size, scheme, view=view)
        if view == "findings":
            open_details(browser)
        width = browser.execute_script("return document.documentElement.scrollWidth")
        assert width <= SIZES[size][0], "nothing hangs over the edge"
        # WCAG 2.2, 1.4.3.
        assert browser.execute_script(CONTRAST) == []
        unnamed = "return [...document.querySelectorAll('input, select')].filter((e) => !e.labels.length).length"
        assert browser.execute_script(unnamed) == 0
        unnamed = "return [...document.querySelectorAll('button, a, summary')].filter((e) => e.checkVisibility() && !e.textContent.trim()).length"
        assert browser.execute_script(unnamed) == 0
        bare = "return [...document.querySelectorAll('thead th, tbody th')].filter((e) => !e.scope).length"
        assert browser.execute_script(bare) == 0
        if folder := os.environ.get("SCREENSHOTS"):
            shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True})
            with open(f"{folder}/{view}-{size}-{scheme}.png", "wb") as file:
                file.write(base64.b64decode(shot["data"]))


FOCUSED = """
const element = document.activeElement;
if (element === document.body) return null;
element.seen = true;
const ringed = element.matches(".chip input") ? element.nextElementSibling : element;
const style = getComputedStyle(ringed);
return [element.tagName, element.textContent.slice(0, 20), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0];
"""
UNSEEN = """
return [...document.querySelectorAll("a, button, input, select, summary, [tabindex='0']")]
  .filter((e) => e.checkVisibility() && !e.seen && !e.disabled).map((e) => e.outerHTML.slice(0, 80));
"""


@pytest.mark.parametrize("view", ["groups", "findings"])
def test_everything_is_reached_by_keyboard_and_one_sees_where_one_is(browser, page, view):
    open_report(browser, page, view=view)
    browser.execute_script("document.activeElement.blur(); window.getSelection().removeAllRanges(); document.body.tabIndex = -1; document.body.focus()")
    keys = browser.switch_to.active_element
    for _ in range(400):
        keys.send_keys(Keys.TAB)
        keys = browser.switch_to.active_element
        focused = browser.execute_script(FOCUSED)
        if focused is None or (focused[0] == "A" and focused[1].startswith("Skip") and not browser.execute_script(UNSEEN)):
            break
        assert focused[2], focused
    assert browser.execute_script(UNSEEN) == []


def pages_of(browser) -> int:
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    return len(re.findall(rb"/Type /Page\b", base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])))


LONG = "a-name-that-somebody-chose-to-fill-the-page-" * 20


@pytest.mark.parametrize("many", [1, 3, 200, 2000])
@pytest.mark.parametrize("name", ["short", "long"])
def test_it_prints_on_two_pages(browser, tmp_path, many, name):
    longer = {"long": {"userAgent": LONG, "requestParameters": {"userName": LONG}, "awsRegion": LONG}, "short": {}}[name]
    records = [record(n, **longer) for n in range(many)]
    if name == "long":
        records = [r | {"userIdentity": {"type": "IAMUser", "userName": f"{n % 7}{LONG}"}, "eventName": f"{r['eventName']}{LONG}"} for n, r in enumerate(records)]
    address = report(tmp_path, records)
    for view in ["groups", "findings"]:
        open_report(browser, address, scheme="dark", view=view)
        assert pages_of(browser) <= 2
    show(browser, address, scheme="dark", medium="print")
    assert not browser.find_element(By.CSS_SELECTOR, ".filters").is_displayed()
    colours = "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
    assert browser.execute_script(colours) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]


ROWS = """
const rows = [...document.querySelectorAll(".groups tbody tr")].filter((row) => row.checkVisibility());
return rows.map((row) => [...row.cells].map((cell) => cell.textContent));
"""


def test_it_says_the_same_without_its_script(browser, page):
    open_report(browser, page)
    whole(browser)
    of_script = browser.execute_script(ROWS)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        show(browser, page)
        assert "JavaScript" in browser.find_element(By.TAG_NAME, "noscript").text
        for hidden in [".filters", ".views", "table.findings"]:
            assert not browser.find_element(By.CSS_SELECTOR, hidden).is_displayed()
        rows = browser.find_elements(By.CSS_SELECTOR, ".groups tbody tr")
        assert rows[0].is_displayed() and rows[-1].is_displayed()
        assert browser.execute_script(ROWS) == of_script and len(of_script) == 45
        assert pages_of(browser) <= 2
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_browser_that_cannot_read_the_list_says_so(browser, page):
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": "delete window.DecompressionStream"})
    try:
        show(browser, page)
        WebDriverWait(browser, 5).until(lambda _: browser.find_element(By.CSS_SELECTOR, ".trouble").is_displayed())
        assert len(browser.find_elements(By.CSS_SELECTOR, ".groups tbody tr")) == 45
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


HOSTILE = [
    "<script>window.owned=1</script>", "</script><script>window.owned=1</script>", "\"><img src=x onerror=window.owned=1>",
    "' onmouseover='window.owned=1", "<svg onload=window.owned=1>", "</td></tr></table><iframe src='javascript:window.owned=1'>",
    "javascript:window.owned=1", "{{constructor.constructor('window.owned=1')()}}", "</style><style>*{display:none}",
    "</title><script>window.owned=1</script>", "<a href='javascript:window.owned=1'>x</a>", "\u202egnp.exe", "\0\x1b[2J", "]]>", "&lt;b&gt;",
    "<base href='//evil.example/'>", "<meta http-equiv=refresh content='0;url=//evil.example'>", "<!--", "<plaintext>",
]


def hostile_record(number: int, text: str) -> dict:
    """A record of which a caller wrote every text."""
    keys = ["eventID", "eventSource", "awsRegion", "sourceIPAddress", "userAgent", "errorCode", "errorMessage", "eventType", "requestID", "sharedEventID", "vpcEndpointId"]
    texts = dict.fromkeys(keys, text)
    identity = {"type": text, "userName": text, "arn": text, "principalId": text, "accessKeyId": text, "accountId": text, "invokedBy": text,
                "sessionContext": {"sourceIdentity": text, "sessionIssuer": {"userName": text, "arn": text}}}
    request = {text: text, "userName": text, "roleName": text, "policyDocument": text, "instanceId": text}
    of_record = record(number, **texts, userIdentity=identity, requestParameters=request, recipientAccountId=text, responseElements={"x": text})
    return of_record | {"eventName": f"extreme{text}"}


def test_no_record_speaks_for_itself(browser, tmp_path):
    records = [hostile_record(number, text) for number, text in enumerate(HOSTILE)]
    records += [hostile_record(len(records), " ".join(HOSTILE)), record(len(records) + 4, eventTime="<script>window.owned=1</script>")]
    # What a name of a file can say.
    (tmp_path / "<img src=x onerror=window.owned=1>").mkdir()
    folder = tmp_path / "<img src=x onerror=window.owned=1>"
    address = report(folder, records, accounts={"111122223333": {"name": "<script>window.owned=1</script>"}})
    open_report(browser, address)
    texts = [browser.find_element(By.TAG_NAME, "body").get_attribute("textContent")]
    for name in browser.find_elements(By.CSS_SELECTOR, "[data-filter]"):
        browser.execute_script("arguments[0].click()", name)
        texts.append(browser.find_element(By.TAG_NAME, "main").get_attribute("textContent"))
    browser.find_element(By.CSS_SELECTOR, ".clear").click()
    look_at(browser, "findings")
    assert len(whole(browser)) == len(records)
    browser.execute_script("document.querySelectorAll('.more summary').forEach((summary) => summary.click())")
    WebDriverWait(browser, 5).until(lambda _: browser.execute_script("return [...document.querySelectorAll('.more details')].every((d) => d.querySelector('dl'))"))
    texts.append(browser.find_element(By.TAG_NAME, "body").get_attribute("textContent"))
    # Every text stands on the page as it was written, but for what would make it say something else.
    for hostile in HOSTILE:
        assert hostile.replace("\u202e", "").replace("\0\x1b", "").strip() in texts[-1].replace("\u202e", "")
    assert not any("\u202e" in text or "\x1b" in text for text in texts)
    made = "return [window.owned, document.querySelectorAll('script').length, document.querySelectorAll('img, iframe, base, plaintext, object, embed, main style').length]"
    assert browser.execute_script(made) == [None, 1, 0]
    handlers = "return [...document.querySelectorAll('*')].filter((e) => e.getAttributeNames().some((name) => /^on|^style$|^srcdoc$/.test(name))).length"
    assert browser.execute_script(handlers) == 0
    links = [link.get_attribute("href") for link in browser.find_elements(By.CSS_SELECTOR, "main a")]
    assert all(link.startswith("https://") for link in links)
    assert browser.get_log("browser") == []
    assert requests(browser) == [address]
    # The page's own text has no way out of its elements either, whoever reads it.
    source = (folder / "report.html").read_text()
    assert source.count("<script") == source.count("</script") == 1
    # Were one to slip through, the policy would stop it.
    browser.execute_script("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.owned=1>')")
    assert browser.execute_script("return window.owned") is None
    assert any("Content Security Policy" in entry["message"] for entry in browser.get_log("browser"))


def test_a_report_of_nothing_says_so(browser, tmp_path):
    show(browser, report(tmp_path, [record(0, eventName="Other")]))
    assert "Nothing was found." in browser.find_element(By.ID, "findings").text
    browser.find_element(By.CSS_SELECTOR, "nav a").click()
    assert browser.get_log("browser") == []


def test_a_large_archive_makes_no_large_page(browser, tmp_path):
    import random

    rng = random.Random(7)
    # Nothing of this compresses to less than half.
    records = [record(number, requestParameters={"text": f"{rng.getrandbits(5600):x}"}) for number in range(12_000)]
    address = report(tmp_path, records)
    assert (tmp_path / "report.html").stat().st_size < 5_000_000
    open_report(browser, address, view="findings")
    assert status(browser).startswith("12,000 findings in ")
    note = browser.find_element(By.CSS_SELECTOR, "#findings").text
    without = int(re.search(r"the requests of the ([\d,]+) last findings are left out", note)[1].replace(",", ""))
    assert 0 < without < 12_000
    assert "left out" not in open_details(browser)
    Select(browser.find_element(By.NAME, "sort")).select_by_value("-time")
    Select(browser.find_element(By.NAME, "rule")).select_by_value("R-low")
    assert "left out, to keep this page small" in open_details(browser)
