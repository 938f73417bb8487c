#!/usr/bin/env python3
"""The CloudFormation templates: what they carry is what riposte exports, cfn-lint finds nothing, and an
emulator of AWS makes what it knows of them."""
import ast
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import boto3
import botocore.config
import yaml

import canary_test
import harness

TEMPLATES = harness.ROOT / "docker" / "cloudformation"
BODIES = sorted(TEMPLATES.glob("*.yml"))
SETTINGS = harness.ROOT / "conf" / "riposte.json"
# What the emulator makes in no stack. Connections and API destinations it makes by their API.
NOT_EMULATED = {"AWS::CloudWatch::Alarm", "AWS::Events::ApiDestination", "AWS::Events::Connection",
                "AWS::Logs::MetricFilter", "AWS::SQS::QueuePolicy", "AWS::Scheduler::Schedule", "AWS::VpcLattice::ResourceConfiguration",
                "AWS::VpcLattice::ResourceGateway"}
# What it can't say of what it made.
NOT_TOLD = (("Journal", "Arn"), ("JournalAccess", "Arn"), ("LoadBalancer", "LoadBalancerFullName"),
            ("EventsTargets", "TargetGroupFullName"))


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, as their long ones."""


def short_form(loader, suffix, node):
    name = "Ref" if suffix == "Ref" else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    build = loader.construct_sequence if isinstance(node, yaml.SequenceNode) else loader.construct_mapping
    return {name: build(node, deep=True)}


Loader.add_multi_constructor("!", short_form)


def load(name):
    return yaml.load((TEMPLATES / name).read_text(), Loader)


def resources(template, kind):
    return {name: body["Properties"] for name, body in template["Resources"].items()
            if body["Type"] == kind}


def export(what, **environment):
    done = subprocess.run([harness.BINARY, "export", what, "-c", str(SETTINGS)], env=environment,
                          check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def shipped_rules():
    for path in sorted((harness.ROOT / "conf" / "rules").glob("*.json")):
        text = re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', lambda m: m[1] or " ", path.read_text(), flags=re.S)
        yield json.loads(text)


def matching_samples():
    """Names of the sample events that some shipped rule takes, as its tests say."""
    return {test["event"].removeprefix("../events/") for rule in shipped_rules() for test in rule["tests"]
            if isinstance(test["event"], str) and test["expect"].get("match")}


def delivered(patterns, names):
    """Those of the sample events that one of the patterns takes."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        for name in names:
            for number, pattern in enumerate(patterns):
                file.write(json.dumps({"id": f"{name} {number}", "pattern": pattern,
                                       "event": harness.sample(name)}) + "\n")
        file.flush()
        lines = subprocess.run([harness.BINARY, "match", "--vectors", file.name], check=True, capture_output=True,
                               text=True).stdout.splitlines()
    return {line.split(" ")[0] for line in lines if line.endswith("\tmatch")}


class Written(unittest.TestCase):
    def test_they_are_what_the_generator_writes(self):
        done = subprocess.run([sys.executable, "-B", str(TEMPLATES / "generate.py"), harness.BINARY, "--check"],
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_event_patterns_are_those_exported(self):
        expected = {rule["name"].removeprefix("riposte-"): (rule["state"], rule["pattern"])
                    for rule in export("event-pattern")}
        for name in ("riposte.yml", "events.yml", "region.yml"):
            found = {rule["Name"]["Fn::Sub"].removeprefix("riposte-${Environment}-"):
                     (rule["State"], rule["EventPattern"])
                     for rule in resources(load(name), "AWS::Events::Rule").values()}
            found.pop("canary")
            self.assertEqual(found, expected, name)

    def test_what_the_schedules_do_is_what_the_task_expects(self):
        """Where CloudTrail would log their calls, the rule delivers them, and the setting knows them."""
        for name in ("riposte.yml", "region.yml", "events.yml"):
            template = load(name)
            text = (TEMPLATES / name).read_text()
            schedules = resources(template, "AWS::Scheduler::Schedule")
            inputs = {body["Target"]["Arn"]["Fn::Sub"].rsplit(":", 1)[1]:
                      json.loads(body["Target"]["Input"]["Fn::Sub"]) for body in schedules.values()}
            self.assertEqual(set(inputs), {"tagQueue"} if name == "region.yml" else {"tagQueue", "tagRole"})
            self.assertEqual(inputs["tagQueue"]["Tags"], {"riposte-canary": "<aws.scheduler.scheduled-time>"})
            self.assertEqual({body["ScheduleExpression"] for body in schedules.values()}, {"rate(5 minutes)"})
            expected = re.search(r"'(\[?{\"region\":.*)'", text)[1].replace("${MoreCanaries}", "")
            expected = re.sub(r"\${(.*?)}", lambda match: {
                "AWS::Region": harness.REGION, "DeadLetters.Arn": canary_test.QUEUE["resource"],
                "CanaryRole.Arn": canary_test.ROLE}[match[1]], expected)
            expected = json.loads(expected if expected[0] == "[" else f"[{expected}]")
            self.assertEqual(expected, [canary_test.QUEUE] if name == "region.yml" else [
                canary_test.QUEUE, canary_test.IAM])
            pattern = template["Resources"]["CanaryRule"]["Properties"]["EventPattern"]
            for service in ("sqs", "iam"):
                line = json.dumps({"id": "1", "pattern": pattern, "event": canary_test.write(service)})
                said = subprocess.run([harness.BINARY, "match", "--vectors", "/dev/stdin"], input=line, text=True,
                                      capture_output=True, check=True).stdout
                self.assertEqual(said, "1\tmatch\n", service)

    def test_roles_may_do_what_is_exported(self):
        expected = export("iam-policy")
        for name, role in (("riposte.yml", "TaskRole"), ("events.yml", "Role"), ("member-role.yml", "Responder")):
            policies = load(name)["Resources"][role]["Properties"]["Policies"]
            self.assertEqual([p["PolicyDocument"] for p in policies if p["PolicyName"] == "respond"],
                             [expected], name)

    def test_a_deployment_never_runs_two_writers(self):
        service = load("riposte.yml")["Resources"]["Service"]["Properties"]
        self.assertEqual(service["DesiredCount"], 1)
        self.assertEqual(service["DeploymentConfiguration"]["MaximumPercent"], 100)
        self.assertEqual(service["DeploymentConfiguration"]["MinimumHealthyPercent"], 0)

        self.assertEqual(service["AvailabilityZoneRebalancing"], "DISABLED")

    def test_a_task_that_waits_for_the_journal_is_not_ended(self):
        wait = re.search(r"^journal_wait .*?default \"(\d+)m\"", subprocess.run(
            [harness.BINARY, "help", "settings"], capture_output=True, text=True).stdout, re.S | re.M)
        resources = load("riposte.yml")["Resources"]
        container = resources["Task"]["Properties"]["ContainerDefinitions"][0]
        for patience in (container["HealthCheck"]["StartPeriod"],
                         resources["Service"]["Properties"]["HealthCheckGracePeriodSeconds"]):
            self.assertGreater(patience, 60 * int(wait[1]))

    def test_the_task_has_no_more_than_it_needs(self):
        container = load("riposte.yml")["Resources"]["Task"]["Properties"]["ContainerDefinitions"][0]
        self.assertIs(container["ReadonlyRootFilesystem"], True)
        self.assertEqual(container["LinuxParameters"]["Capabilities"], {"Drop": ["ALL"]})
        self.assertEqual(container["User"], "10001:10001")
        self.assertEqual(container["StopTimeout"], 60)

    def test_the_way_of_delivery_is_one_of_two(self):
        template = load("riposte.yml")
        private = {name for name, body in template["Resources"].items() if body.get("Condition") == "IsPrivate"}
        self.assertEqual(private, {"GatewaySecurityGroup", "Gateway", "PrivateWay"})
        connection = template["Resources"]["Connection"]["Properties"]
        self.assertEqual(connection["InvocationConnectivityParameters"], {"Fn::If": [
            "IsPrivate", {"ResourceParameters": {"ResourceConfigurationArn": {"Fn::GetAtt": ["PrivateWay", "Arn"]}}},
            {"Ref": "AWS::NoValue"}]})
        self.assertIn("{{resolve:secretsmanager:", json.dumps(connection["AuthParameters"]))

    def test_the_protecting_policy_fits(self):
        content = load("protect-scp.yml")["Resources"]["Protect"]["Properties"]["Content"]
        text = json.dumps(content, separators=(",", ":"))
        filled = re.sub(r'\{"Fn::Sub":("[^"]*")\}', r"\1", text).replace("${AWS::Partition}", "aws")
        self.assertLess(len(filled) + 16 * filled.count("${"), 5120, "what Organizations takes")

    def test_cloudformation_takes_no_aliases(self):
        for path in BODIES:
            tokens = {type(token) for token in yaml.scan(path.read_text())}
            self.assertFalse(tokens & {yaml.AliasToken, yaml.AnchorToken}, path.name)

    def test_cfn_lint_finds_nothing(self):
        done = subprocess.run([sys.executable, "-c", "import sys; from cfnlint.runner import main; main()",
                               *map(str, BODIES)], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)


class Made(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.moto = harness.Moto()
        cls.addClassCleanup(cls.moto.stop)
        ec2 = cls.moto.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=harness.REGION + "ab"[i % 2]
                                     )["Subnet"]["SubnetId"] for i in range(4)]
        secret = cls.moto.client("secretsmanager").create_secret(
            Name="riposte", SecretString=json.dumps({"events": harness.SECRET, "admin": harness.TOKEN}))
        cls.parameters = {
            "Image": "registry.example.com/riposte@sha256:0", "DomainName": "riposte.example.com", "Vpc": vpc,
            "CertificateArn": cls.moto.client("acm").request_certificate(DomainName="riposte.example.com")[
                "CertificateArn"],
            "Secrets": secret["ARN"], "PublicSubnets": ",".join(subnets[:2]), "PrivateSubnets": ",".join(subnets[2:]),
            "AdminSecurityGroup": ec2.create_security_group(GroupName="ops", Description="x", VpcId=vpc)["GroupId"]}

    def create(self, name, body, region=harness.REGION, **parameters):
        """What is made, by its name in the template."""
        # Its first stack has the emulator load all services: that takes a while.
        client = boto3.client("cloudformation", region_name=region, endpoint_url=self.moto.url,
                              aws_access_key_id="AKIAROOT", aws_secret_access_key="root",
                              config=botocore.config.Config(read_timeout=240, retries={"max_attempts": 0}))
        client.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"],
                            Parameters=[{"ParameterKey": key, "ParameterValue": value}
                                        for key, value in parameters.items()])
        stack = client.describe_stacks(StackName=name)["Stacks"][0]
        self.assertEqual(stack["StackStatus"], "CREATE_COMPLETE", stack)
        return {r["LogicalResourceId"] for r in client.list_stack_resources(
            StackName=name)["StackResourceSummaries"]} - {""}  # a queue's policy has no name here

    def made_by_hand(self, environment):
        """Connection and API destination: the destination's ARN."""
        events = self.moto.client("events")
        resources = load("riposte.yml")["Resources"]
        connection = {name: value for name, value in resources["Connection"]["Properties"].items()
                      if name in ("AuthorizationType", "AuthParameters")}
        connection["AuthParameters"]["ApiKeyAuthParameters"]["ApiKeyValue"] = harness.SECRET
        destination = {**resources["ApiDestination"]["Properties"], "Name": f"riposte-{environment}",
                       "ConnectionArn": events.create_connection(Name=f"riposte-{environment}",
                                                                 **connection)["ConnectionArn"],
                       "InvocationEndpoint": "https://riposte.example.com/events"}
        return events.create_api_destination(**destination)["ApiDestinationArn"]

    def create_home(self, environment, **parameters):
        """The whole stack but what the emulator can't make: (what is made, the API destination's ARN)."""
        arn = self.made_by_hand(environment)
        text = json.dumps(load("riposte.yml"))
        for resource, attribute in NOT_TOLD:
            text = text.replace(json.dumps({"Fn::GetAtt": [resource, attribute]}), json.dumps(f"{resource}.{attribute}"))
        text = text.replace(json.dumps({"Fn::GetAtt": ["ApiDestination", "Arn"]}), json.dumps(arn))
        return self.create(f"riposte-{environment}", text, Environment=environment,
                           **{**self.parameters, **parameters}), arn

    @staticmethod
    def expected(template, *conditional):
        """All that the emulator knows and no condition leaves out."""
        return {name for name, body in load(template)["Resources"].items()
                if body["Type"] not in NOT_EMULATED and ("Condition" not in body or name in conditional)}

    def policy(self, role, name):
        document = self.moto.client("iam").get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        return ast.literal_eval(document) if isinstance(document, str) else document

    def patterns(self, environment, region=harness.REGION):
        """Of the rules that were made, by their names."""
        events = self.moto.client("events", region=region)
        prefix = f"riposte-{environment}-"
        return {rule["Name"].removeprefix(prefix): (rule["State"], json.loads(rule["EventPattern"]))
                for rule in events.list_rules(NamePrefix=prefix)["Rules"] if "EventPattern" in rule
                and rule["Name"] != f"{prefix}canary"}

    def assert_rules_are_those_exported(self, made):
        expected = {rule["name"].removeprefix("riposte-"): (rule["state"], rule["pattern"])
                    for rule in export("event-pattern")}
        self.assertEqual(made, expected)
        samples = matching_samples()
        self.assertGreater(len(samples), 80)
        self.assertEqual(delivered([pattern for _, pattern in made.values()], samples), samples)

    def test_home(self):
        made, arn = self.create_home("test")
        self.assertEqual(made, self.expected("riposte.yml"))
        self.assert_rules_are_those_exported(self.patterns("test"))
        target = self.moto.client("events").list_targets_by_rule(Rule="riposte-test-1")["Targets"][0]
        queue = f"arn:aws:sqs:{harness.REGION}:{harness.ACCOUNT}:riposte-test-dead-letters"
        self.assertEqual((target["Arn"], target["DeadLetterConfig"]["Arn"]), (arn, queue))
        self.assertEqual(self.policy("riposte-test-delivery", "deliver")["Statement"],
                         [{"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": arn}])
        balancers = {b["LoadBalancerName"]: b["Scheme"]
                     for b in self.moto.client("elbv2").describe_load_balancers()["LoadBalancers"]}
        self.assertEqual(balancers["riposte-test"], "internet-facing")
        self.assertEqual(balancers["riposte-test-admin"], "internal")
        self.assert_the_task_runs("test")

    def assert_the_task_runs(self, environment):
        """The server, with the environment of the task that was made, takes what the connection sends, and may do
        what its role allows and no more."""
        task = self.moto.client("ecs").describe_task_definition(
            taskDefinition=f"riposte-{environment}")["taskDefinition"]["containerDefinitions"][0]
        self.assertNotIn("secrets", task)
        variables = {variable["name"]: variable["value"] for variable in task["environment"]}
        role = f"riposte-{environment}-task"
        allowed = self.policy(role, "respond")["Statement"] + [
            {**s, "Action": [s["Action"]], "Resource": [s["Resource"]]}
            for s in self.policy(role, "own")["Statement"] if s["Sid"] == "ReadSecrets"]
        canaries = variables.pop("RIPOSTE_CANARY")
        self.assertEqual(allowed, export("iam-policy", **variables)["Statement"])
        asked = export("iam-policy", **variables, RIPOSTE_CANARY=canaries)["Statement"][0]["Action"]
        trails, = (s["Action"] for s in self.policy(role, "own")["Statement"] if s["Sid"] == "AskTrails")
        self.assertEqual(set(asked), set(allowed[0]["Action"]) | set(trails))
        self.assertEqual([canary["region"] for canary in json.loads(canaries)], [harness.REGION, "us-east-1"])
        variables["RIPOSTE_CANARY"] = canaries
        folder = tempfile.mkdtemp(prefix="riposte-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        _, key = self.moto.user(f"task-{environment}")
        server = harness.Riposte(folder, key=key, environment={
            **variables, "RIPOSTE_LISTEN_ADDRESS": "127.0.0.1", "RIPOSTE_ADMIN_ADDRESS": "127.0.0.1",
            "RIPOSTE_SECRET": "", "RIPOSTE_ADMIN_TOKEN": "", "RIPOSTE_AWS_ENDPOINT": self.moto.url})
        self.addCleanup(server.stop, signal.SIGKILL)
        server.settings_path.write_text(SETTINGS.read_text().replace('"rules/"', f'"{harness.ROOT}/conf/rules"').replace(
            '"playbooks/"', f'"{harness.ROOT}/conf/playbooks"').replace("8443", str(server.port)).replace(
                "9443", str(server.admin_port)).replace("/var/lib/riposte", folder))
        server.start()
        self.assertEqual(server.cli("health", "-c", str(server.settings_path)).returncode, 0)
        event = harness.fresh(harness.sample("cli-attribute-value.json"))
        self.assertEqual(server.post(event, harness.SECRET)[0], 202)
        self.assertEqual(server.post(event, "not-the-secret-0123456789")[0], 401)
        self.assertEqual(len(server.admin("/v1/incidents")[1]["incidents"]), 1)

    def test_home_with_private_delivery(self):
        made, _ = self.create_home("inside", Delivery="private")
        self.assertEqual(made, self.expected("riposte.yml", "GatewaySecurityGroup"))
        balancer, = (b for b in self.moto.client("elbv2").describe_load_balancers()["LoadBalancers"]
                     if b["LoadBalancerName"] == "riposte-inside-inside")
        self.assertEqual(balancer["Scheme"], "internal")
        groups = self.moto.client("ec2").describe_security_groups(GroupIds=balancer["SecurityGroups"])
        ingress, = groups["SecurityGroups"][0]["IpPermissions"]
        self.assertEqual((ingress["IpRanges"], len(ingress["UserIdGroupPairs"])), ([], 1))

    def test_the_side_of_eventbridge_alone(self):
        """For a server on an instance, and for one in a pod."""
        for environment, service in (("instance", "ec2.amazonaws.com"), ("pod", "pods.eks.amazonaws.com")):
            text = json.dumps(load("events.yml")).replace(json.dumps({"Fn::GetAtt": ["ApiDestination", "Arn"]}),
                                                          json.dumps(self.made_by_hand(environment)))
            made = self.create(environment, text, Environment=environment, RunsOn=environment,
                               DomainName="riposte.example.com", Secrets=self.parameters["Secrets"])
            self.assertEqual(made, self.expected("events.yml", *(["Profile"] if environment == "instance" else [])))
            self.assert_rules_are_those_exported(self.patterns(environment))
            role = self.moto.client("iam").get_role(RoleName=f"riposte-{environment}-task")["Role"]
            trust = role["AssumeRolePolicyDocument"]
            trust = ast.literal_eval(trust) if isinstance(trust, str) else trust
            self.assertEqual(trust["Statement"][0]["Principal"], {"Service": service})

    def test_another_region(self):
        made = self.create("region", (TEMPLATES / "region.yml").read_text(), region="us-east-1", Environment="test",
                           HomeEventBusArn=f"arn:aws:events:{harness.REGION}:{harness.ACCOUNT}:event-bus/default")
        self.assertEqual(made, self.expected("region.yml"))
        self.assert_rules_are_those_exported(self.patterns("test", "us-east-1"))
        target = self.moto.client("events", region="us-east-1").list_targets_by_rule(
            Rule="riposte-test-1")["Targets"][0]
        self.assertEqual(target["Arn"], f"arn:aws:events:{harness.REGION}:{harness.ACCOUNT}:event-bus/default")
        self.assertEqual(self.policy("riposte-test-forwarding-us-east-1", "forward")["Statement"], [
            {"Effect": "Allow", "Action": "events:PutEvents", "Resource": target["Arn"]}])

    def test_break_glass(self):
        made = self.create("break-glass", (TEMPLATES / "break-glass.yml").read_text(),
                           People=f"arn:aws:iam::{harness.ACCOUNT}:user/watcher")
        self.assertEqual(made, {"Role"})

    def test_the_role_of_members(self):
        made = self.create("member", (TEMPLATES / "member-role.yml").read_text(),
                           TaskRoleArn=f"arn:aws:iam::{harness.ACCOUNT}:role/riposte-prod-task")
        self.assertEqual(made, {"Responder"})


if __name__ == "__main__":
    unittest.main()
