#include "riposte/json/tree.h"
#include "riposte/json/writer.h"

#include "testing.h"

struct fixture {
    struct arena *arena;
    struct buffer out;
    struct error error;
};

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->arena = arena_new();
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    arena_free(&fixture->arena);
    buffer_done(&fixture->out);
    free(fixture);
    return 0;
}

static const struct json *parse(struct fixture *fixture, const char *text) {
    const struct json *root = NULL;
    assert_ok(json_parse(text_of(text), 0, fixture->arena, &root, NULL, &fixture->error),
              &fixture->error);
    return root;
}

/* ---- parsing ---- */

static void test_a_tree_forgets_nothing(void **state) {
    struct fixture *fixture = *state;
    const struct json *root = parse(fixture,
                                    " {\"a\":1.0e2, \"b\\u0041\":[true,\"x\\ny\"], \"a\":null}");
    assert_true(json_is_object(root));
    assert_int_equal(json_count(root), 3);
    assert_int_equal(json_offset(root), 1);

    const struct json *first = json_first(root);
    assert_text_equal(json_key(first), "a");
    assert_text_equal(json_text(first), "1.0e2");
    assert_int_equal(json_key_offset(first), 2);
    assert_int_equal(json_offset(first), 6);

    const struct json *list = json_next(first);
    assert_text_equal(json_key(list), "bA");
    assert_true(json_is_array(list));
    assert_int_equal(json_count(list), 2);
    assert_text_equal(json_text(json_first(list)), "true");
    assert_text_equal(json_text(json_next(json_first(list))), "x\ny");
    assert_text_equal(json_key(json_first(list)), "");
    assert_ptr_equal(json_parent(list), root);

    assert_int_equal(json_type(json_member(root, "a")), JSON_NULL); /* the last one counts */
    assert_null(json_member(root, "b"));
    assert_null(json_member(list, "a"));
}

static void test_what_is_absent_can_be_asked_too(void **state) {
    (void)state;
    assert_false(json_is_string(NULL));
    assert_false(json_is_object(NULL));
    assert_false(json_is_array(NULL));
    assert_text_equal(json_text(NULL), "");
    assert_text_equal(json_key(NULL), "");
    assert_int_equal(json_count(NULL), 0);
    assert_null(json_first(NULL));
    assert_null(json_next(NULL));
    assert_null(json_member(NULL, "a"));
    assert_int_equal(json_find(NULL, TEXT("a"), NULL, NULL), 0);
}

static const struct bad_case {
    const char *name, *text, *error;
    size_t offset;
} bad_cases[] = {
    {"nothing", "", "line 1, column 1: the text ends where a value is expected", 0},
    {"a trailing comma", "{\n  \"a\": 1,\n}", "line 3, column 1: a comma before the end", 12},
    {"no colon", "{\"a\" 1}", "line 1, column 6: a colon is expected", 5},
    {"an unclosed array", "[1,\n2", "line 2, column 2: the text ends inside an array", 5},
    {"two values", "1 2", "line 1, column 3: something stands behind", 2},
    {"a comment where none may be", "[1] // one", "line 1, column 5: something stands", 4},
    {"a bare word", "[yes]", "line 1, column 2: a value is expected", 1},
    {"a byte order mark", "\xEF\xBB\xBF{}", "line 1, column 1: a byte order mark", 0},
};

static void test_an_error_has_line_column_and_offset(void **state) {
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(bad_cases); i++) {
        const struct bad_case *row = &bad_cases[i];
        testing_row(row->name);
        const struct json *root = NULL;
        size_t offset = 77;
        assert_fails(
            json_parse(text_of(row->text), 0, fixture->arena, &root, &offset, &fixture->error),
            &fixture->error, ERROR_INVALID, row->error);
        assert_null(root);
        assert_int_equal(offset, row->offset);
    }
}

static const struct comment_case {
    const char *name, *text, *error; /* error: NULL for none */
} comment_cases[] = {
    {"both kinds", "/**/ { // x\n \"a\" /*y*/ : /* ** / */ 1 // z\n }", NULL},
    {"at the end of the text", "{} // the end", NULL},
    {"between tokens", "/*a*/{/*b*/\"k\"/*c*/:/*d*/[/*e*/1/*f*/,/*g*/2/*h*/]/*i*/}/*j*/", NULL},
    {"inside a string it is text", "[\"// no /* comment */\"]", NULL},
    {"a star before the end", "[1/***/]", NULL},
    {"slash, star, slash is no comment yet", "[1/*/]", "a comment without end"},
    {"a lone slash", "[1 / 2]", "a lone slash"},
    {"not UTF-8", "[1] // \xFF", "a comment that is not UTF-8"},
    {"does not join numbers", "[1/**/2]", "a comma or ']'"},
};

static void test_comments_count_as_white_space(void **state) {
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(comment_cases); i++) {
        const struct comment_case *row = &comment_cases[i];
        testing_row(row->name);
        const struct json *root = NULL;
        bool is_ok = json_parse(text_of(row->text), JSON_COMMENTS, fixture->arena, &root, NULL,
                                &fixture->error);
        if (row->error == NULL) {
            assert_ok(is_ok, &fixture->error);
        } else {
            assert_fails(is_ok, &fixture->error, ERROR_INVALID, row->error);
        }
    }
}

static struct text nested(struct fixture *fixture, size_t levels, const char *open, char close) {
    buffer_clear(&fixture->out);
    for (size_t i = 0; i < levels; i++) {
        buffer_append_string(&fixture->out, open);
    }
    buffer_append_string(&fixture->out, "0");
    for (size_t i = 0; i < levels; i++) {
        buffer_append_char(&fixture->out, close);
    }
    return buffer_text(&fixture->out);
}

static void test_a_thousand_levels_and_no_more(void **state) {
    struct fixture *fixture = *state;
    const struct json *root = NULL;
    const struct json *other = NULL;
    assert_ok(json_parse(nested(fixture, 1000, "[", ']'), 0, fixture->arena, &root, NULL,
                         &fixture->error),
              &fixture->error);
    assert_ok(json_parse(nested(fixture, 1000, "{\"a\":", '}'), 0, fixture->arena, &other, NULL,
                         &fixture->error),
              &fixture->error);
    assert_true(json_equal(root, json_copy(fixture->arena, root)));
    assert_true(json_equal(other, json_copy(fixture->arena, other)));
    assert_fails(json_parse(nested(fixture, 1001, "[", ']'), 0, fixture->arena, &root, NULL,
                            &fixture->error),
                 &fixture->error, ERROR_LIMIT, "line 1, column 1001: nested deeper than 1000");
}

/* ---- integers ---- */

static const struct integer_case {
    const char *text;
    bool is_integer;
    int64_t value;
} integer_cases[] = {
    {"0", true, 0},
    {"-0", true, 0},
    {"0e99999999999999999999", true, 0},
    {"42", true, 42},
    {"-42", true, -42},
    {"300.0", true, 300},
    {"3e2", true, 300},
    {"0.03e4", true, 300},
    {"30000E-2", true, 300},
    {"12.50e1", true, 125},
    {"9223372036854775807", true, INT64_MAX},
    {"-9223372036854775808", true, INT64_MIN},
    {"9223372036854775808", false, 0},
    {"-9223372036854775809", false, 0},
    {"99999999999999999999999", false, 0},
    {"1e19", false, 0},
    {"1e400", false, 0},
    {"1e99999999999999999999", false, 0},
    {"1e-99999999999999999999", false, 0},
    {"0.5", false, 0},
    {"12.5", false, 0},
    {"1e-1", false, 0},
    {"\"1\"", false, 0},
    {"true", false, 0},
    {"[1]", false, 0},
};

static void test_integers_are_whole_and_in_range(void **state) {
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(integer_cases); i++) {
        const struct integer_case *row = &integer_cases[i];
        testing_row(row->text);
        int64_t value = -7;
        bool is_integer = json_integer(parse(fixture, row->text), &value);
        assert_int_equal(is_integer, row->is_integer);
        assert_int_equal(value, row->is_integer ? row->value : -7);
    }
}

/* ---- paths ---- */

static const struct find_case {
    const char *name, *text, *path, *found; /* the finds, written and separated by spaces */
} find_cases[] = {
    {"a name", "{\"a\":1}", "a", "1"},
    {"names", "{\"a\":{\"b\":{\"c\":1}}}", "a.b.c", "1"},
    {"none", "{\"a\":{\"b\":1}}", "a.c", ""},
    {"below a scalar", "{\"a\":1}", "a.b", ""},
    {"a key that holds a dot", "{\"a.b\":1,\"a\":{\"b\":2}}", "a.b", "1 2"},
    {"dots at several levels", "{\"a.b\":{\"c.d\":1}}", "a.b.c.d", "1"},
    {"a name that is a prefix", "{\"ab\":1,\"a\":2}", "a", "2"},
    {"duplicates", "{\"a\":1,\"a\":2}", "a", "1 2"},
    {"duplicate objects", "{\"a\":{\"b\":1},\"a\":{\"b\":2}}", "a.b", "1 2"},
    {"an array is the value itself", "{\"a\":[1,2]}", "a", "[1,2]"},
    {"no index, no way on", "{\"a\":[{\"b\":1}]}", "a.b", ""},
    {"all elements", "{\"a\":[1,[2],{}]}", "a[*]", "1 [2] {}"},
    {"below all elements", "{\"a\":[{\"b\":1},{\"c\":3},{\"b\":2}]}", "a[*].b", "1 2"},
    {"one element", "{\"a\":[1,2,3]}", "a[1]", "2"},
    {"an element that isn't there", "{\"a\":[1]}", "a[1]", ""},
    {"a single value is one element", "{\"a\":{\"b\":1}}", "a[*].b", "1"},
    {"and the first", "{\"a\":5}", "a[0]", "5"},
    {"and no second", "{\"a\":5}", "a[1]", ""},
    {"arrays of arrays", "{\"a\":[[1,2],[3]]}", "a[*][*]", "1 2 3"},
    {"an index of each", "{\"a\":[[1,2],[3]]}", "a[*][0]", "1 3"},
    {"an empty array", "{\"a\":[]}", "a[*]", ""},
    {"at the top", "[{\"a\":1},{\"a\":2}]", "[*].a", "1 2"},
    {"an escaped key", "{\"\\u0061\":1}", "a", "1"},
    {"an unfinished index", "{\"a\":[1]}", "a[*", ""},
    {"an index that is none", "{\"a\":[1]}", "a[x]", ""},
    {"rubbish behind an index", "{\"a\":[1]}", "a[0]b", ""},
    {"a dot at the end", "{\"a\":{\"b\":1}}", "a.", ""},
    {"an empty name", "{\"\":{\"b\":1}}", ".b", "1"},
    {"order of the text", "{\"a\":{\"b\":1},\"x\":0,\"a.b\":2,\"a\":{\"b\":3}}", "a.b", "1 2 3"},
};

static bool write_found(void *arg, const struct json *node) {
    struct buffer *out = arg;
    if (out->bytes > 0) {
        buffer_append_char(out, ' ');
    }
    json_write(out, node);
    return true;
}

static void test_find_goes_everywhere_a_path_leads(void **state) {
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(find_cases); i++) {
        const struct find_case *row = &find_cases[i];
        testing_row(row->name);
        buffer_clear(&fixture->out);
        json_find(parse(fixture, row->text), text_of(row->path), write_found, &fixture->out);
        assert_text_equal(buffer_text(&fixture->out), row->found);
    }
}

static bool stop_at_two(void *arg, const struct json *node) {
    (void)node;
    size_t *calls = arg;
    return ++*calls < 2;
}

static void test_find_ends_when_told(void **state) {
    struct fixture *fixture = *state;
    const struct json *root = parse(fixture, "{\"a\":[1,2,3],\"a\":[4]}");
    size_t calls = 0;
    assert_int_equal(json_find(root, TEXT("a[*]"), stop_at_two, &calls), 2);
    assert_int_equal(calls, 2);
}

static void test_find_one_wants_exactly_one(void **state) {
    struct fixture *fixture = *state;
    const struct json *root = parse(fixture, "{\"a\":1,\"b\":2,\"b\":3}");
    size_t count = 9;
    assert_text_equal(json_text(json_find_one(root, TEXT("a"), &count)), "1");
    assert_int_equal(count, 1);
    assert_null(json_find_one(root, TEXT("b"), &count));
    assert_int_equal(count, 2);
    assert_null(json_find_one(root, TEXT("c"), &count));
    assert_int_equal(count, 0);
}

/* ---- equality ---- */

static const struct equal_case {
    const char *name, *a, *b;
    bool is_equal;
} equal_cases[] = {
    {"members in any order", "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
    {"elements in their order", "[1,2]", "[2,1]", false},
    {"numbers by value", "[300,0.5,-1,0,10]", "[3.0E2,5e-1,-1.0,-0.0,1e1]", true},
    {"sign", "1", "-1", false},
    {"magnitude", "1", "10", false},
    {"beyond a double", "9007199254740993", "9007199254740992", false},
    {"beyond a double, spelled otherwise", "9007199254740993", "900719925474099.3e1", true},
    {"fraction digits", "0.10", "0.1", true},
    {"tiny", "1e-400", "10e-401", true},
    {"exponents beyond counting, spelled alike", "1e99999999999999999999", "1e99999999999999999999",
     true},
    {"exponents beyond counting", "1e99999999999999999999", "1e99999999999999999998", false},
    {"a string is no number", "\"1\"", "1", false},
    {"escapes", "\"\\u00e9\\/\"", "\"\xC3\xA9/\"", true},
    {"literals", "[true,false,null]", "[true,false,null]", true},
    {"other literals", "true", "false", false},
    {"containers of other types", "{}", "[]", false},
    {"a member more", "{\"a\":1}", "{\"a\":1,\"b\":1}", false},
    {"another name", "{\"a\":1}", "{\"b\":1}", false},
    {"duplicates in any order", "{\"a\":1,\"a\":2}", "{\"a\":2,\"a\":1}", true},
    {"duplicates the same number of times", "{\"a\":1,\"a\":1,\"a\":2}",
     "{\"a\":1,\"a\":2,\"a\":2}", false},
    {"as many members of other names", "{\"a\":1,\"a\":1,\"b\":1}", "{\"a\":1,\"b\":1,\"b\":1}",
     false},
    {"nested", "{\"x\":[{\"b\":[],\"a\":{}}]}", "{\"x\":[{\"a\":{},\"b\":[]}]}", true},
};

static void test_equal_as_json(void **state) {
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(equal_cases); i++) {
        const struct equal_case *row = &equal_cases[i];
        testing_row(row->name);
        const struct json *a = parse(fixture, row->a);
        const struct json *b = parse(fixture, row->b);
        if (json_equal(a, b) != row->is_equal || json_equal(b, a) != row->is_equal ||
            !json_equal(a, a)) {
            fail_msg("%s", row->name);
        }
    }
    assert_true(json_equal(NULL, NULL));
    assert_false(json_equal(NULL, parse(fixture, "null")));
}

/* ---- building ---- */

static void test_a_built_tree_reads_like_a_parsed_one(void **state) {
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    struct json *root = json_new_object(arena);
    json_add_text(arena, root, "name", TEXT("x\"y"));
    json_add_text(arena, root, "empty", TEXT(""));
    json_add_text(arena, root, "absent", (struct text){NULL, 0});
    struct json *list = json_new_array(arena);
    json_add_element(list, json_new_integer(arena, INT64_MIN));
    json_add_element(list, json_new_literal(arena, JSON_TRUE));
    json_add_element(list, json_new_literal(arena, JSON_NULL));
    json_add_member(arena, root, TEXT("list"), list);
    const struct json *parsed = parse(fixture, "{\"list\":[-9223372036854775808,true,null],"
                                               "\"name\":\"x\\\"y\",\"empty\":\"\"}");
    assert_true(json_equal(root, parsed));
    assert_text_equal(json_text(json_member(root, "name")), "x\"y");
}

static void test_a_copy_keeps_spelling_and_offsets_but_not_its_name(void **state) {
    struct fixture *fixture = *state;
    const struct json *root = parse(fixture, "{\"a\":{\"b\":[1.0,{\"c\":[]},2],\"b\":3}}");
    struct json *copy = json_copy(fixture->arena, json_member(root, "a"));
    assert_text_equal(json_key(copy), "");
    assert_null(json_parent(copy));
    assert_int_equal(json_offset(copy), 5);
    json_write(&fixture->out, copy);
    assert_text_equal(buffer_text(&fixture->out), "{\"b\":[1.0,{\"c\":[]},2],\"b\":3}");
    struct json *outer = json_new_array(fixture->arena);
    json_add_element(outer, copy);
    assert_ptr_equal(json_parent(copy), outer);
}

static void test_a_shared_node_has_the_same_content_elsewhere(void **state) {
    struct fixture *fixture = *state;
    const struct json *root = parse(fixture, "{\"a\":{\"b\":[1,{}],\"c\":2},\"d\":3}");
    struct json *outer = json_new_object(fixture->arena);
    json_add_member(fixture->arena, outer, TEXT("x"),
                    json_share(fixture->arena, json_member(root, "a")));
    json_add_member(fixture->arena, outer, TEXT("y"),
                    json_share(fixture->arena, json_member(root, "d")));
    assert_text_equal(json_key(json_first(outer)), "x");
    assert_ptr_equal(json_first(json_first(outer)), json_first(json_first(root)));
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    json_write(&out, outer);
    assert_text_equal(buffer_text(&out), "{\"x\":{\"b\":[1,{}],\"c\":2},\"y\":3}");
    buffer_clear(&out);
    json_write(&out, json_copy(fixture->arena, outer));
    assert_text_equal(buffer_text(&out), "{\"x\":{\"b\":[1,{}],\"c\":2},\"y\":3}");
    buffer_clear(&out);
    json_write(&out, root);
    assert_text_equal(buffer_text(&out), "{\"a\":{\"b\":[1,{}],\"c\":2},\"d\":3}");
}

static void test_a_shared_node_shows_the_same_in_two_places(void **state) {
    struct fixture *fixture = *state;
    const struct json *root = parse(fixture, "{\"a\":{\"b\":[1.0,{\"c\":2}]},\"z\":0}");
    const struct json *shown = json_member(root, "a");
    struct json *outer = json_new_object(fixture->arena);
    json_add_member(fixture->arena, outer, TEXT("x"), json_share(fixture->arena, shown));
    json_add_member(fixture->arena, outer, TEXT("y"), json_share(fixture->arena, shown));
    json_write(&fixture->out, outer);
    assert_text_equal(buffer_text(&fixture->out),
                      "{\"x\":{\"b\":[1.0,{\"c\":2}]},\"y\":{\"b\":[1.0,{\"c\":2}]}}");
    assert_true(json_equal(json_member(outer, "x"), shown));
    assert_true(json_equal(json_copy(fixture->arena, outer), outer));
    assert_text_equal(json_text(json_find_one(outer, TEXT("y.b[1].c"), NULL)), "2");
    assert_text_equal(json_key(shown), "a");
    assert_ptr_equal(json_parent(shown), root);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_shared_node_has_the_same_content_elsewhere, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_tree_forgets_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_absent_can_be_asked_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_error_has_line_column_and_offset, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_comments_count_as_white_space, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_thousand_levels_and_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_integers_are_whole_and_in_range, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_find_goes_everywhere_a_path_leads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_find_ends_when_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_find_one_wants_exactly_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_equal_as_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_built_tree_reads_like_a_parsed_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_shared_node_shows_the_same_in_two_places, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_copy_keeps_spelling_and_offsets_but_not_its_name,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
