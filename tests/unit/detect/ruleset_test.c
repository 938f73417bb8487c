#include "testing.h"

#include "riposte/base/arena.h"
#include "riposte/detect/ruleset.h"

struct fixture {
    struct arena *arena;
    struct ruleset_builder *builder;
    struct ruleset *set;
    struct match_scratch *scratch;
    struct ruleset_matches matches;
    struct error error;
};

static void setup(struct fixture *f) {
    *f = (struct fixture){
        .arena = arena_new(), .builder = ruleset_builder_new(), .scratch = match_scratch_new()};
}

static void teardown(struct fixture *f) {
    ruleset_builder_free(&f->builder);
    ruleset_free(&f->set);
    match_scratch_free(&f->scratch);
    arena_free(&f->arena);
}

static const struct json *parsed(struct fixture *f, const char *source) {
    const struct json *root = NULL;
    if (source != NULL) {
        assert_ok(json_parse(text_of(source), 0, f->arena, &root, NULL, &f->error), &f->error);
    }
    return root;
}

static void add(struct fixture *f, const char *pattern, const char *when) {
    assert_ok(ruleset_add_rule(f->builder, parsed(f, pattern), parsed(f, when), NULL, &f->error),
              &f->error);
}

static void build(struct fixture *f) {
    assert_ok(ruleset_build(&f->builder, &f->set, &f->error), &f->error);
    assert_null(f->builder);
}

static void match(struct fixture *f, const char *event, leaves_fn *computed_fn, void *arg) {
    assert_ok(
        ruleset_match(f->set, f->scratch, text_of(event), computed_fn, arg, &f->matches, &f->error),
        &f->error);
}

static void test_reports_rules_ascending(void **state) {
    struct fixture f;
    (void)state;
    setup(&f);
    add(&f, "{\"a\":[1]}", NULL);
    add(&f, "{\"b\":[{\"exists\":true}]}", NULL);
    add(&f, "{\"a\":[{\"numeric\":[\"<\",5]}]}", NULL);
    build(&f);
    assert_int_equal(ruleset_rule_count(f.set), 3);
    assert_true(ruleset_memory_bytes(f.set) > 0);
    match(&f, "{\"a\":1}", NULL, NULL);
    assert_int_equal(f.matches.count, 2);
    assert_int_equal(f.matches.rules[0], 0);
    assert_int_equal(f.matches.rules[1], 2);
    match(&f, "{\"c\":1}", NULL, NULL);
    assert_int_equal(f.matches.count, 0);
    teardown(&f);
}

static bool add_kind(void *arg, const struct json_capture *captures, struct leaf_sink *sink,
                     struct error *error) {
    const char *kind = arg;
    (void)captures, (void)error;
    leaf_sink_add(sink, TEXT("principal.kind"), JSON_STRING, text_of(kind));
    leaf_sink_add(sink, TEXT("principal.nobody-asks"), JSON_STRING, TEXT("x"));
    return true;
}

static void test_computed_members_are_their_own(void **state) {
    struct fixture f;
    char user[] = "user", root[] = "root";
    (void)state;
    setup(&f);
    add(&f, "{\"a\":[1]}", "{\"principal\":{\"kind\":[\"user\"]}}");
    add(&f, "{\"principal\":{\"kind\":[\"user\"]}}", NULL);
    add(&f, "{\"a\":[1]}", "{\"principal\":{\"kind\":[{\"exists\":false}]}}");
    add(&f, "{\"a\":[1]}", "{\"detail\":[2]}");
    build(&f);
    match(&f, "{\"a\":1,\"principal\":{\"kind\":\"user\"}}", add_kind, root);
    assert_int_equal(f.matches.count, 1);
    assert_int_equal(f.matches.rules[0], 1);
    match(&f, "{\"a\":1,\"principal.kind\":\"root\",\"detail\":2}", add_kind, user);
    assert_int_equal(f.matches.count, 2);
    assert_int_equal(f.matches.rules[0], 0);
    assert_int_equal(f.matches.rules[1], 3);
    match(&f, "{\"a\":1,\"principal\":{\"kind\":\"user\"}}", NULL, NULL);
    assert_int_equal(f.matches.count, 2);
    assert_int_equal(f.matches.rules[0], 1);
    assert_int_equal(f.matches.rules[1], 2);
    teardown(&f);
}

static bool put_members(void *arg, const struct json_capture *captures, struct leaf_sink *sink,
                        struct error *error) {
    const char *kind = arg;
    (void)captures, (void)error;
    leaf_sink_put(sink, 0, JSON_STRING, TEXT("x"));
    leaf_sink_put(sink, 1, JSON_STRING, text_of(kind));
    leaf_sink_put(sink, 2, JSON_TRUE, TEXT("true"));
    return true;
}

static void test_computed_members_are_given_by_index_too(void **state) {
    struct fixture f;
    char user[] = "user", root[] = "root";
    (void)state;
    setup(&f);
    ruleset_add_computed(f.builder, TEXT("vars.nobody-asks"));
    ruleset_add_computed(f.builder, TEXT("principal.kind"));
    add(&f, "{\"a\":[1]}", "{\"principal\":{\"kind\":[\"user\"]}}");
    add(&f, "{\"principal\":{\"kind\":[\"user\"]}}", NULL);
    add(&f, "{\"a\":[1]}", "{\"principal\":{\"is_temporary\":[true]}}");
    ruleset_add_computed(f.builder, TEXT("principal.is_temporary"));
    build(&f);
    match(&f, "{\"a\":1,\"principal\":{\"kind\":\"user\"}}", put_members, root);
    assert_int_equal(f.matches.count, 2);
    assert_int_equal(f.matches.rules[0], 1);
    assert_int_equal(f.matches.rules[1], 2);
    match(&f, "{\"a\":1}", put_members, user);
    assert_int_equal(f.matches.count, 2);
    assert_int_equal(f.matches.rules[0], 0);
    assert_int_equal(f.matches.rules[1], 2);
    teardown(&f);
}

static bool check_captures(void *arg, const struct json_capture *captures, struct leaf_sink *sink,
                           struct error *error) {
    bool *is_called = arg;
    (void)sink, (void)error;
    *is_called = true;
    assert_true(captures[0].is_present);
    assert_text_equal(captures[0].text, "i\n");
    assert_int_equal(captures[0].offset, 6);
    assert_true(captures[1].is_present);
    assert_int_equal(captures[1].type, JSON_OBJECT);
    assert_text_equal(captures[1].text, "{\"x\":1.0}");
    assert_false(captures[2].is_present);
    assert_text_equal(captures[3].text, "1.0");
    assert_text_equal(captures[4].text, "i\n");
    return true;
}

static void test_captures(void **state) {
    struct fixture f;
    bool is_called = false;
    (void)state;
    setup(&f);
    ruleset_add_capture(f.builder, TEXT("id"), JSON_PATH_UNIQUE);
    ruleset_add_capture(f.builder, TEXT("detail"), JSON_PATH_CONTAINERS);
    ruleset_add_capture(f.builder, TEXT("none"), 0);
    ruleset_add_capture(f.builder, TEXT("detail.x"), 0);
    ruleset_add_capture(f.builder, TEXT("id"), 0);
    add(&f, "{\"detail\":{\"x\":[1]}}", NULL);
    build(&f);
    match(&f, "{\"id\":\"i\\n\",\"detail\":{\"x\":1.0}}", check_captures, &is_called);
    assert_true(is_called);
    assert_int_equal(f.matches.count, 1);
    assert_fails(ruleset_match(f.set, f.scratch, TEXT("{\"id\":\"1\",\"id\":\"1\"}"), NULL, NULL,
                               &f.matches, &f.error),
                 &f.error, ERROR_INVALID, "");
    teardown(&f);
}

static bool refuse(void *arg, const struct json_capture *captures, struct leaf_sink *sink,
                   struct error *error) {
    (void)arg, (void)captures, (void)sink;
    return error_set(error, ERROR_DENIED, "refused");
}

static void test_errors(void **state) {
    struct fixture f;
    const struct json *culprit = NULL;
    (void)state;
    setup(&f);
    const struct json *bad = parsed(&f, "{\"a\":[{\"prefix\":1}]}");
    assert_fails(ruleset_add_rule(f.builder, bad, NULL, &culprit, &f.error), &f.error,
                 ERROR_INVALID, "pattern: a: prefix");
    assert_int_equal(json_offset(culprit), 16);
    const struct json *good = parsed(&f, "{\"a\":[1]}");
    assert_fails(ruleset_add_rule(f.builder, good, bad, &culprit, &f.error), &f.error,
                 ERROR_INVALID, "when: a: prefix");
    assert_ok(ruleset_add_rule(f.builder, good, NULL, &culprit, &f.error), &f.error);
    build(&f);
    assert_int_equal(ruleset_rule_count(f.set), 1);
    assert_fails(
        ruleset_match(f.set, f.scratch, TEXT("{\"a\":1,"), NULL, NULL, &f.matches, &f.error),
        &f.error, ERROR_INVALID, "byte 7");
    assert_fails(
        ruleset_match(f.set, f.scratch, TEXT("{\"a\":1}"), refuse, NULL, &f.matches, &f.error),
        &f.error, ERROR_DENIED, "refused");
    teardown(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reports_rules_ascending),
        cmocka_unit_test(test_computed_members_are_their_own),
        cmocka_unit_test(test_computed_members_are_given_by_index_too),
        cmocka_unit_test(test_captures),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
