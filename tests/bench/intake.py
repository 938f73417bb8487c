"""What does a request cost, beside nginx that says 200 to everything and adnanh/webhook that checks a secret and a rule?

All serve the same certificate on loopback, one after the other in each round, to the same client (tests/bench/load.c);
the median round counts. CPU per request: user and system time of all of a server's processes, over requests answered.

  kept     16 kept connections; an event that no rule matches: secret, scan and match (nginx: none of it); beside
           that libmicrohttpd alone, which reads and answers (tests/bench/bare.c)
  new      a TLS connection for each of them, as EventBridge makes them
  durable  16 kept connections; an event that opens an incident, new each time: answered 202 after its commit, while
           workers plan what they would do (observe): their time is counted, too
  stopped  the same without workers (they never begin): what the answer alone costs
  memory   resident: idle, with 1,000 connections open that have each posted an event, and then with a full queue

usage: python3 tests/bench/intake.py [--rounds 3] [--seconds 3] [--connections 16] [--build build/release] [--only kept,new,durable,stopped,memory]
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "scenario"))
import harness  # noqa: E402

MARK = "@" * 12
LOADING = 90
UNMATCHED = "console-mfa.json"
MATCHED = "terraform-no-mfa.json"


def make_certificate(folder):
    """ECDSA P-256, as the server makes for itself."""
    certificate, key = folder / "server.pem", folder / "server.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=localhost", "-days", "2", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return certificate, key


def write_event(folder, name, run):
    """A copy of a shipped event that the client numbers: every one is new."""
    event = harness.fresh(harness.sample(name))
    event["id"] = event["detail"]["eventID"] = f"{run}-{MARK}"
    path = folder / f"{run}-{name}"
    path.write_text(json.dumps(event))
    return path


def process_cpu(pids):
    return sum(time.clock_gettime_ns((~pid << 3) | 2) for pid in pids) / 1000


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def resident_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmRSS"))) / 1024


class Side:
    """A server under load."""
    path = "/events"
    header = f"X-Api-Key: {harness.SECRET}"

    def wait(self):
        def connects():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0
        harness.wait_for(type(self).__name__, connects)
        return self

    def pids(self):
        return [self.process.pid]

    def stop(self):
        harness.end_process(self.process, signal.SIGTERM)


class Nginx(Side):
    def __init__(self, folder, certificate, key):
        self.port = harness.free_port()
        (folder / "nginx.conf").write_text(f"""
            daemon off; worker_processes {os.cpu_count()}; error_log {folder}/nginx.log; pid {folder}/nginx.pid;
            events {{ worker_connections 4096; }}
            http {{
                access_log off; keepalive_requests 100000000;
                client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
                uwsgi_temp_path {folder}; scgi_temp_path {folder};
                server {{
                    listen 127.0.0.1:{self.port} ssl backlog=4096;
                    ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3;
                    location /events {{ return 200 '{{}}'; }}
                }}
            }}""")
        self.process = subprocess.Popen(["nginx", "-c", folder / "nginx.conf", "-p", folder],
                                        stderr=subprocess.DEVNULL)
        self.wait()

    def pids(self):
        return [self.process.pid, *children(self.process.pid)]


class Webhook(Side):
    path = "/hooks/events"

    def __init__(self, folder, certificate, key):
        self.port = harness.free_port()
        (folder / "hooks.json").write_text(json.dumps([{
            "id": "events", "execute-command": "/bin/true",
            "trigger-rule": {"and": [
                {"match": {"type": "value", "value": harness.SECRET,
                           "parameter": {"source": "header", "name": "X-Api-Key"}}},
                {"match": {"type": "value", "value": "no event has this name",
                           "parameter": {"source": "payload", "name": "detail.eventName"}}}]}}]))
        self.process = subprocess.Popen(
            ["webhook", "-hooks", folder / "hooks.json", "-ip", "127.0.0.1", "-port", str(self.port), "-secure",
             "-cert", certificate, "-key", key, "-logfile", "/dev/null"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait()


class Bare(Side):
    """The library that riposte's listener is made of, and nothing else."""
    def __init__(self, folder, certificate, key, build):
        self.port = harness.free_port()
        self.process = subprocess.Popen([build / "tests" / "bare", str(self.port), certificate, key],
                                        stdin=subprocess.PIPE)
        self.wait()


class Riposte(Side):
    def __init__(self, folder, certificate, key, preload=None, **settings):
        self.is_whole = preload is None
        self.server = harness.Riposte(tempfile.mkdtemp(dir=folder), mode="observe", settings={
            "queue_limit": 10000000, "drain": "0s", "listen": {"certificate": str(certificate), "key": str(key)},
            **settings})
        if preload is not None:
            self.server.environment["LD_PRELOAD"] = str(preload.resolve())
        self.server.start()
        self.port, self.process = self.server.port, self.server.process

    def stop(self):
        harness.end_process(self.process, signal.SIGTERM if self.is_whole else signal.SIGKILL)


class Bench:
    def __init__(self, folder, options):
        self.folder, self.options, self.runs = folder, options, 0
        self.certificate, self.key = make_certificate(folder)

    def side(self, kind, **more):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        return kind(folder, self.certificate, self.key, **more)

    def load(self, side, event, *more, status="200"):
        """One run of the client: its report with the server's CPU us a request."""
        self.runs += 1
        event = write_event(self.folder, event, f"{os.getpid()}-{self.runs}")
        before = process_cpu(side.pids())
        done = subprocess.run([self.options.build / "tests" / "load", "--port", str(side.port), "--path", side.path,
                               "--header", side.header, "--event", event, *more], capture_output=True, text=True)
        report = json.loads(done.stdout)
        report["cpu_us"] = (process_cpu(side.pids()) - before) / report["requests"]
        report["rate"] = report["requests"] / report["seconds"]
        assert report["status"] == {status: report["requests"]}, report
        return report

    def rounds(self, sides, event, *more):
        """Name by name the median of each value, all sides in turns."""
        seconds = ["--seconds", str(self.options.seconds)]
        for side in sides.values():
            self.load(side, event, "--requests", "200", *more)
        reports = {name: [] for name in sides}
        for _ in range(self.options.rounds):
            for name, side in sides.items():
                reports[name].append(self.load(side, event, *seconds, *more))
        return {name: {value: statistics.median(report[value] for report in all_of_it)
                       for value in ("cpu_us", "rate", "p50_us", "p99_us")} for name, all_of_it in reports.items()}

    def beside(self, title, *more, **others):
        sides = {"riposte": self.side(Riposte), "nginx": self.side(Nginx), "webhook": self.side(Webhook), **others}
        medians = self.rounds(sides, UNMATCHED, *more)
        for side in sides.values():
            side.stop()
        for name, median in medians.items():
            row(title, name, median)
        ours = medians["riposte"]["cpu_us"]
        nginx = medians["nginx"]["cpu_us"]
        print(f"{'':<10}webhook / riposte {medians['webhook']['cpu_us'] / ours:.1f}, webhook / nginx "
              f"{medians['webhook']['cpu_us'] / nginx:.1f}; of nginx: riposte {ours / nginx:.2f}"
              + "".join(f", {name} {medians[name]['cpu_us'] / nginx:.2f}" for name in others))

    def durable(self, title, preload=None):
        reports = []
        for _ in range(self.options.rounds):
            side = self.side(Riposte, preload=preload)
            self.load(side, MATCHED, "--requests", "200", "--connections", "16", status="202")
            reports.append(self.load(side, MATCHED, "--seconds", str(self.options.seconds), "--connections",
                                     str(self.options.connections), status="202"))
            side.stop()
        row(title, "riposte", {value: statistics.median(report[value] for report in reports)
                               for value in ("cpu_us", "rate", "p50_us", "p99_us")})

    def memory(self):
        limit = 10000
        side = self.side(Riposte, queue_limit=limit, listen={"connections_per_address": 0, "certificate": str(self.certificate),
                                                                   "key": str(self.key)})
        idle = resident_mb(side.process.pid)
        event = write_event(self.folder, MATCHED, "memory")
        context = ssl._create_unverified_context()
        connections = []
        for _ in range(1000 - LOADING):
            connections.append(context.wrap_socket(socket.create_connection(("127.0.0.1", side.port))))
            post(connections[-1], side, harness.sample(UNMATCHED))
        open_mb = resident_mb(side.process.pid)
        subprocess.run([self.options.build / "tests" / "load", "--port", str(side.port), "--header", side.header,
                        "--event", event, "--connections", str(LOADING), "--requests", str(3 * limit)],
                       capture_output=True, check=False)
        for connection in connections:
            post(connection, side, harness.sample(UNMATCHED))
        print(f"memory: idle {idle:.1f} MB, {len(connections) + LOADING} connections {open_mb:.1f} MB, "
              f"with a full queue {resident_mb(side.process.pid):.1f} MB")
        side.stop()


def post(connection, side, event):
    """An event that no rule matches, on a connection that stays."""
    body = json.dumps(harness.fresh(event)).encode()
    connection.sendall(f"POST {side.path} HTTP/1.1\r\nHost: localhost\r\n{side.header}\r\n"
                       f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = b""
    while not answer.endswith(b"}"):
        part = connection.recv(4096)
        assert part, f"the connection was closed: {answer}"
        answer += part
    assert answer.startswith(b"HTTP/1.1 200"), answer


def row(title, name, report):
    print(f"{title:<10}{name:<14}{report['cpu_us']:>10.1f} us CPU{report['rate']:>10.0f}/s"
          f"{report['p50_us']:>9.0f} us p50{report['p99_us']:>9.0f} us p99", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--only", default="kept,new,durable,stopped,memory")
    options = parser.parse_args()
    harness.BINARY = str(options.build / "riposte")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="riposte-bench-"))
    folder.chmod(0o755)
    bench = Bench(folder, options)
    only = options.only.split(",")
    kept = ("--connections", str(options.connections))
    if "kept" in only:
        bench.beside("kept", *kept, libmicrohttpd=bench.side(Bare, build=options.build))
    if "new" in only:
        bench.beside("new", "--new", *kept)
    if "durable" in only:
        bench.durable("observe")
    if "stopped" in only:
        bench.durable("stopped", options.build / "tests" / "libno_workers.so")
    if "memory" in only:
        bench.memory()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    main()
