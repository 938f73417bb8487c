/* When the end of the audit chain is noted where this host's owner can't change it: at the start,
 * then as often as audit.anchor.every says, and after the stop.
 *
 *     due ──▶ a line in the log: "audit anchor 1234:5fd2..." ──▶ due in `every`
 *              └─ and audit.anchor.s3.bucket: an object, locked for audit.anchor.s3.retain
 *                    └─ fails: waits 1 s, 2 s, 4 s, ... 5 min, and puts the end as it is by then
 *
 * An object is named PREFIX20260102T030405Z-1234.json and holds the anchor as the log has it:
 * `riposte audit verify --anchor` takes both. In observe it is the one thing that leaves, when the
 * settings name a bucket.
 *
 * Ownership:  anchorer_new()/anchorer_free(); what options point to must outlive it.
 * Threads:    a thread of its own between anchorer_start() and anchorer_free(), which alone calls
 *             what options name; anchorer_renew() from any.
 * Source:     FACTS.md 12, S3 Object Lock. */
#ifndef RIPOSTE_DAEMON_ANCHOR_H
#define RIPOSTE_DAEMON_ANCHOR_H

#include "riposte/aws/listing.h"
#include "riposte/base/attributes.h"
#include "riposte/base/clock.h"
#include "riposte/base/error.h"
#include "riposte/config/snapshot.h"
#include "riposte/journal/chain.h"

#include <stdint.h>

#define ANCHOR_PAUSE_MS (5 * 60 * 1000) /* the longest after failures */

struct anchorer;

struct anchorer_options {
    aws_call_fn *call_fn;
    void *call_arg;
    const struct clock *clock;
    /* The present one, which the caller unrefs. */
    struct snapshot *(*snapshot_fn)(void *arg);
    /* The last line that is committed. */
    struct journal_anchor (*end_fn)(void *arg);
    void *arg; /* of both */
};

struct anchorer *anchorer_new(const struct anchorer_options *options);
MUST_CHECK bool anchorer_start(struct anchorer *anchorer, struct error *error);
/* Ends the thread, after a call under way. */
void anchorer_free(struct anchorer **anchorer);
/* One is due now: the settings may say something else. */
void anchorer_renew(struct anchorer *anchorer);

/* A line in the log, as the thread writes it. */
void anchor_log(const struct journal_anchor *anchor);

/* Notes the end if that is due; in ms, when it wants to be called again. What the thread does, for
 * tests. */
int64_t anchorer_step(struct anchorer *anchorer);

#endif
