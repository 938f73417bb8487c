"""What strangers may do to the port, what they get for it, and that nobody else notices."""
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import socket
import ssl
import statistics
import tempfile
import threading
import time
import unittest

import harness
from harness import SECRET, Riposte

HEAD = f"POST /events HTTP/1.1\r\nHost: x\r\nX-Api-Key: {SECRET}\r\n"
BODY = json.dumps(harness.fresh(harness.sample("console-mfa.json")))
SANITIZED = any(name in pathlib.Path(harness.BINARY).read_bytes() for name in (b"__asan_init", b"__tsan_init"))
HONEST_MS = 1000 if SANITIZED else 100
REQUEST_S = 10  # what the server allows for a handshake and a request's head, then for its body
CLOSED = 0  # without an answer


def tls(port, version=None):
    context = ssl._create_unverified_context()
    if version:
        context.maximum_version = version
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), 5))


def read_answer(lines):
    """(status, headers); 0: the connection ended."""
    try:
        first = lines.readline()
        if not first:
            return CLOSED, {}
        headers = {}
        while (line := lines.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        lines.read(int(headers.get("content-length", 0)))
        return int(first.split()[1]), headers
    except OSError:
        return CLOSED, {}


def exchange(port, request):
    """(all statuses in the answer, whether the connection was closed then). The body of a refusal by libmicrohttpd
    itself is not looked at: it may say the head twice."""
    with tls(port) as connection:
        connection.settimeout(0.25)
        with contextlib.suppress(OSError):
            connection.sendall(request.encode("latin-1"))
        data, is_closed = b"", False
        with contextlib.suppress(TimeoutError, ssl.SSLWantReadError):
            while not is_closed:
                try:
                    part = connection.recv(65536)
                except (ConnectionError, ssl.SSLEOFError):
                    part = b""
                data, is_closed = data + part, not part
    return {int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", data)}, is_closed


def with_body(*headers, body=BODY):
    return HEAD + "".join(f"{header}\r\n" for header in headers) + "\r\n" + body


LENGTH = f"Content-Length: {len(BODY)}"
CHUNK = f"{len(BODY):x}\r\n{BODY}\r\n"

# name, request, what is answered: nothing but that, and the connection is closed unless it is 200 or 404
SHAPES = [
    ("an honest one", with_body(LENGTH), [200]),
    ("lengths that differ", with_body(LENGTH, "Content-Length: 5"), [400]),
    ("a length twice", with_body(LENGTH, LENGTH), [400]),
    ("a length and chunks", with_body(LENGTH, "Transfer-Encoding: chunked"), [400]),
    ("chunks and a length", with_body("Transfer-Encoding: chunked", LENGTH), [400]),
    ("chunked twice", with_body("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), [400]),
    ("an encoding beside chunked", with_body("Transfer-Encoding: gzip, chunked"), [400]),
    ("an unknown encoding", with_body("Transfer-Encoding: xchunked"), [400]),
    ("an encoding with a tab", with_body("Transfer-Encoding: \x0bchunked"), [400]),
    ("a folded encoding", with_body("Transfer-Encoding:", " chunked"), [400]),
    ("a folded length", with_body("Content-Length:", f" {len(BODY)}"), [400]),
    ("a space before the colon", with_body(f"Content-Length : {len(BODY)}"), [400]),
    ("a header without a colon", with_body(LENGTH, "nonsense"), [400]),
    ("a negative length", with_body("Content-Length: -1"), [400]),
    ("a length with a sign", with_body(f"Content-Length: +{len(BODY)}"), [400]),
    ("a hexadecimal length", with_body("Content-Length: 0x10"), [400]),
    ("a list of lengths", with_body(f"Content-Length: {len(BODY)}, {len(BODY)}"), [400]),
    ("an empty length", with_body("Content-Length:"), [400]),
    ("a length beyond 64 bits", with_body("Content-Length: 99999999999999999999"), [413]),
    ("a huge length", with_body("Content-Length: 9223372036854775807"), [413]),
    ("no Host", with_body(LENGTH).replace("Host: x\r\n", ""), [400]),
    ("chunks", with_body("Transfer-Encoding: chunked", body=CHUNK + "0\r\n\r\n"), [200]),
    ("chunks with an extension", with_body("Transfer-Encoding: chunked",
                                           body=CHUNK.replace("\r\n", ";a=b\r\n", 1) + "0\r\n\r\n"), [200]),
    ("a chunk of a strange size", with_body("Transfer-Encoding: chunked", body="zz\r\n" + BODY), [400]),
    ("a negative chunk", with_body("Transfer-Encoding: chunked", body="-5\r\n" + BODY), [400]),
    ("a chunk beyond 64 bits", with_body("Transfer-Encoding: chunked", body="fffffffffffffffff\r\nx"), [413]),
    ("a chunk without an end", with_body("Transfer-Encoding: chunked", body="5\r\nhelloworld\r\n0\r\n\r\n"), [400]),
    ("a request in a body too long", with_body("Content-Length: 2", body="{}" + "GET /readyz HTTP/1.1\r\n\r\n"),
     [400]),
    ("headers of 20 KB", with_body(LENGTH, f"X-Long: {'a' * 20000}"), [431]),
    ("a flood of headers", with_body(LENGTH, *(f"X-{i}: b" for i in range(5000))), [431]),
    ("a path of 40 KB", f"GET /{'a' * 40000} HTTP/1.1\r\nHost: x\r\n\r\n", [414]),
    ("a bad escape", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
    ("an escape cut short", "GET /healthz% HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
    ("an escaped end", "GET /healthz%00 HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
    ("the folder above", "GET /x/%2e%2e/healthz HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
    ("an escaped letter is that letter", "GET /%68ealthz HTTP/1.1\r\nHost: x\r\n\r\n", [200]),
    ("not HTTP", "hello\r\n\r\n", []),
    ("another version", "GET /healthz HTTP/3.0\r\nHost: x\r\n\r\n", [505]),
    ("HTTP/2 as if agreed", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505]),
    ("nothing", "\r\n\r\n\r\n\r\n", []),
]


class Server(unittest.TestCase):
    @classmethod
    def start(cls, **listen):
        folder = tempfile.mkdtemp(prefix="riposte-")
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.server = Riposte(folder, settings={"listen": listen, "drain": "0s"}).start()
        cls.addClassCleanup(cls.server.stop)
        cls.port = cls.server.port

    def assert_honest_served(self):
        times = []
        for _ in range(5):
            began = time.monotonic()
            status, answer = self.server.post(BODY)
            times.append((time.monotonic() - began) * 1000)
            self.assertEqual(status, 200, answer)
        self.assertLess(statistics.median(times), HONEST_MS, times)


class Slow(threading.Thread):
    """A connection that sends a byte now and then; ended_s: how long the server bore it."""

    def __init__(self, port, first, byte=b"x", is_tls=True):
        super().__init__(daemon=True)
        self.ended_s = None
        self._byte, self._began = byte, time.monotonic()
        self._connection = tls(port) if is_tls else socket.create_connection(("127.0.0.1", port), 5)
        self._connection.settimeout(0.4)
        if first:
            self._connection.sendall(first.encode() if isinstance(first, str) else first)
        self.start()

    def run(self):
        while time.monotonic() - self._began < 2 * REQUEST_S:
            try:
                if not self._connection.recv(4096):
                    break
            except (TimeoutError, ssl.SSLWantReadError):
                pass
            except OSError:
                break
            with contextlib.suppress(OSError):
                if self._byte:
                    self._connection.sendall(self._byte)
        self.ended_s = time.monotonic() - self._began
        self._connection.close()


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = ssl._create_unverified_context().wrap_bio(incoming, outgoing)
    with contextlib.suppress(ssl.SSLWantReadError):
        session.do_handshake()
    return outgoing.read()


class Shapes(Server):
    @classmethod
    def setUpClass(cls):
        cls.start()
        hello = client_hello()
        cls.slow = {
            "connects and waits": Slow(cls.port, None, None, is_tls=False),
            "half a ClientHello": Slow(cls.port, hello[:len(hello) // 2], None, is_tls=False),
            "a ClientHello and no more": Slow(cls.port, hello, None, is_tls=False),
            "a handshake and no more": Slow(cls.port, None, None),
            "a slow head": Slow(cls.port, "GET /healthz HTTP/1.1\r\nX-Slow: "),
            "a slow head with the secret": Slow(cls.port, HEAD + "X-Slow: "),
            "a slow body": Slow(cls.port, with_body("Content-Length: 1000", body="{")),
            "slow chunks": Slow(cls.port, with_body("Transfer-Encoding: chunked", body=""), b"1\r\nx\r\n"),
            "a length that lies": Slow(cls.port, with_body(f"Content-Length: {len(BODY) + 1}"), None),
        }
        cls.cpu_began, cls.began = cls.cpu_s(), time.monotonic()

    @classmethod
    def cpu_s(cls):
        return time.clock_gettime((~cls.server.process.pid << 3) | 2)

    def test_a_every_shape(self):
        for name, request, expected in SHAPES:
            with self.subTest(name):
                found, is_closed = exchange(self.port, request)
                self.assertEqual(found, set(expected))
                self.assertTrue(is_closed or expected in ([200], [404], []))
        self.assert_honest_served()

    def test_b_pipelined(self):
        count = 50
        with tls(self.port) as connection, connection.makefile("rb") as lines:
            connection.sendall((with_body(LENGTH) + "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n").encode() * count)
            found = [read_answer(lines)[0] for _ in range(2 * count)]
        self.assertEqual(found, [200, 404] * count)

    def test_c_pipelined_by_one_who_does_not_read(self):
        count = 20000
        with tls(self.port) as connection, connection.makefile("rb") as lines:
            sent = threading.Thread(target=connection.sendall,
                                    args=(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * count,), daemon=True)
            sent.start()
            self.assert_honest_served()
            found = [read_answer(lines)[0] for _ in range(count)]
            sent.join(5)
        self.assertEqual(found, [200] * count)

    def test_d_garbage_instead_of_tls(self):
        random.seed(6)
        hello = client_hello()
        for number in range(150):
            data = bytearray(hello if number % 2 else os.urandom(random.randrange(1, 2000)))
            for _ in range(number % 7):
                data[random.randrange(len(data))] = random.randrange(256)
            with socket.create_connection(("127.0.0.1", self.port), 5) as raw, contextlib.suppress(OSError):
                raw.sendall(data)
                if number % 10 == 0:
                    raw.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
                if number % 3 == 0:
                    raw.shutdown(socket.SHUT_WR)
        self.assert_honest_served()

    def test_e_wrong_secrets(self):
        """Too many are told to go away; a neighbour at the same address who has the secret is not."""
        found = [self.server.post(BODY, "wrong-secret-0123456789")[0] for _ in range(40)]
        self.assertEqual(found[:10], [401] * 10)
        self.assertEqual(found[30:], [429] * 10)
        status, headers, _ = self.server.request("POST", "/events", BODY, {"X-Api-Key": "wrong"})
        self.assertEqual((status, headers["Retry-After"], headers["Connection"]), (429, "30", "close"))
        self.assert_honest_served()

    def test_z_the_slow_ones_were_closed_and_cost_nothing(self):
        self.assert_honest_served()
        for name, slow in self.slow.items():
            with self.subTest(name):
                slow.join(2 * REQUEST_S)
                self.assertIsNotNone(slow.ended_s)
                self.assertGreater(slow.ended_s, REQUEST_S - 1.5)
                self.assertLess(slow.ended_s, REQUEST_S + 4)


class Waiting(Server):
    def test_half_handshakes_do_not_spin(self):
        self.start()
        hello = client_hello()
        with contextlib.ExitStack() as stack:
            for part in (hello[:100], hello):
                for _ in range(4):
                    raw = stack.enter_context(socket.create_connection(("127.0.0.1", self.port), 5))
                    raw.sendall(part)
            time.sleep(0.2)
            pid = self.server.process.pid
            before = time.clock_gettime((~pid << 3) | 2)
            time.sleep(0.5)
            used = time.clock_gettime((~pid << 3) | 2) - before
        self.assertLess(used, 0.1)


class Crowds(Server):
    def test_a_crowd_that_says_nothing_gives_way(self):
        self.start(connections=64, connections_per_address=0)
        with contextlib.ExitStack() as stack:
            kept = stack.enter_context(contextlib.closing(self.server.connection()))
            kept.request("POST", "/events", BODY, {"X-Api-Key": SECRET})
            self.assertEqual(kept.getresponse().read()[:1], b"{")
            for number in range(200):
                raw = stack.enter_context(socket.create_connection(("127.0.0.1", self.port), 5))
                if number % 2:
                    raw.sendall(b"\x16\x03\x01")
            self.assert_honest_served()
            kept.request("POST", "/events", BODY, {"X-Api-Key": SECRET})
            self.assertEqual(kept.getresponse().status, 200, "who was let in stays")
        _, metrics = self.server.admin("/metrics")
        self.assertIn(b'riposte_http_crowded_out_total{listener="intake"} 1', metrics)

    def test_one_address_has_its_share(self):
        self.start(connections_per_address=16)
        with contextlib.ExitStack() as stack:
            for _ in range(16):
                stack.enter_context(tls(self.port))
            with self.assertRaises(OSError):
                stack.enter_context(tls(self.port))
            with socket.create_connection(("127.0.0.1", self.port), 5, ("127.0.0.2", 0)) as other:
                with ssl._create_unverified_context().wrap_socket(other) as connection:
                    connection.sendall(with_body(LENGTH).encode())
                    self.assertEqual(connection.recv(12), b"HTTP/1.1 200")


if __name__ == "__main__":
    unittest.main(verbosity=2)
