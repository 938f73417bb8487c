#!/usr/bin/env python3
"""What systemd says of the unit: how exposed it leaves the service, and whether it understands it.

usage: systemd_test.py
"""
import pathlib
import re
import subprocess
import unittest

SYSTEMD = pathlib.Path(__file__).resolve().parents[2] / "conf/systemd"
MOST = 2.0  # of 10


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, timeout=60)


class Unit(unittest.TestCase):
    def test_exposure(self):
        result = analyze("security", "--offline=true", f"--threshold={round(10 * MOST)}", SYSTEMD / "riposte.service")
        level = re.search(r"Overall exposure level for riposte.service: ([\d.]+)", result.stdout)
        self.assertIsNotNone(level, result.stderr)
        self.assertLessEqual(float(level[1]), MOST, result.stdout)
        self.assertEqual(result.returncode, 0)

    def test_systemd_understands_all_of_it(self):
        for unit in ("riposte.service", "riposte.socket"):
            complaints = [line for line in analyze("verify", "--man=no", SYSTEMD / unit).stderr.splitlines()
                          if "riposte" in line and "is not executable" not in line]
            self.assertEqual(complaints, [])

    def test_users_and_folders(self):
        result = subprocess.run(["systemd-sysusers", "--dry-run", SYSTEMD / "riposte.sysusers"],
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr)
        for line in (SYSTEMD / "riposte.tmpfiles").read_text().splitlines():
            self.assertRegex(line, r"^(#.*|[dz] /\S+ 0[0-7]{3} \w+ \w+ -)$")


if __name__ == "__main__":
    unittest.main()
