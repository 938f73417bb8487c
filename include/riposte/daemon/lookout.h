/* Looks out for canaries that do not come: one that is stale becomes an incident of the rule
 * riposte-canary, which is held and so pages, with what CloudTrail says of its trails.
 *
 * Ownership:  lookout_new()/lookout_free(); what options point to must outlive it.
 * Threads:    a thread of its own between lookout_start() and lookout_free(). */
#ifndef RIPOSTE_DAEMON_LOOKOUT_H
#define RIPOSTE_DAEMON_LOOKOUT_H

#include "riposte/base/attributes.h"
#include "riposte/base/clock.h"
#include "riposte/base/error.h"
#include "riposte/config/snapshot.h"
#include "riposte/journal/journal.h"
#include "riposte/observe/canary.h"

#define LOOKOUT_EVERY_MS 1000

struct lookout;

struct lookout_options {
    struct journal *journal;
    struct canaries *canaries;
    const struct clock *clock;
    /* The present one, which the caller unrefs. */
    struct snapshot *(*snapshot_fn)(void *arg);
    void *arg;
};

struct lookout *lookout_new(const struct lookout_options *options);
MUST_CHECK bool lookout_start(struct lookout *lookout, struct error *error);
void lookout_free(struct lookout **lookout);

/* One look: what the thread does, for tests. */
void lookout_step(struct lookout *lookout);

#endif
