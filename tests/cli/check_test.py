"""`riposte check` over the shipped rules: their tests say what is called and what takes it back.

usage: check_test.py RIPOSTE
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONF = ROOT / "conf"
RIPOSTE = sys.argv.pop(1) if len(sys.argv) > 1 else str(ROOT / "build" / "release" / "riposte")
RULE = "rules/termination-protection-disabled.json"
RIGHT = ["ec2:ModifyInstanceAttribute", "iam:DeleteUserPolicy"]

WRONG = (
    ("another call", ["ec2:ModifyInstanceAttribute", "iam:DetachUserPolicy"]),
    ("the order of the calls", RIGHT[::-1]),
    ("one is missing", RIGHT[:1]),
    ("one too many", [*RIGHT, "iam:DeleteRolePolicy"]),
    ("none", []),
)


def load(path):
    """The JSON of a file with comments."""
    token = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.S)
    return json.loads(token.sub(lambda found: found.group(1) or " ", path.read_text()))


def check(conf):
    return subprocess.run([RIPOSTE, "check", "-c", str(conf / "riposte.json")],
                          capture_output=True, text=True, timeout=60)


class Check(unittest.TestCase):
    def test_what_is_shipped_passes(self):
        checked = check(CONF)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_whatever_is_called_is_taken_back(self):
        """No shipped rule does what can't be undone, and each of their tests says how."""
        for path in sorted(CONF.glob("rules/*.json")):
            for test in load(path).get("tests", ()):
                expect = test["expect"]
                with self.subTest(f"{path.name}: {test['name']}"):
                    self.assertEqual(len(expect.get("inverses", ())), len(expect.get("calls", ())))

    def test_a_wrong_inverse_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            conf = pathlib.Path(folder) / "conf"
            shutil.copytree(CONF, conf)
            for name, inverses in WRONG:
                with self.subTest(name):
                    rule = load(CONF / RULE)
                    test = next(one for one in rule["tests"]
                                if one["expect"].get("inverses") == RIGHT)
                    test["expect"]["inverses"] = inverses
                    (conf / RULE).write_text(json.dumps(rule))
                    checked = check(conf)
                    self.assertEqual(checked.returncode, 1, checked.stdout)
                    self.assertIn(f"test \"{test['name']}\": expected inverses "
                                  f"[{', '.join(inverses)}], got [{', '.join(RIGHT)}]",
                                  checked.stdout + checked.stderr)


if __name__ == "__main__":
    unittest.main()
