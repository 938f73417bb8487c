#include "riposte/observe/log.h"

#include "riposte/base/thread.h"

#include "testing.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define NOW_MS INT64_C(1767323045678) /* 2026-01-02T03:04:05.678Z */

static struct fake_clock fake;

/* The log's sink during a test. */
struct sink {
    int read_fd, write_fd;
    struct buffer text;
};

static void sink_open(struct sink *sink) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    *sink = (struct sink){.read_fd = ends[0], .write_fd = ends[1], .text = BUFFER_INIT};
    fake_clock_init(&fake, NOW_MS);
    log_set_sink(sink->write_fd, &fake.clock);
    log_set_level(LOG_INFO);
}

/* Reads until the other end is closed. */
static void drain(void *arg) {
    struct sink *sink = arg;
    ssize_t got = 0;
    while ((got = read(sink->read_fd, buffer_reserve(&sink->text, 4096), 4096)) > 0) {
        buffer_added(&sink->text, (size_t)got);
    }
}

/* Closes the writing end and returns all that was written. */
static struct text sink_text(struct sink *sink) {
    log_set_sink(STDERR_FILENO, &clock_system);
    close(sink->write_fd);
    sink->write_fd = -1;
    drain(sink);
    return buffer_text(&sink->text);
}

static void sink_done(struct sink *sink) {
    log_set_sink(STDERR_FILENO, &clock_system);
    close(sink->read_fd);
    if (sink->write_fd >= 0) {
        close(sink->write_fd);
    }
    buffer_done(&sink->text);
}

static size_t count_of(struct text text, struct text needle) {
    size_t count = 0;
    for (size_t at; (at = text_find(text, needle)) < text.bytes; count++) {
        text = text_slice(text, at + needle.bytes, text.bytes);
    }
    return count;
}

static void test_a_line_has_everything_in_order(void **state) {
    (void)state;
    scoped(sink_done) struct sink sink;
    sink_open(&sink);
    log_warn(&(struct log_context){.component = "intake",
                                   .event = TEXT("8c2b"),
                                   .incident = TEXT("01J"),
                                   LOG_FIELDS(log_string("rule", "ec2-stop"),
                                              log_number("status", -401))},
             "%s for %d", "refused", 3);
    assert_text_equal(sink_text(&sink),
                      "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"warn\","
                      "\"component\":\"intake\",\"event\":\"8c2b\",\"incident\":\"01J\","
                      "\"message\":\"refused for 3\",\"rule\":\"ec2-stop\",\"status\":-401}\n");
}

static void test_what_is_empty_is_left_out(void **state) {
    (void)state;
    scoped(sink_done) struct sink sink;
    sink_open(&sink);
    log_error(&(struct log_context){.component = "daemon"}, "%s", "");
    assert_text_equal(sink_text(&sink),
                      "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"error\","
                      "\"component\":\"daemon\",\"message\":\"\"}\n");
}

static const struct injection_case {
    const char *name;
    struct text value;
    const char *written;
} injection_cases[] = {
    {"a line of one's own", TEXT_INIT("x\n{\"level\":\"error\"}"),
     "\"x\\n{\\\"level\\\":\\\"error\\\"}\""},
    {"the end of the string", TEXT_INIT("x\",\"admin\":\"y"), "\"x\\\",\\\"admin\\\":\\\"y\""},
    {"a backslash at the end", TEXT_INIT("x\\"), "\"x\\\\\""},
    {"carriage return, tab, escape, DEL", TEXT_INIT("\r\t\x1B[2J\x7F"),
     "\"\\r\\t\\u001b[2J\\u007f\""},
    {"a NUL", TEXT_INIT("a\0b"), "\"a\\u0000b\""},
    {"line separators", TEXT_INIT("\xE2\x80\xA8\xE2\x80\xA9"), "\"\\u2028\\u2029\""},
    {"no UTF-8", TEXT_INIT("a\xC0\xAF\xFFz"), "\"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz\""},
    {"a cut character", TEXT_INIT("\xE2\x82"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
    {"UTF-8 stays", TEXT_INIT("h\xC3\xA9 \xE2\x82\xAC"), "\"h\xC3\xA9 \xE2\x82\xAC\""},
};

static void test_no_value_escapes_from_its_string(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(injection_cases); i++) {
        const struct injection_case *row = &injection_cases[i];
        testing_row(row->name);
        scoped(sink_done) struct sink sink;
        sink_open(&sink);
        log_info(&(struct log_context){.component = "intake",
                                       .event = row->value,
                                       .incident = row->value,
                                       LOG_FIELDS(log_text("value", row->value))},
                 "%.*s", TEXT_ARG(row->value));
        struct text line = sink_text(&sink);
        assert_int_equal(count_of(line, TEXT("\n")), 1);
        bool has_nul = text_find_byte(row->value, '\0', 0) < row->value.bytes;
        assert_int_equal(count_of(line, text_of(row->written)), has_nul ? 3 : 4);
    }
}

static void test_long_values_are_cut_between_characters(void **state) {
    (void)state;
    char long_value[4096];
    for (size_t i = 0; i + 3 <= sizeof(long_value); i += 3) {
        memcpy(long_value + i, "\xE2\x82\xAC", 3);
    }
    long_value[4095] = '\0';
    scoped(sink_done) struct sink sink;
    sink_open(&sink);
    log_info(
        &(struct log_context){.component = "intake", LOG_FIELDS(log_string("value", long_value))},
        "%s", long_value);
    struct text line = sink_text(&sink);
    assert_int_equal(count_of(line, TEXT("\xE2\x82\xAC")),
                     LOG_MESSAGE_BYTES / 3 + LOG_VALUE_BYTES / 3);
    assert_int_equal(count_of(line, TEXT("\xE2\x82\xAC...\"")), 2);
    assert_true(text_is_utf8(line));
}

static void test_the_level_can_be_changed_at_any_time(void **state) {
    (void)state;
    scoped(sink_done) struct sink sink;
    sink_open(&sink);
    const struct log_context context = {.component = "daemon"};
    log_debug(&context, "one");
    log_set_level(LOG_DEBUG);
    log_debug(&context, "two");
    log_set_level(LOG_ERROR);
    log_warn(&context, "three");
    log_error(&context, "four");
    assert_false(log_is_on(LOG_WARN));
    struct text text = sink_text(&sink);
    assert_int_equal(count_of(text, TEXT("\n")), 2);
    assert_true(text_contains(text, TEXT("two")) && text_contains(text, TEXT("four")));
}

static void test_levels_have_names(void **state) {
    (void)state;
    enum log_level level = LOG_DEBUG;
    assert_true(log_level_parse(TEXT("warn"), &level));
    assert_int_equal(level, LOG_WARN);
    assert_string_equal(log_level_name(level), "warn");
    assert_false(log_level_parse(TEXT("WARN"), &level));
    assert_false(log_level_parse(TEXT(""), &level));
}

static void log_many(void *arg) {
    const size_t *count = arg;
    for (size_t i = 0; i < *count; i++) {
        log_info(&(struct log_context){.component = "test"}, "line %zu of many", i);
    }
}

static void test_stopping_writes_what_waits(void **state) {
    (void)state;
    scoped(sink_done) struct sink sink;
    sink_open(&sink);
    struct error error = {0};
    assert_ok(log_start(&error), &error);
    size_t count = 100;
    struct thread other;
    assert_ok(thread_start(&other, "other", log_many, &count, &error), &error);
    log_many(&count);
    thread_join(&other);
    log_stop(10000);
    log_info(&(struct log_context){.component = "test"}, "after");
    struct text text = sink_text(&sink);
    assert_int_equal(count_of(text, TEXT("of many\"}\n")), 200);
    assert_true(text_ends_with(text, TEXT("\"message\":\"after\"}\n")));
}

static uint64_t sum_of_dropped(struct text text) {
    static const struct text key = TEXT_INIT("\"dropped\":");
    uint64_t sum = 0;
    for (size_t at; (at = text_find(text, key)) < text.bytes;) {
        text = text_slice(text, at + key.bytes, text.bytes);
        uint64_t dropped = 0;
        assert_true(
            text_parse_unsigned(text_slice(text, 0, text_find_byte(text, '}', 0)), &dropped));
        sum += dropped;
    }
    return sum;
}

static void test_a_full_queue_drops_lines_and_says_so(void **state) {
    (void)state;
    scoped(sink_done) struct sink sink;
    sink_open(&sink);
    fcntl(sink.write_fd, F_SETPIPE_SZ, 4096);
    struct error error = {0};
    assert_ok(log_start(&error), &error);
    size_t count = 10000; /* over 1 MB: more than the queue and what the writer holds */
    log_many(&count);

    struct thread reader;
    assert_ok(thread_start(&reader, "reader", drain, &sink, &error), &error);
    log_stop(10000);
    log_set_sink(STDERR_FILENO, &clock_system);
    close(sink.write_fd);
    sink.write_fd = -1;
    thread_join(&reader);

    struct text text = buffer_text(&sink.text);
    size_t written = count_of(text, TEXT("of many\"}\n"));
    size_t reports = count_of(text, TEXT("\"dropped\":"));
    uint64_t dropped = sum_of_dropped(text);
    assert_true(reports > 0 && dropped > 0);
    assert_int_equal(written + dropped, count);
    assert_int_equal(count_of(text, TEXT("\n")), written + reports);
}

static void test_a_reader_that_is_stuck_does_not_stop_the_stop(void **state) {
    (void)state;
    scoped(sink_done) struct sink sink;
    sink_open(&sink);
    fcntl(sink.write_fd, F_SETPIPE_SZ, 4096);
    struct error error = {0};
    assert_ok(log_start(&error), &error);
    size_t count = 1000;
    log_many(&count);
    int64_t began_ms = clock_mono_ms(&clock_system);
    log_stop(10);
    assert_true(clock_mono_ms(&clock_system) - began_ms < 5000);
}

static void test_a_sink_that_is_broken_loses_lines_and_nothing_else(void **state) {
    (void)state;
    log_set_sink(1000000, &clock_system); /* no such file */
    log_info(&(struct log_context){.component = "test"}, "lost");
    struct error error = {0};
    assert_ok(log_start(&error), &error);
    log_info(&(struct log_context){.component = "test"}, "lost too");
    log_stop(10000);
    log_set_sink(STDERR_FILENO, &clock_system);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_has_everything_in_order),
        cmocka_unit_test(test_what_is_empty_is_left_out),
        cmocka_unit_test(test_no_value_escapes_from_its_string),
        cmocka_unit_test(test_long_values_are_cut_between_characters),
        cmocka_unit_test(test_the_level_can_be_changed_at_any_time),
        cmocka_unit_test(test_levels_have_names),
        cmocka_unit_test(test_stopping_writes_what_waits),
        cmocka_unit_test(test_a_full_queue_drops_lines_and_says_so),
        cmocka_unit_test(test_a_reader_that_is_stuck_does_not_stop_the_stop),
        cmocka_unit_test(test_a_sink_that_is_broken_loses_lines_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
