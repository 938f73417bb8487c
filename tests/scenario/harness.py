"""What every scenario needs: an AWS emulator, a riposte server, EventBridge's part, and their ends.

Everything listens on 127.0.0.1 on ports the kernel chose, lives in a temporary folder, and is ended by pid.
"""
import contextlib
import copy
import datetime
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid

import boto3
import botocore.config
import botocore.exceptions

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("RIPOSTE_BINARY", str(ROOT / "build" / "release" / "riposte"))
ACCOUNT = "123456789012"
IMAGE = "ami-0abcdef1234567890"
REGION = "eu-west-1"
SECRET = "scenario-secret-0123456789"
TOKEN = "scenario-admin-token-0123456789"
EVENTS = ROOT / "conf" / "events"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, condition, seconds=15.0, every=0.02):
    """Asks until the condition's value is true; returns it."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(every)


def now(offset_s=0):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=offset_s)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def end_process(process, how=signal.SIGTERM, seconds=20):
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
            raise AssertionError(f"pid {process.pid} did not end within {seconds} s of {how!r}")
    return process.returncode


class Moto:
    """AWS: moto's server, with signatures checked and IAM enforced once enforce() was called. AWS's own managed
    policies are there when asked for: the thousand of them cost a second each time it is reset."""

    def __init__(self, has_managed_policies=False):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            env={**os.environ, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
                 "MOTO_IAM_LOAD_MANAGED_POLICIES": str(has_managed_policies).lower()},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("moto", self._answers, 60, 0.1)

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError("moto ended at once: is it installed for this Python?")
        with contextlib.suppress(OSError):
            return self._post("/moto-api/reset", b"") == 200
        return False

    def _post(self, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request("POST", path, body, {"Content-Type": "text/plain"})
            return connection.getresponse().status

    def reset(self):
        self.relax()
        assert self._post("/moto-api/reset", b"") == 200

    def enforce(self):
        assert self._post("/moto-api/reset-auth", b"0") == 200

    def relax(self):
        assert self._post("/moto-api/reset-auth", b"inf") == 200

    def client(self, service, key=None, region=REGION):
        """A client with somebody's access key, {"AccessKeyId", "SecretAccessKey"}."""
        key = key or {"AccessKeyId": "AKIAROOT", "SecretAccessKey": "root"}
        return boto3.client(service, region_name=region, endpoint_url=self.url,
                            aws_access_key_id=key["AccessKeyId"],
                            aws_secret_access_key=key["SecretAccessKey"],
                            config=botocore.config.Config(retries={"max_attempts": 1},
                                                          connect_timeout=5, read_timeout=20))

    def user(self, name, actions="*"):
        """An IAM user with one access key and one inline policy: (user, key)."""
        iam = self.client("iam")
        user = iam.create_user(UserName=name)["User"]
        iam.put_user_policy(UserName=name, PolicyName="work", PolicyDocument=json.dumps(
            {"Version": "2012-10-17",
             "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}))
        return user, iam.create_access_key(UserName=name)["AccessKey"]

    def instance(self, protected=True):
        """A running instance with termination protection."""
        ec2 = self.client("ec2")
        instance = ec2.run_instances(ImageId=IMAGE, MinCount=1,
                                     MaxCount=1)["Instances"][0]["InstanceId"]
        self.protect(ec2, instance, protected)
        return instance

    @staticmethod
    def protect(ec2, instance, value):
        ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": value})

    def is_protected(self, instance):
        answer = self.client("ec2", self.watcher).describe_instance_attribute(
            InstanceId=instance, Attribute="disableApiTermination")
        return answer["DisableApiTermination"]["Value"]

    def policies(self, user):
        names = self.client("iam", self.watcher).list_user_policies(UserName=user)["PolicyNames"]
        return sorted(names)

    def role_policies(self, role):
        names = self.client("iam", self.watcher).list_role_policies(RoleName=role)["PolicyNames"]
        return sorted(names)

    def role_policy(self, role, policy):
        return self.client("iam", self.watcher).get_role_policy(
            RoleName=role, PolicyName=policy)["PolicyDocument"]

    def stop(self):
        end_process(self.process)


class Recorder(threading.Thread):
    """A relay before an AWS stand-in that counts what comes: observe must leave it untouched."""

    def __init__(self, target_port):
        super().__init__(daemon=True)
        self.connections = 0
        self.bytes = 0
        self.requests = []
        self._target = target_port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def run(self):
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._relay, args=(peer,), daemon=True).start()

    def _relay(self, peer):
        with peer, socket.create_connection(("127.0.0.1", self._target)) as target:
            back = threading.Thread(target=self._pump, args=(target, peer, None), daemon=True)
            back.start()
            self._pump(peer, target, self.requests)
            back.join(5)

    def _pump(self, source, sink, kept):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if kept is not None:
                    self.bytes += len(data)
                    kept.extend(re.findall(rb"Action=(\w+)", data))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def actions(self):
        return [action.decode() for action in self.requests]

    def stop(self):
        self._socket.close()


class Interposer:
    """A relay before an AWS stand-in that understands requests: on_request(action, forward) answers each, as
    (status, body). forward() asks the stand-in; it may be called late, or never. forward.body,
    forward.headers: the request's."""

    def __init__(self, target_port, on_request):
        interposer = self
        self.actions = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                found = re.search(rb"Action=(\w+)", body)
                action = found.group(1).decode() if found else self.headers.get("X-Amz-Target", "")
                interposer.actions.append(action)

                def forward():
                    connection = http.client.HTTPConnection("127.0.0.1", target_port, timeout=20)
                    with contextlib.closing(connection):
                        connection.request("POST", self.path, body, dict(self.headers))
                        answer = connection.getresponse()
                        return answer.status, answer.read()

                forward.body = body
                forward.headers, forward.path = self.headers, self.path
                status, answer = on_request(action, forward)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("Content-Type", "text/xml")
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

            def refuse(self):
                """REST calls are noted and refused."""
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                interposer.actions.append(f"{self.command} {self.path}")
                with contextlib.suppress(OSError):
                    self.send_response(400)
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    self.wfile.write(b"{}")

            do_GET = do_PUT = do_DELETE = do_PATCH = refuse

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                """A client that was killed is no news."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


def query_error(status, code, message="from the stand-in"):
    return status, (f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
                    f"<Message>{message}</Message></Error><RequestId>r-1</RequestId>"
                    f"</ErrorResponse>").encode()


def is_traced():
    """A build whose leak checker traces its own process: it has no sandbox."""
    return b"__asan_init" in pathlib.Path(BINARY).read_bytes()


class Riposte:
    """The server under test: settings in a folder of its own, started as a user would start it."""

    def __init__(self, folder, mode="observe", aws=None, key=None, settings=None, environment=None):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.admin_port = free_port()
        self.log_path = self.folder / "riposte.log"
        self.settings_path = self.folder / "riposte.json"
        conf = ROOT / "conf"
        document = {
            "mode": mode,
            "listen": {"address": "127.0.0.1", "port": self.port},
            "authenticate": {"header": "X-Api-Key", "secrets": ["env:RIPOSTE_SECRET"]},
            "admin": {"address": "127.0.0.1", "port": self.admin_port,
                      "token": "env:RIPOSTE_ADMIN_TOKEN"},
            "journal": f"sqlite:{self.folder}/journal.db",
            "rules": str(conf / "rules"), "playbooks": str(conf / "playbooks"),
            "guard": {"protected": [f"arn:aws:iam::{ACCOUNT}:user/break-glass"]},
        }
        if aws:
            document["aws"] = {"endpoint": aws}
        for name, value in (settings or {}).items():
            document[name] = {**document[name], **value} if isinstance(
                value, dict) and isinstance(document.get(name), dict) else value
        self.settings_path.write_text(json.dumps(document, indent=2))
        self.environment = {
            "PATH": os.environ["PATH"], "RIPOSTE_SECRET": SECRET, "RIPOSTE_ADMIN_TOKEN": TOKEN,
            "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true", **{name: value for name, value in os.environ.items()
                                     if name.endswith("SAN_OPTIONS")}}
        if key:
            self.environment.update(AWS_ACCESS_KEY_ID=key["AccessKeyId"],
                                    AWS_SECRET_ACCESS_KEY=key["SecretAccessKey"])
        self.environment.update(environment or {})
        self.process = None

    def start(self, wait=True, **environment):
        self.started_at = time.monotonic()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", "-c", str(self.settings_path)], stderr=log, stdout=log,
                stdin=subprocess.DEVNULL, env={**self.environment, **environment})
        if wait:
            wait_for("the server", self._is_ready, 30)
        return self

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"serve ended with {self.process.returncode}:\n{self.log()}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.request("GET", "/readyz")[0] == 200
        return False

    def log(self):
        return self.log_path.read_text() if self.log_path.exists() else ""

    def log_lines(self):
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]

    def connection(self, port=None):
        context = ssl._create_unverified_context()
        return http.client.HTTPSConnection("127.0.0.1", port or self.port, timeout=30,
                                           context=context)

    def request(self, method, path, body=None, headers=None, port=None):
        """(status, headers, parsed or raw body)."""
        with contextlib.closing(self.connection(port)) as connection:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            data = answer.read()
            with contextlib.suppress(ValueError):
                data = json.loads(data)
            return answer.status, dict(answer.getheaders()), data

    def post(self, event, secret=SECRET, **headers):
        """As EventBridge posts: (status, parsed body)."""
        body = event if isinstance(event, (bytes, str)) else json.dumps(event)
        sent = {"User-Agent": "Amazon/EventBridge/ApiDestinations", "Range": "bytes=0-1048575",
                "Content-Type": "application/json; charset=utf-8",
                "Accept-Encoding": "gzip,deflate", "Connection": "close", **headers}
        if secret is not None:
            sent["X-Api-Key"] = secret
        status, _, data = self.request("POST", "/events", body, sent)
        return status, data

    def admin(self, path, method="GET", body=None, token=TOKEN):
        status, _, data = self.request(
            method, path, None if body is None else json.dumps(body),
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            self.admin_port)
        return status, data

    def incident(self, identifier):
        status, data = self.admin(f"/v1/incidents/{identifier}")
        assert status == 200, (status, data)
        return data

    def wait_for_state(self, identifier, *states, seconds=30):
        return wait_for(f"incident {identifier} to be {' or '.join(states)}, it is "
                        f"{self.incident(identifier)['state']}",
                        lambda: (lambda found: found if found["state"] in states else None)(
                            self.incident(identifier)), seconds)

    def cli(self, *arguments, **more):
        return subprocess.run([BINARY, *arguments], env=self.environment, text=True, timeout=60,
                              capture_output=True, **more)

    def stop(self, how=signal.SIGTERM):
        if self.process:
            return end_process(self.process, how)
        return None

    def kill(self):
        return self.stop(signal.SIGKILL)


def sample(name):
    return json.loads((EVENTS / name).read_text())


def fresh(event, **changes):
    """A copy with new ids and the present time; changes: detail members by dotted name ("__" for ".")."""
    event = copy.deepcopy(event)
    event["id"] = str(uuid.uuid4())
    event["time"] = event["detail"]["eventTime"] = now()
    event["detail"]["eventID"] = str(uuid.uuid4())
    for name, value in changes.items():
        place = event
        *parents, last = name.split("__")
        for parent in parents:
            place = place[parent]
        place[last] = value
    return event


def by_user(event, user, key, instance):
    """The event as this user of the emulator would have made it on that instance."""
    event = fresh(event)
    event["account"] = ACCOUNT
    event["region"] = event["detail"]["awsRegion"] = REGION
    event["detail"]["requestParameters"]["instanceId"] = instance
    event["detail"]["userIdentity"].update(
        userName=user["UserName"], principalId=user["UserId"], arn=user["Arn"], accountId=ACCOUNT,
        accessKeyId=key["AccessKeyId"])
    return event


def by_session(event, role, assumed, instance):
    """The event as this session of the emulator's role (as AssumeRole answered) would have made it."""
    event = fresh(event)
    event["account"] = ACCOUNT
    event["region"] = event["detail"]["awsRegion"] = REGION
    event["detail"]["requestParameters"]["instanceId"] = instance
    identity = event["detail"]["userIdentity"]
    identity.update(principalId=assumed["AssumedRoleUser"]["AssumedRoleId"],
                    arn=assumed["AssumedRoleUser"]["Arn"], accountId=ACCOUNT,
                    accessKeyId=assumed["Credentials"]["AccessKeyId"])
    identity["sessionContext"]["sessionIssuer"].update(
        principalId=role["RoleId"], arn=role["Arn"], accountId=ACCOUNT, userName=role["RoleName"])
    return event


STATES = ("detected", "suppressed", "joined", "observed", "held", "responding", "done", "failed", "releasing", "released",
          "dismissed")


def unexplained(journal):
    """What was left alone without its reason in the audit chain: incidents, and events that fired nothing yet."""
    if not journal.exists():
        return []
    with contextlib.closing(sqlite3.connect(journal)) as connection:
        try:
            lines = connection.execute("SELECT event, incident, actor, text FROM audit").fetchall()
            incidents = connection.execute("SELECT id, state FROM incident").fetchall()
            events = connection.execute("SELECT key FROM event WHERE incidents = 0").fetchall()
        except sqlite3.Error:  # a test damaged it
            return []
    told = {(incident, event) for event, incident, _, _ in lines}
    counted = {json.loads(text)["event"] for event, _, _, text in lines if event == "counted"}
    found = [(incident, STATES[state]) for incident, state in incidents
             if state and (incident, STATES[state]) not in told and (incident, "adopted") not in told]
    found += [(key, "counted") for (key,) in events if key not in counted]
    called = {json.loads(text)["call"].split("/")[1] + incident for event, incident, _, text in lines
              if event in ("intent", "shared", "outcome")}
    for event, incident, _, text in lines:
        said = json.loads(text)
        is_left = event in ("suppressed", "joined", "held", "failed")
        is_left |= event == "outcome" and said["state"] == "skipped"
        is_left |= event == "playbook" and (said["end"] != "done" or said["playbook"] + incident not in called)
        if is_left and not said.get("reason"):
            found.append((incident, event, said))
    return found


class Scenario(unittest.TestCase):
    """One emulator for the class, one folder a test."""
    has_managed_policies = False

    @classmethod
    def setUpClass(cls):
        cls.moto = Moto(cls.has_managed_policies)
        cls.addClassCleanup(cls.moto.stop)

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="riposte-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.moto.reset()
        _, self.moto.watcher = self.moto.user("watcher")
        _, self.responder = self.moto.user("responder")
        self.attacker, self.attacker_key = self.moto.user("attacker")
        self.bystander, self.bystander_key = self.moto.user("bystander")
        self.server = None

    def riposte(self, **options):
        self.server = Riposte(self.folder, **options)
        self.addCleanup(self.tell_and_stop)
        return self.server

    def tell_and_stop(self):
        if not getattr(self._outcome, "success", True):
            print(f"---- log of {self.id()}\n{self.server.log()[-20000:]}", file=sys.stderr)
        self.server.stop(signal.SIGKILL)
        self.assertEqual(unexplained(pathlib.Path(self.folder, "journal.db")), [])

    def assert_denied(self, call, *arguments, **parameters):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(*arguments, **parameters)
        self.assertEqual(caught.exception.response["Error"]["Code"], "AccessDenied")
