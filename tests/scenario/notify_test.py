"""Each vendor's notification, sent to a stand-in that holds it against what the vendor documents: once per incident and
state, never before the containment, again while the vendor is down, and nothing of an event as markup."""
import contextlib
import copy
import http.server
import json
import pathlib
import re
import shutil
import signal
import threading
import time
import types
import unittest

import harness
import vendors
from harness import ACCOUNT, REGION, ROOT, Scenario, by_user, sample, wait_for

PLAYBOOKS = ["notify-slack", "notify-teams", "notify-pagerduty", "notify-webhook", "notify-splunk", "notify-sns",
             "notify-securityhub", "notify-ocsf"]
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:incidents"
URL = "https://riposte.example.com/console/"
HOSTILE = "<!channel> [here](http://evil.example) \"'</script>\u202e \n" + "A" * 100_000


class StandIn:
    """All vendors of HTTPS in one: notes what comes, answers as told."""

    def __init__(self):
        stand_in = self
        self.requests = []
        self.status = {}  # by vendor, while it is down
        self.lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                vendor = self.path.strip("/")
                with stand_in.lock:
                    status = stand_in.status.get(vendor, 202)
                    stand_in.requests.append(types.SimpleNamespace(
                        vendor=vendor, path=self.path, headers=self.headers, body=body, status=status,
                        moment=time.time()))
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def of(self, vendor):
        with self.lock:
            return [request for request in self.requests if request.vendor == vendor]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Notifications(Scenario):
    def setUp(self):
        super().setUp()
        self.vendors = StandIn()
        self.addCleanup(self.vendors.stop)
        self.calls = []  # to AWS: what notifies, and what contains
        self.is_aws_down, self.refused = False, []

        def on_request(action, forward):
            request = types.SimpleNamespace(action=action, path=forward.path, headers=forward.headers, body=forward.body,
                                            moment=time.time())
            if self.is_aws_down and (action == "Publish" or forward.path == "/findings/import"):
                self.refused.append(request)
                return 503, b""
            self.calls.append(request)
            return forward()

        self.relay = harness.Interposer(self.moto.port, on_request)
        self.addCleanup(self.relay.stop)
        self.moto.client("sns").create_topic(Name="incidents")
        self.moto.client("securityhub").enable_security_hub()
        self.instance = self.moto.instance(protected=False)

    def playbooks(self):
        """The shipped ones; what has its place in the file goes to the stand-in."""
        folder = pathlib.Path(self.folder) / "playbooks"
        shutil.copytree(ROOT / "conf" / "playbooks", folder)
        path = folder / "notify-pagerduty.json"
        text = path.read_text()
        self.assertIn("https://events.pagerduty.com/v2/enqueue", text)
        path.write_text(text.replace("https://events.pagerduty.com/v2/enqueue", self.vendors.url + "/pagerduty"))
        return str(folder)

    def serve(self, mode="enforce", states=("observed", "held", "done", "released")):
        output = pathlib.Path(self.folder) / "output"
        output.mkdir()
        self.findings = output / "findings.jsonl"
        return self.riposte(
            mode=mode, aws=self.relay.url, key=self.responder,
            settings={"notify": {state: PLAYBOOKS for state in states}, "playbooks": self.playbooks(),
                      "admin": {"url": URL}, "output": str(output), "vars": {"sns_topic": TOPIC}},
            environment={**{f"RIPOSTE_{name.upper()}_URL": f"{self.vendors.url}/{name}"
                            for name in ("slack", "teams", "webhook", "splunk")},
                         "RIPOSTE_PAGERDUTY_KEY": vendors.ROUTING_KEY, "RIPOSTE_WEBHOOK_KEY": vendors.WEBHOOK_KEY,
                         "RIPOSTE_SPLUNK_TOKEN": vendors.SPLUNK_TOKEN}).start()

    def post(self, server, **changes):
        event = by_user(sample("cli-attribute-value.json"), self.attacker, self.attacker_key, self.instance)
        event["detail"]["userIdentity"].update(changes)
        status, answer = server.post(event)
        self.assertEqual(status, 202, answer)
        return answer["incidents"][0]["id"]

    def aws(self, marker):
        return [call for call in self.calls if marker in call.path.encode() + call.body]

    def written(self):
        return [json.loads(line) for line in self.findings.read_text().splitlines()] if self.findings.is_file() else []

    def counts(self):
        return {**{vendor: len([each for each in self.vendors.of(vendor) if each.status < 300])
                   for vendor in vendors.VENDORS},
                "sns": len(self.aws(b"Action=Publish")), "securityhub": len(self.aws(b"/findings/import")),
                "ocsf": len(self.written())}

    def told(self, times):
        """Waits until each vendor was told so often; what it was told last, by vendor."""
        expected = {name: times for name in self.counts()}
        wait_for(f"{times} of each", lambda: self.counts() == expected or None, 15, 0.05)
        time.sleep(0.3)
        self.assertEqual(self.counts(), expected)  # and no more
        last = {vendor: check(self.vendors.of(vendor)[-1]) for vendor, check in vendors.VENDORS.items()}
        last["sns"] = vendors.sns(self.aws(b"Action=Publish")[-1])
        last["securityhub"] = vendors.securityhub(self.aws(b"/findings/import")[-1])
        last["ocsf"] = vendors.ocsf(self.written()[-1])
        return last

    def assert_about(self, last, incident, state):
        link = f"https://riposte.example.com/console/incidents/{incident}"
        for vendor, message in last.items():
            with self.subTest(vendor=vendor, state=state):
                everything = list(vendors.texts(message))
                self.assertIn(link, everything)
                self.assertTrue(any(incident in text for text in everything))
                self.assertTrue(any(state in text for text in everything))

    def test_each_vendor_is_told_once_of_each_state(self):
        server = self.serve()
        incident = self.post(server)
        server.wait_for_state(incident, "done")
        last = self.told(1)
        self.assert_about(last, incident, "done")
        self.assertEqual((last["pagerduty"]["event_action"], last["pagerduty"]["dedup_key"]), ("resolve", incident))
        self.assertEqual(last["securityhub"]["Workflow"]["Status"], "RESOLVED")
        self.assertEqual(last["ocsf"]["status_id"], 4)
        contained = self.aws(b"Action=PutUserPolicy")[0].moment
        self.assertTrue(all(request.moment > contained for request in self.vendors.requests))
        undone = server.cli("incidents", "undo", incident, "--yes", "-c", str(server.settings_path))
        self.assertEqual(undone.returncode, 0, undone.stderr)
        last = self.told(2)
        self.assert_about(last, incident, "released")
        self.assertEqual(last["securityhub"]["RecordState"], "ARCHIVED")
        self.assertEqual((last["ocsf"]["activity_id"], last["ocsf"]["finding_info"]["uid"]), (3, incident))
        identifiers = [request.headers["webhook-id"] for request in self.vendors.of("webhook")]
        self.assertEqual(len(set(identifiers)), 2)
        self.assert_no_secret_is_kept(server, incident)

    def assert_no_secret_is_kept(self, server, incident):
        kept = json.dumps(server.incident(incident)) + server.log() + self.findings.read_text()
        for secret in (vendors.ROUTING_KEY, vendors.WEBHOOK_KEY, vendors.SPLUNK_TOKEN, self.vendors.url + "/slack"):
            self.assertNotIn(secret, kept)
        self.assertIn("env:RIPOSTE_PAGERDUTY_KEY", kept)

    def test_a_vendor_that_is_down_is_told_once_when_it_is_back(self):
        self.vendors.status = {"pagerduty": 503, "webhook": 429, "slack": 500}
        self.is_aws_down = True
        server = self.serve(states=("held",))
        self.findings.mkdir()  # where the file should be
        incident = self.post(server, arn=f"arn:aws:iam::{ACCOUNT}:user/break-glass", userName="break-glass")
        server.wait_for_state(incident, "held")
        wait_for("some tries", lambda: min(len(self.vendors.of(each)) for each in self.vendors.status) >= 2 and
                 len(self.refused) >= 4, 10)
        self.vendors.status, self.is_aws_down = {}, False
        self.findings.rmdir()
        last = self.told(1)
        self.assert_about(last, incident, "held")
        self.assertEqual(last["pagerduty"]["event_action"], "trigger")
        tries = self.vendors.of("webhook")
        self.assertEqual(len({request.headers["webhook-id"] for request in tries}), 1)  # the receiver can tell
        metrics = server.admin("/metrics")[1].decode()
        self.assertIn('riposte_notifications_total{playbook="notify-slack",outcome="sent"} 1\n', metrics)
        self.assertIn('riposte_notifications_total{playbook="notify-slack",outcome="lost"} 0\n', metrics)

    def test_an_output_that_is_no_folder_is_refused(self):
        for name, made in (("absent", None), ("file", "x")):
            output = pathlib.Path(self.folder) / name
            if made:
                output.write_text(made)
            server = self.riposte(settings={"output": str(output)})
            server.start(wait=False)
            self.assertNotEqual(server.process.wait(10), 0)
            self.assertIn(f"{output}", server.log())
            self.assertIn("output: ", server.log())

    def test_observe_tells_and_asks_nothing_and_what_an_event_says_is_text(self):
        server = self.serve(mode="observe")
        incident = self.post(server, userName=HOSTILE, principalId=HOSTILE)
        server.wait_for_state(incident, "held")  # nobody has such a name
        last = self.told(1)
        self.assert_about(last, incident, "held")
        # Beside the two notifications only who we are is asked: whether the event's account is ours.
        self.assertEqual({call.action for call in self.calls}, {"Publish", "GetCallerIdentity", ""})
        self.assertNotIn("<!channel>", last["slack"]["text"])
        for message in (last["slack"], last["teams"], last["pagerduty"], last["sns"], last["ocsf"]):
            for text in vendors.texts(message):
                self.assertLess(len(text), 600)
                self.assertNotIn("\n", text)
        marked = [element for element in last["teams"]["attachments"][0]["content"]["body"]
                  if element["type"] == "TextBlock"]
        self.assertNotIn("evil", json.dumps(marked))
        self.assertEqual(server.stop(signal.SIGTERM), 0)


if __name__ == "__main__":
    unittest.main()
