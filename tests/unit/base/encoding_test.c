#include "riposte/base/base64.h"
#include "riposte/base/hex.h"
#include "riposte/base/mode.h"
#include "riposte/base/ulid.h"

#include "testing.h"

static void test_hex(void **state) {
    (void)state;
    char digits[9];
    hex_encode("\x00\x0f\xa5\xff", 4, digits);
    assert_string_equal(digits, "000fa5ff");
    hex_encode("", 0, digits);
    assert_string_equal(digits, "");

    uint8_t bytes[4] = {7, 7, 7, 7};
    assert_true(hex_decode(TEXT("000Fa5fF"), bytes, 4));
    assert_memory_equal(bytes, "\x00\x0f\xa5\xff", 4);
    assert_true(hex_decode(TEXT(""), bytes, 0));
}

static void test_what_is_no_hex(void **state) {
    (void)state;
    static const char *const cases[] = {"",         "00",       "0001020",  "000102030",
                                        "0001020g", "0x010203", " 0010203", "00 10203"};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        testing_row(cases[i]);
        uint8_t bytes[4] = {7, 7, 7, 7};
        if (hex_decode(text_of(cases[i]), bytes, 4)) {
            fail_msg("%s", cases[i]);
        }
        assert_memory_equal(bytes, "\7\7\7\7", 4);
    }
}

/* RFC 4648, section 10, and the two digits it doesn't show. */
static const struct base64_case {
    struct text bytes;
    const char *text;
} base64_cases[] = {
    {{NULL, 0}, ""},
    {TEXT_INIT("f"), "Zg=="},
    {TEXT_INIT("fo"), "Zm8="},
    {TEXT_INIT("foo"), "Zm9v"},
    {TEXT_INIT("foob"), "Zm9vYg=="},
    {TEXT_INIT("fooba"), "Zm9vYmE="},
    {TEXT_INIT("foobar"), "Zm9vYmFy"},
    {TEXT_INIT("\0\xFB\xFF\xBF"), "APv/vw=="},
    {TEXT_INIT("\xFB\xEF\xBE"), "++++"},
};

static void test_base64(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(base64_cases); i++) {
        const struct base64_case *row = &base64_cases[i];
        testing_row(row->text);
        scoped(buffer_done) struct buffer encoded = BUFFER_INIT;
        base64_encode(row->bytes, &encoded);
        assert_text_equal(buffer_text(&encoded), row->text);
        scoped(buffer_done) struct buffer decoded = BUFFER_INIT;
        assert_true(base64_decode(text_of(row->text), &decoded));
        assert_true(text_equal(buffer_text(&decoded), row->bytes));
    }
}

static void test_base64_looks_no_further_than_its_text(void **state) {
    (void)state;
    static const char *const encoded[] = {"", "/w==", "//8=", "////"};
    for (size_t bytes = 0; bytes < ARRAY_COUNT(encoded); bytes++) {
        scoped(buffer_done) struct buffer out = BUFFER_INIT;
        base64_encode(text_slice(TEXT("\xFF\xFF\xFF\xFF"), 0, bytes), &out);
        assert_text_equal(buffer_text(&out), encoded[bytes]);
    }
}

static void test_what_is_no_base64(void **state) {
    (void)state;
    static const char *const cases[] = {
        "Z",      "Zg",     "Zg=",      "Z===",     "====", "=",        "Zh==",    "Zm9=",
        "Zm9v\n", "Zm 9v=", "Zg==Zg==", "Zm8=Zm8=", "Zg=a", "Zm9v-_==", "Zm9\xC3",
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        testing_row(cases[i]);
        scoped(buffer_done) struct buffer decoded = BUFFER_INIT;
        buffer_append_string(&decoded, "kept");
        if (base64_decode(text_of(cases[i]), &decoded)) {
            fail_msg("%s", cases[i]);
        }
        assert_text_equal(buffer_text(&decoded), "kept");
    }
}

static void test_ulids_of_known_parts(void **state) {
    (void)state;
    static const uint8_t zeros[ULID_RANDOM_BYTES] = {0};
    struct ulid least = ulid_make(0, zeros);
    assert_string_equal(least.text, "00000000000000000000000000");

    uint8_t ones[ULID_RANDOM_BYTES];
    memset(ones, 0xFF, sizeof(ones));
    struct ulid most = ulid_make((INT64_C(1) << 48) - 1, ones);
    assert_string_equal(most.text, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");

    /* The time of the specification's example; the digits of 1..10 worked out by hand. */
    static const uint8_t counting[ULID_RANDOM_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    struct ulid example = ulid_make(1469918176385, counting);
    assert_text_equal(text_slice(ulid_text(&example), 0, 10), "01ARYZ6S41");
    assert_text_equal(text_slice(ulid_text(&example), 10, 26), "041061050R3GG28A");
    assert_int_equal(ulid_unix_ms(&example), 1469918176385);
}

static void test_ulids_sort_by_time(void **state) {
    (void)state;
    uint8_t ones[ULID_RANDOM_BYTES];
    memset(ones, 0xFF, sizeof(ones));
    static const uint8_t zeros[ULID_RANDOM_BYTES] = {0};
    struct ulid before = ulid_make(1767225600000, ones);
    struct ulid after = ulid_make(1767225600001, zeros);
    assert_true(text_compare(ulid_text(&before), ulid_text(&after)) < 0);
}

static void test_parsing_ulids(void **state) {
    (void)state;
    struct ulid ulid;
    assert_true(ulid_parse(TEXT("01aryz6s41tsv4rrffq69g5fav"), &ulid));
    assert_string_equal(ulid.text, "01ARYZ6S41TSV4RRFFQ69G5FAV");
    assert_int_equal(ulid_unix_ms(&ulid), 1469918176385);

    static const char *const bad[] = {
        "",
        "01ARYZ6S41TSV4RRFFQ69G5FA",
        "01ARYZ6S41TSV4RRFFQ69G5FAVX",
        "81ARYZ6S41TSV4RRFFQ69G5FAV",
        "01ARYZ6S41TSV4RRFFQ69G5FAI",
        "01ARYZ6S41TSV4RRFFQ69G5FAL",
        "01ARYZ6S41TSV4RRFFQ69G5FAO",
        "01ARYZ6S41TSV4RRFFQ69G5FAU",
        "01ARYZ6S41TSV4RRFFQ69G5F-V",
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        if (ulid_parse(text_of(bad[i]), &ulid)) {
            fail_msg("%s", bad[i]);
        }
    }
    assert_false(ulid_parse(TEXT("01ARYZ6S41TSV4RRFFQ69G5FA\0"), &ulid));
}

static void test_no_ulid(void **state) {
    (void)state;
    struct ulid none = {{0}};
    assert_true(ulid_is_none(&none));
    assert_int_equal(ulid_text(&none).bytes, 0);
    assert_int_equal(ulid_unix_ms(&none), 0);
}

static void test_modes(void **state) {
    (void)state;
    enum mode mode = MODE_ENFORCE;
    assert_true(mode_parse(TEXT("observe"), &mode));
    assert_int_equal(mode, MODE_OBSERVE);
    assert_string_equal(mode_name(MODE_APPROVE), "approve");
    assert_false(mode_parse(TEXT("Enforce"), &mode));
    assert_false(mode_parse(TEXT(""), &mode));
    assert_int_equal(mode_milder(MODE_ENFORCE, MODE_APPROVE), MODE_APPROVE);
    assert_int_equal(mode_milder(MODE_OBSERVE, MODE_APPROVE), MODE_OBSERVE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_what_is_no_hex),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_base64_looks_no_further_than_its_text),
        cmocka_unit_test(test_what_is_no_base64),
        cmocka_unit_test(test_ulids_of_known_parts),
        cmocka_unit_test(test_ulids_sort_by_time),
        cmocka_unit_test(test_parsing_ulids),
        cmocka_unit_test(test_no_ulid),
        cmocka_unit_test(test_modes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
