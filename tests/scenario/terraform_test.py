#!/usr/bin/env python3
"""The Terraform modules have the shape of the CloudFormation templates: the same kinds of resources, settings and
exports. Where Terraform and the provider are to be had, they say so too; without, the provider's schema is not asked.

TERRAFORM_PLUGINS: a folder of providers (terraform init -plugin-dir), where there is no network."""
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import harness
import hcl
from templates_test import load

MODULES = harness.ROOT / "docker" / "terraform"
PAIRS = {"riposte.yml": MODULES, "region.yml": MODULES / "region", "member-role.yml": MODULES / "member"}
KINDS = {
    "AWS::CloudWatch::Alarm": "aws_cloudwatch_metric_alarm", "AWS::EC2::SecurityGroup": "aws_security_group",
    "AWS::ECS::Cluster": "aws_ecs_cluster", "AWS::ECS::Service": "aws_ecs_service",
    "AWS::ECS::TaskDefinition": "aws_ecs_task_definition", "AWS::EFS::AccessPoint": "aws_efs_access_point",
    "AWS::EFS::FileSystem": "aws_efs_file_system", "AWS::EFS::MountTarget": "aws_efs_mount_target",
    "AWS::ElasticLoadBalancingV2::Listener": "aws_lb_listener",
    "AWS::ElasticLoadBalancingV2::ListenerRule": "aws_lb_listener_rule",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "aws_lb",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "aws_lb_target_group",
    "AWS::Events::ApiDestination": "aws_cloudwatch_event_api_destination",
    "AWS::Events::Connection": "aws_cloudwatch_event_connection", "AWS::Events::Rule": "aws_cloudwatch_event_rule",
    "AWS::IAM::Role": "aws_iam_role", "AWS::Logs::LogGroup": "aws_cloudwatch_log_group",
    "AWS::Logs::MetricFilter": "aws_cloudwatch_log_metric_filter", "AWS::SQS::Queue": "aws_sqs_queue",
    "AWS::SQS::QueuePolicy": "aws_sqs_queue_policy", "AWS::Scheduler::Schedule": "aws_scheduler_schedule",
    "AWS::VpcLattice::ResourceConfiguration": "aws_vpclattice_resource_configuration",
    "AWS::VpcLattice::ResourceGateway": "aws_vpclattice_resource_gateway"}
# What CloudFormation says within another resource.
PARTS = {"aws_cloudwatch_event_target", "aws_iam_role_policy", "aws_iam_role_policy_attachment", "aws_efs_backup_policy"}
# Made by for_each and count.
SEVERAL = {"aws_cloudwatch_event_rule", "aws_efs_mount_target"}


def properties(name, resource):
    return load(name)["Resources"][resource]["Properties"]


def camel(value):
    """CloudFormation's names as the ECS API spells them."""
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: camel(inner) for name, inner in value.items()}
    return [camel(inner) for inner in value] if isinstance(value, list) else value


def in_words(value):
    """References of either language as what they refer to."""
    if isinstance(value, dict):
        if set(value) == {"ref"}:
            return {"Mode": "MODE", "Image": "IMAGE", "Log": "LOG", "AWS::Region": "REGION"}[value["ref"]]
        if set(value) == {"fn::Sub"}:
            return "CANARIES" if "${CanaryRole.Arn}" in value["fn::Sub"] else value["fn::Sub"].replace("${Secrets}", "SECRETS")
        return {name: in_words(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [in_words(inner) for inner in value]
    if isinstance(value, str):
        known = {"var . mode": "MODE", "var . image": "IMAGE", "local . region": "REGION",
                 "local . expected_canaries": "CANARIES",
                 "aws_cloudwatch_log_group . log . name": "LOG"}
        return known.get(value, value.replace("${var.secrets}", "SECRETS"))
    return value


def block(body, name):
    """The only block of this name."""
    (_, found), = body[name]
    return found


class Shape(unittest.TestCase):
    def test_the_same_kinds_of_resources(self):
        for template, folder in PAIRS.items():
            with self.subTest(template=template):
                wanted = collections.Counter(KINDS[body["Type"]] for body in load(template)["Resources"].values())
                found = collections.Counter(kind for kind, _ in hcl.resources(folder))
                for kind in SEVERAL & set(wanted):
                    wanted[kind] = 1
                self.assertEqual({k: n for k, n in found.items() if k not in PARTS}, dict(wanted),
                                 f"{folder} and {template} are to have the same")

    def test_the_same_parameters(self):
        def snake(name):
            return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()

        for template, folder in PAIRS.items():
            with self.subTest(template=template):
                wanted = {snake(name): body for name, body in load(template)["Parameters"].items()}
                wanted.pop("rotated", None)  # Terraform sees for itself that the secret's value changed
                found = hcl.variables(folder)
                self.assertEqual(set(found), set(wanted))
                for name, body in wanted.items():
                    if "Default" in body and body["Default"] not in ("", "public"):
                        self.assertEqual(found[name].get("default"), body["Default"], name)

    def test_the_same_task(self):
        task = properties("riposte.yml", "Task")
        found = hcl.resources(MODULES)["aws_ecs_task_definition", "task"]
        self.assertEqual((found["cpu"], found["memory"], found["network_mode"], found["requires_compatibilities"]),
                         (task["Cpu"], task["Memory"], task["NetworkMode"], task["RequiresCompatibilities"]))
        wanted = camel(task["ContainerDefinitions"][0])
        self.assertEqual(in_words(found["container_definitions"][0]), in_words(wanted))

    def test_the_same_service(self):
        service = properties("riposte.yml", "Service")
        found = hcl.resources(MODULES)["aws_ecs_service", "service"]
        deployment = service["DeploymentConfiguration"]
        self.assertEqual(
            (found["desired_count"], found["deployment_minimum_healthy_percent"], found["deployment_maximum_percent"],
             found["availability_zone_rebalancing"], found["health_check_grace_period_seconds"],
             found["platform_version"], found["launch_type"]),
            (service["DesiredCount"], deployment["MinimumHealthyPercent"], deployment["MaximumPercent"],
             service["AvailabilityZoneRebalancing"], service["HealthCheckGracePeriodSeconds"],
             service["PlatformVersion"], service["LaunchType"]))
        self.assertEqual(block(found, "deployment_circuit_breaker"), {"enable": True, "rollback": True})
        self.assertEqual([body["container_port"] for _, body in found["load_balancer"]],
                         [balancer["ContainerPort"] for balancer in service["LoadBalancers"]])

    def test_the_same_ports(self):
        resources = hcl.resources(MODULES)
        for name, template in (("events", "EventsSecurityGroup"), ("admin", "AdminBalancerSecurityGroup"),
                               ("task", "TaskSecurityGroup"), ("journal", "JournalSecurityGroup")):
            wanted = [rule.get("Fn::If", [rule])[-1]["FromPort"]
                      for rule in properties("riposte.yml", template)["SecurityGroupIngress"]]
            found = [body["from_port"] for _, body in resources["aws_security_group", name]["ingress"]]
            self.assertEqual(found, wanted, name)
        for name, template in (("events", "EventsTargets"), ("admin", "AdminTargets")):
            wanted, found = properties("riposte.yml", template), resources["aws_lb_target_group", name]
            check = block(found, "health_check")
            self.assertEqual((found["port"], found["protocol"], check["path"], str(found["deregistration_delay"])),
                             (wanted["Port"], wanted["Protocol"], wanted["HealthCheckPath"],
                              wanted["TargetGroupAttributes"][0]["Value"]))

    def test_the_same_journal(self):
        access = properties("riposte.yml", "JournalAccess")
        found = hcl.resources(MODULES)["aws_efs_access_point", "journal"]
        self.assertEqual(str(block(found, "posix_user")["uid"]), access["PosixUser"]["Uid"])
        root = block(found, "root_directory")
        self.assertEqual(root["path"], access["RootDirectory"]["Path"])
        self.assertEqual(block(root, "creation_info")["permissions"],
                         access["RootDirectory"]["CreationInfo"]["Permissions"])

    def test_policies_and_patterns_are_the_files_exported(self):
        for folder, (kind, name), attribute, file in (
                (MODULES, ("aws_iam_role_policy", "respond"), "policy", "/exported/iam-policy.json"),
                (MODULES / "member", ("aws_iam_role_policy", "respond"), "policy", "/../exported/iam-policy.json")):
            self.assertEqual(hcl.resources(folder)[kind, name][attribute], f'file ( "${{path.module}}{file}" )')
        for folder, file in ((MODULES, "/exported/"), (MODULES / "region", "/../exported/")):
            self.assertEqual(hcl.resources(folder)["aws_cloudwatch_event_rule", "rule"]["event_pattern"],
                             "each . value . pattern")
            self.assertIn(f'file("${{path.module}}{file}event-patterns.json")', (folder / "main.tf").read_text())

    def test_the_same_dead_letters_and_retries(self):
        for template, folder in (("riposte.yml", MODULES), ("region.yml", MODULES / "region")):
            queue, found = properties(template, "DeadLetters"), hcl.resources(folder)
            dead = found["aws_sqs_queue", "dead_letters"]
            self.assertEqual((dead["message_retention_seconds"], dead["visibility_timeout_seconds"]),
                             (queue["MessageRetentionPeriod"], queue["VisibilityTimeout"]))
            retry = block(found["aws_cloudwatch_event_target", "rule"], "retry_policy")
            self.assertEqual(retry, {"maximum_event_age_in_seconds": 86400, "maximum_retry_attempts": 185})


class Planned(unittest.TestCase):
    """By Terraform itself, against the emulator."""

    @classmethod
    def setUpClass(cls):
        if shutil.which("terraform") is None:
            raise unittest.SkipTest("there is no terraform here")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="riposte-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        shutil.copytree(MODULES, cls.folder / "module")
        cls.moto = harness.Moto()
        cls.addClassCleanup(cls.moto.stop)
        cls.environment = {
            **os.environ, "TF_CLI_CONFIG_FILE": os.devnull, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1",
            "AWS_ENDPOINT_URL": cls.moto.url, "AWS_ACCESS_KEY_ID": "AKIAROOT", "AWS_SECRET_ACCESS_KEY": "root",
            "AWS_REGION": harness.REGION}
        secret = cls.moto.client("secretsmanager").create_secret(
            Name="riposte", SecretString=json.dumps({"events": harness.SECRET, "admin": harness.TOKEN}))["ARN"]
        home = {"environment": "test", "image": "riposte@sha256:0", "domain_name": "riposte.example.com", "vpc": "vpc-1",
                "certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/1", "secrets": secret,
                "public_subnets": ["subnet-1", "subnet-2"], "private_subnets": ["subnet-3", "subnet-4"],
                "admin_security_group": "sg-1", "source": "./module"}
        modules = {"home": home, "inside": {**home, "environment": "inside", "delivery": "private"},
                   "region": {"environment": "test", "source": "./module/region",
                              "home_event_bus_arn": "arn:aws:events:eu-west-1:123456789012:event-bus/default"},
                   "member": {"task_role_arn": "arn:aws:iam::123456789012:role/riposte-test-task",
                              "source": "./module/member"}}
        (cls.folder / "main.tf.json").write_text(json.dumps({"module": modules, "provider": {"aws": {
            "skip_credentials_validation": True, "skip_metadata_api_check": "true"}}}))
        plugins = os.environ.get("TERRAFORM_PLUGINS")
        done = cls.terraform("init", "-input=false", "-no-color", *([f"-plugin-dir={plugins}"] if plugins else []))
        if done.returncode != 0:
            raise unittest.SkipTest("the provider is not to be had here: set TERRAFORM_PLUGINS")
        done = cls.terraform("plan", "-input=false", "-no-color", "-out=plan")
        assert done.returncode == 0, done.stdout + done.stderr
        plan = json.loads(cls.terraform("show", "-json", "plan").stdout)["planned_values"]["root_module"]["child_modules"]
        cls.planned = {module["address"].removeprefix("module."): module["resources"] for module in plan}

    @classmethod
    def terraform(cls, *arguments):
        return subprocess.run(["terraform", *arguments], cwd=cls.folder, env=cls.environment, capture_output=True,
                              text=True, timeout=120)

    def of(self, module, kind):
        return {resource["address"].removeprefix(f"module.{module}.{kind}."): resource["values"]
                for resource in self.planned[module] if resource["type"] == kind}

    def test_it_is_formatted(self):
        self.assertEqual(self.terraform("fmt", "-check", "-recursive", "-diff", "module").stdout, "")

    def test_what_is_read_is_what_is_planned(self):
        for module, folder in (("inside", MODULES), ("region", MODULES / "region"), ("member", MODULES / "member")):
            self.assertEqual({resource["type"] for resource in self.planned[module]},
                             {kind for kind, _ in hcl.resources(folder)})

    def test_rules_are_those_exported(self):
        wanted = {rule["Name"]["Fn::Sub"].replace("${Environment}", "test"): (rule["State"], rule["EventPattern"])
                  for rule in (body["Properties"] for body in load("region.yml")["Resources"].values()
                               if body["Type"] == "AWS::Events::Rule")}
        for module in ("home", "region"):
            found = {rule["name"]: (rule["state"], json.loads(rule["event_pattern"]))
                     for rule in self.of(module, "aws_cloudwatch_event_rule").values()}
            self.assertEqual(found, wanted)

    def test_roles_may_do_what_is_exported(self):
        wanted = next(p["PolicyDocument"] for p in properties("member-role.yml", "Responder")["Policies"])
        for module in ("home", "member"):
            self.assertEqual(json.loads(self.of(module, "aws_iam_role_policy")["respond"]["policy"]), wanted)

    def test_delivery_is_public_or_private(self):
        self.assertEqual(self.of("home", "aws_vpclattice_resource_gateway"), {})
        self.assertIs(self.of("home", "aws_lb")["events"]["internal"], False)
        self.assertIs(self.of("inside", "aws_lb")["events"]["internal"], True)
        ingress, = self.of("inside", "aws_security_group")["events"]["ingress"]
        self.assertEqual(ingress["cidr_blocks"], [])


if __name__ == "__main__":
    unittest.main()
