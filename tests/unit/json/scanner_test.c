#include "riposte/json/scanner.h"

#include "testing.h"

struct fixture {
    struct json_paths *paths;
    struct json_scratch *scratch;
    struct buffer out, text;
    size_t leaves_wanted; /* the scan is ended at that many; 0: never */
    size_t leaves;
    struct error error;
};

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->paths = json_paths_new();
    fixture->scratch = json_scratch_new();
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    json_paths_free(&fixture->paths);
    json_scratch_free(&fixture->scratch);
    buffer_done(&fixture->out);
    buffer_done(&fixture->text);
    free(fixture);
    return 0;
}

/* "a.b=string:x y@12 0/1 2/0; ": path, type, text, offset, memberships. */
static bool write_leaf(void *arg, const struct json_leaf *leaf, struct error *error) {
    struct fixture *fixture = arg;
    struct buffer *out = &fixture->out;
    buffer_append_text(out, json_paths_text(fixture->paths, leaf->path));
    buffer_append_format(out, "=%s:", json_type_name(leaf->type));
    if (leaf->has_escapes) {
        json_unescape(leaf->raw, out);
    } else {
        buffer_append_text(out, leaf->raw);
    }
    buffer_append_format(out, "@%zu", leaf->offset);
    for (size_t i = 0; i < leaf->membership_count; i++) {
        buffer_append_format(out, " %u/%u", leaf->memberships[i].array,
                             leaf->memberships[i].element);
    }
    buffer_append_string(out, "; ");
    if (++fixture->leaves == fixture->leaves_wanted) {
        return error_set(error, ERROR_BUSY, "enough");
    }
    return true;
}

static bool scan(struct fixture *fixture, struct text text) {
    buffer_clear(&fixture->out);
    fixture->leaves = 0;
    return json_scan(fixture->paths, fixture->scratch, text, write_leaf, fixture, &fixture->error);
}

/* "a.b c+ d! e!+": paths; '+' asks for containers too, '!' for once only. */
static void ask_for(struct fixture *fixture, const char *list) {
    json_paths_free(&fixture->paths);
    fixture->paths = json_paths_new();
    struct text rest = text_of(list);
    struct text part;
    while (text_next_part(&rest, ' ', &part)) {
        unsigned flags = 0;
        for (; part.bytes > 0 && strchr("+!", part.data[part.bytes - 1]) != NULL; part.bytes--) {
            flags |= part.data[part.bytes - 1] == '+' ? JSON_PATH_CONTAINERS : JSON_PATH_UNIQUE;
        }
        json_paths_add(fixture->paths, part, flags);
    }
}

/* ---- what is handed over ---- */

static const struct scan_case {
    const char *name, *paths, *text, *leaves;
} scan_cases[] = {
    {"nothing asked for", "zz", "{\"a\":1}", ""},
    {"each type", "a b c d e", "{\"a\":\"x\",\"b\":1.0e2,\"c\":true,\"d\":false,\"e\":null}",
     "a=string:x@5; b=number:1.0e2@13; c=true:true@23; d=false:false@32; e=null:null@42; "},
    {"nested", "a.b.c", "{\"a\":{\"b\":{\"c\":1,\"d\":2}},\"c\":3}", "a.b.c=number:1@15; "},
    {"a key that holds dots", "a.b.c", "{\"a.b\":{\"c\":1},\"a\":{\"b.c\":2},\"a.b.c\":3}",
     "a.b.c=number:1@12; a.b.c=number:2@26; a.b.c=number:3@37; "},
    {"paths that share a beginning", "abc abd ab abc.x",
     "{\"ab\":1,\"abc\":2,\"abd\":{\"x\":3},"
     "\"abc\":{\"x\":4},\"abcx\":5,\"a\":6}",
     "ab=number:1@6; abc=number:2@14; abc.x=number:4@41; "},
    {"escaped keys", "a.b/\xC3\xA9", "{\"\\u0061\":{\"b\\/\\u00e9\":1}}",
     "a.b/\xC3\xA9=number:1@23; "},
    {"an escaped dot is a dot", "a.b", "{\"a\\u002eb\":1}", "a.b=number:1@12; "},
    {"escaped strings", "a", "{\"a\":\"\\u00e9\\n\\ud83d\\ude00\\\\\"}",
     "a=string:\xC3\xA9\n\xF0\x9F\x98\x80\\@5; "},
    {"duplicates are both seen", "a a.x", "{\"a\":1,\"a\":{\"x\":2},\"a\":{\"x\":3}}",
     "a=number:1@5; a.x=number:2@16; a.x=number:3@28; "},
    {"white space everywhere", "a", " {\t\"a\"\r:\n1 , \"b\" : [ ] } \n", "a=number:1@9; "},
    {"containers are no leaves", "a b", "{\"a\":{},\"b\":[]}", ""},
    {"containers asked for", "a+ b+", "{\"a\":{ \"b\":1},\"b\":[1, [2]],\"a\":3}",
     "a=object:{ \"b\":1}@5; b=number:1@19; b=number:2@23 0/1; b=array:[2]@22; b=array:[1, "
     "[2]]@18; "
     "a=number:3@31; "},
    {"containers end after what is in them", "a+ a.b+", "{\"a\":{\"b\":[{}]}}",
     "a.b=object:{}@11; a.b=array:[{}]@10; a=object:{\"b\":[{}]}@5; "},
    {"empty keys", " .b x.", "{\"\":{\"b\":1},\"b\":2,\"x\":{\"\":3},\"\":4}",
     ".b=number:1@9; x.=number:3@26; =number:4@32; "},

    {"elements of an array are at its path", "a", "{\"a\":[1,\"x\",[2,[3]],null]}",
     "a=number:1@6; a=string:x@8; a=number:2@13 0/2; a=number:3@16 0/2 1/1; a=null:null@20; "},
    {"below an object element", "a.b a.c", "{\"a\":[{\"b\":1},{\"b\":2,\"c\":3}]}",
     "a.b=number:1@11 0/0; a.b=number:2@19 0/1; a.c=number:3@25 0/1; "},
    {"arrays count as they open, wherever they are", "a.b",
     "{\"x\":[[],[]],\"a\":[7,{\"b\":[1,2]}]}", "a.b=number:1@26 3/1; a.b=number:2@28 3/1; "},
    {"nested arrays count at every level", "b", "{\"b\":[[{\"x\":0},[5]]]}",
     "b=number:5@16 0/0 1/1; "},
    {"through a path with dots", "a.b.c", "{\"a.b\":[{\"c\":1},{\"c\":[2]}]}",
     "a.b.c=number:1@13 0/0; a.b.c=number:2@22 0/1; "},
    {"below a path, where nobody asks", "a b.x",
     "{\"a\":{\"b\":{\"c\":[1,\"s\",\"t\"]},\"d\":\"x\",\"e\":\"y\"},\"b\":[{\"x\":1}]}",
     "b.x=number:1@55 1/0; "},
    {"once only, and only once there", "a! b!",
     "{\"a\":{\"x\":1,\"y\":1},\"b\":[7],\"c\":1,\"c\":2}", "b=number:7@24; "},
    {"twice elsewhere", "a.b!", "{\"a\":{\"b\":1,\"c\":2,\"c\":3},\"x\":{\"b\":1},\"b\":2}",
     "a.b=number:1@10; "},
    {"the same key in two objects", "a!", "{\"a\":{\"x\":{\"k\":1},\"y\":{\"k\":2},\"k\":3}}", ""},
    {"the same key in two elements", "a!", "{\"a\":{\"x\":[{\"k\":1},{\"k\":2}]}}", ""},
    {"an empty array is no occurrence", "a!", "{\"a\":[],\"a\":1}", "a=number:1@12; "},
};

static void test_a_scan_hands_over_what_was_asked_for(void **state) {
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(scan_cases); i++) {
        const struct scan_case *row = &scan_cases[i];
        testing_row(row->name);
        ask_for(fixture, row->paths);
        assert_ok(scan(fixture, text_of(row->text)), &fixture->error);
        assert_text_equal(buffer_text(&fixture->out), row->leaves);
    }
}

static const struct fail_case {
    const char *name, *paths, *text, *error;
} fail_cases[] = {
    {"nothing", "a", "", "byte 0: the text ends"},
    {"white space", "a", " \n", "byte 2: the text ends"},
    {"an array", "a", " [{}]", "byte 1: an object is expected, not an array"},
    {"a string", "a", "\"a\"", "byte 0: an object is expected, not a single value"},
    {"truncated", "a", "{\"a\":[1,{\"b\":\"x", "byte 15: the text ends inside a string"},
    {"something behind", "a", "{\"a\":1} {}", "byte 8: something stands behind the value"},
    {"wrong where nobody looks", "a", "{\"a\":1,\"b\":[01]}", "byte 12: a number with a leading"},
    {"wrong below a path", "a", "{\"a\":{\"b\":\"x\",\"c\":\"y\",\"d\":tru}}", "byte 26: "},
    {"a key without a value below a path", "a", "{\"a\":{\"b\":\"x\",\"c\":\"y\",\"d\",\"e\"}}",
     "byte 25: "},
    {"no comments", "a", "{\"a\":1/**/}", "byte 6: a comma or '}' is expected"},
    {"a byte order mark", "a", "\xEF\xBB\xBF{\"a\":1}", "byte 0: a byte order mark"},

    {"a path twice", "a.b!", "{\"a\":{\"b\":1},\"a\":{\"b\":2}}", "a.b: twice, at bytes 6 and 18"},
    {"twice in one object", "a.b!", "{\"a\":{\"b\":1,\"b\":2}}", "a.b: twice, at bytes 6 and 12"},
    {"twice with dots", "a.b!", "{\"a\":{\"b\":1},\"a.b\":2}", "a.b: twice, at bytes 6 and 13"},
    {"twice with an escape", "a!", "{\"a\":1,\"\\u0061\":2}", "a: twice, at bytes 1 and 7"},
    {"two elements", "a!", "{\"a\":[1,2]}", "a: twice, at bytes 6 and 8"},
    {"two object elements", "a!", "{\"a\":[{},{}]}", "a: twice, at bytes 6 and 9"},
    {"as a scalar and as an object", "a!", "{\"a\":null,\"a\":{}}", "a: twice, at bytes 1 and 10"},
    {"a key with dots leads through", "a!", "{\"a\":{\"x\":1},\"a.y\":2}",
     "a: twice, at bytes 1 and 13"},
    {"a key below twice", "a!", "{\"a\":{\"x\":[{\"k\":1,\"l\":2,\"k\":3}]}}",
     "a.x.k: twice, at bytes 12 and 24"},
    {"a key below twice, escaped", "a!", "{\"a\":{\"k\":1,\"\\u006b\":3}}",
     "a.\\u006b: twice, at bytes 6 and 12"},
    {"below a key with dots", "a.b!", "{\"a.b.c\":{\"k\":1,\"k\":2}}",
     "a.b.c.k: twice, at bytes 10 and 16"},
    {"an array of what may occur once", "a!", "{\"a\":[[{\"k\":1,\"k\":2}]]}",
     "a.k: twice, at bytes 8 and 14"},
};

static void test_a_failure_says_where(void **state) {
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(fail_cases); i++) {
        const struct fail_case *row = &fail_cases[i];
        testing_row(row->name);
        ask_for(fixture, row->paths);
        assert_fails(scan(fixture, text_of(row->text)), &fixture->error, ERROR_INVALID, row->error);
    }
}

/* ---- bounds ---- */

static struct text repeated(struct fixture *fixture, const char *prefix, const char *part,
                            size_t times, const char *middle, const char *closing,
                            const char *suffix) {
    buffer_clear(&fixture->text);
    buffer_append_string(&fixture->text, prefix);
    for (size_t i = 0; i < times; i++) {
        buffer_append_string(&fixture->text, part);
    }
    buffer_append_string(&fixture->text, middle);
    for (size_t i = 0; i < times; i++) {
        buffer_append_string(&fixture->text, closing);
    }
    buffer_append_string(&fixture->text, suffix);
    return buffer_text(&fixture->text);
}

static void test_a_thousand_levels_and_no_more(void **state) {
    struct fixture *fixture = *state;
    ask_for(fixture, "a a.a.a");
    assert_ok(scan(fixture, repeated(fixture, "{\"a\":", "[", 999, "7", "]", "}")),
              &fixture->error);
    assert_int_equal(fixture->leaves, 1);
    assert_ok(scan(fixture, repeated(fixture, "{\"a\":", "{\"a\":", 999, "7", "}", "}")),
              &fixture->error);
    assert_fails(scan(fixture, repeated(fixture, "{\"x\":", "[", 1000, "7", "]", "}")),
                 &fixture->error, ERROR_LIMIT, "byte 1004: nested deeper than 1000 levels");
    assert_ok(scan(fixture, TEXT("{\"a\":1}")), &fixture->error);
    assert_text_equal(buffer_text(&fixture->out), "a=number:1@5; ");
}

static void test_numbers_of_a_thousand_characters_and_no_longer(void **state) {
    struct fixture *fixture = *state;
    assert_ok(scan(fixture, repeated(fixture, "{\"a\":", "9", 1000, "", "", "}")), &fixture->error);
    assert_fails(scan(fixture, repeated(fixture, "{\"a\":", "9", 1001, "", "", "}")),
                 &fixture->error, ERROR_LIMIT, "byte 5: a number of more than 1000");
}

static void test_objects_with_distinct_keys_are_small(void **state) {
    struct fixture *fixture = *state;
    ask_for(fixture, "a!");
    for (int members = JSON_UNIQUE_MEMBERS; members <= JSON_UNIQUE_MEMBERS + 1; members++) {
        buffer_clear(&fixture->text);
        buffer_append_string(&fixture->text, "{\"a\":{");
        for (int i = 0; i < members; i++) {
            buffer_append_format(&fixture->text, "%s\"%d\":0", i > 0 ? "," : "", i);
        }
        buffer_append_string(&fixture->text, "}}");
        bool is_ok = scan(fixture, buffer_text(&fixture->text));
        if (members == JSON_UNIQUE_MEMBERS) {
            assert_ok(is_ok, &fixture->error);
        } else {
            assert_fails(is_ok, &fixture->error, ERROR_LIMIT, "byte 5: an object of more than 256");
        }
    }
}

/* ---- the rest ---- */

static void test_a_callback_can_end_the_scan(void **state) {
    struct fixture *fixture = *state;
    ask_for(fixture, "a");
    fixture->leaves_wanted = 2;
    assert_fails(scan(fixture, TEXT("{\"a\":[1,2,3]}")), &fixture->error, ERROR_BUSY, "enough");
    assert_int_equal(fixture->leaves, 2);
}

static void test_a_scratch_forgets_the_last_scan(void **state) {
    struct fixture *fixture = *state;
    ask_for(fixture, "a!");
    for (int i = 0; i < 2; i++) {
        assert_ok(scan(fixture, TEXT("{\"a\":{\"k\":[{\"l\":0}]}}")), &fixture->error);
        assert_fails(scan(fixture, TEXT("{\"a\":{\"k\":[{\"l\":")), &fixture->error, ERROR_INVALID,
                     "");
    }
    ask_for(fixture, "a! b! c!");
    assert_ok(scan(fixture, TEXT("{\"c\":1,\"b\":2,\"a\":3}")), &fixture->error);
}

static void test_paths_are_numbered_as_they_come(void **state) {
    struct fixture *fixture = *state;
    struct json_paths *paths = fixture->paths;
    assert_int_equal(json_paths_add(paths, TEXT("detail.eventName"), 0), 0);
    assert_int_equal(json_paths_add(paths, TEXT("detail.eventID"), 0), 1);
    assert_int_equal(json_paths_add(paths, TEXT("detail"), 0), 2);
    assert_int_equal(json_paths_add(paths, TEXT("detail.eventName"), JSON_PATH_UNIQUE), 0);
    assert_int_equal(json_paths_add(paths,
                                    TEXT("\xFF"
                                         "principal.id"),
                                    0),
                     3);
    assert_int_equal(json_paths_count(paths), 4);
    assert_text_equal(json_paths_text(paths, 1), "detail.eventID");
    assert_fails(scan(fixture, TEXT("{\"detail\":{\"eventName\":1,\"eventName\":2}}")),
                 &fixture->error, ERROR_INVALID, "detail.eventName: twice");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_scan_hands_over_what_was_asked_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_failure_says_where, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_thousand_levels_and_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_numbers_of_a_thousand_characters_and_no_longer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_objects_with_distinct_keys_are_small, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_callback_can_end_the_scan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_scratch_forgets_the_last_scan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_paths_are_numbered_as_they_come, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
