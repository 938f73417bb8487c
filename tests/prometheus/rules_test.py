"""Alert rules, dashboard and handbooks, without a server: promtool accepts and tests the rules, every alert has its section,
every metric that is asked for exists."""
import pathlib
import re
import subprocess
import tempfile
import unittest

import observing
from observing import ROOT, RULES

HANDBOOK = ROOT / "docs" / "operations.md"


def promtool(*arguments):
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


class Rules(unittest.TestCase):
    def assert_promtool(self, *arguments):
        done = promtool(*arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_promtool_accepts_and_tests_them(self):
        self.assertIn(f"{len(observing.rules())} rules found", self.assert_promtool("check", "rules", RULES))
        self.assertIn("SUCCESS", self.assert_promtool("test", "rules", ROOT / "tests/prometheus/rules.test.yml"))

    def test_each_is_tested_to_fire_and_not_to(self):
        text = (ROOT / "tests/prometheus/rules.test.yml").read_text()
        for name, _ in observing.rules():
            with self.subTest(name):
                self.assertRegex(text, rf"(?m)^        alertname: {name}$")
                self.assertIn(f"alertname: {name}, exp_alerts: []", text)

    def test_each_has_its_section_in_the_handbook(self):
        sections = re.findall(r"(?m)^### (Riposte\w+)\n\n(\S.*)$", HANDBOOK.read_text())
        self.assertEqual([name for name, _ in sections], [name for name, _ in observing.rules()])

    def test_the_metrics_exist(self):
        there = observing.declared()
        self.assertIn("riposte_reaction_seconds_bucket", there)
        for name, expression in observing.rules() + observing.queries():
            with self.subTest(name):
                asked = observing.metrics_of(expression)
                self.assertTrue(asked, expression)
                self.assertEqual(asked - there, set())

    def test_the_handbook_lists_every_metric(self):
        text = HANDBOOK.read_text()
        for name in observing.declared():
            if name.startswith("riposte_") and not name.endswith(observing.SUFFIXES):
                with self.subTest(name):
                    self.assertTrue(f"`{name}" in text, f"no row for {name}")


class Notifications(unittest.TestCase):
    def test_each_playbook_has_its_row_with_what_must_be_set(self):
        rows = dict(re.findall(r"(?m)^\| `(notify[a-z-]*)` \| (.*) \|$", (ROOT / "docs/notifications.md").read_text()))
        playbooks = sorted((ROOT / "conf" / "playbooks").glob("notify*.json"))
        self.assertEqual(set(rows), {path.stem for path in playbooks})
        for path in playbooks:
            for name in re.findall(r'"(?:env:|\$\{vars\.)(\w+)', path.read_text()):
                self.assertIn(name, rows[path.stem])


class Dashboard(unittest.TestCase):
    def setUp(self):
        self.dashboard = observing.dashboard()

    def test_it_has_what_grafana_wants(self):
        for member in ("uid", "title", "schemaVersion", "panels", "templating", "time"):
            self.assertIn(member, self.dashboard)
        self.assertNotIn("id", self.dashboard)  # of one Grafana only
        identifiers = [panel["id"] for panel in self.dashboard["panels"]]
        self.assertEqual(len(identifiers), len(set(identifiers)))
        for panel in self.dashboard["panels"]:
            with self.subTest(panel["title"]):
                self.assertIn(panel["type"], ("row", "stat", "timeseries"))
                if panel["type"] == "row":
                    continue
                self.assertEqual(panel["datasource"], {"type": "prometheus", "uid": "${datasource}"})
                letters = [target["refId"] for target in panel["targets"]]
                self.assertEqual(letters, [chr(ord("A") + number) for number in range(len(letters))])

    def test_panels_stand_beside_each_other(self):
        taken = set()
        for panel in self.dashboard["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertEqual(cells & taken, set(), panel["title"])
            taken |= cells

    def test_its_queries_parse(self):
        lines = ["groups:", "- name: all", "  rules:"]
        for number, (_, expression) in enumerate(observing.queries()):
            lines += [f"  - record: query:{number}", "    expr: |", f"      {expression}"]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "queries.yml"
            path.write_text("\n".join(lines) + "\n")
            done = promtool("check", "rules", path)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
