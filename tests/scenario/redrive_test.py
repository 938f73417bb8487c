#!/usr/bin/env python3
"""A dead-letter queue brought back: nothing lost and nothing twice, also when it is killed half-way."""
import contextlib
import json
import signal
import subprocess
import threading
import time
import unittest

import botocore.exceptions

import harness

EVENTS = 25


class Place:
    """Where a request gets no answer any more."""

    def __init__(self):
        self.stop_at(None, 0, False)

    def stop_at(self, action, number, is_done):
        """At this action the number-th time, after the queue did it or before."""
        self._action, self._number, self._is_done = action, number, is_done
        self.seen = []
        self.reached, self.go_on = threading.Event(), threading.Event()

    def on_request(self, action, forward):
        self.seen.append(action)
        if action != self._action or self.seen.count(action) != self._number:
            return forward()
        answer = forward() if self._is_done else (500, b"{}")
        self.reached.set()
        self.go_on.wait(10)
        return answer


class Redrive(harness.Scenario):
    def setUp(self):
        super().setUp()
        self.sqs = self.moto.client("sqs")
        self.queue = self.sqs.create_queue(QueueName="dead-letters")["QueueUrl"]

    def fill(self, count=EVENTS):
        """Events by different principals: an incident each."""
        for i in range(count):
            event = harness.fresh(harness.sample("cli-attribute-value.json"),
                                  detail__userIdentity__principalId=f"AIDAEXAMPLE{i:04}")
            self.sqs.send_message(QueueUrl=self.queue, MessageBody=json.dumps(event))

    def left(self):
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["All"])["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"]) + int(
            attributes["ApproximateNumberOfMessagesNotVisible"])

    def incidents(self, server):
        return len(server.admin("/v1/incidents?limit=200")[1]["incidents"])

    def redrive(self, server):
        return server.cli("redrive", self.queue, "-c", str(server.settings_path))

    def relay(self, on_request):
        """Before the queue: (the relay, the receipts of what it handed out)."""
        handles = []

        def noted(action, forward):
            name = action.split(".")[-1]
            status, body = on_request(name, forward)
            if name == "ReceiveMessage":
                handles.extend(m["ReceiptHandle"] for m in json.loads(body).get("Messages", []))
            return status, body

        relay = harness.Interposer(self.moto.port, noted)
        self.addCleanup(relay.stop)
        return relay, handles

    def show_again(self, handles):
        """What was handed out is visible again, as after its time."""
        for handle in handles:
            with contextlib.suppress(botocore.exceptions.ClientError):  # deleted
                self.sqs.change_message_visibility(QueueUrl=self.queue, ReceiptHandle=handle, VisibilityTimeout=0)
        handles.clear()

    def test_all_come_and_what_is_no_event_stays(self):
        self.fill()
        self.sqs.send_message(QueueUrl=self.queue, MessageBody="{}")
        self.moto.enforce()
        server = self.riposte(aws=self.moto.url, key=self.responder).start()
        done = self.redrive(server)
        self.assertEqual((done.returncode, done.stdout), (1, f"{EVENTS} taken, 1 refused\n"), done.stderr)
        self.moto.relax()
        self.assertEqual((self.incidents(server), self.left()), (EVENTS, 1))

    def test_a_server_that_is_away_loses_nothing(self):
        self.fill(3)
        server = self.riposte(aws=self.moto.url, key=self.responder)
        done = self.redrive(server)
        self.assertEqual((done.returncode, done.stdout), (1, "0 taken, 0 refused\n"))
        self.assertIn("the rest waits in the queue", done.stderr)
        self.assertEqual(self.left(), 3)

    def test_killed_anywhere_nothing_is_lost_and_nothing_comes_twice(self):
        """At a request to the queue, before the queue has it or after, so before and after each commit too."""
        self.fill()
        here = Place()
        relay, handles = self.relay(here.on_request)
        server = self.riposte(aws=relay.url, key=self.responder).start()
        deleted = 0
        for action, number, is_done in (("ReceiveMessage", 1, True), ("DeleteMessage", 1, False),
                                        ("DeleteMessage", 1, True), ("DeleteMessage", 5, False),
                                        ("ReceiveMessage", 2, True)):
            with self.subTest(action=action, number=number, is_done=is_done):
                here.stop_at(action, number, is_done)
                process = subprocess.Popen([harness.BINARY, "redrive", self.queue, "-c", str(server.settings_path)],
                                           env=server.environment, stdout=subprocess.DEVNULL)
                self.assertTrue(here.reached.wait(20))
                harness.end_process(process, signal.SIGKILL)
                here.go_on.set()
                deleted += here.seen.count("DeleteMessage") - (action == "DeleteMessage" and not is_done)
                self.assertEqual(self.left(), EVENTS - deleted)
                self.assertGreaterEqual(self.incidents(server), deleted, "what is deleted was committed")
                self.show_again(handles)
        done = self.redrive(server)
        self.assertEqual((done.returncode, done.stdout), (0, f"{EVENTS - deleted} taken, 0 refused\n"), done.stderr)
        self.assertEqual((self.incidents(server), self.left()), (EVENTS, 0))

    def test_killed_at_any_moment(self):
        """By the clock: while it posts, too."""
        self.fill()
        relay, handles = self.relay(lambda _, forward: forward())
        server = self.riposte(aws=relay.url, key=self.responder).start()
        for moment_s in (0.03, 0.06, 0.12):
            process = subprocess.Popen([harness.BINARY, "redrive", self.queue, "-c", str(server.settings_path)],
                                       env=server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(moment_s)
            harness.end_process(process, signal.SIGKILL)
            committed, left = self.incidents(server), self.left()
            self.assertGreaterEqual(committed + left, EVENTS, "nothing lost")
            self.assertLessEqual(committed + left, EVENTS + 1, "one between its commit and its deletion at most")
        self.show_again(handles)
        done = self.redrive(server)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.incidents(server), self.left()), (EVENTS, 0))


if __name__ == "__main__":
    unittest.main()
