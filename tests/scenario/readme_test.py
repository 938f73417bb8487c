"""README's first session and the restore of docs/deploy.md, typed as they stand: each command must print what is written.

What differs from run to run is compared by shape: identifiers, times, ports, counts of milliseconds, fingerprints. A line
"..." stands for any lines.
"""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

import harness

ULID = r"(?<![0-9A-Z])[0-9A-HJKMNP-TV-Z]{26}(?![0-9A-Za-z])"
SHAPES = (
    (ULID, "ULID"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
    (r"\b[0-9a-f]{64}\b", "SHA256"),
    (r"\bis (responding|done)$", "is under way"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (r"\b\d+(\.\d+)? ?(us|ms|s)\b", "SPAN"),
    (r"\bi-[0-9a-f]{17}\b", "INSTANCE"),
    (r"\b\d{12}/[A-Za-z0-9]{16,}\b", "PRINCIPAL"),
    (r"\b(AKIA|AIDA)[A-Z0-9]{12,}\b", "KEY"),
    (r"[ \t]+", " "),
)


def shape(line):
    for pattern, name in SHAPES:
        line = re.sub(pattern, name, line)
    return line.strip()


def session(file, heading=None):
    """[(command, [expected line])] of the ```console blocks under the heading, or of the whole page."""
    part = (harness.ROOT / file).read_text()
    if heading:
        part = part.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    steps = []
    for block in re.findall(r"```console\n(.*?)```", part, re.S):
        for line in block.splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            elif line.startswith("> "):
                steps[-1] = (steps[-1][0] + "\n" + line[2:], steps[-1][1])
            else:
                steps[-1][1].append(line)
    return steps


def agrees(expected, got):
    """Lines against lines; "..." takes any number of them."""
    if not expected:
        return not got
    if expected[0].strip() == "...":
        return any(agrees(expected[1:], got[skip:]) for skip in range(len(got) + 1))
    return bool(got) and shape(expected[0]) == shape(got[0]) and agrees(expected[1:], got[1:])


class Typed(unittest.TestCase):
    def test_first_session(self):
        self.follow(session("README.md", "First session"))

    def test_restore(self):
        self.follow(session("docs/deploy.md", "Restore"), RIPOSTE_LISTEN_ADDRESS="127.0.0.1",
                    RIPOSTE_JOURNAL="sqlite:/tmp/riposte/journal.db", RIPOSTE_SECRET=harness.SECRET,
                    RIPOSTE_ADMIN_TOKEN=harness.TOKEN)

    def follow(self, steps, **variables):
        self.assertGreater(len(steps), 8)
        folder = tempfile.mkdtemp(prefix="riposte-readme-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        shell = subprocess.Popen(["bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, cwd=harness.ROOT,
                                 start_new_session=True, env={
                                     **self.environment(folder),
                                     **{name: value.replace("/tmp/riposte", folder)
                                        for name, value in variables.items()}})
        self.addCleanup(self.end, shell)
        self.names = {}
        for command, expected in steps:
            with self.subTest(command):
                got = self.type(shell, self.local(command, folder))
                self.learn_names(expected, got)
                self.assertTrue(agrees(expected, got), "\n".join(
                    ["", "it is written:", *expected, "it printed:", *got]))

    def learn_names(self, expected, got):
        """The incident that is written is this run's: in the order in which they first appear."""
        ours, theirs = (re.findall(ULID, "\n".join(lines)) for lines in (got, expected))
        for mine, written in zip(ours, theirs):
            self.names.setdefault(written, mine)

    def environment(self, folder):
        """The ports that are written may be taken here."""
        self.ports = {"8443": str(harness.free_port()), "9443": str(harness.free_port())}
        path = f"{os.path.dirname(harness.BINARY)}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": folder, "PYTHON": os.environ.get("PYTHON", "python3"),
                "RIPOSTE_LISTEN_PORT": self.ports["8443"],
                "RIPOSTE_ADMIN_PORT": self.ports["9443"],
                **{name: value for name, value in os.environ.items()
                   if name.endswith("SAN_OPTIONS") or name.startswith("PY")}}

    def local(self, command, folder):
        for port, here in self.ports.items():
            command = command.replace(port, here)
        for written, mine in self.names.items():
            command = command.replace(written, mine)
        command = command.replace("build/server", os.path.dirname(harness.BINARY))
        command = re.sub(r"\bpython3 ", "${PYTHON} ", command)
        return command.replace("/tmp/riposte", folder)

    def type(self, shell, command):
        mark = "-- end of output --"
        shell.stdin.write(f"{command}\necho '{mark}'\n")
        shell.stdin.flush()
        lines = []
        for line in shell.stdout:
            for port, here in self.ports.items():
                line = line.replace(here, port)
            if line.rstrip("\n").endswith(mark):
                return lines
            lines.append(re.sub(r"/tmp/riposte-readme-\w+", "/tmp/riposte", line.rstrip("\n")))
        self.fail(f"the shell ended at: {command}")
        return lines

    @staticmethod
    def end(shell):
        shell.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGTERM)
        shell.wait(20)
        shell.stdout.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
