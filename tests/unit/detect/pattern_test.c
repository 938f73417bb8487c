/* What the vectors don't say: error texts, bounds, explanations, printing. */
#include "testing.h"

#include "riposte/base/arena.h"
#include "riposte/detect/pattern.h"

static const struct error_case {
    const char *pattern, *text;
} error_cases[] = {
    {"[]", "byte 0: a pattern must be an object"},
    {"{}", "byte 0: empty objects are not allowed"},
    {"{\"a\":[1]}x", "byte 9"},
    {"{\"a\":[1,]}", "byte 8"},
    {"{\"a\":1}", "byte 5: a: must be an object or an array"},
    {"{\"a\":{\"b\":\"x\"}}", "byte 10: a.b: must be an object or an array"},
    {"{\"a\":{}}", "byte 5: a: empty objects are not allowed"},
    {"{\"a\":[]}", "byte 5: a: empty arrays are not allowed"},
    {"{\"a\":[[1]]}", "byte 6: a: match value must be string"},
    {"{\"a\":[{}]}", "byte 6: a: match expression name not found"},
    {"{\"a\":[{\"regex\":\"x\"}]}", "byte 15: a: unrecognized match type regex"},
    {"{\"a\":[{\"Prefix\":\"x\"}]}", "a: unrecognized match type Prefix"},
    {"{\"a\":[{\"prefix\":1}]}", "byte 16: a: prefix match pattern must be a string"},
    {"{\"a\":[{\"suffix\":[\"x\"]}]}", "suffix match pattern must be a string"},
    {"{\"a\":[{\"prefix\":{\"wildcard\":\"x\"}}]}", "unsupported prefix pattern: wildcard"},
    {"{\"a\":[{\"suffix\":{}}]}", "suffix expression name not found"},
    {"{\"a\":[{\"prefix\":\"x\",\"suffix\":\"y\"}]}", "only one key allowed in match expression"},
    {"{\"a\":[{\"equals-ignore-case\":null}]}", "equals-ignore-case match pattern must be"},
    {"{\"a\":[{\"wildcard\":\"a**\"}]}", "consecutive wildcard characters at character 3"},
    {"{\"a\":[{\"wildcard\":\"a\\\\b\"}]}", "invalid escape character at character 2"},
    {"{\"a\":[{\"wildcard\":\"a\\\\\"}]}", "invalid escape character at character 2"},
    {"{\"a\":[{\"exists\":\"true\"}]}", "exists match pattern must be either true or false"},
    {"{\"a\":[{\"cidr\":\"10.0.0.0\"}]}", "malformed CIDR, one '/' required"},
    {"{\"a\":[{\"cidr\":\"10.0.0.0/x\"}]}", "mask bits must be an integer"},
    {"{\"a\":[{\"cidr\":\"10.0.0.0/-1\"}]}", "must not be negative"},
    {"{\"a\":[{\"cidr\":\"10.0.0.0/32\"}]}", "IPv4 mask bits must be < 32"},
    {"{\"a\":[{\"cidr\":\"::/128\"}]}", "IPv6 mask bits must be < 128"},
    {"{\"a\":[{\"cidr\":\"host/8\"}]}", "not an IP address"},
    {"{\"a\":[{\"cidr\":8}]}", "cidr match pattern must be a string"},
    {"{\"a\":[{\"numeric\":5}]}", "value of numeric must be an array"},
    {"{\"a\":[{\"numeric\":[]}]}", "invalid member in numeric match"},
    {"{\"a\":[{\"numeric\":[5]}]}", "invalid member in numeric match"},
    {"{\"a\":[{\"numeric\":[\"!=\",5]}]}", "unrecognized numeric range operator: !="},
    {"{\"a\":[{\"numeric\":[\"=\"]}]}", "value of = must be numeric"},
    {"{\"a\":[{\"numeric\":[\">\",\"5\"]}]}", "value of > must be numeric"},
    {"{\"a\":[{\"numeric\":[\"<\",5,\">\",1]}]}", "too many elements in numeric expression"},
    {"{\"a\":[{\"numeric\":[\">\",5,6]}]}", "bad value in numeric range"},
    {"{\"a\":[{\"numeric\":[\">\",5,\">\",6]}]}", "bad numeric range operator: >"},
    {"{\"a\":[{\"numeric\":[\">\",1,\"<\",2,3]}]}", "too many elements in numeric expression"},
    {"{\"a\":[{\"numeric\":[\">=\",5,\"<=\",5]}]}", "bottom must be less than top"},
    {"{\"a\":[{\"numeric\":[\"=\",1e400]}]}", "cannot compare number: 1e400"},
    {"{\"a\":[{\"anything-but\":null}]}", "anything-but takes strings or numbers, not null"},
    {"{\"a\":[{\"anything-but\":[]}]}", "the list inside anything-but is empty"},
    {"{\"a\":[{\"anything-but\":[1,\"x\"]}]}", "mixes strings and numbers"},
    {"{\"a\":[{\"anything-but\":[1,true]}]}", "anything-but takes strings or numbers, not true"},
    {"{\"a\":[{\"anything-but\":9007199254740993}]}", "cannot compare number: 9007199254740993"},
    {"{\"a\":[{\"anything-but\":{}}]}", "anything-but expression name not found"},
    {"{\"a\":[{\"anything-but\":{\"cidr\":\"::/0\"}}]}", "unsupported anything-but pattern: cidr"},
    {"{\"a\":[{\"anything-but\":{\"prefix\":\"\"}}]}", "empty prefix not allowed"},
    {"{\"a\":[{\"anything-but\":{\"suffix\":[]}}]}", "the list inside anything-but is empty"},
    {"{\"a\":[{\"anything-but\":{\"suffix\":[1]}}]}", "suffix match pattern must be a string"},
    {"{\"$or\":[{\"a\":[1]}]}", "byte 7: $or needs at least two objects"},
    {"{\"$or\":[{\"a\":[1]},{}]}", "byte 18: empty objects are not allowed"},
    {"{\"$or\":[{\"a\":[1]},5]}", "only objects are allowed in a $or list"},
    {"{\"$or\":[{\"prefix\":[1]},{\"a\":[1]}]}", "prefix: this name is reserved"},
    {"{\"$or\":[\"x\",\"y\"],\"a\":[{\"anything-but\":{\"wildcard\":\"x\"}}]}", "byte 8"},
};

static void test_errors(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(error_cases); i++) {
        struct pattern *pattern = NULL;
        struct error error = {0};
        testing_row(error_cases[i].pattern);
        assert_fails(pattern_compile(text_of(error_cases[i].pattern), &pattern, &error), &error,
                     ERROR_INVALID, error_cases[i].text);
        assert_null(pattern);
    }
}

static struct pattern *compiled(const char *source) {
    struct pattern *pattern = NULL;
    struct error error = {0};
    testing_row(source);
    assert_ok(pattern_compile(text_of(source), &pattern, &error), &error);
    return pattern;
}

static bool matches(const char *source, const char *event) {
    struct pattern *pattern = compiled(source);
    struct error error = {0};
    bool is_match = false;
    assert_ok(pattern_match(pattern, text_of(event), &is_match, &error), &error);
    pattern_free(&pattern);
    return is_match;
}

static const struct match_case {
    const char *name, *pattern, *event;
    bool is_match;
} match_cases[] = {
    {"scalars of one array combine freely", "{\"x\":[1],\"y\":[2]}", "{\"x\":[1,9],\"y\":[9,2]}",
     true},
    {"fields in one object element", "{\"K\":{\"b\":[1],\"c\":[2]}}",
     "{\"K\":[{\"b\":[1,5],\"c\":[7,2]}]}", true},
    {"fields in two object elements", "{\"K\":{\"b\":[1],\"c\":[2]}}",
     "{\"K\":[{\"b\":1},{\"c\":2}]}", false},
    {"nested arrays count at every level", "{\"K\":{\"b\":[1],\"c\":[2]}}",
     "{\"K\":[[{\"b\":1},{\"c\":2}]]}", false},
    {"the first choice may be wrong", "{\"K\":{\"b\":[1],\"c\":[2]}}",
     "{\"K\":[{\"b\":1},{\"b\":1,\"c\":2}]}", true},
    {"absence is asked of the element that is pinned",
     "{\"a\":{\"b\":[\"W\"],\"c\":[{\"exists\":false}]}}",
     "{\"a\":[{\"b\":\"W\"},{\"b\":\"Z\",\"c\":1}]}", true},
    {"absence is asked before anything is pinned",
     "{\"a\":{\"b\":[{\"exists\":false}],\"c\":[\"W\"]}}", "{\"a\":[{\"b\":1},{\"c\":\"W\"}]}",
     false},
    {"a later path overrides per branch", "{\"a\":[1],\"$or\":[{\"a\":[2]},{\"b\":[3]}]}",
     "{\"a\":2}", true},
    {"a later path overrides the whole branch", "{\"$or\":[{\"a\":[2]},{\"b\":[3]}],\"a\":[1]}",
     "{\"a\":2}", false},
    {"$or may be a name", "{\"$or\":[\"x\",\"y\"]}", "{\"$or\":\"y\"}", true},
    {"the shortest decimal is comparable", "{\"a\":[{\"numeric\":[\">\",0]}]}", "{\"a\":5e-324}",
     true},
    {"a longer one isn't", "{\"a\":[{\"numeric\":[\">\",0]}]}", "{\"a\":4.9e-324}", false},
    {"an uncomparable number equals its spelling", "{\"a\":[1e400]}", "{\"a\":1e400}", true},
    {"and no other spelling", "{\"a\":[1e400]}", "{\"a\":1E400}", false},
};

static void test_matches(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(match_cases); i++) {
        bool is_match = matches(match_cases[i].pattern, match_cases[i].event);
        testing_row(match_cases[i].name);
        if (is_match != match_cases[i].is_match) {
            testing_say_row();
            fail();
        }
    }
}

/* n fields, each in every element of its own array, and a last one that nothing satisfies: all
 * combinations would have to be tried. */
static void test_too_many_choices(void **state) {
    struct buffer source = BUFFER_INIT, event = BUFFER_INIT;
    struct error error = {0};
    bool is_match = false;
    (void)state;
    buffer_append_string(&source, "{");
    buffer_append_string(&event, "{");
    for (int field = 0; field < 9; field++) {
        buffer_append_format(&source, "\"f%d.x\":[1],", field);
        buffer_append_format(&event, "\"f%d\":[", field);
        for (int element = 0; element < 10; element++) {
            buffer_append_string(&event, element == 0 ? "{\"x\":1}" : ",{\"x\":1}");
        }
        buffer_append_string(&event, "],");
    }
    buffer_append_string(&source, "\"z.b\":[1],\"z.c\":[1]}");
    buffer_append_string(&event, "\"z\":[{\"b\":1},{\"c\":1}]}");
    struct pattern *pattern = compiled(buffer_string(&source));
    assert_fails(pattern_match(pattern, buffer_text(&event), &is_match, &error), &error,
                 ERROR_LIMIT, "choices");
    pattern_free(&pattern);
    buffer_done(&source);
    buffer_done(&event);
}

static void test_limits(void **state) {
    struct buffer source = BUFFER_INIT;
    struct pattern *pattern = NULL;
    struct error error = {0};
    (void)state;
    buffer_append_string(&source, "{\"p0\":[1]");
    for (int i = 1; i <= PATTERN_PATHS; i++) {
        buffer_append_format(&source, ",\"p%d\":[1]", i);
    }
    buffer_append_string(&source, "}");
    assert_fails(pattern_compile(buffer_text(&source), &pattern, &error), &error, ERROR_LIMIT,
                 "more than 256 paths");
    buffer_clear(&source);
    buffer_append_string(&source, "{\"x\":[1]");
    for (int i = 0; i < 13; i++) {
        buffer_append_format(&source, ",\"$or\":[{\"a%d\":[1]},{\"b%d\":[1]}]", i, i);
    }
    buffer_append_string(&source, "}");
    assert_fails(pattern_compile(buffer_text(&source), &pattern, &error), &error, ERROR_LIMIT,
                 "more than 4096 combinations");
    buffer_done(&source);
}

static void assert_explains(const char *source, const char *event, bool expected,
                            const char *why_expected) {
    struct arena *arena = arena_new();
    struct pattern *pattern = compiled(source);
    struct buffer why = BUFFER_INIT;
    const struct json *root = NULL;
    struct error error = {0};
    bool is_match = false;
    assert_ok(json_parse(text_of(event), 0, arena, &root, NULL, &error), &error);
    assert_ok(pattern_explain(pattern, root, &why, &is_match, &error), &error);
    assert_text_equal(buffer_text(&why), why_expected);
    assert_true(is_match == expected);
    pattern_free(&pattern);
    buffer_done(&why);
    arena_free(&arena);
}

static void test_explains(void **state) {
    (void)state;
    assert_explains("{\"a\":[{\"prefix\":\"x\"},5],\"b\":[{\"exists\":false}]}",
                    "{\"a\":[\"y\",5]}", true,
                    "match\n"
                    "  a: 5 passes 5\n"
                    "  b: absent, as {\"exists\":false} asks\n");
    assert_explains("{\"b\":[1],\"a\":[\"x\"]}", "{\"a\":\"y\",\"b\":1}", false,
                    "no match\n"
                    "  a: \"y\"; wanted [\"x\"]\n");
    assert_explains("{\"$or\":[{\"a\":[1]},{\"b\":[{\"numeric\":[\">\",1,\"<=\",2.0]}]}]}",
                    "{\"b\":[1,null]}", false,
                    "no match\n"
                    "  branch 1 of 2: a: no value in the event; wanted [1]\n"
                    "  branch 2 of 2: b: 1, null; wanted [{\"numeric\":[\">\",1,\"<=\",2.0]}]\n");
    assert_explains("{\"K\":{\"b\":[1],\"c\":[2]}}", "{\"K\":[{\"b\":1},{\"c\":2}]}", false,
                    "no match\n"
                    "  K.c: 2; none that passes is in the array elements of the other fields; "
                    "wanted [2]\n");
}

/* What is said of a pattern and an event of any length is short. */
static void test_explains_in_short(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer source = BUFFER_INIT;
    scoped(buffer_done) struct buffer event = BUFFER_INIT;
    scoped(buffer_done) struct buffer why = BUFFER_INIT;
    const struct json *root = NULL;
    struct error error = {0};
    bool is_match = true;
    buffer_append_string(&source, "{\"a\":[\"");
    buffer_append_string(&event, "{\"a\":\"");
    for (size_t i = 0; i < 50000; i++) {
        buffer_append_string(&source, "\xc3\xa9");
        buffer_append_string(&event, "\xc3\xa8");
    }
    buffer_append_string(&event, "\",\"b\":-1}");
    buffer_append_string(&source, "\"],\"$or\":[{\"b\":[0]}");
    for (size_t i = 1; i < 1000; i++) {
        buffer_append_format(&source, ",{\"b\":[%zu]}", i);
    }
    buffer_append_string(&source, "]}");
    struct pattern *pattern = compiled(buffer_string(&source));
    assert_ok(json_parse(buffer_text(&event), 0, arena, &root, NULL, &error), &error);
    assert_ok(pattern_explain(pattern, root, &why, &is_match, &error), &error);
    assert_false(is_match);
    assert_true(why.bytes >= 100 * 400 && why.bytes <= 100 * 500);
    assert_true(text_ends_with(buffer_text(&why), TEXT("  and 900 branches more\n")));
    assert_true(text_contains(buffer_text(&why), TEXT("\xc3\xa8\"...; wanted [\"\xc3\xa9")));
    pattern_free(&pattern);
}

static const struct print_case {
    const char *source, *printed;
} print_cases[] = {
    {"{\"b\":{\"c\":[\"\\u00e9\\n\"]},\"a\":[1.0,null,{\"exists\":true}]}",
     "{\"a\":[1.0,null,{\"exists\":true}],\"b.c\":[\"\xc3\xa9\\n\"]}"},
    {"{\"a\":[{\"anything-but\":[\"x\"]},{\"anything-but\":{\"prefix\":[\"a\",\"b\"]}},{\"anything-"
     "but\":[1,2e0]}]}",
     "{\"a\":[{\"anything-but\":\"x\"},{\"anything-but\":{\"prefix\":[\"a\",\"b\"]}},{\"anything-"
     "but\":[1,2e0]}]}"},
    {"{\"prefix\":[1],\"$or\":[{\"a\":[1]},{\"b\":[{\"suffix\":{\"equals-ignore-case\":\"x\"}}]}]}",
     "{\"prefix\":[1],\"$or\":[{\"a\":[1]},{\"b\":[{\"suffix\":{\"equals-ignore-case\":\"x\"}}]}]"
     "}"},
    {"{\"a\":[{\"numeric\":[\"=\",3]},{\"numeric\":[\">=\",-1]},{\"numeric\":[\"<\",1]}]}",
     "{\"a\":[{\"numeric\":[\"=\",3]},{\"numeric\":[\">=\",-1]},{\"numeric\":[\"<\",1]}]}"},
};

static const struct tree_case {
    const char *pattern, *event;
    bool is_match;
} tree_cases[] = {
    {"{\"a\":{\"b\":[1]}}", "{\"a\":{\"b\":1}}", true},
    {"{\"a\":{\"b\":[1]}}", "{\"a.b\":1}", true},
    {"{\"a\":{\"b\":[1]}}", "{\"a\":[{\"b\":2},{\"b\":1}]}", true},
    {"{\"a\":{\"b\":[1]}}", "{\"a\":1,\"ab\":1,\"a.\":1,\"b\":1}", false},
    {"{\"ab\":[1]}", "{\"a\":{\"b\":1},\"abc\":1}", false},
    {"{\"ab\":[1],\"a\":[2]}", "{\"b\":{\"ab\":1},\"a\":2,\"ab\":1}", true},
    {"{\"a\":{\"b\":[{\"exists\":false}]}}", "{\"a\":{\"bc\":1}}", true},
    {"{\"a\":{\"b\":[{\"exists\":false}]}}", "{\"a\":{\"b\":1}}", false},
};

static void test_matches_trees(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(tree_cases); i++) {
        testing_row(tree_cases[i].event);
        scoped(pattern_free) struct pattern *pattern = NULL;
        struct error error = {0};
        const struct json *root = NULL;
        bool is_match = !tree_cases[i].is_match;
        assert_ok(pattern_compile(text_of(tree_cases[i].pattern), &pattern, &error), &error);
        assert_ok(json_parse(text_of(tree_cases[i].event), 0, arena, &root, NULL, &error), &error);
        assert_ok(pattern_match_tree(pattern, root, &is_match, &error), &error);
        assert_int_equal(is_match, tree_cases[i].is_match);
    }
    testing_row(NULL);
}

static void note_path(void *arg, struct text path) {
    buffer_append_text(arg, path);
    buffer_append_char(arg, ' ');
}

static void test_names_each_path_once(void **state) {
    (void)state;
    scoped(pattern_free) struct pattern *pattern = NULL;
    scoped(buffer_done) struct buffer paths = BUFFER_INIT;
    struct error error = {0};
    assert_ok(
        pattern_compile(TEXT("{\"a\":{\"b\":[1]},\"$or\":[{\"a.b\":[2],\"c\":[1]},{\"d\":[1]}]}"),
                        &pattern, &error),
        &error);
    pattern_each_path(pattern, note_path, &paths);
    assert_text_equal(buffer_text(&paths), "a.b c d ");
}

static void test_prints(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(print_cases); i++) {
        struct buffer printed = BUFFER_INIT;
        struct pattern *pattern = compiled(print_cases[i].source);
        pattern_print(pattern, &printed);
        assert_text_equal(buffer_text(&printed), print_cases[i].printed);
        pattern_free(&pattern);
        buffer_done(&printed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_too_many_choices),
        cmocka_unit_test(test_explains),
        cmocka_unit_test(test_explains_in_short),
        cmocka_unit_test(test_prints),
        cmocka_unit_test(test_matches_trees),
        cmocka_unit_test(test_names_each_path_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
