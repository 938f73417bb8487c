/* When the accounts of the organization are listed: at once, then hourly; again at once when a
 * reload may have changed who asks. Until the first list nobody knows them; afterwards a listing
 * that fails leaves the last one in force.
 *
 *     due ──▶ page ─▶ page ─▶ ... ─▶ adopt ──▶ due in an hour, less up to five minutes
 *              └─ fails: waits 1 s, 2 s, 4 s, ... 5 min, and asks again
 *
 * Ownership:  membership_new()/membership_free(); what options point to must outlive it.
 * Threads:    a thread of its own between membership_start() and membership_free(), which alone
 *             calls what options name; membership_relist() from any. */
#ifndef RIPOSTE_DAEMON_MEMBERSHIP_H
#define RIPOSTE_DAEMON_MEMBERSHIP_H

#include "riposte/aws/listing.h"
#include "riposte/base/attributes.h"
#include "riposte/base/clock.h"
#include "riposte/base/error.h"
#include "riposte/config/snapshot.h"

#include <stdbool.h>
#include <stdint.h>

#define MEMBERSHIP_EVERY_MS  (60 * 60 * 1000)
#define MEMBERSHIP_JITTER_MS (5 * 60 * 1000)
#define MEMBERSHIP_PAUSE_MS  (5 * 60 * 1000) /* the longest after failures */

struct membership;

struct membership_options {
    aws_call_fn *call_fn;
    void *call_arg;
    const struct clock *clock;
    uint64_t (*random_fn)(uint64_t bound);
    /* The present one, which the caller unrefs. */
    struct snapshot *(*snapshot_fn)(void *arg);
    /* A whole list: sorted, not empty. */
    void (*adopt_fn)(void *arg, struct texts accounts);
    void *arg; /* of both */
};

struct membership *membership_new(const struct membership_options *options);
MUST_CHECK bool membership_start(struct membership *membership, struct error *error);
/* Ends the thread, after a call under way. */
void membership_free(struct membership **membership);
/* The next listing is due now. */
void membership_relist(struct membership *membership);

/* Asks for a page if that is due; in ms, when it wants to be called again. What the thread does,
 * for tests. */
int64_t membership_step(struct membership *membership);

#endif
