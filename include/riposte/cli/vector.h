/* Lines of vectors: {"id","pattern","event"}, whose members are taken as raw text, because a vector
 * may be about text that no parser accepts.
 *
 * Ownership:  what vector_read() gives points into the line. */
#ifndef RIPOSTE_CLI_VECTOR_H
#define RIPOSTE_CLI_VECTOR_H

#include "riposte/base/attributes.h"
#include "riposte/base/text.h"

#include <stdbool.h>

struct vector {
    struct text id; /* without its quotes */
    struct text pattern, event;
};

/* False when a member is missing. */
MUST_CHECK bool vector_read(struct text line, struct vector *vector_out);
/* "match", "nomatch" or "invalid". */
const char *vector_verdict(const struct vector *vector);

#endif
