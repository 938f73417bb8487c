#include "riposte/cli/splitter.h"

#include "testing.h"

#include "riposte/base/buffer.h"

/* What came out: a line each, "<text>" or "line:byte what". */
static void note_record(void *arg, struct text record, const struct splitter_place *place) {
    (void)place;
    buffer_append_format(arg, "%.*s|", TEXT_ARG(record));
}

static void note_problem(void *arg, const char *what, const struct splitter_place *place) {
    buffer_append_format(arg, "%u:%u %s|", (unsigned)place->line, (unsigned)place->byte, what);
}

static void split(const char *input, size_t chunk_bytes, struct buffer *out) {
    const struct splitter_sink sink = {note_record, note_problem, out};
    scoped(splitter_free) struct splitter *splitter = splitter_new(&sink);
    struct text rest = text_of(input);
    for (size_t i = 0; i < rest.bytes; i += chunk_bytes) {
        splitter_feed(splitter, text_slice(rest, i, i + chunk_bytes));
    }
    splitter_end(splitter);
}

static const struct split_case {
    const char *name, *input, *expected;
} split_cases[] = {
    {"nothing", "", ""},
    {"a log file", "{\"Records\":[{\"a\":1},{\"b\":[{}]}]}", "{\"a\":1}|{\"b\":[{}]}|"},
    {"a log file for people", "{\n \"Records\" : [\n{\n\"a\": 1\n},\n{}\n]\n}\n",
     "{\n\"a\": 1\n}|{}|"},
    {"members around the list", "{\"x\":{\"Records\":[{}]},\"Records\":[{\"a\":1}],\"y\":\"]}\"}",
     "{\"a\":1}|"},
    {"an empty list", "{\"Records\":[]}{\"a\":1}", "{\"a\":1}|"},
    {"what LookupEvents answers", "{\"Events\":[{\"a\":1}],\"NextToken\":\"x\"}", "{\"a\":1}|"},
    {"Records that are no list", "{\"Records\":{\"a\":[1]}}", "{\"Records\":{\"a\":[1]}}|"},
    {"Records as a value", "{\"a\":\"Records\",\"b\":[1]}", "{\"a\":\"Records\",\"b\":[1]}|"},
    {"an array", " [{\"a\":1} , {\"b\":2}] ", "{\"a\":1}|{\"b\":2}|"},
    {"JSON lines", "{\"a\":1}\n{\"b\":2}\r\n\n{\"c\":3}", "{\"a\":1}|{\"b\":2}|{\"c\":3}|"},
    {"objects of several lines", "{\n\"a\":\n1\n}\n{\n}", "{\n\"a\":\n1\n}|{\n}|"},
    {"a byte order mark", "\xEF\xBB\xBF{\"a\":1}", "{\"a\":1}|"},
    {"braces in strings", "{\"a\":\"}{]\\\"}\"}{}", "{\"a\":\"}{]\\\"}\"}|{}|"},
    {"escapes at the end", "{\"a\":\"\\\\\"}{}", "{\"a\":\"\\\\\"}|{}|"},
    {"no JSON", "hello\n{\"a\":1}\n", "1:0 no JSON object|{\"a\":1}|"},
    {"a line that doesn't end", "{\"a\":1\n{\"b\":2}\n",
     "1:0 a record that does not end|{\"b\":2}|"},
    {"a string that doesn't end", "{\"a\":\"x\n{\"b\":2}\n",
     "1:0 a record that does not end|{\"b\":2}|"},
    {"the file ends in a record", "{\"Records\":[{\"a\":1},{\"b\"",
     "{\"a\":1}|1:20 a record that does not end|"},
    {"the file ends in the list", "{\"Records\":[{\"a\":1},",
     "{\"a\":1}|1:20 the file ends before its list of records does|"},
    {"elements that are none", "[1,\"x\",{\"a\":1},null,{\"b\":2}]",
     "1:1 no record|{\"a\":1}|1:15 no record|{\"b\":2}|"},
    {"a broken element", "{\"Records\":[{\"a\":\"\n\"},{\"b\":2}]}",
     "1:12 a record that does not end|{\"b\":2}|"},
    {"told once, and again after a good one", "x\ny\n{}\nz\n",
     "1:0 no JSON object|{}|4:7 no JSON object|"},
};

static void test_streams_are_cut_into_records(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(split_cases); i++) {
        const struct split_case *one = &split_cases[i];
        for (size_t chunk = 1; chunk < 40; chunk += 6) {
            scoped(buffer_done) struct buffer out = BUFFER_INIT;
            split(one->input, chunk, &out);
            if (!text_equal_string(buffer_text(&out), one->expected)) {
                print_error("%s, chunks of %zu\n", one->name, chunk);
            }
            assert_text_equal(buffer_text(&out), one->expected);
        }
    }
}

static void test_a_record_that_is_too_long_is_skipped(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer out = BUFFER_INIT, input = BUFFER_INIT;
    buffer_append_string(&input, "[{\"a\":\"");
    for (size_t i = 0; i < SPLITTER_RECORD_BYTES; i++) {
        buffer_append_char(&input, 'x');
    }
    buffer_append_string(&input, "\"},{\"b\":2}]");
    split(buffer_string(&input), 65536, &out);
    assert_text_equal(buffer_text(&out), "1:1 a record of more than 2 MiB|{\"b\":2}|");
}

static void test_a_splitter_serves_one_stream_after_another(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    const struct splitter_sink sink = {note_record, note_problem, &out};
    scoped(splitter_free) struct splitter *splitter = splitter_new(&sink);
    splitter_feed(splitter, TEXT("{\"Records\":[{\"a\":"));
    splitter_end(splitter);
    splitter_feed(splitter, TEXT("{\"b\":2}"));
    splitter_end(splitter);
    assert_text_equal(buffer_text(&out), "1:12 a record that does not end|{\"b\":2}|");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams_are_cut_into_records),
        cmocka_unit_test(test_a_record_that_is_too_long_is_skipped),
        cmocka_unit_test(test_a_splitter_serves_one_stream_after_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
