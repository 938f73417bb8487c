/* What one rule needs delivered: the values that its pattern allows at three places, wherever in
 * the pattern, and in whichever branches of $or, they stand.
 *
 * Ownership:  lives in an arena, and shares the rule's pattern.
 * Threads:    pure. */
#ifndef RIPOSTE_SERVER_CLI_EVENT_NEED_H
#define RIPOSTE_SERVER_CLI_EVENT_NEED_H

#include "riposte/base/arena.h"
#include "riposte/config/rule.h"
#include "riposte/json/tree.h"

#include <stdbool.h>
#include <stddef.h>

/* Elements of a pattern's arrays: strings, or operators. */
struct value_set {
    bool is_any;
    const struct json **items;
    size_t count, capacity;
};

void value_set_add(struct value_set *set, const struct json *item, struct arena *arena);
void value_set_join(struct value_set *set, const struct value_set *other, struct arena *arena);

struct event_need {
    const struct rule *rule;
    struct value_set sources, types, names; /* of detail.eventName */
    bool takes_reads;                       /* events that only read must be delivered */
    bool keeps_pattern;                     /* too much would come without its other conditions */
    bool is_success_only;                   /* detail.errorCode is asked to be absent */
};

struct event_need event_need_of(const struct rule *rule, struct arena *arena);

#endif
