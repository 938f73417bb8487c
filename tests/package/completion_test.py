#!/usr/bin/env python3
"""Completion in bash and zsh: all commands and options of the binary, in the shells themselves.

usage: completion_test.py RIPOSTE
"""
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RIPOSTE = sys.argv.pop(1) if len(sys.argv) > 1 else str(ROOT / "build" / "release" / "riposte")

# A zsh whose completion system says what it was asked for.
ZSH = """
compdef() { :; }
_describe() { print -rl -- "${(@P)3}" "${(@P)2}" }
_arguments() { print -rl -- "$@" }
source %s
words=(%s)
CURRENT=%d
_riposte
"""


def run(*command, **more):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True,
                          timeout=60, **more).stdout


def commands():
    """Name and usage of each."""
    names = re.findall(r"^  ([a-z]+) +\S", run(RIPOSTE, "help"), re.M)
    assert len(names) > 15, names
    return {name: run(RIPOSTE, "help", name).partition("\n\n")[0] for name in names}


def options_in(text):
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text))


def parsed_options():
    """What each command's parser takes, from the source: {"check": {"-c"}, ...}; -c stands for --config."""
    functions = dict(re.findall(r'\{"([a-z]+)",\s*(\w+),', (ROOT / "server/main.c").read_text()))
    parsed = {}
    for path in [*ROOT.glob("server/cli/*.c"), *ROOT.glob("server/daemon/*.c")]:
        source = path.read_text()
        for command, function in functions.items():
            body = re.search(rf"^int {function}\(int argc.*?^}}", source, re.M | re.S)
            if body:
                parsed[command] = {f"-{letter}" if letter != "0" else f"--{name}" for name, letter in re.findall(
                    r"\{\"([a-z-]+)\",\s*'?(\w)'?,\s*(?:&|NULL)", body[0])}
    return parsed


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="riposte-completion-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.scripts = {}
        for shell in ("bash", "zsh"):
            cls.scripts[shell] = pathlib.Path(cls.folder.name) / shell
            cls.scripts[shell].write_text(run(RIPOSTE, "help", "completion", shell))
        cls.commands = commands()

    def bash(self, *words):
        """What bash would offer for the last word."""
        line = " ".join(shlex.quote(word) for word in ("riposte", *words))
        return run("bash", "-c", f"source {self.scripts['bash']}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; "
                                 "_riposte; printf '%s\\n' \"${COMPREPLY[@]}\"").split()

    def zsh(self, *words):
        line = " ".join(shlex.quote(word) for word in ("riposte", *words))
        return run("zsh", "-f", "-c", ZSH % (self.scripts["zsh"], line, len(words) + 1))

    def test_every_option_that_is_parsed_is_told(self):
        parsed = parsed_options()
        self.assertGreater(len(parsed), 12)
        for command, options in parsed.items():
            with self.subTest(command):
                self.assertLessEqual(options, options_in(self.commands[command]))

    def test_bash_offers_every_command(self):
        self.assertEqual(set(self.bash("")), set(self.commands))
        self.assertEqual(self.bash("red"), ["redrive"])

    def test_bash_offers_every_option(self):
        for command, usage in self.commands.items():
            with self.subTest(command):
                self.assertEqual(set(self.bash(command, "-")), options_in(usage.partition(command)[2]))

    def test_bash_offers_words_and_values(self):
        self.assertEqual(set(self.bash("export", "")) & {"iam-policy", "schema", "rule"}, {"iam-policy", "schema", "rule"})
        self.assertEqual(self.bash("incidents", "approve", "X", "--override", ""), ["protected"])
        self.assertEqual(self.bash("check", "-c", ""), [], "files, which bash offers itself")
        self.assertLessEqual(set(self.commands), set(self.bash("help", "")))

    def test_zsh_offers_every_command_and_option(self):
        described = self.zsh("")
        for command, usage in self.commands.items():
            with self.subTest(command):
                self.assertRegex(described, rf"(?m)^{command}:\w")
                offered = {line.partition(":")[0] for line in self.zsh(command, "").splitlines()} - {"*"}
                self.assertEqual(offered, options_in(usage.partition(command)[2]))
        self.assertIn("--override:word:( protected )", self.zsh("incidents", ""))

    def test_scripts_are_valid(self):
        run("bash", "-n", self.scripts["bash"])
        run("zsh", "-n", self.scripts["zsh"])
        run("shellcheck", "-s", "bash", self.scripts["bash"])


if __name__ == "__main__":
    unittest.main()
