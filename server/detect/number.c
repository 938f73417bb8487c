#include "riposte/detect/number.h"

#include <stdint.h>
#include <string.h>

#define POWER_LIMIT    330 /* of powers.inc */
#define EXPONENT_LIMIT 290 /* inside, a value of at most 17 digits is a normal double */
#define SAFE_LIMIT     1000000000000000u   /* below, so at most 15 digits: always the shortest */
#define DOUBLE_DIGITS  17                  /* one of more never is */
#define DIGITS_LIMIT   100000000000000000u /* the first one of more */
#define SIMPLE_BYTES   19                  /* 10^19 fits in 64 bits; one may be the point */
#define EXACT_POWER    22                  /* 10^22 is the largest power of ten that is a double */
#define MANTISSA_BITS  53
#define EXACT_INTEGER  ((uint64_t)1 << MANTISSA_BITS)
#define EXPONENT_MOST  100000 /* no double is farther out */
/* What the products below may be off by, generously. */
#define PRODUCT_ERROR 64

typedef unsigned __int128 uint128;
typedef __int128 int128;

static const struct power {
    uint64_t high, low;
} powers[] = {
#include "powers.inc"
};

static const double exact_powers[EXACT_POWER + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_UNSURE };

/* ---- reading ---- */

/* A number on its way. */
struct reading {
    uint64_t digits; /* the significant ones so far, without zeros at the end */
    int digit_count, pending_zeros, exponent;
};

/* Eight digits at once: neighbours are joined, then pairs, then fours. */
static bool read_eight(const char *at, uint64_t *value_out) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    word ^= 0x3030303030303030u;
    if ((((word + 0x7676767676767676u) | word) & 0x8080808080808080u) != 0) {
        return false;
    }
    word = (word * 10 + (word >> 8)) & 0x00FF00FF00FF00FFu;
    word = (word * 100 + (word >> 16)) & 0x0000FFFF0000FFFFu;
    *value_out = (word * 10000 + (word >> 32)) & 0xFFFFFFFFu;
    return true;
#else
    (void)at, (void)value_out;
    return false;
#endif
}

static void take_digit(struct reading *reading, unsigned digit) {
    if (digit == 0) {
        reading->pending_zeros += reading->digit_count > 0;
        return;
    }
    reading->digit_count += reading->pending_zeros + 1;
    if (reading->digit_count <= DOUBLE_DIGITS) {
        for (; reading->pending_zeros > 0; reading->pending_zeros--) {
            reading->digits *= 10;
        }
        reading->digits = reading->digits * 10 + digit;
    }
    reading->pending_zeros = 0;
}

/* The run of digits at `at`; returns where it ends. The count of significant ones saturates far
 * above what matters. */
static size_t take_digits(struct text spelling, size_t at, struct reading *reading) {
    uint64_t eight = 0;
    while (reading->digit_count > 0 && reading->digit_count < DOUBLE_DIGITS - 8 &&
           reading->pending_zeros == 0 && spelling.bytes - at > 8 && spelling.data[at + 7] != '0' &&
           read_eight(spelling.data + at, &eight)) {
        reading->digits = reading->digits * 100000000 + eight;
        reading->digit_count += 8;
        at += 8;
    }
    for (; at < spelling.bytes; at++) {
        unsigned digit = (unsigned)(unsigned char)spelling.data[at] - '0';
        if (digit > 9) {
            break;
        }
        take_digit(reading, digit);
    }
    return at;
}

/* False when it is farther out than any double but zero. */
static bool take_exponent(struct text spelling, size_t at, struct reading *reading) {
    bool is_negative = spelling.data[at] == '-';
    int value = 0;
    at += spelling.data[at] == '-' || spelling.data[at] == '+';
    for (; at < spelling.bytes; at++) {
        value = value * 10 + (spelling.data[at] - '0');
        if (value > EXPONENT_MOST) {
            return false;
        }
    }
    reading->exponent += is_negative ? -value : value;
    return true;
}

/* What most numbers look like: no exponent, few enough digits for 64 bits. */
static bool read_simply(struct text spelling, struct number *number_out) {
    const char *at = spelling.data, *end = spelling.data + spelling.bytes;
    bool is_negative = at < end && *at == '-';
    uint64_t digits = 0, eight = 0;
    const char *fraction = NULL;
    at += is_negative;
    const char *start = at;
    for (; at < end && (unsigned char)(*at - '0') <= 9; at++) {
        digits = digits * 10 + (unsigned)(*at - '0');
    }
    if (at < end && *at == '.') {
        fraction = ++at;
        for (; end - at >= 8 && read_eight(at, &eight); at += 8) {
            digits = digits * 100000000 + eight;
        }
        for (; at < end && (unsigned char)(*at - '0') <= 9; at++) {
            digits = digits * 10 + (unsigned)(*at - '0');
        }
    }
    if (at < end || at - start > SIMPLE_BYTES || digits == 0) {
        return false;
    }
    int32_t exponent = fraction == NULL ? 0 : -(int32_t)(at - fraction);
    for (; digits % 10 == 0; digits /= 10) {
        exponent++;
    }
    *number_out = (struct number){digits, exponent, is_negative};
    return true;
}

bool number_read(struct text spelling, struct number *number_out) {
    if (read_simply(spelling, number_out)) {
        return number_out->digits < DIGITS_LIMIT;
    }
    struct reading reading = {0};
    bool is_negative = spelling.bytes > 0 && spelling.data[0] == '-';
    size_t at = take_digits(spelling, is_negative, &reading);
    if (at < spelling.bytes && spelling.data[at] == '.') {
        size_t fraction = at + 1;
        at = take_digits(spelling, fraction, &reading);
        reading.exponent = -(int)(at - fraction);
    }
    reading.exponent += reading.pending_zeros;
    bool is_near = at >= spelling.bytes || take_exponent(spelling, at + 1, &reading);
    if (reading.digit_count == 0) {
        *number_out = (struct number){0};
        return spelling.bytes > 0;
    }
    *number_out = (struct number){reading.digits, reading.exponent, is_negative};
    return is_near && reading.digit_count <= DOUBLE_DIGITS;
}

/* ---- deciding ---- */

/* The decimal as a binary number: product * 2^unit_exponent, cut off, and near it the double
 * mantissa * 2^(unit_exponent + shift). */
struct binary {
    uint128 product;
    uint64_t mantissa;
    int shift, unit_exponent;
};

/* ANSWER_UNSURE when the decimal is too near the middle between two doubles. */
static enum answer nearest_double(const struct number *number, int leading_zeros,
                                  struct binary *out) {
    const struct power *power = &powers[number->exponent + POWER_LIMIT];
    uint64_t digits = number->digits << leading_zeros;
    out->product = (uint128)digits * power->high + (((uint128)digits * power->low) >> 64);
    out->unit_exponent = ((number->exponent * 217706) >> 16) - 127 + 64 - leading_zeros;
    out->shift = (out->product >> 127 != 0 ? 128 : 127) - MANTISSA_BITS;
    uint128 half = (uint128)1 << (out->shift - 1);
    uint128 rest = out->product & ((half << 1) - 1);
    if (rest + PRODUCT_ERROR > half && rest < half + PRODUCT_ERROR) {
        return ANSWER_UNSURE;
    }
    out->mantissa = (uint64_t)(out->product >> out->shift) + (rest > half);
    bool is_power_of_two = (out->mantissa & (out->mantissa - 1)) == 0;
    return is_power_of_two ? ANSWER_UNSURE : ANSWER_YES; /* below one the room is smaller */
}

static enum answer is_more(int128 a, int128 b) {
    if (a > b + PRODUCT_ERROR) {
        return ANSWER_YES;
    }
    return a + PRODUCT_ERROR < b ? ANSWER_NO : ANSWER_UNSURE;
}

/* Is the decimal of 16 or 17 digits the shortest that reads as the double near it? It is when no
 * multiple of ten (in units of its last digit) reads as that double, and none of its neighbours is
 * nearer to it. */
static enum answer is_shortest(const struct number *number, int leading_zeros,
                               const struct binary *binary) {
    const struct power *power = &powers[number->exponent + POWER_LIMIT];
    uint128 power_bits = (uint128)power->high << 64 | power->low;
    int128 unit = (int128)(power_bits >> (64 - leading_zeros));
    int128 offset = (int128)(binary->product - ((uint128)binary->mantissa << binary->shift));
    int128 room = (int128)1 << (binary->shift - 1);
    int last_digit = (int)(number->digits % 10);
    enum answer no_shorter_below = is_more(last_digit * unit - offset, room);
    enum answer no_shorter_above = is_more((10 - last_digit) * unit + offset, room);
    enum answer is_nearest = is_more(unit / 2, offset < 0 ? -offset : offset);
    if (no_shorter_below == ANSWER_YES && no_shorter_above == ANSWER_YES &&
        is_nearest == ANSWER_YES) {
        return ANSWER_YES;
    }
    bool is_no = no_shorter_below == ANSWER_NO || no_shorter_above == ANSWER_NO ||
                 is_nearest == ANSWER_NO;
    return is_no ? ANSWER_NO : ANSWER_UNSURE;
}

static double double_of(const struct binary *binary, bool is_negative) {
    uint64_t exponent = (uint64_t)(binary->unit_exponent + binary->shift + 52 + 1023);
    uint64_t bits = (uint64_t)is_negative << 63 | exponent << 52 |
                    (binary->mantissa & (((uint64_t)1 << 52) - 1));
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* Both the digits and the power are doubles: one operation, rounded once. */
static bool convert_exactly(const struct number *number, double *value_out) {
    if (number->digits > EXACT_INTEGER || number->exponent < -EXACT_POWER ||
        number->exponent > EXACT_POWER) {
        return false;
    }
    double value = (double)number->digits;
    value = number->exponent < 0 ? value / exact_powers[-number->exponent]
                                 : value * exact_powers[number->exponent];
    *value_out = number->is_negative != 0 ? -value : value;
    return true;
}

static bool is_in_reach(const struct number *number) {
    return number->exponent >= -EXPONENT_LIMIT && number->exponent <= EXPONENT_LIMIT;
}

static enum answer decide(const struct number *number, double *value_out) {
    struct binary binary;
    if (number->digits < SAFE_LIMIT && convert_exactly(number, value_out)) {
        return ANSWER_YES;
    }
    int leading_zeros = __builtin_clzll(number->digits);
    if (!is_in_reach(number) || nearest_double(number, leading_zeros, &binary) != ANSWER_YES) {
        return ANSWER_UNSURE;
    }
    *value_out = double_of(&binary, number->is_negative != 0);
    return number->digits < SAFE_LIMIT ? ANSWER_YES : is_shortest(number, leading_zeros, &binary);
}

double number_nearest(const struct number *number, struct text spelling) {
    struct binary binary;
    double value = 0;
    if (number->digits == 0 || convert_exactly(number, &value)) {
        return value;
    }
    if (!is_in_reach(number) ||
        nearest_double(number, __builtin_clzll(number->digits), &binary) != ANSWER_YES) {
        return number_nearest_plain(spelling);
    }
    return double_of(&binary, number->is_negative != 0);
}

static bool decide_both(const struct number *number, struct text spelling, double *value_out) {
    double value = 0;
    enum answer answer = number->digits == 0 ? ANSWER_YES : decide(number, &value);
    if (answer == ANSWER_UNSURE) {
        return number_comparable_plain(spelling, value_out);
    }
    if (answer == ANSWER_YES) {
        *value_out = value;
    }
    return answer == ANSWER_YES;
}

bool number_is_comparable(const struct number *number, struct text spelling) {
    double value = 0;
    return decide_both(number, spelling, &value);
}

bool number_comparable(struct text spelling, double *value_out) {
    struct number number;
    return number_read(spelling, &number) && decide_both(&number, spelling, value_out);
}
