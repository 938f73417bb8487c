#include "riposte/detect/number.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOUBLE_DIGITS  17 /* always enough to read a double back */
#define SPELLING_BYTES 1024
#define EXPONENT_LIMIT 1000000 /* farther out nothing but zero is a double */

/* 0.DIGITS * 10^exponent, without zeros at either end; zero has no digits. */
struct decimal {
    char digits[SPELLING_BYTES];
    size_t count;
    long exponent;
    bool is_negative;
};

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void) {
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static double parse_double(const char *string) {
    pthread_once(&c_locale_once, make_c_locale);
    return strtod_l(string, NULL, c_locale);
}

static long parse_exponent(struct text text) {
    bool is_negative = text.bytes > 0 && text.data[0] == '-';
    long value = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.data[i] >= '0' && text.data[i] <= '9' && value < EXPONENT_LIMIT) {
            value = value * 10 + (text.data[i] - '0');
        }
    }
    return is_negative ? -value : value;
}

/* Digits before and behind the point (whatever the locale writes as one) into one run. */
static void decimal_digits(struct text mantissa, struct decimal *out) {
    bool is_fraction = false;
    for (size_t i = 0; i < mantissa.bytes; i++) {
        char c = mantissa.data[i];
        if (c < '0' || c > '9') {
            is_fraction = is_fraction || c != '-';
            continue;
        }
        if (out->count == 0 && c == '0') {
            out->exponent -= is_fraction; /* a leading zero */
            continue;
        }
        out->exponent += !is_fraction;
        out->digits[out->count++] = c;
    }
    while (out->count > 0 && out->digits[out->count - 1] == '0') {
        out->count--;
    }
}

static void decimal_read(struct text spelling, struct decimal *out) {
    *out = (struct decimal){.is_negative = spelling.data[0] == '-'};
    size_t e = 0;
    while (e < spelling.bytes && (spelling.data[e] | 0x20) != 'e') {
        e++;
    }
    decimal_digits(text_slice(spelling, 0, e), out);
    out->exponent += parse_exponent(text_slice(spelling, e + 1, spelling.bytes));
    if (out->count == 0) {
        out->exponent = 0;
    }
}

static bool decimal_equals(const struct decimal *a, const struct decimal *b) {
    return a->count == b->count && a->exponent == b->exponent &&
           memcmp(a->digits, b->digits, a->count) == 0;
}

/* Does 0.DIGITS * 10^exponent read as `magnitude`? */
static bool reads_as(const char *digits, long exponent, double magnitude) {
    char text[64];
    (void)snprintf(text, sizeof(text), "0.%se%ld", digits, exponent);
    return parse_double(text) == magnitude;
}

/* Adds `step` (1 or -1) to the last of the digits. False when that changes their number: the
 * neighbour is then a shorter decimal, which was tried before. */
static bool digits_move(char *digits, int step) {
    for (size_t i = strlen(digits); i > 0; i--) {
        char moved = (char)(digits[i - 1] + step);
        if (moved >= '0' && moved <= '9') {
            digits[i - 1] = moved;
            return digits[0] != '0';
        }
        digits[i - 1] = step > 0 ? '0' : '9';
    }
    return false;
}

/* The decimal of `precision` digits that reads as `magnitude`, if there is one: the nearest, or at
 * a power of two, where the room below is half of that above, its neighbour. */
static bool decimal_of_precision(double magnitude, int precision, struct decimal *out) {
    char text[64], digits[DOUBLE_DIGITS + 2], moved[DOUBLE_DIGITS + 2];
    (void)snprintf(text, sizeof(text), "%.*e", precision - 1, magnitude);
    decimal_read(text_of(text), out);
    (void)snprintf(digits, sizeof(digits), "%.*s%0*d", (int)out->count, out->digits,
                   precision - (int)out->count, 0);
    digits[precision] = '\0';
    if (reads_as(digits, out->exponent, magnitude)) {
        return true;
    }
    for (int step = -1; step <= 1; step += 2) {
        memcpy(moved, digits, sizeof(moved));
        if (digits_move(moved, step) && reads_as(moved, out->exponent, magnitude)) {
            memcpy(out->digits, moved, (size_t)precision);
            out->count = (size_t)precision;
            return true;
        }
    }
    return false;
}

static void decimal_shortest(double magnitude, struct decimal *out) {
    *out = (struct decimal){0};
    if (magnitude == 0) {
        return;
    }
    for (int precision = 1; precision <= DOUBLE_DIGITS; precision++) {
        if (decimal_of_precision(magnitude, precision, out)) {
            return;
        }
    }
}

double number_nearest_plain(struct text spelling) {
    char text[SPELLING_BYTES];
    size_t bytes = spelling.bytes < sizeof(text) ? spelling.bytes : sizeof(text) - 1;
    memcpy(text, spelling.data, bytes);
    text[bytes] = '\0';
    double value = parse_double(text);
    return value == 0 ? 0 : value;
}

bool number_comparable_plain(struct text spelling, double *value_out) {
    if (spelling.bytes == 0 || spelling.bytes >= SPELLING_BYTES) {
        return false;
    }
    double value = number_nearest_plain(spelling);
    if (!isfinite(value)) {
        return false;
    }
    struct decimal written, shortest;
    decimal_read(spelling, &written);
    decimal_shortest(fabs(value), &shortest);
    if (!decimal_equals(&written, &shortest)) {
        return false;
    }
    *value_out = value;
    return true;
}
