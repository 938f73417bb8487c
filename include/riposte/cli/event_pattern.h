/* The EventBridge rules that deliver what the loaded rules need: their union matches every event
 * that any of them could match.
 *
 * Rules that name their sources and events are told as one pattern, {"source", "detail-type",
 * "detail": {"eventName"}}, without their other conditions; rules that name no events, or those
 * that only ask (of which there are very many), keep their whole pattern. What fits into one
 * pattern of EventBridge is put together, with $or where it must be.
 *
 * Ownership:  lives in the caller's arena, and shares the rules' patterns.
 * Threads:    pure.
 * Source:     FACTS.md 1.3 (limits) and 2.1 (states). */
#ifndef RIPOSTE_CLI_EVENT_PATTERN_H
#define RIPOSTE_CLI_EVENT_PATTERN_H

#include "riposte/base/arena.h"
#include "riposte/base/text.h"
#include "riposte/config/snapshot.h"
#include "riposte/json/tree.h"

#include <stdbool.h>
#include <stddef.h>

#define EVENT_PATTERN_CHARACTERS   2048
#define EVENT_PATTERN_COMBINATIONS 1000 /* to which $or may expand */

struct event_pattern {
    struct text name; /* suggested */
    bool takes_reads; /* management events that only read must come too */
    const struct json *pattern;
    const struct text *rules; /* names of those that it serves, sorted */
    size_t rule_count;
};

struct event_patterns {
    const struct event_pattern *items;
    size_t count;
};

struct event_patterns event_patterns_make(const struct snapshot *snapshot, struct arena *arena);
/* "ENABLED" or "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS". */
const char *event_pattern_state(const struct event_pattern *pattern);
/* [{"name","state","characters","rules","pattern"}] */
const struct json *event_patterns_to_json(const struct event_patterns *patterns,
                                          struct arena *arena);

#endif
