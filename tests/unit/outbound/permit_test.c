#include "riposte/outbound/permit.h"

#include "testing.h"

static const struct permit_case {
    const char *name;
    enum permit_class class;
    enum mode mode;
    enum permit_authority authority;
    const char *refusal; /* NULL: passes */
} permit_cases[] = {
    {"a zeroed permit", PERMIT_NONE, MODE_OBSERVE, AUTHORITY_MODE, "no permit"},
    {"no class, whatever else it says", PERMIT_NONE, MODE_ENFORCE, AUTHORITY_RELEASE, "no permit"},
    {"a class that isn't one", (enum permit_class)99, MODE_ENFORCE, AUTHORITY_MODE, "no permit"},
    {"a mode that isn't one", PERMIT_READ, (enum mode)9, AUTHORITY_RELEASE, "no permit"},

    {"own, observe", PERMIT_OWN, MODE_OBSERVE, AUTHORITY_MODE, NULL},
    {"own, approve", PERMIT_OWN, MODE_APPROVE, AUTHORITY_MODE, NULL},
    {"own, enforce", PERMIT_OWN, MODE_ENFORCE, AUTHORITY_MODE, NULL},

    {"credential, observe", PERMIT_CREDENTIAL, MODE_OBSERVE, AUTHORITY_MODE,
     "mode observe: no credential leaves"},
    {"credential, observe, approved", PERMIT_CREDENTIAL, MODE_OBSERVE, AUTHORITY_OPERATOR,
     "mode observe: no credential leaves"},
    {"credential, observe, release", PERMIT_CREDENTIAL, MODE_OBSERVE, AUTHORITY_RELEASE, NULL},
    {"credential, approve", PERMIT_CREDENTIAL, MODE_APPROVE, AUTHORITY_MODE, NULL},
    {"credential, enforce", PERMIT_CREDENTIAL, MODE_ENFORCE, AUTHORITY_MODE, NULL},

    {"read, observe", PERMIT_READ, MODE_OBSERVE, AUTHORITY_MODE, "mode observe: no read leaves"},
    {"read, observe, release", PERMIT_READ, MODE_OBSERVE, AUTHORITY_RELEASE, NULL},
    {"read, approve", PERMIT_READ, MODE_APPROVE, AUTHORITY_MODE, NULL},
    {"read, enforce", PERMIT_READ, MODE_ENFORCE, AUTHORITY_MODE, NULL},

    {"write, observe", PERMIT_WRITE, MODE_OBSERVE, AUTHORITY_MODE, "mode observe: no write leaves"},
    {"write, observe, approved: the panic switch wins", PERMIT_WRITE, MODE_OBSERVE,
     AUTHORITY_OPERATOR, "mode observe: no write leaves"},
    {"write, observe, release", PERMIT_WRITE, MODE_OBSERVE, AUTHORITY_RELEASE, NULL},
    {"write, approve", PERMIT_WRITE, MODE_APPROVE, AUTHORITY_MODE, "nobody approved"},
    {"write, approve, approved", PERMIT_WRITE, MODE_APPROVE, AUTHORITY_OPERATOR, NULL},
    {"write, approve, release", PERMIT_WRITE, MODE_APPROVE, AUTHORITY_RELEASE, NULL},
    {"write, enforce", PERMIT_WRITE, MODE_ENFORCE, AUTHORITY_MODE, NULL},

    {"notify, observe", PERMIT_NOTIFY, MODE_OBSERVE, AUTHORITY_MODE, NULL},
    {"notify, enforce", PERMIT_NOTIFY, MODE_ENFORCE, AUTHORITY_MODE, NULL},
};

static void test_the_table_of_the_guard(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(permit_cases); i++) {
        const struct permit_case *c = &permit_cases[i];
        testing_row(c->name);
        struct permit permit = {.class = c->class, .mode = c->mode, .authority = c->authority};
        struct error error = {0};
        if (c->refusal == NULL) {
            assert_ok(permit_check(&permit, &error), &error);
        } else {
            assert_fails(permit_check(&permit, &error), &error, ERROR_DENIED, c->refusal);
        }
    }
}

static void test_no_permit_at_all(void **state) {
    (void)state;
    struct error error = {0};
    assert_fails(permit_check(NULL, &error), &error, ERROR_DENIED, "no permit");
}

static void test_classes_have_names(void **state) {
    (void)state;
    assert_string_equal(permit_class_name(PERMIT_CREDENTIAL), "credential");
    assert_string_equal(permit_class_name(PERMIT_NOTIFY), "notify");
    assert_string_equal(permit_class_name((enum permit_class)99), "unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_table_of_the_guard),
        cmocka_unit_test(test_no_permit_at_all),
        cmocka_unit_test(test_classes_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
