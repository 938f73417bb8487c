"""A disk that fails at random under load: EIO, ENOSPC, short writes, failed syncs, truncations and opens. Nothing lost,
nothing done twice (onslaught.py says what is), and ready again by itself; sometimes kill -9 in the middle of it.

usage: python3 tests/bench/faults.py [--faults 2000] [--build build/release] [--seed N]
"""
import argparse
import mmap
import pathlib
import random
import struct
import sys
import time

import onslaught

KINDS = ("write EIO", "write ENOSPC", "short write", "sync EIO", "truncate EIO", "open EIO",
         "read-only")
NUMBERS = 4 + len(KINDS)
KILL_PERCENT = 8
ROUND_S = 0.4


class Control:
    """What tests/support/faults.c looks at."""

    def __init__(self, path):
        path.write_bytes(bytes(4 * NUMBERS))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 4 * NUMBERS)

    def number(self, index):
        return struct.unpack_from("=i", self.map, 4 * index)[0]

    def arm(self, kinds, count, percent):
        struct.pack_into("=iIi", self.map, 0, 0, 0, percent)
        struct.pack_into("=i", self.map, 4, count)
        struct.pack_into("=i", self.map, 0, kinds)

    def disarm(self):
        struct.pack_into("=i", self.map, 0, 0)

    injected = property(lambda self: self.number(3))

    def by_kind(self):
        return {name: self.number(4 + index) for index, name in enumerate(KINDS)}


def run(faults, build, seed, folder=None):
    chance = random.Random(seed)
    build = pathlib.Path(build)
    scene = onslaught.Onslaught(build, folder)
    control = Control(scene.folder / "control")
    scene.server.environment.update(LD_PRELOAD=str((build / "tests" / "libfaults.so").resolve()),
                                    FAULTS_CONTROL=str(scene.folder / "control"))
    began = time.monotonic()
    kills, recoveries = 0, []
    try:
        scene.server.start()
        clients = scene.clients()
        while control.injected < faults:
            kinds = sum(1 << kind for kind in chance.sample(range(len(KINDS)), chance.randint(1, 3)))
            control.arm(kinds | (1 << chance.randrange(4)),
                        chance.choice((1, 1, 1, 1, 1, 2, 2, 3, 8)), chance.choice((100, 100, 50)))
            end = time.monotonic() + chance.uniform(0, ROUND_S)
            while control.number(1) > 0 and time.monotonic() < end:
                time.sleep(0.002)
            killed = chance.randrange(100) < KILL_PERCENT
            if killed:
                kills += 1
                scene.server.kill()
            control.disarm()
            if killed:
                scene.server.start(wait=False)
            recoveries.append(scene.wait_ready())
        clients.stop()
        scene.settle(20)  # by itself, before any lease could end
        numbers = {"faults": control.injected, "by kind": control.by_kind(), "kills among them": kills,
                   "seconds": round(time.monotonic() - began), "posts repeated": clients.repeats,
                   "answers refused": dict(clients.refused),
                   "longest until ready again, s": round(max(recoveries), 2),
                   **scene.verdict(clients.taken)}
        return numbers, scene.wrong
    finally:
        scene.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--faults", type=int, default=2000)
    parser.add_argument("--build", default=str(onslaught.ROOT / "build" / "release"))
    parser.add_argument("--seed", type=int, default=20160114)
    options = parser.parse_args()
    sys.exit(onslaught.report("faults", *run(options.faults, options.build, options.seed)))
