#include "testing.h"

#include "riposte/detect/number.h"

#include <locale.h>
#include <stdio.h>

static const struct number_case {
    const char *spelling;
    bool is_comparable;
    double value;
} number_cases[] = {
    {"0", true, 0},
    {"-0", true, 0},
    {"0.000e99", true, 0},
    {"300", true, 300},
    {"3.0e2", true, 300},
    {"3E+2", true, 300},
    {"0.1", true, 0.1},
    {"0.10000", true, 0.1},
    {"1000000000000000000000", true, 1e21},
    {"9007199254740992", true, 9007199254740992.0},
    {"9007199254740993", false, 0},
    {"9007199254740993.0", false, 0},
    {"12345678901234567890", false, 0},
    {"12345678901234567000", true, 12345678901234567000.0},
    {"0.1000000000000000055511151231257827", false, 0},
    {"-122.41600944012424", true, -122.41600944012424},
    {"1e400", false, 0},
    {"1e-400", false, 0},
    {"1e99999999999999999999", false, 0},
    {"1.7976931348623157e308", true, 1.7976931348623157e308},
    {"5e-324", true, 5e-324},
    {"4.9e-324", false, 0},
    {"2e23", true, 2e23},
    {"1e23", true, 1e23},
    /* 2^-44: the nearest decimal of 16 digits doesn't read back, its neighbour does */
    {"5.684341886080802E-14", true, 5.684341886080802E-14},
    {"5.684341886080801E-14", true, 5.684341886080801E-14}, /* the double below */
    {"5.6843418860808015E-14", false, 0},
};

static void check_all(void) {
    for (size_t i = 0; i < ARRAY_COUNT(number_cases); i++) {
        const struct number_case *each = &number_cases[i];
        double value = -1;
        bool is_comparable = number_comparable(text_of(each->spelling), &value);
        testing_row(each->spelling);
        if (is_comparable != each->is_comparable || (is_comparable && value != each->value)) {
            testing_say_row();
            fail();
        }
    }
}

static void test_comparable(void **state) {
    (void)state;
    check_all();
}

/* Spellings of doubles, of their neighbourhood and of nothing in particular: both ways agree. */
static void test_plain_way_agrees(void **state) {
    uint64_t seed = 88172645463325252u;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char spelling[64];
        double value, fast = -7, plain = -7;
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        memcpy(&value, &seed, sizeof(value));
        value = i % 2 == 0 || !(value - value == 0) ? (double)(seed % 4000000000) / 1e7 : value;
        (void)snprintf(spelling, sizeof(spelling), "%.*g", (int)(13 + seed % 6), value);
        testing_row(spelling);
        bool is_fast = number_comparable(text_of(spelling), &fast);
        bool is_plain = number_comparable_plain(text_of(spelling), &plain);
        if (is_fast != is_plain || !(fast >= plain && fast <= plain)) {
            testing_say_row();
            fail();
        }
    }
}

static void test_no_locale_matters(void **state) {
    (void)state;
    /* Where the machine has one that writes 0,1. */
    if (setlocale(LC_ALL, "de_DE.UTF-8") != NULL || setlocale(LC_ALL, "fr_FR.UTF-8") != NULL) {
        check_all();
        (void)setlocale(LC_ALL, "C");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comparable),
        cmocka_unit_test(test_plain_way_agrees),
        cmocka_unit_test(test_no_locale_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
