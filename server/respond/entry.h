/* What respond says to the journal, and reads from it: intents, outcomes, verifications.
 *
 * Ownership:  texts live in the job's arena, or where the arguments do.
 * Threads:    a worker's. */
#ifndef RIPOSTE_SERVER_RESPOND_ENTRY_H
#define RIPOSTE_SERVER_RESPOND_ENTRY_H

#include "call.h"
#include "job.h"

#include "riposte/respond/plan.h"

/* What a playbook that acts on a resource draws on: the rule's own limit, else the common one. */
struct journal_reservation entry_resource_limit(const struct job *job, struct text target);
struct journal_intent entry_intent(const struct job *job, const struct playbook *playbook,
                                   const struct plan_action *action);
struct journal_outcome entry_outcome(const struct job *job, enum call_state state,
                                     const struct call_outcome *outcome);
/* The task that looks after a write: due at the first of its `after`. What stood already is looked
 * at now; where the step has no `verify`, it is applied again then. */
void entry_verify(const struct job *job, struct journal_write *write,
                  const struct playbook *playbook, const struct step *step, struct text key,
                  bool stands);
/* A journaled call as the planner sees it. */
struct plan_record entry_record(const struct job *job, const struct journal_call *call);

#endif
