"""Another account of ours: its principals are contained there, as the role in it; strangers' accounts are left alone."""
import json
import unittest

import harness
from harness import Scenario, fresh, sample

MEMBER = "111111111111"
STRANGER = "222222222222"


class Members(Scenario):
    account = MEMBER

    def member(self, service):
        """An administrator's client in the member account."""
        sts = self.moto.client("sts")
        key = sts.assume_role(RoleArn=f"arn:aws:iam::{self.account}:role/admin",
                              RoleSessionName="setup")["Credentials"]
        return harness.boto3.client(
            service, region_name=harness.REGION, endpoint_url=self.moto.url,
            aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
            aws_session_token=key["SessionToken"])

    def make_victims(self):
        self.iam = self.member("iam")
        self.users = {name: self.iam.create_user(UserName=name)["User"]
                      for name in ("mallory", "mallet", "trudy")}
        self.ec2 = ec2 = self.member("ec2")
        self.instance = ec2.run_instances(ImageId=harness.IMAGE, MinCount=1,
                                          MaxCount=1)["Instances"][0]["InstanceId"]

    def event(self, account, user="mallory"):
        event = fresh(sample("cli-attribute-value.json"), account=account,
                      region=harness.REGION, detail__awsRegion=harness.REGION)
        event["detail"]["requestParameters"]["instanceId"] = self.instance
        event["detail"]["userIdentity"].update(
            userName=user, principalId=self.users[user]["UserId"], accountId=account,
            arn=f"arn:aws:iam::{account}:user/{user}")
        return event

    def post(self, server, event):
        status, answer = server.post(event)
        self.assertEqual(status, 202, answer)
        return answer["incidents"][0]["id"]

    def policies(self):
        return self.iam.list_user_policies(UserName="mallory")["PolicyNames"]


class Accounts(Members):
    def setUp(self):
        super().setUp()
        self.make_victims()

    def test_a_member_a_stranger_and_ourselves(self):
        server = self.riposte(mode="enforce", key=self.responder, settings={
            "aws": {"endpoint": self.moto.url, "accounts": [MEMBER], "external_id": "riposte-1"}})
        server.start()
        incident = self.post(server, self.event(MEMBER))
        server.wait_for_state(incident, "done", "failed", "held")
        self.assertEqual(self.policies(), ["riposte-contained"], server.incident(incident))
        self.assertEqual(self.moto.policies("attacker"), ["work"])

        undone = server.cli("incidents", "undo", incident, "--yes", "-c", str(server.settings_path))
        self.assertEqual(undone.returncode, 0, undone.stderr)
        server.wait_for_state(incident, "released")
        self.assertEqual(self.policies(), [])

        held = server.wait_for_state(self.post(server, self.event(STRANGER)), "held")
        self.assertEqual(held["reason"], f"account {STRANGER} is not ours")

        # Our role there, with a key that nobody issued to us.
        event = self.event(MEMBER)
        role = f"arn:aws:iam::{MEMBER}:role/riposte-responder"
        event["detail"]["userIdentity"] = {
            "type": "AssumedRole", "principalId": "AROAEXAMPLEROLE000001:riposte",
            "arn": f"arn:aws:sts::{MEMBER}:assumed-role/riposte-responder/riposte",
            "accountId": MEMBER, "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
            "sessionContext": {"sessionIssuer": {
                "type": "Role", "principalId": "AROAEXAMPLEROLE000001", "arn": role,
                "accountId": MEMBER, "userName": "riposte-responder"}}}
        held = server.wait_for_state(self.post(server, event), "held")
        self.assertEqual(held["reason"],
                         "our own role, with an access key that is not ours: ASIAIOSFODNN7EXAMPLE")


class Organization(Members):
    """Organizations says which accounts are ours."""

    def setUp(self):
        super().setUp()
        self.organizations = self.moto.client("organizations", region="us-east-1")
        self.organizations.create_organization(FeatureSet="ALL")
        made = [self.organizations.create_account(
            AccountName=f"member-{number}", Email=f"{number}@example.com")["CreateAccountStatus"][
                "AccountId"] for number in range(3)]
        self.account = made[1]
        self.list_answer = None
        self.relay = harness.Interposer(self.moto.port, self.on_request)
        self.addCleanup(self.relay.stop)
        self.make_victims()

    def on_request(self, action, forward):
        if action.endswith("ListAccounts") and self.list_answer:
            return self.list_answer
        return forward()

    def test_the_list_says_where(self):
        self.list_answer = 500, b'{"__type":"ServiceException","message":"later"}'
        server = self.riposte(mode="enforce", key=self.responder, settings={
            "aws": {"endpoint": self.relay.url, "accounts": "organization"}}).start()
        # Not listed yet: it waits, and nobody becomes a role there.
        incident = self.post(server, self.event(self.account))
        harness.wait_for("a listing that fails", lambda: "later" in server.log())
        self.assertEqual(server.incident(incident)["state"], "detected")
        self.assertEqual(self.relay.actions.count("AssumeRole"), 0)
        self.list_answer = None
        server.wait_for_state(incident, "done", "failed", "held", seconds=60)
        self.assertEqual(self.policies(), ["riposte-contained"], server.incident(incident))
        held = server.wait_for_state(self.post(server, self.event(STRANGER)), "held")
        self.assertEqual(held["reason"], f"account {STRANGER} is not ours")

        # A listing that fails leaves the last one in force, also over a reload.
        self.list_answer = 400, b'{"__type":"AccessDeniedException","message":"not any more"}'
        reloaded = server.cli("reload", "-c", str(server.settings_path))
        self.assertEqual(reloaded.returncode, 0, reloaded.stderr)
        harness.wait_for("it", lambda: "the last list of accounts stays in force" in server.log())
        self.moto.protect(self.ec2, self.instance, False)
        again = self.post(server, self.event(self.account, user="mallet"))
        server.wait_for_state(again, "done")

        # Suspended: no call goes there any more.
        self.list_answer = None
        self.organizations.close_account(AccountId=self.account)
        server.cli("reload", "-c", str(server.settings_path))
        harness.wait_for("the new list", lambda: "1 are gone" in server.log())
        held = server.wait_for_state(self.post(server, self.event(self.account, user="trudy")), "held")
        self.assertEqual(held["reason"], f"account {self.account} is not ours")
        self.assertEqual(self.iam.list_user_policies(UserName="trudy")["PolicyNames"], [])


if __name__ == "__main__":
    unittest.main()
