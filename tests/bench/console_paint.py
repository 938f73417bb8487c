"""When does a person see the list in a journal of 100,000 incidents?

Headless Chromium opens the console's list again and again (its style and script come anew each time): the first
contentful paint, as the browser says it, from the begin of navigation: median and slowest, and the same of an empty
journal. RSS of the server before and after.

usage: python3 tests/bench/console_paint.py [--incidents 100000] [--times 15] [--build build/release]
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "scenario"), str(ROOT / "tests" / "browser")]
import harness  # noqa: E402
import lists  # noqa: E402
import webdriver  # noqa: E402

PAINT = """const done = arguments[arguments.length - 1];
new PerformanceObserver((list) => {
    for (const entry of list.getEntriesByName("first-contentful-paint")) { done(entry.startTime); }
}).observe({type: "paint", buffered: true});"""


def paints(browser, server, times):
    origin = f"https://127.0.0.1:{server.admin_port}"
    browser.go(f"{origin}/login")
    browser.type("input[name=token]", harness.TOKEN)
    browser.click("form[action='/login'] button")
    harness.wait_for("the list", lambda: browser.where() == f"{origin}/", 20, 0.1)
    browser.devtools("Network.setCacheDisabled", cacheDisabled=True)
    took = []
    for _ in range(times):
        browser.go(f"{origin}/")
        took.append(browser.run_later(PAINT))
    return took


def measure(browser, folder, incidents, options):
    if incidents:
        subprocess.run([options.build / "tests" / "fill_journal", f"sqlite:{folder}/journal.db", str(incidents)],
                       check=True)
    server = harness.Riposte(folder, settings={"drain": "0s", "retain": "3650d"}).start()
    try:
        before = lists.rss_mb(server)
        took = paints(browser, server, options.times)
        print(f"{incidents:>8} incidents: first paint {statistics.median(took):.0f} ms, slowest {max(took):.0f} ms; "
              f"RSS {before:.1f} MB, then {lists.rss_mb(server):.1f} MB")
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--incidents", type=int, default=100000)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    options = parser.parse_args()
    harness.BINARY = str(options.build / "riposte")
    browser = webdriver.Chromium()
    try:
        for incidents in (0, options.incidents):
            folder = tempfile.mkdtemp(prefix="riposte-")
            try:
                measure(browser, folder, incidents, options)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    finally:
        browser.stop()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    main()
