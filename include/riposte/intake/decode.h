/* A request's body as events: one JSON object, or an array of them.
 *
 * Only the array's own commas and brackets are looked at here; whether an event is valid JSON, and
 * an event at all, is found when it is scanned. An array whose elements are all found valid is
 * valid.
 *
 * Ownership:  the events' texts are ranges of the body; the list lives in the arena.
 * Threads:    pure.
 * Bounds:     INTAKE_EVENTS_MAX events (intake.h). */
#ifndef RIPOSTE_INTAKE_DECODE_H
#define RIPOSTE_INTAKE_DECODE_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct decoded {
    const struct text *events;
    size_t count;
    bool is_array;
};

/* ERROR_INVALID with "byte N: what": empty, or an array that doesn't end or is followed by
 * something. ERROR_LIMIT: too many events. */
MUST_CHECK bool decode_body(struct text body, struct arena *arena, struct decoded *decoded_out,
                            struct error *error);

#endif
