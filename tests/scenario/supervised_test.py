"""As systemd starts the server: it is told how it goes, and gives its sockets."""
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

import harness
from harness import BINARY, Riposte

# What systemd does between fork and exec: descriptors from 3 on, and the pid they are meant for.
STARTER = """
import os, sys
count = int(sys.argv[1])
for target, source in enumerate(map(int, sys.argv[2:2 + count]), 3):
    os.dup2(source, target) if source != target else os.set_inheritable(target, True)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2 + count], sys.argv[2 + count:])
"""


class Supervised(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="riposte-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.ear.close)
        self.ear.bind(str(pathlib.Path(self.folder) / "notify"))
        self.ear.settimeout(30)
        self.server = Riposte(self.folder, settings={"drain": "0s"})

    def heard(self, wanted):
        while True:
            lines = self.ear.recv(4096).decode().split("\n")
            if wanted in lines:
                return lines

    def start(self, sockets=(), **environment):
        high = [os.dup2(opened.fileno(), 200 + number) for number, opened in enumerate(sockets)]
        with open(self.server.log_path, "ab") as log:
            self.server.process = subprocess.Popen(
                [sys.executable, "-c", STARTER, str(len(high)), *map(str, high), BINARY, "serve", "-c",
                 str(self.server.settings_path)], stderr=log, stdout=log, stdin=subprocess.DEVNULL, pass_fds=high,
                env={**self.server.environment, "NOTIFY_SOCKET": str(pathlib.Path(self.folder) / "notify"),
                     **environment})
        for descriptor in high:
            os.close(descriptor)
        self.addCleanup(self.server.stop, signal.SIGKILL)

    def test_it_says_how_it_goes(self):
        self.start(WATCHDOG_USEC="400000")
        self.heard("READY=1")
        self.assertEqual(self.server.request("GET", "/readyz")[0], 200, "ready means ready")
        self.heard("WATCHDOG=1")
        self.server.process.send_signal(signal.SIGHUP)
        reloading = self.heard("RELOADING=1")
        self.assertTrue(reloading[1].startswith("MONOTONIC_USEC="))
        self.heard("READY=1")
        self.server.process.send_signal(signal.SIGTERM)
        self.heard("STOPPING=1")
        self.assertEqual(self.server.process.wait(20), 0)

    def test_it_takes_the_sockets_it_is_given(self):
        with socket.create_server(("127.0.0.1", 0)) as intake, socket.create_server(("127.0.0.1", 0)) as admin:
            self.start((admin, intake), LISTEN_FDS="2", LISTEN_FDNAMES="admin:intake")
            self.heard("READY=1")
            self.server.port, self.server.admin_port = intake.getsockname()[1], admin.getsockname()[1]
            event = harness.fresh(harness.sample("terraform-no-mfa.json"))
            self.assertEqual(self.server.post(event)[0], 202)
            self.assertEqual(self.server.admin("/v1/rules")[0], 200)
            self.assertEqual(self.server.stop(), 0)
            with socket.create_connection(intake.getsockname(), 5) as waiting:
                self.start((admin, intake), LISTEN_FDS="2", LISTEN_FDNAMES="admin:intake")
                self.heard("READY=1")
                self.assertEqual(self.server.post(event)[0], 200, "known: the same journal")
                with ssl._create_unverified_context().wrap_socket(waiting) as connection:
                    connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
                    self.assertEqual(connection.recv(12), b"HTTP/1.1 200", "it came while nobody served")

    def test_a_single_socket_is_for_events(self):
        with socket.create_server(("127.0.0.1", 0)) as intake:
            self.start((intake,), LISTEN_FDS="1", LISTEN_FDNAMES="riposte.socket")
            self.heard("READY=1")
            self.server.port = intake.getsockname()[1]
            self.assertEqual(self.server.request("GET", "/readyz")[0], 200)

    def test_sockets_it_can_not_use_are_refused(self):
        for kind, names, said in ((socket.SOCK_STREAM, "intake", "no stream socket that listens"),
                                  (socket.SOCK_DGRAM, "intake", "no stream socket that listens"),
                                  (socket.SOCK_STREAM, "http:https", 'LISTEN_FDNAMES: \\"http\\"')):
            with self.subTest(names), socket.socket(socket.AF_INET, kind) as other:
                self.start((other,) * (names.count(":") + 1), LISTEN_FDS=str(names.count(":") + 1),
                           LISTEN_FDNAMES=names)
                self.assertEqual(self.server.process.wait(20), 1)
                self.assertIn(said, self.server.log())


if __name__ == "__main__":
    unittest.main(verbosity=2)
