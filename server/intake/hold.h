/* Answers that wait until the incidents of their events are settled. Private to the folder.
 *
 *     hold_new() ─▶ journal_append() ─▶ hold_commit() ─▶ settled, late or released ─▶ answer_fn
 *                        └ meanwhile: holds_settle() by whoever responds, perhaps before the commit
 *
 * No thread waits: one of the table's own answers those that are late.
 *
 * Ownership:  a hold lies in the caller's arena, which lives until answer_fn, or hold_cancel(), or
 *             a hold_commit() that says true.
 * Threads:    any; answer_fn runs once, with no lock held, on whichever thread settles the last
 *             incident, and must not block.
 * Bounds:     HOLDS_MOST suspended requests, so that they leave connections to others (256 an
 *             address); who comes then is not held. */
#ifndef RIPOSTE_SERVER_INTAKE_HOLD_H
#define RIPOSTE_SERVER_INTAKE_HOLD_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/ulid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOLDS_MOST 128

struct holds;
struct hold_incident;

/* is_late: time is up, or the server stops; else all are settled. */
typedef void hold_answer_fn(void *arg, bool is_late);

struct hold {
    struct hold *previous, *next; /* the soonest to be late first */
    struct hold_incident *incidents;
    size_t count, left; /* left: not settled */
    int64_t until_mono_ms;
    hold_answer_fn *answer_fn;
    void *arg;
    bool is_committed;
};

struct holds *holds_new(void);
/* When nothing is held any more. */
void holds_free(struct holds **holds);

/* Before the incidents are appended, since they may be settled before the journal says that they
 * are committed. `most` incidents at most will be added. NULL: it is not held (too many are, the
 * server stops, or no thread is to be had). */
struct hold *hold_new(struct holds *holds, size_t most, int64_t until_mono_ms,
                      hold_answer_fn *answer_fn, void *arg, struct arena *arena);
void hold_add(struct holds *holds, struct hold *hold, const struct ulid *incident);
/* It never came to be, or came to be earlier. */
void holds_settle(struct holds *holds, const struct ulid *incident);
/* True: nothing to wait for, the caller answers. False: answer_fn will, or has done so already. */
MUST_CHECK bool hold_commit(struct holds *holds, struct hold *hold);
/* The append failed: the caller answers. */
void hold_cancel(struct holds *holds, struct hold *hold);
/* Answers all that were committed; others are from now on when they are. */
void holds_release(struct holds *holds);

#endif
