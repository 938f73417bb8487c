/* A release task: `release_after` of the rule has passed since the containment. Asks for the undo
 * that an operator would ask for, which an operator's own undo before makes needless. A containment
 * that was renewed meanwhile (an escape) counts from then on.
 *
 * Threads:    a worker's. */
#ifndef RIPOSTE_SERVER_RESPOND_RELEASE_H
#define RIPOSTE_SERVER_RESPOND_RELEASE_H

#include "job.h"

/* The task to be made with the verdict; false: the rule releases nothing. */
bool release_task(const struct job *job, struct journal_new_task *task_out);
void release(struct job *job);

#endif
