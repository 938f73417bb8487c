#include "release.h"

#include "numbers.h"

#include "riposte/observe/log.h"

#define RELEASE_ACTOR TEXT("release_after")
/* For a response that is still under way, or a busy journal. */
#define RELEASE_WAIT_MS (60 * 1000)

bool release_task(const struct job *job, struct journal_new_task *task_out) {
    const struct rule *rule = job->definition->rule;
    struct detail detail = job_detail(job);
    *task_out = (struct journal_new_task){.kind = TASK_RELEASE,
                                          .priority = PRIORITY_RESTORE,
                                          .detail = detail_text(&detail),
                                          .due_unix_ms = job_now(job) + rule->release_after_ms,
                                          .acts_on_principal = true};
    return rule->release_after_ms > 0;
}

/* Is anybody contained by it, surely or perhaps? */
static bool contains(const struct job *job, bool *contains_out, struct error *error) {
    struct journal_effect *effects = NULL;
    size_t count = 0;
    if (!journal_read_effects(job->respond->options.journal, &job->task->incident.id, job->arena,
                              &effects, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        *contains_out |= effects[i].acts_on_principal;
    }
    return true;
}

static void come_again(const struct job *job, int64_t due_unix_ms) {
    scoped(journal_write_free) struct journal_write *write = journal_write_new(job->task);
    journal_write_again(write, due_unix_ms, job->task->detail, false);
    if (job_commit(job, write)) {
        numbers_retry(task_kind_name(TASK_RELEASE));
    }
}

static void finish(const struct job *job) {
    scoped(journal_write_free) struct journal_write *write = journal_write_new(job->task);
    journal_write_finish(write);
    bool is_committed = job_commit(job, write);
    (void)is_committed; /* job_commit() said so; the lease ends and the task comes again */
}

static void ask_for_undo(const struct job *job) {
    const struct ulid *id = &job->task->incident.id;
    struct error error = {0};
    if (journal_undo(job->respond->options.journal, id, RELEASE_ACTOR, false, NULL, &error)) {
        log_info(&(struct log_context){.component = "respond",
                                       .incident = ulid_text(id),
                                       .trace = trace_text(&job->task->trace)},
                 "release_after has passed: taken back");
        finish(job);
    } else if (error.code == ERROR_INVALID) { /* it is over already */
        finish(job);
    } else {
        come_again(job, job_now(job) + RELEASE_WAIT_MS);
    }
}

void release(struct job *job) {
    const struct journal_incident *incident = &job->task->incident;
    if (!job->has_story) { /* nobody can say how long it was to be: it was due once */
        ask_for_undo(job);
        return;
    }
    int64_t due = incident->contained_unix_ms + job->definition->rule->release_after_ms;
    bool has_contained = false;
    struct error error = {0};
    if (!contains(job, &has_contained, &error)) {
        return; /* the lease ends, and the task comes again */
    }
    if (incident->contained_unix_ms != 0 && due > job_now(job)) {
        come_again(job, due);
    } else if (has_contained) {
        ask_for_undo(job);
    } else if (incident->state == INCIDENT_RESPONDING) {
        come_again(job, job_now(job) + RELEASE_WAIT_MS);
    } else {
        finish(job);
    }
}
