/* "arn:*:role/\*": '*' is any run of characters; "\*" and "\\" are themselves (PATTERNS.md 7).
 *
 * Ownership:  parts live in the arena given.
 * Threads:    immutable once parsed. */
#ifndef RIPOSTE_DETECT_WILDCARD_H
#define RIPOSTE_DETECT_WILDCARD_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>

/* The literal parts around the stars: count - 1 stars; empty parts at the ends when it begins or
 * ends with one. */
struct wildcard {
    const struct text *parts;
    size_t count;
};

/* On failure *reason_out and *at_out (bytes into `source`, from 1) say what is wrong. */
MUST_CHECK bool wildcard_parse(struct arena *arena, struct text source,
                               struct wildcard *wildcard_out, const char **reason_out,
                               size_t *at_out);
bool wildcard_matches(const struct wildcard *wildcard, struct text value);

#endif
