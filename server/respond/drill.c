#include "drill.h"

#include "call.h"
#include "numbers.h"

#include "riposte/observe/log.h"
#include "riposte/respond/dry.h"

#include <stdio.h>

static struct log_context context_of(const struct job *job) {
    return (struct log_context){.component = "respond",
                                .event = job->task->event_key,
                                .trace = trace_text(&job->task->trace),
                                .incident = ulid_text(&job->task->incident.id)};
}

static bool make_plan(const struct job *job, struct text *plan_out, struct error *error) {
    const struct guard_verdict pass = {.decision = GUARD_PASS};
    struct context_self self = job_self(job);
    const struct dry_input input = {.definition = job->definition,
                                    .event = &job->event,
                                    .settings = job->snapshot->settings,
                                    .self = &self,
                                    .incident_id = ulid_text(&job->task->incident.id),
                                    .verdict = &pass};
    struct dry_run run;
    if (!dry_run(&input, job->arena, &run, error)) {
        return error_wrap(error, "plan");
    }
    *plan_out = job_json_text(job, dry_to_json(&run, job->arena));
    return true;
}

static bool decide_drill(struct job *job, struct error *error) {
    struct journal_admission admission = {.proposal = ADMIT_SUPPRESS,
                                          .reason = TEXT("a drill: nobody is locked out")};
    scoped(journal_admitted_done) struct journal_admitted admitted = {0};
    if (!make_plan(job, &admission.plan, error) ||
        !journal_admit(job->respond->options.journal, job->task, &admission, &admitted, error)) {
        return false;
    }
    numbers_incident(admitted.state);
    return true;
}

/* As ourselves, wherever we run: the event's account and Region say nothing. */
static void probe(const struct job *job) {
    struct drill *drill = job->respond->options.drill;
    const struct permit permit = job_permit(job, PERMIT_READ);
    const struct call call = {.service = TEXT("sts"),
                              .operation = TEXT("GetCallerIdentity"),
                              .parameters = json_new_object(job->arena)};
    struct error error = {0};
    char note[DRILL_NOTE_BYTES];
    if (!permit_check(&permit, &error)) {
        drill_skip(drill, job->task->event_key, DRILL_CALLED, "not called: mode observe");
        return;
    }
    struct call_outcome outcome = call_send(job, PERMIT_READ, &call);
    if (outcome.outcome == AWS_OK) {
        (void)snprintf(note, sizeof(note), "as %.*s",
                       TEXT_ARG(json_text(json_member(outcome.body, "Arn"))));
        drill_pass(drill, job->task->event_key, DRILL_CALLED, note);
    } else {
        (void)snprintf(note, sizeof(note), "sts:GetCallerIdentity: %s: %.*s",
                       aws_outcome_name(outcome.outcome), TEXT_ARG(outcome.reason));
        drill_break(drill, job->task->event_key, DRILL_CALLED, note);
    }
}

void drill(struct job *job) {
    struct error error = {0};
    struct log_context context = context_of(job);
    if (!decide_drill(job, &error)) {
        drill_break(job->respond->options.drill, job->task->event_key, DRILL_PLANNED, error.text);
        log_warn(&context, "drill: not decided: %s", error.text);
        return;
    }
    drill_pass(job->respond->options.drill, job->task->event_key, DRILL_PLANNED, "");
    probe(job);
    log_info(&context, "drill: done");
}
