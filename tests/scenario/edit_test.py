"""A policy is edited in place: our statement goes in, only that comes out again, whatever was changed meanwhile."""
import json
import re
import shutil
import unittest

import harness
from harness import ACCOUNT, ROOT, Scenario, fresh, sample

BUCKET = "customer-exports"
OPEN = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
READ = {"Sid": "Read", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*"}


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Edit(Scenario):
    def enforcing(self, aws=None):
        """The two rules, enforced: S3's own word is left out (moto doesn't know GetBucketPolicyStatus)."""
        rules = self.riposte(mode="enforce", aws=aws or self.moto.url,
                             key=self.responder).folder / "rules"
        shutil.copytree(ROOT / "conf" / "rules", rules)
        for path in rules.iterdir():
            if path.name not in ("role-trust-opened.json", "bucket-policy-public.json"):
                path.unlink()
                continue
            text = re.sub(r"^ *//.*\n", "", path.read_text(), flags=re.M)
            rule = json.loads(text)
            rule.pop("mode", None)
            rule.pop("confirm", None)
            rule.pop("tests")
            path.write_text(json.dumps(rule))
        document = json.loads(self.server.settings_path.read_text())
        document["rules"] = str(rules)
        self.server.settings_path.write_text(json.dumps(document))
        return self.server.start()

    def event(self, name, **changes):
        user = self.attacker
        return fresh(sample(name), account=ACCOUNT, detail__userIdentity={
            "type": "IAMUser", "principalId": user["UserId"], "arn": user["Arn"],
            "accountId": ACCOUNT, "accessKeyId": self.attacker_key["AccessKeyId"],
            "userName": user["UserName"]}, **changes)

    def respond(self, server, event):
        status, answer = server.post(event)
        self.assertEqual(status, 202, answer)
        incident = answer["incidents"][0]["id"]
        server.wait_for_state(incident, "done")
        return incident

    def undo(self, server, incident):
        undone = server.cli("incidents", "undo", incident, "--yes", "--resources", "-c",
                            str(server.settings_path))
        self.assertEqual(undone.returncode, 0, undone.stdout + undone.stderr)
        server.wait_for_state(incident, "released")

    def trust(self):
        role = self.moto.client("iam", self.moto.watcher).get_role(RoleName="app")["Role"]
        return role["AssumeRolePolicyDocument"]["Statement"]

    def test_a_trust_policy(self):
        iam = self.moto.client("iam")
        iam.create_role(RoleName="app", AssumeRolePolicyDocument=policy(OPEN))
        server = self.enforcing()
        self.moto.enforce()
        incident = self.respond(server, self.event("role-trust-opened-to-all.json"))
        first, ours = self.trust()
        self.assertEqual(first, OPEN)
        self.assertEqual(ours, {
            "Sid": f"Riposte{incident}", "Effect": "Deny", "Principal": {"AWS": "*"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringNotEquals": {"aws:PrincipalAccount": [ACCOUNT]},
                          "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}})
        story = json.dumps(server.incident(incident))
        self.assertIn("UpdateAssumeRolePolicy", story)

        # Somebody works on it meanwhile: their statement stays, ours alone goes.
        ecs = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"},
               "Action": "sts:AssumeRole"}
        self.moto.client("iam", self.bystander_key).update_assume_role_policy(
            RoleName="app", PolicyDocument=policy(ours, ecs))
        self.undo(server, incident)
        self.assertEqual(self.trust(), [ecs])

    def test_a_statement_that_is_removed_comes_back(self):
        self.moto.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=policy(OPEN))
        server = self.enforcing()
        incident = self.respond(server, self.event("role-trust-opened-to-all.json"))
        self.moto.client("iam", self.attacker_key).update_assume_role_policy(
            RoleName="app", PolicyDocument=policy(OPEN))
        harness.wait_for("the statement", lambda: f"Riposte{incident}" in str(self.trust()), 25, 0.2)

    def test_a_document_that_is_full_is_not_sent_to_be_refused(self):
        full = {**OPEN, "Condition": {"StringEquals": {"aws:PrincipalOrgID": [
            f"o-{number:010}" for number in range(280)]}}}
        self.moto.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=policy(full))
        relay = harness.Recorder(self.moto.port)
        self.addCleanup(relay.stop)
        server = self.enforcing(relay.url)
        status, answer = server.post(self.event("role-trust-opened-to-all.json"))
        self.assertEqual(status, 202, answer)
        failed = server.wait_for_state(answer["incidents"][0]["id"], "failed")
        self.assertRegex(failed["reason"], r"PolicyDocument: 4\d\d\d characters, IAM takes at most 4096")
        self.assertIn("GetRole", relay.actions())
        self.assertNotIn("UpdateAssumeRolePolicy", relay.actions())
        self.assertEqual(self.trust(), [full])

    def test_a_role_that_is_gone_is_left_alone(self):
        server = self.enforcing()
        incident = self.respond(server, self.event("role-trust-opened-to-all.json"))
        self.undo(server, incident)

    def test_a_bucket_policy(self):
        s3 = self.moto.client("s3")
        s3.create_bucket(Bucket=BUCKET,
                         CreateBucketConfiguration={"LocationConstraint": harness.REGION})
        s3.put_bucket_policy(Bucket=BUCKET, Policy=policy(READ))
        server = self.enforcing()
        self.moto.enforce()
        incident = self.respond(server, self.event("bucket-policy-public.json"))
        watching = self.moto.client("s3", self.moto.watcher)
        statements = json.loads(watching.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
        self.assertEqual([statement["Sid"] for statement in statements],
                         ["Read", f"Riposte{incident}"])
        self.undo(server, incident)
        statements = json.loads(watching.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
        self.assertEqual(statements, [READ])


if __name__ == "__main__":
    unittest.main()
