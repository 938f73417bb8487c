/* What the rules in force would make of an event: which match, why, whether they fire, and what
 * each would do. Sends nothing, and knows this one event alone: `riposte plan` and the admin API
 * show it.
 *
 * Ownership:  everything lives in the caller's arena or points into the snapshot and the event.
 * Threads:    pure.
 * Bounds:     those of ruleset.h and pattern.h. */
#ifndef RIPOSTE_RESPOND_REHEARSAL_H
#define RIPOSTE_RESPOND_REHEARSAL_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/config/snapshot.h"
#include "riposte/respond/dry.h"

#include <stdbool.h>
#include <stddef.h>

enum rehearsal_end {
    REHEARSAL_FIRES,
    REHEARSAL_NO_MATCH,  /* its patterns don't match */
    REHEARSAL_WHERE,     /* the patterns match, `where` doesn't hold */
    REHEARSAL_THRESHOLD, /* not by this event alone */
};

/* A rule and the event. */
struct rehearsal {
    const struct rule *rule;
    enum rehearsal_end end;
    struct text reason; /* it matches but doesn't fire: why not */
    struct texts why;   /* a line each: what satisfied each condition, or which failed */
    struct dry_run run; /* it fires */
};

/* Those whose patterns match, in the order of the rules; with `rule` that one, whether it matches
 * or not. ERROR_INVALID: the event is none, or a rule can't be rendered. ERROR_NOT_FOUND: there is
 * no such rule. */
MUST_CHECK bool rehearse(const struct snapshot *snapshot, struct text event, struct text rule,
                         struct arena *arena, struct rehearsal **rehearsals_out, size_t *count_out,
                         struct error *error);

/* What a pattern says of an event, a line each: what satisfied it, or what failed. */
MUST_CHECK bool rehearse_pattern(const struct json *pattern, const struct json *event,
                                 struct arena *arena, bool *is_match_out, struct texts *why_out,
                                 struct error *error);

#endif
