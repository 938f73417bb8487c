"""Much at once, and traps: one containment for fifty instances, nothing planted comes back."""
import collections
import json
import unittest
import urllib.parse

import harness
from harness import Scenario, by_user, sample

FLEET = 50
ALLOW_ALL = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Sid": "Planted", "Effect": "Allow", "Action": "*", "Resource": "*"}]})


class Storm(Scenario):
    def attack_on(self, instances):
        """One event each, as the attacker made them within a second."""
        return [by_user(sample("terraform-no-mfa.json"), self.attacker, self.attacker_key, instance)
                for instance in instances]

    def incidents(self):
        status, answer = self.server.admin("/v1/incidents?limit=500")
        self.assertEqual(status, 200, answer)
        return answer["incidents"]

    def test_fifty_instances_are_one_containment_and_fifty_restorations(self):
        ec2 = self.moto.client("ec2")
        fleet = [instance["InstanceId"] for instance in ec2.run_instances(
            ImageId=harness.IMAGE, MinCount=FLEET, MaxCount=FLEET)["Instances"]]
        self.moto.enforce()
        recorder = harness.Recorder(self.moto.port)
        self.addCleanup(recorder.stop)
        self.riposte(mode="enforce", aws=recorder.url, key=self.responder).start()
        status, answer = self.server.post(self.attack_on(fleet))
        self.assertEqual(status, 202, answer)
        harness.wait_for("all instances to be protected again",
                         lambda: all(self.moto.is_protected(one) for one in fleet), 60, 0.2)
        states = harness.wait_for("the incidents to settle", lambda: (
            lambda found: found if sum(found.values()) == FLEET and not found["responding"] and
            not found["detected"] else None)(
                collections.Counter(one["state"] for one in self.incidents())), 30)
        self.assertEqual(states, {"done": 1, "joined": FLEET - 1})
        actions = collections.Counter(recorder.actions())
        self.assertEqual(actions["PutUserPolicy"], 1)
        self.assertEqual(actions["ModifyInstanceAttribute"], FLEET)
        first = next(one for one in self.incidents() if one["state"] == "done")
        self.assertTrue(all(one["joined_to"] == first["id"] for one in self.incidents()
                            if one["state"] == "joined"))
        effects = self.server.incident(first["id"])["effects"]
        self.assertEqual(len(effects), FLEET + 1, "all of it can be undone through one incident")

    def test_what_was_planted_under_our_name_is_not_brought_back(self):
        self.moto.client("iam").put_user_policy(
            UserName="attacker", PolicyName="riposte-contained", PolicyDocument=ALLOW_ALL)
        instance = self.moto.instance(protected=False)
        self.moto.enforce()
        self.riposte(mode="enforce", aws=self.moto.url, key=self.responder).start()
        status, answer = self.server.post(self.attack_on([instance])[0])
        self.assertEqual(status, 202, answer)
        incident = answer["incidents"][0]["id"]
        self.server.wait_for_state(incident, "done")
        self.assert_denied(self.moto.client("ec2", self.attacker_key).describe_instances)
        status, answer = self.server.admin("/v1/audit")
        self.assertEqual(status, 200, answer)
        planted = [line for line in answer["lines"] if line["event"] == "planted"]
        self.assertEqual([line["incident"] for line in planted], [incident])
        said = json.loads(planted[0]["text"])
        self.assertEqual(said["result"], "replaced")
        found = json.loads(said["found"])["PolicyDocument"]
        self.assertEqual(json.loads(urllib.parse.unquote(found)), json.loads(ALLOW_ALL))
        status, answer = self.server.admin(f"/v1/incidents/{incident}/undo", "POST", {})
        self.assertEqual(status, 202, answer)
        self.server.wait_for_state(incident, "released")
        self.assertEqual(self.moto.policies("attacker"), ["work"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
