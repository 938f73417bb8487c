"""Another account of ours: its principals are contained there, as the role in it; strangers' accounts are left alone."""
import json
import unittest

import harness
from harness import Scenario, fresh, sample

MEMBER = "111111111111"
STRANGER = "222222222222"


class Accounts(Scenario):
    def member(self, service):
        """An administrator's client in the member account."""
        sts = self.moto.client("sts")
        key = sts.assume_role(RoleArn=f"arn:aws:iam::{MEMBER}:role/admin",
                              RoleSessionName="setup")["Credentials"]
        return harness.boto3.client(
            service, region_name=harness.REGION, endpoint_url=self.moto.url,
            aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
            aws_session_token=key["SessionToken"])

    def setUp(self):
        super().setUp()
        self.iam = self.member("iam")
        self.user = self.iam.create_user(UserName="mallory")["User"]
        ec2 = self.member("ec2")
        self.instance = ec2.run_instances(ImageId=harness.IMAGE, MinCount=1,
                                          MaxCount=1)["Instances"][0]["InstanceId"]

    def event(self, account):
        event = fresh(sample("cli-attribute-value.json"), account=account,
                      region=harness.REGION, detail__awsRegion=harness.REGION)
        event["detail"]["requestParameters"]["instanceId"] = self.instance
        event["detail"]["userIdentity"].update(
            userName="mallory", principalId=self.user["UserId"], accountId=account,
            arn=f"arn:aws:iam::{account}:user/mallory")
        return event

    def post(self, server, event):
        status, answer = server.post(event)
        self.assertEqual(status, 202, answer)
        return answer["incidents"][0]["id"]

    def policies(self):
        return self.iam.list_user_policies(UserName="mallory")["PolicyNames"]

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


if __name__ == "__main__":
    unittest.main()
