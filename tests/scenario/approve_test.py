"""Modes observe and approve: no write leaves, whatever fires, until an operator says so."""
import http.server
import json
import pathlib
import re
import shutil
import threading
import time
import unittest

import harness
from harness import Scenario, by_user, sample

READ = re.compile(r"GET |(.*\.)?(Get|List|Describe|Lookup|Head)")


def read(path):
    return json.loads(re.sub(r"(?m)^\s*//.*$", "", path.read_text()))


def merge(into, more):
    """Members of objects side by side; what two shipped tests say of one thing must not differ."""
    for name, value in more.items():
        if isinstance(value, dict):
            merge(into.setdefault(name, {}), value)
        else:
            assert into.setdefault(name, value) == value, name


def shipped_matches():
    """(rule, event file, earlier event files) of every shipped rule test that matches, and the settings they want."""
    matches, given = [], {"vars": {}, "self": {}}
    for path in sorted((harness.ROOT / "conf" / "rules").glob("*.json")):
        rule = read(path)
        for test in rule["tests"]:
            if test["expect"]["match"]:
                matches.append((rule["name"], test["event"].rsplit("/", 1)[1],
                                [name.rsplit("/", 1)[1] for name in test.get("earlier", [])]))
                merge(given, {"vars": test.get("vars", {}), "self": test.get("self", {})})
    assert given["self"].keys() == {"resources"}
    settings = {"vars": given["vars"], "aws": {"resources": given["self"]["resources"]}}
    return matches, json.loads(here(json.dumps(settings)))


def here(text):
    """In the emulator's account."""
    return text.replace(json.loads((harness.ROOT / "conf/events/cli-flag.json").read_text())["account"],
                        harness.ACCOUNT)


def of_this_account(name):
    """The sample as it would be here and now, by a principal of the emulator's account."""
    event = sample(name)
    event = json.loads(json.dumps(event).replace(event["account"], harness.ACCOUNT))
    return harness.fresh(event)


class Approve(Scenario):
    def setUp(self):
        super().setUp()
        self.relay = harness.Interposer(self.moto.port, lambda action, forward: forward())
        self.addCleanup(self.relay.stop)

    def writes(self):
        return [action for action in self.relay.actions if not READ.match(action)]

    def attack(self, user, key):
        """This user switches protection off; (instance, incident)."""
        instance = self.moto.instance()
        self.moto.protect(self.moto.client("ec2", key), instance, False)
        status, answer = self.server.post(by_user(sample("cli-attribute-value.json"), user, key,
                                                  instance))
        self.assertEqual(status, 202, answer)
        return instance, answer["incidents"][0]["id"]

    def incidents(self, *arguments):
        return self.server.cli("incidents", *arguments, "-c", str(self.server.settings_path))

    def bold_rules(self):
        """The shipped rules without their own milder modes; of one, what goes as far as the role. Names of playbooks."""
        shutil.copytree(harness.ROOT / "conf" / "rules", pathlib.Path(self.folder) / "rules")
        shutil.copytree(harness.ROOT / "conf" / "events", pathlib.Path(self.folder) / "events")
        playbooks = set()
        for path in (pathlib.Path(self.folder) / "rules").iterdir():
            rule = read(path)
            rule.pop("mode", None)
            if rule["name"] == "termination-protection-disabled":
                rule["respond"][rule["respond"].index("contain-principal")] = "contain-role"
            playbooks |= set(rule["respond"])
            path.write_text(json.dumps(rule))
        return playbooks

    def test_no_write_of_any_shipped_playbook_leaves(self):
        matches, settings = shipped_matches()
        respond = self.bold_rules()
        for path in (harness.ROOT / "conf" / "playbooks").iterdir():
            playbook = read(path)
            if playbook["acts_on"] != "nobody":
                self.assertIn(playbook["name"], respond, "a rule whose test would start it")
        settings["rules"] = str(pathlib.Path(self.folder) / "rules")
        for mode, states in (("observe", ("observed", "held", "joined", "suppressed")),
                             ("approve", ("held", "joined", "suppressed"))):
            with self.subTest(mode):
                server = self.riposte(mode=mode, aws=self.relay.url, key=self.responder,
                                      settings=settings)
                self.addCleanup(server.stop)  # each of the two
                server.start()
                incidents = []
                for rule, name, earlier in matches:
                    for before in earlier:
                        status, answer = server.post(of_this_account(before))
                        self.assertEqual(status, 202, (before, answer))
                    status, answer = server.post(of_this_account(name))
                    self.assertEqual(status, 202, (name, answer))
                    fired = {incident["rule"]: incident["id"] for incident in answer["incidents"]}
                    self.assertIn(rule, fired, name)
                    incidents += fired.values()
                for incident in incidents:
                    server.wait_for_state(incident, *states)
                time.sleep(1)
                if mode == "observe":
                    self.assertEqual(self.relay.actions, [])
                self.assertEqual(self.writes(), [])
                self.assertGreaterEqual(len(incidents), len(matches))
                server.stop()
                (server.folder / "journal.db").unlink()

    def test_an_approval_lets_that_incident_write_and_no_other(self):
        server = self.riposte(mode="approve", aws=self.relay.url, key=self.responder).start()
        instance, incident = self.attack(self.attacker, self.attacker_key)
        other_instance, other = self.attack(self.bystander, self.bystander_key)
        for each in (incident, other):
            self.assertIn("awaits approval", server.wait_for_state(each, "held")["reason"])
        self.assertEqual(self.writes(), [])

        approved = self.incidents("approve", incident)
        self.assertEqual(approved.returncode, 0, approved.stdout + approved.stderr)
        self.assertRegex(approved.stdout, f"{incident} is (responding|done)")
        server.wait_for_state(incident, "done")
        self.assertEqual(sorted(self.writes()), ["ModifyInstanceAttribute", "PutUserPolicy"])
        self.assertTrue(self.moto.is_protected(instance))
        self.assertEqual(self.moto.policies("attacker"), ["riposte-contained", "work"])
        self.assertFalse(self.moto.is_protected(other_instance))
        self.assertEqual(self.moto.policies("bystander"), ["work"])

        self.moto.client("iam").delete_user_policy(UserName="attacker",
                                                   PolicyName="riposte-contained")
        harness.wait_for("the deny again, by a verification of what was approved",
                         lambda: "riposte-contained" in self.moto.policies("attacker"), 25, 0.2)

        dismissed = self.incidents("dismiss", other)
        self.assertEqual((dismissed.returncode, dismissed.stdout),
                         (0, f"{other} is dismissed\n"), dismissed.stderr)
        self.assertEqual(self.incidents("dismiss", other).returncode, 0)
        refused = self.incidents("approve", other)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("is dismissed: approve is for held ones", refused.stderr)
        undone = self.incidents("undo", incident, "--yes")
        self.assertEqual(undone.returncode, 0, undone.stderr)
        self.assertEqual(self.moto.policies("attacker"), ["work"])
        self.assertEqual(sorted(set(self.writes())),
                         ["DeleteUserPolicy", "ModifyInstanceAttribute", "PutUserPolicy"])
        self.assertEqual(self.moto.policies("bystander"), ["work"])

    def test_a_protected_principal_needs_the_override(self):
        server = self.riposte(mode="enforce", aws=self.relay.url, key=self.responder, settings={
            "guard": {"protected": [self.attacker["Arn"]]}}).start()
        _, incident = self.attack(self.attacker, self.attacker_key)
        server.wait_for_state(incident, "held")
        refused = self.incidents("approve", incident)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("still held: approved by admin, but: the principal is protected",
                      refused.stderr)
        self.assertEqual(self.writes(), [])
        approved = self.incidents("approve", incident, "--override", "protected")
        self.assertEqual(approved.returncode, 0, approved.stderr)
        server.wait_for_state(incident, "done")
        self.assertIn("riposte-contained", self.moto.policies("attacker"))

    def test_what_awaits_approval_is_told_and_so_is_its_end(self):
        told = []

        class Chat(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                told.append((self.path, json.loads(self.rfile.read(
                    int(self.headers["Content-Length"])))["text"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        chat = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Chat)
        threading.Thread(target=chat.serve_forever, args=(0.05,), daemon=True).start()
        self.addCleanup(chat.server_close)
        self.addCleanup(chat.shutdown)
        url = f"http://127.0.0.1:{chat.server_address[1]}/T0/not-to-be-seen"
        server = self.riposte(mode="approve", aws=self.relay.url, key=self.responder,
                              settings={"notify": {"held": ["notify"], "done": ["notify"]}},
                              environment={"RIPOSTE_NOTIFY_URL": url}).start()
        _, incident = self.attack(self.attacker, self.attacker_key)
        harness.wait_for("the chat", lambda: told)
        self.assertEqual(self.incidents("approve", incident).returncode, 0)
        server.wait_for_state(incident, "done")
        harness.wait_for("the end", lambda: len(told) == 2)
        for path, text in told:
            self.assertEqual(path, "/T0/not-to-be-seen")
            self.assertIn(incident, text)
        self.assertNotIn("not-to-be-seen", server.log())
        self.assertNotIn("not-to-be-seen", json.dumps(server.incident(incident)))
        self.assertIn("https:POST", self.incidents("show", incident).stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
