#include "riposte/base/time.h"

#include "riposte/base/clock.h"

#include "testing.h"

static const struct time_case {
    const char *text;
    bool is_time;
    int64_t unix_ms;
} time_cases[] = {
    {"1970-01-01T00:00:00Z", true, 0},
    {"2026-01-02T03:04:05Z", true, 1767323045000},
    {"2026-01-02T03:04:05.678Z", true, 1767323045678},
    {"2026-01-02T03:04:05.6Z", true, 1767323045600},
    {"2026-01-02T03:04:05.6789999Z", true, 1767323045678},
    {"2026-01-02t03:04:05z", true, 1767323045000},
    {"2026-01-02T05:04:05+02:00", true, 1767323045000},
    {"2026-01-01T21:34:05-05:30", true, 1767323045000},
    {"2024-02-29T00:00:00Z", true, 1709164800000},
    {"2000-02-29T00:00:00Z", true, 951782400000},
    {"1969-12-31T23:59:59.999Z", true, -1},
    {"0000-01-01T00:00:00Z", true, -62167219200000},
    {"9999-12-31T23:59:59Z", true, 253402300799000},
    {"2016-12-31T23:59:60Z", true, 1483228800000},
    {"", false, 0},
    {"2026-01-02", false, 0},
    {"2026-01-02T03:04:05", false, 0},
    {"2026-01-02 03:04:05Z", false, 0},
    {"2026-1-02T03:04:05Z", false, 0},
    {"2026-00-02T03:04:05Z", false, 0},
    {"2026-13-02T03:04:05Z", false, 0},
    {"2026-01-00T03:04:05Z", false, 0},
    {"2026-04-31T03:04:05Z", false, 0},
    {"2025-02-29T03:04:05Z", false, 0},
    {"1900-02-29T03:04:05Z", false, 0},
    {"2026-01-02T24:04:05Z", false, 0},
    {"2026-01-02T03:60:05Z", false, 0},
    {"2026-01-02T03:04:61Z", false, 0},
    {"2026-01-02T03:04:05.Z", false, 0},
    {"2026-01-02T03:04:05+0200", false, 0},
    {"2026-01-02T03:04:05+24:00", false, 0},
    {"2026-01-02T03:04:05+02:60", false, 0},
    {"2026-01-02T03:04:05ZZ", false, 0},
    {"+026-01-02T03:04:05Z", false, 0},
    {"2026-01-02T03:04:0\xD9\xA1Z", false, 0},
};

static void test_parsing(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(time_cases); i++) {
        const struct time_case *row = &time_cases[i];
        testing_row(row->text);
        int64_t unix_ms = 77;
        if (time_parse(text_of(row->text), &unix_ms) != row->is_time ||
            unix_ms != (row->is_time ? row->unix_ms : 77)) {
            fail_msg("%s: %lld", row->text, (long long)unix_ms);
        }
    }
}

static void test_formatting(void **state) {
    (void)state;
    char out[TIME_TEXT_BYTES];
    time_format_ms(1767323045678, out);
    assert_string_equal(out, "2026-01-02T03:04:05.678Z");
    time_format_s(1767323045678, out);
    assert_string_equal(out, "2026-01-02T03:04:05Z");
    time_format_basic(1767323045678, out);
    assert_string_equal(out, "20260102T030405Z");
    time_format_ms(-1, out);
    assert_string_equal(out, "1969-12-31T23:59:59.999Z");
    time_format_ms(-62167219200000, out);
    assert_string_equal(out, "0000-01-01T00:00:00.000Z");
    time_format_s(-62167219200001, out);
    assert_string_equal(out, "out of range");
    time_format_s(253402300800000, out);
    assert_string_equal(out, "out of range");
    time_format_ms(INT64_MAX, out);
    assert_string_equal(out, "out of range");
    time_format_ms(INT64_MIN, out);
    assert_string_equal(out, "out of range");
}

static void test_what_is_formatted_parses_to_the_same(void **state) {
    (void)state;
    /* Steps of a prime number of ms through four centuries and more. */
    for (int64_t unix_ms = -12219292800000; unix_ms < 4102444800000; unix_ms += 86399000041) {
        char out[TIME_TEXT_BYTES];
        time_format_ms(unix_ms, out);
        int64_t again = 0;
        assert_true(time_parse(text_of(out), &again));
        assert_true(again == unix_ms);
    }
}

static const struct duration_case {
    const char *text;
    bool is_duration;
    int64_t ms;
    const char *printed;
} duration_cases[] = {
    {"250ms", true, 250, "250ms"},
    {"5s", true, 5000, "5s"},
    {"300s", true, 300000, "5m"},
    {"90m", true, 5400000, "90m"},
    {"1h", true, 3600000, "1h"},
    {"24h", true, 86400000, "1d"},
    {"30d", true, 2592000000, "30d"},
    {"0s", true, 0, "0s"},
    {"0d", true, 0, "0s"},
    {"36600d", true, 3162240000000, "36600d"},
    {"36601d", false, 0, NULL},
    {"99999999999999999999d", false, 0, NULL},
    {"", false, 0, NULL},
    {"5", false, 0, NULL},
    {"s", false, 0, NULL},
    {"-5s", false, 0, NULL},
    {"1.5h", false, 0, NULL},
    {"5 s", false, 0, NULL},
    {"5S", false, 0, NULL},
    {"1h30m", false, 0, NULL},
    {"5w", false, 0, NULL},
};

static void test_durations(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(duration_cases); i++) {
        const struct duration_case *row = &duration_cases[i];
        testing_row(row->text);
        int64_t ms = 77;
        if (duration_parse(text_of(row->text), &ms) != row->is_duration) {
            fail_msg("%s", row->text);
        }
        assert_true(ms == (row->is_duration ? row->ms : 77));
        if (row->is_duration) {
            char out[TIME_TEXT_BYTES];
            duration_format(ms, out);
            assert_text_equal(text_of(out), row->printed);
        }
    }
}

static void test_a_duration_is_said_to_people(void **state) {
    (void)state;
    static const struct {
        int64_t ms;
        const char *said;
    } rows[] = {
        {0, "0ms"},
        {340, "340ms"},
        {1999, "1s"},
        {302000, "5m 2s"},
        {3601000, "1h 0m 1s"},
        {86399999, "23h 59m 59s"},
        {86400000, "1d 0h"},
        {23066605228, "266d 23h"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char out[TIME_TEXT_BYTES];
        testing_row(rows[i].said);
        duration_describe(rows[i].ms, out);
        assert_text_equal(text_of(out), rows[i].said);
    }
}

static void test_a_fake_clock_moves_only_when_told(void **state) {
    (void)state;
    struct fake_clock fake;
    fake_clock_init(&fake, 1000);
    int64_t mono_ms = clock_mono_ms(&fake.clock);
    assert_int_equal(clock_unix_ms(&fake.clock), 1000);
    fake_clock_advance(&fake, 25);
    assert_int_equal(clock_unix_ms(&fake.clock), 1025);
    assert_int_equal(clock_mono_ms(&fake.clock), mono_ms + 25);
    fake_clock_set_unix(&fake, -1);
    assert_int_equal(clock_unix_ms(&fake.clock), -1);
    assert_int_equal(clock_unix_us(&fake.clock), -1000);
    assert_int_equal(clock_mono_ms(&fake.clock), mono_ms + 25);
}

static void test_the_system_clock_runs(void **state) {
    (void)state;
    int64_t mono_us = clock_mono_us(&clock_system);
    assert_true(clock_unix_ms(&clock_system) > 1700000000000);
    assert_true(clock_mono_us(&clock_system) >= mono_us);
    clock_sleep_ms(1);
    clock_sleep_ms(-1);
    assert_true(clock_mono_us(&clock_system) >= mono_us + 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parsing),
        cmocka_unit_test(test_formatting),
        cmocka_unit_test(test_what_is_formatted_parses_to_the_same),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_a_duration_is_said_to_people),
        cmocka_unit_test(test_a_fake_clock_moves_only_when_told),
        cmocka_unit_test(test_the_system_clock_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
