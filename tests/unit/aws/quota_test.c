#include "riposte/aws/quota.h"

#include "riposte/base/arena.h"

#include "testing.h"

#define A10   "aaaaaaaaaa"
#define A60   A10 A10 A10 A10 A10 A10
#define A130  A60 A60 A10
#define A1000 A130 A130 A130 A130 A130 A130 A130 A60 A10 A10 A10

static const struct {
    const char *service, *operation, *parameters, *refusal; /* NULL: sent */
} cases[] = {
    {"iam", "PutUserPolicy",
     "{'UserName':'u','PolicyName':'riposte-contained','PolicyDocument':'{}'}", NULL},
    {"iam", "PutUserPolicy", "{'PolicyDocument':'" A1000 A1000 "'}", NULL},
    {"iam", "PutUserPolicy", "{'PolicyDocument':'" A1000 A1000 A60 "'}",
     "PolicyDocument: 2060 characters, IAM takes at most 2048"},
    {"iam", "PutUserPolicy", "{'PolicyDocument':'" A1000 "          \\t\\r\\n" A1000 "'}", NULL},
    {"iam", "PutRolePolicy", "{'PolicyDocument':'" A1000 A1000 A1000 A1000 "'}", NULL},
    {"iam", "PutRolePolicy",
     "{'PolicyDocument':'" A1000 A1000 A1000 A1000 A1000 A1000 A1000 A1000 A1000 A1000 A130 A130
     "'}",
     "10260 characters, IAM takes at most 10240"},
    {"iam", "PutRolePolicy", "{'PolicyDocument':'caf\xc3\xa9'}", NULL},
    {"iam", "PutRolePolicy", "{'PolicyDocument':'caf\xe2\x82\xac'}",
     "PolicyDocument: byte 3 is a character that IAM does not take"},
    {"iam", "PutRolePolicy", "{'PolicyDocument':'a\\u0001'}", "byte 1"},
    {"iam", "PutRolePolicy", "{'PolicyName':'" A130 "'}", "PolicyName: 130 characters"},
    {"iam", "PutRolePolicy", "{'PolicyName':'a b'}", "PolicyName: byte 1"},
    {"iam", "PutRolePolicy", "{'PolicyName':'a\\u0000'}", "PolicyName: byte 1"},
    {"iam", "GetUser", "{'UserName':'*'}", "UserName: byte 0"},
    {"iam", "GetUser", "{'UserName':'" A130 "'}", "UserName: 130 characters"},
    {"iam", "GetRole", "{'RoleName':'a.b@c+d=e,f-g_h'}", NULL},
    {"sns", "Publish", "{'PolicyName':'a b'}", NULL},
    {"iam", "GetUser", "{'UserName':7}", NULL},
    {"iam", "ListUsers", "{}", NULL},
};

static void test_what_iam_surely_refuses_is_told_before(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct arena *arena = arena_new();
        const struct json *parameters = NULL;
        struct error error = {0};
        testing_row(cases[i].parameters);
        char *text = text_copy(text_of(cases[i].parameters));
        for (char *c = text; *c != '\0'; c++) {
            *c = *c == '\'' ? '"' : *c;
        }
        assert_ok(json_parse(text_of(text), 0, arena, &parameters, NULL, &error), &error);
        bool is_ok = aws_quota_check(text_of(cases[i].service), text_of(cases[i].operation),
                                     parameters, &error);
        if (cases[i].refusal == NULL) {
            assert_ok(is_ok, &error);
        } else {
            assert_false(is_ok);
            if (strstr(error.text, cases[i].refusal) == NULL) {
                testing_say_row();
                fail_msg("%s", error.text);
            }
        }
        arena_free(&arena);
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_iam_surely_refuses_is_told_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
