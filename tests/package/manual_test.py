#!/usr/bin/env python3
"""The manual: no complaints of mandoc and groff, and nothing left out of what its sources say.

usage: manual_test.py RIPOSTE MANUAL-FOLDER
"""
import os
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RIPOSTE, MANUAL = sys.argv[1], pathlib.Path(sys.argv[2])
PAGES = ("riposte.1", "riposte.json.5", "riposte-rules.5")


def run(*command):
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "200"}
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, env=environment)


def shown(page):
    return re.sub(r"\s+", " ", run("man", "-l", "-E", "UTF-8", MANUAL / page).stdout)


def plain(text):
    return re.sub(r"\s+", " ", text.strip())


class Manual(unittest.TestCase):
    maxDiff = None

    def test_mandoc_finds_nothing(self):
        for page in PAGES:
            found = run("mandoc", "-T", "lint", "-W", "style", MANUAL / page).stdout.splitlines()
            if page == "riposte-rules.5":  # code keeps its lines
                found = [line for line in found if "longer than 80 bytes" not in line]
            self.assertEqual(found, [])

    def test_man_warns_of_nothing(self):
        for page in PAGES:
            result = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", MANUAL / page)
            self.assertEqual((result.returncode, result.stderr), (0, ""), page)

    def test_every_command_is_told_as_help_tells_it(self):
        page = shown("riposte.1")
        names = re.findall(r"^  ([a-z]+) +\S", run(RIPOSTE, "help").stdout, re.M)
        self.assertGreater(len(names), 15)
        for name in names:
            usage, *more = run(RIPOSTE, "help", name).stdout.split("\n\n", 2)
            arguments = plain(usage.removeprefix(f"usage: riposte {name}"))
            for part in (f"riposte {name} {arguments}".strip(), *more):
                self.assertIn(plain(part), page)

    def test_every_setting_is_told(self):
        page = shown("riposte.json.5")
        table = run(RIPOSTE, "help", "settings").stdout
        entries = re.findall(r"^(\S+) (\(.*\))\n    (.*)\n    default (.*?)(?:; variable (\w+))?$", table, re.M)
        self.assertGreater(len(entries), 30)
        for name, kind, means, fallback, variable in entries:
            variable = f" Variable: {variable}" if variable else ""
            self.assertIn(plain(f"{name} {kind} {means} Default: {fallback}{variable}"), page)

    def test_the_rules_page_holds_all_that_is_written_of_rules(self):
        page = re.sub(r"\W+", " ", shown("riposte-rules.5")).lower()
        source = (ROOT / "docs/RULES.md").read_text().partition("\n")[2]
        heads = re.compile(r"^\|.*\|\n\|[-|]+\|$", re.M)  # of tables
        lines = heads.sub("", source).splitlines()
        self.assertGreater(len(lines), 150)
        for line in lines:
            cells = line.strip("|").split("|") if line.startswith("| ") else [line.removeprefix("```jsonc")]
            for cell in cells:
                words = re.sub(r"\W+", " ", cell).strip().lower()
                self.assertIn(words, page, line)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
