"""kill -9 in the midst of a response: started again, the outcome is the same, and undo takes all of it back."""
import http.client
import random
import threading
import unittest

import harness
from harness import Scenario, by_user, sample

SEED = 20160114


class Crash(Scenario):
    def setUp(self):
        super().setUp()
        self.instance = self.moto.instance(protected=False)
        self.moto.enforce()
        self.event = by_user(sample("terraform-no-mfa.json"), self.attacker, self.attacker_key,
                             self.instance)

    def kill(self):
        self.server.process.kill()
        self.server.process.wait(10)

    def post_until_taken(self):
        """As EventBridge does: again until there is an answer that isn't retried."""
        def attempt():
            try:
                status, answer = self.server.post(self.event)
            except (OSError, http.client.HTTPException):
                return None
            return answer if status in (200, 202) else None
        return harness.wait_for("an answer to the event", attempt, 20, 0.05)

    def story(self, on_request, kill_after_s=None):
        """Responds, is killed as told, is started again, ends, is undone."""
        relay = harness.Interposer(self.moto.port, on_request)
        self.addCleanup(relay.stop)
        self.riposte(mode="enforce", aws=relay.url, key=self.responder).start()
        if kill_after_s is not None:
            timer = threading.Timer(kill_after_s, self.kill)
            timer.start()
        try:
            self.server.post(self.event)
        except (OSError, http.client.HTTPException):
            pass
        if kill_after_s is not None:
            timer.join()
        harness.wait_for("the kill", lambda: self.server.process.poll() is not None, 20)
        self.server.start()
        self.post_until_taken()
        status, listed = self.server.admin("/v1/incidents")
        self.assertEqual(status, 200)
        self.assertEqual(len(listed["incidents"]), 1, "the event was handled once")
        incident = listed["incidents"][0]["id"]
        self.server.wait_for_state(incident, "done")
        self.assertEqual(self.moto.policies("attacker"), ["riposte-contained", "work"])
        self.assertTrue(self.moto.is_protected(self.instance))
        self.assert_denied(self.moto.client("ec2", self.attacker_key).describe_instances)
        self.undo(incident)

    def undo(self, incident):
        effects = self.server.incident(incident)["effects"]
        deny = [effect for effect in effects if effect["name"] == "deny-user"]
        self.assertEqual(len(deny), 1, effects)
        self.assertIn("DeleteUserPolicy", str(deny[0]["inverse"]))
        status, answer = self.server.admin(f"/v1/incidents/{incident}/undo", "POST", {})
        self.assertIn(status, (200, 202), answer)
        self.server.wait_for_state(incident, "released")
        self.assertEqual(self.moto.policies("attacker"), ["work"])
        self.moto.client("ec2", self.attacker_key).describe_instances()

    def test_between_a_call_and_its_outcome(self):
        """AWS has put the policy, the answer never arrives."""
        done = threading.Event()

        def on_request(action, forward):
            answer = forward()
            if action == "PutUserPolicy" and not done.is_set():
                done.set()
                self.kill()
            return answer
        self.story(on_request)

    def test_between_an_intent_and_its_call(self):
        done = threading.Event()

        def on_request(action, forward):
            if action == "PutUserPolicy" and not done.is_set():
                done.set()
                self.kill()
                return 500, b""
            return forward()
        self.story(on_request)

    def test_between_restoring_and_its_outcome(self):
        done = threading.Event()

        def on_request(action, forward):
            answer = forward()
            if action == "ModifyInstanceAttribute" and not done.is_set():
                done.set()
                self.kill()
            return answer
        self.story(on_request)

    def random_point(self, number):
        chance = random.Random(SEED + number)
        self.story(lambda action, forward: forward(), kill_after_s=chance.uniform(0.0, 0.06))


for _number in range(7):
    def _test(self, number=_number):
        self.random_point(number)
    setattr(Crash, f"test_random_point_{_number}", _test)


if __name__ == "__main__":
    unittest.main(verbosity=2)
