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
 * requests, <= 4 MiB). A request that fails fails alone; a commit that fails fails all its requests
 * with ERROR_SYSTEM and the journal isn't ready until a probe commits: it tries by itself.
 *
 * Ownership:  requests are copied or referenced before a call returns, blobs by reference; results
 *             belong to the caller (the ..._free functions).
 * Threads:    any thread may call anything; one thread of the journal's own touches the store.
 *             done_fn runs on that thread (or on the caller's, before the call returns) with no
 *             lock held and must not block.
 * Units:      *_unix_ms wall clock; ids are ULIDs; JSON texts are opaque here. Leases and waits run
 *             on the monotonic clock: a jump of the wall clock neither ends nor prolongs them.
 * Errors:     ERROR_SYSTEM: nothing was stored as far as is known (what a failed fsync was about
 *             may be there all the same; asking again is harmless). ERROR_DENIED: the lease is lost
 *             (a newer fencing number exists): drop the work. ERROR_LIMIT: queue or limit full.
 *             ERROR_NOT_FOUND. ERROR_BUSY: stopping.
 * Bounds:     an open task costs about 200 bytes of memory; at most 256 of them keep their event's
 *             body there too, the others are read when they are claimed. */
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
#include "riposte/observe/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_LEASE_MS   30000
#define JOURNAL_ESCAPE_MS  10000 /* so long after a containment its denial reaches everything */
#define JOURNAL_HASH_BYTES 32

struct journal;

struct journal_options {
    const char *url; /* "sqlite:PATH" or "memory:" */
    const struct clock *clock;
    size_t queue_limit; /* respond tasks not yet admitted; append fails with ERROR_LIMIT beyond */
    /* A lane that holds half of them (at least one) is skipped by claim, as are notifications that
     * hold half of them together, or a quarter in one lane. */
    unsigned workers;
    /* Incidents with no open task and no containing effect, and their events, are deleted when they
     * are older than this and than two days (EventBridge delivers again for one); 0: kept. The
     * audit chain is kept: */
    int64_t retain_ms;
    /* Lines at its beginning that are older than this and than retain_ms, and about no incident
     * that is kept, are cut off a few hundred at a time; each time a checkpoint in the chain says
     * so (chain.h). 0: all are kept. */
    int64_t audit_retain_ms;
};

/* Opens, migrates forward in one transaction, drops all leases (SQLite), starts the thread.
 * ERROR_BUSY: another server holds the file. ERROR_INVALID: a newer schema, or not a journal.
 * ERROR_SYSTEM: can't be read or written, or is damaged. */
MUST_CHECK bool journal_open(const struct journal_options *options, struct journal **journal_out,
                             struct error *error);
/* Ends claims (they return false), commits what is queued, checkpoints, closes. */
void journal_close(struct journal **journal);
/* Wakes a worker that waits in journal_claim() if there is something to claim. After each commit
 * that happens by itself, except after an admission that promised to do it. Whoever is about to
 * wait for something else calls it, too: a transaction may be open for what it asks next. */
void journal_wake(struct journal *journal);
/* Claims return false from now on; everything else still works: before journal_close(). */
void journal_stop_claims(struct journal *journal);
/* Could it commit when last tried? While it could not, nothing is handed out by claims. */
bool journal_is_ready(struct journal *journal);

struct journal_numbers {
    uint64_t commits, requests, failed_commits;
    uint64_t queued, not_admitted;    /* now: requests waiting; respond tasks not yet admitted */
    uint64_t open_tasks, due_tasks;   /* now: all; those that are due and nobody holds */
    int64_t oldest_due_ms;            /* how late the longest-due unleased task is; 0: none */
    int64_t sequence;                 /* of the audit chain's last line that is committed */
    uint8_t hash[JOURNAL_HASH_BYTES]; /* of that line */
    size_t failing_lanes;             /* those whose endpoint gives no answer */
    bool
        is_damaged; /* and so not ready any more, until it was set aside and the server restarted */
};
void journal_numbers(struct journal *journal, struct journal_numbers *numbers_out);

/* Where open tasks lead: an account and service, or a host; empty: nowhere in particular. */
struct journal_lane {
    struct text name;
    size_t tasks, due; /* open; of these due, and held by nobody */
    unsigned busy;     /* workers that hold one of it */
    bool is_failing;   /* it gave no answer several times in a row: it rests, or is being tried */
};
/* The busiest and fullest first, at most `limit`, into `arena`. */
void journal_read_lanes(struct journal *journal, size_t limit, struct arena *arena,
                        struct journal_lane **lanes_out, size_t *count_out);

/* Told after each commit of a task's work, or of a verdict, that leaves its incident neither
 * detected nor responding: perhaps several times of one. Runs on the thread that asked for the
 * commit, before that goes on, and must not block. */
struct journal_watcher {
    void (*settled_fn)(void *arg, const struct ulid *incident);
    void *arg;
};
/* One at a time, the caller's, until another or NULL takes its place and nobody works any more. */
void journal_watch(struct journal *journal, const struct journal_watcher *watcher);

/* ---- append ---- */

/* What a rule said when it fired (rule, playbooks, vars, as JSON), stored once per hash: an
 * incident keeps it whatever is reloaded. */
struct journal_definition {
    uint8_t hash[JOURNAL_HASH_BYTES]; /* SHA-256 of text */
    struct blob *text;
};

/* Fires only when that many distinct values were seen within the time, of all events about the
 * rule's subject: by their own times, whatever order they come in. */
struct journal_threshold {
    uint32_t count;
    int64_t per_ms;
    const struct text *values; /* of this event */
    size_t value_count;
};

struct journal_new_incident {
    struct ulid id;
    struct text rule, subject, severity;
    enum mode mode; /* the milder of global and rule */
    struct text principal_id, principal_name, region;
    struct text account; /* also the lane of its respond task */
    const struct journal_definition *definition;
    const struct journal_threshold *threshold; /* NULL: fires at once */
    /* NULL, or where to say whether it fired, before done_fn is called; what was seen of an event
     * that fires nothing is counted all the same. */
    bool *has_fired_out;
};

struct journal_new_event {
    struct text key;
    struct blob *body;
    int64_t received_unix_ms;
    int64_t event_unix_ms; /* 0: the event's time could not be read */
    struct trace trace;
    const struct journal_new_incident *incidents;
    size_t incident_count;
};

/* `error` is NULL when committed; then is_known[i] says of event i that its key was there already
 * (or earlier in this batch) and nothing was done. */
typedef void journal_appended_fn(void *arg, const bool *is_known, size_t count,
                                 const struct error *error);

/* One transaction for all `count` events. Calls done_fn exactly once, possibly before it returns.
 * ERROR_LIMIT when queue_limit respond tasks wait already (known events are answered all the
 * same). */
void journal_append(struct journal *journal, const struct journal_new_event *events, size_t count,
                    journal_appended_fn *done_fn, void *arg);

/* ---- incidents and tasks ---- */

/* detected ─▶ suppressed | joined | observed | held | responding
 * held ─▶ responding (approved) | dismissed      responding ─▶ done | failed | held
 * done ─▶ responding (an escape, or a joined event with work to do) | failed (a verification)
 * done, failed, responding, held ─▶ releasing ─▶ released
 * released, dismissed ─▶ releasing (an undo of the resources too) */
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
#define INCIDENT_STATES (INCIDENT_DISMISSED + 1)
const char *incident_state_name(enum incident_state state);
MUST_CHECK bool incident_state_parse(struct text text, enum incident_state *state_out);

struct journal_incident {
    struct ulid id, joined_to; /* joined_to: none unless joined */
    struct text rule, subject, severity, reason, event_key;
    enum incident_state state;
    enum mode mode;
    struct text principal_id, principal_name, account, region;
    struct text plan; /* JSON; empty when none was made, and in lists */
    int64_t created_unix_ms, updated_unix_ms, event_unix_ms, received_unix_ms;
    struct trace trace;        /* of its event */
    int64_t contained_unix_ms; /* the latest containing call done, or found to stand; 0: none was */
    uint8_t definition_hash[JOURNAL_HASH_BYTES];
};

enum task_kind {
    TASK_RESPOND,  /* guard, confirm, admit; of an approved incident once more */
    TASK_PLAYBOOK, /* run a playbook's steps */
    TASK_VERIFY,   /* is a write still there? */
    /* let go of the incident's effects; claimed only while no other task of it is leased */
    TASK_UNDO,
    TASK_RELEASE, /* is it time to ask for the undo? */
    TASK_NOTIFY,  /* tell of a state: whatever becomes of the incident meanwhile */
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
    struct trace trace; /* of that event; none of one of before there were traces */
    struct blob *event, *definition;
    struct arena *arena; /* holds the texts */
};
void journal_task_free(struct journal_task **task);

/* Waits up to wait_ms for a due task whose lane is free, by priority (playbooks, verifications and
 * undos that contain, then respond tasks, then what restores, then what notifies), then due time.
 * The empty lane is always free, but for the sum of notifications. Costs no commit. False when none
 * came or claims were stopped. */
bool journal_claim(struct journal *journal, int64_t wait_ms, struct journal_task **task_out);
/* Gives a task back untouched: it is due again in wait_ms (0: at once). One whose lease is over
 * already, because a commit ended it or it was lost, is freed and no more. */
void journal_give_back(struct journal *journal, int64_t wait_ms, struct journal_task **task);
/* The endpoint that the task's lane stands for has given an answer, whatever it says, or none.
 * After three in a row without one, claim passes the lane over, but for one task that tries it now
 * and then (after 1 s, 2 s, ... 15 s): a dead endpoint costs one worker's time, and no tries of
 * those that wait. In memory: after a restart every lane is as good as any. */
void journal_report(struct journal *journal, const struct journal_task *task, bool has_answered);

/* ---- calls and effects ---- */

enum call_state {
    CALL_INTENT,  /* may have been sent; as an outcome: it didn't work yet, to be tried again */
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
    bool is_write;
    bool is_containing; /* of a playbook that acts on a principal */
    bool is_notice;     /* of a TASK_NOTIFY: whatever the incident's state */
    bool once_pending;  /* resource playbooks: nothing to do while an identical request is an open
                           intent of the same incident */
    struct journal_reservation limit; /* count 0: none */
};

enum intent_result {
    /* New, or there already without an outcome: send the stored request. */
    INTENT_SEND,
    /* There already, with its outcome. */
    INTENT_ENDED,
    /* The effect stands: an owner was added, and the call is recorded as CALL_SKIPPED; verify it,
     * don't call. Asked again: INTENT_ENDED. */
    INTENT_STANDS,
    /* An identical call is pending: nothing to do, nothing was written. */
    INTENT_PENDING,
    /* Come again later, nothing was written: the effect is being taken back, or another call that
     * makes it has no outcome yet (for ten minutes), or this incident is releasing or over. */
    INTENT_RELEASING,
    /* Its limit is full: nothing was written. */
    INTENT_LIMITED,
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
    /* Of a call that didn't work: it may have worked all the same, so undo must take it back. (An
     * effect that stood before is always taken back.) */
    bool keeps_effect;
};

/* ---- admit ---- */

struct journal_new_task {
    enum task_kind kind;
    enum task_priority priority;
    struct text playbook, lane, detail;
    int64_t due_unix_ms;    /* <= now: at once */
    bool acts_on_principal; /* a playbook that is not run for a joined event */
};

enum admit_proposal {
    ADMIT_SUPPRESS, /* with the reason */
    ADMIT_HOLD,     /* with the reason */
    ADMIT_OBSERVE,  /* cooldown and limit decide first, then: observed, with the plan */
    ADMIT_APPROVE,  /* likewise: held, with the plan, "awaits approval" */
    ADMIT_RESPOND,  /* likewise: responding */
};

/* A task that is made when the verdict is `state`; for_escape: when the event is an escape, for the
 * incident that it joins. */
struct journal_notice {
    enum incident_state state;
    bool for_escape;
    struct journal_new_task task; /* TASK_NOTIFY */
};

struct journal_admission {
    enum admit_proposal proposal;
    struct text reason;
    struct text plan; /* JSON */
    int64_t cooldown_ms;
    struct journal_reservation limit; /* of principals */
    /* One a playbook, in `respond` order; the first that is made is leased to the caller. */
    const struct journal_new_task *tasks;
    size_t task_count;
    const struct journal_intent *intents; /* first writes of containing playbooks */
    size_t intent_count;
    /* Made when the event joins and is an escape, in place of the tasks that act on the principal;
     * playbook empty: none. */
    struct journal_new_task escape;
    const struct journal_notice *notices;
    size_t notice_count;
    /* A person's name: decides a held incident anew. Neither cooldown nor limits count; what isn't
     * ADMIT_RESPOND leaves it held, with the reason. Empty: an incident that was never decided. */
    struct text approved_by;
    /* Then: the detail of respond tasks that are made for incidents which joined this one while it
     * was held, and whose work was never begun; empty: none are made. */
    struct text catch_up;
    /* The caller will call journal_wake(), so that the other tasks' workers don't take processor
     * time from the first. */
    bool wakes_later;
    /* What the caller does while the journal writes; may be NULL. Whether it is admitted isn't
     * known then. */
    void (*meanwhile_fn)(void *arg);
    void *meanwhile_arg;
};

struct journal_admitted {
    enum incident_state state;
    struct text reason;
    struct ulid joined_to;
    bool is_escape;
    struct journal_task *next; /* leased to the caller, who takes it (sets NULL); NULL: none made */
    enum intent_result *intents; /* intent_count, when responding */
    struct arena *arena;
};
void journal_admitted_done(struct journal_admitted *admitted);

/* Decides an incident, once: cooldown, limit, verdict, audit, tasks, first intents; ends the
 * respond task. Waits for the commit.
 *
 * Joins the latest open incident (held, observed, responding, done) of the same rule and subject
 * created less than cooldown ago. Then, if the proposal is ADMIT_RESPOND and that incident is
 * responding or done, the tasks with acts_on_principal false are made, for that incident, which is
 * responding (again). Of what joined a held incident they are made when that one is approved: its
 * own respond task is due then, and decides (approved_by, ADMIT_RESPOND) whether they are.
 *
 * A joined event dated over JOURNAL_ESCAPE_MS after that incident's latest containing call is an
 * escape: the severity of that incident becomes critical, its verify tasks are due at once, and
 * (ADMIT_RESPOND) the escape task is made. A limit that is full holds the incident, observed ones
 * too. */
MUST_CHECK bool journal_admit(struct journal *journal, const struct journal_task *task,
                              const struct journal_admission *admission,
                              struct journal_admitted *admitted_out, struct error *error);

/* ---- write ---- */

/* Changes that one task makes, all or none, in the order in which they were asked for, together
 * with the renewal of its lease. */
struct journal_write;

struct journal_write *journal_write_new(const struct journal_task *task);
void journal_write_free(struct journal_write **write);
/* Index among this write's intents, for journal_write_result(). */
size_t journal_write_intent(struct journal_write *write, const struct journal_intent *intent);
/* By the call's key within the incident; ERROR_NOT_FOUND when it has no intent (of an incident that
 * is releasing or over: ignored, as the intent was). */
void journal_write_outcome(struct journal_write *write, struct text call_key,
                           const struct journal_outcome *outcome);
/* Nothing is made for an incident that is releasing or ended. */
void journal_write_task(struct journal_write *write, const struct journal_new_task *task);
/* A state the incident may go to from where it is (done to failed too: a verification gave up);
 * from releasing or released only to released. Any other is ignored, and the rest of the write
 * stands: of two playbooks side by side the first to be held or to fail decides. A write of
 * INCIDENT_DONE while other playbook tasks are open is left to the last of them.
 * INCIDENT_RELEASED ends all tasks of the incident but notifications. Index for
 * journal_write_result(). */
size_t journal_write_state(struct journal_write *write, enum incident_state state,
                           struct text reason);
/* A TASK_NOTIFY that is made if the change of state with this index, asked for before, happened. */
void journal_write_notice(struct journal_write *write, size_t state_index,
                          const struct journal_new_task *task);
/* An escape: the severity of the incident is critical from now on. Audited with `text` (JSON). */
void journal_write_escape(struct journal_write *write, struct text text);
/* An audit line about this incident: `event` is a short name, `text` JSON. */
void journal_write_audit(struct journal_write *write, struct text event, struct text text);
/* Lets go of an effect that this incident owns: the result says whether it was the last owner and
 * the inverse must be sent (then journal_write_released() when it was). Index for
 * journal_write_result(). */
size_t journal_write_let_go(struct journal_write *write, int64_t effect_id);
void journal_write_released(struct journal_write *write, int64_t effect_id);
/* The task is over; or is due again later with this detail (attempt counts up when `counts`). With
 * neither, the caller keeps it. A task of a releasing incident, but its undo, is over either way.
 */
void journal_write_finish(struct journal_write *write);
void journal_write_again(struct journal_write *write, int64_t due_unix_ms, struct text detail,
                         bool counts);

/* Commits and waits. ERROR_DENIED when the lease was lost. */
MUST_CHECK bool journal_write_commit(struct journal *journal, struct journal_write *write,
                                     struct error *error);
/* After a commit: an enum intent_result for an intent, 1 or 0 for a let_go (last owner or not)
 * and for a state (the incident went there or not). */
int journal_write_result(const struct journal_write *write, size_t index);

/* ---- reads and operators' actions ---- */

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
    int64_t made_unix_ms; /* since when it stands, or may */
};
/* Those that the incident owns or is releasing, the latest first. */
MUST_CHECK bool journal_read_effects(struct journal *journal, const struct ulid *incident,
                                     struct arena *arena, struct journal_effect **effects_out,
                                     size_t *count_out, struct error *error);

/* The one of that name, whoever owns it, into `arena`; *is_there_out false when there is none, or
 * it is being taken back. */
MUST_CHECK bool journal_find_effect(struct journal *journal, const struct journal_effect_name *name,
                                    struct arena *arena, struct journal_effect *effect_out,
                                    bool *is_there_out, struct error *error);

/* What contains anybody of `holder`, whoever owns it, the latest first: effects of containing calls
 * on the target `holder` or one that begins with it and ':' (a role's sessions), sent or about to
 * be, and not being taken back. At most JOURNAL_KIN_MOST. */
#define JOURNAL_KIN_MOST 64
MUST_CHECK bool journal_read_kin(struct journal *journal, struct text holder, struct arena *arena,
                                 struct journal_effect **effects_out, size_t *count_out,
                                 struct error *error);

/* ERROR_NOT_FOUND. */
MUST_CHECK bool journal_read_incident(struct journal *journal, const struct ulid *id,
                                      struct arena *arena, struct journal_incident *incident_out,
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

/* All of an incident, as it is at one moment: read part by part, a state from before a decision
 * would stand beside tasks from after it. */
struct journal_dossier {
    struct journal_incident incident;
    struct journal_call *calls;
    struct journal_effect *effects;
    struct journal_task_row *tasks;
    size_t call_count, effect_count, task_count;
};
/* ERROR_NOT_FOUND. */
MUST_CHECK bool journal_read_dossier(struct journal *journal, const struct ulid *id,
                                     struct arena *arena, struct journal_dossier *dossier_out,
                                     struct error *error);

struct journal_audit_line {
    int64_t sequence, unix_ms;
    struct text event, incident, actor, text;
    uint8_t hash[JOURNAL_HASH_BYTES];
};
/* From `after` on, in order, at most `limit`. */
MUST_CHECK bool journal_read_audit(struct journal *journal, int64_t after, size_t limit,
                                   struct arena *arena, struct journal_audit_line **lines_out,
                                   size_t *count_out, struct error *error);
/* SHA-256 over the hash of the line before (32 zero bytes before the first, whose sequence is 1),
 * sequence and unix_ms (8 bytes each, big-endian), then event, incident, actor and text, each with
 * its length before it (4 bytes, big-endian). For a verifier: line->hash isn't read. */
void journal_audit_hash(const uint8_t previous[JOURNAL_HASH_BYTES],
                        const struct journal_audit_line *line, uint8_t out[JOURNAL_HASH_BYTES]);

/* Of the three that follow *is_new_out (may be NULL) says whether it changed anything.
 *
 * An operator's undo, in one transaction: the incident is releasing, its tasks that nobody holds
 * are gone, an undo task is due (when no other task of it is leased any more). with_resources is
 * kept in the task's detail ({"resources":true|false}). Asking again while releasing changes
 * nothing. What an earlier undo, or a dismissal, left standing is taken back by one
 * with_resources. ERROR_INVALID for a state that has nothing (more) to undo, naming it, and for a
 * joined one the incident it joined.
 * ERROR_NOT_FOUND. */
MUST_CHECK bool journal_undo(struct journal *journal, const struct ulid *incident,
                             struct text actor, bool with_resources, bool *is_new_out,
                             struct error *error);

/* An operator's approval of a held incident: a respond task with this detail is due, which decides
 * it anew (admission.approved_by). Asking again while that task is open, or when the incident
 * responds or did, changes nothing; but one that goes further than a plain approval (`is_override`)
 * is decided too, beside a task that is open. ERROR_INVALID for any other state, naming it, and for
 * a joined incident the one it joined. ERROR_NOT_FOUND. */
MUST_CHECK bool journal_approve(struct journal *journal, const struct ulid *incident,
                                struct text actor, struct text detail, bool is_override,
                                bool *is_new_out, struct error *error);

/* An operator's word that a held incident needs no response: it is over, its tasks that nobody
 * holds are gone. Asking again changes nothing. ERROR_INVALID for any other state, naming it, and
 * while the incident owns an effect on its principal, which undo takes back. ERROR_NOT_FOUND. */
MUST_CHECK bool journal_dismiss(struct journal *journal, const struct ulid *incident,
                                struct text actor, bool *is_new_out, struct error *error);

/* Access keys that were issued to us: events made with them are our own. */
MUST_CHECK bool journal_note_key(struct journal *journal, struct text access_key_id,
                                 struct error *error);
bool journal_knows_key(struct journal *journal, struct text access_key_id);

/* An audit line that belongs to no incident (start, stop, reload, mode). */
MUST_CHECK bool journal_note(struct journal *journal, struct text actor, struct text event,
                             struct text text, struct error *error);

#endif
