/* What every unit test needs: cmocka with the headers it wants before itself, and assertions on
 * the types of base.
 *
 * Ownership:  load_fixture() appends to a buffer that the test owns. */
#ifndef RIPOSTE_TESTS_TESTING_H
#define RIPOSTE_TESTS_TESTING_H

#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/base/file.h"
#include "riposte/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* after the four above */
#include <cmocka.h>

#define FIXTURE_MAX_BYTES (16u * 1024 * 1024)

/* The bytes of a view against a string; prints both when they differ. */
#define assert_text_equal(actual, expected) \
    testing_assert_text_equal((actual), text_of(expected), __FILE__, __LINE__)

/* A call that must work: assert_ok(rule_parse(..., &error), &error). Prints the error's text. */
#define assert_ok(call, error) testing_assert_ok((call), (error), __FILE__, __LINE__)

/* A call that must fail with `code` and with `fragment` in the error's text ("" for any). */
#define assert_fails(call, error, code, fragment) \
    testing_assert_fails((call), (error), (code), (fragment), __FILE__, __LINE__)

/* Names the row of a table in the output when the row's checks fail: put it before them. */
#define testing_row(name) (testing_current_row = (name))

/* "tests/..." from the source folder, where ctest runs unit tests. Fails the test when absent. */
#define load_fixture(path, buffer) testing_load_fixture((path), (buffer), __FILE__, __LINE__)

static const char *testing_current_row __attribute__((unused)) = NULL;

static inline void testing_say_row(void) {
    if (testing_current_row != NULL) {
        print_error("in the row \"%s\":\n", testing_current_row);
    }
}

static inline void testing_assert_text_equal(struct text actual, struct text expected,
                                             const char *file, int line) {
    if (!text_equal(actual, expected)) {
        testing_say_row();
        print_error("\"%.*s\"\n  is not\n\"%.*s\"\n", TEXT_ARG(actual), TEXT_ARG(expected));
        _fail(file, line);
    }
}

static inline void testing_assert_ok(bool is_ok, const struct error *error, const char *file,
                                     int line) {
    if (!is_ok) {
        testing_say_row();
        print_error("failed: %s: %s\n", error_code_name(error->code), error->text);
        _fail(file, line);
    }
}

static inline void testing_assert_fails(bool is_ok, const struct error *error, enum error_code code,
                                        const char *fragment, const char *file, int line) {
    if (is_ok || error->code != code || strstr(error->text, fragment) == NULL) {
        testing_say_row();
        print_error("expected %s with \"%s\", ", error_code_name(code), fragment);
        print_error(is_ok ? "but it worked\n" : "not %s: %s\n", error_code_name(error->code),
                    error->text);
        _fail(file, line);
    }
}

static inline void testing_load_fixture(const char *path, struct buffer *buffer, const char *file,
                                        int line) {
    struct error error = {0};
    testing_assert_ok(file_read(path, FIXTURE_MAX_BYTES, buffer, &error), &error, file, line);
}

#endif
