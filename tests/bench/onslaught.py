"""Numbered events against a server that is being mistreated, and afterwards: was anything lost, or done twice?

What kills.py and faults.py have in common. Clients post as EventBridge does: again until the answer is 2xx. The AWS
stand-in records each write. Every event is by a user of its own, so each must end in a containment of its own.

An event is lost when it was answered 2xx and is not in the journal, or has no incident, or its user was never denied.
A double effect is: two incidents of one event; one effect (account, target, name) or one call (incident, key) journaled
twice; or a user who was denied with two different documents, which hold the incident's id. The same PutUserPolicy twice
with the same document is none: a call whose outcome was not yet journaled when the process died is made again, and IAM
has the same policy after it.
"""
import collections
import contextlib
import http.client
import json
import pathlib
import shutil
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "scenario"))
import harness  # noqa: E402

ENDED = ("done", "failed", "held", "released", "dismissed", "suppressed", "joined", "observed")
STATES = ("detected", "suppressed", "joined", "observed", "held", "responding", "done", "failed",
          "releasing", "released", "dismissed")
BODY = json.dumps(harness.sample("terraform-no-mfa.json"))


def event(number):
    made = json.loads(BODY)
    user = f"u{number:06d}"
    made["id"] = f"event-{number:06d}"
    made["account"] = harness.ACCOUNT
    made["time"] = made["detail"]["eventTime"] = harness.now()
    made["detail"]["eventID"] = f"event-{number:06d}"
    made["detail"]["userIdentity"].update(
        userName=user, principalId=f"AIDA{user}", accountId=harness.ACCOUNT,
        arn=f"arn:aws:iam::{harness.ACCOUNT}:user/{user}", accessKeyId=f"AKIA{user}")
    made["detail"]["requestParameters"]["instanceId"] = f"i-{number:06d}"
    return json.dumps(made).encode()


class Clients:
    """Some threads that post numbered events, each again until it is answered 2xx."""

    def __init__(self, port, threads, pause_s):
        self.port, self.pause_s = port, pause_s
        self.lock = threading.Lock()
        self.next_number = 0
        self.taken = set()
        self.repeats = 0
        self.refused = collections.Counter()
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def run(self):
        context = ssl._create_unverified_context()
        connection = None
        while not self.stopping.is_set():
            with self.lock:
                number = self.next_number
                self.next_number += 1
            body = event(number)
            while True:
                try:
                    connection = connection or http.client.HTTPSConnection(
                        "127.0.0.1", self.port, timeout=5, context=context)
                    connection.request("POST", "/events", body, {"X-Api-Key": harness.SECRET})
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status in (200, 202):
                        break
                    with self.lock:
                        self.refused[answer.status] += 1
                except (OSError, http.client.HTTPException):
                    if connection:
                        connection.close()
                    connection = None
                with self.lock:
                    self.repeats += 1
                time.sleep(0.02)
            with self.lock:
                self.taken.add(number)
            time.sleep(self.pause_s)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a client still waits for 2xx"


class Onslaught:
    """A server in enforce before a recording stand-in, in a folder of its own."""

    def __init__(self, build, folder=None, environment=None):
        build = pathlib.Path(build)
        harness.BINARY = str(build / "riposte")
        self.is_own = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="riposte-onslaught-"))
        self.record = self.folder / "record"
        self.standin = subprocess.Popen([build / "tests" / "standin", "0", self.record],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        port = int(self.standin.stdout.readline())
        self.server = harness.Riposte(
            self.folder, mode="enforce", aws=f"http://127.0.0.1:{port}",
            key={"AccessKeyId": "AKIAEXAMPLE", "SecretAccessKey": "example"},
            environment=environment, settings={
                "drain": "0s", "log_level": "error",
                "guard": {"limit": {"principals": 1000000, "resources": 1000000, "per": "1h"}}})

    def clients(self, threads=4, pause_s=0.03):
        return Clients(self.server.port, threads, pause_s)

    def is_ready(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.server.request("GET", "/readyz")[0] == 200
        return False

    def wait_ready(self, seconds=30):
        """Seconds that it took."""
        began = time.monotonic()
        try:
            harness.wait_for("the server to be ready", self.is_ready, seconds, 0.01)
        except AssertionError as error:
            process = self.server.process
            raise AssertionError(f"{error}: pid {process.pid}, ended: {process.poll()}, its log's end:\n"
                                 f"{self.server.log()[-4000:]}") from error
        return time.monotonic() - began

    def states(self):
        """How many incidents are under way, as the server says."""
        status, answer = self.server.admin("/v1/incidents?limit=500&state=detected,responding,releasing")
        return len(answer["incidents"]) if status == 200 else 1

    def settle(self, seconds=120):
        harness.wait_for("the incidents to end", lambda: self.states() == 0, seconds, 0.2)

    def verdict(self, taken):
        """Ends everything and counts: {name: number}; what must be 0 is in `wrong`."""
        assert self.server.stop() == 0
        check = self.server.cli("journal", "check", str(self.folder / "journal.db"))
        with contextlib.closing(sqlite3.connect(self.folder / "journal.db")) as database:
            rows = dict(database.execute("SELECT key, count(i.id) FROM event e LEFT JOIN incident i"
                                         " ON i.event = e.id GROUP BY e.id").fetchall())
            states = collections.Counter(
                {STATES[state]: count for state, count in database.execute(
                    "SELECT state, count(*) FROM incident GROUP BY state")})
            twice = sum(database.execute(f"SELECT count(*) FROM (SELECT 1 FROM {table} GROUP BY"
                                         f" {key} HAVING count(*) > 1)").fetchone()[0]
                        for table, key in (("effect", "account, target, name"),
                                           ("call", "incident, key"), ("event", "key")))
        denies = collections.defaultdict(collections.Counter)
        for line in self.record.read_text().splitlines():
            action, who, document = line.split()
            if action == "PutUserPolicy":
                denies[who][document] += 1
        keys = [f"event-{number:06d}" for number in taken]
        users = [f"u{number:06d}" for number in taken]
        lost = (sum(key not in rows for key in keys) +
                sum(rows.get(key) == 0 for key in keys) + sum(user not in denies for user in users))
        double = (twice + sum(count > 1 for count in rows.values()) +
                  sum(len(documents) > 1 for documents in denies.values()))
        self.numbers = {
            "events answered 2xx": len(taken), "incidents": sum(states.values()),
            "states": dict(states), "lost": lost,
            "incidents without an end": sum(states[one] for one in STATES if one not in ENDED),
            "double effects": double,
            "calls repeated, same document": sum(
                count - 1 for documents in denies.values() for count in documents.values()),
            "journal check": check.returncode}
        if check.returncode:
            print(check.stderr, file=sys.stderr)
        self.wrong = [name for name in ("lost", "incidents without an end", "double effects",
                                        "journal check") if self.numbers[name]]
        return self.numbers

    def stop(self):
        self.server.kill()
        self.standin.stdin.close()
        self.standin.wait(5)
        self.standin.stdout.close()
        if self.is_own and not getattr(self, "wrong", True):
            shutil.rmtree(self.folder)


def report(title, numbers, wrong):
    print(title)
    for name, value in numbers.items():
        print(f"  {name}: {value}")
    print("wrong: " + ", ".join(wrong) if wrong else "nothing lost, nothing twice")
    return 1 if wrong else 0
