/* A stale canary in a worker's hands: CloudTrail is asked why, where the mode permits to ask, and
 * the incident is held with the answer: a person must look.
 *
 * Threads:    one at a time. */
#ifndef RIPOSTE_SERVER_RESPOND_CANARY_H
#define RIPOSTE_SERVER_RESPOND_CANARY_H

#include "job.h"

void decide_canary(struct job *job);

#endif
