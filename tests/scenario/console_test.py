"""The console by plain requests, as a browser without a script sends them: login, list, approve, undo; and who is
refused."""
import html.parser
import json
import re
import unittest
import urllib.parse

import harness
from harness import TOKEN, Scenario, by_user, sample

VIEW = "scenario-view-token-0123456789"
COOKIE = "__Host-riposte"


class Form(html.parser.HTMLParser):
    """The fields of the form that is posted to `action`."""

    def __init__(self, page, action):
        super().__init__()
        self.action, self.fields, self.is_inside = action, {}, False
        self.is_there = False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "form":
            self.is_inside = values.get("action") == self.action and values.get("method") == "post"
            self.is_there |= self.is_inside
        elif tag == "input" and self.is_inside and values.get("type") == "hidden":
            self.fields[values["name"]] = values["value"]

    def handle_endtag(self, tag):
        self.is_inside &= tag != "form"


class Browser:
    """One that keeps the cookie and says whose page it is on."""

    def __init__(self, server):
        self.server, self.cookie = server, None
        self.origin = f"https://127.0.0.1:{server.admin_port}"

    def ask(self, method, path, fields=None, **headers):
        """(status, headers, text)."""
        sent = {"Host": self.origin.removeprefix("https://")}
        if self.cookie:
            sent["Cookie"] = f"other=1; {COOKIE}={self.cookie}"
        body = None
        if method == "POST":
            sent.update({"Origin": self.origin, "Content-Type": "application/x-www-form-urlencoded"})
            body = urllib.parse.urlencode(fields or {})
        sent.update(headers)
        sent = {name: value for name, value in sent.items() if value is not None}
        status, got, data = self.server.request(method, path, body, sent, self.server.admin_port)
        found = re.match(rf"{COOKIE}=([0-9a-f]*);", got.get("Set-Cookie", ""))
        if found:
            self.cookie = found.group(1) or None
        return status, got, data if isinstance(data, str) else data.decode() if isinstance(data, bytes) else json.dumps(data)

    def login(self, token=TOKEN, **fields):
        return self.ask("POST", "/login", {"token": token, "next": "/", **fields})

    def get(self, path):
        status, _, text = self.ask("GET", path)
        assert status == 200, (path, status, text)
        return text

    def submit(self, page, action, **fields):
        form = Form(self.get(page), action)
        assert form.is_there, (page, action)
        return self.ask("POST", action, {**form.fields, **fields})


class Console(Scenario):
    def setUp(self):
        super().setUp()
        self.server = self.riposte(
            mode="approve", aws=self.moto.url, key=self.responder,
            settings={"admin": {"tokens": [{"name": "watch", "role": "view", "token": "env:VIEW_TOKEN"}]}},
            environment={"VIEW_TOKEN": VIEW}).start()

    def attack(self, user, key):
        instance = self.moto.instance()
        self.moto.protect(self.moto.client("ec2", key), instance, False)
        status, answer = self.server.post(by_user(sample("cli-attribute-value.json"), user, key, instance))
        self.assertEqual(status, 202, answer)
        identifier = answer["incidents"][0]["id"]
        self.server.wait_for_state(identifier, "held")
        return instance, identifier

    def test_incidents_are_seen_approved_undone_and_dismissed(self):
        browser = Browser(self.server)
        status, headers, _ = browser.ask("GET", "/")
        self.assertEqual((status, headers["Location"]), (303, "/login"))
        self.assertEqual(browser.login()[0], 303)
        self.assertRegex(browser.cookie, r"\A[0-9a-f]{64}\Z")
        self.assertIn("No incidents that fit", browser.get("/"))
        instance, identifier = self.attack(self.attacker, self.attacker_key)
        for path in ("/", "/?state=held", "/?state=attention&severity=high&principal=attacker",
                     f"/?rule=termination-protection-disabled&account={harness.ACCOUNT}"):
            self.assertIn(identifier, browser.get(path), path)
        for path in ("/?state=done", "/?severity=low", "/?rule=other", "/?until=2001-01-01"):
            self.assertNotIn(identifier, browser.get(path), path)
        place = f"/incidents/{identifier}"
        story = browser.get(place)
        for words in ("awaits approval", "<mark", "PutUserPolicy", "attacker", "principal.mfa", f"{place}/approve"):
            self.assertIn(words, story)

        self.assertEqual(self.moto.policies("attacker"), ["work"])
        status, headers, _ = browser.submit(f"{place}/approve", f"{place}/approve")
        self.assertEqual((status, headers["Location"]), (303, place))
        self.server.wait_for_state(identifier, "done")
        self.assertEqual(self.moto.policies("attacker"), ["riposte-contained", "work"])
        self.assertTrue(self.moto.is_protected(instance))
        story = browser.get(place)
        for words in ("Contained <strong>", "approved", "by <bdi>admin</bdi>", f"{place}/undo"):
            self.assertIn(words, story)
        self.assertNotIn(f"{place}/approve", story)
        self.assertIn('class="point"', browser.get("/timeline"))

        status, _, text = browser.submit(f"{place}/undo", f"{place}/undo")
        self.assertEqual(status, 303, text)
        self.server.wait_for_state(identifier, "released")
        self.assertEqual(self.moto.policies("attacker"), ["work"])
        self.assertTrue(self.moto.is_protected(instance))
        self.assertIn("taken back", browser.get(place))
        status, _, text = browser.ask("POST", f"{place}/approve", Form(browser.get("/"), "/logout").fields)
        self.assertEqual(status, 409)
        self.assertIn("is released", text)

        self.dismiss(browser)

    def dismiss(self, browser):
        """And what the other pages show."""
        _, identifier = self.attack(self.bystander, self.bystander_key)
        place = f"/incidents/{identifier}"
        self.assertEqual(browser.submit(f"{place}/dismiss", f"{place}/dismiss")[0], 303)
        self.server.wait_for_state(identifier, "dismissed")
        rules = browser.get("/rules")
        self.assertIn("/rules/termination%2Dprotection%2Ddisabled", rules.replace("-", "%2D"))
        rule = browser.get("/rules/termination-protection-disabled")
        self.assertIn("passes", rule)
        self.assertNotIn(">fails<", rule)
        health = browser.get("/health")
        for words in ("Journal", "commits", "Certificate", "dismissed", "None since the start."):
            self.assertIn(words, health)
        drill = browser.server.cli("drill", "-c", str(browser.server.settings_path))
        self.assertEqual(drill.returncode, 0, drill.stdout)
        health = browser.get("/health")
        self.assertIn("the chain works", health)
        for leg in ("received", "committed", "planned"):
            self.assertRegex(health, rf'<span>{leg}</span><span class="number">[0-9.]+ ms</span>')
        event = json.dumps(sample("cli-attribute-value.json"))
        status, _, text = browser.submit("/playground", "/playground", event=event)
        self.assertEqual(status, 200)
        self.assertIn("It fires.", text)
        self.assertIn("iam:PutUserPolicy", text)
        status, _, text = browser.submit("/playground", "/playground", event=event,
                                         pattern='{"source": ["aws.s3"]}')
        self.assertEqual(status, 200)
        self.assertIn("does not match", text)
        status, _, text = browser.submit("/playground", "/playground", event=event, pattern="{")
        self.assertEqual(status, 400)
        self.assertIn("pattern: line 1", text)
        for path, status in (("/incidents/nothing", 404), ("/rules/nothing", 404), ("/?state=odd", 400),
                             ("/?before=odd", 400), (f"{place}/burn", 404)):
            self.assertEqual(browser.ask("GET", path)[0], status, path)

    def look(self, identifier):
        """Who may only look has no buttons, and is refused."""
        browser = Browser(self.server)
        browser.login(VIEW)
        place = f"/incidents/{identifier}"
        story = browser.get(place)
        self.assertNotIn(f"{place}/", story)
        self.assertEqual(browser.ask("GET", f"{place}/approve")[0], 403)
        own = Form(story, "/logout").fields
        status, _, text = browser.ask("POST", f"{place}/approve", own)
        self.assertEqual(status, 403, text)
        self.assertIn("may look, not act", text)
        self.assertEqual(self.server.incident(identifier)["state"], "held")

    def test_who_may_look_and_forms_of_others_are_refused(self):
        browser, other = Browser(self.server), Browser(self.server)
        browser.login()
        other.login()
        _, identifier = self.attack(self.attacker, self.attacker_key)
        self.look(identifier)
        place = f"/incidents/{identifier}/approve"
        own = Form(browser.get(place), place).fields
        strange = Form(other.get(place), place).fields
        self.assertNotEqual(own, strange)
        for fields, headers in (({}, {}), (strange, {}), ({"form_key": own["form_key"][:-1]}, {}),
                                (own, {"Origin": "https://evil.example"}), (own, {"Origin": None}),
                                (own, {"Origin": "null"}), (own, {"Origin": browser.origin + ".evil.example"}),
                                (own, {"Origin": browser.origin.replace("https", "http")})):
            status, _, text = browser.ask("POST", place, fields, **headers)
            self.assertEqual(status, 403, (fields, headers, text))
        self.assertEqual(self.server.incident(identifier)["state"], "held")
        # the API takes no cookie, and the console no token
        status, _, _ = browser.ask("POST", f"/v1{place}", {})
        self.assertEqual(status, 401)
        browser.cookie = None
        status, headers, _ = browser.ask("POST", place, own, Authorization=f"Bearer {TOKEN}")
        self.assertEqual((status, headers["Location"]), (303, f"/login?next={place}"))
        self.assertEqual(self.server.incident(identifier)["state"], "held")

    def test_sessions(self):
        browser = Browser(self.server)
        status, headers, _ = browser.login()
        self.assertEqual(status, 303)
        for words in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
            self.assertIn(words, headers["Set-Cookie"])
        self.assertNotIn(TOKEN, headers["Set-Cookie"])
        status, headers, _ = browser.ask("GET", "/")
        for name, words in (("Content-Security-Policy", "default-src 'none'"), ("Cache-Control", "no-store"),
                            ("Content-Security-Policy", "frame-ancestors 'none'"),
                            ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "same-origin"),
                            ("Cross-Origin-Opener-Policy", "same-origin")):
            self.assertIn(words, headers[name])
        self.assertNotIn("unsafe", headers["Content-Security-Policy"])
        kept = browser.cookie
        self.assertEqual(browser.submit("/", "/logout")[0], 303)
        self.assertIsNone(browser.cookie)
        browser.cookie = kept
        self.assertEqual(browser.ask("GET", "/")[0], 303)
        for forged in ("0" * 64, kept.upper(), TOKEN, ""):
            browser.cookie = forged
            self.assertEqual(browser.ask("GET", "/")[0], 303, forged)
        for next_path, goes_to in (("/rules", "/rules"), ("//evil.example", "/"), ("https://evil.example", "/"),
                                   ("/\\evil.example", "/"), ("/a\r\nX: y", "/")):
            self.assertEqual(browser.login(next=next_path)[1]["Location"], goes_to)
        self.assertNotIn(TOKEN, self.server.log())
        self.assertNotIn(browser.cookie, self.server.log())
        self.tell_off(browser)

    def tell_off(self, browser):
        """Who comes with wrong tokens."""
        browser.cookie = None
        statuses = [browser.login("wrong-token-0123456789")[0] for _ in range(22)]
        self.assertEqual((statuses[:20], statuses[21]), ([401] * 20, 429))
        self.assertIsNone(browser.cookie)
        self.assertEqual(browser.login(Origin="https://evil.example")[0], 303)  # a field of that name does nothing
        self.assertEqual(browser.ask("POST", "/login", {"token": TOKEN}, Origin="https://evil.example")[0], 403)


if __name__ == "__main__":
    unittest.main(verbosity=2)
