"""What builds images and runs containers here: a Docker engine where one answers, else buildah and runc as root.

Either way a container is a process of ours (`run` in the foreground) with the host's network, on a read-only root,
without capabilities, as the image's user; of it only the journal's folder and /tmp can be written.
"""
import json
import os
import pathlib
import platform
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
HERE = ARCHITECTURES[platform.machine()]
BASE = "debian:bookworm-slim"


def run(*command, **more):
    """Its output; what went wrong is raised with the end of what it said."""
    result = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, **more)
    if result.returncode != 0:
        raise AssertionError(f"{command}: {result.returncode}\n{result.stdout[-4000:]}{result.stderr[-4000:]}")
    return result.stdout


class Image:
    """One image: its name, its configuration (User, Labels, Healthcheck, ...), its root file system in a folder."""

    def __init__(self, name, configuration, root):
        self.name, self.configuration, self.root = name, configuration, root


class Docker:
    name = "docker"

    @staticmethod
    def is_here():
        return shutil.which("docker") and subprocess.run(
            ["docker", "info"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60).returncode == 0

    def __init__(self, folder):
        self.folder = folder
        self.built = []

    def build(self, name, architecture, target=None):
        self.built.append(name)
        run("docker", "build", "--network", "host", "--platform", f"linux/{architecture}", "-t", name,
            *(["--target", target] if target else []), ROOT, env={**os.environ, "DOCKER_BUILDKIT": "1"})

    def image(self, name):
        root = self.folder / f"{name}-root"
        root.mkdir()
        container = run("docker", "create", name).strip()
        archive = self.folder / f"{name}.tar"
        run("docker", "export", "-o", archive, container)
        run("tar", "-x", "-p", "-C", root, "-f", archive)
        run("docker", "rm", container)
        return Image(name, json.loads(run("docker", "inspect", name))[0]["Config"], root)

    def run_in(self, name, script):
        return run("docker", "run", "--rm", "--network", "host", name, "sh", "-ec", script)

    def command(self, container, image, arguments, environment, journal):
        return ["docker", "run", "--rm", "--name", container, "--network", "host", "--read-only", "--cap-drop", "ALL",
                "--security-opt", "no-new-privileges", "--tmpfs", "/tmp", "-v", f"{journal}:/var/lib/riposte",
                *(part for name, value in environment.items() for part in ("-e", f"{name}={value}")),
                image.name, *arguments]

    def execute(self, container, command):
        return subprocess.run(["docker", "exec", container, *command], capture_output=True, text=True, timeout=30)

    def terminate(self, container):
        run("docker", "kill", "-s", "TERM", container)

    def pid(self, container):
        return int(run("docker", "inspect", "-f", "{{.State.Pid}}", container))

    def close(self):
        run("docker", "rmi", "--force", *self.built)


class Buildah:
    """The base image is pulled, or where no registry answers, made of Debian's packages."""
    name = "buildah and runc"

    @staticmethod
    def is_here():
        return os.getuid() == 0 and shutil.which("buildah") and shutil.which("runc")

    def __init__(self, folder):
        self.folder = folder
        self.mounted = []
        self._make_base()

    def _buildah(self, *arguments, **more):
        return run("buildah", "--root", self.folder / "storage", "--runroot", self.folder / "storage-run",
                   "--storage-driver", "overlay", *arguments,
                   env={**os.environ, "BUILDAH_ISOLATION": "chroot"}, **more)

    def _make_base(self):
        try:
            self._buildah("pull", "-q", BASE, timeout=120)
            return
        except (AssertionError, subprocess.TimeoutExpired):
            base = run(ROOT / "tests/support/bookworm.sh").strip()
        container = self._buildah("from", "scratch").strip()
        self._buildah("add", "-q", container, base, "/")
        self._buildah("config", "--cmd", "/bin/bash", container)
        self._buildah("commit", "-q", container, BASE)
        self._buildah("rm", container)

    def build(self, name, architecture, target=None):
        # buildah 1.28 looks for the base image of the other architecture, whatever FROM says: the compiler's is enough.
        self._buildah("build", "--format", "docker", "--isolation", "chroot", "--network", "host", "--pull-never",
                      "--layers", "--build-arg", f"TARGETARCH={architecture}", "-t", name,
                      *(["--target", target] if target else []), ROOT)

    def image(self, name):
        container = self._buildah("from", "--pull-never", f"localhost/{name}").strip()
        root = self.folder / f"{name}-root"
        run("cp", "-a", self._buildah("mount", container).strip(), root)
        self._buildah("rm", container)
        described = json.loads(self._buildah("inspect", "--type", "image", f"localhost/{name}"))
        return Image(name, described["Docker"]["config"], root)

    def run_in(self, name, script):
        container = self._buildah("from", "--pull-never", f"localhost/{name}").strip()
        try:
            return self._buildah("run", "--isolation", "chroot", container, "--", "sh", "-ec", script)
        finally:
            self._buildah("rm", container)

    def command(self, container, image, arguments, environment, journal):
        bundle = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        user, _, group = image.configuration["User"].partition(":")
        variables = [*image.configuration["Env"], *(f"{name}={value}" for name, value in environment.items())]
        (bundle / "config.json").write_text(json.dumps({
            "ociVersion": "1.0.2",
            "process": {"user": {"uid": int(user), "gid": int(group)}, "cwd": "/", "env": variables,
                        "args": [*image.configuration["Entrypoint"], *arguments], "noNewPrivileges": True,
                        "capabilities": {name: [] for name in (
                            "bounding", "effective", "inheritable", "permitted", "ambient")}},
            "root": {"path": str(image.root), "readonly": True},
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
                {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "noexec"]},
                {"destination": "/var/lib/riposte", "type": "bind", "source": str(journal),
                 "options": ["bind", "rw", "nosuid", "nodev"]}],
            "linux": {"namespaces": [{"type": name} for name in ("pid", "mount", "ipc", "uts")]}}))
        return [*self._runc(), "run", "--bundle", str(bundle), container]

    def _runc(self):
        return ["runc", "--root", str(self.folder / "runc")]

    def execute(self, container, command):
        return subprocess.run([*self._runc(), "exec", container, *command], capture_output=True, text=True, timeout=30)

    def terminate(self, container):
        run(*self._runc(), "kill", container, "TERM")

    def pid(self, container):
        return json.loads(run(*self._runc(), "state", container))["pid"]

    def close(self):
        self._buildah("rm", "--all")
        self._buildah("rmi", "--all", "--force")


def make(folder):
    for engine in (Docker, Buildah):
        if engine.is_here():
            return engine(pathlib.Path(folder))
    raise SystemExit("a Docker engine is needed, or, as root, the packages buildah, runc and debootstrap")
