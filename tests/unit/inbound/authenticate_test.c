#include "riposte/inbound/authenticate.h"

#include "testing.h"

static const struct {
    const char *name, *secret;
    unsigned role;
    bool is_taken;
} secrets[] = {
    {"now", "0123456789abcdef", 1, true},
    {"short", "0123456789abcde", 2, false},
    {"previous", "fedcba9876543210-", 3, true},
    {"twice", "0123456789abcdef", 4, true},
    {"empty", "", 5, false},
};

static void test_who_is_let_in(void **state) {
    (void)state;
    static const struct {
        const char *candidate;
        const char *name; /* NULL: nobody */
        unsigned role;
    } rows[] = {
        {"0123456789abcdef", "now", 1},
        {"fedcba9876543210-", "previous", 3},
        {"0123456789abcde", NULL, 0}, /* offered, but too short to be accepted */
        {"0123456789abcdeF", NULL, 0},
        {"0123456789abcdef ", NULL, 0},
        {"", NULL, 0},
    };
    struct authenticator *authenticator = authenticator_new();
    for (size_t i = 0; i < ARRAY_COUNT(secrets); i++) {
        testing_row(secrets[i].name);
        assert_int_equal(authenticator_add(authenticator, text_of(secrets[i].name),
                                           text_of(secrets[i].secret), secrets[i].role),
                         secrets[i].is_taken);
    }
    assert_int_equal(authenticator_count(authenticator), 3);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        testing_row(rows[i].candidate);
        size_t index = 99;
        bool is_in = authenticator_accepts(authenticator, text_of(rows[i].candidate), &index);
        assert_int_equal(is_in, rows[i].name != NULL);
        if (is_in) {
            assert_text_equal(authenticator_name(authenticator, index), rows[i].name);
            assert_int_equal(authenticator_role(authenticator, index), rows[i].role);
        } else {
            assert_int_equal(index, 99);
        }
    }
    authenticator_free(&authenticator);
    assert_null(authenticator);
    authenticator_free(&authenticator);
}

static void test_without_a_secret_nobody_is_let_in(void **state) {
    (void)state;
    size_t index = 99;
    struct authenticator *authenticator = authenticator_new();
    assert_int_equal(authenticator_count(authenticator), 0);
    assert_false(authenticator_accepts(authenticator, TEXT(""), &index));
    assert_false(authenticator_accepts(authenticator, TEXT("0123456789abcdef"), &index));
    assert_int_equal(index, 99);
    authenticator_free(&authenticator);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_let_in),
        cmocka_unit_test(test_without_a_secret_nobody_is_let_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
