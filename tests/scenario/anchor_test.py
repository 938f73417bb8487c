"""The end of the audit chain is noted in the log and in a bucket with Object Lock, by exactly what `export iam-policy`
allows, also in observe; a bucket that refuses is told of and tried again; `audit verify` holds the chain against both."""
import json
import pathlib
import sqlite3
import unittest

import harness
from harness import Scenario

BUCKET = "audit-anchors"


class Anchor(Scenario):
    def setUp(self):
        super().setUp()
        self.moto.client("s3").create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True, CreateBucketConfiguration={
            "LocationConstraint": harness.REGION})
        self.riposte(aws=self.moto.url, key=self.responder, settings={"audit": {
            "retain": "400d", "anchor": {"every": "1s", "s3": {"bucket": BUCKET, "prefix": "here/", "retain": "30d"}}}})

    def restrict(self, resource=None):
        exported = self.server.cli("export", "iam-policy", "-c", str(self.server.settings_path))
        self.assertEqual(exported.returncode, 0, exported.stderr)
        policy = json.loads(exported.stdout)
        noted = [one for one in policy["Statement"] if one["Sid"] == "NoteAuditAnchors"]
        self.assertEqual([(one["Action"], one["Resource"]) for one in noted],
                         [(["s3:PutObject", "s3:PutObjectRetention"], [f"arn:*:s3:::{BUCKET}/here/*"])])
        # The emulator takes a partition for text, and knows one alone.
        noted[0]["Resource"] = [resource or f"arn:aws:s3:::{BUCKET}/here/*"]
        self.moto.client("iam").put_user_policy(UserName="responder", PolicyName="work", PolicyDocument=json.dumps(policy))

    def objects(self):
        return self.moto.client("s3", self.moto.watcher).list_objects_v2(Bucket=BUCKET).get("Contents", [])

    def anchors(self, outcome):
        _, text = self.server.admin("/metrics")
        wanted = f'riposte_audit_anchors_total{{outcome="{outcome}"}} '
        return sum(int(line.split()[-1]) for line in text.decode().splitlines() if line.startswith(wanted))

    def verify(self, *anchor):
        return self.server.cli("audit", "verify", "--journal", f"{self.folder}/journal.db",
                               *(("--anchor", str(anchor[0])) if anchor else ()), "-c", str(self.server.settings_path))

    def test_it_is_noted_where_it_stays(self):
        self.restrict(f"arn:aws:s3:::{BUCKET}/elsewhere/*")
        self.moto.enforce()
        self.server.start()
        told = "the end of the audit chain is not noted in the bucket audit-anchors; tried again in 1 s: AccessDenied"
        harness.wait_for("the refusal to be told", lambda: told in self.server.log(), 10)
        self.moto.relax()
        self.restrict()
        self.moto.enforce()
        harness.wait_for("an object", self.objects, 10)
        self.assertEqual(self.server.post(harness.fresh(harness.sample("terraform-no-mfa.json")))[0], 202)
        count = len(self.objects())
        harness.wait_for("the next objects", lambda: len(self.objects()) >= count + 2, 10)
        self.assertGreaterEqual(self.anchors("done"), count + 2)
        self.assertGreaterEqual(self.anchors("failed"), 1)
        self.assertEqual(self.server.stop(), 0)
        self.moto.relax()
        s3 = self.moto.client("s3")
        kept = sorted(one["Key"] for one in self.objects())
        for key in kept:
            self.assertRegex(key, r"^here/\d{8}T\d{6}Z-\d+\.json$")
            lock = s3.head_object(Bucket=BUCKET, Key=key)
            self.assertEqual(lock["ObjectLockMode"], "COMPLIANCE")
            self.assertAlmostEqual((lock["ObjectLockRetainUntilDate"] - lock["LastModified"]).total_seconds(), 30 * 86400, delta=60)
        noted = pathlib.Path(self.folder, "noted")
        noted.write_text("\n".join(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() for key in kept))
        self.check(noted)
        self.check(self.server.log_path)

    def check(self, noted):
        """The chain holds every anchor of the file, and no more so when its end is cut off."""
        found = self.verify(noted)
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertRegex(found.stdout, r"^intact, \d+ lines, \d+ anchors hold; anchor ")
        path = pathlib.Path(self.folder, "journal.db")
        whole = path.read_bytes()
        connection = sqlite3.connect(path)
        connection.execute("DELETE FROM audit WHERE sequence > 2")
        connection.commit()
        connection.close()
        self.assertEqual(self.verify().returncode, 0, "what is left is a chain")
        found = self.verify(noted)
        self.assertEqual(found.returncode, 1)
        self.assertIn("it ends at line 2, the anchor is line ", found.stderr)
        path.write_bytes(whole)


if __name__ == "__main__":
    unittest.main(verbosity=2)
