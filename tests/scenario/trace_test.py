"""A trace id: the sender's, or one of ours, in every line about the event and on every call that it causes."""
import contextlib
import re
import signal
import sqlite3
import threading
import unittest
import uuid

import harness
from harness import Scenario, by_user, sample, wait_for

ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{ID}-00f067aa0ba902b7-01"
AMAZON = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
HOSTILE = ["00-" + "0" * 32 + "-00f067aa0ba902b7-01", PARENT + "-x", PARENT.upper(), 'x","level":"error', "A" * 4000]


class Traces(Scenario):
    def setUp(self):
        super().setUp()
        self.sent = []  # (action, traceparent)
        self.lock = threading.Lock()

        def on_request(action, forward):
            with self.lock:
                self.sent.append((action, forward.headers.get("traceparent")))
            return forward()

        self.relay = harness.Interposer(self.moto.port, on_request)
        self.addCleanup(self.relay.stop)
        self.server = self.riposte(mode="enforce", aws=self.relay.url, key=self.responder).start()

    def respond(self, **headers):
        """Posts an event of a user of its own; the incident and the trace ids that its lines in the log have."""
        self.moto.relax()
        user, key = self.moto.user(f"attacker-{uuid.uuid4().hex}")
        instance = self.moto.instance(protected=False)
        self.moto.enforce()  # signatures are checked
        with self.lock:
            self.sent.clear()
        event = by_user(sample("cli-attribute-value.json"), user, key, instance)
        status, answer = self.server.post(event, **headers)
        self.assertEqual(status, 202, answer)
        incident = answer["incidents"][0]["id"]
        self.server.wait_for_state(incident, "done")
        lines = wait_for("the lines", lambda: (lambda found: found if len(found) >= 3 else None)(
            [line for line in self.server.log_lines() if line.get("incident") == incident]))
        return incident, lines

    def assert_traced(self, identifier, lines):
        self.assertEqual({line.get("trace_id") for line in lines}, {identifier}, lines)
        self.assertEqual({line["component"] for line in lines}, {"intake", "respond"})
        with self.lock:
            calls = {action: parent for action, parent in self.sent if action != "GetCallerIdentity"}
        self.assertIn("PutUserPolicy", calls)
        for action, parent in calls.items():
            self.assertRegex(parent or "", rf"^00-{identifier}-(?!0{{16}})[0-9a-f]{{16}}-01$", action)

    def stored(self, incident):
        with contextlib.closing(sqlite3.connect(f"{self.folder}/journal.db")) as journal:
            return journal.execute("SELECT trace FROM event WHERE id = (SELECT event FROM incident WHERE id = ?)",
                                   (incident,)).fetchone()[0]

    def test_traces(self):
        incident, lines = self.respond(traceparent=PARENT)
        self.assert_traced(ID, lines)
        self.assertEqual(self.server.incident(incident)["trace_id"], ID)
        _, lines = self.respond(**{"X-Amzn-Trace-Id": AMAZON})
        self.assert_traced("5759e988bd862e3fe1be46a994272793", lines)
        made = set()
        for header in HOSTILE:
            with self.subTest(header[:60]):
                self.server.post("{}", traceparent=header)
                refused = wait_for("the refusal", lambda: [line for line in self.server.log_lines()
                                                           if line["message"].startswith("400:")][len(made):])
                made.update(line["trace_id"] for line in refused)
        _, lines = self.respond(traceparent=HOSTILE[1])
        made.add(lines[0]["trace_id"])
        self.assert_traced(lines[0]["trace_id"], lines)
        self.assertEqual(len(made), len(HOSTILE) + 1)  # each its own
        for identifier in made:
            self.assertTrue(re.fullmatch("[0-9a-f]{32}", identifier) and identifier != ID)
        self.server.stop(signal.SIGTERM)
        self.assertEqual(self.stored(incident), ID)


if __name__ == "__main__":
    unittest.main()
