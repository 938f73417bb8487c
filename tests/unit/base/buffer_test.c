#include "riposte/base/buffer.h"

#include "riposte/base/blob.h"
#include "riposte/base/memory.h"

#include "testing.h"

static void test_appending(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer buffer = BUFFER_INIT;
    assert_string_equal(buffer_string(&buffer), "");
    buffer_append(&buffer, "a\0b", 3);
    buffer_append(&buffer, NULL, 0);
    buffer_append_text(&buffer, TEXT("c"));
    buffer_append_string(&buffer, "d");
    buffer_append_char(&buffer, 'e');
    buffer_append_format(&buffer, "%d-%s", 42, "f");
    assert_true(text_equal(buffer_text(&buffer), TEXT("a\0bcde42-f")));
    assert_int_equal(buffer.data[buffer.bytes], '\0');
}

static void test_growing_far_beyond_the_first_size(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer buffer = BUFFER_INIT;
    for (size_t i = 0; i < 10000; i++) {
        buffer_append_format(&buffer, "%04zu", i);
    }
    assert_int_equal(buffer.bytes, 40000);
    assert_text_equal(text_slice(buffer_text(&buffer), 4 * 9876, 4 * 9877), "9876");
}

static void test_what_goes_over_the_limit_is_left_out_and_seen(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer buffer;
    buffer_init(&buffer, 5);
    buffer_append_string(&buffer, "abcd");
    assert_false(buffer.is_overfull);
    buffer_append_string(&buffer, "ef");
    assert_true(buffer.is_overfull);
    buffer_append_format(&buffer, "%s", "gh");
    buffer_append_char(&buffer, 'i');
    assert_true(buffer.is_overfull);
    assert_text_equal(buffer_text(&buffer), "abcdi");
    memcpy(buffer_reserve(&buffer, 3), "xyz", 3);
    buffer_added(&buffer, 3);
    assert_text_equal(buffer_text(&buffer), "abcdi");
    buffer_clear(&buffer);
    assert_false(buffer.is_overfull);
    assert_text_equal(buffer_text(&buffer), "");
    assert_string_equal(buffer_string(&buffer), "");
}

static void test_reserved_bytes_count_once_added(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer buffer = BUFFER_INIT;
    buffer_append_string(&buffer, "a");
    memcpy(buffer_reserve(&buffer, 100), "bcd", 3);
    assert_text_equal(buffer_text(&buffer), "a");
    buffer_added(&buffer, 2);
    assert_string_equal(buffer_string(&buffer), "abc");
}

static void test_truncating(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer buffer = BUFFER_INIT;
    buffer_truncate(&buffer, 0);
    buffer_append_string(&buffer, "abc");
    buffer_truncate(&buffer, 7);
    assert_string_equal(buffer_string(&buffer), "abc");
    buffer_truncate(&buffer, 1);
    assert_string_equal(buffer_string(&buffer), "a");
}

static void test_taking_hands_the_bytes_over(void **state) {
    (void)state;
    struct buffer buffer = BUFFER_INIT;
    buffer_append_string(&buffer, "abc");
    size_t bytes = 0;
    scoped(memory_free_at) char *taken = buffer_take(&buffer, &bytes);
    assert_int_equal(bytes, 3);
    assert_string_equal(taken, "abc");
    assert_null(buffer.data);
    scoped(memory_free_at) char *empty = buffer_take(&buffer, &bytes);
    assert_int_equal(bytes, 0);
    assert_string_equal(empty, "");
}

static const struct escape_case {
    const char *name;
    struct text text;
    const char *json;
} json_cases[] = {
    {"nothing", {NULL, 0}, "\"\""},
    {"plain", TEXT_INIT("abc /"), "\"abc /\""},
    {"quote and backslash", TEXT_INIT("\"\\"), "\"\\\"\\\\\""},
    {"short escapes", TEXT_INIT("\n\r\t"), "\"\\n\\r\\t\""},
    {"control characters", TEXT_INIT("\0\x01\b\f\x1F\x7F"),
     "\"\\u0000\\u0001\\u0008\\u000c\\u001f\\u007f\""},
    {"line separators", TEXT_INIT("\xE2\x80\xA7\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA"),
     "\"\xE2\x80\xA7\\u2028\\u2029\xE2\x80\xAA\""},
    {"UTF-8", TEXT_INIT("\xC3\xA9\xF0\x9F\x98\x80"), "\"\xC3\xA9\xF0\x9F\x98\x80\""},
    {"no UTF-8", TEXT_INIT("\xC3(\xFF"), "\"\xEF\xBF\xBD(\xEF\xBF\xBD\""},
    {"cut UTF-8", TEXT_INIT("\xF0\x9F\x98"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
};

static void test_json_strings(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(json_cases); i++) {
        const struct escape_case *row = &json_cases[i];
        testing_row(row->name);
        scoped(buffer_done) struct buffer buffer = BUFFER_INIT;
        buffer_append_json_string(&buffer, row->text);
        assert_text_equal(buffer_text(&buffer), row->json);
    }
}

static void test_percent_decoding(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer buffer = BUFFER_INIT;
    buffer_append_string(&buffer, ">");
    assert_true(buffer_append_percent_decoded(&buffer, TEXT("a%7b%7D+%C3%A9%00")));
    assert_true(text_equal(buffer_text(&buffer), TEXT(">a{}+\xC3\xA9\0")));
    static const char *const bad[] = {"a%", "a%4", "%4g", "%%41", "ok%41%"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        testing_row(bad[i]);
        assert_false(buffer_append_percent_decoded(&buffer, text_of(bad[i])));
        assert_true(text_equal(buffer_text(&buffer), TEXT(">a{}+\xC3\xA9\0")));
    }
}

static void test_percent_encoding(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer buffer = BUFFER_INIT;
    buffer_append_percent_encoded(&buffer, TEXT("Az09-_.~ /+*\0\xC3\xA9"), "");
    assert_text_equal(buffer_text(&buffer), "Az09-_.~%20%2F%2B%2A%00%C3%A9");
    buffer_clear(&buffer);
    buffer_append_percent_encoded(&buffer, TEXT("a/b c\0"), "/");
    assert_text_equal(buffer_text(&buffer), "a/b%20c%00");
}

static void test_blobs_share_their_bytes(void **state) {
    (void)state;
    struct buffer buffer = BUFFER_INIT;
    buffer_append_string(&buffer, "abc");
    const char *bytes = buffer.data;
    struct blob *blob = blob_from_buffer(&buffer);
    assert_null(buffer.data);
    assert_ptr_equal(blob_text(blob).data, bytes);
    struct blob *second = blob_ref(blob);
    blob_unref(&blob);
    assert_null(blob);
    assert_text_equal(blob_text(second), "abc");
    blob_unref(&second);
    blob_unref(&second);
    assert_null(blob_ref(NULL));
    assert_int_equal(blob_text(NULL).bytes, 0);

    struct blob *copy = blob_new(text_slice(TEXT("abc"), 0, 2));
    assert_string_equal(blob_text(copy).data, "ab");
    blob_unref(&copy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appending),
        cmocka_unit_test(test_growing_far_beyond_the_first_size),
        cmocka_unit_test(test_what_goes_over_the_limit_is_left_out_and_seen),
        cmocka_unit_test(test_reserved_bytes_count_once_added),
        cmocka_unit_test(test_truncating),
        cmocka_unit_test(test_taking_hands_the_bytes_over),
        cmocka_unit_test(test_json_strings),
        cmocka_unit_test(test_percent_encoding),
        cmocka_unit_test(test_percent_decoding),
        cmocka_unit_test(test_blobs_share_their_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
