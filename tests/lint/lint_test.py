#!/usr/bin/env python3
"""Every rule of run.py against a small tree that breaks it."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import run  # noqa: E402

HEADER = """/* What this is.
 *
 * Threads:    any. */
#ifndef RIPOSTE_BASE_X_H
#define RIPOSTE_BASE_X_H

#include "riposte/base/y.h"

#include <stddef.h>

struct x;

size_t x_bytes(const struct x *x);

#endif
"""

BODY = """#include "riposte/base/x.h"

#include "inside.h"

#include <stdlib.h>

size_t x_bytes(const struct x *x) {
    return x == NULL ? 0 : 1; /* never gets(): no goto either */
}
"""

# Nothing is wrong here.
CLEAN = {
    ".clang-format": "BasedOnStyle: LLVM\nIndentWidth: 4\nAllowShortFunctionsOnASingleLine: None\n",
    "CMakeLists.txt": "riposte_layer(base # comment\n    LIBRARIES L SOURCES x.c)\n"
    "riposte_layer(crypto LAYERS base SOURCES hash.c)\nadd_executable(riposte server/main.c)\n",
    "tests/CMakeLists.txt": "riposte_unit(base x)\n",
    "tests/lint/layers.txt": "# comment\nbase:\ncrypto: base | gnutls/ zlib.h\ndaemon: base crypto\n"
    "no body: base/y.h\n",
    "tests/unit/base/x_test.c": "int main(void) {\n    return 0;\n}\n",
    "include/riposte/base/x.h": HEADER,
    "include/riposte/base/y.h": "/* Only macros. */\n#ifndef RIPOSTE_BASE_Y_H\n#define RIPOSTE_BASE_Y_H\n#endif\n",
    "include/riposte/crypto/hash.h": "/* Hashes. */\n#ifndef RIPOSTE_CRYPTO_HASH_H\n"
    "#define RIPOSTE_CRYPTO_HASH_H\n#endif\n",
    "server/base/x.c": BODY,
    "server/base/inside.h": "/* Helps x.c alone. */\n#ifndef RIPOSTE_SERVER_BASE_INSIDE_H\n"
    "#define RIPOSTE_SERVER_BASE_INSIDE_H\n#endif\n",
    "server/crypto/hash.c": '#include "riposte/crypto/hash.h"\n\n#include "riposte/base/x.h"\n\n'
    "#include <gnutls/gnutls.h>\n#include <sys/stat.h>\n#include <zlib.h>\n",
    "docker/build.sh": '#!/bin/sh\necho "$1"\n',
    "debian/riposte.postinst": "#!/bin/sh\nset -e\n",
    "server/main.c": '#include "riposte/crypto/hash.h"\n\nint main(void) {\n    return 0;\n}\n',
}


class LintTest(unittest.TestCase):
    def findings(self, check, changes):
        """What the check finds in the clean tree with some files changed; None takes one away."""
        with tempfile.TemporaryDirectory() as folder:
            for path, text in {**CLEAN, **changes}.items():
                if text is not None:
                    place = Path(folder) / path
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_text(text, encoding="utf-8")
            return run.CHECKS[check](Path(folder))

    def assert_finds(self, check, changes, *expected):
        self.assertEqual(list(expected), self.findings(check, changes))

    def assert_finds_in(self, check, path, text, fragment):
        """Exactly one finding, in this file."""
        findings = self.findings(check, {path: text})
        self.assertEqual(1, len(findings), findings)
        self.assertTrue(findings[0].startswith(f"{path}:"), findings)
        self.assertIn(fragment, findings[0])


class CleanTreeTest(LintTest):
    def test_a_clean_tree_has_no_findings(self):
        for check in run.CHECKS:
            with self.subTest(check):
                self.assert_finds(check, {})


class FormatTest(LintTest):
    def test_a_badly_formatted_file_is_found(self):
        self.assert_finds_in("format", "server/base/x.c", BODY.replace("    return", "  return"), "clang-format-14 -i")

    def test_another_clang_format_is_not_good_enough(self):
        which, run.shutil.which = run.shutil.which, lambda name: None
        try:
            findings = self.findings("format", {})
        finally:
            run.shutil.which = which
        self.assertIn("apt-get install clang-format-14", findings[0])


class LayersTest(LintTest):
    def test_a_folder_may_not_include_one_above_it(self):
        text = BODY.replace('"inside.h"', '"riposte/crypto/hash.h"')
        self.assert_finds(
            "layers", {"server/base/x.c": text}, "server/base/x.c:3: base may not include crypto"
        )

    def test_nor_may_its_contract(self):
        text = HEADER.replace("riposte/base/y.h", "riposte/crypto/hash.h")
        self.assert_finds_in("layers", "include/riposte/base/x.h", text, "base may not include crypto")

    def test_an_include_in_a_comment_does_not_count(self):
        self.assert_finds("layers", {"server/base/x.c": '/*\n#include "riposte/crypto/hash.h"\n*/\n' + BODY})

    def test_a_foreign_library_belongs_to_its_folder(self):
        self.assert_finds_in(
            "layers", "server/base/x.c", BODY + "#include <gnutls/x509.h>\n", "base may not include <gnutls/x509.h>"
        )

    def test_a_library_that_nobody_listed_is_found(self):
        self.assert_finds_in("layers", "server/base/x.c", BODY + "#include <openssl/sha.h>\n", "nor listed")

    def test_no_foreign_header_in_a_contract(self):
        text = CLEAN["include/riposte/crypto/hash.h"].replace("#endif", "#include <gnutls/gnutls.h>\n#endif")
        self.assert_finds_in("layers", "include/riposte/crypto/hash.h", text, "foreign header")

    def test_a_private_header_stays_in_its_folder(self):
        text = CLEAN["server/crypto/hash.c"]
        for include in ('#include "../base/inside.h"\n', '#include "inside.h"\n'):
            with self.subTest(include):
                self.assert_finds_in("layers", "server/crypto/hash.c", text + include, "neither a contract")

    def test_a_contract_has_a_body_of_its_name(self):
        changes = {"server/crypto/hash.c": None, "server/crypto/other.c": "#include <stdio.h>\n"}
        findings = self.findings("layers", changes)
        self.assertIn("include/riposte/crypto/hash.h:1: there is no server/crypto/hash.c", findings[0])
        self.assertEqual(1, len(findings))

    def test_a_contract_listed_without_body_has_none(self):
        changes = {"server/base/y.c": "#include <stdio.h>\n"}
        self.assert_finds(
            "layers", changes, "include/riposte/base/y.h:1: has a body, but is listed under 'no body'"
        )

    def test_a_contract_that_is_included_exists(self):
        text = BODY.replace("riposte/base/x.h", "riposte/base/z.h")
        self.assert_finds_in("layers", "server/base/x.c", text, "there is no include/riposte/base/z.h")

    def test_a_folder_is_known(self):
        self.assert_finds_in("layers", "server/misc/a.c", "#include <stdio.h>\n", "layers.txt doesn't know")

    def test_layers_have_an_order(self):
        changes = {"tests/lint/layers.txt": CLEAN["tests/lint/layers.txt"].replace("base:", "base: crypto")}
        self.assertIn("doesn't come before it", self.findings("layers", changes)[0])


class BannedTest(LintTest):
    def test_every_banned_call_is_found(self):
        for name in [*run.BANNED_CALLS, *run.SLEEPS]:
            with self.subTest(name):
                self.assert_finds_in("banned", "server/base/x.c", BODY + f"int y = {name} (1);\n", f"{name}()")

    def test_names_that_only_look_alike_are_not(self):
        calls = "strtok_r(a); my_rand(b); gmtime_r(c); x.system; snprintf(d);"
        self.assert_finds("banned", {"server/base/x.c": BODY + f"void f(void) {{ {calls} }}\n"})

    def test_tests_are_not_exempt(self):
        self.assert_finds_in("banned", "tests/unit/base/x_test.c", "int y = usleep(1);\n", "usleep()")

    def test_the_clock_may_sleep(self):
        self.assert_finds("banned", {"server/base/clock.c": "int y = clock_nanosleep(1);\n"})

    def test_secrets_are_compared_in_constant_time(self):
        text = "int y = memcmp(a, b, 3);\n"
        self.assert_finds("banned", {"server/base/x.c": text})
        self.assert_finds_in("banned", "server/crypto/hash.c", text, "memcmp() among secrets")
        self.assert_finds_in("banned", "server/inbound/authenticate.c", text, "memcmp() among secrets")

    def test_only_the_log_writes_to_stderr(self):
        text = 'void f(void) {\n    fputs("x", stderr);\n}\n'
        self.assert_finds_in("banned", "server/crypto/hash.c", text, "stderr")
        self.assert_finds("banned", {"server/observe/log.c": text, "tests/unit/base/x_test.c": text})

    def test_words(self):
        for text, fragment in (
            ("void f(void) {\n    goto out;\n}\n", "goto"),
            ("typedef struct x x;\n", "typedefs"),
            ("typedef struct {\n    int y;\n} x;\n", "typedefs"),
            ("#define NDEBUG\n", "asserts"),
        ):
            with self.subTest(fragment):
                self.assert_finds_in("banned", "server/base/x.c", text, fragment)
        self.assert_finds("banned", {"server/base/x.c": "typedef struct x *x_fn(void *arg);\n"})


class HeadersTest(LintTest):
    def test_a_header_begins_with_a_sentence(self):
        for start in ("", "/* */\n", "/* words without an end */\n", "// What this is.\n"):
            with self.subTest(start):
                text = start + HEADER[HEADER.index("#ifndef") :]
                self.assert_finds_in("headers", "include/riposte/base/x.h", text, "in a sentence")

    def test_whoever_takes_pointers_says_who_owns_them(self):
        text = HEADER.replace(" *\n * Threads:    any. */", " */")
        self.assert_finds_in("headers", "include/riposte/base/x.h", text, "Ownership:")
        inside = text.replace("RIPOSTE_BASE_X_H", "RIPOSTE_SERVER_BASE_X_H")
        self.assert_finds("headers", {"server/base/x.h": inside})

    def test_a_heading_begins_its_line(self):
        text = HEADER.replace("What this is.", "What this is. Bounds:     none.")
        self.assert_finds_in("headers", "include/riposte/base/x.h", text, "must begin its line")

    def test_the_guard_is_the_path(self):
        for text in (
            HEADER.replace("RIPOSTE_BASE_X_H", "X_H"),
            HEADER.replace("#define RIPOSTE_BASE_X_H", "#define RIPOSTE_BASE_Y_H"),
            HEADER.replace("#endif\n", "#endif\nint y;\n"),
        ):
            self.assert_finds_in("headers", "include/riposte/base/x.h", text, "guarded by RIPOSTE_BASE_X_H")

    def test_a_private_header_too(self):
        self.assert_finds_in(
            "headers", "server/base/inside.h", "/* Inside. */\n", "guarded by RIPOSTE_SERVER_BASE_INSIDE_H"
        )


class SourcesTest(LintTest):
    def test_a_source_that_is_not_built_is_found(self):
        self.assert_finds(
            "sources", {"server/base/new.c": "\n"}, "server/base/new.c:1: is not listed in CMakeLists.txt"
        )

    def test_a_name_in_a_comment_is_not_a_listing(self):
        changes = {"CMakeLists.txt": CLEAN["CMakeLists.txt"].replace("x.c)", ")\n# x.c server/base/x.c")}
        self.assert_finds("sources", changes, "server/base/x.c:1: is not listed in CMakeLists.txt")

    def test_a_test_that_is_not_run_is_found(self):
        self.assert_finds_in("sources", "tests/unit/base/new_test.c", "\n", "tests/CMakeLists.txt")

    def test_lists_are_kept_by_hand(self):
        text = CLEAN["CMakeLists.txt"] + "file(GLOB all *.c)\n"
        self.assert_finds_in("sources", "CMakeLists.txt", text, "by hand")


class MainTest(unittest.TestCase):
    def test_findings_are_an_exit_code(self):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "server/base/x.c"
            place.parent.mkdir(parents=True)
            command = [sys.executable, run.__file__, "banned", "--root", folder]
            place.write_text("int y;\n", encoding="utf-8")
            self.assertEqual(0, run.subprocess.run(command, check=False).returncode)
            place.write_text("int y = atoi(x);\n", encoding="utf-8")
            result = run.subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(1, result.returncode)
            self.assertIn("server/base/x.c:1: atoi() is banned", result.stdout)


class ScriptsTest(LintTest):
    def test_an_unquoted_word_is_found(self):
        for path in ("docker/build.sh", "tests/a/run.sh", "debian/riposte.postinst"):
            self.assert_finds_in("scripts", path, "#!/bin/sh\nrm $1\n", "SC2086")


if __name__ == "__main__":
    unittest.main()
