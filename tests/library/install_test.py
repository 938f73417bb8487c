#!/usr/bin/env python3
"""The library as somebody else gets it: installed, found by pkg-config and by CMake, with the names
that its headers declare and no others.

usage: install_test.py BUILD-FOLDER CMAKE
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = ROOT / "docs/match-example.c"
EVENT = '{"source":"aws.ec2","detail":{"eventName":"StopInstances"},"port":8443}'
STRICT = ["-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]

CMAKE_PROJECT = """
cmake_minimum_required(VERSION 3.23)
project(example LANGUAGES C)
find_package(riposte-detect {version} REQUIRED)
add_executable(shared "{example}")
target_link_libraries(shared PRIVATE riposte::detect)
add_executable(static "{example}")
target_link_libraries(static PRIVATE riposte::detect-static)
"""

VERSION_PROGRAM = """
#include <riposte/detect/version.h>
#include <stdio.h>
#undef json_parse
int json_parse(void);
int json_parse(void) { return 0; } /* the library's own is another */
int main(void) { return puts(riposte_detect_version()) < 0; }
"""


def run(*command, status=0, **more):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **more)
    if result.returncode != status:
        raise AssertionError(f"{command}: {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


class Installation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="riposte-install-"))
        first = cls.folder / "first"
        run(CMAKE, "--install", BUILD, "--component", "detect", "--prefix", first)
        cls.prefix = first.rename(cls.folder / "moved")  # nothing knows where it was installed first
        (cls.library,) = (path.parent for path in cls.prefix.glob("lib*/**/libriposte-detect.a"))
        cls.shared = cls.library / "libriposte-detect.so"
        cls.environment = dict(os.environ, PKG_CONFIG_PATH=str(cls.library / "pkgconfig"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)



class Installed(Installation):
    """What a program gets."""

    def pkg_config(self, *words):
        return run("pkg-config", *words, "riposte-detect", env=self.environment).split()

    def compile(self, source, name, *libraries):
        program = self.folder / name
        run("cc", *STRICT, *self.pkg_config("--cflags"), source, "-o", program, *libraries)
        return program

    def check_example(self, program):
        environment = dict(os.environ, LD_LIBRARY_PATH=str(self.library))
        self.assertEqual(run(program, EVENT, env=environment), "rule 0 matches\n")
        self.assertEqual(run(program, '{"port":22.0}', env=environment), "rule 1 matches\n")
        self.assertEqual(run(program, env=environment), "")
        run(program, "{", env=environment, status=2)

    def test_pkg_config(self):
        self.check_example(self.compile(EXAMPLE, "by-pkg-config", *self.pkg_config("--libs")))

    def test_static(self):
        self.check_example(self.compile(EXAMPLE, "static", self.library / "libriposte-detect.a"))

    def test_cmake(self):
        source, build = self.folder / "project", self.folder / "project-build"
        source.mkdir()
        version = ".".join(self.pkg_config("--modversion")[0].split(".")[:2])
        (source / "CMakeLists.txt").write_text(CMAKE_PROJECT.format(version=version, example=EXAMPLE))
        run(CMAKE, "-G", "Ninja", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run(CMAKE, "--build", build)
        self.check_example(build / "shared")
        self.check_example(build / "static")

    def test_version_and_names_of_the_program(self):
        source = self.folder / "version.c"
        source.write_text(VERSION_PROGRAM)
        program = self.compile(source, "version", self.library / "libriposte-detect.a")
        self.assertEqual(run(program).split(), self.pkg_config("--modversion"))

    def test_example_is_short(self):
        self.assertLess(len(EXAMPLE.read_text().splitlines()), 40)

    def test_every_header_stands_alone(self):
        headers = sorted(self.prefix.glob("include/riposte/**/*.h"))
        self.assertGreater(len(headers), 8)
        for header in headers:
            name = header.relative_to(self.prefix / "include")
            source = self.folder / "header.c"
            source.write_text(f"#include <{name}>\n#include <{name}>\nint main(void) {{ return 0; }}\n")
            self.compile(source, "header")


class Names(Installation):
    """What the linker sees."""

    def defined(self, *arguments):
        lines = run("nm", "--defined-only", *arguments).splitlines()
        return {line.split()[2] for line in lines if re.search(r"^\w+ [A-Zi] ", line)}

    def undefined(self, *arguments):
        return {line.split()[-1].split("@")[0] for line in run("nm", "-u", *arguments).splitlines() if " U " in line}

    def declared(self):
        names = set()
        for header in self.prefix.glob("include/riposte/*/*.h"):
            text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
            text = re.sub(r"^#(?:.*\\\n)*.*$", "", text, flags=re.M)
            for declaration in re.findall(r"[^;{}]+;", text):
                name = re.search(r"\b([a-z]\w*)\(", declaration)
                if name and "typedef" not in declaration:
                    names.add("riposte_" + name[1].removeprefix("riposte_"))
        return names

    def test_all_that_is_declared_is_exported_and_nothing_else(self):
        declared = self.declared()
        self.assertGreater(len(declared), 90)
        shared = {name.split("@")[0] for name in self.defined("-D", self.shared)} - {"RIPOSTE_DETECT_0"}
        self.assertEqual(shared, declared)
        self.assertEqual(self.defined("-g", self.library / "libriposte-detect.a"), declared)

    def test_names_have_a_version(self):
        self.assertIn("riposte_ruleset_match@@RIPOSTE_DETECT_0", self.defined("-D", self.shared))

    def test_needs_libc_only(self):
        dynamic = run("readelf", "-d", self.shared)
        needed = set(re.findall(r"NEEDED.*\[(.*)\]", dynamic))
        self.assertLessEqual({name for name in needed if not name.startswith("ld-linux")}, {"libc.so.6"})
        self.assertIn("[libriposte-detect.so.0]", dynamic)

    def test_static_needs_libc_only(self):
        libc = Path(run("cc", "-print-file-name=libc.so.6").strip())
        compiler = Path(run("cc", "-print-libgcc-file-name").strip())
        there = {name.split("@")[0] for name in self.defined("-D", libc)} | self.defined(compiler)
        self.assertLessEqual(self.undefined(self.library / "libriposte-detect.a"), there | {"_GLOBAL_OFFSET_TABLE_"})

    def test_nothing_names_where_it_was_built(self):
        for path in self.prefix.glob("**/*"):
            if path.is_file() and path.suffix in (".pc", ".cmake", ".h"):
                self.assertNotIn(str(BUILD), path.read_text())


class Alone(unittest.TestCase):
    def test_configures_where_no_other_library_is(self):
        with tempfile.TemporaryDirectory(prefix="riposte-alone-") as folder:
            environment = dict(os.environ, PKG_CONFIG_LIBDIR="/nonexistent", PKG_CONFIG_PATH="")
            run(CMAKE, "-G", "Ninja", "-S", ROOT, "-B", folder, "-DRIPOSTE_SERVER=OFF", "-DRIPOSTE_TESTS=OFF", env=environment)


if __name__ == "__main__":
    BUILD, CMAKE = sys.argv[1:3]
    del sys.argv[1:3]
    unittest.main()
