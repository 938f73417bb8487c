#!/usr/bin/env python3
"""The same source gives the same bytes, in whatever folder, at whatever time and by whomever it is built: of two
layers here; tests/container/run.sh and tests/package/run.sh compare the server.

usage: reproducible_test.py CMAKE
"""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CMAKE = sys.argv.pop(1) if len(sys.argv) > 1 else "cmake"
SOURCES = ("CMakeLists.txt", "cmake", "include", "server", "docs")
LAYERS = ("riposte_base", "riposte_json")


def build(source, folder, **environment):
    """The digests of what was made, and the files."""
    source.mkdir(parents=True)
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    environment = {**os.environ, "CCACHE_DISABLE": "1", **environment}
    for command in ([CMAKE, "-G", "Ninja", "-S", source, "-B", folder, "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                     "-DRIPOSTE_SERVER=OFF", "-DRIPOSTE_TESTS=OFF"], [CMAKE, "--build", folder, "--target", *LAYERS]):
        subprocess.run([str(part) for part in command], check=True, env=environment, stdout=subprocess.DEVNULL, timeout=300)
    made = [folder / f"lib{layer}.a" for layer in LAYERS]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made}, made


class Reproducible(unittest.TestCase):
    def test_twice(self):
        with tempfile.TemporaryDirectory(prefix="riposte-twice-") as name:
            folder = pathlib.Path(name)
            first, made = build(folder / "a", folder / "a/build/release", TZ="UTC", LC_ALL="C")
            second, _ = build(folder / "elsewhere/b", folder / "out", TZ="Asia/Tokyo", LC_ALL="C.UTF-8")
            self.assertEqual(first, second)
            for path in made:
                self.assertNotIn(os.fsencode(name), path.read_bytes())


if __name__ == "__main__":
    unittest.main()
