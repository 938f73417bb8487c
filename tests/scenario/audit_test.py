"""The audit chain: verified while the server runs and from its file, and whatever is changed in it is found, at its place."""
import contextlib
import json
import pathlib
import random
import re
import shutil
import sqlite3
import tempfile
import unittest

import harness
from harness import Riposte

SEED = 20160114
ROUNDS = 200


class Audit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="riposte-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.server = Riposte(cls.folder).start()
        cls.addClassCleanup(cls.server.kill)
        for _ in range(12):
            status, _ = cls.server.post(harness.fresh(harness.sample("terraform-no-mfa.json")))
            assert status == 202, status
        harness.wait_for("the incidents to be decided", lambda: all(
            one["state"] in ("observed", "joined", "held")
            for one in cls.server.admin("/v1/incidents")[1]["incidents"]), 20)
        cls.online = cls.run_audit("verify")
        cls.export = cls.run_audit("export").stdout
        cls.busy = cls.run_audit("verify", "--journal", cls.folder / "journal.db")
        assert cls.server.stop() == 0
        cls.journal = cls.folder / "journal.db"
        cls.offline = cls.run_audit("verify", "--journal", cls.journal)

    @classmethod
    def run_audit(cls, *arguments):
        return cls.server.cli("audit", *map(str, arguments), "-c", str(cls.server.settings_path))

    def setUp(self):
        self.copy = self.folder / "copy.db"
        shutil.copy(self.journal, self.copy)

    def tamper(self, *statements):
        with contextlib.closing(sqlite3.connect(self.copy)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    def verify(self, *arguments):
        return self.run_audit("verify", "--journal", self.copy, *arguments)

    def lines(self):
        with contextlib.closing(sqlite3.connect(self.copy)) as connection:
            return connection.execute("SELECT sequence, time, event, incident, actor, text, hash"
                                      " FROM audit ORDER BY sequence").fetchall()

    def test_it_is_intact_with_and_without_the_server(self):
        for verified in (self.online, self.offline):
            self.assertEqual(verified.returncode, 0, verified.stderr)
            self.assertRegex(verified.stdout, r"^intact, \d+ lines; anchor \d+:[0-9a-f]{64}\n$")
        self.assertEqual(self.busy.returncode, 2)
        self.assertIn("another server holds", self.busy.stderr)

    def test_the_export_is_what_the_chain_holds(self):
        exported = [json.loads(line) for line in self.export.splitlines()]
        kept = self.lines()[:len(exported)]
        self.assertGreater(len(exported), 24)
        self.assertEqual([(one["sequence"], one["unix_ms"], one["event"], one["text"], one["hash"])
                          for one in exported],
                         [(line[0], line[1], line[2], line[5], line[6].hex()) for line in kept])

    def test_whatever_is_changed_is_found_at_its_place(self):
        chance = random.Random(SEED)
        last = self.lines()[-1][0]
        columns = ("time = time + 1", "event = event || 'x'", "incident = 'x'", "actor = actor || 'x'",
                   "text = text || ' '", "hash = randomblob(32)")
        for number in range(ROUNDS):
            shutil.copy(self.journal, self.copy)
            place = chance.randint(1, last - 1)
            kind = chance.choice(("column", "gap", "swap", "renumber"))
            if kind == "column":
                change = chance.choice(columns)
                self.tamper(f"UPDATE audit SET {change} WHERE sequence = {place}")
            elif kind == "gap":
                change = "deleted"
                self.tamper(f"DELETE FROM audit WHERE sequence = {place}")
            elif kind == "swap":
                change = "swapped with the next"
                self.tamper(f"UPDATE audit SET sequence = -1 WHERE sequence = {place}",
                            f"UPDATE audit SET sequence = {place} WHERE sequence = {place + 1}",
                            f"UPDATE audit SET sequence = {place + 1} WHERE sequence = -1")
            else:
                change = "cut out"
                self.tamper(f"DELETE FROM audit WHERE sequence = {place}",
                            f"UPDATE audit SET sequence = -sequence WHERE sequence > {place}",
                            "UPDATE audit SET sequence = -sequence - 1 WHERE sequence < 0")
            found = self.verify()
            with self.subTest(round=number, change=change, line=place):
                self.assertEqual(found.returncode, 1, found.stdout)
                self.assertIn(f"line {place} ", found.stderr)

    def test_a_cut_or_rewritten_end_is_found_by_the_anchor(self):
        anchor = re.search(r"anchor (\S+)", self.offline.stdout).group(1)
        self.assertEqual(self.verify("--anchor", anchor).returncode, 0)
        self.assertEqual(self.verify("--anchor", re.search(
            r"anchor (\S+)", self.online.stdout).group(1)).returncode, 0, "one noted earlier")
        last = self.lines()[-1][0]
        self.tamper(f"DELETE FROM audit WHERE sequence > {last - 3}")
        self.assertEqual(self.verify().returncode, 0, "what is left is a chain")
        found = self.verify("--anchor", anchor)
        self.assertEqual(found.returncode, 1)
        self.assertIn(f"it ends at line {last - 3}, the anchor is line {last}", found.stderr)
        changed = anchor[:-1] + ("0" if anchor[-1] != "0" else "1")
        shutil.copy(self.journal, self.copy)
        found = self.verify("--anchor", changed)
        self.assertEqual(found.returncode, 1)
        self.assertIn(f"line {last} is not the anchor's", found.stderr)

    def test_what_is_wrong_is_told(self):
        for arguments, words in ((("verify", "--anchor", "7"), "SEQUENCE:HASH"),
                                 (("verify", "--journal", "/nonexistent/j.db"), "/nonexistent/j.db"),
                                 ((), "verify, export"), (("check",), "verify, export")):
            with self.subTest(arguments):
                found = self.run_audit(*arguments, *(("--journal", self.copy) if "7" in arguments
                                                     else ()))
                self.assertEqual(found.returncode, 2)
                self.assertIn(words, found.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
