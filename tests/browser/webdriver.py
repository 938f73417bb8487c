"""As much of the WebDriver protocol (W3C) as the tests need, over chromedriver; and what only Chromium says of itself."""
import base64
import json
import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import harness

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]


class Chromium:
    """A browser with a profile of its own, which is gone with it."""

    def __init__(self):
        for name in ("chromium", "chromedriver"):
            if shutil.which(name) is None:
                raise SystemExit(f"{name} is needed: on Debian the packages chromium and chromium-driver")
        self.profile = tempfile.mkdtemp(prefix="riposte-browser-")
        port = harness.free_port()
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{port}"
        harness.wait_for("chromedriver", self._is_ready, 20, 0.1)
        options = {"args": [*FLAGS, f"--user-data-dir={self.profile}"], "binary": shutil.which("chromium")}
        answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "acceptInsecureCerts": True, "goog:chromeOptions": options,
            "unhandledPromptBehavior": "ignore", "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.session = f"/session/{answer['sessionId']}"

    def _is_ready(self):
        try:
            return self._ask("GET", "/status")["ready"]
        except OSError:
            return False

    def _ask(self, method, path, body=None):
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {json.load(error)['value']['message']}") from None

    def _do(self, path, **body):
        return self._ask("POST", self.session + path, body)

    def go(self, url):
        self._do("/url", url=url)

    def where(self):
        return self._ask("GET", f"{self.session}/url")

    def run(self, script, *arguments):
        return self._do("/execute/sync", script=script, args=list(arguments))

    def run_later(self, script, *arguments):
        """Of a script that calls its last argument when it is done."""
        return self._do("/execute/async", script=script, args=list(arguments))

    def find(self, selector):
        return self._do("/element", using="css selector", value=selector)[ELEMENT]

    def has(self, selector):
        return self.run("return document.querySelector(arguments[0]) !== null", selector)

    def click(self, selector):
        self._do(f"/element/{self.find(selector)}/click")

    def type(self, selector, text):
        self._do(f"/element/{self.find(selector)}/value", text=text)

    def press(self, key):
        self._do("/actions", actions=[{"type": "key", "id": "keys", "actions": [
            {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]}])

    def text(self):
        return self.run("return document.body.innerText")

    def wait_for_text(self, words, seconds=20):
        harness.wait_for(f"{words!r} on the page", lambda: words in self.text(), seconds, 0.1)

    def devtools(self, command, **parameters):
        return self._do("/goog/cdp/execute", cmd=command, params=parameters)

    def colours(self, scheme):
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def width(self, pixels, height=900):
        self.devtools("Emulation.setDeviceMetricsOverride", width=pixels, height=height, deviceScaleFactor=1,
                      mobile=pixels < 600)

    def picture(self, path):
        """Of the whole page."""
        size = self.devtools("Page.getLayoutMetrics")["cssContentSize"]
        made = self.devtools("Page.captureScreenshot", captureBeyondViewport=True, clip={
            "x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 6000), "scale": 1})
        pathlib.Path(path).write_bytes(base64.b64decode(made["data"]))

    def complaints(self):
        """What the console's log holds since it was last asked: refused by a policy, failed, thrown."""
        return [entry["message"] for entry in self._do("/se/log", type="browser")
                if entry["level"] in ("SEVERE", "WARNING")]

    def dialog(self):
        """The text of one that is open; None: none is."""
        try:
            return self._ask("GET", f"{self.session}/alert/text")
        except AssertionError:
            return None

    def stop(self):
        try:
            self._ask("DELETE", self.session)
        finally:
            harness.end_process(self.driver)
            for _ in range(20):
                shutil.rmtree(self.profile, ignore_errors=True)
                if not pathlib.Path(self.profile).exists():
                    break
                time.sleep(0.1)
