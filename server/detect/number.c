#include "riposte/detect/number.h"

#include <stdint.h>
#include <string.h>

#define POWER_LIMIT     330 /* of powers.inc */
#define EXPONENT_LIMIT  290 /* inside, a value of at most 17 digits is a normal double */
#define SAFE_DIGITS     15  /* a decimal of so few digits is always the shortest */
#define DOUBLE_DIGITS   17  /* one of more never is */
#define EXACT_POWER     22  /* 10^22 is the largest power of ten that is a double */
#define MANTISSA_BITS   53
#define EXACT_INTEGER   ((uint64_t)1 << MANTISSA_BITS)
#define EXPONENT_DIGITS 6 /* more are left to the plain way */
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

/* digits * 10^exponent, digits without zeros at the end. */
struct written {
    uint64_t digits;
    int exponent, digit_count;
    bool is_negative;
};

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_UNSURE };

/* The run of digits at *at; the count of significant ones saturates far above what matters. */
static void read_digits(struct text spelling, size_t *at, bool is_fraction, struct written *out,
                        int *pending_zeros) {
    for (; *at < spelling.bytes; ++*at) {
        unsigned digit = (unsigned)(unsigned char)spelling.data[*at] - '0';
        if (digit > 9) {
            return;
        }
        out->exponent -= is_fraction;
        if (digit == 0) {
            *pending_zeros += out->digit_count > 0;
            continue;
        }
        out->digit_count += *pending_zeros + 1;
        if (out->digit_count <= DOUBLE_DIGITS) {
            for (; *pending_zeros > 0; --*pending_zeros) {
                out->digits *= 10;
            }
            out->digits = out->digits * 10 + digit;
        }
        *pending_zeros = 0;
    }
}

/* False when the exponent has too many digits to bother. */
static bool read_exponent(struct text spelling, size_t at, struct written *out) {
    int value = 0;
    bool is_negative = spelling.data[at] == '-';
    at += spelling.data[at] == '-' || spelling.data[at] == '+';
    if (spelling.bytes - at > EXPONENT_DIGITS) {
        return false;
    }
    for (; at < spelling.bytes; at++) {
        value = value * 10 + (spelling.data[at] - '0');
    }
    out->exponent += is_negative ? -value : value;
    return true;
}

static bool read_written(struct text spelling, struct written *out) {
    size_t at = spelling.data[0] == '-';
    int pending_zeros = 0;
    *out = (struct written){.is_negative = at == 1};
    read_digits(spelling, &at, false, out, &pending_zeros);
    if (at < spelling.bytes && spelling.data[at] == '.') {
        at++;
        read_digits(spelling, &at, true, out, &pending_zeros);
    }
    out->exponent += pending_zeros;
    return at >= spelling.bytes || read_exponent(spelling, at + 1, out);
}

/* The decimal as a binary number: product * 2^unit_exponent, cut off, and near it the double
 * mantissa * 2^(unit_exponent + shift). */
struct binary {
    uint128 product;
    uint64_t mantissa;
    int shift, unit_exponent;
};

/* ANSWER_UNSURE when the decimal is too near the middle between two doubles. */
static enum answer nearest_double(const struct written *written, int leading_zeros,
                                  struct binary *out) {
    const struct power *power = &powers[written->exponent + POWER_LIMIT];
    uint64_t digits = written->digits << leading_zeros;
    out->product = (uint128)digits * power->high + (((uint128)digits * power->low) >> 64);
    out->unit_exponent = ((written->exponent * 217706) >> 16) - 127 + 64 - leading_zeros;
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
static enum answer is_shortest(const struct written *written, int leading_zeros,
                               const struct binary *binary) {
    const struct power *power = &powers[written->exponent + POWER_LIMIT];
    uint128 power_bits = (uint128)power->high << 64 | power->low;
    int128 unit = (int128)(power_bits >> (64 - leading_zeros));
    int128 offset = (int128)(binary->product - ((uint128)binary->mantissa << binary->shift));
    int128 room = (int128)1 << (binary->shift - 1);
    int last_digit = (int)(written->digits % 10);
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
static bool convert_exactly(const struct written *written, double *value_out) {
    if (written->digits > EXACT_INTEGER || written->exponent < -EXACT_POWER ||
        written->exponent > EXACT_POWER) {
        return false;
    }
    double value = (double)written->digits;
    value = written->exponent < 0 ? value / exact_powers[-written->exponent]
                                  : value * exact_powers[written->exponent];
    *value_out = written->is_negative ? -value : value;
    return true;
}

static enum answer decide(const struct written *written, double *value_out) {
    struct binary binary;
    if (written->digit_count <= SAFE_DIGITS && convert_exactly(written, value_out)) {
        return ANSWER_YES;
    }
    int leading_zeros = __builtin_clzll(written->digits);
    if (nearest_double(written, leading_zeros, &binary) != ANSWER_YES) {
        return ANSWER_UNSURE;
    }
    *value_out = double_of(&binary, written->is_negative);
    return written->digit_count <= SAFE_DIGITS ? ANSWER_YES
                                               : is_shortest(written, leading_zeros, &binary);
}

bool number_comparable(struct text spelling, double *value_out) {
    struct written written;
    double value = 0;
    if (spelling.bytes == 0 || !read_written(spelling, &written)) {
        return number_comparable_plain(spelling, value_out);
    }
    if (written.digit_count == 0) {
        *value_out = 0;
        return true;
    }
    if (written.digit_count > DOUBLE_DIGITS) {
        return false;
    }
    if (written.exponent < -EXPONENT_LIMIT || written.exponent > EXPONENT_LIMIT) {
        return number_comparable_plain(spelling, value_out);
    }
    enum answer answer = decide(&written, &value);
    if (answer == ANSWER_UNSURE) {
        return number_comparable_plain(spelling, value_out);
    }
    if (answer == ANSWER_YES) {
        *value_out = value;
    }
    return answer == ANSWER_YES;
}
