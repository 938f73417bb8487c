/* A canary: a harmless write that a schedule makes again and again, so that its coming says that
 * the trail logs and the events are delivered.
 *
 *     schedule ─▶ sqs:TagQueue or iam:TagRole, tag riposte-canary = its time ─▶ CloudTrail ─▶ us
 *
 * It is known by what only AWS can say of it: the call, the resource, and the role of the schedule.
 * Whoever may take that role or has the secret of the endpoint can make one, too (operations.md).
 *
 * Ownership:  lives in the settings' arena.
 * Threads:    immutable. */
#ifndef RIPOSTE_CONFIG_CANARY_H
#define RIPOSTE_CONFIG_CANARY_H

#include "riposte/base/arena.h"
#include "riposte/base/text.h"
#include "riposte/json/tree.h"

#include <stdint.h>

#define CANARY_TAG    "riposte-canary"
#define CANARIES_MOST 64

struct canary {
    struct text region;   /* where its events come */
    struct text resource; /* the ARN of what is tagged: a queue, a role */
    struct text role;     /* the ARN of who tags */
    struct text service;  /* "sqs", "iam" */
    int64_t every_ms, stale_after_ms;
};

/* What matches its events and no other's: for rule sets and for EventBridge. */
const struct json *canary_pattern(const struct canary *canary, struct arena *arena);
/* The tag's value, in an event that matches; empty: there is none. */
struct text canary_tag(const struct json *event);
/* The account in its resource's ARN. */
struct text canary_account(const struct canary *canary);

#endif
