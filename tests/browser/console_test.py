"""The console in headless Chromium: an incident arrives, is approved, contained, undone; hostile events show as text;
axe-core finds nothing serious, in light and in dark; nothing is wider than a telephone; keys.

Pictures of all pages are left in build/browser.

usage: python3 tests/browser/console_test.py [--build build/release] [unittest's options]
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tarfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "scenario"))
import harness  # noqa: E402
from harness import TOKEN, Scenario, by_user, fresh, sample  # noqa: E402

import webdriver  # noqa: E402

VIEW = "scenario-view-token-0123456789"
AXE = "axe-core@4.10.3"
PICTURES = ROOT / "build" / "browser"
PAGES = ("/", "/timeline", "/rules", "/rules/termination-protection-disabled", "/playground", "/health")
MARKUP = ('<script>window.broken=1</script>', '"><img src=x onerror="window.broken=1">',
          "javascript:window.broken=1", "</title></textarea><svg/onload=window.broken=1>", "\u202egnp.evil\u2066",
          "{{constructor.constructor('window.broken=1')()}}")
LONG = "<b>" + "A" * 1024 * 1024
WATCH = """window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.blockedURI));"""

WIDE = """const width = document.documentElement.scrollWidth;
return [...(width > arguments[0] ? [`the page: ${width} px`] : []),
        ...[...document.querySelectorAll("section, .summary, .incident, .light, .confirm")]
           .filter((card) => card.scrollWidth > card.clientWidth).map((card) => card.outerHTML.slice(0, 200))];"""


def axe_source():
    """The text of axe-core, fetched once."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    packed = PICTURES / f"{AXE.replace('@', '-')}.tgz"
    if not packed.exists():
        subprocess.run(["npm", "pack", "--silent", AXE], cwd=PICTURES, check=True, stdout=subprocess.DEVNULL)
    with tarfile.open(packed) as archive:
        return archive.extractfile("package/axe.min.js").read().decode()


class Console(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = webdriver.Chromium()
        cls.addClassCleanup(cls.browser.stop)
        cls.browser.devtools("Page.addScriptToEvaluateOnNewDocument", source=WATCH)

    def setUp(self):
        super().setUp()
        self.addCleanup(self.browser.complaints)  # of a page whose server has gone
        self.addCleanup(self.browser.go, "about:blank")
        self.server = self.riposte(
            mode="approve", aws=self.moto.url, key=self.responder,
            settings={"admin": {"tokens": [{"name": "watch", "role": "view", "token": "env:VIEW_TOKEN"}]}},
            environment={"VIEW_TOKEN": VIEW}).start()
        self.origin = f"https://127.0.0.1:{self.server.admin_port}"
        self.browser.width(1280)
        self.browser.colours("light")

    def go(self, path):
        self.browser.go(self.origin + path)

    def login(self, token=TOKEN):
        self.go("/login")
        self.browser.type("input[name=token]", token)
        self.browser.click("form[action='/login'] button")
        harness.wait_for("the list", lambda: self.browser.where() == f"{self.origin}/", 20, 0.1)

    def attack(self):
        instance = self.moto.instance()
        self.moto.protect(self.moto.client("ec2", self.attacker_key), instance, False)
        event = by_user(sample("cli-attribute-value.json"), self.attacker, self.attacker_key, instance)
        status, answer = self.server.post(event)
        self.assertEqual(status, 202, answer)
        return instance, answer["incidents"][0]["id"]

    def test_an_incident_arrives_is_approved_contained_and_undone(self):
        browser = self.browser
        self.login()
        browser.wait_for_text("No incidents that fit")
        browser.run("window.isSamePage = true")
        instance, identifier = self.attack()
        browser.wait_for_text("termination-protection-disabled")
        self.assertTrue(browser.run("return window.isSamePage"), "the page was loaded anew")
        browser.picture(PICTURES / "list-held.png")
        browser.click(f"a[href='/incidents/{identifier}']")
        browser.wait_for_text("awaits approval")
        browser.picture(PICTURES / "story-held.png")
        browser.click(f"a[href='/incidents/{identifier}/approve']")
        browser.picture(PICTURES / "approve.png")
        self.assertEqual(self.moto.policies("attacker"), ["work"])
        browser.click(f"form[action='/incidents/{identifier}/approve'] button")
        self.server.wait_for_state(identifier, "done")
        browser.wait_for_text("Contained")
        self.assertEqual(self.moto.policies("attacker"), ["riposte-contained", "work"])
        self.assertTrue(self.moto.is_protected(instance))
        harness.wait_for("what can be undone", lambda: browser.has(f"a[href='/incidents/{identifier}/undo']"), 20, 0.1)
        browser.picture(PICTURES / "story-done.png")
        browser.click(f"a[href='/incidents/{identifier}/undo']")
        browser.click(f"form[action='/incidents/{identifier}/undo'] button")
        self.server.wait_for_state(identifier, "released")
        browser.wait_for_text("taken back")
        self.assertEqual(self.moto.policies("attacker"), ["work"])
        self.assertEqual(browser.complaints(), [])

    def test_whoever_may_only_look_sees_nothing_to_press(self):
        _, identifier = self.attack()
        self.server.wait_for_state(identifier, "held")
        self.login(VIEW)
        self.go(f"/incidents/{identifier}")
        self.browser.wait_for_text("awaits approval")
        self.assertFalse(self.browser.has("[href$='/approve'], [href$='/dismiss'], [href$='/undo']"))
        self.assertEqual(self.browser.run(
            "return [...document.querySelectorAll('main button, form[method=post]')].map((each) => each.outerHTML)"
            ".filter((each) => !each.includes('/logout'))"), [])
        self.go(f"/incidents/{identifier}/approve")
        self.assertFalse(self.browser.has("main form[method=post] button"))
        self.browser.complaints()  # that it was refused

    def test_who_goes_from_page_to_page_still_listens(self):
        """Each page listens anew: those that were left make room for it."""
        self.login()
        for _ in range(20):
            self.go("/")
            harness.wait_for("live", lambda: self.browser.run(
                "return document.querySelector('.listening').dataset.on") == "yes", 5, 0.05)
        self.assertEqual(self.browser.complaints(), [])

    def hostile(self, text):
        event = fresh(sample("cli-attribute-value.json"))
        event["account"] = harness.ACCOUNT
        detail = event["detail"]
        if len(text) > 1000:
            detail["userIdentity"]["userName"] = text
            return event
        event["id"] = detail["eventID"] = text + event["id"]  # one that is new
        detail.update({"userAgent": text, "sourceIPAddress": text, "requestID": text, text[:100]: {text[:100]: text}})
        detail["requestParameters"].update({"instanceId": text, "note": [text, {text[:100]: text}]})
        detail["userIdentity"].update({"userName": text, "principalId": f"AIDA{text[:200]}", "accessKeyId": text,
                                       "accountId": harness.ACCOUNT,
                                       "arn": f"arn:aws:iam::{harness.ACCOUNT}:user/{text[:200]}"})
        event["resources"] = [text]
        event["region"] = detail["awsRegion"] = text[:40]
        return event

    def wide(self, pixels):
        """What is wider than the window, or than the card it is in."""
        return self.browser.run(WIDE, pixels)

    def assert_nothing_ran(self, where):
        self.assertIsNone(self.browser.dialog(), where)
        self.assertIsNone(self.browser.run("return window.broken || null"), where)
        self.assertEqual(self.browser.run("return window.violations"), [], where)
        self.assertEqual(self.browser.run("return document.querySelectorAll('img, main b, main script, svg[onload]').length"),
                         0, where)
        self.assertEqual(self.browser.complaints(), [], where)

    def test_what_an_event_says_is_text(self):
        self.login()
        for text in (*MARKUP, LONG):
            status, answer = self.server.post(self.hostile(text))
            self.assertEqual(status, 202, answer)
            story = f"/incidents/{answer['incidents'][0]['id']}"
            with self.subTest(text[:40]):
                for path in ("/", f"{story}/approve", story):
                    self.browser.width(360, 740)
                    self.go(path)
                    self.assert_nothing_ran(path)
                    self.assertEqual(self.wide(360), [], path)
                    self.browser.width(1280)
                    self.assertEqual(self.wide(1280), [], path)
                shown = text[:40].replace("\u202e", "[U+202E]").replace("\u2066", "[U+2066]")
                self.assertIn(shown, self.browser.text())
        self.browser.picture(PICTURES / "hostile.png")
        self.go("/")
        self.browser.picture(PICTURES / "hostile-list.png")
        self.go("/playground")
        event = '{"detail": {"x": "</textarea><script>window.broken=1</script>"}}'
        self.browser.run("document.querySelector('textarea[name=event]').value = arguments[0]", event)
        self.browser.run("document.querySelector('textarea[name=pattern]').value = arguments[0]",
                         '{"detail": {"x": [{"prefix": "</textarea><img src=x onerror=window.broken=1>"}]}}')
        self.browser.click("form[action='/playground'] button")
        self.browser.wait_for_text("does not match")
        self.assert_nothing_ran("/playground")
        self.assertEqual(self.browser.run("return document.querySelector('textarea[name=event]').value"), event)

    def test_everybody_can_use_it(self):
        """axe-core, light and dark; the width of a telephone."""
        browser, axe, wrong = self.browser, axe_source(), []
        _, identifier = self.attack()
        self.server.wait_for_state(identifier, "held")
        self.server.cli("drill", "-c", str(self.server.settings_path))
        story = f"/incidents/{identifier}"

        def look(path):
            name = "list" if path == "/" else path.strip("/").replace(identifier, "story").replace("/", "-")
            for scheme in ("light", "dark"):
                browser.colours(scheme)
                self.go(path)
                browser.run(axe)
                found = browser.run_later("axe.run().then(arguments[0])")["violations"]
                wrong.extend(f"{path}, {scheme}: {each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}"
                             for each in found if each["impact"] in ("serious", "critical"))
                browser.picture(PICTURES / f"{name}-{scheme}.png")
            browser.colours("light")
            browser.width(360, 740)
            self.go(path)
            wrong.extend(f"{path}, at 360: {each}" for each in self.wide(360))
            browser.picture(PICTURES / f"{name}-360.png")
            browser.width(1280)

        self.go("/login")
        look("/login")
        self.login()
        for path in (*PAGES, story, f"{story}/approve", f"{story}/dismiss"):
            look(path)
        self.server.admin(f"{story.replace('/inc', '/v1/inc')}/approve", "POST", {})
        self.server.wait_for_state(identifier, "done")
        for path in (story, f"{story}/undo", "/timeline", f"/incidents/{'0' * 26}"):
            look(path)
        self.assertEqual(wrong, [])

    def test_keys(self):
        self.login()
        self.browser.press("\ue004")  # Tab
        self.assertEqual(self.browser.run("return document.activeElement.className"), "skip")
        for key, path in (("h", "/health"), ("r", "/rules"), ("p", "/playground")):
            self.go("/")
            self.browser.press(key)
            self.wait_for_place(path)
        _, identifier = self.attack()
        self.server.wait_for_state(identifier, "held")
        self.go("/")
        self.browser.wait_for_text("termination-protection-disabled")
        self.browser.press("/")
        self.assertEqual(self.browser.run("return document.activeElement.name"), "state")
        self.browser.press("h")  # into the field, nowhere else
        self.browser.run("document.activeElement.blur()")
        self.browser.press("j")
        self.browser.press("\ue007")  # Enter
        self.wait_for_place(f"/incidents/{identifier}")
        self.browser.press("a")
        self.wait_for_place(f"/incidents/{identifier}/approve")
        self.assertEqual(self.server.incident(identifier)["state"], "held")
        self.browser.press("?")
        self.assertTrue(self.browser.has("dialog[open]"))
        self.browser.click("#keys-on")
        self.browser.press("\ue00c")  # Escape
        self.assertFalse(self.browser.has("dialog[open]"))
        self.browser.press("h")
        self.assertEqual(self.browser.where(), f"{self.origin}/incidents/{identifier}/approve")

    def wait_for_place(self, path):
        harness.wait_for(path, lambda: self.browser.where() == self.origin + path, 10, 0.1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    options, rest = parser.parse_known_args()
    harness.BINARY = str(options.build / "riposte")
    PICTURES.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
