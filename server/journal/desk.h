/* Which tasks there are, which are due, and who holds them: all open tasks of this node in memory,
 * as the store has them. Claims and leases are decided here and cost no commit.
 *
 *     waiting ──due──▶ ready ──claim──▶ leased ──▶ finished, due again later, given back, expired
 *
 * Changes are made by the journal's thread alongside the store's transaction: they are seen by the
 * decisions that follow in it, and by workers once desk_commit() says that it was committed; those
 * that sleep learn of it by desk_wake(). New respond tasks are offered before the commit: whoever
 * takes one can decide meanwhile, and what it then asks of the journal belongs to this transaction
 * or a later one. When this one fails, the lease is void.
 *
 * Ownership:  desk_new()/desk_free(). A task that was made ready to be handed over belongs to the
 *             desk until it is claimed.
 * Threads:    changes and marks: the journal's; claims: any.
 * Units:      leases and due times run on the monotonic clock: a task due at a wall-clock time is
 *             due so much later than when it was added.
 * Bounds:     DESK_READY_TASKS tasks with DESK_READY_BYTES of bodies are kept ready. */
#ifndef RIPOSTE_SERVER_JOURNAL_DESK_H
#define RIPOSTE_SERVER_JOURNAL_DESK_H

#include "riposte/journal/journal.h"

#define DESK_READY_TASKS 256
#define DESK_READY_BYTES (8u * 1024 * 1024)

struct desk;

struct desk_task {
    int64_t id;
    struct ulid incident;
    int64_t event_id;
    enum task_kind kind;
    enum task_priority priority;
    unsigned attempt;
    int64_t due_unix_ms;
    struct text lane;
    bool is_doomed; /* of a releasing incident: nobody may claim it any more */
};

struct desk *desk_new(const struct clock *clock, unsigned workers);
void desk_free(struct desk **desk);

/* ---- changes, within a transaction ---- */

/* Would a ready task with a body of so many bytes be kept? */
bool desk_has_room(struct desk *desk, size_t body_bytes);
/* `ready` is taken over; NULL: whoever claims it reads it from the store. */
void desk_add(struct desk *desk, const struct desk_task *task, struct journal_task *ready);
/* Leased to the caller from the commit on; the lease's number. */
uint64_t desk_add_leased(struct desk *desk, const struct desk_task *task);
void desk_remove(struct desk *desk, int64_t id);
/* A lease ends at the commit when ends_lease. */
void desk_reschedule(struct desk *desk, int64_t id, int64_t due_unix_ms, unsigned attempt,
                     bool ends_lease);
/* Nobody may claim it any more: for the tasks that are held while their incident is taken back. */
void desk_doom(struct desk *desk, int64_t id);
/* Whoever claims a task of it reads it from the store. */
void desk_incident_changed(struct desk *desk, const struct ulid *incident);

/* Does a worker hold it, or will one when this transaction is committed? */
bool desk_is_leased(struct desk *desk, int64_t id);

struct desk_view {
    struct desk_task task;
    bool is_leased;
};
/* The tasks of an incident, without removed ones, in the order of their ids, into `arena`. */
size_t desk_tasks_of(struct desk *desk, const struct ulid *incident, struct arena *arena,
                     struct desk_view **views_out);
/* Respond tasks that were not admitted. */
size_t desk_respond_count(struct desk *desk);

/* A place in the changes since the last commit; what came behind it can be taken back. */
size_t desk_mark(struct desk *desk);
void desk_revert(struct desk *desk, size_t mark);
/* Before the commit: hands out the new respond tasks that are kept ready. True when a worker had
 * nothing to do and was woken for one. */
bool desk_offer(struct desk *desk);
void desk_commit(struct desk *desk);
/* After a failed commit, which may have worked: forgets all tasks but keeps the leases for those
 * that are added again by desk_reload_add(). Only while claims are paused; what is given back
 * meanwhile is there once. */
void desk_reload_begin(struct desk *desk);
void desk_reload_add(struct desk *desk, const struct desk_task *task);
void desk_reload_end(struct desk *desk);

/* ---- leases ---- */

struct desk_lease {
    int64_t id;
    uint64_t fence;
    struct journal_task *ready; /* the caller's; NULL: read it from the store */
};

/* Waits up to wait_ms for a task. False: none came, or claims were stopped. */
bool desk_claim(struct desk *desk, int64_t wait_ms, struct desk_lease *lease_out);
/* Renews the lease; false when a newer number exists or the task is gone. */
bool desk_renew(struct desk *desk, int64_t id, uint64_t fence, struct desk_task *task_out);
/* The lease ends; the task is due again in wait_ms. */
void desk_give_back(struct desk *desk, int64_t id, uint64_t fence, int64_t wait_ms);
/* The endpoint that a leased task's lane stands for has given an answer, or none (lanes.h). Logs
 * when its lane begins to rest, and when it works again. */
void desk_report(struct desk *desk, const struct journal_task *task, bool has_answered);
/* Wakes one worker if there is something to claim: after changes, when those who wait for their
 * commit were told. Whoever claims wakes the next. */
void desk_wake(struct desk *desk);
void desk_stop_claims(struct desk *desk);
/* Nothing is handed out meanwhile: what would be done couldn't be committed. */
void desk_pause(struct desk *desk, bool is_paused);
struct desk_numbers {
    size_t open, due;      /* all tasks; those that are due and nobody holds */
    int64_t oldest_due_ms; /* how late the longest-due of these is; 0: none is due */
    size_t failing_lanes;  /* those whose endpoint gives no answer */
};
struct desk_numbers desk_numbers(struct desk *desk);

/* As journal_read_lanes(), all of them. */
size_t desk_lanes(struct desk *desk, struct arena *arena, struct journal_lane **lanes_out);

#endif
