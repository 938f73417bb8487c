/* What wildcards are worth: the figures are those of event-ruler's MachineComplexityEvaluator. */
#include "testing.h"

#include "riposte/base/arena.h"
#include "riposte/base/buffer.h"
#include "riposte/detect/complexity.h"
#include "riposte/detect/pattern.h"

static const struct complexity_case {
    const char *field;
    uint32_t most;
} complexity_cases[] = {
    {"[\"abc\", 1, null, {\"prefix\":\"a*\"}]", 0},
    {"[{\"wildcard\":\"\"}]", 0},
    {"[{\"wildcard\":\"*\"}]", 1},
    {"[{\"wildcard\":\"abc\"}]", 1},
    {"[{\"wildcard\":\"abc*\"}]", 2},
    {"[{\"wildcard\":\"*abc\"}]", 2},
    {"[{\"wildcard\":\"*abc*\"}]", 3},
    {"[{\"wildcard\":\"*aa\"}]", 3},
    {"[{\"wildcard\":\"a\\\\*b\"}]", 1},
    {"[{\"wildcard\":\"a*b\"}]", 2},
    {"[{\"wildcard\":\"a*bcb\"}]", 3},
    {"[{\"wildcard\":\"a*bbb\"}]", 4},
    {"[{\"wildcard\":\"*ab*ad\"}]", 4},
    {"[{\"wildcard\":\"*ab*d\"}]", 3},
    {"[{\"wildcard\":\"*aba*\"}]", 4},
    {"[{\"wildcard\":\"a*b*bb\"}]", 5},
    {"[{\"wildcard\":\"a*b*cb\"}]", 4},
    {"[{\"wildcard\":\"*ab*b*b*\"}]", 7},
    {"[{\"wildcard\":\"*a*b*c*\"}]", 5},
    {"[{\"wildcard\":\"*a*b*c*d*e*f*\"}]", 8},
    {"[{\"wildcard\":\"*aaaaaaaaaa*\"}]", 12},
    {"[{\"wildcard\":\"*a*a*a*a*a*a*a*a*\"}]", 17},
    {"[{\"wildcard\":\"arn:aws:*:*:*:role/*\"}]", 7},
    {"[{\"wildcard\":\"*\"}, {\"wildcard\":\"ab*c\"}]", 3},
    {"[{\"wildcard\":\"ab*c\"}, {\"wildcard\":\"ab*c\"}]", 2},
    {"[{\"wildcard\":\"a*aaa\"}, {\"wildcard\":\"aa*aa\"}]", 7},
    {"[{\"wildcard\":\"abc*\"}, {\"wildcard\":\"abcde*\"}]", 3},
    {"[{\"wildcard\":\"ab*cd\"}, {\"wildcard\":\"ab*wx\"}, {\"wildcard\":\"ab*yz\"}]", 6},
    {"[{\"wildcard\":\"F*eatureFeature\"}, {\"wildcard\":\"Fe*atureFeature\"},"
     " {\"wildcard\":\"Fea*tureFeature\"}]",
     10},
    {"[{\"wildcard\":\"*:stack/A/*\"}, {\"wildcard\":\"*:stack/B/*\"},"
     " {\"wildcard\":\"*:stack/C/*\"}]",
     9},
    {"[{\"anything-but\":{\"wildcard\":\"*abc*\"}}]", 3},
    {"[{\"anything-but\":{\"wildcard\":[\"*\", \"ab*c\"]}}, {\"anything-but\":\"*a*\"}]", 3},
};

static struct complexity measured(const char *source, struct arena *arena,
                                  const struct json **root_out) {
    struct complexity complexity;
    struct pattern *pattern = NULL;
    struct error error = {0};
    assert_ok(pattern_compile(text_of(source), &pattern, &error), &error);
    pattern_free(&pattern);
    assert_ok(json_parse(text_of(source), 0, arena, root_out, NULL, &error), &error);
    complexity_measure(*root_out, &complexity);
    return complexity;
}

static void test_cases(void **state) {
    struct buffer source = BUFFER_INIT;
    struct arena *arena = arena_new();
    const struct json *root = NULL;
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(complexity_cases); i++) {
        testing_row(complexity_cases[i].field);
        buffer_clear(&source);
        buffer_append_format(&source, "{\"a\":%s}", complexity_cases[i].field);
        struct complexity complexity = measured(buffer_string(&source), arena, &root);
        if (complexity.most != complexity_cases[i].most || !complexity.is_exact) {
            testing_say_row();
            fail();
        }
    }
    arena_free(&arena);
    buffer_done(&source);
}

/* Fields apart; the worst is named, also in a branch of $or and in one called like an operator. */
static void test_names_the_worst_field(void **state) {
    struct arena *arena = arena_new();
    const struct json *root = NULL;
    (void)state;
    struct complexity complexity = measured(
        "{\"x\":{\"a\":[{\"wildcard\":\"*a\"}],\"b\":[{\"wildcard\":\"b*\"}]},"
        "\"$or\":[{\"c\":[\"x\"]},{\"wildcard.d\":[{\"wildcard\":\"*d*\"}]}]}",
        arena, &root);
    assert_int_equal(complexity.most, 3);
    assert_text_equal(json_key(complexity.field), "wildcard.d");
    complexity = measured("{\"a\":[1]}", arena, &root);
    assert_int_equal(complexity.most, 0);
    assert_null(complexity.field);
    arena_free(&arena);
}

/* As many different sets of beginnings as there are subsets: the measuring ends all the same. */
static void test_hostile(void **state) {
    struct buffer source = BUFFER_INIT;
    struct arena *arena = arena_new();
    const struct json *root = NULL;
    (void)state;
    buffer_append_string(&source, "{\"a\":[{\"wildcard\":\"*a");
    for (int i = 0; i < 5000; i++) {
        buffer_append_char(&source, i % 3 == 0 ? 'b' : 'a');
    }
    buffer_append_string(&source, "\"}");
    for (int i = 0; i < 300; i++) {
        buffer_append_format(&source, ",{\"wildcard\":\"*%d*a*b*%d*%d*\"}", i, i * 7, i * 13);
    }
    buffer_append_string(&source, "]}");
    struct complexity complexity = measured(buffer_string(&source), arena, &root);
    assert_true(complexity.most > COMPLEXITY_DEFAULT);
    assert_false(complexity.is_exact);
    arena_free(&arena);
    buffer_done(&source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_names_the_worst_field),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
