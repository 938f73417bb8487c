/* Telling people: playbooks that act on nobody, by HTTPS. Those that `notify` of the settings names
 * for a state run as tasks of their own, made with the change of state, once per incident and state
 * (the journaled calls say what was told), whatever becomes of the incident; those in a rule's
 * `respond` run when the incident responds. Neither before its containing playbooks had their try.
 *
 * A secret, or a URL that may hold one, is resolved when it is sent and neither journaled nor
 * logged.
 *
 * Threads:    a worker's. */
#ifndef RIPOSTE_SERVER_RESPOND_NOTIFY_H
#define RIPOSTE_SERVER_RESPOND_NOTIFY_H

#include "job.h"

#define NOTIFY_ESCAPED "escaped"

/* A TASK_NOTIFY. */
void notify(struct job *job);
/* A TASK_PLAYBOOK whose playbook acts on nobody. */
void notify_playbook(struct job *job, const struct playbook *playbook);

/* What the settings want told of an incident that comes into this state; none for some states. */
struct texts notify_names(const struct job *job, enum incident_state state);
struct texts notify_names_of_escape(const struct job *job);
/* `state`: its name, or NOTIFY_ESCAPED. */
struct journal_new_task notify_task(const struct job *job, struct text playbook, const char *state);
/* What is to be told of an admission, whatever its verdict is. */
const struct journal_notice *notify_notices(const struct job *job, size_t *count_out);
/* journal_write_state(), with what is to be told of it. */
size_t notify_write_state(const struct job *job, struct journal_write *write,
                          enum incident_state state, struct text reason);

#endif
