/* The durable store of events, incidents, tasks, calls, effects and the audit chain. It knows bytes
 * and states: no rules, no AWS. Intake and respond meet only here.
 *
 *     append ──▶ event, incidents (detected), one respond task each, leased to this node
 *                   │ claim
 *                   ▼
 *     admit  ──▶ verdict, limits, tasks (one a playbook), first intents     one transaction
 *                   │ claim
 *                   ▼
 *     write  ──▶ intents, outcomes, effects, later tasks, state             each one transaction
 *
 * Every request is a savepoint; what is queued when a commit ends goes into the next (<= 64
 * requests,
 * <= 4 MiB). A request that fails fails alone; a commit that fails fails all its requests with
 * ERROR_SYSTEM and the journal isn't ready until a probe commits.
 *
 * Ownership:  requests are copied or referenced before a call returns, blobs by reference; results
 * belong to the caller (the ..._free functions). Threads:    any thread may call anything; one
 * thread of the journal's own touches the store. done_fn and the due hint run on that thread with
 * no lock held and must not block. Units:      *_unix_ms wall clock; ids are ULIDs; JSON texts are
 * opaque here. Errors:     ERROR_SYSTEM: nothing was stored. ERROR_DENIED: the lease is lost (a
 * newer fencing number exists): drop the work. ERROR_LIMIT: queue or limit full. ERROR_NOT_FOUND.
 * ERROR_BUSY: stopping. */
#ifndef RIPOSTE_JOURNAL_JOURNAL_H
#define RIPOSTE_JOURNAL_JOURNAL_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/blob.h"
#include "riposte/base/clock.h"
#include "riposte/base/error.h"
#include "riposte/base/mode.h"
#include "riposte/base/text.h"
#include "riposte/base/ulid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_LEASE_MS   30000
#define JOURNAL_HASH_BYTES 32

struct journal;

struct journal_options {
    const char *url; /* "sqlite:PATH" or "memory:" */
    const struct clock *clock;
    size_t queue_limit; /* respond tasks not yet admitted; append fails with ERROR_LIMIT beyond */
    unsigned workers;   /* a lane that holds half of them is skipped by claim (at least one) */
    int64_t retain_ms;  /* ended incidents and their events are deleted when older; 0: kept */
};

/* Opens, migrates forward in one transaction, drops all leases (SQLite), starts the thread.
 * ERROR_BUSY: another server holds the file. ERROR_INVALID: a newer schema, or not a journal. */
MUST_CHECK bool journal_open(const struct journal_options *options, struct journal **journal_out,
                             struct error *error);
/* Ends claims (they return false), commits what is queued, checkpoints, closes. */
void journal_close(struct journal **journal);
/* Claims return false from now on; everything else still works: before journal_close(). */
void journal_stop_claims(struct journal *journal);
/* Could it commit when last tried? */
bool journal_is_ready(struct journal *journal);

struct journal_numbers {
    uint64_t commits, requests, failed_commits;
    uint64_t queued, not_admitted; /* now: requests waiting; respond tasks not yet admitted */
    int64_t oldest_due_ms;         /* how late the longest-due unleased task is; 0: none */
};
void journal_numbers(struct journal *journal, struct journal_numbers *numbers_out);

/* ---- append ------------------------------------------------------------------------------------
 */

/* What a rule said when it fired (rule, playbooks, vars, as JSON), stored once per hash: an
 * incident keeps it whatever is reloaded. */
struct journal_definition {
    uint8_t hash[JOURNAL_HASH_BYTES]; /* SHA-256 of text */
    struct blob *text;
};

struct journal_new_incident {
    struct ulid id;
    struct text rule, subject, severity;
    enum mode mode; /* the milder of global and rule */
    struct text principal_id, principal_name, account, region;
    const struct journal_definition *definition;
};

struct journal_new_event {
    struct text key;
    struct blob *body;
    int64_t received_unix_ms;
    int64_t event_unix_ms; /* 0: the event's time could not be read */
    const struct journal_new_incident *incidents;
    size_t incident_count;
};

/* `error` is NULL when committed; then is_known[i] says of event i that its key was there already
 * (or earlier in this batch) and nothing was done. */
typedef void journal_appended_fn(void *arg, const bool *is_known, size_t count,
                                 const struct error *error);

/* One transaction for all `count` events. Calls done_fn exactly once, possibly before it returns.
 */
void journal_append(struct journal *journal, const struct journal_new_event *events, size_t count,
                    journal_appended_fn *done_fn, void *arg);

/* ---- incidents and tasks
 * ------------------------------------------------------------------------- */

/* detected ─▶ suppressed | joined | observed | held | responding
 * held ─▶ responding (approve) | dismissed      responding ─▶ done | failed | held
 * done, failed, responding, held ─▶ releasing ─▶ released      done ─escape─▶ responding */
enum incident_state {
    INCIDENT_DETECTED,
    INCIDENT_SUPPRESSED,
    INCIDENT_JOINED,
    INCIDENT_OBSERVED,
    INCIDENT_HELD,
    INCIDENT_RESPONDING,
    INCIDENT_DONE,
    INCIDENT_FAILED,
    INCIDENT_RELEASING, /* asked to undo: no new work but the undo */
    INCIDENT_RELEASED,
    INCIDENT_DISMISSED,
};
const char *incident_state_name(enum incident_state state);
MUST_CHECK bool incident_state_parse(struct text text, enum incident_state *state_out);

struct journal_incident {
    struct ulid id, joined_to; /* joined_to: none unless joined */
    struct text rule, subject, severity, reason, event_key;
    enum incident_state state;
    enum mode mode;
    struct text principal_id, principal_name, account, region;
    struct text plan; /* JSON; empty when none was made */
    int64_t created_unix_ms, updated_unix_ms, event_unix_ms, received_unix_ms;
    int64_t contained_unix_ms; /* 0: no containing call succeeded */
    uint8_t definition_hash[JOURNAL_HASH_BYTES];
};

enum task_kind {
    TASK_RESPOND,  /* guard, confirm, admit */
    TASK_PLAYBOOK, /* run a playbook's steps */
    TASK_VERIFY,   /* is a write still there? */
    TASK_UNDO, /* let go of the incident's effects; claimed only while no other task of it is leased
                */
};
const char *task_kind_name(enum task_kind kind);

/* Lower is first among due tasks. */
enum task_priority { PRIORITY_CONTAIN, PRIORITY_RESTORE, PRIORITY_NOTIFY };

/* A task in the hands of one worker. `lease` numbers are the journal's. */
struct journal_task {
    int64_t id;
    uint64_t fence; /* writes with an older number are refused */
    enum task_kind kind;
    unsigned attempt; /* 0 for the first */
    struct text playbook, lane;
    struct text detail;               /* the task's own JSON, as its maker wrote it */
    struct journal_incident incident; /* the one it works for */
    struct text event_key;            /* the event it works on (a joined one's, perhaps) */
    int64_t event_unix_ms, received_unix_ms;
    struct blob *event, *definition;
    struct arena *arena; /* holds the texts */
};
void journal_task_free(struct journal_task **task);

/* Waits up to wait_ms for a due task whose lane is free, by priority, then due time. A task
 * appended here is handed over without another commit. False when none came or claims were stopped.
 */
bool journal_claim(struct journal *journal, int64_t wait_ms, struct journal_task **task_out);
/* Gives a task back untouched (the worker stops): it is due again at once. */
void journal_give_back(struct journal *journal, struct journal_task **task);

/* ---- calls and effects
 * --------------------------------------------------------------------------- */

enum call_state {
    CALL_INTENT,  /* may have been sent */
    CALL_DONE,    /* worked, or a tolerated error: counts as done */
    CALL_FAILED,  /* refused for good */
    CALL_SKIPPED, /* not needed: it was so already, or its condition did not hold */
};
const char *call_state_name(enum call_state state);

/* A lasting change, by what it changes. All empty: the call makes none. */
struct journal_effect_name {
    struct text account, target, name;
};

/* Draws on a limit: at most `count` distinct targets within `per_ms` in `scope`. A target that drew
 * within the time draws nothing again. count 0: no limit. */
struct journal_reservation {
    struct text scope, target;
    uint32_t count;
    int64_t per_ms;
};

/* One AWS call that is about to be made. (incident, key) is unique: an intent that is there already
 * is left as it is, with its request and inverse ("written before the call and never rewritten").
 */
struct journal_intent {
    struct text key; /* "<event key>/<playbook>/<step>[/<item>]", or as the maker likes */
    struct text playbook, step;
    struct text service, operation, account, region;
    struct text request; /* JSON: what to send */
    struct text inverse; /* JSON: how to take it back; empty: it can't be */
    struct journal_effect_name effect;
    bool is_write, is_containing;
    bool once_pending; /* resource playbooks: nothing to do while an identical request is an open
                          intent of the same incident */
    struct journal_reservation limit; /* count 0: none */
};

enum intent_result {
    INTENT_SEND,      /* new, or there already without an outcome: send the stored request */
    INTENT_ENDED,     /* there already, with its outcome */
    INTENT_STANDS,    /* the effect stands: an owner was added; verify it, don't call */
    INTENT_PENDING,   /* an identical call is pending: nothing to do */
    INTENT_RELEASING, /* the effect is being taken back: come again later */
    INTENT_LIMITED,   /* its limit is full: nothing was written for it */
};

struct journal_call {
    int64_t id;
    struct text key, playbook, step, service, operation, account, region;
    struct text request, inverse, answer, error_code, reason;
    struct journal_effect_name effect;
    bool is_write, is_containing;
    enum call_state state;
    unsigned attempts;
    int64_t intended_unix_ms, ended_unix_ms;
    int64_t took_us; /* of the last attempt */
};

struct journal_outcome {
    enum call_state state;
    struct text answer; /* JSON; cut by the caller */
    struct text error_code, reason;
    int64_t took_us;
    bool keeps_effect; /* of a failed call: it may have worked all the same, so undo must take it
                          back */
};

/* ---- admit
 * --------------------------------------------------------------------------------------- */

struct journal_new_task {
    enum task_kind kind;
    enum task_priority priority;
    struct text playbook, lane, detail;
    int64_t due_unix_ms; /* <= now: at once */
    bool
        acts_on_principal; /* playbook tasks: not made for a joined event, unless it is an escape */
};

enum admit_proposal {
    ADMIT_SUPPRESS, /* with the reason */
    ADMIT_HOLD,     /* with the reason */
    ADMIT_OBSERVE,  /* cooldown and limit decide first, then: observed, with the plan */
    ADMIT_APPROVE,  /* likewise: held, with the plan, "awaits approval" */
    ADMIT_RESPOND,  /* likewise: responding */
};

struct journal_admission {
    enum admit_proposal proposal;
    struct text reason;
    struct text plan; /* JSON */
    int64_t cooldown_ms;
    struct journal_reservation limit; /* of principals */
    const struct journal_new_task
        *tasks; /* one a playbook, in `respond` order; the first is leased to the caller */
    size_t task_count;
    const struct journal_intent *intents; /* first writes of containing playbooks */
    size_t intent_count;
    struct journal_new_task
        escape; /* made instead of tasks when a joined event is an escape; playbook empty: none */
};

struct journal_admitted {
    enum incident_state state;
    struct text reason;
    struct ulid joined_to;
    bool is_escape;
    struct journal_task
        *next; /* the first of the tasks, leased to the caller; NULL when none was made */
    enum intent_result *intents; /* intent_count, when responding */
    struct arena *arena;
};
void journal_admitted_done(struct journal_admitted *admitted);

/* Decides an incident, once: cooldown, limit, verdict, audit, tasks, first intents; ends the
 * respond task. Joins the open incident (held, observed, responding, done) of the same rule and
 * subject created less than cooldown ago; then only tasks with acts_on_principal false are made,
 * for that incident. A joined event dated over 10 s after that incident's containing call is an
 * escape: its severity becomes critical, its verify tasks are due at once, the escape task is made,
 * it is responding again. Waits for the commit. */
MUST_CHECK bool journal_admit(struct journal *journal, const struct journal_task *task,
                              const struct journal_admission *admission,
                              struct journal_admitted *admitted_out, struct error *error);

/* ---- write
 * --------------------------------------------------------------------------------------- */

/* Changes that one task makes, all or none, together with the renewal of its lease. */
struct journal_write;

struct journal_write *journal_write_new(const struct journal_task *task);
void journal_write_free(struct journal_write **write);
/* Index among this write's intents, for journal_write_result(). */
size_t journal_write_intent(struct journal_write *write, const struct journal_intent *intent);
/* By the call's key within the incident. */
void journal_write_outcome(struct journal_write *write, struct text call_key,
                           const struct journal_outcome *outcome);
/* Nothing is made for an incident that is releasing or ended. */
void journal_write_task(struct journal_write *write, const struct journal_new_task *task);
/* A state the incident may go to from where it is (done to failed too: a verification gave up);
 * from releasing or released only to released. Any other is ignored, and the rest of the write
 * stands: of two playbooks side by side the first to be held or to fail decides. A write of
 * INCIDENT_DONE while other playbook tasks are open is left to the last of them. */
void journal_write_state(struct journal_write *write, enum incident_state state,
                         struct text reason);
/* An audit line about this incident: `event` is a short name, `text` JSON. */
void journal_write_audit(struct journal_write *write, struct text event, struct text text);
/* Lets go of an effect that this incident owns: the result says whether it was the last owner and
 * the inverse must be sent (then journal_write_released() when it was). Index for
 * journal_write_result(). */
size_t journal_write_let_go(struct journal_write *write, int64_t effect_id);
void journal_write_released(struct journal_write *write, int64_t effect_id);
/* The task is over; or is due again later with this detail (attempt counts up when `counts`). */
void journal_write_finish(struct journal_write *write);
void journal_write_again(struct journal_write *write, int64_t due_unix_ms, struct text detail,
                         bool counts);

/* Commits and waits. ERROR_DENIED when the lease was lost. */
MUST_CHECK bool journal_write_commit(struct journal *journal, struct journal_write *write,
                                     struct error *error);
/* After a commit: an enum intent_result for an intent, 1 or 0 (last owner or not) for a let_go. */
int journal_write_result(const struct journal_write *write, size_t index);

/* ---- reads and operators' actions
 * ---------------------------------------------------------------- */

/* The calls of an incident in the order of their intents, into `arena`. */
MUST_CHECK bool journal_read_calls(struct journal *journal, const struct ulid *incident,
                                   struct arena *arena, struct journal_call **calls_out,
                                   size_t *count_out, struct error *error);

struct journal_effect {
    int64_t id;
    struct journal_effect_name name;
    struct text inverse; /* JSON, of the first owner's intent */
    struct text request; /* JSON, likewise: what stands there, for whoever verifies it */
    struct text playbook, step;
    size_t owner_count;
    bool is_releasing, acts_on_principal;
    int64_t made_unix_ms;
};
/* Those that the incident owns or is releasing, the latest first. */
MUST_CHECK bool journal_read_effects(struct journal *journal, const struct ulid *incident,
                                     struct arena *arena, struct journal_effect **effects_out,
                                     size_t *count_out, struct error *error);

/* ERROR_NOT_FOUND. */
MUST_CHECK bool journal_read_incident(struct journal *journal, const struct ulid *id,
                                      struct arena *arena, struct journal_incident *incident_out,
                                      struct error *error);
/* The newest first, older than `before` (none: from the newest), of any state in the bit set
 * `states` (0: all). */
MUST_CHECK bool journal_list_incidents(struct journal *journal, const struct ulid *before,
                                       uint32_t states, size_t limit, struct arena *arena,
                                       struct journal_incident **incidents_out, size_t *count_out,
                                       struct error *error);
/* The event's body; the caller unrefs. ERROR_NOT_FOUND. */
MUST_CHECK bool journal_read_event(struct journal *journal, struct text key, struct blob **body_out,
                                   struct error *error);

struct journal_task_row {
    int64_t id, due_unix_ms;
    enum task_kind kind;
    struct text playbook;
    unsigned attempt;
    bool is_leased;
};
MUST_CHECK bool journal_read_tasks(struct journal *journal, const struct ulid *incident,
                                   struct arena *arena, struct journal_task_row **tasks_out,
                                   size_t *count_out, struct error *error);

struct journal_audit_line {
    int64_t sequence, unix_ms;
    struct text event, incident, actor, text;
    uint8_t hash[JOURNAL_HASH_BYTES]; /* SHA-256 over the line before's hash and this line */
};
/* From `after` on, in order, at most `limit`. */
MUST_CHECK bool journal_read_audit(struct journal *journal, int64_t after, size_t limit,
                                   struct arena *arena, struct journal_audit_line **lines_out,
                                   size_t *count_out, struct error *error);
/* Recomputes the hash of `line` after `previous`: for a verifier. */
void journal_audit_hash(const uint8_t previous[JOURNAL_HASH_BYTES],
                        const struct journal_audit_line *line, uint8_t out[JOURNAL_HASH_BYTES]);

/* An operator's undo, in one transaction: the incident is releasing, its tasks that nobody holds
 * are gone, an undo task is due (when no other task of it is leased any more). with_resources is
 * kept in the task's detail
 * ({"resources":true|false}). Asking again while releasing changes nothing. ERROR_INVALID for a
 * state that has nothing to undo (detected, suppressed, joined, dismissed, released), naming it. */
MUST_CHECK bool journal_undo(struct journal *journal, const struct ulid *incident,
                             struct text actor, bool with_resources, struct error *error);

/* Access keys that were issued to us: events made with them are our own. */
MUST_CHECK bool journal_note_key(struct journal *journal, struct text access_key_id,
                                 struct error *error);
bool journal_knows_key(struct journal *journal, struct text access_key_id);

/* An audit line that belongs to no incident (start, stop, reload, mode). */
MUST_CHECK bool journal_note(struct journal *journal, struct text actor, struct text event,
                             struct text text, struct error *error);

#endif
