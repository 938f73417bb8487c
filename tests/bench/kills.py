"""kill -9 at random moments under load, as often as asked for: nothing lost, nothing done twice (onslaught.py says what is).

usage: python3 tests/bench/kills.py [--kills 500] [--build build/release] [--seed N]
"""
import argparse
import random
import sys
import time

import onslaught

EARLY_PERCENT = 15  # killed while it starts


def run(kills, build, seed, folder=None):
    chance = random.Random(seed)
    scene = onslaught.Onslaught(build, folder)
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
            scene.server.start(wait=False)
        scene.wait_ready()
        clients.stop()
        scene.settle()
        numbers = {"kills": kills, "seconds": round(time.monotonic() - began),
                   "posts repeated": clients.repeats,
                   "longest start, s": round(max(starts), 2), **scene.verdict(clients.taken)}
        return numbers, scene.wrong
    finally:
        scene.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--build", default=str(onslaught.ROOT / "build" / "release"))
    parser.add_argument("--seed", type=int, default=20160114)
    options = parser.parse_args()
    sys.exit(onslaught.report("kills", *run(options.kills, options.build, options.seed)))
