#include "riposte/base/error.h"

#include "testing.h"

#include <errno.h>

static void test_set_fills_code_and_text(void **state) {
    (void)state;
    struct error error = {0};
    assert_false(error_set(&error, ERROR_DENIED, "line %d: %s", 4, "no"));
    assert_int_equal(error.code, ERROR_DENIED);
    assert_string_equal(error.text, "line 4: no");
}

static void test_set_may_quote_the_old_text(void **state) {
    (void)state;
    struct error error = {0};
    error_set(&error, ERROR_LIMIT, "first");
    error_set(&error, ERROR_INVALID, "then (%s)", error.text);
    assert_string_equal(error.text, "then (first)");
}

static void test_wrap_puts_context_before_and_keeps_the_code(void **state) {
    (void)state;
    struct error error = {0};
    error_set(&error, ERROR_LIMIT, "too deep");
    assert_false(error_wrap(&error, "line %d", 4));
    assert_false(error_wrap(&error, "rule %s", "ec2-stop"));
    assert_int_equal(error.code, ERROR_LIMIT);
    assert_string_equal(error.text, "rule ec2-stop: line 4: too deep");
}

static void test_errno_is_spelt_out(void **state) {
    (void)state;
    struct error error = {0};
    assert_false(error_set_errno(&error, ENOENT, "%s", "/x"));
    assert_int_equal(error.code, ERROR_SYSTEM);
    assert_string_equal(error.text, "/x: No such file or directory");
}

static void test_a_long_text_is_cut_between_characters(void **state) {
    (void)state;
    char long_text[2 * ERROR_TEXT_BYTES];
    for (size_t shift = 0; shift < 4; shift++) {
        /* One to four bytes of "a", then characters of three bytes. */
        memset(long_text, 'a', shift);
        for (size_t i = shift; i + 3 < sizeof(long_text); i += 3) {
            memcpy(long_text + i, "\xE2\x82\xAC", 4);
        }
        struct error error = {0};
        error_set(&error, ERROR_INVALID, "%s", long_text);
        assert_true(text_is_utf8(text_of(error.text)));
        assert_true(strlen(error.text) > ERROR_TEXT_BYTES - 5);
        error_wrap(&error, "context");
        assert_true(text_is_utf8(text_of(error.text)));
        assert_true(text_starts_with(text_of(error.text), TEXT("context: ")));
        assert_true(strlen(error.text) > ERROR_TEXT_BYTES - 5);
    }
}

static void test_the_context_wins_over_the_innermost_text(void **state) {
    (void)state;
    char long_text[2 * ERROR_TEXT_BYTES];
    memset(long_text, 'c', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    struct error error = {0};
    error_set(&error, ERROR_INVALID, "inner");
    error_wrap(&error, "%s", long_text);
    assert_int_equal(strlen(error.text), ERROR_TEXT_BYTES - 1);
    assert_true(text_ends_with(text_of(error.text), TEXT("ccc: ")));
}

static void test_codes_have_names(void **state) {
    (void)state;
    assert_string_equal(error_code_name(ERROR_NONE), "none");
    assert_string_equal(error_code_name(ERROR_NOT_FOUND), "not-found");
    assert_string_equal(error_code_name(ERROR_SYSTEM), "system");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_fills_code_and_text),
        cmocka_unit_test(test_set_may_quote_the_old_text),
        cmocka_unit_test(test_wrap_puts_context_before_and_keeps_the_code),
        cmocka_unit_test(test_errno_is_spelt_out),
        cmocka_unit_test(test_a_long_text_is_cut_between_characters),
        cmocka_unit_test(test_the_context_wins_over_the_innermost_text),
        cmocka_unit_test(test_codes_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
