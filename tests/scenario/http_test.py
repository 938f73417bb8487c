"""What bad input gets, over the real server."""
import json
import resource
import shutil
import socket
import ssl
import tempfile
import unittest

import harness
from harness import SECRET, Riposte, sample

MIB = 1024 * 1024


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="riposte-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.server = Riposte(cls.folder, environment={
            "RIPOSTE_SECRET_PREVIOUS": "previous-secret-0123456789"}, settings={
                "authenticate": {"secrets": ["env:RIPOSTE_SECRET",
                                             "env:RIPOSTE_SECRET_PREVIOUS"]}}).start()
        cls.addClassCleanup(cls.server.stop)

    def assert_refused(self, body, status, *words):
        got, answer = self.server.post(body)
        self.assertEqual(got, status, answer)
        for word in words:
            self.assertIn(word, answer["error"])

    def event(self, **changes):
        return harness.fresh(sample("cli-attribute-value.json"), **changes)

    def test_secrets(self):
        event = json.dumps(self.event())
        for name, secret, status in (
                ("right", SECRET, 202), ("previous", "previous-secret-0123456789", 200),
                ("wrong", "wrong-secret-0123456789", 401), ("empty", "", 401),
                ("missing", None, 401), ("a prefix", SECRET[:-1], 401),
                ("longer", SECRET + "x", 401), ("over-long", "x" * 8000, 401)):
            with self.subTest(name):
                self.assertEqual(self.server.post(event, secret)[0], status)

    def test_a_wrong_secret_is_never_logged(self):
        self.server.post(self.event(), "wrong-secret-in-the-log")
        self.assertNotIn("wrong-secret-in-the-log", self.server.log())
        self.assertNotIn(SECRET, self.server.log())

    def test_not_an_event(self):
        whole = json.dumps(self.event())
        for name, body, words in (
                ("empty", b"", ()), ("not JSON", b"hello", ("byte 0",)),
                ("truncated", whole[:-5].encode(), ("byte",)),
                ("not UTF-8", whole.encode().replace(b"aws-cli", b"aws\xff\xfecli"), ("byte",)),
                ("deep", b'{"a":' * 1100 + b"1" + b"}" * 1100, ("deep",)),
                ("a string", b'"x"', ()), ("an empty object", b"{}", ("missing",)),
                ("trailing", whole.encode() + b"{}", ("byte",))):
            with self.subTest(name):
                self.assert_refused(body, 400, *words)

    def test_members(self):
        def without(*path):
            event = self.event()
            place = event
            for name in path[:-1]:
                place = place[name]
            del place[path[-1]]
            return event
        for name in ("source", "detail-type", "account", "region", "time", "detail"):
            with self.subTest(name):
                self.assert_refused(without(name), 400, name)
        event = without("detail", "eventID")
        del event["id"]
        self.assert_refused(event, 400, "eventID", "id")

    def test_a_captured_path_twice(self):
        text = json.dumps(self.event())
        for name, twice in (
                ("id", text[:-1] + ', "id": "other"}'),
                ("account", text[:-1] + ', "account": "999999999999"}'),
                ("detail.eventID", text[:-1] + ', "detail.eventID": "other"}'),
                ("detail.userIdentity", text.replace('"userIdentity": {',
                                                     '"userIdentity": {"arn": "x", ', 1))):
            with self.subTest(name):
                self.assert_refused(twice, 400, "twice")

    def test_too_large(self):
        body = json.dumps(self.event()) + " " * (2 * MIB)
        self.assertEqual(self.server.post(body)[0], 413)

    def test_paths_and_methods(self):
        for method, path, status in (("GET", "/events", 405), ("PUT", "/events", 405),
                                     ("POST", "/nothing", 404), ("GET", "/", 404),
                                     ("GET", "/healthz", 200), ("HEAD", "/healthz", 200),
                                     ("POST", "/healthz", 405)):
            with self.subTest(f"{method} {path}"):
                got, headers, _ = self.server.request(method, path)
                self.assertEqual(got, status)
                if status == 405:
                    self.assertTrue(headers.get("Allow"))

    def test_an_array(self):
        matched, unmatched = self.event(), harness.fresh(sample("console-mfa.json"))
        status, answer = self.server.post([matched, unmatched, matched])
        self.assertEqual(status, 202, answer)
        self.assertEqual([len(event["incidents"]) for event in answer["events"]], [1, 0, 0])
        self.assertEqual(self.server.post([matched])[0], 200)
        fresh = self.event()
        status, answer = self.server.post([fresh, {"not": "an event"}])
        self.assertEqual(status, 400)
        self.assertIn("1", answer["error"])
        self.assertEqual(self.server.post(fresh)[0], 202, "nothing of the bad array was stored")
        self.assertEqual(self.server.post([self.event() for _ in range(1001)])[0], 400)

    def test_expect_and_chunked(self):
        context = ssl._create_unverified_context()
        head = (b"POST /events HTTP/1.1\r\nHost: x\r\nX-Api-Key: " + SECRET.encode() + b"\r\n")
        with socket.create_connection(("127.0.0.1", self.server.port), 10) as raw, \
                context.wrap_socket(raw) as tls, tls.makefile("rb") as answers:
            body = json.dumps(self.event()).encode()
            tls.sendall(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
            self.assertEqual(self.answer(answers)[0], 100)
            tls.sendall(body)
            self.assertEqual(self.answer(answers)[0], 202)
            body = json.dumps(self.event()).encode()
            tls.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body +
                        b"\r\n0\r\n\r\n")
            self.assertEqual(self.answer(answers)[0], 202)

    @staticmethod
    def answer(lines):
        """(status, body) of one answer."""
        status = int(lines.readline().split()[1])
        length = 0
        while (line := lines.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return status, lines.read(length)

    def test_old_tls_is_refused(self):
        context = ssl._create_unverified_context()
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", self.server.port), 10) as raw:
            with self.assertRaises((ssl.SSLError, OSError)):
                context.wrap_socket(raw)

    def test_the_server_has_given_up_what_it_never_needs(self):
        expected = ("0", "0") if harness.is_traced() else ("1", "2")
        with open(f"/proc/{self.server.process.pid}/status", encoding="ascii") as file:
            status = dict(line.split(":\t", 1) for line in file.read().splitlines())
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), expected)

    def test_admin_needs_its_token(self):
        self.assertEqual(self.server.admin("/v1/incidents", token="wrong")[0], 401)
        self.assertEqual(self.server.admin("/metrics", token="")[0], 401)
        status, text = self.server.admin("/metrics")
        self.assertEqual(status, 200)
        self.assertIn(b"# TYPE riposte_", text)


class BadFiles(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="riposte-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def test_serve_refuses_bad_settings(self):
        server = Riposte(self.folder, settings={"modde": "observe"})
        checked = server.cli("check", "-c", str(server.settings_path))
        self.assertEqual(checked.returncode, 1)
        self.assertRegex(checked.stdout, r"riposte\.json:\d+:\d+: .*modde")
        served = server.cli("serve", "-c", str(server.settings_path))
        self.assertEqual(served.returncode, 1)
        self.assertIn("modde", served.stderr + served.stdout)

    def test_serve_needs_a_secret(self):
        server = Riposte(self.folder)
        for secret in ("", "short"):
            server.environment["RIPOSTE_SECRET"] = secret
            served = server.cli("serve", "-c", str(server.settings_path))
            self.assertEqual(served.returncode, 1)
            self.assertIn("RIPOSTE_SECRET", served.stderr)

    def test_shipped_configuration_is_clean(self):
        checked = Riposte(self.folder).cli("check", "-c",
                                           str(harness.ROOT / "conf" / "riposte.json"))
        self.assertEqual(checked.returncode, 0, checked.stdout)

    def test_a_second_server_on_the_journal_is_refused(self):
        server = Riposte(self.folder).start()
        self.addCleanup(server.stop)
        second = server.cli("serve", "-c", str(server.settings_path))
        self.assertEqual(second.returncode, 1)
        self.assertIn("journal", second.stderr)

    def test_full_disk_is_503_and_ready_again_by_itself(self):
        """The journal file may not grow: the kernel refuses, as a full disk does."""
        server = Riposte(self.folder).start()
        self.addCleanup(server.stop)
        pid = server.process.pid
        event = sample("cli-attribute-value.json")
        self.assertEqual(server.post(harness.fresh(event))[0], 202)
        limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, limits[1]))
        refused = harness.fresh(event)
        self.assertEqual(server.post(refused)[0], 503)
        self.assertEqual(server.request("GET", "/readyz")[0], 503)
        self.assertEqual(server.request("GET", "/healthz")[0], 200)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
        harness.wait_for("readiness", lambda: server.request("GET", "/readyz")[0] == 200, 20, 0.1)
        self.assertEqual(server.post(refused)[0], 202)


if __name__ == "__main__":
    unittest.main(verbosity=2)
