"""The store itself: checked and copied while the server runs, damaged, set aside, begun anew; a lock that is let go late."""
import contextlib
import json
import pathlib
import re
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest

import harness
from harness import Riposte

PAGE = 4096


class Journal(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="riposte-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.file = self.folder / "journal.db"
        self.server = self.riposte()

    def riposte(self, **settings):
        server = Riposte(self.folder, settings={"drain": "0s", **settings})
        self.addCleanup(server.kill)
        return server

    def post(self, count):
        for _ in range(count):
            status, answer = self.server.post(
                harness.fresh(harness.sample("terraform-no-mfa.json")))
            self.assertEqual(status, 202, answer)

    def settled(self):
        harness.wait_for("the incidents to be decided", lambda: all(
            one["state"] in ("observed", "joined", "held")
            for one in self.server.admin("/v1/incidents")[1]["incidents"]), 20)

    def cli(self, *arguments):
        return self.server.cli(*map(str, arguments), "-c", str(self.server.settings_path))

    def fill(self, events):
        self.server.start()
        self.post(events)
        self.settled()

    def pages_of(self, table):
        """The leaf pages of a table, in its order, while no server holds the file."""
        with contextlib.closing(sqlite3.connect(self.file)) as connection:
            root, = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?",
                                       (table,)).fetchone()
        return self.leaves(self.file.read_bytes(), root)

    def leaves(self, data, page):
        """SQLite's file format, 1.6: an interior page has a right-most child and a cell for each of the others."""
        start = (page - 1) * PAGE
        header = start + (100 if page == 1 else 0)
        kind = data[header]
        if kind not in (0x02, 0x05):
            return [page]
        cells = int.from_bytes(data[header + 3:header + 5], "big")
        places = [start + int.from_bytes(data[at:at + 2], "big")
                  for at in range(header + 12, header + 12 + 2 * cells, 2)]
        children = [int.from_bytes(data[at:at + 4], "big") for at in places + [header + 8]]
        return [leaf for child in children for leaf in self.leaves(data, child)]

    def damage(self, pages):
        with open(self.file, "r+b") as file:
            for page in pages:
                file.seek((page - 1) * PAGE)
                file.write(b"\xa5" * PAGE)

    # ---- check and backup

    def test_a_running_journal_is_checked_and_copied(self):
        self.fill(20)
        checked = self.cli("journal", "check")
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertRegex(checked.stdout, r"^the journal is intact: 20 events, 20 incidents, ")
        copy = self.folder / "copy.db"
        made = self.cli("journal", "backup", copy)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(copy.stat().st_mode & 0o777, 0o600)
        self.assertEqual(list(self.folder.glob("journal.db.backup-*")), [], "nothing is left behind")
        self.assertEqual(self.cli("journal", "check", copy).returncode, 0)
        verified = self.cli("audit", "verify", "--journal", copy)
        self.assertEqual(verified.returncode, 0, verified.stderr)
        again = self.cli("journal", "backup", copy)
        self.assertEqual(again.returncode, 2)
        self.assertIn("there already", again.stderr)
        busy = self.cli("journal", "check", self.file)
        self.assertEqual(busy.returncode, 2)
        self.assertIn("a server holds", busy.stderr)

    def test_a_copy_takes_the_place_of_a_lost_journal(self):
        self.fill(5)
        copy = self.folder / "copy.db"
        self.assertEqual(self.cli("journal", "backup", copy).returncode, 0)
        ids = {one["id"] for one in self.server.admin("/v1/incidents")[1]["incidents"]}
        self.server.kill()
        for path in self.folder.glob("journal.db*"):
            path.unlink()
        copy.rename(self.file)
        self.server.start()
        self.assertEqual(
            {one["id"] for one in self.server.admin("/v1/incidents")[1]["incidents"]}, ids)
        self.post(1)

    def test_copies_are_whole_whatever_is_written_meanwhile(self):
        self.fill(50)
        stop = threading.Event()
        failed = []

        def post():
            while not stop.is_set():
                status, answer = self.server.post(
                    [harness.fresh(harness.sample("terraform-no-mfa.json")) for _ in range(20)])
                if status != 202:
                    failed.append((status, answer))
        poster = threading.Thread(target=post)
        poster.start()
        for number in range(5):
            copy = self.folder / f"copy-{number}.db"
            made = self.cli("journal", "backup", copy)
            self.assertEqual(made.returncode, 0, made.stderr)
            checked = self.cli("journal", "check", copy)
            self.assertEqual(checked.returncode, 0, checked.stderr)
        stop.set()
        poster.join()
        self.assertEqual(failed, [])

    def test_without_a_server_the_file_is_checked_and_copied(self):
        self.fill(3)
        self.assertEqual(self.server.stop(), 0)
        before = self.file.read_bytes()
        checked = self.cli("journal", "check")
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertRegex(checked.stdout, r"^\S+journal.db is intact: 3 events")
        self.assertEqual(self.file.read_bytes(), before)
        self.assertFalse((self.folder / "journal.db-wal").exists())
        made = self.cli("journal", "backup", self.folder / "copy.db", "--journal", self.file)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(self.cli("journal", "check", self.folder / "copy.db").returncode, 0)

    def test_what_is_broken_between_rows_is_found(self):
        self.fill(3)
        self.assertEqual(self.server.stop(), 0)
        for change, words in (
                ("DELETE FROM event WHERE id = 1", "an incident without its event"),
                ("DELETE FROM definition", "without its rule's definition"),
                ("UPDATE event SET incidents = 7 WHERE id = 1", "counts other incidents"),
                ("UPDATE incident SET state = 5", "nobody goes on with"),
                ("UPDATE incident SET state = 0", "nobody looks at"),
                ("INSERT INTO effect VALUES (1, 't', 'n', 'a', 1, 2, 0, 1, '', '', '', '')",
                 "counts other owners"),
                ("DELETE FROM audit WHERE sequence = 2", "line 2 is missing"),
                ("UPDATE audit SET text = '{}' WHERE sequence = 2", "line 2 is not what was written"),
                ("DROP INDEX incident_open; DROP TABLE owner", "can't be checked")):
            with self.subTest(change):
                copy = self.folder / "broken.db"
                shutil.copy(self.file, copy)
                with sqlite3.connect(copy) as connection:
                    connection.executescript(change)
                connection.close()
                checked = self.cli("journal", "check", copy)
                self.assertEqual(checked.returncode, 1, checked.stdout)
                self.assertIn(words, checked.stderr)

    # ---- a lock that is let go late

    def hold(self):
        """As a server that is gone would, on a file system that hasn't noticed."""
        self.fill(1)
        self.assertEqual(self.server.stop(), 0)
        self.server.log_path.unlink()
        holder = sqlite3.connect(self.file)
        self.addCleanup(holder.close)
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        return holder

    def asked(self, method, path, body=None):
        try:
            return self.server.request(method, path, body, {"X-Api-Key": harness.SECRET})[0]
        except OSError:
            return None

    def test_a_lock_that_is_let_go_late_is_waited_for(self):
        holder = self.hold()
        self.server.start(wait=False)
        harness.wait_for("an answer", lambda: self.asked("GET", "/readyz") == 503, 10)
        self.assertEqual(self.asked("GET", "/healthz"), 200)
        event = json.dumps(harness.fresh(harness.sample("terraform-no-mfa.json")))
        status, headers, _ = self.server.request("POST", "/events", event,
                                                 {"X-Api-Key": harness.SECRET})
        self.assertEqual(status, 503)
        self.assertIn("Retry-After", headers)
        time.sleep(0.5)
        self.assertIsNone(self.server.process.poll())
        holder.close()
        harness.wait_for("readiness", lambda: self.asked("GET", "/readyz") == 200, 10)
        self.assertEqual(self.asked("POST", "/events", event), 202)
        self.assertIn("waits up to 3m", self.server.log())

    def test_a_lock_that_is_not_let_go_ends_the_start(self):
        self.hold()
        self.server.start(wait=False, RIPOSTE_JOURNAL_WAIT="1s")
        began = time.monotonic()
        self.assertEqual(self.server.process.wait(10), 1)
        self.assertGreater(time.monotonic() - began, 0.9)
        self.assertIn("waited 1s in vain", self.server.log())
        self.assertIn("another server holds", self.server.log())

    def test_waiting_ends_when_told(self):
        self.hold()
        self.server.start(wait=False)
        harness.wait_for("an answer", lambda: self.asked("GET", "/readyz") == 503, 10)
        self.server.process.terminate()
        self.assertEqual(self.server.process.wait(5), 1)

    def test_a_second_server_on_this_host_is_refused_at_once(self):
        self.server.start()
        second = subprocess.run([harness.BINARY, "serve", "-c", str(self.server.settings_path)],
                                env=self.server.environment, text=True, capture_output=True,
                                timeout=10)
        self.assertEqual(second.returncode, 1)
        self.assertIn("another server holds", second.stderr)

    # ---- damage

    def start_refused(self):
        ended = subprocess.run([harness.BINARY, "serve", "-c", str(self.server.settings_path)],
                               env=self.server.environment, text=True, capture_output=True,
                               timeout=30)
        self.assertEqual(ended.returncode, 1)
        return ended.stderr

    def renewed(self, lines):
        """Renews; the server starts, its chain names the old one's end."""
        shown = self.cli("journal", "renew")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("with --yes it becomes", shown.stdout)
        self.assertEqual(list(self.folder.glob("*.damaged-*")), [], "nothing was done yet")
        done = self.cli("journal", "renew", "--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        chain, = self.folder.glob("journal.db.damaged-*.audit.jsonl")
        read = [json.loads(line) for line in chain.read_text().splitlines()]
        self.assertIn(f"{len(read)} lines can be read", done.stdout)
        self.assertTrue(lines(len(read)), len(read))
        self.server.start()
        first = self.server.admin("/v1/audit")[1]["lines"][0]
        self.assertEqual((first["sequence"], first["event"]), (1, "renewed"))
        said = json.loads(first["text"]) if isinstance(first["text"], str) else first["text"]
        self.assertEqual(said["lines"], len(read))
        if read:
            self.assertEqual((said["sequence"], said["hash"]),
                             (read[-1]["sequence"], read[-1]["hash"]))
        self.assertTrue(pathlib.Path(said["aside"]).exists())
        self.post(1)
        self.assertEqual(self.cli("audit", "verify").returncode, 0)
        return chain, read, said

    def test_a_damaged_table_is_set_aside_with_the_whole_chain(self):
        self.fill(10)
        anchor = re.search(r"anchor (\S+)", self.cli("audit", "verify").stdout).group(1)
        self.assertEqual(self.server.stop(), 0)
        self.damage(self.pages_of("incident"))
        said = self.start_refused()
        self.assertIn("is damaged", said)
        self.assertIn("riposte journal renew", said)
        self.assertEqual(self.cli("journal", "check").returncode, 1)
        chain, _, said = self.renewed(lambda count: count > 20)
        self.assertTrue(said["intact"])
        verified = self.cli("audit", "verify", "--lines", chain, "--anchor", anchor)
        self.assertEqual(verified.returncode, 0, verified.stderr)

    def test_of_a_damaged_chain_what_can_be_read_is_kept(self):
        self.fill(150)
        self.assertEqual(self.server.stop(), 0)
        with sqlite3.connect(self.file) as connection:
            whole, = connection.execute("SELECT count(*) FROM audit").fetchone()
        connection.close()
        pages = self.pages_of("audit")
        self.assertGreater(len(pages), 5)
        self.damage([pages[len(pages) // 2]])
        _, read, said = self.renewed(lambda count: whole - 60 < count < whole)
        self.assertFalse(said["intact"])
        self.assertEqual(read[-1]["sequence"], whole, "the lines behind the gap, too")

    def test_a_file_that_is_no_database_any_more(self):
        self.fill(2)
        self.assertEqual(self.server.stop(), 0)
        with open(self.file, "r+b") as file:
            file.write(b"\0" * 100)
        self.assertIn("riposte journal renew", self.start_refused())
        self.renewed(lambda count: count == 0)

    def test_a_torn_file(self):
        self.fill(60)
        self.assertEqual(self.server.stop(), 0)
        with open(self.file, "r+b") as file:
            file.truncate(self.file.stat().st_size // 2 // PAGE * PAGE + 100)
        self.assertIn("riposte journal renew", self.start_refused())
        self.renewed(lambda count: True)

    def test_an_intact_or_held_journal_is_left_alone(self):
        self.fill(1)
        held = self.cli("journal", "renew", "--yes")
        self.assertEqual(held.returncode, 1)
        self.assertIn("a server holds", held.stderr)
        self.assertEqual(self.server.stop(), 0)
        intact = self.cli("journal", "renew", "--yes")
        self.assertEqual(intact.returncode, 1)
        self.assertIn("is intact", intact.stderr)
        with sqlite3.connect(self.file) as connection:
            connection.execute("PRAGMA application_id = 7")
        connection.close()
        other = self.cli("journal", "renew", "--yes")
        self.assertEqual(other.returncode, 1)
        self.assertIn("no journal of Riposte", other.stderr)

    def test_damage_that_is_met_while_it_runs_ends_readiness(self):
        self.server.start()
        for _ in range(10):  # more than is looked at when it starts
            events = [harness.fresh(harness.sample("terraform-no-mfa.json")) for _ in range(9)]
            for event in events:
                event["detail"]["padding"] = "x" * 200_000
            self.assertEqual(self.server.post(events)[0], 202)
        self.settled()
        first = self.server.admin("/v1/incidents?limit=500")[1]["incidents"][-1]["id"]
        self.assertEqual(self.server.stop(), 0)
        pages = self.pages_of("event")
        self.server.start()
        self.damage(pages)
        self.assertEqual(self.server.admin(f"/v1/incidents/{first}")[0], 503)
        harness.wait_for("503", lambda: self.server.post(
            harness.fresh(harness.sample("terraform-no-mfa.json")))[0] == 503, 5)
        status, _, _ = self.server.request("GET", "/readyz")
        self.assertEqual(status, 503)
        time.sleep(1.2)  # it doesn't come back by itself
        self.assertEqual(self.server.request("GET", "/readyz")[0], 503)
        told = [line for line in self.server.log_lines() if line.get("component") == "journal"
                and "journal renew" in line.get("message", "")]
        self.assertEqual(len(told), 1, "told once")
        self.assertIn("riposte_journal_damaged 1", self.metrics())
        self.server.kill()
        self.assertIn("riposte journal renew", self.start_refused())
        self.renewed(lambda count: count > 40)

    def metrics(self):
        _, _, text = self.server.request("GET", "/metrics", None,
                                         {"Authorization": f"Bearer {harness.TOKEN}"},
                                         self.server.admin_port)
        return text.decode()


if __name__ == "__main__":
    unittest.main(verbosity=2)
