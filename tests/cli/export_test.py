"""`riposte export iam-policy` and `export event-pattern`, for what is shipped and for files made here.

usage: export_test.py RIPOSTE
"""
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONF = ROOT / "conf"
RIPOSTE = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else str(
    ROOT / "build" / "release" / "riposte")
ALL = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
CALL = "AWS API Call via CloudTrail"


def run(*arguments, **more):
    return subprocess.run([RIPOSTE, *map(str, arguments)], capture_output=True, text=True,
                          timeout=60, **more)


def load(path):
    token = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.S)
    return json.loads(token.sub(lambda found: found.group(1) or " ", path.read_text()))


def export(what, settings, *more):
    printed = run("export", what, "-c", settings, *more)
    assert printed.returncode == 0, printed.stderr
    again = run("export", what, "-c", settings, *more).stdout
    assert printed.stdout == again, "another text each time"
    return json.loads(printed.stdout)


def event(source="ec2", name="ModifyInstanceAttribute", **detail):
    return {"id": "1", "source": f"aws.{source}", "detail-type": CALL, "account": "123456789012",
            "region": "us-east-1", "time": "2026-01-01T00:00:00Z",
            "detail": {"eventSource": f"{source}.amazonaws.com", "eventName": name, **detail}}


def rule(name, pattern, *matching, respond=("nothing",), **more):
    return {"name": name, "pattern": pattern, "respond": list(respond), **more,
            "tests": [{"name": f"{number}", "event": one, "expect": {"match": True}}
                      for number, one in enumerate(matching)]}


def write(name, call, parameters=None, **more):
    return {"name": name, "call": call, "with": parameters or {}, "undo": None, **more}


ASK = {"name": "nothing", "acts_on": "principal",
       "steps": [{"name": "ask", "call": "iam:GetUser", "with": {"UserName": "x"}}]}


class Export(unittest.TestCase):
    def conf(self, rules, playbooks=(ASK,), **settings):
        """A folder with these files; the settings' path."""
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        folder = pathlib.Path(kept.name)
        for kind, documents in (("rules", rules), ("playbooks", playbooks)):
            (folder / kind).mkdir()
            for document in documents:
                (folder / kind / f"{document['name']}.json").write_text(json.dumps(document))
        (folder / "riposte.json").write_text(json.dumps(settings))
        return folder / "riposte.json"


class EventPatterns(Export):
    def matching_events(self, settings):
        """(rule, event) of every positive test."""
        for path in sorted((settings.parent / "rules").glob("*.json")):
            document = load(path)
            for test in document.get("tests", []):
                if test["expect"]["match"]:
                    one = test["event"]
                    yield document["name"], one if isinstance(one, dict) else load(
                        path.parent / one)

    def verdicts(self, pairs):
        """For each (pattern, event): "match", "nomatch" or "invalid", of the plain evaluator."""
        lines = "".join(json.dumps({"id": str(number), "pattern": pattern, "event": one}) + "\n"
                        for number, (pattern, one) in enumerate(pairs))
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write(lines)
            file.flush()
            printed = run("match", "--vectors", file.name).stdout.splitlines()
        self.assertEqual(len(printed), len(pairs))
        return [line.split("\t")[1] for line in printed]

    def assert_delivers(self, settings):
        """Whatever a rule's positive tests hold comes through; what is printed keeps the limits."""
        patterns = export("event-pattern", settings)
        events = list(self.matching_events(settings))
        pairs = list(itertools.product(patterns, events))
        verdicts = self.verdicts([(pattern["pattern"], one) for pattern, (_, one) in pairs])
        self.assertNotIn("invalid", verdicts)
        delivered = {
            number for (pattern, (name, one)), verdict, number in zip(
                pairs, verdicts, itertools.cycle(range(len(events))))
            if verdict == "match" and (pattern["state"] == ALL or one["detail"].get(
                "readOnly") is not True)}
        self.assertEqual([events[n][0] for n in range(len(events)) if n not in delivered], [])
        for pattern in patterns:
            compact = json.dumps(pattern["pattern"], separators=(",", ":"), ensure_ascii=False)
            self.assertEqual(pattern["characters"], len(compact.encode()))
            self.assertLessEqual(len(compact), 2048)
            self.assertRegex(pattern["name"], r"^[.\-_A-Za-z0-9]{1,64}$")
        self.assertEqual(len({pattern["name"] for pattern in patterns}), len(patterns))
        return patterns

    def test_what_is_shipped_is_delivered(self):
        patterns = self.assert_delivers(CONF / "riposte.json")
        rules = {load(path)["name"] for path in (CONF / "rules").glob("*.json")}
        self.assertEqual({name for pattern in patterns for name in pattern["rules"]}, rules)
        self.assertLessEqual(len(patterns), 4)

    def test_rules_are_put_together_by_their_names(self):
        one = {"source": ["aws.ec2"], "detail-type": [CALL],
               "detail": {"eventName": ["StopInstances"], "errorCode": [{"exists": False}],
                          "requestParameters": {"force": [True]}}}
        other = {"source": ["aws.iam"], "detail-type": [CALL],
                 "detail": {"eventName": ["CreateUser", "StopInstances"],
                            "errorCode": [{"exists": False}]}}
        patterns = export("event-pattern", self.conf([rule("one", one), rule("other", other)]))
        self.assertEqual([(p["name"], p["state"], p["rules"], p["pattern"]) for p in patterns], [
            ("riposte-1", "ENABLED", ["one", "other"],
             {"source": ["aws.ec2", "aws.iam"], "detail-type": [CALL],
              "detail": {"eventName": ["StopInstances", "CreateUser"],
                         "errorCode": [{"exists": False}]}})])

    def test_an_attempt_that_one_rule_wants_comes(self):
        done = {"source": ["aws.ec2"], "detail": {"eventName": ["A"],
                                                  "errorCode": [{"exists": False}]}}
        tried = {"source": ["aws.ec2"], "detail": {"eventName": ["B"]}}
        settings = self.conf([rule("done", done, event(name="A")),
                              rule("tried", tried, event(name="B", errorCode="AccessDenied"))])
        self.assertEqual(len(self.assert_delivers(settings)), 1)

    def test_branches_of_or_count_together(self):
        cases = {
            "all of them name it": (
                {"source": ["aws.ec2"], "detail": {"$or": [
                    {"eventName": ["A"]}, {"eventName": ["B"], "readOnly": [False]}]}},
                [event(name="A"), event(name="B", readOnly=False)]),
            "one leaves it open": (
                {"source": ["aws.ec2"], "detail": {"$or": [
                    {"eventName": ["A"]}, {"errorCode": ["X"]}]}},
                [event(name="A"), event(name="Anything", errorCode="X")]),
            "it stands beside them too": (
                {"source": ["aws.ec2"], "detail": {"eventName": ["A", "B"], "$or": [
                    {"eventName": ["A"]}, {"errorCode": ["X"]}]}},
                [event(name="A"), event(name="B", errorCode="X")]),
            "around all of it": (
                {"$or": [{"source": ["aws.ec2"], "detail": {"eventName": ["A"]}},
                         {"source": ["aws.iam"], "detail": {"eventName": ["B"]}}]},
                [event(name="A"), event("iam", "B")]),
            "an ordinary name": (
                {"source": ["aws.ec2"], "detail": {"eventName": ["A"], "$or": ["x"]}},
                [event(name="A", **{"$or": "x"})]),
        }
        for name, (pattern, events) in cases.items():
            with self.subTest(name):
                self.assert_delivers(self.conf([rule("one", pattern, *events)]))
        self.assert_delivers(self.conf([
            rule(f"rule-{number}", pattern, *events)
            for number, (pattern, events) in enumerate(cases.values())]))

    def test_events_that_only_read_ask_for_the_state(self):
        def state(pattern, *events):
            settings = self.conf([rule("one", pattern, *events)])
            return [p["state"] for p in self.assert_delivers(settings)]

        def of(name, source="aws.sts", **detail):
            return {"source": [source], "detail-type": [CALL],
                    "detail": {"eventName": [name], **detail}}
        for name in ("AssumeRole", "DescribeInstances", "GetSecretValue", "ListBuckets", "Decrypt",
                     "StartQuery", {"prefix": "De"}, {"wildcard": "*Role"}, {"prefix": "Get"}):
            with self.subTest(name):
                self.assertEqual(state(of(name)), [ALL])
        for name in ("StopLogging", "StartInstances", {"prefix": "Delete"}, "ConsoleLogin"):
            with self.subTest(name):
                self.assertEqual(state(of(name)), ["ENABLED"])
        self.assertEqual(state({"source": ["aws.x"]}), [ALL])
        self.assertEqual(state({"source": ["aws.x"], "detail": {"readOnly": [False]}}), ["ENABLED"])
        self.assertEqual(state({"source": ["aws.x"], "detail-type": ["AWS Service Event"]}),
                         ["ENABLED"])
        self.assertEqual(state(of("Odd"), event("sts", "Odd", readOnly=True)), [ALL])

    def test_rules_that_would_bring_too_much_keep_their_conditions(self):
        root = {"source": [{"prefix": "aws."}], "detail": {"userIdentity": {"type": ["Root"]}}}
        outside = {"source": ["aws.sts"], "detail": {"eventName": ["AssumeRole"],
                                                     "userIdentity": {"type": ["AWSAccount"]}}}
        narrow = {"source": ["aws.ec2"], "detail": {"eventName": ["StopInstances"]}}
        patterns = export("event-pattern", self.conf(
            [rule("root", root), rule("outside", outside), rule("narrow", narrow)]))
        self.assertEqual([(p["name"], p["rules"]) for p in patterns],
                         [("riposte-1", ["narrow"]), ("riposte-reads-1", ["outside", "root"])])
        self.assertEqual(patterns[1]["pattern"], {"$or": [root, outside]})

    def test_what_is_too_long_is_split(self):
        names = [f"Operation{number:03}WithALongName" for number in range(300)]
        many = {"source": ["aws.ec2"], "detail": {"eventName": names}}
        few = {"source": ["aws.iam"], "detail": {"eventName": ["CreateUser"]}}
        settings = self.conf([rule("many", many, *(event(name=name) for name in names[::50])),
                              rule("few", few, event("iam", "CreateUser"))])
        patterns = self.assert_delivers(settings)
        told = sum(len(name) + 3 for name in names)
        self.assertLessEqual(len(patterns), told // 2048 + 2)
        self.assertEqual({name for p in patterns for name in p["pattern"]["detail"]["eventName"]},
                         {*names, "CreateUser"})

    def test_what_fits_in_no_way_becomes_wider(self):
        account = [str(10**11 + number) for number in range(200)]
        wide = {"source": ["aws.ec2"], "detail": {"recipientAccountId": account}}
        name = "N" * 3000
        cases = [rule("wide", wide, event(recipientAccountId=account[7])),
                 rule("name", {"source": ["aws.ec2"], "detail": {"eventName": [name]}},
                      event(name=name)),
                 rule("source", {"source": ["aws." + name], "detail": {"eventName": ["A"]}},
                      event(name, "A"))]
        for one in cases:
            with self.subTest(one["name"]):
                self.assert_delivers(self.conf([one]))
        self.assert_delivers(self.conf(cases))

    def test_combinations_stay_within_the_limit(self):
        rules = []
        for number in range(30):
            branches = [{"requestParameters": {f"{letter}{number}": [1]}} for letter in "abcdefg"]
            other = [{"responseElements": {f"{letter}{number}": [1]}} for letter in "abcdefg"]
            rules.append(rule(f"rule-{number}", {"source": ["aws.sts"], "detail": {
                "eventName": ["AssumeRole"], "$or": branches,
                "userIdentity": {"$or": other}}}, event(
                    "sts", "AssumeRole", requestParameters={f"a{number}": 1}, userIdentity={
                        "responseElements": {f"g{number}": 1}})))
        for pattern in self.assert_delivers(self.conf(rules)):
            branches = pattern["pattern"].get("$or", [0])
            self.assertLessEqual(len(branches) * 49, 1000)

    def test_no_rules_need_nothing(self):
        self.assertEqual(export("event-pattern", self.conf([])), [])


class Policy(Export):
    def policy(self, steps, acts_on="principal", account=None, **settings):
        playbook = {"name": "act", "acts_on": acts_on, "steps": steps}
        pattern = {"source": ["aws.ec2"], "detail": {"eventName": ["A"]}}
        return export("iam-policy", self.conf([rule("one", pattern, respond=["act"])], [playbook],
                                              **settings),
                      *(("--account", account) if account else ()))

    @staticmethod
    def actions(policy):
        return sorted(action for statement in policy["Statement"]
                      for action in statement["Action"])

    def test_what_is_shipped_is_allowed_what_it_plans(self):
        allowed = self.actions(export("iam-policy", CONF / "riposte.json"))
        asked = set()
        events = {(path.parent / test["event"]).resolve()
                  for path in (CONF / "rules").glob("*.json") for test in load(path)["tests"]
                  if test["expect"]["match"]}
        for event_path in sorted(events):
            printed = run("plan", "--json", "-c", CONF / "riposte.json", event_path)
            asked |= set(re.findall(r'"call": ?"([^"]+)"', printed.stdout))
            asked |= {f"{service}:{operation}" for service, operation in re.findall(
                r'"service": ?"([^"]+)",\s*"operation": ?"([^"]+)"', printed.stdout)}
        self.assertGreater(len(asked), 5)
        # A notification is no call of AWS.
        self.assertEqual({call for call in asked if call not in allowed and not call.startswith(
            ("https:", "s3:", "s3control:", "lambda:"))}, set())

    def test_the_actions_exist(self):
        """Held against the Service Authorization Reference, as cfn-lint ships it."""
        import cfnlint
        known = json.loads((pathlib.Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" /
                            "Policies.json").read_text())
        actions = self.actions(export("iam-policy", CONF / "riposte.json"))
        self.assertGreater(len(actions), 5)
        for action in actions:
            prefix, name = action.split(":")
            self.assertIn(name.lower(), known[prefix]["Actions"], action)

    def test_every_call_counts(self):
        step = write("put", "iam:PutUserPolicy",
                     before={"call": "iam:GetUser", "matches": {"User": ["x"]}},
                     verify={"call": "iam:GetUserPolicy", "matches": {"X": ["x"]}},
                     undo={"call": "iam:DeleteUserPolicy"})
        other = write("key", "iam:UpdateAccessKey")
        policy = self.policy([{"first_of": [step, other]},
                              {"name": "ask", "call": "kms:DescribeKey"}])
        self.assertEqual(policy, {"Version": "2012-10-17", "Statement": [
            {"Sid": "Ask", "Effect": "Allow", "Resource": "*",
             "Action": ["iam:GetUser", "iam:GetUserPolicy", "kms:DescribeKey"]},
            {"Sid": "Act", "Effect": "Allow", "Resource": "*",
             "Action": ["iam:DeleteUserPolicy", "iam:PutUserPolicy", "iam:UpdateAccessKey"]}]})

    def test_a_question_counts_too(self):
        pattern = {"source": ["aws.ec2"], "detail": {"eventName": ["A"]}}
        settings = self.conf([rule("one", pattern, confirm=[
            {"call": "ec2:DescribeImages", "matches": {"x": ["y"]}}])])
        self.assertEqual(self.actions(export("iam-policy", settings)),
                         ["ec2:DescribeImages", "iam:GetUser"])

    def test_a_playbook_that_nobody_runs_counts_for_nothing(self):
        pattern = {"source": ["aws.ec2"], "detail": {"eventName": ["A"]}}
        idle = {"name": "idle", "acts_on": "principal", "steps": [write("a", "kms:DisableKey")]}
        settings = self.conf([rule("one", pattern)], [ASK, idle])
        self.assertEqual(self.actions(export("iam-policy", settings)), ["iam:GetUser"])

    def test_only_the_policies_that_are_named_may_be_attached(self):
        steps = [write("a", "iam:AttachUserPolicy", {
            "UserName": "x", "PolicyArn": "arn:${principal.partition}:iam::aws:policy/AWSDenyAll"}),
                 write("b", "iam:AttachRolePolicy", {
                     "RoleName": "x", "PolicyArn": "${vars.quarantine}"})]
        policy = self.policy(steps, vars={"quarantine": "arn:aws:iam::123456789012:policy/Q"})
        self.assertEqual(policy["Statement"], [
            {"Sid": "ManagePolicies", "Effect": "Allow", "Resource": "*",
             "Action": ["iam:AttachRolePolicy", "iam:AttachUserPolicy"],
             "Condition": {"ArnLike": {"iam:PolicyARN": [
                 "arn:*:iam::aws:policy/AWSDenyAll", "arn:aws:iam::123456789012:policy/Q"]}}}])

    def test_a_policy_that_only_an_event_names_may_be_any(self):
        policy = self.policy([write("a", "iam:DetachUserPolicy", {
            "UserName": "x", "PolicyArn": "${detail.requestParameters.policyArn}"})])
        self.assertEqual([(s["Sid"], "Condition" in s) for s in policy["Statement"]],
                         [("Act", False)])

    def test_what_another_role_does_is_that_roles(self):
        step = write("a", "iam:PutUserPolicy", undo={"call": "iam:DeleteUserPolicy"},
                     role="arn:aws:iam::${account}:role/${vars.role}")
        policy = self.policy([step], vars={"role": "breaker"})
        self.assertEqual(policy["Statement"], [
            {"Sid": "BecomeRoles", "Effect": "Allow",
             "Action": ["sts:AssumeRole", "sts:TagSession"],
             "Resource": ["arn:aws:iam::*:role/breaker"]}])

    def test_the_role_of_each_account_may_be_taken(self):
        policy = self.policy([write("a", "iam:PutUserPolicy")],
                             aws={"accounts": ["222222222222", "111111111111"]})
        self.assertEqual(policy["Statement"][-1]["Resource"], [
            f"arn:*:iam::{account}:role/riposte-responder"
            for account in ("111111111111", "222222222222")])

    def test_roles_of_the_organization_may_be_taken(self):
        policy = self.policy([write("a", "iam:PutUserPolicy")], aws={"accounts": "organization"})
        self.assertEqual(policy["Statement"], [
            {"Sid": "Ask", "Effect": "Allow", "Resource": "*",
             "Action": ["organizations:ListAccounts"]},
            {"Sid": "Act", "Effect": "Allow", "Resource": "*", "Action": ["iam:PutUserPolicy"]},
            {"Sid": "BecomeRolesInOrganization", "Effect": "Allow",
             "Action": ["sts:AssumeRole", "sts:TagSession"],
             "Resource": ["arn:*:iam::*:role/riposte-responder"],
             "Condition": {"StringEqualsIfExists": {
                 "aws:ResourceOrgID": ["${aws:PrincipalOrgID}"]}}}])

    def test_the_role_in_another_account_acts_there_alone(self):
        steps = [write("a", "iam:PutUserPolicy"), write("b", "ec2:StopInstances"),
                 {"name": "c", "call": "ec2:DescribeInstances"}]
        for accounts, account, owner in (
                (["111111111111"], "111111111111", "111111111111"),
                (["111111111111"], "member", "${aws:PrincipalAccount}"),
                ("organization", "222222222222", "222222222222"),
                ("organization", "member", "${aws:PrincipalAccount}")):
            with self.subTest((accounts, account)):
                policy = self.policy(steps, account=account, aws={
                    "accounts": accounts, "regions": ["eu-west-1"]})
                there = {"StringEqualsIfExists": {"aws:ResourceAccount": owner}}
                region = {"StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}}
                self.assertEqual(
                    {s["Sid"]: (s["Action"], s.get("Condition")) for s in policy["Statement"]}, {
                        "AskInRegions": (["ec2:DescribeInstances"], region),
                        "Act": (["iam:PutUserPolicy"], there),
                        "ActInRegions": (["ec2:StopInstances"], {**region, **there})})

    def test_a_call_counts_in_its_account(self):
        steps = [write("a", "kms:DisableKey", account="${self.account}"),
                 write("b", "organizations:UpdatePolicy", account="${vars.root:-}"),
                 write("c", "iam:PutUserPolicy", account="${account}"),
                 write("d", "sns:Publish", account="${vars.unset:-}")]

        def actions(account, root):
            policy = self.policy(steps, account=account, vars={"root": root},
                                 aws={"accounts": ["111111111111", "222222222222"]})
            return [action for action in self.actions(policy) if not action.startswith("sts:")]
        self.assertEqual(actions(None, "123456789012"), [
            "iam:PutUserPolicy", "kms:DisableKey", "organizations:UpdatePolicy"])
        self.assertEqual(actions(None, "111111111111"), ["iam:PutUserPolicy", "kms:DisableKey"])
        self.assertEqual(actions("111111111111", "111111111111"),
                         ["iam:PutUserPolicy", "organizations:UpdatePolicy"])
        self.assertEqual(actions("222222222222", "111111111111"), ["iam:PutUserPolicy"])
        self.assertEqual(actions("member", "111111111111"), ["iam:PutUserPolicy"])

    def test_an_account_that_is_none_of_ours_has_no_role(self):
        for accounts, account in (([], "member"), (["111111111111"], "222222222222"),
                                  (["111111111111"], "111"), ("organization", "all")):
            settings = self.conf([], [], aws={"accounts": accounts})
            with self.subTest((accounts, account)):
                found = run("export", "iam-policy", "-c", settings, "--account", account)
                self.assertEqual((found.returncode, found.stdout), (2, ""))
                self.assertIn("aws.accounts does not name", found.stderr)
        self.assertEqual(run("export", "event-pattern", "--account", "member", "-c",
                             self.conf([])).returncode, 2)

    def test_an_edit_reads_and_writes(self):
        edit = {"read": {"call": "iam:GetRole"}, "document": "${answer.Role|json}",
                "write": {"call": "iam:UpdateAssumeRolePolicy", "with": {"P": "${document}"}},
                "add_statement": {"Sid": "R${incident.id}"}}
        policy = self.policy([{"name": "a", "edit": edit}])
        self.assertEqual(self.actions(policy), ["iam:GetRole", "iam:UpdateAssumeRolePolicy"])

    def test_regions_limit_what_is_regional(self):
        steps = [write("a", "ec2:StopInstances"), write("b", "iam:UpdateAccessKey"),
                 write("c", "cloudtrail:StartLogging", region="us-east-1"),
                 {"name": "d", "call": "ec2:DescribeInstances"}]
        policy = self.policy(steps, aws={"regions": ["eu-west-1", "us-east-1"]})
        limit = {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}
        self.assertEqual(
            {s["Sid"]: (s["Action"], s.get("Condition")) for s in policy["Statement"]}, {
                "AskInRegions": (["ec2:DescribeInstances"], limit),
                "Act": (["cloudtrail:StartLogging", "iam:UpdateAccessKey"], None),
                "ActInRegions": (["ec2:StopInstances"], limit)})

    def test_actions_that_are_called_otherwise(self):
        cases = (
            ("s3:PutPublicAccessBlock", {}, ["s3:PutBucketPublicAccessBlock"]),
            ("s3:PutBucketPolicy", {}, ["s3:PutBucketPolicy"]),
            ("s3:DeleteBucketReplication", {}, ["s3:PutReplicationConfiguration"]),
            ("s3control:PutPublicAccessBlock", {}, ["s3:PutAccountPublicAccessBlock"]),
            ("lambda:Invoke", {}, ["lambda:InvokeFunction"]),
            ("lambda:RemovePermission", {}, ["lambda:RemovePermission"]),
            ("sso-admin:DeleteAccountAssignment", {}, ["sso:DeleteAccountAssignment"]),
            ("sesv2:PutAccountSendingAttributes", {}, ["ses:PutAccountSendingAttributes"]),
            ("apigateway:UpdateStage", {}, ["apigateway:PATCH"]),
            ("kms:ReEncrypt", {}, ["kms:ReEncryptFrom", "kms:ReEncryptTo"]),
            ("ec2:DeleteFlowLogs", {}, ["ec2:DeleteFlowLogs", "logs:DeleteLogDelivery"]),
            ("ec2:CreateSnapshot", {"TagSpecification.1.ResourceType": "snapshot"},
             ["ec2:CreateSnapshot", "ec2:CreateTags"]),
            ("config:PutConfigurationRecorder", {"ConfigurationRecorder": {"roleARN": "x"}},
             ["config:PutConfigurationRecorder", "iam:PassRole"]),
            ("ec2:AssociateIamInstanceProfile", {"IamInstanceProfile": {"Name": "x"}},
             ["ec2:AssociateIamInstanceProfile", "iam:PassRole"]),
        )
        for call, parameters, actions in cases:
            with self.subTest(call):
                self.assertEqual(self.actions(self.policy([write("a", call, parameters)])), actions)

    def test_a_policy_that_is_too_long_is_told(self):
        steps = [write(f"s{number}", f"ec2:Do{'Something' * 5}{number}") for number in range(150)]
        playbook = {"name": "act", "acts_on": "principal", "steps": steps}
        pattern = {"source": ["aws.ec2"], "detail": {"eventName": ["A"]}}
        settings = self.conf([rule("one", pattern, respond=["act"])], [playbook])
        self.assertIn("a managed policy may have 6144", run("export", "iam-policy", "-c",
                                                            settings).stderr)
        self.assertEqual(run("export", "iam-policy", "-c", CONF / "riposte.json").stderr, "")


class CommandLine(Export):
    def test_what_is_wrong_is_told(self):
        for arguments in ((), ("policy",), ("iam-policy", "more"), ("schema", "rule", "more"),
                          ("event-pattern", "-c", "/nowhere/riposte.json")):
            with self.subTest(arguments):
                found = run("export", *arguments)
                self.assertEqual((found.returncode, found.stdout), (2, ""))
                self.assertNotEqual(found.stderr, "")


if __name__ == "__main__":
    unittest.main()
