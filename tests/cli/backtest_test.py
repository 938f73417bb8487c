"""`riposte backtest`: logs in, what would have been done out.

usage: backtest_test.py RIPOSTE
"""
import datetime
import gzip
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import unittest
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
RIPOSTE = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else str(
    ROOT / "build" / "release" / "riposte")
ACCOUNT = "123456789012"
START = datetime.datetime(2026, 1, 1)

CONTAIN = {"name": "contain", "acts_on": "principal", "steps": [
    {"name": "deny-user", "when": {"principal": {"kind": ["user"]}}, "call": "iam:PutUserPolicy",
     "with": {"UserName": "${principal.name}"}, "undo": None},
    {"name": "deny-role", "when": {"principal": {"kind": ["role-session"]}},
     "call": "iam:PutRolePolicy", "with": {"RoleName": "${principal.name}"}, "undo": None}]}
RESTORE = {"name": "restore", "acts_on": "resource", "steps": [
    {"name": "protect", "call": "ec2:ModifyInstanceAttribute", "undo": None,
     "with": {"InstanceId": "${detail.requestParameters.instanceId}"},
     "effect": {"target": "${detail.requestParameters.instanceId}", "name": "protection"}}]}
RULE = {"name": "unprotected", "severity": "high", "cooldown": "5m",
        "pattern": {"source": ["aws.ec2"], "detail-type": ["AWS API Call via CloudTrail"],
                    "detail": {"eventName": ["ModifyInstanceAttribute"],
                               "errorCode": [{"exists": False}]}},
        "respond": ["contain", "restore"]}
SIGN_IN = {"name": "sign-in", "respond": ["contain"],
           "pattern": {"source": ["aws.signin"],
                       "detail-type": ["AWS Console Sign In via CloudTrail"]}}


def run(*arguments, **more):
    return subprocess.run([RIPOSTE, "backtest", *map(str, arguments)], capture_output=True,
                          timeout=120, **more)


def user(name):
    return {"type": "IAMUser", "principalId": f"AIDA{name.upper():X<16}", "userName": name,
            "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}", "accountId": ACCOUNT,
            "accessKeyId": "AKIAIOSFODNN7EXAMPLE"}


def session(role, name):
    return {"type": "AssumedRole", "principalId": f"AROAEXAMPLEROLE000001:{name}",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}", "accountId": ACCOUNT,
            "accessKeyId": "ASIAIOSFODNN7EXAMPLE", "sessionContext": {
                "sessionIssuer": {"type": "Role", "principalId": "AROAEXAMPLEROLE000001",
                                  "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
                                  "accountId": ACCOUNT, "userName": role},
                "attributes": {"mfaAuthenticated": "false",
                               "creationDate": "2026-01-01T00:00:00Z"}}}


def record(number, after_s=0, who=None, **more):
    moment = START + datetime.timedelta(seconds=after_s)
    return {"eventVersion": "1.11", "userIdentity": who or user("mallory"),
            "eventTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"), "eventSource": "ec2.amazonaws.com",
            "eventName": "ModifyInstanceAttribute", "awsRegion": "eu-west-1",
            "userAgent": "aws-cli/2.15", "requestParameters": {"instanceId": f"i-{number:08x}"},
            "eventID": f"00000000-0000-4000-8000-{number:012x}", "eventType": "AwsApiCall",
            "recipientAccountId": ACCOUNT, **more}


class Backtest(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = pathlib.Path(kept.name)
        self.logs = self.folder / "logs"
        self.logs.mkdir()
        self.conf([RULE])

    def conf(self, rules, **settings):
        for kind, documents in (("rules", rules), ("playbooks", [CONTAIN, RESTORE])):
            (self.folder / kind).mkdir(exist_ok=True)
            for document in documents:
                (self.folder / kind / f"{document['name']}.json").write_text(json.dumps(document))
        self.settings = self.folder / "riposte.json"
        self.settings.write_text(json.dumps(settings))

    def log(self, name, *records):
        path = self.logs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"Records": records})
        path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
        return path

    def backtest(self, *paths):
        done = run("--json", "-c", self.settings, *(paths or [self.logs]))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.stderr = done.stderr.decode()
        return json.loads(done.stdout)

    def tally(self, *paths):
        rules = self.backtest(*paths)["rules"]
        self.assertEqual(len(rules), 1, rules)
        return rules[0]

    def numbers(self, tally):
        return {name: tally[name] for name in ("events", "responses", "joined", "held")
                if tally[name]}

    def test_a_threshold_counts_distinct_values_of_the_past(self):
        of = "${detail.requestParameters.instanceId}"
        self.conf([{**RULE, "cooldown": "1s", "threshold": {"count": 3, "of": of, "per": "1m"}}])
        self.log("a.json", *[record(number, after_s, eventID=str(uuid.uuid4())) for number, after_s
                             in ((1, 0), (2, 10), (2, 20), (1, 30), (3, 75), (4, 79), (5, 400))])
        # The third comes within a minute of the first two, both seen again; so does the fourth.
        tally = self.tally()
        self.assertEqual(self.numbers(tally), {"events": 2, "responses": 2})
        self.log("a.json", record(1), record(2, 70), record(3, 140))
        self.assertEqual(self.backtest()["rules"], [])

    def test_a_log_file_in_all_its_forms(self):
        one, two = record(1), record(2, 60)
        plain = self.log("plain.json", one, two)
        forms = {
            "plain": plain.read_bytes(),
            "gzip": gzip.compress(plain.read_bytes()),
            "two gzip members": gzip.compress(plain.read_bytes()) + gzip.compress(
                json.dumps({"Records": []}).encode()),
            "pretty": json.dumps({"Records": [one, two]}, indent=2).encode(),
            "lines": f"{json.dumps(one)}\n{json.dumps(two)}\n".encode(),
            "an array": json.dumps([one, two]).encode(),
            "of LookupEvents": json.dumps({"Events": [
                {"EventId": "x", "CloudTrailEvent": json.dumps(each)} for each in (one, two)],
                "NextToken": "y"}).encode(),
            "events": "".join(json.dumps({
                "id": str(n), "source": "aws.ec2", "detail-type": "AWS API Call via CloudTrail",
                "account": ACCOUNT, "region": "eu-west-1", "time": each["eventTime"],
                "detail": each}) + "\n" for n, each in enumerate((one, two))).encode(),
        }
        expected = self.tally(plain)
        self.assertEqual(self.numbers(expected), {"events": 2, "responses": 1, "joined": 1})
        for name, content in forms.items():
            with self.subTest(name):
                path = self.folder / "form"
                path.write_bytes(content)
                self.assertEqual(self.tally(path), expected)
                self.assertEqual(self.stderr, "")
        piped = run("--json", "-c", self.settings, "-", input=forms["gzip"])
        self.assertEqual(json.loads(piped.stdout)["rules"], [expected])

    def test_folders_are_read_with_all_that_is_in_them(self):
        self.log("AWSLogs/1/CloudTrail/eu-west-1/2026/01/01/a.json.gz", record(1))
        self.log("AWSLogs/1/CloudTrail/us-east-1/2026/01/01/b.json.gz", record(2, 60))
        (self.logs / "AWSLogs/1/CloudTrail-Digest").mkdir()
        (self.logs / "AWSLogs/1/CloudTrail-Digest/d.json").write_text('{"digestEndTime": "x"}')
        result = self.backtest()
        self.assertEqual((result["files"], result["events"], result["problems"]), (2, 2, 0))

    def test_cooldown_by_the_time_of_the_events_whatever_their_order(self):
        self.log("a.json", record(3, 360), record(1, 0))
        self.log("b.json", record(4, 420), record(2, 60))
        tally = self.tally()
        self.assertEqual(self.numbers(tally), {"events": 4, "responses": 2, "joined": 2})
        self.assertEqual(tally["calls"], {"iam:PutUserPolicy": 2, "ec2:ModifyInstanceAttribute": 4})
        self.assertEqual((tally["first"], tally["last"]),
                         ("2026-01-01T00:00:00Z", "2026-01-01T00:07:00Z"))

    def test_a_known_event_counts_once(self):
        self.log("a.json", record(1), record(2, 60))
        self.log("b.json", record(2, 60), record(1))
        result = self.backtest()
        self.assertEqual((result["events"], result["matched"], result["rules"][0]["events"]),
                         (4, 2, 2))

    def test_limits_hold_what_goes_beyond(self):
        self.conf([RULE], guard={"limit": {"principals": 2, "per": "1h"}})
        people = [record(n, n, user(f"user{n}")) for n in range(4)]
        again = record(9, 3700, user("user3"))
        self.log("a.json", *people, again)
        rules = {tally["name"]: tally for tally in self.backtest()["rules"]}
        self.assertEqual(self.numbers(rules["user1"]), {"events": 1, "responses": 1})
        self.assertEqual(self.numbers(rules["user2"]), {"events": 1, "held": 1})
        self.assertEqual(rules["user2"]["reasons"], {"the limit of principals is reached": 1})
        self.assertEqual(rules["user2"]["calls"], {})
        self.assertEqual(self.numbers(rules["user3"]), {"events": 2, "responses": 1, "held": 1})

    def test_a_rule_with_a_limit_draws_on_that_alone(self):
        self.conf([{**RULE, "limit": {"count": 1, "per": "1h"}}])
        self.log("a.json", *[record(n, n, user(f"user{n}")) for n in range(3)])
        self.assertEqual([tally["held"] for tally in self.backtest()["rules"]], [0, 1, 1])

    def test_the_pipeline_is_named_first_until_it_is_protected(self):
        records = [record(n, 400 * n, session("delivery", f"run-{n}"),
                          userAgent="APN/1.0 HashiCorp/1.0 Terraform/1.9") for n in range(5)]
        records += [record(10 + n, n, user("alice")) for n in range(8)]
        self.log("a.json", *records)
        result = self.backtest()
        first, second = result["principals"]
        self.assertEqual((first["name"], first["arn"], first["events"], first["contained"]),
                         ("delivery", f"arn:aws:iam::{ACCOUNT}:role/delivery", 5, 5))
        self.assertEqual(first["automation"], "its user agent names terraform")
        self.assertEqual((second["name"], second.get("automation")), ("alice", None))
        told = run("-c", self.settings, self.logs).stdout.decode()
        self.assertRegex(told, r"(?s)look at first:\n  delivery \(role-session\): 5 events, would be "
                               r"contained 5 times; looks like automation.*role/delivery")
        self.conf([RULE], guard={"protected": [first["arn"]]})
        person, pipeline = self.backtest()["principals"]
        self.assertEqual((person["name"], person["contained"]), ("alice", 1))
        self.assertEqual((pipeline["name"], pipeline["contained"]), ("delivery", 0))

    def test_who_looks_like_automation(self):
        cases = ((user("ci-release"), {}, 'its name holds "ci"'),
                 (user("lucia"), {}, ""),
                 (user("githubRunner"), {}, 'its name holds "github"'),
                 (session("admin", "alice"), {}, "a role's session without MFA"),
                 (user("carol"), {"userAgent": "Boto3/1.34"}, "its user agent names boto3"),
                 (user("dave"), {"userAgent": "console.ec2.amazonaws.com"}, ""))
        for who, more, reason in cases:
            with self.subTest(reason):
                path = self.log("one.json", record(1, who=who, **more))
                self.assertEqual(self.backtest(path)["principals"][0].get("automation", ""),
                                 reason)

    def test_one_that_nothing_contains_is_held_and_its_resource_restored(self):
        root = {"type": "Root", "principalId": ACCOUNT, "accountId": ACCOUNT,
                "arn": f"arn:aws:iam::{ACCOUNT}:root"}
        self.log("a.json", record(1, who=root))
        tally = self.tally()
        self.assertEqual((tally["contained"], tally["calls"]),
                         (0, {"ec2:ModifyInstanceAttribute": 1}))
        self.assertIn("no containment for root", next(iter(tally["reasons"])))

    def test_what_is_asked_of_aws_is_told(self):
        self.conf([{**RULE, "confirm": [{"call": "ec2:DescribeInstances",
                                         "matches": {"x": ["y"]}}]}])
        self.log("a.json", record(1))
        self.assertEqual(self.tally()["unconfirmed"], 1)

    def test_sign_ins_become_events_too(self):
        self.conf([SIGN_IN])
        self.log("a.json", record(1, eventSource="signin.amazonaws.com", eventName="ConsoleLogin",
                                  eventType="AwsConsoleSignIn"))
        self.assertEqual(self.tally()["rule"], "sign-in")

    def test_what_cannot_be_read_is_told_and_skipped(self):
        self.log("a.json", record(1), {"eventVersion": "1.0"}, {"eventSource": "x", "eventName": "y"})
        self.log("b.json.gz", *[record(n, n) for n in range(2000)])
        whole = (self.logs / "b.json.gz").read_bytes()
        (self.logs / "b.json.gz").write_bytes(whole[:len(whole) // 2])
        (self.logs / "c.jsonl").write_text(f'{json.dumps(record(5001, 9))}\nnonsense\n'
                                           f'{{"a": }}\n{json.dumps(record(5002, 9))}\n')
        result = self.backtest(self.logs, self.folder / "nowhere.json")
        for told in (r"a\.json:1: byte \d+: neither a record of CloudTrail", r"a\.json:1: byte \d+: ",
                     r"b\.json\.gz: .*(end|data)", r"c\.jsonl:2: byte \d+: no JSON object: skipped",
                     r"c\.jsonl:3: byte \d+: line 1, column 7",
                     r"nowhere\.json: No such file"):
            self.assertRegex(self.stderr, told)
        self.assertEqual(result["files"], 3)
        self.assertGreater(result["events"], 3)
        self.assertGreaterEqual(result["problems"], 6)

    def test_one_bad_file_does_not_flood(self):
        (self.logs / "a.json").write_text("{\"a\": 1}\n" * 1000)
        result = self.backtest()
        self.assertEqual(result["problems"], 1000)
        self.assertLess(len(self.stderr.splitlines()), 30)

    def test_where_is_asked(self):
        self.conf([{**RULE, "where": [{"value": "${detail.requestParameters.instanceId}",
                                       "in": ["i-00000002"]}]}])
        self.log("a.json", record(1), record(2, 600), record(3, 1200, requestParameters={}))
        self.assertEqual(self.numbers(self.tally()), {"events": 1, "responses": 1})

    def test_nothing_matches(self):
        self.log("a.json", record(1, eventName="DescribeInstances"))
        done = run("-c", self.settings, self.logs)
        self.assertEqual((done.returncode, done.stdout.decode()),
                         (0, "files: 1, not readable: 0\nevents: 1, of which match: 0\n"))

    def test_usage(self):
        self.assertEqual(run("-c", self.settings).returncode, 2)
        self.assertEqual(run("-c", self.folder / "none.json", self.logs).returncode, 2)

    def test_memory_does_not_grow_with_the_files(self):
        """Peak memory of children only ever grows: the small run comes first."""
        other = json.dumps(record(1, eventName="DescribeInstances",
                                  responseElements={"x": "y" * 2000}))
        environment = {**os.environ, "ASAN_OPTIONS": re.sub(r"^:", "", os.environ.get(
            "ASAN_OPTIONS", "") + ":quarantine_size_mb=1")}

        def peak(count):
            path = self.folder / "big.json"
            with open(path, "w") as file:
                file.write('{"Records":[{}')
                for _ in range(count):
                    file.write("," + other)
                file.write("]}")
            self.assertEqual(run("-c", self.settings, path, env=environment).returncode, 0)
            return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, path.stat().st_size

        small, _ = peak(10)
        large, size = peak(12000)
        self.assertGreater(size, 24 << 20)
        self.assertLess((large - small) << 10, size // 2)


if __name__ == "__main__":
    unittest.main()
