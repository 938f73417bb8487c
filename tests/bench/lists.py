"""What do lists cost in a journal of 100,000 incidents?

fill_journal makes it through the journal's own interface; then the real server serves it on loopback, over one kept
connection. Milliseconds from the first byte asked to the last answered: median, 99 of 100, slowest. `rare` is one
incident in a thousand, `nobody` none at all: every incident is looked at. Meanwhile: how long a POST that opens an
incident takes while lists are asked for all the time, and without. RSS before and after.

usage: python3 tests/bench/lists.py [--incidents 100000] [--times 200] [--build build/release]
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "scenario"))
import harness  # noqa: E402


class Client:
    """One kept connection to the admin listener."""

    def __init__(self, server):
        self.connection = server.connection(server.admin_port)

    def get(self, path):
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {harness.TOKEN}"})
        answer = self.connection.getresponse()
        data = answer.read()
        assert answer.status == 200, (path, answer.status, data)
        return data


def rss_mb(server):
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError


def timed(ask, times):
    took = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    return took[len(took) // 2], took[len(took) * 99 // 100], took[-1]


def say(name, numbers, more=""):
    print(f"{name:<34}" + "".join(f"{number:9.1f}" for number in numbers) + f"  {more}")


def walk(client, limit):
    """All pages: how many there are of incidents."""
    count, cursor = 0, ""
    while True:
        page = json.loads(client.get(f"/v1/incidents?limit={limit}{cursor}"))
        count += len(page["incidents"])
        if "next" not in page:
            return count
        cursor = f"&cursor={page['next']}"


def middle(client, pages):
    """A cursor in the middle."""
    cursor = ""
    for _ in range(pages):
        cursor = "&cursor=" + json.loads(client.get(f"/v1/incidents?limit=500{cursor}"))["next"]
    return cursor


def posts(server, times):
    event = harness.sample("terraform-no-mfa.json")
    bodies = [json.dumps(harness.fresh(event)) for _ in range(times)]
    connection = server.connection()

    def ask():
        connection.request("POST", "/events", bodies.pop(), {"X-Api-Key": harness.SECRET})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 202, answer.status
    return timed(ask, times)


def measure(server, incidents, times):
    client = Client(server)
    client.get("/v1/incidents?limit=1")
    print(f"RSS {rss_mb(server):.1f} MB with the journal open\n{'':34}{'median':>9}{'99 %':>9}{'slowest':>9}")
    cursor = middle(client, incidents // 1000)
    for name, query in (("the newest 50", ""), ("500", "limit=500"), ("50 in the middle", cursor[1:]),
                        ("state=held", "state=held"), ("rule=rare", "rule=rare"),
                        ("principal=rare", "principal=rare"), ("the last hour", "since=" + harness.now(-3600)),
                        ("state=held, rule, severity", "state=held&rule=rule-7&severity=critical"),
                        ("principal=nobody", "principal=nobody")):
        say(name, timed(lambda: client.get(f"/v1/incidents?{query}"), times))
    began = time.perf_counter()
    client.get("/v1/status")
    say("status, counted anew", [(time.perf_counter() - began) * 1000])
    say("status", timed(lambda: client.get("/v1/status"), times))
    say("rules", timed(lambda: client.get("/v1/rules"), times))
    began = time.perf_counter()
    count = walk(client, 500)
    say("all pages of 500", [(time.perf_counter() - began) * 1000], f"{count} incidents")
    say("POST, nobody lists", posts(server, times))
    is_over = threading.Event()

    def list_on():
        other = Client(server)
        while not is_over.is_set():
            other.get("/v1/incidents?principal=nobody")
    thread = threading.Thread(target=list_on)
    thread.start()
    say("POST, somebody lists on and on", posts(server, times))
    is_over.set()
    thread.join()
    print(f"RSS {rss_mb(server):.1f} MB after that")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--incidents", type=int, default=100000)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--build", default="build/release")
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="riposte-"))
    try:
        build = ROOT / arguments.build
        os.environ.setdefault("RIPOSTE_BINARY", str(build / "riposte"))
        harness.BINARY = str(build / "riposte")
        subprocess.run([build / "tests" / "fill_journal", f"sqlite:{folder}/journal.db", str(arguments.incidents)],
                       check=True)
        print(f"{(folder / 'journal.db').stat().st_size / 1e6:.0f} MB of journal")
        server = harness.Riposte(folder, settings={"drain": "0s", "retain": "3650d"}).start()
        try:
            measure(server, arguments.incidents, arguments.times)
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
