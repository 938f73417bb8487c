/* What stands under a name of ours before we write there: an attacker may have planted it. It is
 * looked at with the question that the write is verified with, goes into the audit, and is never
 * restored.
 *
 * Ownership:  everything lives in the job's arena.
 * Threads:    a worker's.
 * Bounds:     the audit holds 4,096 bytes of what was found.
 * Source:     RULES.md, Effects and undo. */
#ifndef RIPOSTE_SERVER_RESPOND_PLANTED_H
#define RIPOSTE_SERVER_RESPOND_PLANTED_H

#include "call.h"
#include "job.h"

#include "riposte/respond/plan.h"

/* The key of the question that belongs to such a write. */
struct text planted_key(const struct job *job, struct text key);
/* False: the write names nothing of ours, or nothing can be asked without the answers of steps. */
MUST_CHECK bool planted_question(const struct job *job, const struct plan_action *action,
                                 struct call *call_out);
/* The line for the audit; empty: nothing stands there, it can't be told, or it is what would be
 * sent (before a crash it was). */
struct text planted_found(const struct job *job, const struct plan_action *action,
                          const struct call_outcome *outcome);

#endif
