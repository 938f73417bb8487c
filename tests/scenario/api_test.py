"""The admin API: every route answers as its description says, also when asked badly; the stream; the command line."""
import contextlib
import copy
import json
import os
import pathlib
import pty
import re
import select
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

import jsonschema

import harness
from harness import BINARY, TOKEN, Moto, Riposte, sample

VIEW = "a-token-that-may-only-look"
UNKNOWN_ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
OPERATE_FOLDER = harness.ROOT / "server" / "operate"
METHODS = ("get", "post", "put", "delete", "patch")
STRANGE = (None, 3, -1, 1.5, "x", "", [], [1], {}, {"strange": 1}, True)
GIVEN = {"rule": "root-used"}


def start(case, mode="observe", **options):
    """A server of the class, with a token that may only look."""
    case.folder = pathlib.Path(tempfile.mkdtemp(prefix="riposte-"))
    case.addClassCleanup(shutil.rmtree, case.folder, ignore_errors=True)
    tokens = [{"name": "watcher", "role": "view", "token": "env:RIPOSTE_VIEW_TOKEN"}]
    case.server = Riposte(case.folder, mode, settings={"admin": {"tokens": tokens}, "drain": "0s"},
                          environment={"RIPOSTE_VIEW_TOKEN": VIEW}, **options).start()
    case.addClassCleanup(case.server.kill)


def post(server, name="cli-attribute-value.json"):
    status, answer = server.post(harness.fresh(sample(name)))
    assert status == 202, (status, answer)
    return answer["incidents"][0]["id"]


class Description:
    """openapi.json, read."""

    def __init__(self, document):
        self.document = document

    def resolve(self, node):
        while "$ref" in node:
            name = node["$ref"]
            node = self.document
            for part in name.removeprefix("#/").split("/"):
                node = node[part]
        return node

    def operations(self):
        """(path, method, operation, its parameters) of each."""
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    operation = item[method]
                    both = item.get("parameters", []) + operation.get("parameters", [])
                    yield path, method, operation, [self.resolve(one) for one in both]

    def errors(self, schema, value):
        whole = {**schema, "components": self.document["components"]}
        return [f"{list(error.absolute_path)}: {error.message}"
                for error in jsonschema.Draft202012Validator(whole).iter_errors(value)]

    def body_schema(self, operation):
        content = operation.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("schema")


class OpenApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.moto = Moto()
        cls.addClassCleanup(cls.moto.stop)
        _, key = cls.moto.user("responder")
        start(cls, "approve", aws=cls.moto.url, key=key)
        status, document = cls.server.admin("/v1/openapi.json")
        assert status == 200
        cls.api = Description(document)
        cls.incident = cls.hold("mallory")

    @classmethod
    def hold(cls, name):
        """A held incident: this user of the emulator's switched off an instance's protection."""
        user, key = cls.moto.user(name)
        instance = cls.moto.instance(protected=False)
        event = harness.by_user(sample("cli-attribute-value.json"), user, key, instance)
        status, answer = cls.server.post(event)
        assert status == 202, answer
        incident = answer["incidents"][0]["id"]
        cls.server.wait_for_state(incident, "held")
        return incident

    def ask(self, path, method, operation, body=None, headers=None, token=TOKEN):
        """The status, after the answer was held against the description."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        status, got, data = self.server.request(method.upper(), path, body, sent, self.server.admin_port)
        described = operation["responses"].get(str(status))
        self.assertIsNotNone(described, f"{method} {path}: {status} is not described: {data}")
        described = self.api.resolve(described)
        for name in described.get("headers", {}):
            self.assertIn(name, got, f"{method} {path}: {status}")
        for content_type, content in described["content"].items():
            self.assertTrue(got["Content-Type"].startswith(content_type), got)
            if content_type == "application/json":
                errors = self.api.errors(content["schema"], data)
                self.assertEqual(errors, [], f"{method} {path}: {status}: {json.dumps(data)[:2000]}")
        return status

    def url(self, path, **more):
        """With the path's parameters filled in."""
        values = {"id": self.incident, "name": "root-used", **more}
        return re.sub(r"{(\w+)}", lambda match: values[match[1]], path)

    def required(self, parameters):
        return "&".join(f"{one['name']}={one['schema']['enum'][0]}" for one in parameters if one.get("required")
                        and one["in"] == "query")

    def good_body(self, operation):
        schema = self.api.body_schema(operation)
        if schema is None:
            return None
        return {"event": sample("cli-attribute-value.json")} if "Question" in str(schema) else {}

    def each(self):
        """Those that answer at once and end."""
        for path, method, operation, parameters in self.api.operations():
            if operation["operationId"] != "stream":
                yield path, method, operation, parameters

    def test_the_description_holds_together(self):
        jsonschema.Draft202012Validator.check_schema({"$defs": self.api.document["components"]["schemas"]})
        self.assertEqual(self.api.document["openapi"], "3.1.0")
        names = [operation["operationId"] for _, _, operation, _ in self.api.operations()]
        self.assertEqual(len(names), len(set(names)))
        for name in re.findall(r'"\$ref": "([^"]+)"', json.dumps(self.api.document)):
            self.api.resolve({"$ref": name})
        for path, method, operation, parameters in self.api.operations():
            with self.subTest(f"{method} {path}"):
                named = {one["name"] for one in parameters if one["in"] == "path"}
                self.assertEqual(named, set(re.findall(r"{(\w+)}", path)))
                self.assertTrue(operation["summary"])

    def test_it_is_the_file_in_the_tree(self):
        self.assertEqual(self.api.document, json.loads((OPERATE_FOLDER / "openapi.json").read_text()))

    def test_good_requests(self):
        for path, method, operation, parameters in self.each():
            with self.subTest(f"{method} {path}"):
                body = self.good_body(operation)
                query = self.required(parameters)
                status = self.ask(f"{self.url(path)}?{query}", method, operation,
                                  None if body is None else json.dumps(body))
                if not path.endswith(("dismiss", "undo", "approve")):
                    self.assertEqual(status, 200)
                else:
                    self.assertIn(status, (200, 202, 409))

    def test_an_act_again_changes_nothing(self):
        incident = self.hold("oscar")
        for verb, ends in (("approve", ("done", "failed")), ("undo", ("released",))):
            operation = self.api.document["paths"][f"/v1/incidents/{{id}}/{verb}"]["post"]
            self.assertEqual(self.ask(f"/v1/incidents/{incident}/{verb}", "post", operation), 202, verb)
            self.server.wait_for_state(incident, *ends)
            self.assertEqual(self.ask(f"/v1/incidents/{incident}/{verb}", "post", operation), 200, verb)
        lines = [line for line in self.server.admin("/v1/audit")[1]["lines"] if line.get("incident") == incident]
        self.assertEqual([line["event"] for line in lines if line.get("actor") == "admin"],
                         ["approve", "responding", "releasing"])

    def test_optional_parameters(self):
        operation = self.api.document["paths"]["/v1/incidents"]["get"]
        for query in ("state=held,done", "rule=root-used", "severity=high", f"account={harness.ACCOUNT}",
                      "principal=mallory", "since=2026-01-01T00:00:00Z", "until=2026-01-01T00:00:00.5Z", "limit=1"):
            with self.subTest(query):
                self.assertEqual(self.ask(f"/v1/incidents?{query}", "get", operation), 200)
        _, page = self.server.admin("/v1/incidents?limit=1")
        self.assertEqual(self.ask(f"/v1/incidents?limit=1&cursor={page['next']}", "get", operation), 200)

    def test_head_is_get_without_the_body(self):
        for path, method, _, _ in self.each():
            if method == "get":
                with self.subTest(path):
                    status, _, data = self.server.request(
                        "HEAD", self.url(path), None, {"Authorization": f"Bearer {TOKEN}"}, self.server.admin_port)
                    self.assertEqual((status, data), (200, b""))

    def test_other_methods(self):
        for path, item in self.api.document["paths"].items():
            status, headers, data = self.server.request(
                "DELETE", self.url(path), None, {"Authorization": f"Bearer {TOKEN}"}, self.server.admin_port)
            self.assertEqual(status, 405, path)
            allowed = set(headers["Allow"].split(", ")) - {"HEAD"}
            self.assertLessEqual({method.upper() for method in METHODS if method in item}, allowed, path)
            self.assertIn("error", data)

    def test_who_may_only_look_may_not_act(self):
        for path, method, operation, parameters in self.each():
            with self.subTest(f"{method} {path}"):
                body = self.good_body(operation)
                status = self.ask(f"{self.url(path)}?{self.required(parameters)}", method, operation,
                                  None if body is None else json.dumps(body), token=VIEW)
                self.assertEqual(status, 403 if operation.get("x-role") == "operate" else 200)

    def test_pages_of_others(self):
        for path, method, operation, parameters in self.each():
            if method == "post":
                with self.subTest(path):
                    status = self.ask(f"{self.url(path)}?{self.required(parameters)}", method, operation, "{}",
                                      {"Origin": "https://evil.example"})
                    self.assertEqual(status, 403)

    def test_bad_parameters(self):
        for path, method, operation, parameters in self.api.operations():
            for parameter in parameters:
                for value in self.bad_values(parameter["schema"]):
                    with self.subTest(f"{method} {path} {parameter['name']}={value[:40]}"):
                        self.ask_badly(path, method, operation, parameter, value)

    def bad_values(self, schema):
        schema = self.api.resolve(schema)
        if schema.get("type") == "integer":
            yield from ("x", "-1", "1.5", "9" * 30)
            if "minimum" in schema and schema["minimum"] > 0:
                yield str(schema["minimum"] - 1)
            if "maximum" in schema:
                yield str(schema["maximum"] + 1)
        if "enum" in schema or "pattern" in schema:
            yield from ("strange", "%2e%2e%2f")
        if schema.get("format") == "date-time":
            yield from ("yesterday", "2026-13-01T00:00:00Z", "0")
        if "maxLength" in schema:
            yield "x" * (schema["maxLength"] + 1)

    def ask_badly(self, path, method, operation, parameter, value):
        body = self.good_body(operation)
        body = None if body is None else json.dumps(body)
        if parameter["in"] == "path":
            self.assertEqual(self.ask(self.url(path, **{parameter["name"]: value}), method, operation, body), 404)
        elif parameter["in"] == "header":
            self.assertEqual(self.ask(path, method, operation, body, {parameter["name"]: value}), 400)
        else:
            self.assertEqual(self.ask(f"{self.url(path)}?{parameter['name']}={value}", method, operation, body), 400)

    def test_unknown_names(self):
        for path, method, operation, _ in self.each():
            for name, value in (("id", UNKNOWN_ID), ("name", "no-such-rule")):
                if f"{{{name}}}" in path:
                    with self.subTest(f"{method} {path}"):
                        body = self.good_body(operation)
                        status = self.ask(self.url(path, **{name: value}), method, operation,
                                          None if body is None else json.dumps(body))
                        self.assertEqual(status, 404)

    def bad_bodies(self, schema, good):
        schema = self.api.resolve(schema)
        yield from (b"{", b"nonsense", b'{"a":1}x', b"[]", b"3", b'"x"', b"\xff", b"{\"strange\":1}")
        for name in schema.get("properties", {}):
            for value in STRANGE:
                body = {**copy.deepcopy(good), name: value}
                if self.api.errors(schema, body):
                    yield json.dumps(body).encode()
        for name in schema.get("required", []):
            yield json.dumps({key: value for key, value in good.items() if key != name}).encode()

    def test_bad_bodies(self):
        seen = 0
        for path, method, operation, _ in self.each():
            schema = self.api.body_schema(operation)
            if schema is None:
                continue
            for body in self.bad_bodies(schema, self.good_body(operation)):
                with self.subTest(f"{method} {path} {body[:60]}"):
                    seen += 1
                    self.assertEqual(self.ask(self.url(path), method, operation, body), 400)
            with self.subTest(f"{method} {path}, too much"):
                self.assertEqual(self.ask(self.url(path), method, operation, b" " * (2 << 20)), 413)
        self.assertGreater(seen, 40)

    def test_no_token(self):
        statuses = []
        for path, method, operation, _ in self.each():
            with self.subTest(f"{method} {path}"):
                status = self.ask(self.url(path), method, operation, token=None)
                if operation.get("security") == []:
                    self.assertEqual(status, 200)
                else:
                    statuses.append(status)
        while len(statuses) < 30:
            statuses.append(self.ask("/v1/status", "get", self.api.document["paths"]["/v1/status"]["get"],
                                     token="a-token-that-nobody-has"))
        self.assertLessEqual(set(statuses), {401, 429})
        self.assertIn(429, statuses)
        self.assertEqual(self.server.admin("/v1/status")[0], 200)  # who has a token is not held up


class Listener:
    """GET /v1/stream, event by event."""

    def __init__(self, server, last=None):
        context = ssl._create_unverified_context()
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", server.admin_port), 10))
        more = "" if last is None else f"Last-Event-ID: {last}\r\n"
        self.socket.sendall(f"GET /v1/stream HTTP/1.0\r\nAuthorization: Bearer {VIEW}\r\n{more}\r\n".encode())
        self.file = self.socket.makefile("r", encoding="utf-8", newline="\n")
        while self.file.readline().strip():
            pass

    def next(self):
        """(id, event, data)."""
        got = {}
        for line in self.file:
            name, _, value = line.rstrip("\n").partition(": ")
            if name in ("id", "event", "data"):
                got[name] = value
            if not line.strip() and "data" in got:
                return int(got["id"]), got["event"], json.loads(got["data"])
        raise EOFError

    def until(self, what):
        while True:
            one = self.next()
            if what(*one):
                return one

    def close(self):
        self.socket.close()


class Stream(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        start(cls)

    def listen(self, last=None):
        listener = Listener(self.server, last)
        self.addCleanup(listener.close)
        return listener

    def test_an_incident_as_it_goes(self):
        listener = self.listen()
        self.assertEqual(listener.next()[1], "ready")
        began = time.monotonic()
        incident = post(self.server)
        last, event, data = listener.until(lambda _, event, data: data.get("id") == incident)
        self.assertLess(time.monotonic() - began, 2)
        self.assertEqual(event, "incident")
        schema = Description(json.loads((OPERATE_FOLDER / "openapi.json").read_text()))
        self.assertEqual(schema.errors({"$ref": "#/components/schemas/StreamData"}, data), [])
        if data["incident"]["state"] == "detected":
            last, _, data = listener.until(lambda _, event, data: data.get("id") == incident)
        self.assertIn(data["incident"]["state"], ("observed", "joined", "suppressed"))
        listener.close()

    def test_who_comes_again_after_a_restart_misses_nothing(self):
        listener = self.listen()
        last, _, _ = listener.next()
        listener.close()
        incident = post(self.server)
        self.server.wait_for_state(incident, "observed", "joined")
        again = self.listen(last)
        again.until(lambda _, event, data: data.get("id") == incident)
        began = time.monotonic()
        self.assertEqual(self.server.stop(), 0)
        with self.assertRaises(EOFError):
            again.until(lambda *_: False)
        self.assertLess(time.monotonic() - began, 8)
        self.server.start()
        listener = self.listen(last)
        listener.until(lambda _, event, data: data.get("id") == incident)
        listener.until(lambda _, event, data: event == "note" and data["change"] == "start")

    def test_a_reload_has_listeners_come_again(self):
        listener = self.listen()
        listener.next()
        self.assertEqual(self.server.admin("/v1/reload", "POST")[0], 200)
        with self.assertRaises(EOFError):
            listener.until(lambda *_: False)


class CommandLine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        start(cls)
        cls.ids = [post(cls.server) for _ in range(3)]
        for one in cls.ids:
            cls.server.wait_for_state(one, "observed", "joined")

    def cli(self, *arguments, code=0):
        done = self.server.cli(*arguments, "-c", str(self.server.settings_path))
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_lists_are_paged_and_filtered(self):
        first = self.cli("incidents", "list", "--limit", "2")
        self.assertEqual([line.split()[0] for line in first.stdout.splitlines()], self.ids[:0:-1])
        cursor = re.search(r"--cursor (\S+),", first.stderr)[1]
        rest = self.cli("incidents", "--limit", "2", "--cursor", cursor)
        self.assertEqual(rest.stdout.split()[0], self.ids[0])
        self.assertEqual(rest.stderr, "")
        everything = json.loads(self.cli("incidents", "list", "--all", "--limit", "1", "--json").stdout)
        self.assertEqual([one["id"] for one in everything["incidents"]], self.ids[::-1])
        for count, *filters in ((3, "--since", "1h"), (0, "--until", "1h"), (0, "--rule", "root-used"),
                                (3, "--principal", "mallory"), (0, "--state", "failed,held"), (3, "--severity", "high"),
                                (0, "--account", "999999999999"), (0, "--since", "2035-01-01T00:00:00Z")):
            with self.subTest(filters):
                answer = json.loads(self.cli("incidents", "list", "--json", *filters).stdout)
                self.assertEqual(len(answer["incidents"]), count)
        self.assertIn("--since: a time as", self.cli("incidents", "--since", "long ago", code=1).stderr)
        self.assertIn("state: there is no 'x'", self.cli("incidents", "--state", "x", code=1).stderr)

    def test_status(self):
        text = self.cli("status").stdout
        self.assertRegex(text, r"^riposte \S+, observe, up \S+, \d+ MB, 0 streams; you are admin \(operate\)\n")
        self.assertIn("\nincidents    3: joined 2, observed 1\n", text)
        self.assertEqual(json.loads(self.cli("status", "--json").stdout)["incidents"]["total"], 3)
        self.assertEqual(self.cli("status", "--watch").stdout.count("riposte "), 1)  # no terminal: once

    def test_a_live_view_on_a_terminal(self):
        master, slave = pty.openpty()
        process = subprocess.Popen([BINARY, "status", "--watch", "-c", str(self.server.settings_path)],
                                   env={**self.server.environment, "TERM": "xterm"}, stdout=slave, stderr=slave)
        os.close(slave)
        self.addCleanup(os.close, master)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        seen = b""
        until = time.monotonic() + 20
        while seen.count(b"\x1b[H") < 2 and time.monotonic() < until:
            if select.select([master], [], [], 1)[0]:
                seen += os.read(master, 65536)
        self.assertEqual(seen.count(b"\x1b[H\x1b[Jriposte "), 2, seen)
        self.assertIn(self.ids[2].encode(), seen)

    def test_rules(self):
        lines = self.cli("rules").stdout.splitlines()
        fired, = (line for line in lines if line.startswith("termination-protection-disabled "))
        self.assertRegex(fired, r" high +observe +3  20")
        one = self.cli("rules", "termination-protection-disabled").stdout
        self.assertIn("\nincidents        3\n", one)
        self.assertIn("\n  passes match: ", one)
        self.assertNotIn("FAILS", one)
        self.assertGreater(len(json.loads(self.cli("rules", "--json").stdout)["rules"]), 50)
        self.assertIn("no such rule", self.cli("rules", "nothing", code=1).stderr)

    def test_reload(self):
        self.assertEqual(self.cli("reload").stdout, "reloaded\n")
        self.assertEqual(json.loads(self.cli("reload", "--json").stdout), {"findings": []})

    def test_recent_events(self):
        self.server.post(harness.fresh(sample("console-mfa.json")))
        lines = self.cli("events", "recent", "--limit", "2").stdout.splitlines()
        self.assertEqual([line.split()[1] for line in lines], ["no-match", "matched"])
        answer = json.loads(self.cli("events", "--outcome", "matched", "--json").stdout)
        self.assertEqual([one["rules"] for one in answer["events"]], [["termination-protection-disabled"]] * 3)
        self.assertIn("limit", self.cli("events", "--limit", "0", code=1).stderr)

    def test_what_speaks_to_terminals_is_shown_as_text(self):
        event = harness.fresh(sample("cli-attribute-value.json"))
        event["detail"]["eventName"] = "ModifyInstanceAttribute"
        event["source"] = "aws.ec2\x1b[2J\x9b31m"
        self.server.post(event)
        text = self.cli("events", "recent", "--limit", "1").stdout
        self.assertIn("aws.ec2\\u001b[2J\\u009b31m", text)
        self.assertNotIn("\x1b", text)

    def test_an_act_asked_for_again(self):
        status, answer = self.server.admin(f"/v1/incidents/{self.ids[0]}/approve", "POST", {})
        self.assertEqual(status, 409, answer)  # observed: there is nothing to approve
        with contextlib.closing(self.server.connection(self.server.admin_port)) as connection:
            connection.request("POST", f"/v1/incidents/{self.ids[0]}/dismiss", "{}", {
                "Authorization": f"Bearer {TOKEN}", "Origin": f"https://127.0.0.1:{self.server.admin_port}"})
            self.assertEqual(connection.getresponse().status, 409)  # its own page may ask


if __name__ == "__main__":
    unittest.main()
