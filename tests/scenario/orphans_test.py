"""The journal is lost while denies stand: `riposte orphans` finds them, adopts them, releases them."""
import json
import unittest

import harness
from harness import Scenario, by_session, by_user, sample


class Orphans(Scenario):
    def setUp(self):
        super().setUp()
        iam, sts = self.moto.client("iam"), self.moto.client("sts")
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"},
                                                         "Action": "sts:AssumeRole"}]}
        self.role = iam.create_role(RoleName="deployer",
                                    AssumeRolePolicyDocument=json.dumps(trust))["Role"]
        self.assumed = sts.assume_role(RoleArn=self.role["Arn"], RoleSessionName="mallory")
        self.instance = self.moto.instance(protected=False)
        self.moto.enforce()
        self.riposte(mode="enforce", aws=self.moto.url, key=self.responder,
                     settings={"drain": "0s"}).start()
        self.user_event = by_user(sample("terraform-no-mfa.json"), self.attacker,
                                  self.attacker_key, self.instance)
        self.denied = self.contain(self.user_event)

    def contain(self, event):
        status, answer = self.server.post(event)
        self.assertEqual(status, 202, answer)
        incident = answer["incidents"][0]["id"]
        self.server.wait_for_state(incident, "done")
        return incident

    def lose_journal(self, mode="enforce"):
        self.server.kill()
        for path in self.server.folder.glob("journal.db*"):
            path.unlink()
        self.server.start(RIPOSTE_MODE=mode)

    def orphans(self, *arguments):
        return self.server.cli("orphans", *arguments, "-c", str(self.server.settings_path))

    def test_it_is_found_adopted_and_undone(self):
        known = self.orphans()
        self.assertEqual((known.returncode, known.stdout), (0, "no orphans\n"), known.stderr)
        self.lose_journal()
        listed = self.orphans()
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertEqual(listed.stdout, f"{self.denied}  {harness.ACCOUNT} User attacker: riposte-contained\n")
        shown = self.orphans("--adopt")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertEqual(self.server.admin("/v1/incidents")[1]["incidents"], [], "only shown")
        adopted = self.orphans("--adopt", "--yes")
        self.assertEqual(adopted.returncode, 0, adopted.stderr)
        self.assertIn("adopted", adopted.stdout)
        self.assertEqual(self.orphans().stdout, "no orphans\n")
        incident = self.server.incident(self.denied)
        self.assertEqual((incident["state"], len(incident["effects"])), ("done", 1))
        self.assertEqual(self.server.cli("journal", "check", "-c",
                                         str(self.server.settings_path)).returncode, 0)
        undone = self.server.cli("incidents", "undo", self.denied, "--yes", "-c",
                                 str(self.server.settings_path))
        self.assertEqual(undone.returncode, 0, undone.stderr)
        self.server.wait_for_state(self.denied, "released")
        self.assertEqual(self.moto.policies("attacker"), ["work"])
        audited = {line["event"]: line.get("actor") for line in self.server.admin("/v1/audit")[1]["lines"]
                   if line.get("incident") == self.denied}
        self.assertEqual(audited["adopted"], "admin")

    def test_it_is_released_also_while_observing_and_nothing_else_is(self):
        self.lose_journal("observe")
        for name, sid in (("riposte-contained-x", "Other"), ("work2", "Riposte" + self.denied)):
            self.moto.client("iam", self.moto.watcher).put_user_policy(
                UserName="bystander", PolicyName=name, PolicyDocument=json.dumps(
                    {"Version": "2012-10-17", "Statement": [
                        {"Sid": sid, "Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}))
        released = self.orphans("--release", "--yes")
        self.assertEqual(released.returncode, 0, released.stderr)
        self.server.wait_for_state(self.denied, "released")
        self.assertEqual(self.moto.policies("attacker"), ["work"])
        self.assertEqual(len(self.moto.policies("bystander")), 3)
        self.assertEqual(self.orphans().stdout, "no orphans\n")

    def test_an_adopted_deny_is_not_put_again(self):
        self.lose_journal()
        self.assertEqual(self.orphans("--adopt", "--yes").returncode, 0)
        again = self.contain(harness.fresh(self.user_event))
        effects = self.server.incident(again)["effects"]
        self.assertEqual({effect["name"] for effect in effects} & {"deny-user"}, {"deny-user"})
        status, _ = self.server.admin(f"/v1/incidents/{again}/undo", "POST", {})
        self.assertEqual(status, 202)
        self.server.wait_for_state(again, "released")
        self.assertIn("riposte-contained", self.moto.policies("attacker"), "the other owns it still")

    def test_sessions_too_and_only_those_that_are_named(self):
        session = self.contain_session()
        self.lose_journal()
        self.assertEqual(len(self.orphans().stdout.splitlines()), 2)
        released = self.orphans("--release", "--yes", session)
        self.assertEqual(len(released.stdout.splitlines()), 1, released.stdout)
        self.server.wait_for_state(session, "released")
        self.assertEqual(self.moto.role_policies("deployer"), [])
        self.assertIn("riposte-contained", self.moto.policies("attacker"))

    def contain_session(self):
        status, answer = self.server.post(
            by_session(sample("role-session.json"), self.role, self.assumed, self.instance))
        self.assertEqual(status, 202, answer)
        incident = answer["incidents"][0]["id"]
        harness.wait_for("the session to be denied", lambda: self.moto.role_policies("deployer"), 20)
        return incident


if __name__ == "__main__":
    unittest.main(verbosity=2)
