"""The forms of the query and EC2 protocols beside botocore's: what botocore would send for the
same call, name for name and value for value.

usage: botocore_test.py AWS_DRIVER
"""
import json
import subprocess
import sys
import unittest
from datetime import datetime, timezone
from urllib.parse import urlencode

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.serialize import create_serializer

DRIVER = sys.argv.pop()
CLIENT_NAMES = {"elasticloadbalancing": "elbv2"}
DENY = {"Version": "2012-10-17", "Statement": [
    {"Sid": "A b+c&d=\u00e9\U0001F600", "Effect": "Deny", "Action": "*", "Resource": "*"}]}
COMPACT = json.dumps(DENY, separators=(",", ":"), ensure_ascii=False)

# service, operation, what botocore takes, what a playbook's "with" says
CASES = [
    ("iam", "ListUsers", {}, {}),
    ("iam", "GetUser", {"UserName": "mal lory+=,.@-_"}, {"UserName": "mal lory+=,.@-_"}),
    ("iam", "PutUserPolicy",
     {"UserName": "mallory", "PolicyName": "riposte-contained", "PolicyDocument": COMPACT},
     {"UserName": "mallory", "PolicyName": "riposte-contained",
      "PolicyDocument": {"$json": DENY}}),
    ("iam", "AttachUserPolicy",
     {"UserName": "m", "PolicyArn": "arn:aws:iam::aws:policy/AWSDenyAll"},
     {"UserName": "m", "PolicyArn": "arn:aws:iam::aws:policy/AWSDenyAll"}),
    ("iam", "UpdateAccessKey",
     {"UserName": "m", "AccessKeyId": "AKIAXXXXXXXXXXXXXXXX", "Status": "Inactive"},
     {"UserName": "m", "AccessKeyId": "AKIAXXXXXXXXXXXXXXXX", "Status": "Inactive"}),
    ("iam", "TagUser",
     {"UserName": "m", "Tags": [{"Key": "k", "Value": "v"}, {"Key": "k2", "Value": ""}]},
     {"UserName": "m", "Tags": [{"Key": "k", "Value": "v"}, {"Key": "k2", "Value": ""}]}),
    ("iam", "UntagUser", {"UserName": "m", "TagKeys": ["a", "b"]},
     {"UserName": "m", "TagKeys": ["a", "b"]}),
    ("iam", "TagRole", {"RoleName": "r", "Tags": []}, {"RoleName": "r", "Tags": []}),
    ("iam", "ListUsers", {"PathPrefix": "/a/", "MaxItems": 7}, {"PathPrefix": "/a/", "MaxItems": 7}),
    ("sts", "GetCallerIdentity", {}, {}),
    ("sts", "AssumeRole",
     {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "session", "DurationSeconds": 900,
      "PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]},
     {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "session", "DurationSeconds": 900,
      "PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]}),

    ("ec2", "DescribeInstances",
     {"InstanceIds": ["i-1", "i-2"], "Filters": [{"Name": "tag:a b", "Values": ["x&y", "z*"]}]},
     {"InstanceId": ["i-1", "i-2"], "Filter": [{"Name": "tag:a b", "Value": ["x&y", "z*"]}]}),
    ("ec2", "DescribeInstanceAttribute",
     {"InstanceId": "i-1", "Attribute": "disableApiTermination"},
     {"InstanceId": "i-1", "Attribute": "disableApiTermination"}),
    ("ec2", "ModifyInstanceAttribute",
     {"InstanceId": "i-1", "DisableApiTermination": {"Value": True}},
     {"InstanceId": "i-1", "DisableApiTermination": {"Value": True}}),
    ("ec2", "ModifyInstanceAttribute", {"InstanceId": "i-1", "Groups": ["sg-1", "sg-2"]},
     {"InstanceId": "i-1", "GroupId": ["sg-1", "sg-2"]}),
    ("ec2", "StopInstances", {"InstanceIds": ["i-1"], "Force": False, "DryRun": True},
     {"InstanceId": ["i-1"], "Force": False, "DryRun": True}),
    ("ec2", "RevokeSecurityGroupIngress",
     {"GroupId": "sg-1", "IpPermissions": [
         {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
          "IpRanges": [{"CidrIp": "0.0.0.0/0"}, {"CidrIp": "10.0.0.0/8", "Description": "d"}]}]},
     {"GroupId": "sg-1", "IpPermissions": [
         {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
          "IpRanges": [{"CidrIp": "0.0.0.0/0"}, {"CidrIp": "10.0.0.0/8", "Description": "d"}]}]}),
    ("ec2", "RevokeSecurityGroupIngress",
     {"GroupId": "sg-1", "SecurityGroupRuleIds": ["sgr-1"]},
     {"GroupId": "sg-1", "SecurityGroupRuleId": ["sgr-1"]}),
    ("ec2", "ModifySnapshotAttribute",
     {"SnapshotId": "snap-1", "CreateVolumePermission": {"Remove": [{"Group": "all"}]}},
     {"SnapshotId": "snap-1", "CreateVolumePermission": {"Remove": [{"Group": "all"}]}}),
    ("ec2", "ModifySnapshotAttribute",
     {"SnapshotId": "snap-1", "OperationType": "remove", "GroupNames": ["all"]},
     {"SnapshotId": "snap-1", "OperationType": "remove", "UserGroup": ["all"]}),
    ("ec2", "CreateTags", {"Resources": ["i-1"], "Tags": [{"Key": "k", "Value": "v"}]},
     {"ResourceId": ["i-1"], "Tag": [{"Key": "k", "Value": "v"}]}),
    ("ec2", "DescribeVolumes", {"VolumeIds": [], "MaxResults": 5},
     {"VolumeId": [], "MaxResults": 5}),

    ("rds", "ModifyDBInstance",
     {"DBInstanceIdentifier": "db", "DeletionProtection": True, "ApplyImmediately": True,
      "VpcSecurityGroupIds": ["sg-1", "sg-2"]},
     {"DBInstanceIdentifier": "db", "DeletionProtection": True, "ApplyImmediately": True,
      "VpcSecurityGroupIds.VpcSecurityGroupId.N": ["sg-1", "sg-2"]}),
    ("rds", "ModifyDBInstance", {"DBInstanceIdentifier": "db", "VpcSecurityGroupIds": []},
     {"DBInstanceIdentifier": "db", "VpcSecurityGroupIds.VpcSecurityGroupId.N": []}),
    ("rds", "ModifyDBSnapshotAttribute",
     {"DBSnapshotIdentifier": "s", "AttributeName": "restore", "ValuesToRemove": ["all"]},
     {"DBSnapshotIdentifier": "s", "AttributeName": "restore",
      "ValuesToRemove.AttributeValue.N": ["all"]}),
    ("rds", "AddTagsToResource", {"ResourceName": "a", "Tags": [{"Key": "k", "Value": "v"}]},
     {"ResourceName": "a", "Tags.Tag.N": [{"Key": "k", "Value": "v"}]}),

    ("sns", "Publish",
     {"TopicArn": "t", "Message": "two\nlines", "MessageAttributes": {
         "a": {"DataType": "String", "StringValue": "s"}}},
     {"TopicArn": "t", "Message": "two\nlines", "MessageAttributes.entry.N": [
         {"Name": "a", "Value": {"DataType": "String", "StringValue": "s"}}]}),
    ("sns", "SetTopicAttributes",
     {"TopicArn": "t", "AttributeName": "Policy", "AttributeValue": COMPACT},
     {"TopicArn": "t", "AttributeName": "Policy", "AttributeValue": {"$json": DENY}}),
    ("autoscaling", "SuspendProcesses",
     {"AutoScalingGroupName": "g", "ScalingProcesses": ["Launch", "Terminate"]},
     {"AutoScalingGroupName": "g", "ScalingProcesses": ["Launch", "Terminate"]}),
    ("elasticloadbalancing", "ModifyLoadBalancerAttributes",
     {"LoadBalancerArn": "a", "Attributes": [
         {"Key": "deletion_protection.enabled", "Value": "true"}]},
     {"LoadBalancerArn": "a", "Attributes": [
         {"Key": "deletion_protection.enabled", "Value": "true"}]}),
    ("cloudformation", "UpdateTerminationProtection",
     {"StackName": "s", "EnableTerminationProtection": True},
     {"StackName": "s", "EnableTerminationProtection": True}),
    ("redshift", "ModifyCluster",
     {"ClusterIdentifier": "c", "PubliclyAccessible": False, "VpcSecurityGroupIds": ["sg-1"]},
     {"ClusterIdentifier": "c", "PubliclyAccessible": False,
      "VpcSecurityGroupIds.VpcSecurityGroupId.N": ["sg-1"]}),
    ("elasticache", "DescribeCacheClusters",
     {"CacheClusterId": "c", "ShowCacheNodeInfo": True},
     {"CacheClusterId": "c", "ShowCacheNodeInfo": True}),
    ("cloudformation", "DescribeStackEvents", {"StackName": "s"}, {"StackName": "s"}),
    ("autoscaling", "PutScheduledUpdateGroupAction",
     {"AutoScalingGroupName": "g", "ScheduledActionName": "a",
      "StartTime": datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)},
     {"AutoScalingGroupName": "g", "ScheduledActionName": "a",
      "StartTime": "2026-01-02T03:04:05Z"}),
]


class Forms(unittest.TestCase):
    models = {}

    def model(self, service):
        if service not in self.models:
            name = CLIENT_NAMES.get(service, service)
            self.models[service] = ServiceModel(Loader().load_service_model(name, "service-2"), name)
        return self.models[service]

    def theirs(self, service, operation, parameters):
        model = self.model(service)
        serializer = create_serializer(model.metadata["protocol"], include_validation=True)
        request = serializer.serialize_to_request(parameters, model.operation_model(operation))
        return urlencode(list(request["body"].items()))

    def ours(self):
        calls = [{"service": service, "operation": operation, "parameters": ours}
                 for service, operation, _, ours in CASES]
        done = subprocess.run([DRIVER, "forms"], input=json.dumps(calls), capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        forms = done.stdout.splitlines()
        self.assertEqual(len(forms), len(CASES))
        return forms

    def test_every_form_is_botocores(self):
        for (service, operation, theirs, _), ours in zip(CASES, self.ours()):
            with self.subTest(f"{service}:{operation}"):
                expected = self.theirs(service, operation, theirs)
                # Only the order may differ: botocore's is that of its model.
                self.assertEqual(sorted(ours.split("&")), sorted(expected.split("&")))
                self.assertEqual(ours.split("&")[0], f"Action={operation}")


if __name__ == "__main__":
    unittest.main()
