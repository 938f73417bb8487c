/* A drill in a worker's hands: planned, decided as suppressed (so that no playbook is ever run for
 * it, whatever its event says), and one question asked of STS, where the mode permits to ask.
 *
 * Threads:    one at a time. */
#ifndef RIPOSTE_SERVER_RESPOND_DRILL_H
#define RIPOSTE_SERVER_RESPOND_DRILL_H

#include "job.h"

void drill(struct job *job);

#endif
