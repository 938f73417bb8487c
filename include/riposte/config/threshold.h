/* What a rule's `threshold` counts in an event: the distinct values of `of`. How many there were
 * lately, of all events about the same subject, the journal knows; an event alone is counted where
 * nothing is stored (plan, rule tests).
 *
 *     {"count": 5, "of": TEMPLATE, "per": "5m"}
 *
 * Ownership:  values live in the arena or point into the event.
 * Threads:    pure.
 * Source:     RULES.md, Rules. */
#ifndef RIPOSTE_CONFIG_THRESHOLD_H
#define RIPOSTE_CONFIG_THRESHOLD_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/config/context.h"
#include "riposte/config/rule.h"

#include <stdbool.h>
#include <stddef.h>

/* At most threshold.count of them: more say nothing more. A string as it is, anything else as JSON.
 * ERROR_NOT_FOUND, ERROR_INVALID: the event has none, or it can't be said. */
MUST_CHECK bool threshold_values(const struct rule *rule, const struct json *context,
                                 struct arena *arena, const struct text **values_out,
                                 size_t *count_out, struct error *error);
/* Would this event alone do? A rule without a threshold: yes. *count_out (may be NULL): how many.
 */
bool threshold_reached_alone(const struct rule *rule, const struct json *context,
                             struct arena *arena, size_t *count_out);

#endif
