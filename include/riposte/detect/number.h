/* JSON numbers as patterns compare them (PATTERNS.md 6).
 *
 * A number is comparable when the decimal value written is the shortest decimal that reads back as
 * its nearest binary64; two comparable numbers compare as those doubles do. Others only equal their
 * own spelling.
 *
 * Threads:  any; independent of the locale. */
#ifndef RIPOSTE_DETECT_NUMBER_H
#define RIPOSTE_DETECT_NUMBER_H

#include "riposte/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* The decimal value written: digits * 10^exponent, no zero at the end of the digits; zero is all
 * zeros. Two numbers of equal value are equal byte by byte. */
struct number {
    uint64_t digits;
    int32_t exponent;
    uint32_t is_negative;
};

/* `spelling` is a JSON number. False when it can't be comparable: too many digits, or far out of
 * range. */
bool number_read(struct text spelling, struct number *number_out);
/* The nearest double; perhaps infinite. */
double number_nearest(const struct number *number, struct text spelling);
/* Both at once. *value_out: the double, never -0. False when the number isn't comparable. */
bool number_comparable(struct text spelling, double *value_out);
/* Is it, when its decimal is known already? */
bool number_is_comparable(const struct number *number, struct text spelling);

/* number_comparable(), decided by the C library's conversions: slow, and the reference for the
 * other. */
bool number_comparable_plain(struct text spelling, double *value_out);
/* number_nearest(), likewise. */
double number_nearest_plain(struct text spelling);

#endif
