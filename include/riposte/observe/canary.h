/* When each canary was last heard: how old that is, and whether it is too old.
 *
 * Its age counts from when its write was made, not from when it came: what EventBridge delivers a
 * day late says nothing about now. A time ahead of ours counts as ours. Until the first comes, the
 * age counts from when it was expected first.
 *
 * Ownership:  canaries_new()/canaries_free(); what is given is copied.
 * Threads:    any.
 * Bounds:     CANARIES_KEPT. */
#ifndef RIPOSTE_OBSERVE_CANARY_H
#define RIPOSTE_OBSERVE_CANARY_H

#include "riposte/base/clock.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CANARIES_KEPT 64

struct canaries;

/* One is the same as another of that Region and resource. */
struct canary_expected {
    struct text region, service, resource;
    int64_t stale_after_ms;
};

struct canaries *canaries_new(const struct clock *clock);
void canaries_free(struct canaries **canaries);

/* From now on these, at most CANARIES_KEPT; of those that were expected before all stays known. */
void canaries_expect(struct canaries *canaries, const struct canary_expected *expected,
                     size_t count);
/* One came; NULL is nobody's. */
void canaries_hear(struct canaries *canaries, struct text region, struct text resource,
                   int64_t sent_unix_ms, int64_t received_unix_ms);

struct canary_change {
    char region[64], resource[256];
    bool is_stale;         /* else: heard again */
    int64_t since_unix_ms; /* of its last write, or when it was first expected */
    bool was_heard;        /* ever */
};
/* Brings the gauges up to date; what is stale and was not told, and what was told and is fresh
 * again. At most CANARIES_KEPT. */
size_t canaries_look(struct canaries *canaries, struct canary_change changes_out[CANARIES_KEPT]);
/* It is known to be stale: canaries_look() says so no more, until it was fresh again. */
void canaries_tell(struct canaries *canaries, struct text region, struct text resource);

#endif
