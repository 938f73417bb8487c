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
        self.moto.enforce()
        server = self.server_with(f"secretsmanager:{self.arn}").start()
        outcomes, ends = [], threading.Event()

        def load():
            while not ends.is_set():
                outcomes.append(self.post(OLD))

        sender = threading.Thread(target=load)
        sender.start()
        self.moto.client("secretsmanager", self.moto.watcher).put_secret_value(
            SecretId=self.arn, SecretString=NEW)
        self.assertEqual(self.post(NEW), 401)  # EventBridge would come again
        harness.wait_for("the new secret", lambda: self.post(NEW) == 202)
        time.sleep(0.2)
        ends.set()
        sender.join()
        self.assertGreater(len(outcomes), 5)
        self.assertEqual(set(outcomes), {202})
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
