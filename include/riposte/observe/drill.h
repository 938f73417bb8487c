/* The last drill: a marked event that is followed through the chain, and when it was where.
 *
 *     armed ─▶ sent ─▶ logged ─▶ received ─▶ matched ─▶ committed ─▶ planned ─▶ called
 *       │                 │ a posted event: CloudTrail has no part in it
 *       └─ the time is up: it broke at the first leg that did not come
 *
 * An event is a drill's only with the nonce that was given to whoever armed it, and once: nobody
 * else can post one. With a drill that waits for a canary the next write of a canary is it.
 *
 * Ownership:  drill_new()/drill_free().
 * Threads:    any.
 * Bounds:     one drill, until the next is armed; what comes late for an earlier one is ignored.
 *             All but drill_arm() take NULL for a server without drills. */
#ifndef RIPOSTE_OBSERVE_DRILL_H
#define RIPOSTE_OBSERVE_DRILL_H

#include "riposte/base/attributes.h"
#include "riposte/base/clock.h"
#include "riposte/base/text.h"
#include "riposte/base/ulid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DRILL_NONCE_BYTES 32
#define DRILL_NOTE_BYTES  200
#define DRILL_KEY_BYTES   128

/* What marks the event: its source, its detail-type, and detail.nonce. */
#define DRILL_SOURCE      "riposte.drill"
#define DRILL_DETAIL_TYPE "Riposte drill"

enum drill_leg {
    DRILL_SENT,      /* whoever posted it, or the schedule that made the canary's write */
    DRILL_LOGGED,    /* CloudTrail's event time */
    DRILL_RECEIVED,  /* the request's first line */
    DRILL_MATCHED,   /* by the rule set in force */
    DRILL_COMMITTED, /* on disk */
    DRILL_PLANNED,   /* a worker took it, and its verdict is committed */
    DRILL_CALLED,    /* sts:GetCallerIdentity was answered */
    DRILL_LEGS,
};

enum drill_state { DRILL_WAITS, DRILL_DONE, DRILL_SKIPPED, DRILL_BROKEN };

struct drill_step {
    enum drill_state state;
    int64_t at_unix_us; /* 0: not known */
    char note[DRILL_NOTE_BYTES];
};

struct drill_report {
    struct ulid id; /* none: there was no drill yet */
    bool is_canary;
    char actor[64];
    int64_t started_unix_ms, until_unix_ms;
    struct drill_step legs[DRILL_LEGS];
    enum drill_state state; /* of the whole: never DRILL_SKIPPED */
    enum drill_leg broke_at;
};

struct drill;

struct drill *drill_new(const struct clock *clock);
void drill_free(struct drill **drill);

/* How long after the latest of the legs before it; -1: not known. Clocks of two machines may
 * differ: never less than 0 otherwise. */
int64_t drill_leg_us(const struct drill_report *report, enum drill_leg leg);
const char *drill_leg_name(enum drill_leg leg);
const char *drill_state_name(enum drill_state state);

/* Another one, in place of the last. `nonce_out` gets 2 * DRILL_NONCE_BYTES digits and a NUL. */
void drill_arm(struct drill *drill, bool is_canary, struct text actor, int64_t wait_ms,
               struct ulid *id_out, char nonce_out[2 * DRILL_NONCE_BYTES + 1]);

/* Is the event with this key the drill that waits? At most once true a drill; the time for which
 * takes place is that of the nonces' length alone. From then on the key stands for it. */
MUST_CHECK bool drill_take(struct drill *drill, struct text nonce, struct text key);
/* The same of a canary's write. */
MUST_CHECK bool drill_take_canary(struct drill *drill, struct text key);

/* The leg is behind it, now. */
void drill_pass(struct drill *drill, struct text key, enum drill_leg leg, const char *note);
/* The same, at a time by the wall clock; 0: not known. */
void drill_pass_at(struct drill *drill, struct text key, enum drill_leg leg, int64_t unix_us);
/* It does not lead here; what follows still does. */
void drill_skip(struct drill *drill, struct text key, enum drill_leg leg, const char *note);
/* It ends here. */
void drill_break(struct drill *drill, struct text key, enum drill_leg leg, const char *note);

/* As it stands now: one whose time is up is broken. */
void drill_read(struct drill *drill, struct drill_report *report_out);

#endif
