"""A real Prometheus scrapes a running server over TLS with a token: promtool finds nothing to say about the page, every query
of the dashboard and of the alerts is answered, and those about what has happened return data."""
import contextlib
import json
import pathlib
import signal
import subprocess
import sys
import unittest
import urllib.parse
import urllib.request

import harness
from harness import ROOT, TOKEN, Scenario, by_user, fresh, sample, wait_for

sys.path.insert(0, str(ROOT / "tests" / "prometheus"))
import observing

# What does not happen in this scenario; everything else must have data.
SILENT = {
    "Credentials": "credentials without an end", "Organization": "no organization is listed",
    "Wait for a response": "acknowledge is journaled", "Retries": "nothing was put off",
    "Notifications": "no playbook is named", "Reloads and secrets": "no secret of a manager",
    "Refused": "the admin listener refused nobody",
}
VIEWER = "scenario-view-token-0123456789"


def certificate(folder):
    """A key and a certificate for 127.0.0.1 that a client can check."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", folder / "key.pem", "-out", folder / "certificate.pem", "-days", "90", "-subj",
                    "/CN=riposte", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)


class Prometheus:
    """The Debian package's, scraping each second what conf/prometheus/prometheus.yml names."""

    def __init__(self, folder, target):
        self.port = harness.free_port()
        settings = (ROOT / "conf" / "prometheus" / "prometheus.yml").read_text()
        for before, after in (("15s", "1s"), ("127.0.0.1:9443", target),
                              ("/etc/prometheus/riposte-token", str(folder / "token")),
                              ("/etc/prometheus/riposte-ca.pem", str(folder / "certificate.pem")),
                              ("riposte.rules.yml", str(observing.RULES))):
            assert before in settings, before
            settings = settings.replace(before, after)
        (folder / "prometheus.yml").write_text(settings)
        (folder / "token").write_text(VIEWER)
        with open(folder / "prometheus.log", "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stdout=log, stderr=log)

    def get(self, path, **query):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}",
                                    timeout=20) as answer:
            return json.load(answer)

    def query(self, expression):
        """The result's samples; an error fails the test."""
        answer = self.get("query", query=expression)
        assert answer["status"] == "success", answer
        return answer["data"]["result"]

    def has_scraped(self, times):
        with contextlib.suppress(OSError):
            found = self.query('count_over_time(up{job="riposte"}[1m])')
            return bool(found) and int(found[0]["value"][1]) >= times
        return False

    def stop(self):
        harness.end_process(self.process, signal.SIGTERM)


class Scraped(Scenario):
    def serve(self):
        folder = pathlib.Path(self.folder)
        certificate(folder)
        return self.riposte(
            mode="enforce", aws=self.moto.url, key=self.responder,
            settings={"listen": {"certificate": str(folder / "certificate.pem"), "key": str(folder / "key.pem")},
                      "admin": {"tokens": [{"name": "prometheus", "role": "view", "token": "env:RIPOSTE_VIEW_TOKEN"}]}},
            environment={"RIPOSTE_VIEW_TOKEN": VIEWER}).start()

    def happen(self, server):
        """One of all that is counted: a response, an event of no interest, a refusal."""
        event = by_user(sample("cli-attribute-value.json"), self.attacker, self.attacker_key, self.instance)
        status, answer = server.post(event)
        self.assertEqual(status, 202, answer)
        server.wait_for_state(answer["incidents"][0]["id"], "done")
        self.assertEqual(server.post(fresh(sample("console-mfa.json")))[0], 200)
        self.assertEqual(server.post("{}")[0], 400)
        self.assertEqual(server.post(event, secret="a wrong one")[0], 401)

    def assert_promtool_has_nothing_to_say(self, server):
        status, page = server.admin("/metrics")
        self.assertEqual(status, 200)
        done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, timeout=30, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, b""))
        return page.decode()

    def assert_answered(self, prometheus):
        for name, expression in observing.rules():
            with self.subTest(name):
                prometheus.query(expression)
        for title, expression in observing.queries():
            with self.subTest(title, expression=expression):
                found = prometheus.query(expression)
                self.assertTrue(found or title in SILENT, "no data")

    def test_what_prometheus_sees(self):
        self.instance = self.moto.instance(protected=False)
        server = self.serve()
        prometheus = Prometheus(pathlib.Path(self.folder), f"127.0.0.1:{server.admin_port}")
        self.addCleanup(prometheus.stop)
        wait_for("the first scrape", lambda: prometheus.has_scraped(1), 20, 0.1)
        self.happen(server)
        page = self.assert_promtool_has_nothing_to_say(server)
        self.assertNotIn(self.attacker["UserId"], page)  # no principal is a label
        wait_for("what happened to be scraped twice", lambda: prometheus.query(
            "count_over_time((riposte_reaction_seconds_count > 0)[10s:1s]) >= 2"), 15, 0.2)
        self.assert_answered(prometheus)
        self.assertEqual(prometheus.query('sum(riposte_rule_matches_total)')[0]["value"][1], "1")
        self.assertTrue(prometheus.query('riposte_certificate_expiry_timestamp_seconds - time() > 80 * 86400'))
        self.assert_alerts(prometheus)

    def assert_alerts(self, prometheus):
        """The refused event, which EventBridge would put into its dead-letter queue, is the one alert."""
        def alerts():
            return {alert["labels"]["alertname"] for alert in prometheus.get("alerts")["data"]["alerts"]
                    if alert["state"] == "firing"}

        wait_for("the alert", lambda: alerts() == {"RiposteDeadLetters"}, 10, 0.2)
        rules = [rule for group in prometheus.get("rules")["data"]["groups"] for rule in group["rules"]]
        self.assertEqual({rule["name"] for rule in rules}, {name for name, _ in observing.rules()})
        self.assertEqual([rule for rule in rules if rule["health"] == "err"], [])


if __name__ == "__main__":
    unittest.main()
