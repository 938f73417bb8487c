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

/* `spelling` is a JSON number. *value_out: its double, never -0. False when it isn't comparable. */
bool number_comparable(struct text spelling, double *value_out);

/* The same, decided by the C library's conversions: slow, and the reference for the other. */
bool number_comparable_plain(struct text spelling, double *value_out);

#endif
