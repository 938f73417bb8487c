"""The client of AWS alone against an emulator that verifies every signature and enforces IAM.

usage: AWS_DRIVER=.../aws_driver aws_client_test.py
"""
import json
import os
import subprocess
import unittest

import harness

DRIVER = os.environ.get("AWS_DRIVER", str(harness.ROOT / "build" / "release" / "tests" / "aws_driver"))
# What an encoder gets wrong first.
NASTY = "a b+c&d=e%20~*'()/é"


class AwsClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.moto = harness.Moto()
        _, cls.admin = cls.moto.user("responder")
        cls.moto.user("mallory")
        cls.instance = cls.moto.instance()
        cls.moto.enforce()

    @classmethod
    def tearDownClass(cls):
        cls.moto.stop()

    def run_driver(self, *words, parameters=None, key=None, environment=None):
        key = key or self.admin
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return subprocess.run(
            [DRIVER, *words], input=json.dumps(parameters or {}), capture_output=True, text=True,
            check=False, timeout=30,
            env={**clean, "AWS_ENDPOINT_URL": self.moto.url, "AWS_REGION": harness.REGION,
                 "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
                 "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
                 "AWS_SESSION_TOKEN": key.get("SessionToken", ""), **(environment or {})})

    def call(self, service, operation, parameters=None, region="", key=None):
        done = self.run_driver("call", service, operation, region, parameters=parameters, key=key)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def assert_ok(self, answer):
        self.assertEqual((answer["outcome"], answer["code"]), ("ok", ""), answer)
        return answer["body"]

    def test_iam(self):
        document = {"Version": "2012-10-17", "Statement": [
            {"Sid": NASTY, "Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
        policy = {"UserName": "mallory", "PolicyName": "riposte-contained"}
        self.assert_ok(self.call("iam", "PutUserPolicy",
                                 {**policy, "PolicyDocument": {"$json": document}}))
        stored = self.moto.client("iam", self.admin).get_user_policy(**policy)["PolicyDocument"]
        self.assertEqual(stored, document)
        user = self.assert_ok(self.call("iam", "GetUser", {"UserName": "mallory"}))["User"]
        self.assertEqual(user["UserName"], "mallory")
        self.assert_ok(self.call("iam", "DeleteUserPolicy", policy))
        gone = self.call("iam", "GetUserPolicy", policy)
        self.assertEqual((gone["outcome"], gone["code"], gone["status"]),
                         ("refused", "NoSuchEntity", 404))

    def test_ec2_in_other_regions(self):
        for region in ("", "us-west-2", "ap-south-2"):
            body = self.assert_ok(self.call(
                "ec2", "DescribeInstances",
                {"Filter": [{"Name": f"tag:{NASTY}", "Value": [NASTY]}]}, region))
            self.assertEqual(body["reservationSet"], [])

    def test_ec2_attributes(self):
        attribute = {"InstanceId": self.instance, "Attribute": "disableApiTermination"}
        for value in (False, True):
            self.assert_ok(self.call("ec2", "ModifyInstanceAttribute",
                                     {"InstanceId": self.instance,
                                      "DisableApiTermination": {"Value": value}}))
            body = self.assert_ok(self.call("ec2", "DescribeInstanceAttribute", attribute))
            self.assertEqual(body["disableApiTermination"], {"value": str(value).lower()})
        refused = self.call("ec2", "DescribeInstanceAttribute",
                            {**attribute, "InstanceId": "i-00000000000000000"})
        self.assertEqual((refused["outcome"], refused["code"]),
                         ("refused", "InvalidInstanceID.NotFound"))

    def test_identity_and_session_tokens(self):
        done = self.run_driver("identity")
        self.assertEqual(done.stdout.split()[:3],
                         ["aws", harness.ACCOUNT, f"arn:aws:iam::{harness.ACCOUNT}:user/responder"])
        iam = self.moto.client("iam", self.admin)
        role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]}))["Role"]
        iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=json.dumps(
            {"Version": "2012-10-17",
             "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
        session = self.assert_ok(self.call("sts", "AssumeRole", {
            "RoleArn": role["Arn"], "RoleSessionName": "s"}))["Credentials"]
        self.assert_ok(self.call("iam", "ListUsers", key=session))

    def test_json(self):
        key = self.assert_ok(self.call("kms", "CreateKey", {"Description": NASTY}))["KeyMetadata"]
        self.assertEqual(key["Description"], NASTY)
        self.assert_ok(self.call("kms", "ScheduleKeyDeletion",
                                 {"KeyId": key["KeyId"], "PendingWindowInDays": 7}))
        self.assert_ok(self.call("kms", "CancelKeyDeletion", {"KeyId": key["KeyId"]}))
        self.assert_ok(self.call("kms", "EnableKey", {"KeyId": key["KeyId"]}))
        gone = self.call("kms", "DescribeKey", {"KeyId": "01234567-89ab-cdef-0123-456789abcdef"})
        self.assertEqual((gone["outcome"], gone["code"]), ("refused", "NotFoundException"))

    def request(self, service, operation, method, path, **more):
        return self.call(service, operation,
                         {"request": {"method": method, "path": path, **more}})

    def test_rest_json(self):
        made = self.assert_ok(self.request(
            "guardduty", "CreateDetector", "POST", "/detector", body={"json": {"enable": True}}))
        self.assert_ok(self.request(
            "guardduty", "UpdateDetector", "POST", f"/detector/{made['detectorId']}",
            body={"json": {"enable": False}}))

    def test_s3(self):
        self.moto.client("s3", self.admin).create_bucket(
            Bucket="some-bucket", CreateBucketConfiguration={"LocationConstraint": harness.REGION})
        policy = {"Version": "2012-10-17", "Statement": [
            {"Sid": "d", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
             "Resource": "arn:aws:s3:::some-bucket/*"}]}
        where = {"query": {"policy": ""}}
        self.assert_ok(self.request("s3", "PutBucketPolicy", "PUT", "/some-bucket", **where,
                                    body={"json": policy}))
        self.assertEqual(self.assert_ok(self.request(
            "s3", "GetBucketPolicy", "GET", "/some-bucket", **where)), policy)
        self.assert_ok(self.request("s3", "DeleteBucketPolicy", "DELETE", "/some-bucket", **where))
        gone = self.request("s3", "GetBucketPolicy", "GET", "/some-bucket", **where)
        self.assertEqual((gone["outcome"], gone["code"]), ("refused", "NoSuchBucketPolicy"))
        block = {"root": "PublicAccessBlockConfiguration",
                 "namespace": "http://s3.amazonaws.com/doc/2006-03-01/",
                 "value": {"BlockPublicAcls": True, "IgnorePublicAcls": True,
                           "BlockPublicPolicy": False, "RestrictPublicBuckets": True}}
        where = {"query": {"publicAccessBlock": ""}}
        self.assert_ok(self.request("s3", "PutPublicAccessBlock", "PUT", "/some-bucket", **where,
                                    body={"xml": block}))
        body = self.assert_ok(self.request("s3", "GetPublicAccessBlock", "GET", "/some-bucket",
                                           **where))
        self.assertEqual((body["BlockPublicAcls"].lower(), body["BlockPublicPolicy"].lower()),
                         ("true", "false"))

    def test_another_account(self):
        other = "210987654321"
        iam = self.moto.client("iam", self.admin)
        trust = json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]})
        role = iam.create_role(RoleName="named", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        iam.put_role_policy(RoleName="named", PolicyName="p", PolicyDocument=json.dumps(
            {"Version": "2012-10-17",
             "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
        done = self.run_driver("call", "sts", "GetCallerIdentity", "", harness.ACCOUNT, role)
        body = self.assert_ok(json.loads(done.stdout))
        self.assertIn(":assumed-role/named/riposte", body["Arn"])
        done = self.run_driver("call", "iam", "ListUsers", "", harness.ACCOUNT)
        self.assert_ok(json.loads(done.stdout))
        done = self.run_driver("call", "iam", "ListUsers", "", other, role)
        self.assertIn("is not a role in account", json.loads(done.stdout)["message"])

    def test_what_is_not_allowed(self):
        wrong = {**self.admin, "SecretAccessKey": "wrong"}
        answer = self.call("iam", "ListUsers", key=wrong)
        self.assertEqual((answer["outcome"], answer["code"]), ("refused", "SignatureDoesNotMatch"))
        answer = self.call("iam", "ListUsers", key={**self.admin, "AccessKeyId": "AKIANOBODY"})
        self.assertEqual((answer["outcome"], answer["code"]), ("retry", "InvalidClientTokenId"))
        iam = self.moto.client("iam", self.admin)
        iam.create_user(UserName="powerless")
        key = iam.create_access_key(UserName="powerless")["AccessKey"]
        answer = self.call("iam", "ListUsers", key=key)
        self.assertEqual((answer["outcome"], answer["code"]), ("refused", "AccessDenied"))


if __name__ == "__main__":
    unittest.main()
