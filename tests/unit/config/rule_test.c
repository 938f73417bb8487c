#include "riposte/config/rule.h"

#include "config_testing.h"

struct fixture {
    struct arena *arena;
    struct findings *findings;
    struct rule *rule;
};

static void fixture_done(struct fixture *fixture) {
    if (fixture->rule != NULL) {
        rule_done(fixture->rule);
    }
    findings_free(&fixture->findings);
    arena_free(&fixture->arena);
}

static struct fixture read(const char *text, const char *folder) {
    struct fixture fixture = {.arena = arena_new(), .findings = findings_new()};
    struct source source = {.file = "r.json", .text = text_of(text)};
    fixture.rule = rule_read(&source, parse_with_comments(fixture.arena, text), folder,
                             fixture.arena, fixture.findings);
    return fixture;
}

#define EVENT                                                                                  \
    "{\"id\":\"1\",\"source\":\"s\",\"detail-type\":\"t\",\"account\":\"1\",\"region\":\"r\"," \
    "\"time\":\"2026-01-02T03:04:05Z\",\"detail\":{}}"

static const char full_text[] =
    "{\"name\":\"r\",\"description\":\"d\",\"severity\":\"critical\",\"attack\":[\"T1562\","
    "\"T1562.008\"],\"false_positives\":\"f\",\"pattern\":{\"source\":[\"aws.ec2\"]},"
    "\"when\":{\"principal\":{\"mfa\":[{\"anything-but\":\"yes\"}]},\"vars\":{\"x\":[1]}},"
    "\"confirm\":[{\"when\":{\"detail\":{\"x\":[{\"exists\":true}]}},"
    "\"call\":\"ec2:DescribeInstanceAttribute\",\"with\":{\"I\":\"${detail.i}\"},"
    "\"account\":\"${account}\",\"region\":\"${region}\",\"tolerate\":[\"X.NotFound\"],"
    "\"matches\":{\"a\":[\"${id}\"]}}],\"subject\":\"${detail.i}\",\"cooldown\":\"1m\","
    "\"respond\":[\"p\",\"q\"],\"mode\":\"observe\",\"limit\":{\"count\":3,\"per\":\"1h\"},"
    "\"tests\":[{\"name\":\"t\",\"event\":" EVENT ",\"answers\":{\"iam:GetUser\":{}},"
    "\"expect\":{\"match\":true,\"calls\":[\"iam:PutX\"],\"inverses\":[\"iam:DeleteX\"]}},"
    "{\"name\":\"u\",\"event\":" EVENT ",\"expect\":{\"match\":false}}]}";

static void test_everything_is_read(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = read(full_text, ".");
    assert_findings(fixture.findings, "");
    const struct rule *rule = fixture.rule;
    assert_text_equal(rule->name, "r");
    assert_text_equal(rule->severity, "critical");
    assert_int_equal(rule->attack.count, 2);
    assert_non_null(rule->when);
    assert_int_equal(rule->confirm_count, 1);
    assert_non_null(rule->confirm[0].when);
    assert_text_equal(rule->confirm[0].call.operation, "DescribeInstanceAttribute");
    assert_text_equal(rule->confirm[0].region, "${region}");
    assert_text_equal(rule->confirm[0].tolerate.items[0], "X.NotFound");
    assert_non_null(rule->confirm[0].matches);
    assert_text_equal(rule->subject, "${detail.i}");
    assert_int_equal(rule->cooldown_ms, 60000);
    assert_text_equal(rule->respond.items[1], "q");
    assert_true(rule->has_mode);
    assert_int_equal(rule->mode, MODE_OBSERVE);
    assert_true(rule->has_limit);
    assert_int_equal(rule->limit_count, 3);
    assert_int_equal(rule->limit_per_ms, 3600000);
    assert_int_equal(rule->test_count, 2);
    assert_true(rule->tests[0].is_match && rule->tests[0].has_calls);
    assert_text_equal(rule->tests[0].calls.items[0], "iam:PutX");
    assert_true(rule->tests[0].has_inverses && !rule->tests[1].has_inverses);
    assert_text_equal(rule->tests[0].inverses.items[0], "iam:DeleteX");
    assert_int_equal(json_count(rule->tests[0].answers), 1);
    assert_text_equal(rule->tests[0].event_text, EVENT);
    assert_false(rule->tests[1].is_match || rule->tests[1].has_calls);
    assert_string_equal(rule->file, "r.json");
}

static void test_little_is_needed(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = read(
        "{\"name\":\"r\",\"pattern\":{\"source\":[\"s\"]},\"respond\":[\"p\"]}", NULL);
    assert_findings(fixture.findings, "");
    assert_text_equal(fixture.rule->severity, "medium");
    assert_text_equal(fixture.rule->subject, "${principal.id}");
    assert_int_equal(fixture.rule->cooldown_ms, 300000);
    assert_false(fixture.rule->has_mode || fixture.rule->has_limit);
    assert_null(fixture.rule->when);
    assert_null(fixture.rule->file);
}

/* The findings of a rule that has `more` besides what every rule needs: "COLUMN: what" a line,
 * columns counted from the start of `more`. */
#define RULE_START "{\"name\":\"r\",\"pattern\":{\"source\":[\"s\"]},\"respond\":[\"p\"],"

static const struct member_case {
    const char *more, *findings;
} member_cases[] = {
    {"\"severety\":\"low\"", "1: unknown key \"severety\" in a rule; did you mean \"severity\"?\n"},
    {"\"severity\":\"bad\"",
     "12: \"severity\" must be \"low\", \"medium\", \"high\" or \"critical\", is \"bad\"\n"},
    {"\"attack\":[\"1562\"]",
     "11: an entry of \"attack\" must be a technique of MITRE ATT&CK, like \"T1562\" or "
     "\"T1562.008\", is \"1562\"\n"},
    {"\"when\":{\"principal\":{\"mfa\":\"yes\"}}",
     "28: principal.mfa: must be an object or an array\n"},
    {"\"when\":{\"incident\":{\"id\":[1]}}",
     "21: \"incident.id\": can't be used here: there is no incident yet\n"},
    {"\"when\":{\"rule\":{\"name\":[1]}}", "17: \"rule.name\": can't be used here: there is only "
                                           "one rule here: say what you mean directly\n"},
    {"\"when\":{\"steps\":[1]}", "9: \"steps\": can't be used here: only a playbook has steps\n"},
    {"\"when\":{\"account\":[\"${self.account}\"]}",
     "8: warning: a \"when\" is literal: no placeholder in it is filled\n"},
    {"\"confirm\":{}", "11: \"confirm\" must be an array, is an object\n"},
    {"\"confirm\":[{}]", "12: a \"confirm\" needs \"call\"\n12: a \"confirm\" needs \"matches\"\n"},
    {"\"confirm\":[{\"call\":\"iam:PutX\",\"matches\":{\"a\":[1]}}]",
     "20: a \"confirm\" only asks: use an operation named Get, List, Describe, Lookup or Head\n"},
    {"\"confirm\":[{\"call\":\"iam:GetX\",\"matches\":{\"a\":[1]},\"role\":\"${steps.x}\"}]",
     "58: \"steps.x\": can't be used here: only a playbook has steps\n"},
    {"\"subject\":\"${incident.id}\"",
     "11: \"incident.id\": can't be used here: there is no incident yet\n"},
    {"\"cooldown\":5",
     "12: \"cooldown\" must be a duration like \"5m\" (ms, s, m, h or d), is 5\n"},
    {"\"limit\":{\"count\":-1,\"per\":\"1h\"}",
     "18: \"count\" must be a whole number from 0 to 1000000, is -1\n"},
    {"\"limit\":{\"count\":1,\"per\":\"0s\"}",
     "26: \"per\" must be longer than nothing, is \"0s\"\n"},
    {"\"threshold\":{}", "13: \"threshold\" needs \"count\"\n13: \"threshold\" needs \"of\"\n"
                         "13: \"threshold\" needs \"per\"\n"},
    {"\"threshold\":{\"count\":0,\"of\":\"${id}\",\"per\":\"5m\"}",
     "22: \"count\" must be a whole number from 1 to 1000, is 0\n"},
    {"\"threshold\":{\"count\":5,\"of\":\"${id}\",\"per\":\"25h\"}",
     "43: \"per\" must be longer than nothing and at most \"24h\", is \"25h\"\n"},
    {"\"threshold\":{\"count\":5,\"of\":\"${incident.id}\",\"per\":\"1h\"}",
     "29: \"incident.id\": can't be used here: there is no incident yet\n"},
    {"\"release_after\":\"soon\"",
     "17: \"release_after\" must be a duration like \"5m\" (ms, s, m, h or d), is \"soon\"\n"},
    {"\"release_after\":\"0s\"", "17: \"release_after\" must be longer than nothing, is \"0s\"\n"},
    {"\"where\":[{\"value\":\"${id}\"}]",
     "10: a \"where\" needs a test: \"in\", \"not_in\" or \"matches\"\n"},
    {"\"where\":[{\"value\":5,\"in\":[]}]", "19: \"value\" must be a string that is not empty, is "
                                            "5\n26: \"in\" needs something to compare\n"},
    {"\"where\":[{\"value\":\"${self.role}\",\"in\":[\"${steps.x}\"]}]",
     "19: \"self.role\": can't be used here: who we are isn't known when an event comes in\n"
     "40: \"steps.x\": can't be used here: only a playbook has steps\n"},
    {"\"where\":[{\"value\":\"${id}\",\"matches\":{\"a\":1}}]",
     "42: a: must be an object or an array\n"},
    {"\"where\":[{\"value\":\"${self.account}\",\"not_in\":[\"${self.accounts}\","
     "\"${self.resources}\",\"${vars.x}\"]}]",
     ""},
    {"\"tests\":[{\"name\":\"t\",\"event\":" EVENT
     ",\"self\":{\"name\":1},\"vars\":1,\"expect\":{\"match\":true}}]",
     "149: unknown key \"name\" in a \"self\"\n166: \"vars\" must be an object, is 1\n"},
    {"\"tests\":[{}]", "10: a test needs \"name\"\n10: a test needs \"event\"\n10: a test needs "
                       "\"expect\"\n"},
    {"\"tests\":[{\"name\":\"t\",\"event\":1,\"expect\":{\"match\":true}}]",
     "30: \"event\" must be a file's name or an event, is 1\n"},
    {"\"tests\":[{\"name\":\"t\",\"event\":\"none.json\",\"expect\":{\"match\":true}}]",
     "30: \"event\" is no event: tests/none.json: No such file or directory\n"},
    {"\"tests\":[{\"name\":\"t\",\"event\":{},\"expect\":{\"match\":1,\"calls\":[\"x\"]}}]",
     "30: \"event\" is no event: source: missing\n"
     "51: \"match\" must be true or false, is 1\n"
     "61: without a match there are no calls\n"
     "62: \"x\" must be a call like \"ec2:DescribeInstances\"\n"},
    {"\"tests\":[{\"name\":\"t\",\"event\":" EVENT
     ",\"expect\":{\"match\":false,\"inverses\":[\"x\"]}}]",
     "176: without a match there are no inverses\n"
     "177: \"x\" must be a call like \"ec2:DescribeInstances\"\n"},
    {"\"tests\":[{\"name\":\"t\",\"event\":" EVENT
     ",\"answers\":{\"GetX\":1},\"expect\":{\"match\":true}}]",
     "152: \"GetX\" must be a call like \"ec2:DescribeInstances\"\n"},
};

static void make_expected(struct text lines, long column_of_more, struct buffer *out) {
    struct text line;
    while (text_next_part(&lines, '\n', &line)) {
        size_t colon = text_find_byte(line, ':', 0);
        scoped(buffer_done) struct buffer column = BUFFER_INIT;
        buffer_append_text(&column, text_slice(line, 0, colon));
        buffer_append_format(out, "r.json:1:%ld%.*s\n",
                             strtol(buffer_string(&column), NULL, 10) + column_of_more - 1,
                             TEXT_ARG(text_slice(line, colon, line.bytes)));
    }
}

static void test_what_is_wrong_is_named_with_its_place(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(member_cases); i++) {
        const struct member_case *row = &member_cases[i];
        testing_row(row->more);
        scoped(buffer_done) struct buffer text = BUFFER_INIT;
        buffer_append_format(&text, RULE_START "%s}", row->more);
        scoped(fixture_done) struct fixture fixture = read(buffer_string(&text), "tests");
        assert_int_equal(fixture.rule != NULL, findings_errors(fixture.findings) == 0);
        scoped(buffer_done) struct buffer expected = BUFFER_INIT;
        make_expected(text_of(row->findings), (long)strlen(RULE_START) + 1, &expected);
        assert_findings(fixture.findings, buffer_string(&expected));
    }
    testing_row(NULL);
}

static const struct whole_case {
    const char *text, *findings;
} whole_cases[] = {
    {"\"r\"", "r.json:1:1: a rule must be an object, is \"r\"\n"},
    {"{}", "r.json:1:1: a rule needs \"name\"\nr.json:1:1: a rule needs \"pattern\"\n"
           "r.json:1:1: a rule needs \"respond\"\n"},
    {"{\"name\":\"r\",\"pattern\":{\"source\":[\"s\"]},\"respond\":[]}",
     "r.json:1:50: \"respond\" needs the name of a playbook\n"},
    {"{\"name\":\"r\",\"pattern\":{\"source\":[\"s\"]},\"respond\":[\"p\",\"p\"]}",
     "r.json:1:55: \"p\" is there already\n"},
    {"{\"name\":\"r\",\"pattern\":{\"detail\":{\"x\":[{\"prefx\":\"a\"}]}},\"respond\":[\"p\"]}",
     NULL},
    {"{\"name\":\"r\",\"pattern\":{\"detail\":{\"x\":[1]}},\"respond\":[\"p\"]}",
     "r.json:1:23: warning: names no \"source\": whoever may put events on a bus can fire this "
     "rule\n"},
};

static void test_what_is_wrong_with_a_rule_is_named(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(whole_cases); i++) {
        testing_row(whole_cases[i].text);
        scoped(fixture_done) struct fixture fixture = read(whole_cases[i].text, NULL);
        if (whole_cases[i].findings != NULL) {
            assert_findings(fixture.findings, whole_cases[i].findings);
        } else {
            assert_null(fixture.rule);
        }
    }
    testing_row(NULL);
}

static void test_a_pattern_error_points_into_the_pattern(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = read(
        "{\"name\":\"r\",\"respond\":[\"p\"],\n\"pattern\":{\"source\":[\"s\"],\n"
        "  \"detail\":{\"x\":[\"good\", {\"prefx\":\"a\"}]}}}",
        NULL);
    assert_findings(fixture.findings, "r.json:3:35: detail.x: unrecognized match type prefx\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_read),
        cmocka_unit_test(test_little_is_needed),
        cmocka_unit_test(test_what_is_wrong_is_named_with_its_place),
        cmocka_unit_test(test_what_is_wrong_with_a_rule_is_named),
        cmocka_unit_test(test_a_pattern_error_points_into_the_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
