"""acknowledge: responded. The answer to an event comes when the response is done; of a slow AWS it doesn't wait too long."""
import json
import signal
import threading
import time
import unittest

import harness
from harness import Scenario, by_user, sample


class Acknowledge(Scenario):
    def setUp(self):
        super().setUp()
        self.instance = self.moto.instance(protected=False)
        self.may_go_on = threading.Event()
        self.addCleanup(self.may_go_on.set)

    def event(self):
        return by_user(sample("cli-attribute-value.json"), self.attacker, self.attacker_key, self.instance)

    def begin(self, acknowledge="responded", **options):
        """A server before an AWS whose PutUserPolicy waits for may_go_on, and is noted."""
        def on_request(action, forward):
            if action == "PutUserPolicy":
                self.may_go_on.wait(20)
                answer = forward()
                self.contained_at = time.monotonic()
                return answer
            return forward()

        relay = harness.Interposer(self.moto.port, on_request)
        self.addCleanup(relay.stop)
        return self.riposte(mode="enforce", aws=relay.url, key=self.responder,
                            settings={"acknowledge": acknowledge, **options}).start()

    def post(self, server):
        """(status, the incident's id, seconds until the answer)."""
        began = time.monotonic()
        status, answer = server.post(self.event())
        self.assertEqual(status, 202, answer)
        return answer["incidents"][0]["id"], time.monotonic() - began

    def test_the_answer_comes_after_the_deny(self):
        self.may_go_on.set()
        server = self.begin()
        incident, _ = self.post(server)
        self.assertLess(self.contained_at, time.monotonic())
        self.assertEqual(server.incident(incident)["state"], "done")
        self.assertIn("riposte-contained", self.moto.policies("attacker"))
        self.assertIn(b'riposte_intake_held_total{outcome="responded"} 1', server.admin("/metrics")[1])

    def test_a_slow_aws_is_waited_for_four_seconds(self):
        server = self.begin()
        incident, took_s = self.post(server)
        self.assertGreater(took_s, 3.5)
        self.assertLess(took_s, 4.8)
        self.assertEqual(server.incident(incident)["state"], "responding")
        self.assertIn(b'riposte_intake_held_total{outcome="late"} 1', server.admin("/metrics")[1])
        self.may_go_on.set()
        server.wait_for_state(incident, "done")

    def test_a_reload_turns_it_off_and_a_stop_lets_go(self):
        server = self.begin(drain="0s")
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(server.post(self.event())[0]))
        waiting.start()
        harness.wait_for("the incident", lambda: server.admin("/v1/incidents")[1]["incidents"])
        document = json.loads(server.settings_path.read_text())
        server.settings_path.write_text(json.dumps({**document, "acknowledge": "journaled"}))
        self.assertEqual(server.cli("reload", "-c", str(server.settings_path)).returncode, 0)
        _, took_s = self.post(server)
        self.assertLess(took_s, 2)
        self.assertEqual(answers, [], "a request keeps what it began with")
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        waiting.join(10)
        self.assertEqual(answers, [202])
        self.assertLess(time.monotonic() - began, 2)
        self.may_go_on.set()
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
