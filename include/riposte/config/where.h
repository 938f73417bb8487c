/* Do the `where` conditions of a rule hold? Whoever has found that a rule's patterns match asks
 * this before the rule fires: intake, and all that says what intake would do.
 *
 *     {"value": TEMPLATE, "in": [...], "not_in": [...], "matches": PATTERN}
 *
 * A value holds when it passes all the tests that are there; an array, when any of its elements
 * does. Arrays in the lists of in and not_in stand for their elements. A value or a list of which
 * some part isn't there doesn't hold: what nobody can compare fires no rule.
 *
 * Ownership:  what is rendered lives in the arena.
 * Threads:    pure.
 * Source:     RULES.md, Rules. */
#ifndef RIPOSTE_CONFIG_WHERE_H
#define RIPOSTE_CONFIG_WHERE_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/config/context.h"
#include "riposte/config/rule.h"
#include "riposte/json/tree.h"

#include <stdbool.h>
#include <stddef.h>

/* `context`: context_new(), with what context_self_known() says. *failing_out (may be NULL): the
 * first condition that doesn't hold, else where_count. ERROR_INVALID: it can't be decided (the
 * value isn't what a filter needs, a path occurs twice): the rule must not fire. */
MUST_CHECK bool where_holds(const struct rule *rule, const struct json *context,
                            struct arena *arena, bool *holds_out, size_t *failing_out,
                            struct error *error);
/* The same from an event that was read, with what is known of us. */
MUST_CHECK bool where_fires(const struct rule *rule, const struct subject_event *event,
                            const struct context_self *self, const struct json *vars,
                            struct arena *arena, bool *fires_out, struct error *error);
/* While nobody knows which accounts are ours: conditions that ask for them count as holding. */
MUST_CHECK bool where_may_hold(const struct rule *rule, const struct json *context,
                               struct arena *arena, bool *holds_out, struct error *error);
/* Does a condition ask which accounts are ours? */
bool where_names_accounts(const struct rule *rule);
/* A condition for people: its value as it came, and its tests as written. */
struct text where_explain(const struct comparison *comparison, const struct json *context,
                          struct arena *arena);

#endif
