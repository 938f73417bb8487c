#!/usr/bin/env python3
"""The rules of the tree that no compiler checks.

usage: tests/lint/run.py CHECK... [--root FOLDER]

format   every .c and .h is as clang-format 14 writes it
layers   who includes whom (layers.txt), which folder sees which foreign library, and that every
         contract has a body of the same name
banned   calls and words that have no place here
headers  contracts say what they are, who owns what, and have the right include guard
sources  every source file is built, every unit test is run
scripts  shellcheck finds nothing in shell scripts and in what the Debian package runs

Prints "file:line: what" a finding; exit 0 when there is none, 1 otherwise. Python's standard library
only.
"""

import argparse
import fnmatch
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

FOLDERS = ("include", "server", "tests")

LIBC_HEADERS = set(
    """assert ctype dirent errno fcntl fenv float fnmatch getopt glob grp ifaddrs inttypes limits
    locale malloc math netdb poll pthread pwd regex sched semaphore setjmp signal spawn stdalign
    stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string strings termios time
    unistd wchar""".split()
)
LIBC_FOLDERS = ("arpa/", "linux/", "net/", "netinet/", "sys/")

BANNED_CALLS = {
    "alloca": "use an array with a bound, or memory_new()",
    "atof": "use a parser that can fail",
    "atoi": "use text_parse_unsigned()",
    "atol": "use text_parse_unsigned()",
    "gets": "use file_read()",
    "gmtime": "use gmtime_r(), or time_format_*()",
    "localtime": "times are UTC: use time_format_*()",
    "popen": "run no shell",
    "rand": "use random_bytes()",
    "random": "use random_bytes()",
    "sprintf": "use snprintf() or buffer_append_format()",
    "srand": "use random_bytes()",
    "strcat": "use a buffer",
    "strcpy": "use text_copy() or a buffer",
    "strtok": "use text_next_part()",
    "system": "run no shell",
    "vsprintf": "use vsnprintf()",
}
SLEEPS = ("sleep", "usleep", "nanosleep", "clock_nanosleep")
SLEEP_HOME = "server/base/clock.c"

# Where secrets, or what is made from them, are compared.
SECRET_FILES = (
    "server/crypto/*.c",
    "server/inbound/authenticate.c",
    "server/intake/secret*.c",
    "server/aws/credentials*.c",
    "server/operate/*token*.c",
)

# The log writes to stderr; what talks to a person on a terminal may, and what must die may say why.
STDERR_FILES = (
    "server/observe/log.c",
    "server/base/memory.c",
    "server/crypto/random.c",
    "server/cli/*",
    "server/main.c",
)

HEADINGS = ("Ownership", "Threads", "Bounds", "Source", "Units")


class Findings(list):
    def add(self, path, line, what):
        self.append(f"{path}:{line}: {what}")


def c_files(root, folders=FOLDERS):
    """Paths relative to root, sorted."""
    found = []
    for folder in folders:
        for where, names, files in os.walk(root / folder):
            names[:] = [name for name in names if not name.startswith((".", "build"))]
            for name in files:
                if name.endswith((".c", ".h")):
                    found.append((Path(where) / name).relative_to(root).as_posix())
    return sorted(found)


def read(root, path):
    return (root / path).read_text(encoding="utf-8")


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


TOKENS = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL
)


def blank(text, strings):
    """Comments (and, if asked, what stands in quotes) as spaces; lines stay where they are."""

    def replace(match):
        token = match.group(0)
        if token[0] in "\"'" and not strings:
            return token
        return re.sub(r"[^\n]", " ", token)

    return TOKENS.sub(replace, text)


# ---- format -------------------------------------------------------------------------------------


def clang_format():
    """clang-format of exactly version 14: other versions disagree with it."""
    for name in ("clang-format-14", "clang-format"):
        command = shutil.which(name)
        if command is None:
            continue
        version = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
        if re.search(r"version 14\.", version.stdout):
            return command
    return None


def check_format(root):
    findings = Findings()
    command = clang_format()
    if command is None:
        findings.add("tests/lint", 0, "clang-format 14 is needed: apt-get install clang-format-14")
        return findings
    paths = c_files(root)
    if not paths:
        return findings
    result = subprocess.run(
        [command, "--dry-run", "--style=file", *paths], cwd=root, capture_output=True, text=True
    )
    for path, line in dict.fromkeys(re.findall(r"^(\S+?):(\d+):\d+: (?:warning|error)", result.stderr, re.M)):
        findings.add(path, line, "not as clang-format-14 -i would write it")
    if result.returncode != 0 and not findings:
        findings.add("tests/lint", 0, result.stderr.strip())
    return findings


# ---- layers -------------------------------------------------------------------------------------


class Layers:
    """layers.txt: 'folder: folders | foreign headers', and 'no body: contracts without a body'."""

    def __init__(self, text, findings):
        self.allowed, self.foreign, self.no_body = {}, {}, set()
        for number, line in enumerate(text.splitlines(), 1):
            line = line.split("#")[0].strip()
            if not line:
                continue
            name, _, rest = line.partition(":")
            if name == "no body":
                self.no_body |= set(rest.split())
                continue
            folders, _, foreign = rest.partition("|")
            for folder in folders.split():
                if folder not in self.allowed:
                    findings.add(
                        "tests/lint/layers.txt", number, f"{name} may include {folder}, which doesn't come before it"
                    )
            self.allowed[name] = set(folders.split()) | {name}
            self.foreign[name] = foreign.split()

    def is_foreign_allowed(self, folder, header):
        return any(matches_header(entry, header) for entry in self.foreign[folder])

    def is_known_foreign(self, header):
        return any(self.is_foreign_allowed(folder, header) for folder in self.foreign)


def matches_header(entry, header):
    return header.startswith(entry) if entry.endswith("/") else header == entry


def folder_of(path):
    """The layer a file belongs to."""
    parts = path.split("/")
    if parts[0] == "include":
        return parts[2] if len(parts) > 3 else ""
    return parts[1] if len(parts) > 2 else "daemon"


def is_libc(header):
    return header.startswith(LIBC_FOLDERS) or header.removesuffix(".h") in LIBC_HEADERS


INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)


def check_own_include(root, path, line, header, layers, findings):
    folder = folder_of(path)
    if not header.startswith("riposte/"):
        if "/" in header or not (root / path).with_name(header).is_file():
            findings.add(path, line, f'"{header}" is neither a contract nor a header of this folder')
        elif path.startswith("include/"):
            findings.add(path, line, f'a contract is included as "riposte/{folder}/{header}"')
        return
    target = header.split("/")[1]
    if target not in layers.allowed[folder]:
        findings.add(path, line, f"{folder} may not include {target}")
    elif not (root / "include" / header).is_file():
        findings.add(path, line, f"there is no include/{header}")


def check_system_include(path, line, header, layers, findings):
    folder = folder_of(path)
    if is_libc(header):
        return
    if path.startswith("include/"):
        findings.add(path, line, f"foreign header <{header}> in a contract")
    elif not layers.is_known_foreign(header):
        findings.add(path, line, f"<{header}> is neither the C library's nor listed in layers.txt")
    elif not layers.is_foreign_allowed(folder, header):
        findings.add(path, line, f"{folder} may not include <{header}>")


def check_has_body(root, path, layers, findings):
    if not (root / "server" / folder_of(path)).is_dir():
        return  # a folder of contracts alone: what uses them won't link
    name = path.removeprefix("include/riposte/").removesuffix(".h")
    has_body = (root / "server" / f"{name}.c").is_file()
    if has_body == (f"{name}.h" in layers.no_body):
        missing = f"there is no server/{name}.c (a contract without functions: 'no body' in layers.txt)"
        what = "has a body, but is listed under 'no body'" if has_body else missing
        findings.add(path, 1, what)


def check_layers(root):
    findings = Findings()
    layers = Layers(read(root, "tests/lint/layers.txt"), findings)
    for path in c_files(root, ("include", "server")):
        if folder_of(path) not in layers.allowed:
            findings.add(path, 1, "in a folder that layers.txt doesn't know")
            continue
        text = blank(read(root, path), strings=False)
        for match in INCLUDE.finditer(text):
            line = line_of(text, match.start(2))
            if match.group(1) == "<":
                check_system_include(path, line, match.group(2), layers, findings)
            else:
                check_own_include(root, path, line, match.group(2), layers, findings)
        if path.startswith("include/"):
            check_has_body(root, path, layers, findings)
    return findings


# ---- banned -------------------------------------------------------------------------------------


def is_one_of(path, patterns):
    return any(fnmatch.fnmatch(path, pattern) for pattern in patterns)


def banned_in(path):
    """(pattern, what is wrong) of everything that may not occur in this file."""
    for name, instead in BANNED_CALLS.items():
        yield rf"\b{name}\s*\(", f"{name}() is banned: {instead}"
    if path != SLEEP_HOME:
        for name in SLEEPS:
            yield rf"\b{name}\s*\(", f"{name}() is banned: pass a clock in, or wait on a condition"
    if is_one_of(path, SECRET_FILES):
        for name in ("memcmp", "bcmp", "strcmp"):
            yield rf"\b{name}\s*\(", f"{name}() among secrets: use crypto_equal() or crypto_equal_bytes()"
    if path.startswith("server/") and not is_one_of(path, STDERR_FILES):
        yield r"\b(?:stderr|STDERR_FILENO|perror)\b", "only the log writes to stderr"
    yield r"\bgoto\b", "goto is banned: use scoped(...) and smaller functions"
    yield (
        r"\btypedef\s+(?:struct|union|enum)\b[^;(]*[;{]",
        "no typedefs of structs, unions or enums",
    )
    yield r"#\s*define\s+NDEBUG\b", "asserts stay on"


def check_banned(root):
    findings = Findings()
    for path in c_files(root):
        text = blank(read(root, path), strings=True)
        for pattern, what in banned_in(path):
            for match in re.finditer(pattern, text):
                findings.add(path, line_of(text, match.start()), what)
    return findings


# ---- headers ------------------------------------------------------------------------------------

TAKES_STRUCT_POINTER = re.compile(r"\w\s*\([^;{}()]*\bstruct \w+ \*[^;{}]*\)[^;{}]*;")


def guard_of(path):
    """RIPOSTE_FOLDER_FILE_H for a contract, RIPOSTE_SERVER_FOLDER_FILE_H for a folder's own header."""
    prefix, name = ("RIPOSTE_SERVER_", path.removeprefix("server/"))
    if path.startswith("include/"):
        prefix, name = ("RIPOSTE_", path.removeprefix("include/riposte/"))
    return prefix + re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def check_guard(path, text, findings):
    guard = guard_of(path)
    code = blank(text, strings=False).split()
    if code[:4] != ["#ifndef", guard, "#define", guard] or code[-1:] != ["#endif"]:
        findings.add(path, 1, f"must be guarded by {guard}")


def check_prose(path, text, findings):
    match = re.match(r"/\*(.*?)\*/", text, re.DOTALL)
    prose = match.group(1) if match else ""
    if not re.search(r"\w[^.]*\.(\s|$)", prose):
        findings.add(path, 1, "must begin with a comment that says in a sentence what it is")
        return
    for number, line in enumerate(prose.split("\n"), 1):
        if re.search(rf"\S.*\b(?:{'|'.join(HEADINGS)}):\s", line.lstrip(" *")):
            findings.add(path, number, "a heading (Ownership:, Threads:, ...) must begin its line")
    if not path.startswith("include/"):
        return
    is_owned = re.search(r"^ \* (?:Ownership|Threads):", prose, re.M)
    if TAKES_STRUCT_POINTER.search(blank(text, strings=True)) and not is_owned:
        findings.add(path, 1, "takes pointers to structs: say who owns what (Ownership:) or Threads:")


def check_headers(root):
    findings = Findings()
    for path in c_files(root, ("include", "server")):
        if path.endswith(".h"):
            text = read(root, path)
            check_guard(path, text, findings)
            check_prose(path, text, findings)
    return findings


# ---- sources ------------------------------------------------------------------------------------


def cmake_calls(text, name):
    """The arguments of each call of `name`."""
    text = re.sub(r"#[^\n]*", "", text)
    for match in re.finditer(rf"\b{name}\s*\(([^()]*)\)", text):
        yield match.group(1).split()


def listed_sources(root):
    """Every server/... path that CMakeLists.txt builds."""
    text = read(root, "CMakeLists.txt")
    listed = set(re.findall(r"\bserver/[\w/.-]+\.c\b", re.sub(r"#[^\n]*", "", text)))
    for arguments in cmake_calls(text, "riposte_layer"):
        if "SOURCES" in arguments:
            names = arguments[arguments.index("SOURCES") + 1 :]
            listed |= {f"server/{arguments[0]}/{name}" for name in names}
    return listed


def listed_units(root):
    text = read(root, "tests/CMakeLists.txt")
    return {
        f"tests/unit/{arguments[0]}/{name}_test.c"
        for arguments in cmake_calls(text, "riposte_unit")
        for name in arguments[1:]
    }


def check_sources(root):
    findings = Findings()
    sources, units = listed_sources(root), listed_units(root)
    for path in c_files(root, ("server",)):
        if path.endswith(".c") and path not in sources:
            findings.add(path, 1, "is not listed in CMakeLists.txt")
    for path in c_files(root, ("tests/unit",)):
        if path.endswith("_test.c") and path not in units:
            findings.add(path, 1, "is not listed in tests/CMakeLists.txt")
    for path in ("CMakeLists.txt", "tests/CMakeLists.txt"):
        text = re.sub(r"#[^\n]*", "", read(root, path))
        for match in re.finditer(r"\bfile\s*\(\s*GLOB", text):
            findings.add(path, line_of(text, match.start()), "lists of sources are kept by hand")
    return findings


# ---- scripts ------------------------------------------------------------------------------------


def scripts(root):
    """Paths relative to root, sorted."""
    found = [*root.glob("*.sh"), *root.glob("debian/*.p*inst"), *root.glob("debian/*.p*rm")]
    for folder in ("cmake", "docker", "tests"):
        found += (root / folder).rglob("*.sh")
    return sorted(path.relative_to(root).as_posix() for path in found)


def check_scripts(root):
    findings = Findings()
    command = shutil.which("shellcheck")
    if command is None:
        findings.add("tests/lint", 0, "shellcheck is needed: apt-get install shellcheck")
        return findings
    result = subprocess.run([command, "-f", "gcc", *scripts(root)], cwd=root, capture_output=True, text=True)
    for path, line, what in re.findall(r"^(.+?):(\d+):\d+: (.*)$", result.stdout, re.M):
        findings.add(path, line, what)
    if result.returncode != 0 and not findings:
        findings.add("tests/lint", 0, result.stderr.strip())
    return findings


CHECKS = {
    "format": check_format,
    "layers": check_layers,
    "banned": check_banned,
    "headers": check_headers,
    "sources": check_sources,
    "scripts": check_scripts,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checks", nargs="+", choices=CHECKS, metavar="CHECK")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    options = parser.parse_args()
    findings = [finding for name in options.checks for finding in CHECKS[name](options.root)]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
