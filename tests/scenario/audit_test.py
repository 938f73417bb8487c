"""The audit chain: verified while the server runs and from its file, and whatever is changed in it is found, at its place."""
import contextlib
import http.server
import json
import pathlib
import random
import re
import shutil
import sqlite3
import tempfile
import threading
import unittest

import harness
import ocsf
import tampering
from harness import Riposte

SEED = 20160114
ROUNDS = 15  # more of them: tests/bench/tamper.py, and unit.journal.chain


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

    def check_tampering(self, rounds, source):
        chance = random.Random(SEED)
        for number in range(rounds):
            shutil.copy(source, self.copy)
            change, place = tampering.tamper(self.copy, chance)
            found = self.verify()
            with self.subTest(round=number, change=change, line=place):
                self.assertEqual(found.returncode, 1, found.stdout)
                self.assertRegex(found.stderr, rf"broken: line {place} is (missing|not what was written)\n$")

    def test_whatever_is_changed_is_found_at_its_place(self):
        self.check_tampering(ROUNDS, self.journal)

    def test_whatever_is_changed_in_a_chain_that_was_cut_is_found_at_its_place(self):
        source = self.folder / "cut.db"
        shutil.copy(self.journal, source)
        tampering.cut(source, 6)
        shutil.copy(source, self.copy)
        found = self.verify()
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertIn("(6 before them were cut, as the chain says)", found.stdout)
        self.check_tampering(ROUNDS, source)
        shutil.copy(source, self.copy)
        last = self.lines()[-1][0]
        for change, words in ((f"DELETE FROM audit WHERE sequence = {last}", "line 1 is missing"),
                              ("DELETE FROM audit WHERE sequence < 10", "line 7 is missing")):
            shutil.copy(source, self.copy)
            self.tamper(change)
            found = self.verify()
            self.assertEqual(found.returncode, 1)
            self.assertIn(words, found.stderr)

    def serve(self, *pages):
        """A server's /v1/audit in so many pages, whatever is asked for; its URL."""
        left = list(pages) * 2  # it may be asked again

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                lines = left.pop(0) if left else []
                body = json.dumps({"lines": [dict(zip(("sequence", "unix_ms", "event", "incident", "actor", "text", "hash"),
                                                      (*line[:6], line[6].hex()))) for line in lines]}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"

    def test_lines_may_be_cut_while_a_server_is_asked(self):
        before = self.lines()
        tampering.cut(self.copy, 9)
        after = self.lines()
        for pages, code, words in (((before[:4], after, []), 0, "(9 before them were cut"),
                                   ((before[:4], after[1:], []), 1, "line 5 is missing"),
                                   ((before[:4], before[5:], []), 1, "line 5 is missing")):
            with self.subTest(words, first=pages[1][0][0]):
                found = self.run_audit("verify", "--url", self.serve(*pages))
                self.assertEqual(found.returncode, code, found.stdout + found.stderr)
                self.assertIn(words, found.stdout + found.stderr)

    def test_anchors_are_taken_from_a_file_too(self):
        noted = self.folder / "anchors"
        lines = self.lines()
        text = [f'{{"time":"12:59:01","message":"audit anchor {line[0]}:{line[6].hex()}"}}' for line in lines[3::5]]
        noted.write_text("\n".join(text) + "\n")
        found = self.verify("--anchor", noted)
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertIn(f", {len(text)} anchors hold;", found.stdout)
        tampering.cut(self.copy, 6)
        self.assertIn(f", {len(text) - 1} anchors hold (1 are of lines that were cut);", self.verify("--anchor", noted).stdout)
        self.tamper(f"DELETE FROM audit WHERE sequence >= {lines[-3][0]}",
                    f"DELETE FROM audit WHERE sequence = {lines[-1][0] + 1}")
        found = self.verify("--anchor", noted)
        self.assertEqual(found.returncode, 1)
        noted.write_text("nothing here")
        found = self.verify("--anchor", noted)
        self.assertEqual(found.returncode, 2)
        self.assertIn("no SEQUENCE:HASH in it", found.stderr)

    def test_the_export_for_a_siem_is_ocsf_and_keeps_the_chain(self):
        found = self.run_audit("export", "--format", "ocsf", "--journal", self.journal)
        self.assertEqual(found.returncode, 0, found.stderr)
        events = [json.loads(line) for line in found.stdout.splitlines()]
        lines = self.lines()
        self.assertEqual(len(events), len(lines))
        before = bytes(32)
        for event, line in zip(events, lines):
            with self.subTest(event["metadata"]["event_code"]):
                self.assertEqual(ocsf.faults(event), [])
                self.assertEqual(event["class_uid"], {"start": 6002, "stop": 6002}.get(line[2], 3004))
            before = tampering.line_hash(before, event["metadata"]["sequence"], event["time"],
                                         event["unmapped"]["event"], event["metadata"].get("correlation_uid", ""),
                                         line[4], event["unmapped"]["text"])
            self.assertEqual(event["unmapped"]["hash"], before.hex())
        self.assertEqual(events[0]["activity_id"], 3)
        self.assertEqual({event["activity_id"] for event in events if event["unmapped"]["event"] == "detected"}, {1})
        self.assertEqual(self.run_audit("export", "--format", "cef").returncode, 2)

    def test_calls_are_api_activity(self):
        """As a journal that enforced has them."""
        told = {"call": "contain-principal/deny-user", "service": "iam", "operation": "PutUserPolicy", "account": "123456789012",
                "region": "us-east-1", "effect_target": "123456789012/AIDAX", "effect_name": "deny-user"}
        cases = (("intent", {**told, "state": "intent"}, 3, 0), ("outcome", {**told, "state": "done"}, 3, 1),
                 ("outcome", {**told, "state": "failed", "error": "AccessDenied", "reason": "no"}, 3, 2),
                 ("outcome", {**told, "state": "skipped"}, 3, 99),
                 ("outcome", {**told, "operation": "GetUser", "state": "done"}, 2, 1),
                 ("shared", {**told, "state": "done"}, 3, 99), ("outcome", {**told, "operation": "DeleteUserPolicy"}, 4, 99),
                 ("outcome", {**told, "operation": "CreateTrail", "state": "done"}, 1, 1))
        exported = self.folder / "calls.jsonl"
        exported.write_text("".join(json.dumps({
            "sequence": number, "unix_ms": 1767323045000, "event": event, "incident": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "actor": "", "text": json.dumps(text), "hash": "0" * 64}) + "\n"
            for number, (event, text, _, _) in enumerate(cases, 1)))
        found = self.run_audit("export", "--format", "ocsf", "--lines", exported)
        self.assertEqual(found.returncode, 0, found.stderr)
        for line, (event, text, activity, status) in zip(found.stdout.splitlines(), cases, strict=True):
            with self.subTest(event=event, text=text):
                told = json.loads(line)
                self.assertEqual(ocsf.faults(told), [])
                self.assertEqual((told["type_uid"], told["status_id"]), (600300 + activity, status))
                self.assertEqual(told["api"]["operation"], text["operation"])
                self.assertEqual(told.get("status_code"), text.get("error"))
                self.assertEqual(told["cloud"]["account"]["uid"], "123456789012")

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
                                 (("export", "--format", "x", "--journal", "/nonexistent/j.db"), "lines or ocsf"),
                                 (("verify", "--journal", "/nonexistent/j.db"), "/nonexistent/j.db"),
                                 ((), "verify, export"), (("check",), "verify, export")):
            with self.subTest(arguments):
                found = self.run_audit(*arguments, *(("--journal", self.copy) if "7" in arguments
                                                     else ()))
                self.assertEqual(found.returncode, 2)
                self.assertIn(words, found.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
