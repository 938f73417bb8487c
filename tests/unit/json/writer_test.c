#include "riposte/json/writer.h"

#include "testing.h"

static const struct write_case {
    const char *name, *text, *compact, *pretty;
} write_cases[] = {
    {"scalars", " 1.50 ", "1.50", "1.50"},
    {"empty containers", "[ { } , [ ] ]", "[{},[]]", "[\n  {},\n  []\n]"},
    {"members in their order, twice if need be", "{\"b\":1,\"a\":true,\"b\":null}",
     "{\"b\":1,\"a\":true,\"b\":null}", "{\n  \"b\": 1,\n  \"a\": true,\n  \"b\": null\n}"},
    {"levels", "{\"a\":[1,{\"b\":[2]}],\"c\":3}", "{\"a\":[1,{\"b\":[2]}],\"c\":3}",
     "{\n  \"a\": [\n    1,\n    {\n      \"b\": [\n        2\n      ]\n    }\n  ],\n  \"c\": "
     "3\n}"},
    {"escapes", "\"\\u0000\\n\\\"\\\\\\/\\u00e9\\ud83d\\ude00\\u2028\"",
     "\"\\u0000\\n\\\"\\\\/\xC3\xA9\xF0\x9F\x98\x80\\u2028\"",
     "\"\\u0000\\n\\\"\\\\/\xC3\xA9\xF0\x9F\x98\x80\\u2028\""},
    {"lone surrogates", "[\"\\ud800\",\"a\\udBFFb\\uDc00\\ud83d\",\"\xED\x9F\xBF\"]",
     "[\"\\ud800\",\"a\\udbffb\\udc00\\ud83d\",\"\xED\x9F\xBF\"]",
     "[\n  \"\\ud800\",\n  \"a\\udbffb\\udc00\\ud83d\",\n  \"\xED\x9F\xBF\"\n]"},
    {"a lone surrogate in a key", "{\"\\udfff\":1}", "{\"\\udfff\":1}", "{\n  \"\\udfff\": 1\n}"},
    {"keys are escaped, too", "{\"a\\\"b\":1}", "{\"a\\\"b\":1}", "{\n  \"a\\\"b\": 1\n}"},
};

static void test_trees_come_out_as_they_went_in(void **state) {
    (void)state;
    struct error error = {0};
    for (size_t i = 0; i < ARRAY_COUNT(write_cases); i++) {
        const struct write_case *row = &write_cases[i];
        testing_row(row->name);
        scoped(arena_free) struct arena *arena = arena_new();
        scoped(buffer_done) struct buffer out = BUFFER_INIT;
        const struct json *root = NULL;
        assert_ok(json_parse(text_of(row->text), 0, arena, &root, NULL, &error), &error);
        json_write(&out, root);
        assert_text_equal(buffer_text(&out), row->compact);
        buffer_clear(&out);
        json_write_pretty(&out, root);
        assert_text_equal(buffer_text(&out), row->pretty);
    }
}

static void test_a_part_of_a_tree_stands_alone(void **state) {
    (void)state;
    struct error error = {0};
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    const struct json *root = NULL;
    assert_ok(json_parse(TEXT("{\"a\":[1,2],\"b\":3}"), 0, arena, &root, NULL, &error), &error);
    json_write(&out, json_member(root, "a"));
    assert_text_equal(buffer_text(&out), "[1,2]");
}

static void test_member_by_member(void **state) {
    (void)state;
    struct error error = {0};
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    const struct json *tree = NULL;
    assert_ok(json_parse(TEXT("{\"x\": 1.0}"), 0, arena, &tree, NULL, &error), &error);

    struct json_writer writer;
    json_writer_init(&writer, &out);
    json_open_object(&writer, NULL);
    json_put_string(&writer, "s", "a\tb");
    json_put_text(&writer, "t", TEXT(""));
    json_put_integer(&writer, "i", INT64_MIN);
    json_open_array(&writer, "list");
    json_put_bool(&writer, NULL, true);
    json_put_bool(&writer, NULL, false);
    json_put_null(&writer, NULL);
    json_open_object(&writer, NULL);
    json_close_object(&writer);
    json_open_array(&writer, NULL);
    json_put_integer(&writer, NULL, 1);
    json_close_array(&writer);
    json_close_array(&writer);
    json_put_raw(&writer, "raw", TEXT("[ 1 ]"));
    json_put_tree(&writer, "tree", tree);
    json_close_object(&writer);
    assert_text_equal(
        buffer_text(&out),
        "{\"s\":\"a\\tb\",\"t\":\"\",\"i\":-9223372036854775808,\"list\":[true,false,null,"
        "{},[1]],\"raw\":[ 1 ],\"tree\":{\"x\":1.0}}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trees_come_out_as_they_went_in),
        cmocka_unit_test(test_a_part_of_a_tree_stands_alone),
        cmocka_unit_test(test_member_by_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
