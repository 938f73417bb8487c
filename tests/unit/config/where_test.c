#include "riposte/config/where.h"

#include "config_testing.h"

#define EVENT                                                                                     \
    "{\"id\":\"e-1\",\"source\":\"aws.iam\",\"detail-type\":\"t\",\"account\":\"123456789012\","  \
    "\"region\":\"eu-west-1\",\"time\":\"2026-01-02T03:04:05Z\",\"detail\":{\"eventID\":\"d-1\"," \
    "\"userIdentity\":{\"type\":\"IAMUser\",\"principalId\":\"AIDAEXAMPLE\","                     \
    "\"userName\":\"mallory\",\"arn\":\"arn:aws:iam::123456789012:user/mallory\","                \
    "\"accountId\":\"123456789012\"},\"name\":\"mallory\",\"other\":\"alice\",\"n\":3.0,"         \
    "\"none\":null,\"list\":[\"a\",\"b\"],\"empty\":[],\"twice\":1,\"twice\":2,"                  \
    "\"items\":[{\"id\":\"1\"},{\"id\":\"2\"}],"                                                  \
    "\"document\":\"{\\\"Statement\\\":[{\\\"Effect\\\":\\\"Deny\\\",\\\"Action\\\":\\\"*\\\"},"  \
    "{\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":[\\\"s3:*\\\",\\\"iam:*\\\"]}]}\"}}"

struct fixture {
    struct arena *arena;
    struct findings *findings;
    struct rule *rule;
    struct subject_event event;
};

static void fixture_done(struct fixture *fixture) {
    if (fixture->rule != NULL) {
        rule_done(fixture->rule);
    }
    findings_free(&fixture->findings);
    arena_free(&fixture->arena);
}

static struct fixture read(const char *where) {
    struct fixture fixture = {.arena = arena_new(), .findings = findings_new()};
    struct error error = {0};
    struct text text = arena_format(fixture.arena,
                                    "{\"name\":\"r\",\"pattern\":{\"source\":[\"aws.iam\"]},"
                                    "\"respond\":[\"p\"],\"where\":%s}",
                                    where);
    struct source source = {.file = "r.json", .text = text};
    fixture.rule = rule_read(&source, parse_with_comments(fixture.arena, text.data), NULL,
                             fixture.arena, fixture.findings);
    assert_findings(fixture.findings, "");
    assert_ok(subject_event_read(TEXT(EVENT), fixture.arena, &fixture.event, &error), &error);
    return fixture;
}

static bool ask(const struct fixture *fixture, bool *fires_out, struct error *error) {
    static const struct text accounts[] = {TEXT_INIT("111111111111")};
    static const struct text resources[] = {TEXT_INIT("alice"), TEXT_INIT("x")};
    const struct context_self self = {
        .account = TEXT("123456789012"), .accounts = {accounts, 1}, .resources = {resources, 2}};
    const struct json *vars = parse_with_comments(fixture->arena, "{\"names\":[\"bob\"]}");
    return where_fires(fixture->rule, &fixture->event, &self, vars, fixture->arena, fires_out,
                       error);
}

static const struct where_case {
    const char *name, *where;
    bool holds;
} where_cases[] = {
    {"no condition", "[]", true},
    {"a value in the list", "[{\"value\":\"${detail.name}\",\"in\":[\"x\",\"mallory\"]}]", true},
    {"a value not in the list", "[{\"value\":\"${detail.name}\",\"in\":[\"x\"]}]", false},
    {"not_in of another", "[{\"value\":\"${detail.other}\",\"not_in\":[\"${principal.name}\"]}]",
     true},
    {"not_in of itself", "[{\"value\":\"${detail.name}\",\"not_in\":[\"${principal.name}\"]}]",
     false},
    {"a default", "[{\"value\":\"${detail.x:-${principal.name}}\",\"in\":[\"mallory\"]}]", true},
    {"all tests of a condition",
     "[{\"value\":\"${detail.name}\",\"in\":[\"mallory\"],\"not_in\":[\"mallory\"]}]", false},
    {"all conditions",
     "[{\"value\":\"${detail.name}\",\"in\":[\"mallory\"]},"
     "{\"value\":\"${detail.other}\",\"in\":[\"mallory\"]}]",
     false},
    {"numbers by value", "[{\"value\":\"${detail.n}\",\"in\":[3]}]", true},
    {"a number is no string", "[{\"value\":\"${detail.n}\",\"in\":[\"3\"]}]", false},
    {"null is a value", "[{\"value\":\"${detail.none}\",\"in\":[null]}]", true},
    {"any element", "[{\"value\":\"${detail.list}\",\"in\":[\"b\"]}]", true},
    {"any element that is not in it", "[{\"value\":\"${detail.list}\",\"not_in\":[\"a\"]}]", true},
    {"every element in it", "[{\"value\":\"${detail.list}\",\"not_in\":[\"a\",\"b\"]}]", false},
    {"one element must pass all the tests",
     "[{\"value\":\"${detail.list}\",\"in\":[\"a\"],\"not_in\":[\"a\"]}]", false},
    {"a path over elements", "[{\"value\":\"${detail.items[*].id}\",\"in\":[\"2\"]}]", true},
    {"no element", "[{\"value\":\"${detail.empty}\",\"not_in\":[\"a\"]}]", false},
    {"a value that is missing", "[{\"value\":\"${detail.x}\",\"not_in\":[\"a\"]}]", false},
    {"a list of which a part is missing",
     "[{\"value\":\"${detail.name}\",\"not_in\":[\"a\",\"${detail.x}\"]}]", false},
    {"an array in a list", "[{\"value\":\"${detail.other}\",\"in\":[\"${self.resources}\"]}]",
     true},
    {"our account is one of ours", "[{\"value\":\"${account}\",\"in\":[\"${self.accounts}\"]}]",
     true},
    {"so are those of the settings", "[{\"value\":\"111111111111\",\"in\":[\"${self.accounts}\"]}]",
     true},
    {"another is not", "[{\"value\":\"222222222222\",\"not_in\":[\"${self.accounts}\"]}]", true},
    {"vars", "[{\"value\":\"bob\",\"in\":[\"${vars.names}\"]}]", true},
    {"a pattern over a value",
     "[{\"value\":\"${detail.document|json}\",\"matches\":{\"Statement\":{"
     "\"Effect\":[\"Allow\"],\"Action\":[\"iam:*\"]}}}]",
     true},
    {"a pattern keeps to one element",
     "[{\"value\":\"${detail.document|json}\",\"matches\":{\"Statement\":{"
     "\"Effect\":[\"Allow\"],\"Action\":[\"*\"]}}}]",
     false},
    {"a pattern with placeholders",
     "[{\"value\":\"${detail.items}\",\"matches\":{\"id\":[{\"anything-but\":{\"prefix\":"
     "\"${detail.items[0].id}\"}}]}}]",
     true},
    {"a pattern over what is no object",
     "[{\"value\":\"${detail.name}\",\"matches\":{\"a\":[{\"exists\":false}]}}]", false},
};

static void test_what_holds(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(where_cases); i++) {
        const struct where_case *test = &where_cases[i];
        scoped(fixture_done) struct fixture fixture = read(test->where);
        bool holds = !test->holds;
        struct error error = {0};
        assert_ok(ask(&fixture, &holds, &error), &error);
        if (holds != test->holds) {
            fail_msg("%s: %s", test->name, holds ? "holds" : "does not hold");
        }
    }
}

static const struct undecided_case {
    const char *where, *why;
} undecided_cases[] = {
    {"[{\"value\":\"${detail.twice}\",\"in\":[1]}]", "twice"},
    {"[{\"value\":\"${detail.name|json}\",\"in\":[1]}]", "|json"},
};

static void test_what_cannot_be_decided(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(undecided_cases); i++) {
        scoped(fixture_done) struct fixture fixture = read(undecided_cases[i].where);
        bool fires = false;
        struct error error = {0};
        assert_fails(ask(&fixture, &fires, &error), &error, ERROR_INVALID, undecided_cases[i].why);
    }
}

static void test_for_people(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = read(
        "[{\"value\":\"${detail.other}\",\"not_in\":[\"${detail.name}\"]},"
        "{\"value\":\"${detail.x}\",\"in\":[1]}]");
    assert_text_equal(where_explain(&fixture.rule->where[0], fixture.event.root, fixture.arena),
                      "\"alice\" not in [\"${detail.name}\"]");
    assert_text_equal(where_explain(&fixture.rule->where[1], fixture.event.root, fixture.arena),
                      "${detail.x}: not in the context in [1]");
}

static const struct open_case {
    const char *name, *where;
    bool names_accounts, may_hold;
} open_cases[] = {
    {"in what nobody knows", "[{\"value\":\"1\",\"in\":[\"${self.accounts}\"]}]", true, true},
    {"not in it", "[{\"value\":\"1\",\"not_in\":[\"x\",\"${self.accounts}\"]}]", true, true},
    {"one of them", "[{\"value\":\"${self.accounts[0]}\",\"in\":[\"1\"]}]", true, true},
    {"a pattern over it",
     "[{\"value\":\"${detail.items}\",\"matches\":{\"id\":[\"${self.accounts[0]}\"]}}]", true,
     true},
    {"the other conditions count",
     "[{\"value\":\"1\",\"in\":[\"${self.accounts}\"]},{\"value\":\"1\",\"in\":[\"2\"]}]", true,
     false},
    {"our own is known", "[{\"value\":\"1\",\"in\":[\"${self.account}\"]}]", false, false},
    {"no condition", "[]", false, true},
};

static void test_accounts_that_nobody_knows_are_left_open(void **state) {
    (void)state;
    static const struct context_self self = {.account = TEXT_INIT("123456789012"),
                                             .lacks_accounts = true};
    for (size_t i = 0; i < ARRAY_COUNT(open_cases); i++) {
        testing_row(open_cases[i].name);
        scoped(fixture_done) struct fixture fixture = read(open_cases[i].where);
        const struct rule *rule = fixture.rule;
        const struct json *context = context_new(&fixture.event, rule->name, rule->severity,
                                                 TEXT(""), &self, NULL, fixture.arena);
        bool may_hold = !open_cases[i].may_hold, holds = false;
        struct error error = {0};
        assert_int_equal(where_names_accounts(rule), open_cases[i].names_accounts);
        assert_ok(where_may_hold(rule, context, fixture.arena, &may_hold, &error), &error);
        assert_int_equal(may_hold, open_cases[i].may_hold);
        assert_ok(where_holds(rule, context, fixture.arena, &holds, NULL, &error), &error);
        assert_int_equal(holds, open_cases[i].may_hold && !open_cases[i].names_accounts);
    }
    testing_row(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_holds),
        cmocka_unit_test(test_what_cannot_be_decided),
        cmocka_unit_test(test_for_people),
        cmocka_unit_test(test_accounts_that_nobody_knows_are_left_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
