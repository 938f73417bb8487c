/* Requests that are committed together, and what becomes of the journal when they can't be.
 *
 *     begin ▸ a savepoint a request ▸ commit ─▶ workers woken ▸ askers woken ▸ intake's done_fns
 *                                       └failed▶ all failed ▸ opened again ▸ a probe
 *
 * Ownership:  a request that was completed is its asker's again, or gone.
 * Threads:    the journal's. */
#ifndef RIPOSTE_SERVER_JOURNAL_GROUP_H
#define RIPOSTE_SERVER_JOURNAL_GROUP_H

#include "request.h"

/* Makes its metrics known. */
void group_register(void);
/* Runs and commits the requests linked behind `group`, and completes them. */
void group_commit(struct journal *journal, struct request *group);
/* Runs a single request outside of any transaction; it is not completed. */
void group_run_one(struct journal *journal, struct request *request);
/* Those that are waited for first: workers go on while intake's answers are written. */
void group_complete(struct journal *journal, struct request *first);
/* Completes them all with `error`. */
void group_fail(struct journal *journal, struct request *first, const struct error *error);
/* Opens the store again and probes; the journal is ready then, or not, for the reason `failure`
 * (NULL: what went wrong now). */
void group_recover(struct journal *journal, const struct error *failure);
/* If a read met damage: nothing is committed on top of it unless a look at all says it is whole. */
void group_mind_damage(struct journal *journal);

#endif
