/* A respond task: guard, confirm, the first intents, admit; then the first playbook at once.
 *
 * Threads:    a worker's. */
#ifndef RIPOSTE_SERVER_RESPOND_DECIDE_H
#define RIPOSTE_SERVER_RESPOND_DECIDE_H

#include "job.h"

void decide(struct job *job);

#endif
