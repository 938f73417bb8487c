"""How many events a second do scan and match take on one core, row by row; and the scanner alone?

Makes the data (tests/bench/matcher/README.md) in the build folder, runs `riposte bench` and checks the number of
matches of every row. Peers run in the same rounds, in turns, since two runs on one machine differ by more than their
parts: a peer is a command that takes --rules FILE... --events FILE --seconds N and prints `riposte bench --json`'s
"events", "cpu_seconds" (of its matching thread, warmed up) and "matches_per_pass"; where it fails or matches another
number, the cell is empty. tests/bench/peers has the sources of two. Of a row's rounds the best of each counts. The
scanner runs beside simdjson's DOM parser where libsimdjson-dev and a C++ compiler are installed.

usage: python3 tests/bench/matcher.py [--build build/release] [--seconds 1] [--rounds 3] [--rows REGEX]
                                      [--peer NAME=COMMAND]... [--only rules|growth|scanner]
Exit 1 when a number of matches is wrong.
"""
import argparse
import csv
import json
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "bench" / "matcher"
CITYLOTS, CLOUDTRAIL = "citylots2-synth.jsonl", "cloudtrail-events.jsonl"
CITYLOTS_EVENTS = 50000


def make_data(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for path in DATA.iterdir():
        shutil.copy(path, folder)
    if not (folder / CITYLOTS).exists():
        subprocess.run([sys.executable, "gen_citylots2.py", str(CITYLOTS_EVENTS), CITYLOTS], cwd=folder, check=True)
    if not (folder / CLOUDTRAIL).exists():
        subprocess.run([sys.executable, "gen_cloudtrail.py"], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def rows(folder):
    """(name, rules files, events file, expected matches)"""
    with open(folder / "expected-matches.tsv", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            files = row["rules"].split(",")
            name = files[0].removesuffix(".json").removeprefix("rules-")
            if len(files) > 1:
                name = "COMBO" if "rules-COMPLEX_ARRAYS.json" in files else "PARTIAL_COMBO"
            if row["events"] != "cloudtrail-one.jsonl":
                yield name, files, row["events"], int(row["matches"])


def measure(command):
    """None when it doesn't do it."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def rate(result, of):
    return result[of] / result["cpu_seconds"]


class Bench:
    def __init__(self, options):
        self.options = options
        self.folder = (ROOT / options.build / "bench-data").resolve()
        self.programs = {"riposte": [str(ROOT / options.build / "riposte"), "bench", "--json"]}
        for peer in options.peer:
            name, command = peer.split("=", 1)
            self.programs[name] = command.split()
        self.is_good = True
        make_data(self.folder)

    def best(self, commands, of):
        """The best of the rounds by program: (rate, result)."""
        best = {}
        for _ in range(self.options.rounds):
            for name, command in commands.items():
                result = measure(command)
                if result is not None and (name not in best or rate(result, of) > best[name][0]):
                    best[name] = rate(result, of), result
        return best

    def run_row(self, name, files, events, matches):
        tail = [word for file in files for word in ("--rules", str(self.folder / file))]
        tail += ["--events", str(self.folder / events), "--seconds", str(self.options.seconds)]
        best = self.best({program: command + tail for program, command in self.programs.items()}, "events")
        result = best["riposte"][1]
        if result["matches_per_pass"] != matches:
            print(f"{name}: {result['matches_per_pass']} matches, not {matches}", file=sys.stderr)
            self.is_good = False
        rates = [best[program][0] if program in best and best[program][1]["matches_per_pass"] == matches else None
                 for program in self.programs]
        return rates, result

    def table(self, wanted):
        peers = [program for program in self.programs if program != "riposte"]
        heads = ["rules", "events/s", "us an event", "MB/s"]
        heads += [head for peer in peers for head in (peer, "times")] + ["compiled in", "memory"]
        print("| " + " | ".join(heads) + " |\n|---|" + "---:|" * (len(heads) - 1))
        seen = {}
        for name, files, events, matches in rows(self.folder):
            if not re.search(wanted, name):
                continue
            (own, *others), result = self.run_row(name, files, events, matches)
            seen[name] = own
            cells = [name, f"{own:,.0f}", f"{1e6 / own:.2f}", f"{rate(result, 'bytes') / 1e6:,.0f}"]
            for other in others:
                cells += ["", ""] if other is None else [f"{other:,.0f}", f"**{own / other:.1f}**"]
            cells += [f"{result['compile_seconds'] * 1e3:.1f} ms", f"{result['memory_bytes'] / 2**20:.1f} MiB"]
            print("| " + " | ".join(cells) + " |", flush=True)
        return seen

    def growth(self):
        """One rule and ten thousand in turns, since only their quotient counts."""
        def tail(count):
            return ["--rules", str(self.folder / f"cloudtrail-exact-{count}.json"), "--events",
                    str(self.folder / CLOUDTRAIL), "--seconds", str(self.options.seconds)]
        best = self.best({count: self.programs["riposte"] + tail(count) for count in (1, 10000)}, "events")
        print(f"\nGrowth from 1 to 10,000 exact rules: {best[1][0] / best[10000][0]:.2f} times per event.")

    def scanner(self):
        build = ROOT / self.options.build
        programs = {"riposte": [str(build / "tests" / "scan_bench")]}
        other = self.folder / "simdjson_bench"
        compiled = subprocess.run(["c++", "-std=c++17", "-O3", "-o", str(other),
                                   str(ROOT / "tests" / "bench" / "simdjson_bench.cpp"), "-lsimdjson"], check=False)
        if compiled.returncode == 0:
            programs["simdjson"] = [str(other)]
        texts = {CITYLOTS: [self.folder / CITYLOTS], CLOUDTRAIL: [self.folder / CLOUDTRAIL],
                 "tests/data/events/real": sorted((ROOT / "tests" / "data" / "events" / "real").glob("*.json"))}
        print("\n| texts | scanner GB/s | simdjson DOM GB/s | times |\n|---|---:|---:|---:|")
        for name, files in texts.items():
            tail = [str(self.options.seconds)] + [str(file) for file in files]
            best = self.best({program: command + tail for program, command in programs.items()}, "bytes")
            own = best["riposte"][0] / 1e9
            cells = [name, f"{own:.2f}"]
            if "simdjson" in best:
                cells += [f"{best['simdjson'][0] / 1e9:.2f}", f"**{own * 1e9 / best['simdjson'][0]:.2f}**"]
            print("| " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", default="")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--only", choices=("rules", "growth", "scanner"))
    options = parser.parse_args()
    bench = Bench(options)
    if options.only in (None, "rules"):
        bench.table(options.rows)
    if options.only in (None, "growth"):
        bench.growth()
    if options.only in (None, "scanner"):
        bench.scanner()
    return 0 if bench.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
