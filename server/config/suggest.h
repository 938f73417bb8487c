/* "did you mean ...?": the nearest of the names that would have been right.
 *
 * Ownership:  keeps pointers to the names it is offered.
 * Bounds:     words over SUGGEST_BYTES get no suggestion. */
#ifndef RIPOSTE_SERVER_CONFIG_SUGGEST_H
#define RIPOSTE_SERVER_CONFIG_SUGGEST_H

#include "riposte/base/text.h"

#include <stddef.h>

#define SUGGEST_BYTES 64

struct suggestion {
    struct text word;
    struct text nearest; /* empty: none is near */
    size_t distance;
};

void suggestion_init(struct suggestion *suggestion, struct text word);
void suggestion_offer(struct suggestion *suggestion, struct text name);
/* Writes `; did you mean "name"?`, or nothing. */
#define SUGGESTION_BYTES (SUGGEST_BYTES + 24)
const char *suggestion_text(const struct suggestion *suggestion, char out[SUGGESTION_BYTES]);

#endif
