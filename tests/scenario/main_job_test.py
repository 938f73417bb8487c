"""The main job: an attacker switches termination protection off, and is locked out."""
import hashlib
import json
import signal
import time
import unittest

import botocore.exceptions

import harness
from harness import Scenario, by_session, by_user, sample


class Attack(Scenario):
    def attack(self, event="cli-attribute-value.json"):
        """Protection is switched off with the attacker's key; the event of it."""
        self.instance = self.moto.instance()
        self.moto.enforce()
        ec2 = self.moto.client("ec2", self.attacker_key)
        with self.assertRaises(botocore.exceptions.ClientError) as refused:
            ec2.terminate_instances(InstanceIds=[self.instance])
        self.assertEqual(refused.exception.response["Error"]["Code"], "OperationNotPermitted")
        self.moto.protect(ec2, self.instance, False)
        return by_user(sample(event), self.attacker, self.attacker_key, self.instance)

    def enforcing(self, **options):
        return self.riposte(mode="enforce", aws=self.moto.url, key=self.responder, **options)

    def respond(self, server, event):
        status, answer = server.post(event)
        self.assertEqual(status, 202, answer)
        self.assertEqual([incident["rule"] for incident in answer["incidents"]],
                         ["termination-protection-disabled"])
        return answer["incidents"][0]["id"]


class MainJob(Attack):
    def assert_locked_out(self):
        ec2 = self.moto.client("ec2", self.attacker_key)
        iam = self.moto.client("iam", self.attacker_key)
        self.assert_denied(ec2.terminate_instances, InstanceIds=[self.instance])
        self.assert_denied(iam.delete_user_policy, UserName="attacker",
                           PolicyName="riposte-contained")
        self.assert_denied(iam.create_access_key, UserName="attacker")

    def test_attacker_is_locked_out_and_the_instance_protected_again(self):
        event = self.attack()
        server = self.enforcing().start()
        incident = self.respond(server, event)
        server.wait_for_state(incident, "done")
        self.assert_locked_out()
        self.assertTrue(self.moto.is_protected(self.instance))
        self.moto.client("ec2", self.bystander_key).describe_instances()

        status, answer = server.post(event)
        self.assertEqual((status, answer["incidents"]), (200, []))
        again = harness.fresh(event)
        again["detail"]["eventID"] = event["detail"]["eventID"]
        self.assertEqual(server.post(again)[0], 200)
        self.assertEqual(self.moto.policies("attacker"), ["riposte-contained", "work"])

        undone = server.cli("incidents", "undo", incident, "--yes", "-c", str(server.settings_path))
        self.assertEqual(undone.returncode, 0, undone.stderr)
        server.wait_for_state(incident, "released")
        self.assertEqual(self.moto.policies("attacker"), ["work"])
        self.moto.client("ec2", self.attacker_key).describe_instances()
        self.assertTrue(self.moto.is_protected(self.instance))

    def test_hammering_terminate_never_gets_through(self):
        event = self.attack()
        server = self.enforcing().start()
        incident = self.respond(server, event)
        ec2 = self.moto.client("ec2", self.attacker_key)
        server.wait_for_state(incident, "done")
        for _ in range(10):
            self.assert_denied(ec2.terminate_instances, InstanceIds=[self.instance])
        states = self.moto.client("ec2", self.moto.watcher).describe_instances(
            InstanceIds=[self.instance])["Reservations"][0]["Instances"][0]["State"]["Name"]
        self.assertEqual(states, "running")

    def test_three_shapes_of_the_event(self):
        attribute_form = self.attack()
        server = self.enforcing().start()
        for name in ("console-mfa.json", "cli-flag.json"):
            status, answer = server.post(by_user(sample(name), self.attacker, self.attacker_key,
                                                 self.instance))
            self.assertEqual((status, answer["incidents"]), (200, []), name)
        self.assertEqual(self.moto.policies("attacker"), ["work"])
        incident = self.respond(server, attribute_form)
        story = server.wait_for_state(incident, "done")
        self.assertIn("DescribeInstanceAttribute", str(story))
        self.assert_locked_out()

    def test_attribute_form_that_switched_protection_on_is_suppressed(self):
        event = self.attack()
        self.moto.protect(self.moto.client("ec2", self.bystander_key), self.instance, True)
        server = self.enforcing().start()
        incident = self.respond(server, event)
        server.wait_for_state(incident, "suppressed")
        self.assertEqual(self.moto.policies("attacker"), ["work"])

    def test_user_made_again_under_the_same_name_is_held(self):
        event = self.attack()
        self.moto.relax()
        iam = self.moto.client("iam")
        iam.delete_access_key(UserName="attacker", AccessKeyId=self.attacker_key["AccessKeyId"])
        iam.delete_user_policy(UserName="attacker", PolicyName="work")
        iam.delete_user(UserName="attacker")
        self.moto.user("attacker")
        self.moto.enforce()
        server = self.enforcing().start()
        incident = self.respond(server, event)
        held = server.wait_for_state(incident, "held")
        self.assertIn("step who", held["reason"])
        self.assertEqual(self.moto.policies("attacker"), ["work"])
        harness.wait_for("protection restored beside it",
                         lambda: self.moto.is_protected(self.instance))

    def test_deny_removed_by_hand_comes_back(self):
        event = self.attack()
        server = self.enforcing().start()
        incident = self.respond(server, event)
        server.wait_for_state(incident, "done")
        self.moto.client("iam", self.bystander_key).delete_user_policy(
            UserName="attacker", PolicyName="riposte-contained")
        harness.wait_for("the deny", lambda: "riposte-contained" in self.moto.policies("attacker"),
                         25, 0.2)

    def sessions(self, *names):
        """A role below a path, and sessions of it by these names: (role, [as AssumeRole answered])."""
        role = self.moto.client("iam").create_role(
            Path="/ci/", RoleName="deploy", AssumeRolePolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]})
        )["Role"]
        sts = self.moto.client("sts")
        return role, [sts.assume_role(RoleArn=role["Arn"], RoleSessionName=name) for name in names]

    def session_deny(self, assumed):
        session = assumed["AssumedRoleUser"]["AssumedRoleId"]
        return f"riposte-contained-{hashlib.sha256(session.encode()).hexdigest()[:16]}"

    def test_two_sessions_of_a_role_are_denied_and_one_is_let_go(self):
        """moto takes a deny with a condition for one without: what was put is looked at instead."""
        role, (first, second) = self.sessions("pipeline-1", "pipeline-2")
        self.attack()
        relay = harness.Recorder(self.moto.port)
        self.addCleanup(relay.stop)
        server = self.riposte(mode="enforce", aws=relay.url, key=self.responder).start()
        incidents = []
        for assumed in (first, second):
            incidents.append(self.respond(server, by_session(sample("role-session.json"), role,
                                                             assumed, self.instance)))
            server.wait_for_state(incidents[-1], "done")
            document = self.moto.role_policy("deploy", self.session_deny(assumed))
            [statement] = document["Statement"]
            self.assertEqual(
                (statement["Effect"], statement["Action"], statement["Resource"],
                 statement["Condition"]),
                ("Deny", "*", "*", {"StringEquals": {
                    "aws:userid": assumed["AssumedRoleUser"]["AssumedRoleId"]}}))
        revoked = f"riposte-revoked-{incidents[1]}"  # the second one costs the older ones theirs
        self.assertEqual(self.moto.role_policies("deploy"), sorted(
            [self.session_deny(first), self.session_deny(second), revoked]))
        self.assertEqual(relay.actions().count("PutRolePolicy"), 3)
        self.assertNotIn("PutUserPolicy", relay.actions())

        undone = server.cli("incidents", "undo", incidents[0], "--yes", "-c",
                            str(server.settings_path))
        self.assertEqual(undone.returncode, 0, undone.stderr)
        server.wait_for_state(incidents[0], "released")
        self.assertEqual(self.moto.role_policies("deploy"),
                         [self.session_deny(second), revoked])
        self.assertEqual(server.incident(incidents[1])["state"], "done")

    def test_role_made_again_under_the_same_name_is_held(self):
        role, (assumed,) = self.sessions("pipeline-1")
        self.moto.client("iam").delete_role(RoleName="deploy")
        self.sessions()
        self.attack()
        server = self.enforcing().start()
        incident = self.respond(server, by_session(sample("role-session.json"), role, assumed,
                                                   self.instance))
        held = server.wait_for_state(incident, "held")
        self.assertIn("step which-role", held["reason"])
        self.assertEqual(self.moto.role_policies("deploy"), [])

    def test_federated_session_is_denied_on_the_user_who_opened_it(self):
        event = self.attack()
        federated = harness.fresh(sample("federated-user.json"))
        federated["detail"]["requestParameters"]["instanceId"] = self.instance
        federated["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"].update(
            principalId=self.attacker["UserId"], arn=self.attacker["Arn"], userName="attacker")
        self.assertEqual(federated["account"], event["account"])
        server = self.enforcing().start()
        server.wait_for_state(self.respond(server, federated), "done")
        session = federated["detail"]["userIdentity"]["principalId"]
        name = f"riposte-contained-{hashlib.sha256(session.encode()).hexdigest()[:16]}"
        self.assertEqual(self.moto.policies("attacker"), [name, "work"])
        document = self.moto.client("iam", self.moto.watcher).get_user_policy(
            UserName="attacker", PolicyName=name)["PolicyDocument"]
        self.assertEqual(document["Statement"][0]["Condition"],
                         {"StringEquals": {"aws:userid": session}})

    def test_observe_plans_and_no_byte_leaves(self):
        event = self.attack()
        relay = harness.Recorder(self.moto.port)
        self.addCleanup(relay.stop)
        server = self.riposte(mode="observe", aws=relay.url, key=self.responder).start()
        incident = self.respond(server, event)
        story = server.wait_for_state(incident, "observed")
        self.assertIn("iam:PutUserPolicy", str(story["plan"]))
        self.assertIn("ec2:ModifyInstanceAttribute", str(story["plan"]))
        time.sleep(1)
        self.assertEqual((relay.connections, relay.bytes), (0, 0))
        self.assertEqual(self.moto.policies("attacker"), ["work"])
        self.assertEqual(server.stop(signal.SIGTERM), 0)
        self.assertEqual((relay.connections, relay.bytes), (0, 0))

    def test_no_credentials(self):
        event = self.attack()
        server = self.riposte(mode="enforce", aws=self.moto.url).start()
        self.assertRegex(server.log(), r'"level":"(warn|error)".*credentials')
        incident = self.respond(server, event)
        held = server.wait_for_state(incident, "held")
        self.assertIn("credentials", held["reason"])

    def test_what_cannot_be_contained_is_held(self):
        event = self.attack()
        server = self.enforcing().start()
        unknown = harness.fresh(event)
        del unknown["detail"]["userIdentity"]
        never_seen = harness.fresh(event, detail__userIdentity__type="Gremlin")
        foreign = harness.fresh(event, detail__userIdentity__accountId="999999999999",
                                detail__userIdentity__arn="arn:aws:iam::999999999999:user/x")
        protected = harness.fresh(
            event, detail__userIdentity__arn=f"arn:aws:iam::{harness.ACCOUNT}:user/break-glass",
            detail__userIdentity__userName="break-glass",
            detail__userIdentity__principalId="AIDABREAKGLASS000000")
        foreign_account = harness.fresh(event, account="999999999999")
        old = harness.fresh(event, time=harness.now(-7200), detail__eventTime=harness.now(-7200))
        for what, hostile in (("unknown", unknown), ("never seen", never_seen),
                              ("external", foreign), ("protected", protected),
                              ("foreign account", foreign_account), ("old", old)):
            with self.subTest(what):
                incident = self.respond(server, hostile)
                held = server.wait_for_state(incident, "held")
                self.assertTrue(held["reason"])
        self.assertEqual(self.moto.policies("attacker"), ["work"])

    def test_own_principal_member_changes_nothing(self):
        event = self.attack()
        event["principal"] = {"mfa": "yes", "name": "bystander", "kind": "root"}
        server = self.enforcing().start()
        incident = self.respond(server, event)
        server.wait_for_state(incident, "done")
        self.assert_locked_out()
        self.assertEqual(self.moto.policies("bystander"), ["work"])


class ManagedDeny(Attack):
    has_managed_policies = True

    def test_full_inline_policies_fall_back_to_the_managed_deny(self):
        """moto knows no 2,048 character quota: the relay answers LimitExceeded for it."""
        event = self.attack()
        relay = harness.Interposer(self.moto.port, lambda action, forward: harness.query_error(
            409, "LimitExceeded") if action == "PutUserPolicy" else forward())
        self.addCleanup(relay.stop)
        server = self.riposte(mode="enforce", aws=relay.url, key=self.responder).start()
        incident = self.respond(server, event)
        story = server.wait_for_state(incident, "done")
        self.assertIn("LimitExceeded", str(story))
        attached = self.moto.client("iam", self.moto.watcher).list_attached_user_policies(
            UserName="attacker")["AttachedPolicies"]
        self.assertEqual([policy["PolicyName"] for policy in attached], ["AWSDenyAll"])
        self.assert_denied(self.moto.client("ec2", self.attacker_key).terminate_instances,
                           InstanceIds=[self.instance])


if __name__ == "__main__":
    unittest.main(verbosity=2)
