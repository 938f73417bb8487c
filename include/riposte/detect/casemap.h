/* How Java writes one UTF-16 unit in lower and in upper case (Locale.ROOT, full mappings): what
 * equals-ignore-case compares with (PATTERNS.md 7). Not case folding: the relation is not
 * symmetric.
 *
 * Threads:  constants. */
#ifndef RIPOSTE_DETECT_CASEMAP_H
#define RIPOSTE_DETECT_CASEMAP_H

#include "riposte/base/arena.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>

/* One place of an ignore-case text: either form fits. Where they differ neither is the beginning or
 * the end of the other, so at most one fits. */
struct case_step {
    struct text lower, upper;
};

/* The places of `text` (UTF-8; a character beyond U+FFFF has no case), in `arena`. */
struct case_step *casemap_steps(struct arena *arena, struct text text, size_t *count_out);

/* Does `value` begin with the steps? *rest_out (may be NULL) is what follows. */
bool casemap_begins(const struct case_step *steps, size_t count, struct text value,
                    struct text *rest_out);
bool casemap_ends(const struct case_step *steps, size_t count, struct text value);
bool casemap_equals(const struct case_step *steps, size_t count, struct text value);

#endif
