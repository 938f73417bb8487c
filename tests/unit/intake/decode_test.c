#include "riposte/intake/decode.h"

#include "riposte/intake/intake.h"

#include "testing.h"

static const struct {
    const char *name, *body;
    bool is_array;
    size_t count;
    const char *events[4];
} bodies[] = {
    {"one event", "{\"a\":[1,2]}", false, 1, {"{\"a\":[1,2]}"}},
    {"one event keeps its white space", " {\"a\":1}\n", false, 1, {" {\"a\":1}\n"}},
    {"whatever doesn't begin with a bracket is left to the scanner",
     "nonsense]",
     false,
     1,
     {"nonsense]"}},
    {"an empty array", " [ ] ", true, 0, {0}},
    {"two", "[{\"a\":1},{\"b\":2}]", true, 2, {"{\"a\":1}", "{\"b\":2}"}},
    {"white space around", "[ {} ,\r\n\t{} ] \n", true, 2, {"{} ", "{} "}},
    {"nested arrays and commas",
     "[{\"a\":[1,[2,3]],\"b\":{}}]",
     true,
     1,
     {"{\"a\":[1,[2,3]],\"b\":{}}"}},
    {"brackets in strings", "[{\"]}\":\",[{\"},{}]", true, 2, {"{\"]}\":\",[{\"}", "{}"}},
    {"escapes in strings",
     "[{\"\\\"]\\\\\":1},{\"a\\\\\\\",\":2}]",
     true,
     2,
     {"{\"\\\"]\\\\\":1}", "{\"a\\\\\\\",\":2}"}},
    {"elements are not looked into", "[1,{x},tru]", true, 3, {"1", "{x}", "tru"}},
};

static void test_bodies_as_events(void **state) {
    (void)state;
    struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
        testing_row(bodies[i].name);
        struct decoded decoded = {0};
        struct error error = {0};
        assert_ok(decode_body(text_of(bodies[i].body), arena, &decoded, &error), &error);
        assert_int_equal(decoded.is_array, bodies[i].is_array);
        assert_int_equal(decoded.count, bodies[i].count);
        for (size_t event = 0; event < decoded.count; event++) {
            assert_text_equal(decoded.events[event], bodies[i].events[event]);
        }
    }
    arena_free(&arena);
}

static void test_what_is_no_array(void **state) {
    (void)state;
    static const struct {
        const char *body, *what;
    } rows[] = {
        {"", "empty"},
        {" \n", "empty"},
        {"[", "byte 1: the array doesn't end"},
        {"[{}", "byte 3: the array doesn't end"},
        {"[{},", "byte 4: the array doesn't end"},
        {"[\"a", "doesn't end"},
        {"[\"a\\", "doesn't end"},
        {"[{}]]", "byte 4: something behind"},
        {"[{}] {}", "byte 4: something behind"},
        {"[,{}]", "byte 1: unexpected ','"},
        {"[{},]", "byte 4: unexpected ']'"},
        {"[{},,{}]", "byte 4: unexpected ','"},
        {"[{}}]", "byte 3: unexpected '}'"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        testing_row(rows[i].body);
        struct decoded decoded = {0};
        struct error error = {0};
        assert_fails(decode_body(text_of(rows[i].body), arena, &decoded, &error), &error,
                     ERROR_INVALID, rows[i].what);
    }
    arena_free(&arena);
}

static void test_a_thousand_events_and_one_more(void **state) {
    (void)state;
    struct arena *arena = arena_new();
    struct buffer body = BUFFER_INIT;
    struct decoded decoded = {0};
    struct error error = {0};
    buffer_append_string(&body, "[{}");
    for (int i = 1; i < INTAKE_EVENTS_MAX; i++) {
        buffer_append_string(&body, ",{}");
    }
    size_t bytes = body.bytes;
    buffer_append_string(&body, "]");
    assert_ok(decode_body(buffer_text(&body), arena, &decoded, &error), &error);
    assert_int_equal(decoded.count, INTAKE_EVENTS_MAX);
    assert_text_equal(decoded.events[INTAKE_EVENTS_MAX - 1], "{}");
    buffer_truncate(&body, bytes);
    buffer_append_string(&body, ",{}]");
    assert_fails(decode_body(buffer_text(&body), arena, &decoded, &error), &error, ERROR_LIMIT,
                 "over 1000 events");
    buffer_done(&body);
    arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies_as_events),
        cmocka_unit_test(test_what_is_no_array),
        cmocka_unit_test(test_a_thousand_events_and_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
