#!/usr/bin/env python3
"""The canary: its writes make no incident, their age and delay are metrics; when none comes any more somebody is paged,
with what CloudTrail says of its trail. Only what AWS alone can say of it makes an event one."""
import json
import re
import subprocess
import tempfile
import threading
import time
import unittest

import harness
from harness import ACCOUNT, REGION

ROOT_KEY = {"AccessKeyId": "AKIAROOT", "SecretAccessKey": "root"}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/riposte-test-canary-{REGION}"
QUEUE = {"region": REGION, "resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:riposte-test-dead-letters", "role": ROLE}
IAM = {"region": "us-east-1", "resource": ROLE, "role": ROLE}
LABELS = {"sqs": f'region="{REGION}",service="sqs"', "iam": 'region="us-east-1",service="iam"'}


def write(service="sqs", at=None, **changes):
    """What CloudTrail says of the schedule's write."""
    at = at or harness.now()
    name = {"sqs": "TagQueue", "iam": "TagRole"}[service]
    parameters = {"sqs": {"queueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/riposte-test-dead-letters",
                          "tags": {"riposte-canary": at}},
                  "iam": {"roleName": ROLE.split("/")[1], "tags": [{"key": "riposte-canary", "value": at}]}}[service]
    issuer = {"type": "Role", "principalId": "AROAEXAMPLE", "arn": ROLE, "accountId": ACCOUNT,
              "userName": ROLE.split("/")[1]}
    event = {"version": "0", "id": "x", "source": f"aws.{service}", "detail-type": "AWS API Call via CloudTrail",
             "account": ACCOUNT, "region": REGION if service == "sqs" else "us-east-1", "time": "", "resources": [],
             "detail": {"eventVersion": "1.09", "eventID": "x", "eventTime": "", "readOnly": False,
                        "eventSource": f"{service}.amazonaws.com", "eventName": name, "requestParameters": parameters,
                        "userIdentity": {"type": "AssumedRole", "principalId": "AROAEXAMPLE:canary", "accountId": ACCOUNT,
                                         "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{issuer['userName']}/canary",
                                         "accessKeyId": "ASIAEXAMPLE", "sessionContext": {"sessionIssuer": issuer}}}}
    return harness.fresh(event, **changes)


class Canary(harness.Scenario):
    def serve(self, mode, canaries, **options):
        settings = {"drain": "0s", "canary": canaries, **options.pop("settings", {})}
        server = harness.Riposte(tempfile.mkdtemp(dir=self.folder), mode, settings=settings, key=ROOT_KEY, **options)
        self.addCleanup(server.kill)
        return server.start()

    def metric(self, server, name, service="sqs"):
        _, _, text = server.request("GET", "/metrics", headers={"Authorization": f"Bearer {harness.TOKEN}"},
                                    port=server.admin_port)
        found = re.search(rf"^{name}{{{re.escape(LABELS[service])}}} (\S+)$", text.decode(), re.M)
        return float(found[1]) if found else None

    def stale(self, server):
        return harness.wait_for("the canary to be stale", lambda: [
            one for one in server.admin("/v1/incidents")[1]["incidents"]
            if one["rule"] == "riposte-canary" and one["state"] == "held"])[0]

    def trail(self, is_logging, selectors=None):
        self.moto.client("s3").create_bucket(Bucket="trails", CreateBucketConfiguration={"LocationConstraint": REGION})
        cloudtrail = self.moto.client("cloudtrail")
        cloudtrail.create_trail(Name="all", S3BucketName="trails")
        if is_logging:
            cloudtrail.start_logging(Name="all")
        if selectors:
            cloudtrail.put_event_selectors(TrailName="all", EventSelectors=selectors)

    def test_fresh_then_stale_as_the_trail_is_not_logging_then_heard_again(self):
        self.trail(is_logging=False)
        posts = []
        webhook = harness.Interposer(0, lambda action, forward: (posts.append(json.loads(forward.body)), (200, b"ok"))[1])
        self.addCleanup(webhook.stop)
        playbooks = self.playbooks(webhook.url)
        server = self.serve("enforce", [{**QUEUE, "every": "1s", "stale_after": "3s"}, IAM], aws=self.moto.url,
                            settings={"playbooks": playbooks, "rules": self.rules(), "notify": {"held": ["tell"]}})
        status, answer = server.post(write(at=harness.now(-1)))
        self.assertEqual((status, answer["incidents"]), (200, []))
        self.assertEqual(server.post(write("iam"))[0], 200)
        harness.wait_for("the age", lambda: 1 <= (self.metric(server, "riposte_canary_age_seconds") or 0) < 5)
        self.assertEqual(self.metric(server, "riposte_canary_delay_seconds_count"), 1)
        self.assertGreaterEqual(self.metric(server, "riposte_canary_delay_seconds_sum"), 1)
        self.assertEqual(server.admin("/v1/events/recent?outcome=canary")[1]["events"][0]["event_name"], "TagRole")
        # A rule about all such calls does not fire on it, but on others.
        self.assertEqual(server.admin("/v1/incidents")[1]["incidents"], [])
        incident = self.stale(server)
        self.assertIn("trail arn:aws:cloudtrail:eu-west-1:123456789012:trail/all is not logging", incident["reason"])
        self.assertEqual((incident["severity"], incident["region"]), ("high", REGION))
        self.assertEqual(self.metric(server, "riposte_canary_stale"), 1)
        self.assertEqual(self.metric(server, "riposte_canary_stale", "iam"), 0)
        harness.wait_for("the page", lambda: posts)
        self.assertIn("is not logging", json.dumps(posts[0]))
        self.assertTrue(any(line["level"] == "error" and "not logging" in json.dumps(line)
                            for line in server.log_lines()))
        # A late one and one dated ahead change nothing; a new one does, and the incident is a person's to end.
        server.post(write(at=harness.now(-3600)))
        time.sleep(1.2)
        self.assertEqual(self.metric(server, "riposte_canary_stale"), 1)
        server.post(write(at=harness.now(86400)))
        harness.wait_for("the canary to be heard", lambda: self.metric(server, "riposte_canary_stale") == 0)
        self.assertLess(self.metric(server, "riposte_canary_age_seconds"), 3)
        self.assertIn("is heard again", server.log())
        self.assertEqual(server.admin(f"/v1/incidents/{incident['id']}/dismiss", "POST", {})[0], 202)

    def rules(self):
        """A rule about all such calls."""
        folder = tempfile.mkdtemp(dir=self.folder)
        with open(f"{folder}/tagged.json", "w", encoding="utf-8") as file:
            json.dump({"name": "tagged", "respond": ["look"], "pattern": {"detail": {
                "eventName": ["TagQueue", "TagRole"]}}}, file)
        return folder

    def playbooks(self, url):
        folder = tempfile.mkdtemp(dir=self.folder)
        with open(f"{folder}/look.json", "w", encoding="utf-8") as file:
            json.dump({"name": "look", "acts_on": "resource", "steps": [
                {"name": "who", "call": "sts:GetCallerIdentity"}]}, file)
        with open(f"{folder}/tell.json", "w", encoding="utf-8") as file:
            json.dump({"name": "tell", "acts_on": "nobody", "steps": [{"name": "post", "post": {
                "url": url, "body": {"json": {"rule": "${rule.name}", "reason": "${notice.reason}"}}}}]}, file)
        return folder

    def test_what_is_not_quite_one_is_none(self):
        server = self.serve("observe", [QUEUE, IAM], settings={"rules": self.rules(), "playbooks": self.playbooks(
            "https://127.0.0.1:1/")})
        other = "arn:aws:iam::123456789012:role/another"
        for name, event in {
                "another role's": write(detail__userIdentity__sessionContext__sessionIssuer__arn=other),
                "another queue's": write(detail__requestParameters__queueUrl="https://x/123456789012/another"),
                "an attempt": write(detail__errorCode="AccessDenied"),
                "another tag": write(detail__requestParameters__tags={"riposte": "x"}),
                "another role tagged": write("iam", detail__requestParameters__roleName="another")}.items():
            with self.subTest(name):
                status, answer = server.post(event)
                self.assertEqual((status, [one["rule"] for one in answer["incidents"]]), (202, ["tagged"]))
        forged = {**write(), "source": "riposte.canary", "detail-type": "Riposte canary is stale"}
        forged["detail"]["eventName"] = "CanaryStale"
        self.assertEqual(server.post(forged)[0], 200)
        self.assertIsNone(self.metric(server, "riposte_canary_delay_seconds_count"))

    def test_observe_does_not_ask_cloudtrail(self):
        recorder = harness.Recorder(self.moto.port)
        self.addCleanup(recorder.stop)
        server = self.serve("observe", [], aws=recorder.url, environment={
            "RIPOSTE_CANARY": json.dumps([{**QUEUE, "every": "500ms", "stale_after": "1s"}])})
        reason = self.stale(server)["reason"]
        self.assertRegex(reason, r"never came, expected since \S+Z: CloudTrail was not asked why: mode observe")
        self.assertEqual(recorder.connections, 0)

    def test_selectors_that_leave_it_out_are_said(self):
        self.trail(True, [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}])
        server = self.serve("approve", [{**QUEUE, "every": "500ms", "stale_after": "1s"}], aws=self.moto.url)
        self.assertIn("leaves out management events that write", self.stale(server)["reason"])

    def test_a_drill_follows_the_next_write(self):
        server = self.serve("enforce", [QUEUE], aws=self.moto.url)
        done = []
        thread = threading.Thread(target=lambda: done.append(server.cli(
            "drill", "--canary", "--wait", "20s", "--json", "-c", str(server.settings_path))))
        thread.start()
        harness.wait_for("the drill", lambda: server.admin("/v1/drill")[1]["state"] == "waits")
        self.assertEqual(server.post(write(at=harness.now(-3)))[0], 202)
        self.assertEqual(server.post(write())[0], 200)  # only the next
        thread.join(30)
        self.assertEqual(done[0].returncode, 0, done[0].stderr)
        legs = {leg["leg"]: leg for leg in json.loads(done[0].stdout)["legs"]}
        self.assertEqual({leg["state"] for leg in legs.values()}, {"done"})
        self.assertGreaterEqual(legs["logged"]["ms"], 2000)

    def test_exports_and_findings(self):
        server = harness.Riposte(self.folder, settings={"canary": [QUEUE, IAM]})
        exported = json.loads(server.cli("export", "event-pattern", "-c", str(server.settings_path)).stdout)
        self.assertIn("riposte-canary", [name for one in exported for name in one["rules"]])
        for service in ("sqs", "iam"):
            lines = "\n".join(json.dumps({"id": str(i), "pattern": one["pattern"], "event": write(service)})
                              for i, one in enumerate(exported))
            matched = subprocess.run([harness.BINARY, "match", "--vectors", "/dev/stdin"], input=lines, text=True,
                                     capture_output=True, check=True).stdout
            self.assertIn("\tmatch", matched)
        policy = server.cli("export", "iam-policy", "-c", str(server.settings_path)).stdout
        for action in ("DescribeTrails", "GetTrailStatus", "GetEventSelectors"):
            self.assertIn(f"cloudtrail:{action}", policy)
        for canary, said in (({**QUEUE, "resource": "arn:aws:s3:::bucket"}, "the ARN of a queue or of a role"),
                             ({**QUEUE, "role": "arn:aws:iam::1:user/u"}, "the ARN of the schedule's role"),
                             ({**QUEUE, "stale_after": "1m"}, "longer than"),
                             ({"region": REGION}, "needs \"resource\"")):
            with self.subTest(said):
                bad = harness.Riposte(tempfile.mkdtemp(dir=self.folder), settings={"canary": [canary]})
                checked = bad.cli("check", "-c", str(bad.settings_path))
                self.assertEqual(checked.returncode, 1)
                self.assertIn(said, checked.stdout + checked.stderr)


if __name__ == "__main__":
    unittest.main()
