#include "riposte/inbound/authenticate.h"

#include "testing.h"

static const struct accepted_secret secrets[] = {
    {TEXT_INIT("now"), TEXT_INIT("0123456789abcdef"), 1},
    {TEXT_INIT("short"), TEXT_INIT("0123456789abcde"), 2},
    {TEXT_INIT("previous"), TEXT_INIT("fedcba9876543210-"), 3},
    {TEXT_INIT("twice"), TEXT_INIT("0123456789abcdef"), 4},
    {TEXT_INIT("empty"), TEXT_INIT(""), 5},
};

static void test_who_is_let_in(void **state) {
    (void)state;
    static const struct {
        const char *candidate;
        const char *name; /* NULL: nobody */
    } rows[] = {
        {"0123456789abcdef", "now"},
        {"fedcba9876543210-", "previous"},
        {"0123456789abcde", NULL}, /* listed, but too short to be accepted */
        {"0123456789abcdeF", NULL},
        {"0123456789abcdef ", NULL},
        {"", NULL},
    };
    struct error error = {0};
    struct authenticator *authenticator = NULL;
    assert_ok(authenticator_new(secrets, ARRAY_COUNT(secrets), &authenticator, &error), &error);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        testing_row(rows[i].candidate);
        size_t index = 99;
        bool is_in = authenticator_accepts(authenticator, text_of(rows[i].candidate), &index);
        assert_int_equal(is_in, rows[i].name != NULL);
        if (is_in) {
            assert_text_equal(authenticator_name(authenticator, index), rows[i].name);
            assert_int_equal(authenticator_role(authenticator, index), secrets[index].role);
        } else {
            assert_int_equal(index, 99);
        }
    }
    authenticator_free(&authenticator);
    assert_null(authenticator);
    authenticator_free(&authenticator);
}

static void test_without_a_long_enough_secret_there_is_none(void **state) {
    (void)state;
    struct error error = {0};
    struct authenticator *authenticator = NULL;
    assert_fails(authenticator_new(&secrets[1], 1, &authenticator, &error), &error, ERROR_INVALID,
                 "16 characters; too short: short");
    assert_null(strstr(error.text, "0123"));
    assert_fails(authenticator_new(NULL, 0, &authenticator, &error), &error, ERROR_INVALID,
                 "no secret");
    assert_null(authenticator);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_let_in),
        cmocka_unit_test(test_without_a_long_enough_secret_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
