"""Measures a report of many findings: its size, and how long a browser takes to show it and to answer a filter.

PYTHONPATH=tests/support .venv/browser/bin/python -B tests/report/measure.py [FINDINGS] [FOLDER]
"""

import sys
import tempfile
import time
from pathlib import Path

import conftest
import many

# From what is typed to the frame that shows it.
TYPED = """
const [type, value, done] = arguments;
const start = performance.now();
const field = document.querySelector(type);
field.value = value;
field.dispatchEvent(new Event(field.matches("select") ? "change" : "input", { bubbles: true }));
requestAnimationFrame(() => setTimeout(() => done([performance.now() - start, document.querySelector(".shown").textContent])));
"""
FILTERS = [
    ("[name=q]", "per"), ("[name=q]", "person-3 accessdenied"), ("[name=q]", "a"), ("[name=q]", ""), ("[name=q]", "nothing-has-this"),
    ("[name=q]", ""), ("[name=rule]", "MANY-2"), ("[name=rule]", ""), ("[name=account]", "100054444439"), ("[name=account]", ""),
    ("[name=sort]", "actor"), ("[name=sort]", "severity"),
]


def busy(browser) -> float:
    """Seconds that the page's thread has been busy."""
    metrics = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")


def main(count: int, folder: Path) -> None:
    start = time.monotonic()
    conftest.backtest(folder, many.records(count), "--report", "report.html", rules_are=many.rules())
    print(f"made in {time.monotonic() - start:.1f} s")
    page = folder / "report.html"
    print(f"{count:,} findings: {page.stat().st_size:,} bytes")
    browser = conftest.started()
    try:
        browser.set_script_timeout(60)
        start = time.monotonic()
        browser.get(page.as_uri())
        while not browser.execute_script("return document.body.classList.contains('active')"):
            time.sleep(0.02)
        print(f"shown after {time.monotonic() - start:.2f} s: {browser.execute_script('return document.querySelector(`.shown`).textContent')}")
        # Nobody types sooner.
        time.sleep(1)
        worst = worst_of_thread = 0
        # The time of the page's own thread: on a busy machine the other one is mostly waiting.
        browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
        for view in ["groups", "findings"]:
            browser.execute_script(f"document.querySelector('[data-view={view}]').click()")
            for field, value in FILTERS:
                before = busy(browser)
                took, status = browser.execute_async_script(TYPED, field, value)
                of_thread = 1000 * (busy(browser) - before)
                worst, worst_of_thread = max(worst, took), max(worst_of_thread, of_thread)
                print(f"{view:<8} {field} {value!r}: {took:.0f} ms, of which the page computed {of_thread:.0f}: {status}")
        print(f"the slowest answer: {worst / 1000:.3f} s; the most that the page computed for one: {worst_of_thread / 1000:.3f} s")
    finally:
        browser.quit()


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    if len(sys.argv) > 2:
        main(number, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as made:
            main(number, Path(made))
