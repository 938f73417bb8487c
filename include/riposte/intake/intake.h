/* POST /events: from an authenticated body to committed incidents.
 *
 *     secret ─▶ decode ─▶ scan + match ──no match──▶ 200, kept in the ring of recent events
 *       │no        │wrong      │wrong └──match──▶ journal_append ──committed──▶ 202
 *      401        400         400                        │known ──▶ 200
 *                                                        └full ──▶ 429, can't ──▶ 503
 *
 * No thread waits for the commit: the request stays suspended until the journal calls back. With
 * the setting acknowledge: responded it stays so until its incidents are neither detected nor
 * responding, INTAKE_HOLD_MS after it began at the latest: EventBridge waits 5 s. The event is in
 * the journal then, and the answer is the same.
 *
 * Ownership:  intake_new/intake_free; free it after the listener that uses its routes has stopped.
 * Threads:    its handlers run on the listener's threads, its answers on the journal's.
 *             intake_adopt() may be called while requests are under way: each keeps what it began
 *             with.
 * Bounds:     INTAKE_BODY_BYTES a body, INTAKE_EVENTS_MAX events in it.
 * Source:     DESIGN.md, HTTP; FACTS.md 1.1 (what EventBridge retries). */
#ifndef RIPOSTE_INTAKE_INTAKE_H
#define RIPOSTE_INTAKE_INTAKE_H

#include "riposte/base/attributes.h"
#include "riposte/base/clock.h"
#include "riposte/base/error.h"
#include "riposte/config/snapshot.h"
#include "riposte/inbound/route.h"
#include "riposte/journal/journal.h"
#include "riposte/observe/canary.h"
#include "riposte/observe/drill.h"
#include "riposte/observe/recent.h"

#include <stdbool.h>
#include <stddef.h>

#define INTAKE_BODY_BYTES (2u * 1024 * 1024)
#define INTAKE_EVENTS_MAX 1000
#define INTAKE_HOLD_MS    4000

struct intake;
struct setup;

struct intake_options {
    struct journal *journal;
    struct recent *recent;
    struct drill *drill;       /* NULL: there are none */
    struct canaries *canaries; /* likewise */
    const struct clock *clock;
    /* Somebody came with a secret that is not known: perhaps it is new. Must not block. May be
     * NULL. */
    void (*unknown_secret_fn)(void *arg);
    void *unknown_secret_arg;
    int64_t hold_ms; /* 0: INTAKE_HOLD_MS */
};

struct intake *intake_new(const struct intake_options *options);
void intake_free(struct intake **intake);

/* A snapshot (by reference) with its secrets resolved. ERROR_INVALID when none of them is set and
 * at least AUTHENTICATE_BYTES long, naming the references. */
MUST_CHECK bool intake_prepare(struct snapshot *snapshot, struct setup **setup_out,
                               struct error *error);
/* Takes it over (sets NULL): requests from now on are judged by it. Before the routes are used. */
void intake_adopt(struct intake *intake, struct setup **setup);
/* From now on with this snapshot, which knows more accounts (snapshot_with_accounts()) than the one
 * that was adopted; the secrets stay. */
void intake_adopt_accounts(struct intake *intake, struct snapshot *snapshot);
/* One that was prepared in vain. */
void intake_discard(struct setup **setup);

/* POST <listen.path>, GET /healthz, GET /readyz. Valid until intake_free(). */
const struct route *intake_routes(struct intake *intake, size_t *count_out);

/* /readyz answers 503 from now on, whatever the journal says: the server is stopping. */
void intake_unready(struct intake *intake);
/* Requests that wait for their response are answered at once from now on: the server stops. */
void intake_release(struct intake *intake);
/* Requests that wait for the journal. */
size_t intake_pending(const struct intake *intake);

#endif
