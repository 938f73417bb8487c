"""What we would send beside what botocore sends for the same call: method, URL, headers, body; and
our signature beside botocore's of our own request.

usage: botocore_test.py AWS_DRIVER
"""
import json
import pathlib
import re
import subprocess
import sys
import unittest
from urllib.parse import urlsplit

import botocore.model
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.session import Session

from botocore_cases import ACCOUNT, CASES

DRIVER = sys.argv.pop()
PLAYBOOKS = pathlib.Path("conf/playbooks")
REGION = "eu-west-1"
CLIENT_NAMES = {"elasticloadbalancing": "elbv2", "access-analyzer": "accessanalyzer",
                "states": "stepfunctions", "tag": "resourcegroupstaggingapi",
                "elasticfilesystem": "efs", "es": "opensearch"}
# Whom we say we are, when, how it is transported, and how it is signed: compared elsewhere, or not
# at all. The hash of a body is always sent; botocore leaves it out over TLS.
OTHER_HEADERS = re.compile("user-agent|authorization|x-amz-date|x-amz-security-token|content-length|"
                           "amz-sdk-.*|x-amz-content-sha256|expect|accept")
KEYS = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a/token+==")

# botocore prefers CBOR where a service has it.
botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS = (
    "json", "rest-json", "rest-xml", "query", "ec2", "smithy-rpc-v2-cbor")


class Sent(Exception):
    def __init__(self, request):
        super().__init__("sent")
        self.request = request


def stop(request, **_):
    raise Sent(request)


def comparable(method, url, headers, body):
    """A request as a dictionary in which nothing is left that may differ."""
    parts = urlsplit(url)
    said = {name.lower(): value for name, value in headers
            if not OTHER_HEADERS.fullmatch(name.lower())}
    said.pop("host", None)
    kind = said.get("content-type", "")
    if "form" in kind:
        body = sorted(body.split("&"))  # botocore's order is that of its model
    elif body.startswith("{"):
        # Compact, which botocore's isn't; the order is the caller's in both.
        body = json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False)
    return {"method": method, "host": parts.netloc, "path": parts.path or "/",
            "query": sorted(parts.query.split("&")), "headers": said, "body": body}


def read(text):
    """A playbook, which may hold comments."""
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))


def calls(value):
    """All calls below: (service:operation, the object that makes it)."""
    if isinstance(value, dict):
        if isinstance(value.get("call"), str):
            yield value["call"], value
        value = list(value.values())
    for member in value if isinstance(value, list) else []:
        yield from calls(member)


class Requests(unittest.TestCase):
    maxDiff = None
    @classmethod
    def setUpClass(cls):
        cls.session = Session()
        cls.session.set_credentials(*KEYS)
        cls.clients = {}
        cls.cases = [(*case, REGION)[:5] for case in CASES]
        cls.ours = cls.run_driver([
            {"service": service, "operation": operation, "region": region,
             **(ours if "request" in ours else {"parameters": ours})}
            for service, operation, theirs, ours, region in
            ((s, o, t, t if u is None else u, r) for s, o, t, u, r in cls.cases)])

    @staticmethod
    def run_driver(said):
        done = subprocess.run([DRIVER, "requests"], input=json.dumps(said), capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        requests = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(requests) == len(said)
        return requests

    def theirs(self, service, operation, parameters, region):
        name = CLIENT_NAMES.get(service, service)
        if (name, region) not in self.clients:
            client = self.session.create_client(name, region_name=region, config=Config(
                retries={"max_attempts": 0}, s3={"us_east_1_regional_endpoint": "regional"}))
            client.meta.events.register("before-send", stop)
            self.clients[name, region] = client
        client = self.clients[name, region]
        methods = {api: method for method, api in client.meta.method_to_api_mapping.items()}
        try:
            getattr(client, methods[operation])(**parameters)
        except Sent as sent:
            return sent.request
        raise AssertionError("nothing was sent")

    def test_every_request_is_botocores(self):
        for (service, operation, parameters, _, region), ours in zip(self.cases, self.ours):
            with self.subTest(f"{service}:{operation}"):
                theirs = self.theirs(service, operation, parameters, region)
                body = theirs.body or b""
                body = body.decode() if isinstance(body, bytes) else body
                self.assertEqual(
                    comparable(ours["method"], ours["url"], ours["headers"], ours["body"]),
                    comparable(theirs.method, theirs.url, [
                        (name, value.decode() if isinstance(value, bytes) else value)
                        for name, value in theirs.headers.items()], body))

    def test_json_is_compact(self):
        for ours in self.ours:
            if ours["body"].startswith("{"):
                self.assertEqual(ours["body"], json.dumps(
                    json.loads(ours["body"]), separators=(",", ":"), ensure_ascii=False))

    def test_every_signature_is_botocores(self):
        for (service, operation, *_), ours in zip(self.cases, self.ours):
            with self.subTest(f"{service}:{operation}"):
                headers = dict(ours["headers"])
                said = headers.pop("Authorization")
                region, name = re.search(r"/20260102/([^/]+)/([^/]+)/aws4_request", said).groups()
                signer = (S3SigV4Auth if name == "s3" else SigV4Auth)(
                    Credentials(*KEYS), name, region)
                request = AWSRequest(ours["method"], ours["url"], headers,
                                     ours["body"].encode())
                request.context["timestamp"] = headers["X-Amz-Date"]
                to_sign = signer.string_to_sign(request, signer.canonical_request(request))
                self.assertEqual(said.rpartition("Signature=")[2],
                                 signer.signature(to_sign, request))

    def test_enough_of_them(self):
        operations = {(service, operation) for service, operation, *_ in self.cases}
        self.assertGreaterEqual(len(operations), 120)

    def test_what_the_playbooks_call_is_among_them(self):
        known = {}
        for service, operation, theirs, ours, _ in self.cases:
            names = theirs if ours is None else ours.get("request", ours)
            known.setdefault(f"{service}:{operation}", set()).update(names)
        for path in sorted(PLAYBOOKS.glob("*.json")):
            for name, call in calls(read(path.read_text(encoding="utf-8"))):
                with self.subTest(f"{path.name}: {name}"):
                    said = call.get("request") or call.get("with") or {}
                    self.assertIn(name, known)
                    self.assertLessEqual(set(said), known[name])


if __name__ == "__main__":
    unittest.main()
