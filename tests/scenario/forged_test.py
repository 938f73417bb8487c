"""Somebody with the secret turns the server against its owners: as many are contained as the limit says, nobody who
is protected, and one command takes it all back."""
import collections
import json
import unittest
import urllib.parse

import harness
from harness import ACCOUNT, Scenario, by_user, sample

FORGED = 1000
AT_ONCE = 250
LIMIT = 10  # guard.limit.principals, by default
ADMINS = ["admin-anna", "admin-bert", "admin-cleo"]


def identity(name):
    return {"UserName": name, "UserId": f"AIDA{name.upper().replace('-', ''):X>16}",
            "Arn": f"arn:aws:iam::{ACCOUNT}:user/{name}"}


class Iam:
    """IAM in an account where everybody exists whom an event may name."""

    def __init__(self, users):
        self.users = {user["UserName"]: user for user in users}
        self.policies = {}

    def on_request(self, action, forward):
        said = dict(urllib.parse.parse_qsl(forward.body.decode()))
        name = said.get("UserName")
        if action not in ("GetUser", "GetUserPolicy", "PutUserPolicy", "DeleteUserPolicy"):
            return forward()
        if action == "PutUserPolicy":
            self.policies[name] = said["PolicyDocument"]
        elif action == "DeleteUserPolicy":
            if self.policies.pop(name, None) is None:
                return harness.query_error(404, "NoSuchEntity")
        elif action == "GetUserPolicy":
            if name not in self.policies:
                return harness.query_error(404, "NoSuchEntity")
            return self.answer(action, "<PolicyDocument>"
                               f"{urllib.parse.quote(self.policies[name])}</PolicyDocument>")
        elif action == "GetUser":
            members = "".join(f"<{key}>{value}</{key}>" for key, value in self.users[name].items())
            return self.answer(action, f"<User>{members}</User>")
        return self.answer(action, "")

    @staticmethod
    def answer(action, members):
        return 200, (f'<{action}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
                     f"<{action}Result>{members}</{action}Result></{action}Response>").encode()


class Forged(Scenario):
    def forge(self):
        """A thousand events of a thousand principals: (those that must not be contained, events)."""
        safe = [*map(identity, ["break-glass", *ADMINS])]
        others = [identity(f"colleague-{number:03}") for number in range(FORGED - len(safe) - 2)]
        key = {"AccessKeyId": "AKIAFORGEDEXAMPLE000"}
        users = [others[0], *safe, *others[1:]]
        events = [self.event(user, key) for user in users]
        me = self.moto.client("iam").get_user(UserName="responder")["User"]
        events[5:5] = [self.event(me, self.responder), self.event(me, key)]
        self.assertEqual(len(events), FORGED)
        return Iam([*users, me]), {user["UserName"] for user in [*safe, me]}, events

    def event(self, user, key):
        return by_user(sample("terraform-no-mfa.json"), user, key, self.instance)

    def incidents(self):
        done = self.server.cli("incidents", "list", "--all", "--json", "-c",
                               str(self.server.settings_path))
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["incidents"]

    def settled(self):
        incidents = self.incidents()
        is_settled = len(incidents) == FORGED and not any(
            incident["state"] in ("detected", "responding") for incident in incidents)
        return incidents if is_settled else None

    def test_no_more_than_the_limit_are_contained_and_all_is_taken_back(self):
        self.instance = self.moto.instance(protected=False)
        iam, safe, events = self.forge()
        interposer = harness.Interposer(self.moto.port, iam.on_request)
        self.addCleanup(interposer.stop)
        protected = [identity(name)["Arn"] for name in ("break-glass", *ADMINS)]
        server = self.riposte(mode="enforce", aws=interposer.url, key=self.responder,
                              settings={"guard": {"protected": protected}}).start()
        for start in range(0, FORGED, AT_ONCE):
            status, answer = server.post(events[start:start + AT_ONCE])
            self.assertEqual(status, 202, answer)
        incidents = harness.wait_for("all incidents to be decided", self.settled, 30, 0.5)

        states = collections.Counter(incident["state"] for incident in incidents)
        self.assertEqual(states, {"done": LIMIT, "suppressed": 1, "held": FORGED - LIMIT - 1})
        self.assertEqual(len(iam.policies), LIMIT)
        self.assertFalse(safe & set(iam.policies))
        reasons = {(incident["principal"]["name"], incident["state"]): incident["reason"]
                   for incident in incidents if incident["state"] != "done"}
        self.assertEqual(len(reasons), FORGED - LIMIT)
        for name in safe - {"responder"}:
            self.assertIn("protected", reasons[name, "held"])
        self.assertIn("key", reasons["responder", "suppressed"])
        self.assertIn("responder", {name for name, state in reasons if state == "held"})
        limited = [reason for reason in reasons.values() if "limit" in reason]
        self.assertEqual(len(limited), FORGED - LIMIT - len(ADMINS) - 3)

        shown = server.cli("incidents", "undo", "--all", "-c", str(server.settings_path))
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertEqual(shown.stdout.count("iam:DeleteUserPolicy"), LIMIT)
        self.assertIn(f"{LIMIT} to take back; nothing was done yet: add --yes", shown.stdout)
        self.assertEqual(len(iam.policies), LIMIT)
        undone = server.cli("incidents", "undo", "--all", "--yes", "-c", str(server.settings_path))
        self.assertEqual(undone.returncode, 0, undone.stderr)
        self.assertEqual(iam.policies, {})
        states = collections.Counter(incident["state"] for incident in self.incidents())
        self.assertEqual(states, {"released": LIMIT, "suppressed": 1, "held": FORGED - LIMIT - 1})


if __name__ == "__main__":
    unittest.main(verbosity=2)
