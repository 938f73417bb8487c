/* Hexadecimal, lower case. */
#ifndef RIPOSTE_BASE_HEX_H
#define RIPOSTE_BASE_HEX_H

#include "riposte/base/attributes.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>

/* Writes 2 * bytes digits and a NUL. */
void hex_encode(const void *data, size_t bytes, char *out);
/* What a digit of either case is worth, 0 to 15; -1: it is no digit. */
static inline int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
/* Exactly 2 * bytes digits of either case; false on anything else. */
MUST_CHECK bool hex_decode(struct text text, void *out, size_t bytes);

#endif
