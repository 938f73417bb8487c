"""Tampers with a journal's audit chain at random, as often as asked for: is each change found, and named at its place?

A server decides some incidents; then copies of its journal are changed, in rows and in bits, half of them after their
beginning was cut as retention does, and `riposte audit verify` must say which line is the first that is wrong. Every
tenth time the end is cut off instead, which only the last anchor can find.

usage: python3 tests/bench/tamper.py [--rounds 1200] [--build build/release] [--seed N]
"""
import argparse
import collections
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "scenario"))


def record(folder, harness):
    server = harness.Riposte(folder).start()
    try:
        for _ in range(12):
            server.post(harness.fresh(harness.sample("terraform-no-mfa.json")))
        harness.wait_for("the incidents to be decided", lambda: all(
            one["state"] in ("observed", "joined", "held") for one in server.admin("/v1/incidents")[1]["incidents"]), 20)
        if server.stop() != 0:
            raise SystemExit("the server did not stop cleanly")
    finally:
        server.kill()
    return server


def truncate(copy, tampering, chance):
    kept = tampering.lines(copy)
    last = chance.randint(kept[len(kept) // 2][0], kept[-1][0] - 1)
    tampering.run(copy, f"DELETE FROM audit WHERE sequence > {last}")
    return (f"it ends at line {last}, the anchor is line {kept[-1][0]}",
            "--anchor", f"{kept[-1][0]}:{kept[-1][6].hex()}")


def run(folder, rounds, seed):
    import harness
    import tampering
    chance = random.Random(seed)
    server = record(folder, harness)
    copy, missed, kinds = folder / "copy.db", [], collections.Counter()
    for number in range(rounds):
        shutil.copy(folder / "journal.db", copy)
        is_truncation = number % 10 == 9
        if number % 2 == 0:
            tampering.cut(copy, chance.randint(2, 12))
        if is_truncation:
            change, more = "the end cut off", []
            words, *more = truncate(copy, tampering, chance)
        else:
            change, place = tampering.tamper(copy, chance)
            words, more = f"line {place} is ", []
        kinds[change] += 1
        found = server.cli("audit", "verify", "--journal", str(copy), *more, "-c", str(server.settings_path))
        if found.returncode != 1 or words not in found.stderr:
            missed.append((number, change, words, found.stdout, found.stderr))
    return missed, kinds


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=1200)
    parser.add_argument("--build", default=str(ROOT / "build" / "release"))
    parser.add_argument("--seed", type=int, default=20160114)
    options = parser.parse_args()
    os.environ["RIPOSTE_BINARY"] = str(pathlib.Path(options.build) / "riposte")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="riposte-") as made:
        missed, kinds = run(pathlib.Path(made), options.rounds, options.seed)
    for one in missed:
        print("missed:", *one)
    print(f"tampered {options.rounds} times ({len(kinds)} kinds) in {time.monotonic() - began:.0f} s: "
          f"{options.rounds - len(missed)} found and named")
    sys.exit(1 if missed else 0)
