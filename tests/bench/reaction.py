"""How long from an event's first byte to the last byte of the call that contains, and at what CPU cost?

Riposte (HTTPS on a kept connection, secret, scan, match, a durable commit, the user's identity checked, PutUserPolicy)
beside a warm boto3 handler that does what the 2016 Lambda did (no network on its way in, nothing durable, no check),
in turns against one instant AWS stand-in. The struct form of the event is used: nothing has to be confirmed.

usage: python3 tests/bench/reaction.py [--events N] [--build build/release]
"""
import argparse
import http.client
import json
import os
import pathlib
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "scenario"))
import harness  # noqa: E402


class Standin:
    def __init__(self, build):
        self.process = subprocess.Popen([build / "tests" / "standin"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def ask(self, method, path):
        self.connection.request(method, path)
        return self.connection.getresponse().read().decode()

    def watch(self, pid):
        self.ask("PUT", f"/watch/{pid}")

    def expect(self, user):
        """Asks to be told of the containing call for this user; come() waits for it: nobody polls meanwhile."""
        self.connection.request("GET", f"/wait/{user}")

    def come(self):
        """(monotonic ns, CPU ns of the watched process) when its last byte came."""
        mono, cpu = self.connection.getresponse().read().split()
        return int(mono), int(cpu)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(5)


def cpu_ns(pid):
    """The CPU clock of a process: clock_getcpuclockid() by hand."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def make_event(user):
    event = harness.fresh(harness.sample("terraform-no-mfa.json"))
    event["account"] = harness.ACCOUNT
    event["detail"]["userIdentity"].update(
        userName=user, principalId=f"AIDA{user}", accountId=harness.ACCOUNT,
        arn=f"arn:aws:iam::{harness.ACCOUNT}:user/{user}", accessKeyId=f"AKIA{user}")
    event["detail"]["requestParameters"]["instanceId"] = f"i-{user}"
    return json.dumps(event).encode()


def make_request(body):
    return (f"POST /events HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: {harness.SECRET}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


def user_name():
    return "u" + uuid.uuid4().hex[:12]


class RiposteSide:
    def __init__(self, folder, standin, binary):
        harness.BINARY = str(binary)
        key = {"AccessKeyId": "AKIAEXAMPLE", "SecretAccessKey": "example"}
        self.server = harness.Riposte(folder, mode="enforce", aws=standin.url, key=key, settings={
            "guard": {"limit": {"principals": 100000, "resources": 100000, "per": "1h"}}})
        self.standin = standin

    def start(self):
        self.server.start()
        self.connection = self.server.connection()
        self.connection.connect()
        return self

    def react(self):
        """(latency us, CPU us) of one event."""
        user = user_name()
        request = make_request(make_event(user))
        self.standin.watch(self.server.process.pid)
        self.standin.expect(user)
        cpu = cpu_ns(self.server.process.pid)
        began = time.monotonic_ns()
        self.connection.sock.sendall(request)
        at, cpu_at = self.standin.come()  # as with the handler: the client's own work is not in the way
        with self.connection.response_class(self.connection.sock) as answer:
            answer.begin()
            answer.read()
            assert answer.status == 202, answer.status
        time.sleep(0.01)  # let the rest of the response end before the next is measured
        return (at - began) / 1000, (cpu_at - cpu) / 1000

    def cold(self):
        """ms from starting the process to the containing call, the client trying from the first moment on."""
        user = user_name()
        body = make_event(user)
        context = ssl._create_unverified_context()
        self.standin.expect(user)
        began = time.monotonic_ns()
        self.server.start(wait=False)
        while True:
            try:
                connection = http.client.HTTPSConnection("127.0.0.1", self.server.port,
                                                         context=context, timeout=5)
                connection.request("POST", "/events", body, {"X-Api-Key": harness.SECRET})
                status = connection.getresponse().status
                if status == 202:
                    break
                assert status in (429, 503), status
            except OSError:
                time.sleep(0.001)
        at, _ = self.standin.come()
        connection.close()
        return (at - began) / 1e6

    def stop(self):
        return self.server.stop()


class HandlerSide:
    def __init__(self, standin):
        self.standin = standin
        self.command = [sys.executable, str(ROOT / "tests" / "bench" / "handler.py"), standin.url]

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n"
        return self

    def react(self):
        user = user_name()
        body = make_event(user)
        self.standin.watch(self.process.pid)
        self.standin.expect(user)
        cpu = cpu_ns(self.process.pid)
        began = time.monotonic_ns()
        self.process.stdin.write(body + b"\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == b"done\n"
        at, cpu_at = self.standin.come()
        return (at - began) / 1000, (cpu_at - cpu) / 1000

    def cold(self):
        user = user_name()
        with tempfile.NamedTemporaryFile() as file:
            file.write(make_event(user))
            file.flush()
            self.standin.expect(user)
            began = time.monotonic_ns()
            subprocess.run([*self.command, file.name], check=True)
        return (self.standin.come()[0] - began) / 1e6

    def stop(self):
        self.process.stdin.close()
        self.process.wait(5)


def durable_write(folder):
    """(us, CPU us) of what every commit costs on this disk at least: 48 KiB in place, fdatasync."""
    pages, rounds = b"x" * 49152, 100
    samples = []
    with open(pathlib.Path(folder) / "disk", "wb+", buffering=0) as file:
        file.write(pages * rounds)
        os.fsync(file)
        for number in range(rounds):
            began, cpu = time.monotonic_ns(), time.thread_time_ns()
            os.pwrite(file.fileno(), pages, number * len(pages))
            os.fdatasync(file)
            samples.append(((time.monotonic_ns() - began) / 1000, (time.thread_time_ns() - cpu) / 1000))
            time.sleep(0.003)
    return [statistics.median(column) for column in zip(*samples)]


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def row(name, samples):
    latencies, cpus = zip(*samples)
    print(f"{name:<24}{statistics.median(latencies):>10.0f}{percentile(latencies, .9):>10.0f}"
          f"{percentile(latencies, .99):>10.0f}{statistics.median(cpus):>12.0f}")
    return statistics.median(latencies), statistics.median(cpus)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=400)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    options = parser.parse_args()
    standin = Standin(options.build)
    with tempfile.TemporaryDirectory() as folder:
        riposte = RiposteSide(folder, standin, options.build / "riposte").start()
        handler = HandlerSide(standin).start()
        ours, theirs = [], []
        for number in range(options.events + 20):
            one, other = riposte.react(), handler.react()
            if number >= 20:  # both warm
                ours.append(one)
                theirs.append(other)
        with open(f"/proc/{riposte.server.process.pid}/status", encoding="ascii") as status:
            rss = next(line.split()[1] for line in status if line.startswith("VmRSS"))
        riposte.stop()
        handler.stop()
        disk_time, disk_cpu = durable_write(folder)
        cold = [(RiposteSide(tempfile.mkdtemp(dir=folder), standin, options.build / "riposte"),
                 handler) for _ in range(5)]
        ours_cold, theirs_cold = [], []
        for one, other in cold:
            ours_cold.append(one.cold())
            one.stop()
            theirs_cold.append(other.cold())
    standin.stop()

    print(f"{options.events} events each, in turns; us from the first byte to the last byte of "
          f"PutUserPolicy\n")
    print(f"{'':<24}{'p50':>10}{'p90':>10}{'p99':>10}{'CPU p50':>12}")
    our_time, our_cpu = row("riposte", ours)
    their_time, their_cpu = row("boto3 handler, warm", theirs)
    print(f"\nriposte / handler: time {our_time / their_time:.2f}, CPU {our_cpu / their_cpu:.2f}")
    print(f"one durable write here: {disk_time:.0f} us, CPU {disk_cpu:.0f} us; riposte makes one before "
          f"the call, the handler none: without it time {(our_time - disk_time) / their_time:.2f}, "
          f"CPU {(our_cpu - disk_cpu) / their_cpu:.2f}")
    print(f"from process start: riposte {statistics.median(ours_cold):.0f} ms, "
          f"handler {statistics.median(theirs_cold):.0f} ms (medians of {len(cold)})")
    print(f"resident after {options.events + 20} incidents: {int(rss) / 1024:.1f} MB")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    main()
