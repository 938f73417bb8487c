#!/usr/bin/env python3
"""The Kubernetes manifest and the compose file: valid by their schemas, as little privileged as they say, one writer of
the journal, and with an environment that the server takes."""
import copy
import json
import re
import subprocess
import unittest

import jsonschema
import yaml

import harness

SCHEMAS = harness.ROOT / "tests" / "data" / "schemas"
SETTINGS = harness.ROOT / "conf" / "riposte.json"
# Pod Security Standards, "restricted": what may be mounted.
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def schema(name):
    return json.loads((SCHEMAS / f"{name}.json").read_text())


def faults_of_object(document):
    """By Kubernetes' schema of its kind."""
    known = schema("kubernetes")
    kind = known["kinds"].get(document["kind"])
    if kind is None:
        return [f"no kind {document['kind']}"]
    validator = jsonschema.Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": known["$defs"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def faults_of_pod(pod):
    """What the standard "restricted" forbids."""
    faults = [f"{name} is set" for name in ("hostNetwork", "hostPID", "hostIPC") if pod.get(name)]
    for volume in pod.get("volumes", []):
        faults += [f"volume {volume['name']}: {kind}" for kind in set(volume) - {"name"} - VOLUMES]
    for container in pod.get("initContainers", []) + pod["containers"]:
        own = container.get("securityContext", {})
        both = {**pod.get("securityContext", {}), **own}
        capabilities = own.get("capabilities", {})
        wrong = {
            "may become root": both.get("runAsNonRoot") is not True or both.get("runAsUser") == 0,
            "has no seccomp profile": both.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"),
            "may gain privileges": own.get("allowPrivilegeEscalation") is not False or own.get("privileged", False),
            "keeps capabilities": capabilities.get("drop") != ["ALL"] or set(capabilities.get("add", [])) - {
                "NET_BIND_SERVICE"},
            "takes a port of the host": any("hostPort" in port for port in container.get("ports", [])),
        }
        faults += [f"{container['name']} {what}" for what, is_so in wrong.items() if is_so]
    return faults


def check(environment):
    """`riposte check` in this environment: its exit code and its text."""
    done = subprocess.run([harness.BINARY, "check", "-c", str(SETTINGS)], env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


class Kubernetes(unittest.TestCase):
    def setUp(self):
        text = (harness.ROOT / "docker" / "kubernetes" / "riposte.yml").read_text()
        self.documents = {document["kind"]: document for document in yaml.safe_load_all(text)}
        self.stateful = self.documents["StatefulSet"]["spec"]
        self.pod = self.stateful["template"]["spec"]
        self.container, = self.pod["containers"]

    def test_it_is_valid(self):
        self.assertEqual(set(self.documents), {"ServiceAccount", "StatefulSet", "Service", "NetworkPolicy"})
        for document in self.documents.values():
            self.assertEqual(faults_of_object(document), [])

    def test_what_is_wrong_is_found(self):
        for path, value in ((("replica",), 1), (("replicas",), "1"), (("template", "spec", "containers", 0, "name"), None),
                            (("template", "spec", "securityContext", "runAsNonroot"), True)):
            wrong = copy.deepcopy(self.documents["StatefulSet"])
            place = wrong["spec"]
            for name in path[:-1]:
                place = place[name]
            place[path[-1]] = value
            self.assertEqual(len(faults_of_object(wrong)), 1, path)

    def test_the_pod_is_restricted(self):
        self.assertEqual(faults_of_pod(self.pod), [])
        self.assertIs(self.container["securityContext"]["readOnlyRootFilesystem"], True)
        self.assertIs(self.pod["automountServiceAccountToken"], False)
        self.assertIn("limits", self.container["resources"])

    def test_a_pod_that_is_not_is_found(self):
        for place, name, value in ((self.pod, "hostNetwork", True), (self.pod["securityContext"], "runAsUser", 0),
                                   (self.pod["volumes"][0], "hostPath", {"path": "/"}),
                                   (self.container["securityContext"], "privileged", True),
                                   (self.container["securityContext"], "capabilities", {"drop": ["NET_RAW"]}),
                                   (self.container["ports"][0], "hostPort", 443)):
            kept = place.get(name)
            place[name] = value
            self.assertEqual(len(faults_of_pod(self.pod)), 1, name)
            place.pop(name) if kept is None else place.update({name: kept})

    def test_the_journal_has_one_writer(self):
        self.assertEqual(self.stateful["replicas"], 1)
        self.assertNotIn("updateStrategy", self.stateful, "a StatefulSet ends a pod before it starts the next")
        claim, = self.stateful["volumeClaimTemplates"]
        self.assertEqual(claim["spec"]["accessModes"], ["ReadWriteOncePod"])
        mounts = {mount["name"]: mount["mountPath"] for mount in self.container["volumeMounts"]}
        self.assertEqual(mounts[claim["metadata"]["name"]], "/var/lib/riposte")

    def test_names_and_ports_go_together(self):
        labels = self.stateful["template"]["metadata"]["labels"]
        for selector in (self.stateful["selector"]["matchLabels"], self.documents["Service"]["spec"]["selector"],
                         self.documents["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]):
            self.assertEqual(selector, labels)
        ports = {port["name"]: port["containerPort"] for port in self.container["ports"]}
        self.assertEqual(ports, {"events": 8443, "admin": 9443})
        self.assertEqual({port["targetPort"] for port in self.documents["Service"]["spec"]["ports"]}, set(ports))
        allowed = [port["port"] for rule in self.documents["NetworkPolicy"]["spec"]["ingress"] for port in rule["ports"]]
        self.assertEqual(set(allowed), set(ports.values()))
        for probe, path in (("readinessProbe", "/readyz"), ("livenessProbe", "/healthz")):
            self.assertEqual(self.container[probe]["httpGet"], {"path": path, "port": "events", "scheme": "HTTPS"})
        self.assertEqual(self.pod["serviceAccountName"], self.documents["ServiceAccount"]["metadata"]["name"])

    def test_the_server_takes_its_environment(self):
        variables = {entry["name"]: entry.get("value", "a-secret-0123456789") for entry in self.container["env"]}
        self.assertEqual(check(variables)[0], 0, check(variables)[1])
        self.assertEqual(self.container["args"], ["serve", "-c", "/etc/riposte/riposte.json"])


class Compose(unittest.TestCase):
    def setUp(self):
        self.compose = yaml.safe_load((harness.ROOT / "docker" / "compose.yml").read_text())
        self.riposte = self.compose["services"]["riposte"]

    def faults(self):
        return list(jsonschema.Draft7Validator(schema("compose")).iter_errors(self.compose))

    def test_it_is_valid(self):
        self.assertEqual(self.faults(), [])
        self.riposte["readonly"] = True
        self.assertEqual(len(self.faults()), 1, "what is wrong is found")

    def test_it_names_what_it_has(self):
        services = self.compose["services"]
        self.assertEqual(set(services), {"riposte", "moto"})
        self.assertLessEqual(set(self.riposte["depends_on"]), set(services))
        self.assertEqual({volume.split(":")[0] for volume in self.riposte["volumes"]}, set(self.compose["volumes"]))
        self.assertTrue(all(port.startswith("127.0.0.1:") for service in services.values() for port in service["ports"]))
        self.assertTrue((harness.ROOT / "docker" / self.riposte["build"] / "Dockerfile").exists())

    def test_it_has_no_more_than_it_needs(self):
        self.assertIs(self.riposte["read_only"], True)
        self.assertEqual(self.riposte["cap_drop"], ["ALL"])
        self.assertEqual(self.riposte["security_opt"], ["no-new-privileges:true"])

    def test_the_emulator_is_the_tested_one(self):
        version = re.search(r"^moto\[.*\]==(.*)$", (harness.ROOT / "tests" / "requirements.txt").read_text(), re.M)[1]
        moto = self.compose["services"]["moto"]
        self.assertEqual(moto["image"], f"motoserver/moto:{version}")
        self.assertEqual(self.riposte["environment"]["RIPOSTE_AWS_ENDPOINT"],
                         f"http://moto:{moto['ports'][0].rsplit(':', 1)[1]}")

    def test_the_server_takes_its_environment(self):
        variables = {name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value or "a-secret-0123456789")
                     for name, value in self.riposte["environment"].items()}
        self.assertEqual(variables["RIPOSTE_MODE"], "observe")
        self.assertEqual(check(variables)[0], 0, check(variables)[1])
        code, text = check({**variables, "RIPOSTE_AWS_ENDPOINT": "moto:5000"})
        self.assertEqual(code, 1)
        self.assertIn("RIPOSTE_AWS_ENDPOINT must be", text)


class Variables(unittest.TestCase):
    def test_those_that_files_set_are_there(self):
        known = subprocess.run([harness.BINARY, "help", "settings"], capture_output=True, text=True).stdout
        names = set()
        for path in (harness.ROOT / "docker").rglob("*"):
            if path.suffix in (".yml", ".tf"):
                names |= set(re.findall(r"\bRIPOSTE_[A-Z_]+", path.read_text()))
        self.assertGreater(len(names), 5)
        for name in names - {"RIPOSTE_SECRET", "RIPOSTE_SECRET_PREVIOUS", "RIPOSTE_ADMIN_TOKEN"}:
            self.assertIn(f"variable {name}\n", known)


if __name__ == "__main__":
    unittest.main()
