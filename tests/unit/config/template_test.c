#include "riposte/config/template.h"

#include "riposte/json/writer.h"

#include "testing.h"

static const char context_text[] =
    "{\"account\":\"123456789012\",\"detail\":{\"count\":3,\"lines\":\"a\\nb\\u0000c\",\"ratio\":1."
    "50,\"is\":true,\"none\":"
    "null,"
    "\"name\":\"trail\",\"dot.ted\":\"d\",\"empty\":\"\",\"list\":[1,\"b\",[2]],\"no\":[],"
    "\"items\":[{\"id\":\"i-1\",\"g\":[\"x\",\"y\"]},{\"id\":\"i-2\"},{\"other\":1}],"
    "\"one\":{\"id\":\"i-9\"},"
    "\"twice\":\"a\",\"twice\":\"b\",\"twins\":[{\"id\":1,\"id\":2}],"
    "\"document\":\"{\\\"a\\\":[1]}\",\"encoded\":\"%7B%22a%22%3A1%7D+x\",\"bad\":\"%7\","
    "\"latin\":\"%FF\","
    "\"trail\":\"arn:aws:cloudtrail:eu-west-1:123456789012:trail/main\","
    "\"bucket\":\"arn:aws:s3:::my-bucket\",\"sneaky\":\"${account}\"}}";

static const struct json *parse(struct arena *arena, const char *text) {
    const struct json *root = NULL;
    struct error error = {0};
    assert_ok(json_parse(text_of(text), 0, arena, &root, NULL, &error), &error);
    return root;
}

static void assert_written(const struct json *node, const char *expected) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    json_write(&out, node);
    assert_text_equal(buffer_text(&out), expected);
}

/* `template` and `result` are JSON. */
static const struct render_case {
    const char *name, *template, *result;
} render_cases[] = {
    {"text without a placeholder stays", "\"a $b {c}\"", "\"a $b {c}\""},
    {"a whole placeholder keeps a string", "\"${account}\"", "\"123456789012\""},
    {"a whole placeholder keeps a number's spelling", "\"${detail.ratio}\"", "1.50"},
    {"a whole placeholder keeps true", "\"${detail.is}\"", "true"},
    {"a whole placeholder keeps null: it is a value", "\"${detail.none:-x}\"", "null"},
    {"a whole placeholder keeps an array", "\"${detail.list}\"", "[1,\"b\",[2]]"},
    {"a whole placeholder keeps an object", "\"${detail.one}\"", "{\"id\":\"i-9\"}"},
    {"inside text a string", "\"<${account}>\"", "\"<123456789012>\""},
    {"inside text a number, as spelled", "\"${detail.ratio}s\"", "\"1.50s\""},
    {"inside text a literal", "\"${detail.is} ${detail.none}\"", "\"true null\""},
    {"two placeholders side by side", "\"${detail.name}${detail.count}\"", "\"trail3\""},
    {"an empty string is a value", "\"${detail.empty:-x}\"", "\"\""},
    {"a key with a dot", "\"${detail.dot.ted}\"", "\"d\""},
    {"an index", "\"${detail.list[1]}\"", "\"b\""},
    {"an index of an index", "\"${detail.list[2][0]}\"", "2"},
    {"all elements give an array", "\"${detail.items[*].id}\"", "[\"i-1\",\"i-2\"]"},
    {"all elements of elements", "\"${detail.items[*].g[*]}\"", "[\"x\",\"y\"]"},
    {"all elements of one object", "\"${detail.one[*].id}\"", "[\"i-9\"]"},
    {"all elements themselves", "\"${detail.list[*]}\"", "[1,\"b\",[2]]"},
    {"all elements of an empty array", "\"${detail.no[*]}\"", "[]"},
    {"a default", "\"${detail.x:-y}\"", "\"y\""},
    {"a default inside text", "\"a${detail.x:-y}b\"", "\"ayb\""},
    {"an empty default", "\"${detail.x:-}\"", "\"\""},
    {"a default is no template for the path's value", "\"${detail.sneaky:-y}\"", "\"${account}\""},
    {"a default that is a placeholder keeps the type", "\"${x:-${detail.count}}\"", "3"},
    {"a default of a default", "\"${x:-${y:-${detail.name}}}\"", "\"trail\""},
    {"text around a placeholder in a default", "\"${x:-<${detail.name}>}\"", "\"<trail>\""},
    {"braces and escapes in a default", "\"${x:-{$${}\"", "\"{${\""},
    {"the filter json", "\"${detail.document|json}\"", "{\"a\":[1]}"},
    {"the filter urldecode leaves the plus", "\"${detail.encoded|urldecode}\"",
     "\"{\\\"a\\\":1}+x\""},
    {"the filter arn.account", "\"${detail.trail|arn.account}\"", "\"123456789012\""},
    {"the filter arn.region", "\"${detail.trail|arn.region}\"", "\"eu-west-1\""},
    {"the filter arn.name", "\"${detail.trail|arn.name}\"", "\"main\""},
    {"the filter arn.name of a name", "\"${detail.name|arn.name}\"", "\"trail\""},
    {"an ARN without Region takes the default", "\"${detail.bucket|arn.region:-x}\"", "\"x\""},
    {"what is no ARN takes the default", "\"${detail.name|arn.account:-x}\"", "\"x\""},
    {"the filter line", "\"${detail.lines|line}\"", "\"a b c\""},
    {"the filter fingerprint", "\"x-${detail.name|fingerprint}\"", "\"x-897abbb178d59a98\""},
    {"a filter over all elements", "\"${detail.items[*].id|arn.name}\"", "[\"i-1\",\"i-2\"]"},
    {"an escape", "\"$${account}\"", "\"${account}\""},
    {"an escape beside a placeholder", "\"$${a}${detail.name}$$\"", "\"${a}trail$$\""},
    {"a dollar before an escape", "\"$$${a}\"", "\"$${a}\""},
    {"a value is never read as a template", "\"x${detail.sneaky}\"", "\"x${account}\""},
    {"values in objects and arrays",
     "{\"a\":[\"${detail.count}\",1.0],\"$json\":{\"b\":\"${detail.name}!\"}}",
     "{\"a\":[3,1.0],\"$json\":{\"b\":\"trail!\"}}"},
    {"empty containers stay", "{\"a\":{},\"b\":[],\"c\":\"\"}", "{\"a\":{},\"b\":[],\"c\":\"\"}"},
};

static void test_renders(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(render_cases); i++) {
        const struct render_case *row = &render_cases[i];
        testing_row(row->name);
        scoped(arena_free) struct arena *arena = arena_new();
        const struct json *template = parse(arena, row->template);
        const struct json *value = NULL;
        struct error error = {0};
        assert_ok(template_check(template, NULL, &error), &error);
        assert_ok(template_render(template, parse(arena, context_text), arena, &value, &error),
                  &error);
        assert_written(value, row->result);
    }
}

static const struct failing_case {
    const char *name, *template;
    enum error_code code;
    const char *text;
} failing_cases[] = {
    {"a path that isn't there", "\"${detail.x.y}\"", ERROR_NOT_FOUND,
     "${detail.x.y}: not in the context"},
    {"no element has it", "\"${detail.items[*].x}\"", ERROR_NOT_FOUND, "not in the context"},
    {"below a string there is nothing", "\"${account.x}\"", ERROR_NOT_FOUND, "not in the context"},
    {"a default that isn't there", "\"${x:-${y}}\"", ERROR_NOT_FOUND, "${y}: not in the context"},
    {"a path that occurs twice", "\"${detail.twice}\"", ERROR_INVALID,
     "${detail.twice}: occurs 2 times"},
    {"a default does not help a path that occurs twice", "\"${detail.twice:-x}\"", ERROR_INVALID,
     "occurs 2 times"},
    {"a path that occurs twice in one element", "\"${detail.twins[*].id}\"", ERROR_INVALID,
     "occurs 2 times"},
    {"an object inside text", "\"a${detail.one}\"", ERROR_INVALID,
     "${detail.one}: an object can't stand inside a text"},
    {"an array inside text", "\"${detail.items[*].id} \"", ERROR_INVALID, "an array can't stand"},
    {"a filter on a number", "\"${detail.count|json}\"", ERROR_INVALID,
     "${detail.count}: a filter works on strings, this is number"},
    {"json of what is none", "\"${detail.name|json}\"", ERROR_INVALID, "${detail.name}: |json: "},
    {"half an encoded byte", "\"${detail.bad|urldecode}\"", ERROR_INVALID, "|urldecode: two"},
    {"bytes that are no text", "\"${detail.latin|urldecode}\"", ERROR_INVALID, "not UTF-8"},
};

static void test_fails_to_render(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(failing_cases); i++) {
        const struct failing_case *row = &failing_cases[i];
        testing_row(row->name);
        scoped(arena_free) struct arena *arena = arena_new();
        const struct json *untouched = NULL;
        struct error error = {0};
        assert_fails(template_render(parse(arena, row->template), parse(arena, context_text), arena,
                                     &untouched, &error),
                     &error, row->code, row->text);
        assert_null(untouched);
    }
}

static const struct malformed_case {
    const char *template, *text;
} malformed_cases[] = {
    {"\"${a\"", "\"${a\": is not closed: add \"}\""},
    {"\"${a:-b\"", "is not closed"},
    {"\"${a:-${b}\"", "is not closed"},
    {"\"${}\"", "\"${}\": names nothing"},
    {"\"${:-x}\"", "names nothing"},
    {"\"${a..b}\"", "a name in the path is empty"},
    {"\"${.a}\"", "a name in the path is empty"},
    {"\"${a.}\"", "a name in the path is empty"},
    {"\"${[0]}\"", "a name in the path is empty"},
    {"\"${a b}\"", "a path holds no white space"},
    {"\"${a${b}}\"", "a path holds no white space, \"$\", \"{\""},
    {"\"${a[x]}\"", "an index is [*] or a number"},
    {"\"${a[0}\"", "an index is [*] or a number"},
    {"\"${a[0]b}\"", "\".\" or the end must follow \"]\""},
    {"\"${a|}\"", "a filter must follow \"|\""},
    {"\"${a|json|}\"", "a filter must follow \"|\""},
    {"\"${a|jsno}\"", "\"${a|jsno}\": unknown filter \"jsno\"; did you mean \"json\"?"},
    {"\"${a:-${b|x}}\"", "\"${b|x}\": unknown filter \"x\""},
    {"\"${a:-${a:-${a:-${a:-${a:-${a:-${a:-${a:-${a:-x}}}}}}}}}\"", "nested too deep"},
    {"{\"a\":[0,{\"${b}\":1}]}", "a key can't hold a placeholder"},
};

static void test_check_refuses_what_is_malformed(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(malformed_cases); i++) {
        const struct malformed_case *row = &malformed_cases[i];
        testing_row(row->template);
        scoped(arena_free) struct arena *arena = arena_new();
        const struct json *culprit = NULL;
        struct error error = {0};
        assert_fails(template_check(parse(arena, row->template), &culprit, &error), &error,
                     ERROR_INVALID, row->text);
        assert_non_null(culprit);
    }
}

static void test_check_names_the_culprit(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    const struct json *culprit = NULL;
    struct error error = {0};
    assert_false(template_check(parse(arena, "{\"a\":\"${x}\",\"b\":[\"${\"]}"), &culprit, &error));
    assert_int_equal(json_offset(culprit), 17);
}

static void test_text_must_become_a_string_or_number(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    const struct json *context = parse(arena, context_text);
    struct error error = {0};
    struct text text = {0};
    assert_ok(template_render_text(TEXT("${detail.ratio}"), context, arena, &text, &error), &error);
    assert_text_equal(text, "1.50");
    assert_ok(template_render_text(TEXT("plain"), context, arena, &text, &error), &error);
    assert_text_equal(text, "plain");
    assert_fails(template_render_text(TEXT("${detail.one}"), context, arena, &text, &error), &error,
                 ERROR_INVALID, "${detail.one}: must give a string, gives object");
    assert_text_equal(text, "plain");
}

static const struct each_case {
    const char *name, *text, *result;
} each_cases[] = {
    {"an array's elements", "${detail.list}", "[1,\"b\",[2]]"},
    {"one value", "${detail.name}", "[\"trail\"]"},
    {"a path over elements", "${detail.items[*].id}", "[\"i-1\",\"i-2\"]"},
    {"elements that are arrays, one level", "${detail.items[*].g}", "[\"x\",\"y\"]"},
    {"no elements", "${detail.no[*]}", "[]"},
    {"an empty array", "${detail.no}", "[]"},
    {"a default", "${detail.x[*]:-y}", "[\"y\"]"},
};

static void test_each_gives_one_value_after_the_other(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(each_cases); i++) {
        testing_row(each_cases[i].name);
        scoped(arena_free) struct arena *arena = arena_new();
        const struct json *array = NULL;
        struct error error = {0};
        assert_ok(template_render_each(text_of(each_cases[i].text), parse(arena, context_text),
                                       arena, &array, &error),
                  &error);
        assert_written(array, each_cases[i].result);
    }
    testing_row(NULL);
}

static void append_path(void *arg, struct text path) {
    buffer_append_text(arg, path);
    buffer_append_char(arg, ' ');
}

static void test_paths_are_told_in_order_with_those_of_defaults(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer paths = BUFFER_INIT;
    template_each_path(
        parse(arena, "{\"a\":\"${b.c|json}$${no}${d:-${e}}\",\"f\":[\"${g[*].h}\"]}"), append_path,
        &paths);
    assert_text_equal(buffer_text(&paths), "b.c d e g[*].h ");
}

static const struct path_case {
    const char *name, *template, *path, *error;
} path_cases[] = {
    {"no placeholder", "/a/b", "/a/b", NULL},
    {"a value is one segment", "/${detail.x:-a/../b c?%41}/policy",
     "/a%2F..%2Fb%20c%3F%2541/policy", NULL},
    {"the text around it stays", "/a%20b/${detail.x:-c}", "/a%20b/c", NULL},
    {"an empty value", "/${detail.x:-}", NULL, "is empty"},
    {"a value that is missing", "/${detail.x}", NULL, "not in the context"},
    {"an array", "/${detail.list}", NULL, "can't stand inside"},
};

static void test_paths(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    const struct json *context = parse(arena, "{\"detail\":{\"list\":[]}}");
    for (size_t i = 0; i < ARRAY_COUNT(path_cases); i++) {
        const struct path_case *row = &path_cases[i];
        struct text path = {NULL, 0};
        struct error error = {0};
        testing_row(row->name);
        bool is_good = template_render_path(text_of(row->template), context, arena, &path, &error);
        if (row->error == NULL) {
            assert_ok(is_good, &error);
            assert_text_equal(path, row->path);
        } else {
            assert_false(is_good);
            assert_non_null(strstr(error.text, row->error));
        }
    }
    testing_row(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_renders),
        cmocka_unit_test(test_fails_to_render),
        cmocka_unit_test(test_check_refuses_what_is_malformed),
        cmocka_unit_test(test_check_names_the_culprit),
        cmocka_unit_test(test_text_must_become_a_string_or_number),
        cmocka_unit_test(test_each_gives_one_value_after_the_other),
        cmocka_unit_test(test_paths_are_told_in_order_with_those_of_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
