/* JSON numbers by value, exactly, however they are spelled: 300 = 300.0 = 3.0e2.
 *
 * Threads:    pure.
 * Bounds:     an exponent of more than 18 digits is not computed with: two such numbers are equal
 *             when they are spelled alike (or are both zero), and none is an integer. */
#ifndef RIPOSTE_SERVER_JSON_DECIMAL_H
#define RIPOSTE_SERVER_JSON_DECIMAL_H

#include "riposte/base/attributes.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* `a` and `b` are numbers of RFC 8259. */
bool decimal_equal(struct text a, struct text b);
/* False when the number isn't whole or doesn't fit. */
MUST_CHECK bool decimal_to_integer(struct text number, int64_t *value_out);

#endif
