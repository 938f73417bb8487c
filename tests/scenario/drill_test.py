#!/usr/bin/env python3
"""riposte drill: the whole chain in every mode, and broken at each leg on purpose: it names the leg. Nobody else's
event is a drill."""
import contextlib
import json
import resource
import socket
import tempfile
import threading
import unittest

import harness

ROOT_KEY = {"AccessKeyId": "AKIAROOT", "SecretAccessKey": "root"}
LEGS = ["sent", "logged", "received", "matched", "committed", "planned", "called"]



class Silence(threading.Thread):
    """An AWS that takes connections and never answers."""

    def __init__(self):
        super().__init__(daemon=True)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.connections = []
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                self.connections.append(self._socket.accept()[0])

    def stop(self):
        self._socket.close()
        for connection in self.connections:
            connection.close()


class Drill(harness.Scenario):
    def serve(self, mode, **options):
        """A server in a folder of its own."""
        folder = tempfile.mkdtemp(dir=self.folder)
        server = harness.Riposte(folder, mode, **options)
        self.addCleanup(server.kill)
        return server

    def drill(self, server, *options):
        """(exit code, the parsed report)."""
        done = server.cli("drill", "--json", "-c", str(server.settings_path), *options)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    def breaks_at(self, leg, server, *options):
        code, report = self.drill(server, *options)
        self.assertEqual((code, report["state"], report.get("broke_at")), (1, "broken", leg), json.dumps(report))
        self.assertTrue(report["check"])
        return report["legs"][LEGS.index(leg)]["note"]

    def test_in_every_mode_the_chain_is_followed_to_its_end(self):
        for mode in ("observe", "approve", "enforce"):
            with self.subTest(mode):
                server = self.serve(mode, aws=self.moto.url, key=ROOT_KEY).start()
                code, report = self.drill(server)
                self.assertEqual((code, report["state"]), (0, "done"), report)
                self.assertEqual([leg["leg"] for leg in report["legs"]], LEGS)
                states = [leg["state"] for leg in report["legs"]]
                last = "skipped" if mode == "observe" else "done"
                self.assertEqual(states, ["done", "skipped", "done", "done", "done", "done", last])
                self.assertEqual(report["legs"][-1]["note"][:11] == "not called:", mode == "observe")
                self.assertEqual(server.admin("/v1/drill")[1]["legs"][3]["note"], "among 53 rules")
                # It is in the journal, and nothing was done about it.
                incident = server.admin("/v1/incidents")[1]["incidents"][0]
                self.assertEqual((incident["rule"], incident["state"]), ("riposte-drill", "suppressed"))
                story = server.incident(incident["id"])
                self.assertEqual((story["calls"], story["effects"], story["tasks"]), ([], [], []))
                # People get bars.
                shown = server.cli("drill", "-c", str(server.settings_path))
                self.assertEqual(shown.returncode, 0, shown.stderr)
                self.assertRegex(shown.stdout, r"received +done +[0-9.]+ ms +#+")
                self.assertIn("the chain works", shown.stdout)
                server.kill()

    def test_only_what_was_asked_for_is_a_drill(self):
        server = self.serve("enforce", aws=self.moto.url, key=ROOT_KEY).start()
        event = {"version": "0", "id": "x", "source": "riposte.drill", "detail-type": "Riposte drill",
                 "account": "000000000000", "region": "none", "time": harness.now(),
                 "detail": {"eventID": "forged-1", "nonce": "00" * 32}}
        self.assertEqual(server.admin("/v1/drill")[1], {"state": "none", "legs": []})
        self.assertEqual(server.post(event), (200, {"event": "forged-1", "incidents": []}))
        # A token that may only look can ask for none, and a wrong body is said.
        self.assertEqual(server.admin("/v1/drill", "POST", {}, token="x" * 32)[0], 401)
        self.assertEqual(server.admin("/v1/drill", "POST", {"wait_ms": 0})[0], 400)
        status, armed = server.admin("/v1/drill", "POST", {})
        self.assertEqual(status, 200)
        self.assertEqual(server.post(event)[0], 200)  # still a wrong nonce
        event["detail"]["nonce"] = armed["nonce"]
        self.assertEqual(server.post(event)[0], 202)
        event["detail"]["eventID"] = "forged-2"
        self.assertEqual(server.post(event), (200, {"event": "forged-2", "incidents": []}))
        self.assertEqual(len(server.admin("/v1/incidents")[1]["incidents"]), 1)

    def test_sent_and_received(self):
        server = self.serve("observe").start()
        note = self.breaks_at("sent", server, "--url", f"https://127.0.0.1:{harness.free_port()}/events")
        self.assertIn("connect", note)
        self.assertIn("404", self.breaks_at("received", server, "--url",
                                            f"https://127.0.0.1:{server.port}/elsewhere"))
        other = self.serve("observe").start()
        self.assertIn("not by the server", self.breaks_at(
            "received", server, "--url", f"https://127.0.0.1:{other.port}/events"))
        server.environment["RIPOSTE_SECRET"] = "not-the-secret-at-all"
        self.assertIn("401", self.breaks_at("received", server))
        # Without the admin API there is no drill.
        code, said = self.drill(server, "--admin-url", f"https://127.0.0.1:{harness.free_port()}")
        self.assertEqual(code, 1)
        self.assertIn("the admin API", said)

    def test_matched(self):
        with tempfile.TemporaryDirectory() as empty:
            server = self.serve("observe", settings={"rules": empty}).start()
            self.assertIn("no event will ever match", self.breaks_at("matched", server))

    def test_committed(self):
        server = self.serve("observe").start()
        hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (0, hard))
        self.assertTrue(self.breaks_at("committed", server))
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        harness.wait_for("the journal to commit again",
                         lambda: server.request("GET", "/readyz")[0] == 200)
        self.assertEqual(self.drill(server)[0], 0)

    def test_planned(self):
        """The only worker hangs in a call that nobody answers."""
        silence = Silence()
        self.addCleanup(silence.stop)
        server = self.serve("enforce", aws=silence.url, key=ROOT_KEY,
                              settings={"workers": 1}).start()
        server.post(harness.fresh(harness.sample("cli-attribute-value.json")))
        harness.wait_for("the worker to call", lambda: silence.connections)
        self.assertIn("did not come within", self.breaks_at("planned", server, "--wait", "3s"))
        server.kill()

    def test_called(self):
        nowhere = f"http://127.0.0.1:{harness.free_port()}"
        server = self.serve("enforce", aws=nowhere, key=ROOT_KEY).start()
        self.assertIn("sts:GetCallerIdentity", self.breaks_at("called", server))
        server.kill()
        denying = harness.Interposer(self.moto.port, lambda action, forward: harness.query_error(
            403, "AccessDenied"))
        self.addCleanup(denying.stop)
        server = self.serve("approve", aws=denying.url, key=ROOT_KEY).start()
        self.assertIn("AccessDenied", self.breaks_at("called", server))

    def test_a_canary_that_never_comes(self):
        server = self.serve("observe").start()
        self.assertIn("did not come within 1s", self.breaks_at("sent", server, "--canary", "--wait", "1s"))


if __name__ == "__main__":
    unittest.main()
