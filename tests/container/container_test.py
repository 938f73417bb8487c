#!/usr/bin/env python3
"""The image: what it holds, that it is built anew to the same bytes, for both architectures, and that it does its work
where it may write nothing but its journal. See run.sh.

usage: container_test.py [TEST...]
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenario"))
import engine as engines
import harness
from engine import ROOT, run

MOST_BYTES = 25_000_000
STOP_SECONDS = 10  # it has nothing to do; Fargate gives 30 unless told otherwise
MACHINES = {"amd64": "Advanced Micro Devices X86-64", "arm64": "AArch64"}
OTHER = {"amd64": "arm64", "arm64": "amd64"}[engines.HERE]
EMULATORS = {"amd64": "qemu-x86_64", "arm64": "qemu-aarch64"}

began = time.monotonic()


def say(what):
    print(f"[{time.monotonic() - began:5.0f} s] {what}", flush=True)


def setUpModule():
    global engine, images
    folder = pathlib.Path(tempfile.mkdtemp(prefix="riposte-container-", dir="/var/tmp"))
    unittest.addModuleCleanup(shutil.rmtree, folder, ignore_errors=True)
    engine = engines.make(folder)
    unittest.addModuleCleanup(engine.close)
    say(f"by {engine.name}")
    images = {}
    for architecture in (engines.HERE, OTHER):
        engine.build(f"riposte-{architecture}", architecture)
        images[architecture] = engine.image(f"riposte-{architecture}")
        say(f"built for {architecture}: {sum(sizes(images[architecture].root)) / 1e6:.1f} MB")


def files(root):
    return [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]


def sizes(root):
    return [path.stat().st_size for path in files(root)]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Contents(unittest.TestCase):
    def test_small(self):
        for image in images.values():
            self.assertLess(sum(sizes(image.root)), MOST_BYTES)

    def test_nothing_runs_but_riposte(self):
        for image in images.values():
            programs = [path for path in files(image.root)
                        if path.stat().st_mode & 0o111 and path.stat().st_size and ".so" not in path.name]
            self.assertEqual(programs, [image.root / "usr/bin/riposte"])
            scripts = [path for path in files(image.root) if path.read_bytes()[:2] == b"#!"]
            self.assertEqual(scripts, [])
            privileged = [path for path in files(image.root) if path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)]
            self.assertEqual(privileged, [])

    def test_all_of_it_is_for_its_architecture(self):
        for architecture, image in images.items():
            for path in files(image.root):
                if path.read_bytes()[:4] == b"\x7fELF":
                    self.assertIn(MACHINES[architecture], run("readelf", "-h", path), path)

    def test_configuration(self):
        for image in images.values():
            configuration = image.configuration
            self.assertEqual(configuration["User"], "10001:10001")
            self.assertEqual(list(configuration["Volumes"]), ["/var/lib/riposte"])
            self.assertEqual(configuration["Entrypoint"] + configuration["Cmd"], ["/usr/bin/riposte", "serve"])
            self.assertEqual(configuration["StopSignal"], "SIGTERM")
            self.assertEqual(configuration["Healthcheck"]["Test"], ["CMD", "/usr/bin/riposte", "health"])
            journal = (image.root / "var/lib/riposte").stat()
            self.assertEqual((journal.st_uid, journal.st_gid, stat.S_IMODE(journal.st_mode)), (10001, 10001, 0o750))

    def test_labels(self):
        for image in images.values():
            labels = {name.removeprefix("org.opencontainers.image."): value
                      for name, value in image.configuration["Labels"].items()}
            version = run(images[engines.HERE].root / "usr/bin/riposte", "version").split()[1]
            self.assertEqual(labels["version"], version)
            self.assertEqual((labels["title"], labels["licenses"]), ("riposte", "Apache-2.0"))
            self.assertTrue(labels["description"] and labels["revision"])

    def test_bill_of_materials(self):
        for architecture, image in images.items():
            bill = json.loads((image.root / "usr/share/doc/riposte/sbom.cdx.json").read_text())
            self.assertEqual((bill["bomFormat"], bill["specVersion"]), ("CycloneDX", "1.5"))
            ours = bill["metadata"]["component"]
            self.assertEqual(ours["hashes"], [{"alg": "SHA-256", "content": digest(image.root / "usr/bin/riposte")}])
            packages = {component["name"]: component for component in bill["components"]}
            self.assertEqual(len({component["bom-ref"] for component in bill["components"]}), len(packages))
            for name in ("libc6", "libgnutls30", "libcurl3-gnutls", "libsqlite3-0", "ca-certificates"):
                self.assertIn(name, packages)
            for name, package in packages.items():
                known = (image.root / "var/lib/dpkg/status.d" / name).read_text()
                self.assertIn(f"\nVersion: {package['version']}\n", known)
                self.assertRegex(package["purl"], rf"^pkg:deb/debian/[^ @]+@[\w.%-]+\?arch=({architecture}|all)&distro=debian-\d+$")
                self.assertTrue((image.root / "usr/share/doc" / name / "copyright").stat().st_size)


class Same(unittest.TestCase):
    def test_the_same_source_gives_the_same_binary(self):
        """Once more: in another folder, in another time zone, with another number of jobs at once."""
        for architecture, image in images.items():
            with self.subTest(architecture):
                engine.build(f"riposte-build-{architecture}", architecture, "build")
                told = engine.run_in(f"riposte-build-{architecture}", f"""
                    mkdir -p /elsewhere && cp -r /source /elsewhere/again && cd /elsewhere/again && rm -rf build
                    export TZ=Asia/Tokyo CMAKE_BUILD_PARALLEL_LEVEL=1
                    sh docker/build.sh {architecture} /riposte >/dev/null && sha256sum /riposte""")
                self.assertEqual(told.split()[-2], digest(image.root / "usr/bin/riposte"))
                say(f"{architecture}, built twice: {told.split()[-2]}")


class Emulated(unittest.TestCase):
    """The image for the other architecture, in an emulator."""

    def riposte(self, *arguments):
        root = images[OTHER].root
        return subprocess.run([EMULATORS[OTHER], "-L", root, root / "usr/bin/riposte", *arguments],
                              capture_output=True, text=True, timeout=300)

    def test_version(self):
        self.assertRegex(self.riposte("version").stdout, r"^riposte \d+\.\d+\.\d+\n$")

    def test_check(self):
        checked = self.riposte("check", "-c", images[OTHER].root / "etc/riposte/riposte.json")
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_match(self):
        with tempfile.TemporaryDirectory() as folder:
            pattern = pathlib.Path(folder) / "pattern.json"
            event = ROOT / "conf/events/cli-attribute-value.json"
            for name, status in (("ModifyInstanceAttribute", 0), ("RunInstances", 1)):
                pattern.write_text(json.dumps({"detail": {"eventName": [name]}}))
                self.assertEqual(self.riposte("match", pattern, event).returncode, status)


class Container(harness.Riposte):
    """The server in a container: settings are the image's, and what the environment says."""

    def __init__(self, folder, **options):
        super().__init__(folder, **options)
        self.image = images[engines.HERE]
        self.journal = self.folder / "journal"
        self.journal.mkdir()
        os.chown(self.journal, 10001, 10001)
        self.folder.chmod(0o755)
        settings = json.loads(self.settings_path.read_text())
        self.environment = {
            **{name: value for name, value in self.environment.items() if name != "PATH"},
            "RIPOSTE_MODE": settings["mode"], "RIPOSTE_LISTEN_ADDRESS": "127.0.0.1",
            "RIPOSTE_LISTEN_PORT": str(self.port), "RIPOSTE_ADMIN_PORT": str(self.admin_port),
            "RIPOSTE_AWS_ENDPOINT": settings["aws"]["endpoint"]}
        self.name = None

    def start(self):
        self.name = f"riposte-test-{os.getpid()}-{time.monotonic_ns()}"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                engine.command(self.name, self.image, self.image.configuration["Cmd"], self.environment, self.journal),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        harness.wait_for("the server", self._is_ready, 30)
        return self

    def stop(self, *_):
        """SIGTERM; (exit code, seconds)."""
        if self.process is None or self.process.poll() is not None:
            return None
        asked = time.monotonic()
        engine.terminate(self.name)
        return self.process.wait(30), time.monotonic() - asked


class Attack(harness.Scenario):
    def start(self):
        self.server = Container(self.folder, mode="enforce", aws=self.moto.url, key=self.responder)
        self.addCleanup(self.tell_and_stop)
        return self.server.start()

    def attacked(self):
        """Protection is switched off with the attacker's key; the event of it."""
        self.instance = self.moto.instance()
        self.moto.enforce()
        self.moto.protect(self.moto.client("ec2", self.attacker_key), self.instance, False)
        return harness.by_user(harness.sample("cli-attribute-value.json"), self.attacker, self.attacker_key, self.instance)

    def test_the_attacker_is_locked_out_and_the_container_ends_in_time(self):
        event = self.attacked()
        server = self.start()
        self.check_confinement(server)
        healthy = engine.execute(server.name, server.image.configuration["Healthcheck"]["Test"][1:])
        self.assertEqual(healthy.returncode, 0, healthy.stdout + healthy.stderr)

        status, answer = server.post(event)
        self.assertEqual(status, 202, answer)
        incident = answer["incidents"][0]["id"]
        server.wait_for_state(incident, "done")
        ec2, iam = (self.moto.client(name, self.attacker_key) for name in ("ec2", "iam"))
        self.assert_denied(ec2.terminate_instances, InstanceIds=[self.instance])
        self.assert_denied(iam.delete_user_policy, UserName="attacker", PolicyName="riposte-contained")
        self.assertTrue(self.moto.is_protected(self.instance))

        code, seconds = server.stop()
        say(f"ended {seconds:.1f} s after SIGTERM with {code}")
        self.assertEqual(code, 0)
        self.assertLess(seconds, STOP_SECONDS)

        server.start()  # another container on the same volume
        self.assertEqual(server.incident(incident)["state"], "done")
        self.assertEqual(server.post(event)[0], 200)

    def check_confinement(self, server):
        process = pathlib.Path("/proc") / str(engine.pid(server.name))
        status = dict(re.findall(r"^(\w+):\s+(.*)$", (process / "status").read_text(), re.M))
        self.assertEqual(set(status["Uid"].split()), {"10001"})
        self.assertEqual({status[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")}, {"0" * 16})
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        mounts = dict(re.findall(r"^\d+ \d+ \S+ \S+ (\S+) (\S+)", (process / "mountinfo").read_text(), re.M))
        self.assertIn("ro", mounts["/"].split(","))
        self.assertIn("rw", mounts["/var/lib/riposte"].split(","))


if __name__ == "__main__":
    unittest.main(verbosity=2)
