/* Large arrays: verdicts in bounded time. That small ones are decided as the finder does, the
 * differ shows. */
#include "testing.h"

#include "riposte/base/arena.h"
#include "riposte/detect/ruleset.h"

#define ELEMENTS 10000

static bool match(const char *pattern, struct text event, struct error *error, bool *is_match_out) {
    struct arena *arena = arena_new();
    struct ruleset_builder *builder = ruleset_builder_new();
    struct match_scratch *scratch = match_scratch_new();
    struct ruleset_matches matches = {0};
    struct ruleset *set = NULL;
    const struct json *root = NULL;
    assert_ok(json_parse(text_of(pattern), 0, arena, &root, NULL, error), error);
    assert_ok(ruleset_add_rule(builder, root, NULL, NULL, error), error);
    assert_ok(ruleset_build(&builder, &set, error), error);
    bool is_good = ruleset_match(set, scratch, event, NULL, NULL, &matches, error);
    *is_match_out = matches.count > 0;
    ruleset_free(&set);
    match_scratch_free(&scratch);
    arena_free(&arena);
    return is_good;
}

static void assert_match(const char *pattern, const struct buffer *event, bool expected) {
    struct error error = {0};
    bool is_match = false;
    testing_row(pattern);
    assert_ok(match(pattern, buffer_text(event), &error, &is_match), &error);
    if (is_match != expected) {
        testing_say_row();
        fail();
    }
}

/* Each element has one of two fields; only the last may have both. */
static void test_two_fields_of_one_array(void **state) {
    struct buffer event = BUFFER_INIT;
    (void)state;
    for (int has_both = 0; has_both < 2; has_both++) {
        buffer_clear(&event);
        buffer_append_string(&event, "{\"k\":[");
        for (int i = 0; i < ELEMENTS; i++) {
            buffer_append_string(&event, i % 2 == 0 ? "{\"a\":1}," : "{\"b\":2,\"c\":{}},");
        }
        buffer_append_string(&event, has_both ? "{\"b\":2,\"a\":1}]}" : "{\"b\":2,\"a\":3}]}");
        assert_match("{\"k\":{\"a\":[1],\"b\":[2]}}", &event, has_both == 1);
    }
    buffer_done(&event);
}

static void test_nested_arrays(void **state) {
    struct buffer event = BUFFER_INIT;
    (void)state;
    buffer_append_string(&event, "{\"k\":[[[");
    for (int i = 0; i < ELEMENTS; i++) {
        buffer_append_format(&event, "{\"a\":1,\"b\":[{\"x\":%d}]},{\"c\":3},", i);
    }
    buffer_append_string(&event, "{\"a\":2}]]]}");
    assert_match("{\"k\":{\"a\":[1],\"b\":{\"x\":[9999]},\"c\":[3]}}", &event, false);
    assert_match("{\"k\":{\"a\":[1],\"b\":{\"x\":[9999]},\"c\":[{\"exists\":false}]}}", &event,
                 true);
    buffer_done(&event);
}

/* Unrelated arrays whose every combination would have to be tried, were failures forgotten. */
static void test_unrelated_arrays(void **state) {
    struct buffer event = BUFFER_INIT, pattern = BUFFER_INIT;
    (void)state;
    buffer_append_string(&event, "{");
    buffer_append_string(&pattern, "{");
    for (int field = 0; field < 20; field++) {
        buffer_append_format(&pattern, "\"f%02d.x\":[1],", field);
        buffer_append_format(&event, "\"f%02d\":[", field);
        for (int i = 0; i < 100; i++) {
            buffer_append_string(&event, i == 0 ? "{\"x\":1}" : ",{\"x\":1}");
        }
        buffer_append_string(&event, "],");
    }
    buffer_append_string(&pattern, "\"z.b\":[1],\"z.c\":[1]}");
    buffer_append_string(&event, "\"z\":[{\"b\":1},{\"c\":1}]}");
    assert_match(buffer_string(&pattern), &event, false);
    buffer_done(&event);
    buffer_done(&pattern);
}

/* Values deep in arrays would take more memory than an event is worth. */
static void test_gives_up(void **state) {
    struct buffer event = BUFFER_INIT;
    struct error error = {0};
    bool is_match = false;
    (void)state;
    buffer_append_string(&event, "{\"k\":");
    for (int i = 0; i < 900; i++) {
        buffer_append_char(&event, '[');
    }
    for (int i = 0; i < ELEMENTS; i++) {
        buffer_append_string(&event, i == 0 ? "{\"a\":1}" : ",{\"b\":1}");
    }
    for (int i = 0; i < 900; i++) {
        buffer_append_char(&event, ']');
    }
    buffer_append_char(&event, '}');
    assert_fails(match("{\"k\":{\"a\":[1],\"b\":[1]}}", buffer_text(&event), &error, &is_match),
                 &error, ERROR_LIMIT, "too many values");
    assert_match("{\"k\":{\"a\":[1]}}", &event, true);
    buffer_done(&event);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_fields_of_one_array),
        cmocka_unit_test(test_nested_arrays),
        cmocka_unit_test(test_unrelated_arrays),
        cmocka_unit_test(test_gives_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
