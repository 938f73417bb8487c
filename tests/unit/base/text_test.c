#include "riposte/base/text.h"

#include "riposte/base/memory.h"

#include "testing.h"

static const struct text nothing = {NULL, 0};

static void test_equality(void **state) {
    (void)state;
    assert_true(text_equal(TEXT("a\0b"), TEXT("a\0b")));
    assert_false(text_equal(TEXT("a\0b"), TEXT("a\0c")));
    assert_false(text_equal(TEXT("a"), TEXT("ab")));
    assert_true(text_equal(nothing, TEXT("")));
    assert_true(text_equal_string(TEXT("abc"), "abc"));
    assert_true(text_equal(text_of(NULL), nothing));
    assert_true(text_equal_ignoring_ascii_case(TEXT("X-Api-Key"), TEXT("x-aPI-kEY")));
    assert_false(text_equal_ignoring_ascii_case(TEXT("a@"), TEXT("a`")));
    assert_false(text_equal_ignoring_ascii_case(TEXT("a["), TEXT("a{")));
    assert_false(text_equal_ignoring_ascii_case(TEXT("\xC3\x84"), TEXT("\xC3\xA4")));
}

static void test_order(void **state) {
    (void)state;
    assert_true(text_compare(TEXT("a"), TEXT("b")) < 0);
    assert_true(text_compare(TEXT("b"), TEXT("ab")) > 0);
    assert_true(text_compare(TEXT("a"), TEXT("ab")) < 0);
    assert_true(text_compare(TEXT("\x7F"), TEXT("\x80")) < 0);
    assert_int_equal(text_compare(nothing, TEXT("")), 0);
}

static void test_prefix_and_suffix(void **state) {
    (void)state;
    assert_true(text_starts_with(TEXT("aws.ec2"), TEXT("aws.")));
    assert_true(text_starts_with(TEXT("aws"), TEXT("aws")));
    assert_true(text_starts_with(TEXT("aws."), nothing));
    assert_false(text_starts_with(TEXT("aw"), TEXT("aws")));
    assert_true(text_ends_with(TEXT("aws.ec2"), TEXT("ec2")));
    assert_true(text_ends_with(TEXT("ec2"), TEXT("ec2")));
    assert_true(text_ends_with(nothing, nothing));
    assert_false(text_ends_with(TEXT("c2"), TEXT("ec2")));
}

static const struct find_case {
    const char *name;
    struct text text, needle;
    size_t at;
} find_cases[] = {
    {"in the middle", TEXT_INIT("abcabc"), TEXT_INIT("bc"), 1},
    {"at the end", TEXT_INIT("aab"), TEXT_INIT("ab"), 1},
    {"behind a NUL", TEXT_INIT("a\0bc"), TEXT_INIT("bc"), 2},
    {"absent", TEXT_INIT("abc"), TEXT_INIT("d"), 3},
    {"longer than the text", TEXT_INIT("a"), TEXT_INIT("ab"), 1},
    {"empty", TEXT_INIT("a"), {NULL, 0}, 0},
    {"empty in empty", {NULL, 0}, {NULL, 0}, 0},
    {"something in empty", {NULL, 0}, TEXT_INIT("a"), 0},
};

static void test_find(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(find_cases); i++) {
        const struct find_case *row = &find_cases[i];
        testing_row(row->name);
        assert_int_equal(text_find(row->text, row->needle), row->at);
    }
    assert_true(text_contains(TEXT("abc"), TEXT("")));
    assert_true(text_contains(nothing, nothing));
    assert_false(text_contains(nothing, TEXT("a")));
    assert_int_equal(text_find_byte(TEXT("a.b.c"), '.', 2), 3);
    assert_int_equal(text_find_byte(TEXT("a.b"), '.', 7), 3);
}

static void test_slices_are_clamped(void **state) {
    (void)state;
    assert_text_equal(text_slice(TEXT("abcd"), 1, 3), "bc");
    assert_text_equal(text_slice(TEXT("abcd"), 2, SIZE_MAX), "cd");
    assert_text_equal(text_slice(TEXT("abcd"), 3, 1), "");
    assert_text_equal(text_slice(TEXT("abcd"), 9, 12), "");
    assert_text_equal(text_slice(nothing, 1, 2), "");
}

static void test_cuts_keep_characters_whole(void **state) {
    (void)state;
    assert_text_equal(text_cut(TEXT("abc"), 3), "abc");
    assert_text_equal(text_cut(TEXT("abc"), 2), "ab");
    assert_text_equal(text_cut(TEXT("a\xF0\x9F\x98\x80z"), 5), "a\xF0\x9F\x98\x80");
    assert_text_equal(text_cut(TEXT("a\xF0\x9F\x98\x80z"), 4), "a");
    assert_text_equal(text_cut(TEXT("a\xF0\x9F\x98\x80z"), 2), "a");
    assert_text_equal(text_cut(TEXT("\xE2\x82\xAC"), 0), "");
    /* No character to keep whole: cut where told. */
    assert_int_equal(text_cut(TEXT("\x80\x80\x80\x80\x80\x80\x80"), 5).bytes, 5);
}

static void test_trim(void **state) {
    (void)state;
    assert_text_equal(text_trim(TEXT(" \t\r\na b\v\f ")), "a b");
    assert_text_equal(text_trim(TEXT("  ")), "");
    assert_text_equal(text_trim(nothing), "");
    assert_text_equal(text_trim(TEXT("\xC2\xA0x")), "\xC2\xA0x");
}

static const struct parts_case {
    const char *text;
    size_t count;
    const char *parts[4];
} parts_cases[] = {
    {"a,,b", 3, {"a", "", "b"}}, {"a", 1, {"a"}}, {"a,", 1, {"a"}},
    {",a", 2, {"", "a"}},        {",", 1, {""}},  {"", 0, {NULL}},
};

static void test_parts(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(parts_cases); i++) {
        const struct parts_case *row = &parts_cases[i];
        testing_row(row->text);
        struct text rest = text_of(row->text);
        struct text part = nothing;
        size_t count = 0;
        while (text_next_part(&rest, ',', &part)) {
            assert_true(count < row->count);
            assert_text_equal(part, row->parts[count]);
            count++;
        }
        assert_int_equal(count, row->count);
    }
}

static void test_copies_end_in_nul(void **state) {
    (void)state;
    scoped(memory_free_at) char *copy = text_copy(text_slice(TEXT("abc"), 0, 2));
    assert_string_equal(copy, "ab");
    scoped(memory_free_at) char *empty = text_copy(nothing);
    assert_string_equal(empty, "");
}

static void test_the_hash_is_fnv_1a(void **state) {
    (void)state;
    assert_true(text_hash(nothing) == 0xcbf29ce484222325u);
    assert_true(text_hash(TEXT("a")) == 0xaf63dc4c8601ec8cu);
    assert_true(text_hash(TEXT("foobar")) == 0x85944171f73967e8u);
}

static const struct number_case {
    const char *text;
    bool is_number;
    uint64_t value;
} number_cases[] = {
    {"0", true, 0},
    {"007", true, 7},
    {"18446744073709551615", true, UINT64_MAX},
    {"18446744073709551616", false, 0},
    {"99999999999999999999", false, 0},
    {"", false, 0},
    {"-1", false, 0},
    {"+1", false, 0},
    {" 1", false, 0},
    {"1 ", false, 0},
    {"1e3", false, 0},
    {"0x1", false, 0},
};

static void test_unsigned_numbers(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(number_cases); i++) {
        const struct number_case *row = &number_cases[i];
        testing_row(row->text);
        uint64_t value = 77;
        assert_int_equal(text_parse_unsigned(text_of(row->text), &value), row->is_number);
        assert_true(value == (row->is_number ? row->value : 77));
    }
}

static const struct utf8_case {
    const char *name;
    struct text text;
    bool is_utf8;
} utf8_cases[] = {
    {"nothing", {NULL, 0}, true},
    {"ASCII with NUL", TEXT_INIT("a\0\x7F"), true},
    {"U+0080", TEXT_INIT("\xC2\x80"), true},
    {"U+07FF", TEXT_INIT("\xDF\xBF"), true},
    {"U+0800", TEXT_INIT("\xE0\xA0\x80"), true},
    {"U+D7FF", TEXT_INIT("\xED\x9F\xBF"), true},
    {"U+E000", TEXT_INIT("\xEE\x80\x80"), true},
    {"U+FFFF", TEXT_INIT("\xEF\xBF\xBF"), true},
    {"U+10000", TEXT_INIT("\xF0\x90\x80\x80"), true},
    {"U+10FFFF", TEXT_INIT("\xF4\x8F\xBF\xBF"), true},
    {"continuation alone", TEXT_INIT("\x80"), false},
    {"overlong slash, two bytes", TEXT_INIT("\xC0\xAF"), false},
    {"overlong, C1", TEXT_INIT("\xC1\xBF"), false},
    {"overlong, three bytes", TEXT_INIT("\xE0\x9F\xBF"), false},
    {"overlong, four bytes", TEXT_INIT("\xF0\x8F\xBF\xBF"), false},
    {"low surrogate", TEXT_INIT("\xED\xA0\x80"), false},
    {"high surrogate", TEXT_INIT("\xED\xBF\xBF"), false},
    {"over U+10FFFF", TEXT_INIT("\xF4\x90\x80\x80"), false},
    {"F5", TEXT_INIT("\xF5\x80\x80\x80"), false},
    {"FF", TEXT_INIT("\xFF"), false},
    {"cut after one of two", TEXT_INIT("a\xC3"), false},
    {"cut after two of three", TEXT_INIT("a\xE2\x82"), false},
    {"cut after three of four", TEXT_INIT("a\xF0\x9F\x98"), false},
    {"third byte wrong", TEXT_INIT("\xE2\x82z"), false},
    {"fourth byte wrong", TEXT_INIT("\xF0\x9F\x98\xC0"), false},
};

static void test_utf8(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(utf8_cases); i++) {
        const struct utf8_case *row = &utf8_cases[i];
        testing_row(row->name);
        if (text_is_utf8(row->text) != row->is_utf8) {
            fail_msg("%s", row->name);
        }
    }
    assert_int_equal(text_utf8_bytes_at(TEXT("a\xE2\x82\xAC"), 1), 3);
    assert_int_equal(text_utf8_bytes_at(TEXT("a\xE2\x82\xAC"), 2), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equality),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_prefix_and_suffix),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_slices_are_clamped),
        cmocka_unit_test(test_cuts_keep_characters_whole),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_copies_end_in_nul),
        cmocka_unit_test(test_the_hash_is_fnv_1a),
        cmocka_unit_test(test_unsigned_numbers),
        cmocka_unit_test(test_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
