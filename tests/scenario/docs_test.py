"""The users' pages: sessions are typed as they stand, rules and playbooks are checked, settings are read, links lead
somewhere, and the reference is what the program says of itself.

In a page's ```json blocks an object with "steps" is a playbook, one with "pattern" a rule, any other one settings.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import harness
import readme_test

sys.path.insert(0, str(harness.ROOT / "docs"))
import generate  # noqa: E402

DOCS = harness.ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
TYPED = ("tutorial.md", "audit.md")
# The developers' pages show parts of files, and are read with the code beside them.
DEVELOPERS = {"DESIGN.md", "FACTS.md", "PATTERNS.md", "RULES.md", "STYLE.md"}


def blocks(page, kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(), re.M | re.S)


class Typed(readme_test.Typed):
    """Those of the README are its own test's."""
    test_first_session = test_restore = None

    def test_the_tutorial(self):
        self.follow(readme_test.session("docs/tutorial.md"))

    def test_what_an_auditor_is_shown(self):
        self.follow(readme_test.session("docs/audit.md"))


class Snippets(unittest.TestCase):
    def folder(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="riposte-docs-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        for name in ("events", "playbooks"):
            shutil.copytree(harness.ROOT / "conf" / name, folder / name)
        (folder / "rules").mkdir()
        return folder

    def check(self, folder, settings):
        (folder / "riposte.json").write_text(json.dumps(
            {"rules": "rules", "playbooks": "playbooks", "guard": {"protected": ["AIDAEXAMPLE"]}, **settings}))
        return subprocess.run([harness.BINARY, "check", "-c", str(folder / "riposte.json")], text=True, capture_output=True,
                              timeout=60, env={"PATH": "/usr/bin:/bin"})

    def test_every_rule_playbook_and_setting_is_good(self):
        pages = [page for page in PAGES if page.name not in DEVELOPERS and blocks(page, "json")]
        self.assertIn(DOCS / "cookbook.md", pages)
        for page in pages:
            folder, settings, rules = self.folder(), [{}], 0
            for text in blocks(page, "json"):
                found = json.loads(text)
                kind = "playbooks" if "steps" in found else "rules" if "pattern" in found else None
                rules += kind == "rules"
                if kind:
                    (folder / kind / f"{found['name']}.json").write_text(text)
                else:
                    settings.append(found)
            for one in settings:
                with self.subTest(page.name, settings=one):
                    checked = self.check(folder, one)
                    self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
                    self.assertIn(f"rules: {rules}, ", checked.stdout)
                    if rules:  # that there is none is worth a warning
                        self.assertIn("errors: 0, warnings: 0", checked.stdout)

    def test_the_cookbook_tests_each_rule_both_ways(self):
        rules = [json.loads(text) for text in blocks(DOCS / "cookbook.md", "json")]
        rules = [rule for rule in rules if "pattern" in rule]
        self.assertGreaterEqual(len(rules), 12)
        for rule in rules:
            with self.subTest(rule["name"]):
                self.assertEqual({test["expect"]["match"] for test in rule["tests"]}, {True, False}
                                 if "confirm" not in rule else {True})

    def test_every_session_is_typed_by_some_test(self):
        typed = set(TYPED) | {"deploy.md"}
        self.assertEqual([page.name for page in PAGES if page.name not in DEVELOPERS and blocks(page, "console")
                          and page.name not in typed], [])


class Links(unittest.TestCase):
    def anchors(self, page):
        titles = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S), re.M)
        return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}

    def test_they_lead_somewhere(self):
        count = 0
        for page in [*PAGES, *sorted((DOCS / "reference").glob("*.md")), harness.ROOT / "README.md"]:
            text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
            for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", text)):
                if re.match(r"\w+:", target):
                    continue
                with self.subTest(page.name, target=target):
                    name, _, anchor = target.partition("#")
                    place = page.parent / name if name else page
                    count += 1
                    self.assertTrue(place.exists(), f"{page.name}: there is no {target}")
                    if anchor and place.suffix == ".md":
                        self.assertIn(anchor, self.anchors(place))
        self.assertGreater(count, 60)

    def test_every_page_is_in_the_index(self):
        index = (DOCS / "README.md").read_text()
        self.assertEqual([page.name for page in PAGES if page.name != "README.md" and f"({page.name})" not in index], [])


class Architecture(unittest.TestCase):
    """The page names each thread and table that there is, and no other."""

    def named(self, heading):
        part = (DOCS / "architecture.md").read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
        return set(re.findall(r"^\| `(\w+)` \|", part, re.M))

    def sources(self, folder="server"):
        return "\n".join(path.read_text() for path in (harness.ROOT / folder).rglob("*.c"))

    def test_tables(self):
        schema = (harness.ROOT / "server" / "journal" / "sqlite_schema.c").read_text()
        self.assertEqual(self.named("The journal"), set(re.findall(r"CREATE TABLE (\w+)", schema)))

    def test_threads(self):
        self.assertEqual(self.named("Threads"), set(re.findall(r'thread_start\([^;]*?"(\w+)"', self.sources())))


class Reference(unittest.TestCase):
    def test_it_is_what_the_program_says(self):
        for name, text in generate.pages(harness.BINARY).items():
            with self.subTest(name):
                self.assertEqual((DOCS / "reference" / name).read_text(), text,
                                 "run: python3 docs/generate.py build/release/riposte")

    def test_it_covers_every_setting_command_and_request(self):
        settings = (DOCS / "reference" / "settings.md").read_text()
        for key in re.findall(r"^(\S+) \(", subprocess.run([harness.BINARY, "help", "settings"], text=True,
                                                           capture_output=True, check=True).stdout, re.M):
            self.assertIn(f"| `{key}` |", settings)
        metrics = (DOCS / "reference" / "metrics.md").read_text()
        sys.path.insert(0, str(harness.ROOT / "tests" / "prometheus"))
        import observing
        for name in observing.declared() - {"up"}:
            if not name.endswith(observing.SUFFIXES):
                self.assertIn(f"| `{name}` |", metrics)


if __name__ == "__main__":
    unittest.main(verbosity=2)
