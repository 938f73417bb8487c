"""For a long time as EventBridge sends at its best: a new TLS connection for each of 300 requests a second.

Four events in turns (three that match nothing, one new incident), in observe; a reload every minute. Said at the end,
and judged: errors (0), the 99th percentile of the answers (under 25 ms), how resident memory and open files grew from
the first tenth of the time to the last. With --reloads N: as many reloads as fast as they go, under the same load, and
nothing else; judged by errors alone.

usage: python3 tests/bench/soak.py [--minutes 30] [--rate 300] [--reloads N] [--build build/release]
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "scenario"))
sys.path.insert(0, str(ROOT / "tests" / "bench"))
import harness  # noqa: E402
import intake  # noqa: E402

EVENTS = ["console-mfa.json", "config-recorder-started.json", "terraform-no-mfa.json", "bucket-acl-private.json"]
P99_US = 25000
GROWTH_MB = 8


def start_load(options, server, folder, seconds):
    run = f"soak-{os.getpid()}"
    events = [argument for number, name in enumerate(EVENTS) for argument in
              ("--event", intake.write_event(folder, name, f"{run}-{number}"))]
    return subprocess.Popen([options.build / "tests" / "load", "--port", str(server.port), "--header",
                             f"X-Api-Key: {harness.SECRET}", *events, "--new", "--connections", "64", "--rate",
                             str(options.rate), "--seconds", str(seconds)], stdout=subprocess.PIPE, text=True)


def reload(server):
    status, answer = server.admin("/v1/reload", "POST")
    assert status == 200, answer


def sample(server):
    pid = server.process.pid
    return intake.resident_mb(pid), len(os.listdir(f"/proc/{pid}/fd"))


def soak(options, server, folder):
    load = start_load(options, server, folder, options.minutes * 60)
    samples, began, next_reload = [], time.monotonic(), 60
    while load.poll() is None:
        time.sleep(1)
        samples.append(sample(server))
        if time.monotonic() - began > next_reload:
            next_reload += 60
            reload(server)
    return json.loads(load.stdout.read()), samples


def storm(options, server, folder):
    load = start_load(options, server, folder, 100000)
    time.sleep(1)
    began = time.monotonic()
    for _ in range(options.reloads):
        reload(server)
    took = time.monotonic() - began
    load.send_signal(signal.SIGINT)
    print(f"{options.reloads} reloads in {took:.0f} s")
    return json.loads(load.communicate(timeout=30)[0])


def average(samples, column):
    return sum(sample[column] for sample in samples) / len(samples)


def judge(report, samples):
    bad = sum(count for status, count in report["status"].items() if status not in ("200", "202"))
    print(f"{report['requests']} requests in {report['seconds']:.0f} s: {bad} errors, {report['status']}, "
          f"p50 {report['p50_us'] / 1000:.1f} ms, p99 {report['p99_us'] / 1000:.1f} ms, "
          f"longest {report['max_us'] / 1000:.0f} ms")
    is_good = bad == 0
    if samples:
        tenth = max(len(samples) // 10, 1)
        first, last = samples[tenth:2 * tenth], samples[-tenth - 1:-1]
        growth = average(last, 0) - average(first, 0)
        print(f"resident {average(first, 0):.1f} -> {average(last, 0):.1f} MB, open files {average(first, 1):.1f} -> "
              f"{average(last, 1):.1f}")
        is_good = is_good and report["p99_us"] < P99_US and growth < GROWTH_MB
    return 0 if is_good else 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--reloads", type=int, default=0)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    options = parser.parse_args()
    harness.BINARY = str(options.build / "riposte")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="riposte-soak-"))
    server = harness.Riposte(folder, settings={"drain": "0s"}).start()
    try:
        report, samples = (storm(options, server, folder), []) if options.reloads else soak(options, server, folder)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return judge(report, samples)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.exit(main())
