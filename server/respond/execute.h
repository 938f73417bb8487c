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
    struct job *job;
    struct {
        struct text key;
        struct call asked;
        struct early_call *call; /* sent while admit is written */
    } reads[HEAD_START_READS];
    size_t read_count;
    bool has_intent;           /* the first write: admit journaled it */
    enum intent_result result; /* what admit said to it */
    struct plan_action intent;
};

/* Works on the job's task (TASK_PLAYBOOK) until it is over, put off, or lost. head: NULL for none.
 */
void execute_playbook(struct job *job, const struct head_start *head);

#endif
