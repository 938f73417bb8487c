/* The admin listener's routes, of which server/operate/openapi.json says all:
 *
 *     GET /v1/incidents?state=held,failed&rule=&severity=&account=&principal=&since=&until=
 *             &limit=50&cursor=
 *         {"incidents":[{id rule severity state reason mode subject principal account region
 *         event_key trace_id joined_to event_time received created updated contained
 *         contained_after_ms}],"sequence":N,"next":CURSOR}    `next`: ask again with it for the
 *         next page; absent on the last. `sequence`: a stream from there on misses nothing
 *     GET /v1/incidents/ID      one of those, with calls, effects, tasks, plan, event
 *     POST /v1/incidents/ID/undo {"resources":bool}, .../approve {"override":"protected"},
 *         .../dismiss           202 with the incident; 200 when it is so already, or under way; 409
 *         when its state doesn't allow it
 *     POST /v1/reload           200 {"findings":[...]}: the new files are in force;
 *         409, with "error": the old ones still are
 *     GET /v1/stream            text/event-stream: what becomes of incidents, as it comes about;
 *         Last-Event-ID goes on where it was left
 *     GET /v1/events/recent?limit=256&outcome=   {"events":[...]}, the newest first
 *     GET /v1/status            version, mode, process, journal, tasks, workers, lanes, incidents
 *     GET /v1/rules             {"rules":[...]}, with how often each fired, and its tests
 *     GET /v1/rules/NAME        one of those, with its text and what its tests say now
 *     POST /v1/plan {"event":..., "pattern":... or "rule":NAME}
 *         200 {"match","why"} or {"match","rules":[{"rule","fires","why","plan"}]}; asks nobody
 *     POST /v1/journal/backup   200 {"file","bytes"}: a copy of the journal, beside it;
 *         whoever asked moves or removes it
 *     POST /v1/orphans?action=list|adopt|release&only=ID,ID
 *         200: as respond/orphans.h says
 *     POST /v1/drill {"canary":bool,"wait_ms":N}
 *         200 {"id","nonce"}: the drill is the event that comes within the time with the source
 *         "riposte.drill" and this detail.nonce, or a canary's next write
 *     GET /v1/drill             the last one, as it stands: {"id","kind","state","broke_at",
 *         "legs":[{"leg","state","at","ms","note"}],"total_ms"}; "state":"none" before the first
 *     GET /v1/audit?after=SEQUENCE   {"lines":[{sequence time unix_ms event incident actor
 *         text hash}]}, from there on and a page at most; none: that was all
 *
 * What isn't known is left out; times are RFC 3339 with milliseconds; errors are {"error": what}.
 *
 * Every route but /healthz and /readyz wants "Authorization: Bearer TOKEN"; a token has a name (the
 * actor in the audit) and a role: view may read, operate may act.
 *
 * Ownership:  admin_new/admin_free; free it after the listener that uses its routes has stopped.
 * Threads:    its handlers run on the admin listener's one thread, which may wait for the journal.
 * Source:     DESIGN.md, HTTP. */
#ifndef RIPOSTE_OPERATE_ADMIN_H
#define RIPOSTE_OPERATE_ADMIN_H

#include "riposte/base/attributes.h"
#include "riposte/base/clock.h"
#include "riposte/base/error.h"
#include "riposte/config/snapshot.h"
#include "riposte/inbound/route.h"
#include "riposte/journal/journal.h"
#include "riposte/observe/drill.h"
#include "riposte/observe/recent.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct access;
struct admin;

/* Reads settings, rules and playbooks anew and puts them in force, for this actor. `findings` gets
 * a line each of what was found, also when it worked. Called on the listener's thread. */
typedef bool admin_reload_fn(void *arg, struct text actor, struct buffer *findings,
                             struct error *error);

/* Looks for denies that no incident knows, and lists, adopts or releases them (`action`) for this
 * actor; appends the JSON that is answered. Called on a thread of its own. */
typedef bool admin_orphans_fn(void *arg, struct text action, struct text only, struct text actor,
                              const atomic_bool *is_called_off, struct buffer *answer,
                              struct error *error);

struct admin_options {
    struct journal *journal;
    struct recent *recent;
    struct drill *drill; /* NULL: there are none */
    const struct clock *clock;
    admin_reload_fn *reload_fn;
    void *reload_arg;
    admin_orphans_fn *orphans_fn;
    void *orphans_arg;
    int64_t (*credentials_fn)(void *arg); /* when those for AWS end, unix ms; 0: not known, never.
                                             NULL: there are none */
    void *credentials_arg;
};

struct admin *admin_new(const struct admin_options *options);
void admin_free(struct admin **admin);

/* A snapshot (by reference) with its tokens resolved; *access_out NULL: none is set, and there must
 * be no admin listener. ERROR_INVALID: a token that is set is too short, or two have one name. */
MUST_CHECK bool admin_prepare(struct snapshot *snapshot, struct access **access_out,
                              struct error *error);
/* Takes it over (sets NULL): requests from now on are judged by it. NULL: nobody gets in. */
void admin_adopt(struct admin *admin, struct access **access);
/* One that was prepared in vain. */
void admin_discard(struct access **access);

/* Calls off what takes long (a backup) and ends what goes on (streams), waits for the answers, and
 * begins none any more: before what it needs, and the listener, are stopped. */
void admin_rest(struct admin *admin);

const struct route *admin_routes(struct admin *admin, size_t *count_out);

#endif
