#include "riposte/outbound/date.h"

#include "testing.h"

static const struct date_case {
    const char *date;
    int64_t unix_ms; /* -1: refused */
} date_cases[] = {
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777000},
    {"Tue, 24 Nov 2026 08:12:31 GMT", 1795507951000},
    {"Tue, 31 Dec 2024 23:59:59 GMT", 1735689599000},
    {"", -1},
    {"Sun, 06 Nov 1994 08:49:37 UTC", -1},
    {"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
    {"Sun, 06 nov 1994 08:49:37 GMT", -1},
    {"Sun, 06 anF 1994 08:49:37 GMT", -1},
    {"Sun, 31 Feb 1994 08:49:37 GMT", -1},
    {"Sun, 06 Nov 1994 28:49:37 GMT", -1},
    {"Sunday, 06-Nov-94 08:49:37 GMT", -1},
    {"Sun Nov  6 08:49:37 1994", -1},
};

static void test_dates(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(date_cases); i++) {
        testing_row(date_cases[i].date);
        int64_t unix_ms = -1;
        bool is_date = http_date_parse(text_of(date_cases[i].date), &unix_ms);
        assert_int_equal(is_date, date_cases[i].unix_ms >= 0);
        assert_int_equal(unix_ms, date_cases[i].unix_ms);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
