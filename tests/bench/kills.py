"""kill -9 at random moments under load, as often as asked for: nothing lost, nothing done twice (onslaught.py says what is).

With --power the machine's power fails instead: of what was written to the journal's files and not yet synced, all or
some is as it was before (tests/support/power.c). A whole sector is written or not.

usage: python3 tests/bench/kills.py [--kills 500] [--power] [--build build/release] [--seed N]
"""
import argparse
import pathlib
import random
import struct
import sys
import time

import onslaught

EARLY_PERCENT = 15  # killed while it starts


SECTOR = 512
RECORD = struct.Struct("=qqq")


def take_back(path, chance):
    """What the journal's file held when it was last synced; of what was written since, at most a part. The number of
    sectors taken back."""
    notes = path.with_name(path.name + ".unsynced")
    text = notes.read_bytes() if notes.exists() else b""
    records, at = [], 0
    while at + RECORD.size <= len(text):
        offset, count, size = RECORD.unpack_from(text, at)
        old = text[at + RECORD.size:at + RECORD.size + count]
        if len(old) < count:
            break  # killed before the write itself
        records.append((offset, old, size))
        at += RECORD.size + count
    share, taken = chance.choice((1, 1, 0.5, 0.1)), 0
    with open(path, "r+b") as file:
        for offset, old, size in reversed(records):
            for start in range(0, len(old), SECTOR):
                if chance.random() < share:
                    file.seek(offset + start)
                    file.write(old[start:start + SECTOR])
                    taken += 1
            if share == 1:
                file.truncate(size)
    notes.unlink(missing_ok=True)
    return taken + len(records)


def cut_power(folder, chance):
    files = [path for path in folder.glob("**/journal.db*") if path.name in ("journal.db", "journal.db-wal")]
    taken = sum(take_back(path, chance) for path in files)
    for path in files:
        path.with_name("journal.db-shm").unlink(missing_ok=True)  # memory, as far as the kernel is concerned
    return taken


def run(kills, build, seed, folder=None, power=False):
    chance = random.Random(seed)
    scene = onslaught.Onslaught(build, folder)
    taken = 0
    if power:
        scene.server.environment["LD_PRELOAD"] = str((pathlib.Path(build) / "tests" / "libpower.so").resolve())
    try:
        scene.server.start()
        clients = scene.clients()
        began = time.monotonic()
        starts = []
        for _ in range(kills):
            if chance.randrange(100) < EARLY_PERCENT:
                time.sleep(chance.uniform(0, 0.1))
            else:
                starts.append(scene.wait_ready())
                time.sleep(chance.uniform(0, 0.6))
            scene.server.kill()
            taken += cut_power(scene.folder, chance) if power else 0
            scene.server.start(wait=False)
        scene.wait_ready()
        clients.stop()
        scene.settle()
        numbers = {"kills": kills, **({"unsynced writes and sectors taken back": taken} if power else {}), "seconds": round(time.monotonic() - began),
                   "posts repeated": clients.repeats,
                   "longest start, s": round(max(starts), 2), **scene.verdict(clients.taken)}
        return numbers, scene.wrong
    finally:
        scene.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--power", action="store_true")
    parser.add_argument("--build", default=str(onslaught.ROOT / "build" / "release"))
    parser.add_argument("--seed", type=int, default=20160114)
    options = parser.parse_args()
    sys.exit(onslaught.report("kills", *run(options.kills, options.build, options.seed, power=options.power)))
