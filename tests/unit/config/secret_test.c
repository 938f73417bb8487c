#include "riposte/config/secret.h"

#include "testing.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_references_name_a_place(void **state) {
    (void)state;
    struct secret_reference reference = {0};
    struct error error = {0};
    assert_ok(secret_reference_parse(TEXT("env:RIPOSTE_SECRET"), &reference, &error), &error);
    assert_int_equal(reference.kind, SECRET_ENVIRONMENT);
    assert_text_equal(reference.place, "RIPOSTE_SECRET");
    assert_text_equal(reference.spelled, "env:RIPOSTE_SECRET");
    assert_ok(secret_reference_parse(TEXT("file:/run/x"), &reference, &error), &error);
    assert_int_equal(reference.kind, SECRET_FILE);
    assert_text_equal(reference.place, "/run/x");
}

static void test_a_secret_itself_is_refused_and_not_shown(void **state) {
    (void)state;
    static const char *const texts[] = {"hunter2-hunter2-hunter2", "", "env:", "file:", "ENV:X"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        testing_row(texts[i]);
        struct secret_reference reference = {.place = TEXT("untouched")};
        struct error error = {0};
        assert_fails(secret_reference_parse(text_of(texts[i]), &reference, &error), &error,
                     ERROR_INVALID, "must refer to a secret by env:NAME, file:PATH");
        assert_null(strstr(error.text, "hunter2"));
        assert_text_equal(reference.place, "untouched");
    }
    testing_row(NULL);
}

#define ARN "arn:aws:secretsmanager:eu-west-1:123456789012:secret:riposte/key-AbCdEf"

static void test_what_secrets_manager_keeps_is_named_by_its_arn(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "secretsmanager:riposte/key",
        "secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:key:x",
        "secretsmanager:arn:aws:secretsmanager::123456789012:secret:x",
        "secretsmanager:arn:aws:ssm:eu-west-1:123456789012:secret:x",
        "secretsmanager:" ARN "#",
    };
    struct secret_reference reference = {0};
    struct error error = {0};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        testing_row(wrong[i]);
        assert_fails(secret_reference_parse(text_of(wrong[i]), &reference, &error), &error,
                     ERROR_INVALID, "\"secretsmanager:\" takes a secret's ARN");
    }
    testing_row(NULL);
    assert_ok(secret_reference_parse(TEXT("secretsmanager:" ARN "#api"), &reference, &error),
              &error);
    assert_int_equal(reference.kind, SECRET_MANAGER);
    assert_text_equal(reference.place, ARN "#api");
}

static bool fetch(void *arg, struct text place, bool is_previous, struct buffer *value_out,
                  struct error *error) {
    assert_text_equal(place, ARN);
    if (arg == NULL) {
        return error_set(error, ERROR_BUSY, "no answer");
    }
    buffer_append_string(value_out, is_previous ? "before" : arg);
    return true;
}

static void test_secrets_manager_is_asked_by_who_was_named(void **state) {
    (void)state;
    struct secret_reference reference = {0};
    scoped(secret_done) struct secret secret = {0};
    struct error error = {0};
    char now[] = "now";
    assert_ok(secret_reference_parse(TEXT("secretsmanager:" ARN), &reference, &error), &error);
    assert_fails(secret_resolve(&reference, &secret, &error), &error, ERROR_SYSTEM, ARN);
    secret_ask_with(fetch, now);
    assert_ok(secret_resolve(&reference, &secret, &error), &error);
    assert_string_equal(secret.text, "now");
    secret_done(&secret);
    assert_ok(secret_resolve_previous(&reference, &secret, &error), &error);
    assert_string_equal(secret.text, "before");
    secret_done(&secret);
    secret_ask_with(fetch, NULL);
    assert_fails(secret_resolve(&reference, &secret, &error), &error, ERROR_BUSY, "no answer");
    secret_ask_with(NULL, NULL);
}

static void assert_resolves(const char *spelled, const char *expected) {
    struct secret_reference reference = {0};
    scoped(secret_done) struct secret secret = {0};
    struct error error = {0};
    assert_ok(secret_reference_parse(text_of(spelled), &reference, &error), &error);
    assert_ok(secret_resolve(&reference, &secret, &error), &error);
    if (expected == NULL) {
        assert_null(secret.text);
    } else {
        struct text text = {secret.text, secret.bytes};
        assert_text_equal(text, expected);
    }
}

static void test_the_environment_is_read(void **state) {
    (void)state;
    setenv("RIPOSTE_TEST_SECRET", "s3cret\n", 1);
    assert_resolves("env:RIPOSTE_TEST_SECRET", "s3cret\n");
    setenv("RIPOSTE_TEST_SECRET", "", 1);
    assert_resolves("env:RIPOSTE_TEST_SECRET", NULL);
    unsetenv("RIPOSTE_TEST_SECRET");
    assert_resolves("env:RIPOSTE_TEST_SECRET", NULL);
}

static const struct file_case {
    const char *content, *secret;
} file_cases[] = {
    {"token", "token"},
    {"token\n", "token"},
    {"token\r\n", "token"},
    {"token\n\n", "token\n"},
    {"token\r", "token\r"},
    {"\n", NULL},
    {"", NULL},
    {" token ", " token "},
};

static void test_a_file_is_read_without_its_last_line_break(void **state) {
    (void)state;
    char path[] = "/tmp/riposte-secret-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    char spelled[64];
    snprintf(spelled, sizeof(spelled), "file:%s", path);
    for (size_t i = 0; i < ARRAY_COUNT(file_cases); i++) {
        testing_row(file_cases[i].content);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(file_cases[i].content, file);
        fclose(file);
        assert_resolves(spelled, file_cases[i].secret);
    }
    testing_row(NULL);
    unlink(path);
    assert_resolves(spelled, NULL);
}

static void test_a_file_that_cannot_be_read_is_an_error(void **state) {
    (void)state;
    struct secret_reference reference = {SECRET_FILE, TEXT("/"), TEXT("file:/")};
    struct secret secret = {0};
    struct error error = {0};
    assert_fails(secret_resolve(&reference, &secret, &error), &error, ERROR_SYSTEM, "/: ");
    assert_null(secret.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references_name_a_place),
        cmocka_unit_test(test_a_secret_itself_is_refused_and_not_shown),
        cmocka_unit_test(test_what_secrets_manager_keeps_is_named_by_its_arn),
        cmocka_unit_test(test_secrets_manager_is_asked_by_who_was_named),
        cmocka_unit_test(test_the_environment_is_read),
        cmocka_unit_test(test_a_file_is_read_without_its_last_line_break),
        cmocka_unit_test(test_a_file_that_cannot_be_read_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
