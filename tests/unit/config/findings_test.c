#include "riposte/config/findings.h"

#include "testing.h"

#include <stdio.h>

static const struct source source_b = {"b.json", TEXT_INIT("{\n  \"a\": 1\n}\n")};
static const struct source source_a = {"a.json", TEXT_INIT("{}")};

static void assert_printed(const struct findings *findings, const char *expected) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    findings_print(findings, &out);
    assert_text_equal(buffer_text(&out), expected);
}

static void test_no_findings_print_nothing(void **state) {
    (void)state;
    scoped(findings_free) struct findings *findings = findings_new();
    assert_printed(findings, "");
    assert_int_equal(findings_errors(findings), 0);
}

static void test_lines_are_sorted_by_file_and_place(void **state) {
    (void)state;
    scoped(findings_free) struct findings *findings = findings_new();
    findings_add_at(findings, &source_b, 9, "second %d", 2);
    findings_add_at(findings, &source_b, 4, "first");
    findings_add(findings, &source_a, NULL, "of another file");
    findings_warn(findings, &source_a, NULL, "mind this");
    assert_printed(findings, "a.json:1:1: of another file\n"
                             "a.json:1:1: warning: mind this\n"
                             "b.json:2:3: first\n"
                             "b.json:2:8: second 2\n");
    assert_int_equal(findings_errors(findings), 3);
    assert_int_equal(findings_warnings(findings), 1);
}

static void test_a_node_gives_the_place(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(findings_free) struct findings *findings = findings_new();
    const struct json *root = NULL;
    struct error error = {0};
    assert_ok(json_parse(source_b.text, 0, arena, &root, NULL, &error), &error);
    findings_add(findings, &source_b, json_member(root, "a"), "no");
    assert_printed(findings, "b.json:2:8: no\n");
}

static void test_a_finding_is_one_line_whatever_it_quotes(void **state) {
    (void)state;
    scoped(findings_free) struct findings *findings = findings_new();
    findings_add(findings, &source_a, NULL, "key \"%s\"", "a\nb\x1b[2J\x7f");
    assert_printed(findings, "a.json:1:1: key \"a?b?[2J?\"\n");
}

static void test_too_many_are_counted(void **state) {
    (void)state;
    scoped(findings_free) struct findings *findings = findings_new();
    for (int i = 0; i < FINDINGS_MAX + 3; i++) {
        findings_add(findings, &source_a, NULL, "finding %d", i);
    }
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    findings_print(findings, &out);
    assert_int_equal(findings_errors(findings), FINDINGS_MAX + 3);
    assert_true(text_ends_with(buffer_text(&out), TEXT("a.json:1:1: finding 199\nand 3 more\n")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_findings_print_nothing),
        cmocka_unit_test(test_lines_are_sorted_by_file_and_place),
        cmocka_unit_test(test_a_node_gives_the_place),
        cmocka_unit_test(test_a_finding_is_one_line_whatever_it_quotes),
        cmocka_unit_test(test_too_many_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
