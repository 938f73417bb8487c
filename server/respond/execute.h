/* Runs a playbook: plan_next() says what comes, the executor journals, sends, and journals what
 * came of it. Outcome, verification and the next intent go into one commit.
 *
 * Threads:    a worker's. */
#ifndef RIPOSTE_SERVER_RESPOND_EXECUTE_H
#define RIPOSTE_SERVER_RESPOND_EXECUTE_H

#include "call.h"
#include "job.h"

#include "riposte/respond/plan.h"

#include <stddef.h>

#define HEAD_START_READS 8

/* What the respond task did already for the playbook that it goes on with. */
struct head_start {
    struct {
        struct text key;
        struct early_call *call;
    } reads[HEAD_START_READS];
    size_t read_count;
    bool has_intent;           /* the first write: admit journaled it */
    enum intent_result result; /* what admit said to it */
    struct plan_action intent;
};

/* The intent as the journal wants it; `limit` for what acts on a resource. Texts in the job's
 * arena. */
struct journal_intent execute_intent(const struct job *job, const struct playbook *playbook,
                                     const struct plan_action *action);

/* Works on the job's task (TASK_PLAYBOOK) until it is over, put off, or lost. head: NULL for none.
 */
void execute_playbook(struct job *job, const struct head_start *head);

/* For verify.c and undo.c: the calls of the incident as records of `event_key`'s walk. */
struct plan_record execute_record(const struct job *job, const struct journal_call *call);
/* A call as its intent and its outcome hold it. */
struct journal_outcome execute_outcome(const struct job *job, enum call_state state,
                                       const struct call_outcome *outcome);
/* The task that looks after a write: due at the first of its `after`. What stood already is looked
 * at now; where the step has no `verify`, it is applied again then. */
void execute_plan_verify(const struct job *job, struct journal_write *write,
                         const struct playbook *playbook, const struct step *step, struct text key,
                         bool stands);

#endif
