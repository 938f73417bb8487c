#!/usr/bin/env python3
"""The CloudFormation templates: what they carry is what riposte exports, cfn-lint finds nothing, and an
emulator of AWS makes what it knows of them."""
import json
import re
import subprocess
import sys
import unittest

import boto3
import botocore.config
import yaml

import harness

TEMPLATES = harness.ROOT / "docker" / "cloudformation"
BODIES = sorted(TEMPLATES.glob("*.yml"))
STACK = ("DeliveryRole", "DeadLetters", "DeadLettersPolicy", "Log",
         "Riposte1Rule", "Riposte2Rule", "RiposteReads1Rule", "TaskRole")


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


def export(what):
    done = subprocess.run([harness.BINARY, "export", what, "-c", str(harness.ROOT / "conf" / "riposte.json")],
                          check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


class Written(unittest.TestCase):
    def test_they_are_what_the_generator_writes(self):
        done = subprocess.run([sys.executable, "-B", str(TEMPLATES / "generate.py"), harness.BINARY, "--check"],
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_event_patterns_are_those_exported(self):
        expected = {rule["name"].removeprefix("riposte-"): (rule["state"], rule["pattern"])
                    for rule in export("event-pattern")}
        for name in ("riposte.yml", "region.yml"):
            found = {rule["Name"]["Fn::Sub"].removeprefix("riposte-${Environment}-"):
                     (rule["State"], rule["EventPattern"])
                     for rule in resources(load(name), "AWS::Events::Rule").values()}
            self.assertEqual(found, expected, name)

    def test_roles_may_do_what_is_exported(self):
        expected = export("iam-policy")
        for name, role in (("riposte.yml", "TaskRole"), ("member-role.yml", "Responder")):
            policies = load(name)["Resources"][role]["Properties"]["Policies"]
            self.assertEqual([p["PolicyDocument"] for p in policies if p["PolicyName"] == "respond"],
                             [expected], name)

    def test_a_deployment_never_runs_two_writers(self):
        service = load("riposte.yml")["Resources"]["Service"]["Properties"]
        self.assertEqual(service["DesiredCount"], 1)
        self.assertEqual(service["DeploymentConfiguration"]["MaximumPercent"], 100)
        self.assertEqual(service["DeploymentConfiguration"]["MinimumHealthyPercent"], 0)

    def test_the_task_has_no_more_than_it_needs(self):
        container = load("riposte.yml")["Resources"]["Task"]["Properties"]["ContainerDefinitions"][0]
        self.assertIs(container["ReadonlyRootFilesystem"], True)
        self.assertEqual(container["LinuxParameters"]["Capabilities"], {"Drop": ["ALL"]})
        self.assertEqual(container["User"], "10001:10001")
        self.assertEqual(container["StopTimeout"], 60)

    def test_cloudformation_takes_no_aliases(self):
        for path in BODIES:
            tokens = {type(token) for token in yaml.scan(path.read_text())}
            self.assertFalse(tokens & {yaml.AliasToken, yaml.AnchorToken}, path.name)

    def test_cfn_lint_finds_nothing(self):
        done = subprocess.run([sys.executable, "-c", "import sys; from cfnlint.runner import main; main()",
                               *map(str, BODIES)], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)


class Elsewhere(unittest.TestCase):
    def test_the_pod_is_one_and_restricted(self):
        text = (harness.ROOT / "docker" / "kubernetes" / "riposte.yml").read_text()
        documents = {document["kind"]: document for document in yaml.safe_load_all(text)}
        self.assertEqual(set(documents), {"ServiceAccount", "StatefulSet", "Service", "NetworkPolicy"})
        stateful = documents["StatefulSet"]["spec"]
        self.assertEqual(stateful["replicas"], 1)
        self.assertEqual(stateful["volumeClaimTemplates"][0]["spec"]["accessModes"], ["ReadWriteOncePod"])
        pod = stateful["template"]["spec"]
        self.assertIs(pod["securityContext"]["runAsNonRoot"], True)
        self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
        container = pod["containers"][0]
        self.assertEqual(container["securityContext"], {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]}})
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        for probe, path in (("readinessProbe", "/readyz"), ("livenessProbe", "/healthz")):
            self.assertEqual(container[probe]["httpGet"], {"path": path, "port": "events", "scheme": "HTTPS"})
        self.assertEqual(ports, {"events": 8443, "admin": 9443})
        labels = stateful["template"]["metadata"]["labels"]
        for selector in (stateful["selector"]["matchLabels"], documents["Service"]["spec"]["selector"],
                         documents["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]):
            self.assertEqual(selector, labels)

    def test_the_settings_that_manifests_override_are_there(self):
        known = subprocess.run([harness.BINARY, "help", "settings"], capture_output=True, text=True).stdout
        names = set()
        for path in ("docker/compose.yml", "docker/kubernetes/riposte.yml", "docker/cloudformation/riposte.yml"):
            names |= set(re.findall(r"\bRIPOSTE_[A-Z_]+", (harness.ROOT / path).read_text()))
        for name in names - {"RIPOSTE_SECRET", "RIPOSTE_SECRET_PREVIOUS", "RIPOSTE_ADMIN_TOKEN"}:
            self.assertIn(name, known)

    def test_the_compose_file_names_what_it_uses(self):
        compose = yaml.safe_load((harness.ROOT / "docker" / "compose.yml").read_text())
        self.assertEqual(set(compose["services"]), {"riposte", "moto"})
        riposte = compose["services"]["riposte"]
        self.assertIs(riposte["read_only"], True)
        self.assertEqual(riposte["cap_drop"], ["ALL"])
        self.assertTrue(all(port.startswith("127.0.0.1:") for service in compose["services"].values()
                            for port in service["ports"]))


class Made(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.moto = harness.Moto()
        cls.addClassCleanup(cls.moto.stop)

    def create(self, name, body, **parameters):
        # Its first stack has the emulator load all services: that takes a while.
        client = boto3.client("cloudformation", region_name=harness.REGION, endpoint_url=self.moto.url,
                              aws_access_key_id="AKIAROOT", aws_secret_access_key="root",
                              config=botocore.config.Config(read_timeout=240, retries={"max_attempts": 0}))
        client.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"],
                            Parameters=[{"ParameterKey": key, "ParameterValue": value}
                                        for key, value in parameters.items()])
        stack = client.describe_stacks(StackName=name)["Stacks"][0]
        self.assertEqual(stack["StackStatus"], "CREATE_COMPLETE", stack)
        return {r["LogicalResourceId"] for r in client.list_stack_resources(
            StackName=name)["StackResourceSummaries"]} - {""}  # a queue's policy has no name here

    def made_by_hand(self, resources):
        """Connection and API destination, which the emulator makes by API only: the destination's ARN."""
        events = self.moto.client("events")
        name = "riposte-test"
        connection = {**resources["Connection"]["Properties"], "Name": name}
        connection["AuthParameters"]["ApiKeyAuthParameters"]["ApiKeyValue"] = "k" * 20
        destination = {**resources["ApiDestination"]["Properties"], "Name": name,
                       "ConnectionArn": events.create_connection(**connection)["ConnectionArn"],
                       "InvocationEndpoint": "https://riposte.example.com/events"}
        return events.create_api_destination(**destination)["ApiDestinationArn"]

    def test_the_way_in(self):
        """Without what the emulator can't make."""
        template = load("riposte.yml")
        arn = self.made_by_hand(template["Resources"])
        made = {name: template["Resources"][name] for name in STACK}
        policies = made["TaskRole"]["Properties"]["Policies"]
        made["TaskRole"]["Properties"]["Policies"] = [p for p in policies if p["PolicyName"] == "respond"]
        text = json.dumps({"Resources": made, "Parameters": {
            "Environment": template["Parameters"]["Environment"]}})
        text = text.replace(json.dumps({"Fn::GetAtt": ["ApiDestination", "Arn"]}), json.dumps(arn))
        self.assertEqual(self.create("riposte", text, Environment="test"),
                         set(STACK) - {"DeadLettersPolicy"})
        events = self.moto.client("events")
        self.assertEqual({rule["Name"] for rule in events.list_rules()["Rules"]},
                         {"riposte-test-1", "riposte-test-2", "riposte-test-reads-1"})
        target = events.list_targets_by_rule(Rule="riposte-test-1")["Targets"][0]
        self.assertEqual(target["Arn"], arn)

    def test_the_role_of_members(self):
        made = self.create("member", (TEMPLATES / "member-role.yml").read_text(),
                           TaskRoleArn=f"arn:aws:iam::{harness.ACCOUNT}:role/riposte-prod-task")
        self.assertEqual(made, {"Responder"})


if __name__ == "__main__":
    unittest.main()
