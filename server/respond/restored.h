/* Have we lately put right what an event says was switched off? Then AWS's present state says
 * nothing about the event: a question that finds all well may only see our own work, or its
 * verification.
 *
 * Threads:    the worker's; waits for the journal. */
#ifndef RIPOSTE_SERVER_RESPOND_RESTORED_H
#define RIPOSTE_SERVER_RESPOND_RESTORED_H

#include "job.h"

/* Events older than our work by so much, and those within it afterwards (verifications apply it
 * again). */
#define RESTORED_LATELY_MS INT64_C(300000)

/* True when a playbook of the rule that acts on a resource already has a write standing where it
 * would write for this event, made since RESTORED_LATELY_MS before the event. What can't be told
 * counts as true. */
bool restored_lately(struct job *job);

#endif
