#!/usr/bin/env python3
"""Secrets that Secrets Manager keeps: events go on while one is rotated, and its loss is said, not shown."""
import http.server
import json
import pathlib
import threading
import time
import unittest

import harness

OLD = "old-secret-0123456789-abcdef"
NEW = "new-secret-0123456789-abcdef"
PATTERN = {"source": ["aws.ec2"]}


class Hook:
    """An HTTP peer that keeps the headers of what it is told."""

    def __init__(self):
        hook = self
        self.headers = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                hook.headers.append(dict(self.headers))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class Bridge:
    """EventBridge: posts events without an end, two at a time, and comes again with each that isn't taken."""

    def __init__(self, server, secret):
        self.secret = secret
        self.sent, self.refused = 0, 0
        self.delivered, self.accepted, self.problems = [], set(), []
        self._server = server
        self._ends = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(2)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        try:
            while not self._ends.is_set():
                with self._lock:
                    self.sent += 1
                    principal = f"AIDAEXAMPLE{self.sent:05}"
                self._deliver(harness.fresh(harness.sample("cli-attribute-value.json"),
                                            detail__userIdentity__principalId=principal))
                time.sleep(0.01)
        except Exception as problem:  # pylint: disable=broad-except
            self.problems.append(problem)

    def _deliver(self, event):
        while True:
            secret = self.secret
            status, answer = self._server.post(event, secret)
            if status == 202:
                self.accepted.add(secret)
                self.delivered.append(event["id"])
                return
            if status != 401:
                raise AssertionError(f"{status}: {answer}")
            self.refused += 1
            time.sleep(0.05)

    def wait_for_more(self, count=6):
        end = len(self.delivered) + count
        harness.wait_for("more events", lambda: self.problems or len(self.delivered) >= end)

    def stop(self):
        self._ends.set()
        for thread in self._threads:
            thread.join(30)


def incidents(server):
    """All, page by page."""
    cursor = ""
    while True:
        status, page = server.admin(f"/v1/incidents?limit=100{cursor}")
        assert status == 200, page
        yield from page["incidents"]
        if "next" not in page:
            return
        cursor = f"&cursor={page['next']}"


class Secrets(harness.Scenario):
    def setUp(self):
        super().setUp()
        self.manager = self.moto.client("secretsmanager")
        self.arn = self.manager.create_secret(Name="riposte/events", SecretString=OLD)["ARN"]

    def server_with(self, *references, **options):
        settings = {"authenticate": {"secrets": list(references)}, **options.pop("settings", {})}
        return self.riposte(aws=self.moto.url, key=self.responder, settings=settings, **options)

    def post(self, secret):
        return self.server.post(harness.fresh(harness.sample("cli-attribute-value.json")), secret)[0]

    def test_no_event_is_lost_while_a_secret_is_rotated(self):
        """The drill of docs/deploy.md, while events come: the version put in, the connection updated, the old one
        taken away."""
        self.moto.enforce()
        server = self.server_with(f"secretsmanager:{self.arn}").start()
        manager = self.moto.client("secretsmanager", self.moto.watcher)
        bridge = Bridge(server, OLD)
        self.addCleanup(bridge.stop)
        harness.wait_for("events", lambda: len(bridge.delivered) > 5)
        old = manager.describe_secret(SecretId=self.arn)["VersionIdsToStages"]
        manager.put_secret_value(SecretId=self.arn, SecretString=NEW)
        bridge.wait_for_more()
        self.assertEqual(bridge.refused, 0, "the old one serves until the connection is updated")
        bridge.secret = NEW
        harness.wait_for("the new secret", lambda: NEW in bridge.accepted)
        self.assertGreater(bridge.refused, 0, "the first one is answered 401, and EventBridge comes again")
        self.assertEqual(self.post(OLD), 202, "for a day")
        bridge.wait_for_more()
        manager.update_secret_version_stage(SecretId=self.arn, VersionStage="AWSPREVIOUS",
                                            RemoveFromVersionId=next(iter(old)))
        done = server.cli("reload", "-c", str(server.settings_path))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.post(OLD), 401, "it leaked, and is worth nothing now")
        bridge.wait_for_more()
        bridge.stop()
        self.assertEqual(bridge.problems, [])
        self.assertEqual(len(bridge.delivered), bridge.sent)
        self.assertEqual(len(list(incidents(server))), bridge.sent + 1, "and the one by hand")
        self.assertEqual(self.post("neither-0123456789-abcdef"), 401)
        for secret in (OLD, NEW):
            self.assertNotIn(secret, server.log())

    def test_a_restart_within_a_rotation_knows_both(self):
        self.manager.put_secret_value(SecretId=self.arn, SecretString=NEW)
        self.server_with(f"secretsmanager:{self.arn}").start()
        self.assertEqual([self.post(OLD), self.post(NEW)], [202, 202])

    def test_the_old_value_serves_on_while_there_is_no_answer(self):
        relay = harness.Interposer(self.moto.port, lambda action, forward: (
            (500, b"{}") if broken.is_set() else forward()))
        self.addCleanup(relay.stop)
        broken = threading.Event()
        server = self.riposte(aws=relay.url, key=self.responder, settings={
            "authenticate": {"secrets": [f"secretsmanager:{self.arn}"]}}).start()
        broken.set()
        self.assertEqual(self.post(NEW), 401)
        harness.wait_for("the word of it", lambda: "serves on" in server.log())
        self.assertEqual(self.post(OLD), 202)

    def test_a_secret_that_is_not_there_is_said_at_start(self):
        server = self.server_with(f"secretsmanager:{self.arn}x").start(wait=False)
        self.assertEqual(server.process.wait(20), 1)
        self.assertIn("ResourceNotFoundException", server.log())
        self.assertIn(f"secret {self.arn}x", server.log())

    def test_members_of_an_object_for_commands_tokens_and_notifications(self):
        both = self.manager.create_secret(Name="riposte/both", SecretString=json.dumps(
            {"events": OLD, "admin": NEW, "hook": "Token abc"}))["ARN"]
        hook = Hook()
        self.addCleanup(hook.stop)
        playbooks = pathlib.Path(self.folder) / "playbooks"
        rules = pathlib.Path(self.folder) / "rules"
        playbooks.mkdir()
        rules.mkdir()
        (playbooks / "tell.json").write_text(json.dumps({"name": "tell", "acts_on": "nobody", "steps": [
            {"name": "hook", "post": {"url": hook.url, "body": {"json": {"rule": "${rule.name}"}},
                                      "headers": {"Authorization": f"secretsmanager:{both}#hook"}}}]}))
        (rules / "any.json").write_text(json.dumps(
            {"name": "any", "description": "x", "severity": "low", "pattern": PATTERN,
             "subject": "${principal.id}", "respond": ["tell"], "tests": []}))
        server = self.server_with(
            f"secretsmanager:{both}#events", mode="observe",
            settings={"admin": {"token": f"secretsmanager:{both}#admin"}, "rules": str(rules),
                      "playbooks": str(playbooks), "notify": {"observed": ["tell"]}}).start()
        sent = server.cli("send", "--fresh", "-c", str(server.settings_path),
                          str(harness.EVENTS / "cli-attribute-value.json"))
        self.assertEqual(sent.returncode, 0, sent.stderr)
        listed = server.cli("incidents", "list", "-c", str(server.settings_path))
        self.assertEqual(listed.returncode, 0, listed.stderr)
        harness.wait_for("the notification", lambda: hook.headers)
        self.assertEqual(hook.headers[0]["Authorization"], "Token abc")
        policy = json.loads(server.cli("export", "iam-policy", "-c", str(server.settings_path)).stdout)
        self.assertEqual([s for s in policy["Statement"] if s["Sid"] == "ReadSecrets"], [
            {"Sid": "ReadSecrets", "Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"],
             "Resource": [both]}])


if __name__ == "__main__":
    unittest.main()
