"""Settings, rules, secrets and certificate are replaced while the server runs: all or nothing, and nobody is turned away."""
import contextlib
import datetime
import http.client
import json
import pathlib
import shutil
import signal
import socket
import ssl
import tempfile
import threading
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import harness
from harness import Riposte

NEXT_SECRET = "the-secret-that-comes-next"
EVENT = "terraform-no-mfa.json"
PEM = serialization.Encoding.PEM


class Authority:
    """A root that clients trust, and an authority below it that issues."""

    def __init__(self):
        self._root_key, self._key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.root = self._sign("root", self._root_key.public_key(), "root", self._root_key, is_authority=True)
        self._below = self._sign("below", self._key.public_key(), "root", self._root_key, is_authority=True)

    @staticmethod
    def _sign(name, key, issuer, issuer_key, is_authority=False):
        today = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder(
            x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]),
            x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]), key, x509.random_serial_number(),
            today - datetime.timedelta(days=1), today + datetime.timedelta(days=90)).add_extension(
                x509.BasicConstraints(is_authority, None), critical=True)
        if not is_authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return builder.sign(issuer_key, hashes.SHA256())

    def issue(self, name):
        """(certificate and chain, key, serial number)."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(name, key.public_key(), "below", self._key)
        return (b"".join(c.public_bytes(PEM) for c in (certificate, self._below)), key.private_bytes(
            PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()), certificate.serial_number)

    def trusting_context(self):
        return ssl.create_default_context(cadata=self.root.public_bytes(PEM).decode())


def serial(connection):
    """Of the certificate that this connection was opened with."""
    return x509.load_der_x509_certificate(connection.sock.getpeercert(binary_form=True)).serial_number


class Reload(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="riposte-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.rules = self.folder / "rules"
        shutil.copytree(harness.ROOT / "conf" / "rules", self.rules)
        shutil.copytree(harness.ROOT / "conf" / "events", self.folder / "events")
        self.secret = self.folder / "secret"
        self.secret.write_text(harness.SECRET)
        self.make_certificate("first")
        (self.folder / "token").write_text(harness.TOKEN)
        self.server = Riposte(self.folder, settings={
            "admin": {"token": f"file:{self.folder}/token"},
            "rules": str(self.rules),
            "listen": {"certificate": str(self.folder / "server.pem"),
                       "key": str(self.folder / "server.key")},
            "authenticate": {"secrets": [f"file:{self.secret}"]}}).start()
        self.addCleanup(self.server.stop, signal.SIGKILL)

    def make_certificate(self, name):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        today = datetime.datetime.now(datetime.timezone.utc)
        certificate = x509.CertificateBuilder(
            subject, subject, key.public_key(), x509.random_serial_number(),
            today - datetime.timedelta(days=1), today + datetime.timedelta(days=1)).sign(
                key, hashes.SHA256())
        (self.folder / "server.pem").write_bytes(certificate.public_bytes(PEM))
        (self.folder / "server.key").write_bytes(key.private_bytes(
            PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))

    def event(self):
        return harness.fresh(harness.sample(EVENT))

    def reload(self, expected=0):
        """As an operator does; its output."""
        done = self.server.cli("reload", "-c", str(self.server.settings_path))
        self.assertEqual(done.returncode, expected, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def settings(self, **changes):
        document = json.loads(self.server.settings_path.read_text())
        for name, value in changes.items():
            document[name] = {**document[name], **value} if isinstance(value, dict) else value
        self.server.settings_path.write_text(json.dumps(document))

    def fired(self):
        status, answer = self.server.post(self.event())
        self.assertIn(status, (200, 202), answer)
        return [incident["rule"] for incident in answer.get("incidents", [])]

    def test_a_rule_comes_and_goes(self):
        rule = self.rules / "termination-protection-disabled.json"
        kept = rule.read_text()
        rule.unlink()
        self.assertEqual(self.fired(), ["termination-protection-disabled"], "nothing was read yet")
        self.server.process.send_signal(signal.SIGHUP)
        harness.wait_for("the reload", lambda: '"SIGHUP"' in self.server.log(), 10)
        self.assertEqual(self.fired(), [])
        rule.write_text(kept)
        self.assertEqual(self.reload(), "reloaded\n")
        self.assertEqual(self.fired(), ["termination-protection-disabled"])

    def test_a_wrong_file_changes_nothing(self):
        self.secret.write_text(NEXT_SECRET)
        (self.rules / "broken.json").write_text('{\n  "name": "broken",\n  "patern": {}\n}\n')
        said = self.reload(expected=1)
        self.assertIn("broken.json:3:3: ", said)
        self.assertIn("not reloaded", said)
        self.assertEqual(self.fired(), ["termination-protection-disabled"], "with the old secret")
        self.assertEqual(self.server.request("GET", "/readyz")[0], 200)
        status, metrics = self.server.admin("/metrics")
        self.assertEqual(status, 200)
        self.assertIn(b'riposte_reloads_total{outcome="refused"} 1', metrics)

    def test_what_needs_a_restart_is_refused_by_name(self):
        self.settings(workers=3, listen={"port": harness.free_port()}, mode="enforce")
        said = self.reload(expected=1)
        self.assertIn("a change of listen.port, workers needs a restart", said)
        self.assertEqual(self.server.request("GET", "/readyz")[0], 200)
        self.server.post(self.event())
        self.assertEqual(self.server.admin("/v1/incidents")[1]["incidents"][0]["mode"], "observe")

    def test_a_secret_rotates(self):
        self.settings(authenticate={"secrets": [f"file:{self.secret}", f"file:{self.secret}.next"]})
        (self.folder / "secret.next").write_text(NEXT_SECRET)
        self.assertEqual(self.server.post(self.event(), NEXT_SECRET)[0], 401)
        self.reload()
        for secret in (harness.SECRET, NEXT_SECRET):
            self.assertEqual(self.server.post(self.event(), secret)[0], 202)
        self.settings(authenticate={"secrets": [f"file:{self.secret}.next"]})
        self.reload()
        self.assertEqual(self.server.post(self.event(), harness.SECRET)[0], 401)
        self.assertEqual(self.server.post(self.event(), NEXT_SECRET)[0], 202)
        (self.folder / "secret.next").write_text("")
        self.assertIn("authenticate.secrets: none is set", self.reload(expected=1))
        self.assertEqual(self.server.post(self.event(), NEXT_SECRET)[0], 202)

    def test_without_a_token_nobody_could_act_any_more(self):
        (self.folder / "token").write_text("")
        status, answer = self.server.admin("/v1/reload", "POST")
        self.assertEqual(status, 409)
        self.assertIn("admin.token: none is set any more", answer["error"])
        (self.folder / "token").write_text("the-token-that-comes-next")
        self.assertEqual(self.server.admin("/v1/reload", "POST")[0], 200, "with the old token")
        self.assertEqual(self.server.admin("/v1/rules")[0], 401)
        self.assertEqual(self.server.admin("/v1/rules", token="the-token-that-comes-next")[0], 200)

    def shown_certificate(self):
        return ssl.get_server_certificate(("127.0.0.1", self.server.port))

    def test_a_certificate_is_replaced(self):
        first = (self.folder / "server.pem").read_text()
        self.assertEqual(self.shown_certificate(), first)
        with contextlib.closing(self.server.connection()) as kept:
            kept.request("GET", "/healthz")
            kept.getresponse().read()
            key = (self.folder / "server.key").read_text()
            self.make_certificate("second")
            second = (self.folder / "server.pem").read_text()
            self.assertEqual(self.shown_certificate(), first, "nothing was read yet")
            self.reload()
            self.assertEqual(self.shown_certificate(), second)
            kept.request("GET", "/healthz")
            self.assertEqual(kept.getresponse().status, 200, "a connection that was open goes on")
        (self.folder / "server.key").write_text(key)
        self.assertIn("the private key is not the one", self.reload(expected=1))
        self.assertEqual(self.shown_certificate(), second)

    def test_a_renewal_as_on_one_host(self):
        """Certificate and chain of an authority, renewed as certbot does: links moved to new files, then SIGHUP.
        Clients that trust the authority alone and ask for the name are served all the time."""
        authority = Authority()
        (self.folder / "server.pem").unlink()
        (self.folder / "server.key").unlink()
        self.server.stop(signal.SIGKILL)
        first = self.renew(authority, 1)
        self.server.start()
        context = authority.trusting_context()
        wrong, counts, ended = [], [], threading.Event()

        def bridge():
            while not ended.is_set():
                try:
                    with contextlib.closing(self.trusting(context)) as connection:
                        connection.request("POST", "/events", json.dumps(self.event()), {"X-Api-Key": harness.SECRET})
                        counts.append(connection.getresponse().status)
                except (OSError, http.client.HTTPException) as problem:
                    wrong.append(problem)

        poster = threading.Thread(target=bridge)
        poster.start()
        with contextlib.closing(self.trusting(context)) as kept:
            kept.connect()
            self.assertEqual(serial(kept), first)
            second = self.renew(authority, 2)
            self.server.process.send_signal(signal.SIGHUP)
            harness.wait_for("the new certificate", lambda: self.shown_serial(context) == second, 10)
            kept.request("GET", "/healthz")
            self.assertEqual(kept.getresponse().status, 200, "a connection that was open goes on")
            self.assertEqual(serial(kept), first)
        so_far = len(counts)
        harness.wait_for("more events", lambda: wrong or len(counts) > so_far + 3)
        ended.set()
        poster.join()
        self.assertEqual((wrong, set(counts)), ([], {202}))

    def renew(self, authority, number):
        """New files; links to them take the place of those before, each at once. The serial number."""
        chain, key, made = authority.issue("riposte.example.com")
        for link, target, content in (("server.pem", f"fullchain{number}.pem", chain),
                                      ("server.key", f"privkey{number}.pem", key)):
            (self.folder / target).write_bytes(content)
            (self.folder / "next").symlink_to(target)
            (self.folder / "next").replace(self.folder / link)
        return made

    def trusting(self, context):
        connection = http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=30, context=context)
        connection.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", self.server.port), 30),
                                              server_hostname="riposte.example.com")
        connection.connect = lambda: None
        return connection

    def shown_serial(self, context):
        with contextlib.closing(self.trusting(context)) as connection:
            return serial(connection)

    def test_nobody_is_turned_away_meanwhile(self):
        ended = threading.Event()
        wrong = []
        counts = []

        def client():
            count = 0
            while not ended.is_set():
                with contextlib.closing(self.server.connection()) as connection:
                    for _ in range(20):
                        connection.request("POST", "/events", json.dumps(self.event()),
                                           {"X-Api-Key": harness.SECRET})
                        answer = connection.getresponse()
                        body = answer.read()
                        count += 1
                        if answer.status not in (200, 202):
                            wrong.append((answer.status, body))
            counts.append(count)

        def guarded():
            try:
                client()
            except (OSError, http.client.HTTPException) as problem:
                wrong.append(problem)

        threads = [threading.Thread(target=guarded) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(50):
            status, answer = self.server.admin("/v1/reload", "POST")
            self.assertEqual(status, 200, answer)
        ended.set()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(len(counts), 2)
        self.assertGreater(min(counts), 0)
        done = self.server.log().count('"reloaded: ')
        self.assertEqual(done, 50)


if __name__ == "__main__":
    unittest.main(verbosity=2)
