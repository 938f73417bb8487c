#!/usr/bin/env python3
"""A dead-letter queue brought back: nothing lost and nothing twice, also when it is killed half-way."""
import json
import signal
import subprocess
import threading
import time
import unittest

import harness

EVENTS = 25


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

    def test_killed_half_way_nothing_is_lost_and_nothing_comes_twice(self):
        """Killed after the server's commit and before the deletion, the fifth time."""
        deletions, handles = [], []
        reached = threading.Event()

        def on_request(action, forward):
            if action.endswith("DeleteMessage"):
                deletions.append(action)
                if len(deletions) == 5:
                    reached.set()
                    time.sleep(0.5)
                    return 500, b"{}"
            status, body = forward()
            if action.endswith("ReceiveMessage"):
                handles.extend(m["ReceiptHandle"] for m in json.loads(body).get("Messages", []))
            return status, body

        self.fill()
        relay = harness.Interposer(self.moto.port, on_request)
        self.addCleanup(relay.stop)
        server = self.riposte(aws=relay.url, key=self.responder).start()
        process = subprocess.Popen([harness.BINARY, "redrive", self.queue, "-c", str(server.settings_path)],
                                   env=server.environment, stdout=subprocess.DEVNULL)
        self.assertTrue(reached.wait(20))
        harness.end_process(process, signal.SIGKILL)
        self.assertEqual((self.incidents(server), self.left()), (5, EVENTS - 4))
        for handle in handles[4:]:  # as after their time
            self.sqs.change_message_visibility(QueueUrl=self.queue, ReceiptHandle=handle, VisibilityTimeout=0)
        done = self.redrive(server)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.incidents(server), self.left()), (EVENTS, 0))


if __name__ == "__main__":
    unittest.main()
