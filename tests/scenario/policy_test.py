"""With exactly the policy that `export iam-policy` prints the main job is done and taken back; with less it is not."""
import json
import unittest

from harness import Scenario, by_user, sample


class Policy(Scenario):
    def allow(self, without=()):
        """The responder has the exported policy, and nothing else."""
        server = self.riposte(mode="enforce", aws=self.moto.url, key=self.responder)
        exported = server.cli("export", "iam-policy", "-c", str(server.settings_path))
        self.assertEqual(exported.returncode, 0, exported.stderr)
        policy = json.loads(exported.stdout)
        for statement in policy["Statement"]:
            statement["Action"] = [action for action in statement["Action"]
                                   if action not in without]
        self.moto.client("iam").put_user_policy(
            UserName="responder", PolicyName="work", PolicyDocument=json.dumps(policy))
        self.instance = self.moto.instance()
        self.moto.enforce()
        self.assert_denied(self.moto.client("iam", self.responder).create_user, UserName="more")
        ec2 = self.moto.client("ec2", self.attacker_key)
        self.moto.protect(ec2, self.instance, False)
        return server.start()

    def attack(self, server):
        event = by_user(sample("cli-attribute-value.json"), self.attacker, self.attacker_key,
                        self.instance)
        status, answer = server.post(event)
        self.assertEqual(status, 202, answer)
        return answer["incidents"][0]["id"]

    def test_it_is_enough(self):
        server = self.allow()
        incident = self.attack(server)
        server.wait_for_state(incident, "done")
        self.assertEqual(self.moto.policies("attacker"), ["riposte-contained", "work"])
        self.assertTrue(self.moto.is_protected(self.instance))
        undone = server.cli("incidents", "undo", incident, "--yes", "--resources", "-c",
                            str(server.settings_path))
        self.assertEqual(undone.returncode, 0, undone.stderr)
        server.wait_for_state(incident, "released")
        self.assertEqual(self.moto.policies("attacker"), ["work"])
        self.assertFalse(self.moto.is_protected(self.instance))

    def test_less_is_not(self):
        server = self.allow(without=("ec2:ModifyInstanceAttribute",))
        server.wait_for_state(self.attack(server), "failed", "held", seconds=60)
        self.assertFalse(self.moto.is_protected(self.instance))


if __name__ == "__main__":
    unittest.main()
