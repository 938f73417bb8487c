#!/usr/bin/env python3
"""The server as cmake installs it: each file where its reader looks, and the shipped settings good where they stand.

usage: install_test.py BUILD-FOLDER CMAKE
"""
import datetime
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD, CMAKE = sys.argv[1:3]
DATA = re.compile(r"(rules|playbooks|events)/[\w.-]+\.json$")


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="riposte-server-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.prefix = pathlib.Path(cls.folder.name) / "usr"
        environment = {name: value for name, value in os.environ.items() if name != "DESTDIR"}
        for component in ("server", "systemd"):
            subprocess.run([CMAKE, "--install", BUILD, "--component", component, "--prefix", cls.prefix], check=True,
                           env=environment, stdout=subprocess.DEVNULL, timeout=60)

    def test_every_file_has_its_place(self):
        files = {str(path.relative_to(self.prefix)) for path in self.prefix.glob("**/*") if path.is_file()}
        self.assertEqual({name for name in files if not DATA.search(name)}, {
            "bin/riposte", "etc/riposte/riposte.json",
            "share/man/man1/riposte.1", "share/man/man5/riposte.json.5", "share/man/man5/riposte-rules.5",
            "share/bash-completion/completions/riposte", "share/zsh/site-functions/_riposte",
            "lib/systemd/system/riposte.service", "lib/systemd/system/riposte.socket",
            "lib/sysusers.d/riposte.conf", "lib/tmpfiles.d/riposte.conf"})
        for name in ("rules", "playbooks", "events"):
            shipped = {path.name for path in (ROOT / "conf" / name).glob("*.json")}
            self.assertEqual({path.name for path in (self.prefix / "etc/riposte" / name).iterdir()}, shipped)

    def test_all_say_the_same_version(self):
        version = subprocess.run([self.prefix / "bin/riposte", "version"], capture_output=True, text=True, check=True,
                                 timeout=60).stdout.split()[1]
        changes = (ROOT / "debian/changelog").read_text()
        self.assertEqual(re.search(r"^riposte \((.*?)\)", changes)[1], version)
        self.assertEqual(re.search(r'image.version="(.*?)"', (ROOT / "Dockerfile").read_text())[1], version)
        date = datetime.datetime.strptime(re.search(r"^ -- .*>  (.*)$", changes, re.M)[1], "%a, %d %b %Y %H:%M:%S %z")
        self.assertIn(f" {date:%Y-%m-%d} ", (self.prefix / "share/man/man1/riposte.1").read_text().partition("\n")[0])

    def test_the_settings_are_good_where_they_stand(self):
        subprocess.run([self.prefix / "bin/riposte", "check", "-c", self.prefix / "etc/riposte/riposte.json"],
                       check=True, stdout=subprocess.DEVNULL, timeout=60)

    def test_the_unit_names_what_is_installed_with_it(self):
        unit = (self.prefix / "lib/systemd/system/riposte.service").read_text()
        start = re.search(r"^ExecStart=(\S+) serve -c (\S+)$", unit, re.M)
        configured = dict(re.findall(r"^CMAKE_INSTALL_(PREFIX|SYSCONFDIR):\w+=(.*)$",
                                     (pathlib.Path(BUILD) / "CMakeCache.txt").read_text(), re.M))
        self.assertEqual(start[1], f"{configured['PREFIX']}/bin/riposte")
        self.assertTrue(start[2].endswith("/etc/riposte/riposte.json"), start[2])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
