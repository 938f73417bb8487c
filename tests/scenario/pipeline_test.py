"""Terraform destroys what it made: protection off and instances terminated within a second, with a long-term key and
without MFA. A protected pipeline is never contained; of one that isn't `backtest` speaks first, before anyone enforces."""
import copy
import gzip
import json
import pathlib
import tempfile
import unittest
import uuid

import harness
from harness import ACCOUNT, REGION, ROOT, Scenario

REAL = ROOT / "tests" / "data" / "events" / "real"
FLEET = 12
USER, ROLE = "terraform-deployer", "ci-deploy"
# Who ran Terraform in the real records; an attack was rehearsed with the same key.
REAL_PIPELINE = "bert-jan"


def real(name):
    return json.loads((REAL / f"{name}.json").read_text())


def envelope(record):
    """The event that EventBridge makes of a CloudTrail record."""
    is_sign_in = record["eventType"] == "AwsConsoleSignIn"
    return {"version": "0", "id": str(uuid.uuid4()), "account": record["recipientAccountId"],
            "detail-type": f"AWS {'Console Sign In' if is_sign_in else 'API Call'} via CloudTrail",
            "source": "aws." + record["eventSource"].split(".")[0], "time": record["eventTime"],
            "region": record["awsRegion"], "resources": [], "detail": record}


def moved(record, moment, **identity):
    """A record as it would be in our account now."""
    theirs = record["recipientAccountId"]
    record = json.loads(json.dumps(record).replace(theirs, ACCOUNT))
    record.update(eventTime=moment, awsRegion=REGION, eventID=str(uuid.uuid4()))
    record["userIdentity"].update(identity)
    return record


def destroy(moment, identity, instances):
    """What `terraform destroy` leaves in CloudTrail: the real records' shapes, for each instance."""
    for instance in instances:
        for name in ("ModifyInstanceAttribute", "TerminateInstances"):
            record = moved(real(f"invictus.{name}"), moment)
            record["userIdentity"] = copy.deepcopy(identity)
            text = json.dumps(record).replace("i-0dbc91f429e48eeed", instance)
            yield json.loads(text)


def user_identity(user, key):
    return {"type": "IAMUser", "principalId": user["UserId"], "arn": user["Arn"],
            "accountId": ACCOUNT, "userName": user["UserName"], "accessKeyId": key["AccessKeyId"]}


def role_identity(role):
    return {"type": "AssumedRole", "principalId": f"{role['RoleId']}:run-4711",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/run-4711",
            "accountId": ACCOUNT, "accessKeyId": "ASIAEXAMPLEPIPELINE0",
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "principalId": role["RoleId"],
                                  "arn": role["Arn"], "accountId": ACCOUNT,
                                  "userName": ROLE},
                "attributes": {"mfaAuthenticated": "false", "creationDate": harness.now(-60)}}}


def records(identities, fleet):
    """A destroying by each, and everything real."""
    moment = harness.now()
    part = len(fleet) // len(identities)
    for number, identity in enumerate(identities):
        yield from destroy(moment, identity, fleet[number * part:(number + 1) * part])
    for path in sorted(REAL.glob("*.json")):
        yield moved(json.loads(path.read_text()), moment)


def protected(user, role):
    return [user["Arn"], role["Arn"], f"arn:aws:iam::{ACCOUNT}:user/{REAL_PIPELINE}"]


class Pipeline(Scenario):
    def setUp(self):
        super().setUp()
        self.user, self.key = self.moto.user(USER)
        self.role = self.moto.client("iam").create_role(
            RoleName=ROLE, AssumeRolePolicyDocument="{}", Path="/ci/")["Role"]
        ec2 = self.moto.client("ec2")
        self.fleet = [instance["InstanceId"] for instance in ec2.run_instances(
            ImageId=harness.IMAGE, MinCount=FLEET, MaxCount=FLEET)["Instances"]]

    def incidents(self):
        status, answer = self.server.admin("/v1/incidents?limit=500")
        self.assertEqual(status, 200, answer)
        return answer["incidents"]

    def decided(self, count):
        found = self.incidents()
        is_settled = len(found) >= count and not any(
            incident["state"] in ("detected", "responding") for incident in found)
        return found if is_settled else None

    def test_a_protected_pipeline_is_never_contained(self):
        recorder = harness.Recorder(self.moto.port)
        self.addCleanup(recorder.stop)
        server = self.riposte(mode="enforce", aws=recorder.url, key=self.responder,
                              settings={"guard": {"protected": protected(self.user, self.role)}})
        server.start()
        identities = [user_identity(self.user, self.key), role_identity(self.role)]
        status, answer = server.post([envelope(record) for record in
                                      records(identities, self.fleet)])
        self.assertEqual(status, 202, answer)
        created = sum(len(event["incidents"]) for event in answer["events"])
        self.assertGreaterEqual(created, FLEET)
        incidents = harness.wait_for("all to be decided", lambda: self.decided(created), 30, 0.2)
        theirs = [incident for incident in incidents
                  if incident["principal"]["name"] in (USER, ROLE, REAL_PIPELINE)]
        self.assertGreaterEqual(len(theirs), FLEET)
        self.assertLessEqual({incident["state"] for incident in theirs}, {"held", "joined"})
        for incident in theirs:
            calls = server.incident(incident["id"])["calls"]
            self.assertEqual([call for call in calls if call["is_write"]], [], incident)
        self.assertNotIn("ModifyInstanceAttribute", recorder.actions())

        # The same by somebody else is contained: the rule is awake.
        again = destroy(harness.now(), user_identity(self.attacker, self.attacker_key),
                        self.fleet[:1])
        status, answer = server.post(envelope(next(again)))
        self.assertEqual(status, 202, answer)
        server.wait_for_state(answer["incidents"][0]["id"], "done")
        self.assertIn("riposte-contained", self.moto.policies("attacker"))


class Backtest(unittest.TestCase):
    user = {"UserName": USER, "UserId": "AIDAEXAMPLEPIPELINE0",
            "Arn": f"arn:aws:iam::{ACCOUNT}:user/{USER}"}
    role = {"RoleId": "AROAEXAMPLEPIPELINE0", "Arn": f"arn:aws:iam::{ACCOUNT}:role/ci/{ROLE}"}

    def backtest(self, guarded):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        server = harness.Riposte(folder.name, settings={"guard": {"protected": guarded}})
        identities = [user_identity(self.user, {"AccessKeyId": "AKIAEXAMPLEPIPELINE0"}),
                      role_identity(self.role)]
        fleet = [f"i-{number:017x}" for number in range(FLEET)]
        log_path = pathlib.Path(folder.name) / "trail.json.gz"
        with gzip.open(log_path, "wt") as log:
            json.dump({"Records": list(records(identities, fleet))}, log)
        done = {form: server.cli("backtest", str(log_path), "-c", str(server.settings_path),
                                 *options)
                for form, options in (("text", []), ("json", ["--json"]))}
        for form in done.values():
            self.assertEqual((form.returncode, form.stderr), (0, ""))
        return done["text"].stdout, json.loads(done["json"].stdout)

    def test_the_pipeline_is_named_first(self):
        text, result = self.backtest([])
        first = result["principals"][:3]
        self.assertEqual({person["name"] for person in first}, {USER, ROLE, REAL_PIPELINE})
        for person in first:
            self.assertGreater(person["contained"], 0)
            self.assertIn("terraform", person["automation"])
        lines = text.splitlines()
        shown = lines[lines.index("look at first:") + 1:][:6]
        for arn in protected(self.user, self.role):
            self.assertIn(f'    to guard.protected, if it may do that: "{arn}"', shown)

    def test_once_it_is_protected_others_come_first(self):
        _, result = self.backtest(protected(self.user, self.role))
        contained = {person["name"] for person in result["principals"] if person["contained"] > 0}
        self.assertFalse(contained & {USER, ROLE, REAL_PIPELINE})


if __name__ == "__main__":
    unittest.main(verbosity=2)
