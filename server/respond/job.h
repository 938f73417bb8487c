/* One claimed task in one worker's hands, with all that working on it needs: snapshot, definition,
 * event, context, who we are.
 *
 * Ownership:  job_open() takes the task; job_done() frees all of it.
 * Threads:    one at a time. */
#ifndef RIPOSTE_SERVER_RESPOND_JOB_H
#define RIPOSTE_SERVER_RESPOND_JOB_H

#include "definitions.h"
#include "detail.h"
#include "hints.h"

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/mode.h"
#include "riposte/config/context.h"
#include "riposte/config/snapshot.h"
#include "riposte/journal/journal.h"
#include "riposte/outbound/permit.h"
#include "riposte/respond/guard.h"
#include "riposte/respond/plan.h"
#include "riposte/respond/respond.h"

#include <stdatomic.h>
#include <stdbool.h>

struct respond {
    struct respond_options options;
    struct definitions definitions;
    struct hints hints;
    struct thread *threads;
    unsigned thread_count;
    atomic_bool is_stopping;
};

struct job {
    struct respond *respond;
    struct journal_task *task;
    struct snapshot *snapshot;
    struct definition *definition;
    struct journal_task *earlier_task; /* job_go_on(): what came before may point into them */
    struct definition *earlier_definition;
    struct arena *arena;
    enum mode mode; /* the milder of what holds now and what held when the incident was made */
    /* On whose word beyond the mode's: the task's detail says it, so that retries and verifications
     * have it too. */
    enum permit_authority authority;
    struct text approver; /* who approved the incident; empty: nobody */
    int64_t approved_unix_ms;
    /* What keys of calls begin with: the event's key, and of an approved incident which approval:
     * it is played through anew. */
    struct text story_key;
    struct subject_event event;
    struct guard_identity identity;
    bool has_story;                   /* definition, event and context could be read */
    bool may_know_later;              /* who we are couldn't be asked just now */
    struct aws_identity aws_identity; /* what identity's texts point to */
    const struct json *context;
    struct plan_memo *memo; /* of the playbook that was planned last */
};

/* Takes *task. Asks who we are, unless in observe. ERROR_INVALID when event or definition can't be
 * read: nothing will ever help then. */
MUST_CHECK bool job_open(struct job *job, struct respond *respond, struct journal_task **task,
                         struct error *error);
void job_done(struct job *job);
/* Takes *task, another one about the same event. Once a job. */
MUST_CHECK bool job_go_on(struct job *job, struct journal_task **task, struct error *error);

/* Who we are, as far as it is known. */
struct context_self job_self(const struct job *job);
/* Which accounts are ours is not known yet, and working on this needs to know it. */
bool job_awaits_accounts(const struct job *job);
struct permit job_permit(const struct job *job, enum permit_class class);
int64_t job_now(const struct job *job);
/* Details of tasks of ours, with the word that this one is on. */
struct detail job_detail(const struct job *job);
/* The planner's input for one of the playbooks, without records. */
struct plan_input job_plan_input(const struct job *job, const struct playbook *playbook);
/* The lane of a playbook's task: that of its first write, or the host of its first post. */
struct text job_lane(const struct job *job, const struct playbook *playbook);
/* JSON text in the job's arena. */
struct text job_json_text(const struct job *job, const struct json *node);
/* A stored JSON text as a tree; NULL for the empty text and for what can't be parsed. */
const struct json *job_parse(const struct job *job, struct text text);

/* The incident came into a state that ends work on it: a counter, and a line in the log that says
 * how long it took since the event was received. */
void job_ended(const struct job *job, enum incident_state state, struct text reason);
/* A person must look: an error line in the log, and a counter. */
void job_page(const struct job *job, const char *state, struct text reason);
/* Commits, with the failpoints; logs what fails. The write is used up. */
MUST_CHECK bool job_commit(const struct job *job, struct journal_write *write);

#endif
