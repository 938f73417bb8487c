#include "decimal.h"

#include <assert.h>
#include <stddef.h>

/* (-1)^is_negative * 0.D1D2D3... * 10^exponent, where the digits are those of `digits` (a point
 * among them counts for nothing), neither the first nor the last of them 0; zero has none. */
struct decimal {
    bool is_negative;
    bool is_computable; /* the exponent is a number that we can hold */
    struct text digits;
    int64_t exponent;
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool parse_exponent(struct text text, int64_t *exponent_out) {
    bool is_negative = text_starts_with(text, TEXT("-"));
    if (is_negative || text_starts_with(text, TEXT("+"))) {
        text = text_slice(text, 1, text.bytes);
    }
    while (text.bytes > 1 && text.data[0] == '0') {
        text = text_slice(text, 1, text.bytes);
    }
    uint64_t value = 0;
    if (text.bytes > 18 || !text_parse_unsigned(text, &value)) {
        return false;
    }
    *exponent_out = is_negative ? -(int64_t)value : (int64_t)value;
    return true;
}

/* Drops zeros (and the point) at both ends. */
static struct text significant(struct text mantissa) {
    size_t from = 0;
    size_t to = mantissa.bytes;
    while (from < to && (mantissa.data[from] == '0' || mantissa.data[from] == '.')) {
        from++;
    }
    while (to > from && (mantissa.data[to - 1] == '0' || mantissa.data[to - 1] == '.')) {
        to--;
    }
    return text_slice(mantissa, from, to);
}

/* How far the point stands behind the first significant digit. */
static int64_t point_position(struct text mantissa, struct text digits) {
    ptrdiff_t first = digits.data - mantissa.data;
    ptrdiff_t point = (ptrdiff_t)text_find_byte(mantissa, '.', 0);
    return point >= first ? point - first : point - first + 1;
}

static struct decimal decimal_of(struct text number) {
    struct decimal decimal = {.is_computable = true};
    if (text_starts_with(number, TEXT("-"))) {
        decimal.is_negative = true;
        number = text_slice(number, 1, number.bytes);
    }
    size_t end = 0;
    while (end < number.bytes && (is_digit(number.data[end]) || number.data[end] == '.')) {
        end++;
    }
    struct text mantissa = text_slice(number, 0, end);
    decimal.digits = significant(mantissa);
    if (decimal.digits.bytes == 0) {
        return (struct decimal){.is_computable = true};
    }
    if (end < number.bytes) {
        struct text exponent = text_slice(number, end + 1, number.bytes);
        decimal.is_computable = parse_exponent(exponent, &decimal.exponent);
    }
    decimal.exponent += point_position(mantissa, decimal.digits);
    return decimal;
}

/* The next digit at or behind *at, '0' for ever behind the last. */
static char next_digit(struct text digits, size_t *at) {
    if (*at < digits.bytes && digits.data[*at] == '.') {
        (*at)++;
    }
    return *at < digits.bytes ? digits.data[(*at)++] : '0';
}

static bool are_digits_equal(struct text a, struct text b) {
    size_t at_a = 0;
    size_t at_b = 0;
    while (at_a < a.bytes || at_b < b.bytes) {
        if (next_digit(a, &at_a) != next_digit(b, &at_b)) {
            return false;
        }
    }
    return true;
}

bool decimal_equal(struct text a, struct text b) {
    struct decimal left = decimal_of(a);
    struct decimal right = decimal_of(b);
    if (!left.is_computable || !right.is_computable) {
        return text_equal(a, b);
    }
    return left.is_negative == right.is_negative && left.exponent == right.exponent &&
           are_digits_equal(left.digits, right.digits);
}

static int64_t digit_count(struct text digits) {
    bool has_point = text_find_byte(digits, '.', 0) < digits.bytes;
    return (int64_t)digits.bytes - (has_point ? 1 : 0);
}

bool decimal_to_integer(struct text number, int64_t *value_out) {
    struct decimal decimal = decimal_of(number);
    if (!decimal.is_computable || decimal.exponent > 19 ||
        decimal.exponent < digit_count(decimal.digits)) {
        return false;
    }
    int64_t value = 0;
    size_t at = 0;
    for (int64_t i = 0; i < decimal.exponent; i++) {
        int digit = next_digit(decimal.digits, &at) - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, decimal.is_negative ? -digit : digit, &value)) {
            return false;
        }
    }
    *value_out = value;
    return true;
}
