"""`riposte export schema`: the schemas are schemas, what is shipped is valid, what is wrong is not.

What the schema refuses `riposte check` must refuse as well, in a copy of the shipped files.

usage: schema_test.py RIPOSTE
"""
import copy
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONF = ROOT / "conf"
RIPOSTE = sys.argv.pop(1) if len(sys.argv) > 1 else str(ROOT / "build" / "release" / "riposte")
RULE = "rules/termination-protection-disabled.json"
PLAYBOOK = "playbooks/restore-termination-protection.json"
SETTINGS = "riposte.json"


def load(path):
    """The JSON of a file with comments."""
    token = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.S)
    return json.loads(token.sub(lambda found: found.group(1) or " ", path.read_text()))


def change(place, value):
    """Sets (or, without a value, takes out) what is at the place."""
    def apply(document):
        for name in place[:-1]:
            document = document[name]
        if value is None and isinstance(document, dict):
            del document[place[-1]]
        else:
            document[place[-1]] = value
    return apply


# What is wrong, in which file, and where.
WRONG = (
    ("an unknown member of a rule", RULE, ["seveirty"], "high"),
    ("a rule without a name", RULE, ["name"], None),
    ("a rule without a pattern", RULE, ["pattern"], None),
    ("a severity that doesn't exist", RULE, ["severity"], "urgent"),
    ("a duration without a unit", RULE, ["cooldown"], "300"),
    ("a pattern whose leaf is no array", RULE, ["pattern", "source"], "aws.ec2"),
    ("an empty pattern", RULE, ["pattern"], {}),
    ("no playbook", RULE, ["respond"], []),
    ("a playbook twice", RULE, ["respond"], ["contain-principal", "contain-principal"]),
    ("no technique", RULE, ["attack"], ["T15"]),
    ("a question without call", RULE, ["confirm", 0, "call"], None),
    ("an expectation without match", RULE, ["tests", 0, "expect"], {"calls": []}),
    ("an inverse without its service", RULE, ["tests", 0, "expect"],
     {"match": True, "inverses": ["DeleteUserPolicy"]}),
    ("a comparison without a value", RULE, ["where"], [{"in": ["x"]}]),
    ("nothing to compare with", RULE, ["where"], [{"value": "${id}", "in": []}]),
    ("a limit that is no number", RULE, ["limit"], {"count": "5", "per": "1h"}),
    ("a call without its service", PLAYBOOK, ["steps", 0, "call"], "ModifyInstanceAttribute"),
    ("a playbook that acts on something else", PLAYBOOK, ["acts_on"], "everybody"),
    ("a step that does nothing", PLAYBOOK, ["steps", 0], {"name": "nothing"}),
    ("a verification of nothing", PLAYBOOK, ["steps", 0, "verify", "matches"], None),
    ("an undo that is a string", PLAYBOOK, ["steps", 0, "undo"], "none"),
    ("no steps", PLAYBOOK, ["steps"], []),
    ("an unknown member in a link", PLAYBOOK, ["steps", 0],
     {"first_of": [{"name": "ask", "call": "iam:GetUser", "wehn": {}}]}),
    ("a chain without links", PLAYBOOK, ["steps", 0], {"first_of": []}),
    ("a chain in a chain", PLAYBOOK, ["steps", 0],
     {"first_of": [{"first_of": [{"name": "ask", "call": "iam:GetUser"}]}]}),
    ("an unknown setting", SETTINGS, ["lisen"], {}),
    ("a port that is none", SETTINGS, ["listen", "port"], 70000),
    ("a mode that doesn't exist", SETTINGS, ["mode"], "attack"),
    ("a secret itself", SETTINGS, ["authenticate", "secrets"], ["hunter2"]),
    ("no secret", SETTINGS, ["authenticate", "secrets"], []),
    ("a token without a role", SETTINGS, ["admin", "tokens"], [{"name": "a", "token": "env:A"}]),
    ("an unprotectable principal", SETTINGS, ["guard", "protected"], ["alice"]),
    ("a number as a duration", SETTINGS, ["retain"], 30),
)


class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schemas = {name: json.loads(cls.run_it("export", "schema", name).stdout)
                       for name in ("settings", "rule", "playbook")}

    @staticmethod
    def run_it(*arguments):
        return subprocess.run([RIPOSTE, *arguments], capture_output=True, text=True, timeout=60)

    def validator(self, path):
        name = {"rules": "rule", "playbooks": "playbook"}.get(path.parent.name, "settings")
        return jsonschema.Draft202012Validator(self.schemas[name])

    def test_they_are_schemas(self):
        for name, schema in self.schemas.items():
            with self.subTest(name):
                jsonschema.Draft202012Validator.check_schema(schema)

    def test_all_of_them_in_one_document(self):
        self.assertEqual(json.loads(self.run_it("export", "schema").stdout), self.schemas)

    def test_another_name_is_refused(self):
        self.assertEqual(self.run_it("export", "schema", "rules").returncode, 2)

    def test_what_is_shipped_is_valid(self):
        files = [CONF / SETTINGS, *CONF.glob("rules/*.json"), *CONF.glob("playbooks/*.json"),
                 *ROOT.glob("tests/unit/*/conf/*/*.json"), *ROOT.glob("tests/unit/*/conf/*.json")]
        self.assertGreater(len(files), 8)
        for path in files:
            with self.subTest(str(path.relative_to(ROOT))):
                self.validator(path).validate(load(path))

    def test_the_two_that_contain_differ_in_one_rung(self):
        """A playbook can't include another: what is mended in one has to be mended in both."""
        principal, role = (load(CONF / "playbooks" / f"{name}.json")["steps"]
                           for name in ("contain-principal", "contain-role"))
        chain = next(step["first_of"] for step in role
                     if any(link["name"] == "deny-role" for link in step.get("first_of", ())))
        self.assertEqual(chain.pop()["name"], "deny-role", "the last rung")
        self.assertEqual(role, principal)

    def test_what_is_wrong_is_invalid(self):
        for name, file, place, value in WRONG:
            with self.subTest(name):
                document = copy.deepcopy(load(CONF / file))
                change(place, value)(document)
                self.assertFalse(self.validator(CONF / file).is_valid(document))

    def test_what_is_wrong_is_found_by_check_too(self):
        with tempfile.TemporaryDirectory() as folder:
            conf = pathlib.Path(folder) / "conf"
            shutil.copytree(CONF, conf)
            for name, file, place, value in WRONG:
                with self.subTest(name):
                    document = load(CONF / file)
                    change(place, value)(document)
                    (conf / file).write_text(json.dumps(document))
                    found = self.run_it("check", "-c", str(conf / SETTINGS))
                    self.assertEqual(found.returncode, 1, found.stdout)
                    shutil.copy(CONF / file, conf / file)


if __name__ == "__main__":
    unittest.main()
