"""Principals that are neither users nor plain role sessions: each is contained where AWS lets it, and let go again."""
import json
import pathlib
import shutil
import unittest

import harness
from harness import ACCOUNT, Scenario, sample

OUTSIDER = "999988887777"
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Sid": "Partner", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OUTSIDER}:root"},
     "Action": "sts:AssumeRole"}]}


class Principals(Scenario):
    def undo(self, incident):
        status, answer = self.server.admin(f"/v1/incidents/{incident}/undo", "POST", {})
        self.assertEqual(status, 202, answer)
        self.server.wait_for_state(incident, "released")

    def respond(self, event, rule):
        status, answer = self.server.post(event)
        self.assertEqual(status, 202, answer)
        return next(one["id"] for one in answer["incidents"] if one["rule"] == rule)

    # ---- another account

    def bold_rules(self):
        """The shipped rules, with what only observes as shipped told to act."""
        rules = pathlib.Path(self.folder) / "rules"
        shutil.copytree(harness.ROOT / "conf" / "rules", rules)
        shutil.copytree(harness.ROOT / "conf" / "events", pathlib.Path(self.folder) / "events")
        rule = rules / "role-assumed-from-outside.json"
        text = rule.read_text()
        self.assertIn('    "mode": "observe",\n', text)
        rule.write_text(text.replace('    "mode": "observe",\n', ""))
        return str(rules)

    def test_a_role_taken_from_another_account_is_closed_and_the_session_denied(self):
        iam = self.moto.client("iam")
        role = iam.create_role(RoleName="app", Path="/partners/",
                               AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
        event = harness.fresh(sample("role-assumed-from-outside.json"))
        event["account"] = ACCOUNT
        detail = event["detail"]
        detail["requestParameters"]["roleArn"] = role["Arn"]
        session = f"{role['RoleId']}:sync"
        detail["responseElements"]["assumedRoleUser"] = {
            "assumedRoleId": session, "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/sync"}
        self.moto.enforce()
        self.riposte(mode="enforce", aws=self.moto.url, key=self.responder,
                     settings={"rules": self.bold_rules()}).start()
        incident = self.respond(event, "role-assumed-from-outside")
        self.server.wait_for_state(incident, "done")
        watcher = self.moto.client("iam", self.moto.watcher)
        trust = watcher.get_role(RoleName="app")["Role"]["AssumeRolePolicyDocument"]
        self.assertEqual(trust["Statement"][0], TRUST["Statement"][0], "what stood there stays")
        self.assertEqual(trust["Statement"][1], {
            "Sid": f"Riposte{incident}", "Effect": "Deny", "Principal": {"AWS": "*"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:PrincipalAccount": OUTSIDER}}})
        names = self.moto.role_policies("app")
        self.assertEqual(len(names), 1)
        self.assertEqual(self.moto.role_policy("app", names[0])["Statement"][0]["Condition"],
                         {"StringEquals": {"aws:userid": session}})
        self.undo(incident)
        trust = watcher.get_role(RoleName="app")["Role"]["AssumeRolePolicyDocument"]
        self.assertEqual(trust, TRUST)
        self.assertEqual(self.moto.role_policies("app"), [])

    # ---- one session of a role after the other

    def test_a_second_session_of_a_role_costs_all_older_ones(self):
        role = self.moto.client("iam").create_role(
            RoleName="deploy", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
        instance = self.moto.instance(protected=False)
        self.moto.enforce()
        self.riposte(mode="enforce", aws=self.moto.url, key=self.responder, settings={
            "guard": {"limit": {"principals": 1, "resources": 200, "per": "1h"}}}).start()
        incidents = []
        for name in ("one", "two"):
            event = harness.fresh(sample("role-session.json"))
            event["account"] = ACCOUNT
            event["region"] = event["detail"]["awsRegion"] = harness.REGION
            event["detail"]["requestParameters"]["instanceId"] = instance
            identity = event["detail"]["userIdentity"]
            identity.update(principalId=f"{role['RoleId']}:{name}", accountId=ACCOUNT,
                            arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/{name}")
            identity["sessionContext"]["sessionIssuer"] = {
                "type": "Role", "principalId": role["RoleId"], "arn": role["Arn"],
                "accountId": ACCOUNT, "userName": "deploy"}
            incidents.append(self.respond(event, "termination-protection-disabled"))
            self.server.wait_for_state(incidents[-1], "done")
        conditions = [self.moto.role_policy("deploy", name)["Statement"][0]["Condition"]
                      for name in self.moto.role_policies("deploy")]
        for session in ("one", "two"):
            self.assertIn({"StringEquals": {"aws:userid": f"{role['RoleId']}:{session}"}},
                          conditions)
        self.assertIn({"DateLessThan": {"aws:TokenIssueTime": event["time"]}}, conditions)
        self.assertEqual(len(conditions), 3)
        self.undo(incidents[1])
        left = self.moto.role_policies("deploy")
        self.assertEqual(len(left), 1)
        self.assertEqual(self.moto.role_policy("deploy", left[0])["Statement"][0]["Condition"],
                         {"StringEquals": {"aws:userid": f"{role['RoleId']}:one"}})

    # ---- who only a service control policy restrains

    def control_policy(self):
        """One that somebody attached for this purpose."""
        organizations = self.moto.client("organizations", region="us-east-1")
        organizations.create_organization(FeatureSet="ALL")
        return organizations.create_policy(
            Name="riposte", Description="filled when needed", Type="SERVICE_CONTROL_POLICY",
            Content=json.dumps({"Version": "2012-10-17", "Statement": [
                {"Sid": "Nothing", "Effect": "Deny", "Action": "none:None", "Resource": "*"}]})
        )["Policy"]["PolicySummary"]["Id"]

    def statements(self, policy):
        content = self.moto.client("organizations", self.moto.watcher, "us-east-1").describe_policy(
            PolicyId=policy)["Policy"]["Content"]
        return json.loads(content)["Statement"]

    def control(self, event, condition):
        policy = self.control_policy()
        instance = self.moto.instance(protected=False)
        event["account"] = ACCOUNT
        event["region"] = event["detail"]["awsRegion"] = harness.REGION
        event["detail"]["requestParameters"]["instanceId"] = instance
        self.moto.enforce()
        self.riposte(mode="enforce", aws=self.moto.url, key=self.responder, settings={
            "vars": {"containment": {"policy": policy, "account": ACCOUNT}}}).start()
        incident = self.respond(event, "termination-protection-disabled")
        self.server.wait_for_state(incident, "done")
        self.assertTrue(self.moto.is_protected(instance))
        kept, added = self.statements(policy)
        self.assertEqual(kept["Sid"], "Nothing")
        self.assertEqual(added, {"Sid": f"Riposte{incident}", "Effect": "Deny", "Action": "*",
                                 "Resource": "*", "Condition": condition})
        self.undo(incident)
        self.assertEqual(self.statements(policy), [kept])

    def test_a_session_of_identity_center(self):
        event = harness.fresh(sample("sso-session.json"))
        session = event["detail"]["userIdentity"]["principalId"]
        self.control(event, {"StringEquals": {"aws:userid": session}})

    def test_root(self):
        event = harness.fresh(sample("terraform-no-mfa.json"))
        event["detail"]["userIdentity"] = {
            "type": "Root", "principalId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root",
            "accountId": ACCOUNT, "accessKeyId": "ASIAROOT", "sessionContext": {
                "attributes": {"creationDate": harness.now(-60), "mfaAuthenticated": "false"}}}
        self.control(event, {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:root"}})

    # ---- who can't be contained

    def test_whoever_can_not_be_contained_is_held_and_a_person_told_what_to_do(self):
        self.riposte(mode="enforce", aws=self.moto.url, key=self.responder).start()
        instance = self.moto.instance(protected=False)
        for name, kind, advice in (("sso-session.json", "sso-session", "IAM Identity Center"),
                                   ("service-linked.json", "service-linked", "who directs")):
            with self.subTest(kind):
                event = harness.fresh(sample(name))
                event["account"] = ACCOUNT
                event["region"] = event["detail"]["awsRegion"] = harness.REGION
                event["detail"]["requestParameters"]["instanceId"] = instance
                incident = self.respond(event, "termination-protection-disabled")
                held = self.server.wait_for_state(incident, "held")
                self.assertIn(f"no containment for {kind}: ", held["reason"])
                self.assertIn(advice, held["reason"])
        harness.wait_for("the instance to be protected", lambda: self.moto.is_protected(instance))


if __name__ == "__main__":
    unittest.main(verbosity=2)
