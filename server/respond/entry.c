#include "entry.h"

#include "detail.h"

#define ANSWER_BYTES (64 * 1024) /* a longer answer isn't kept: a read is asked again */

struct journal_reservation entry_resource_limit(const struct job *job, struct text target) {
    const struct rule *rule = job->definition->rule;
    const struct settings *settings = job->snapshot->settings;
    if (rule->has_limit) {
        return (struct journal_reservation){
            .scope = arena_format(job->arena, "resources of rule %.*s", TEXT_ARG(rule->name)),
            .target = target,
            .count = rule->limit_count,
            .per_ms = rule->limit_per_ms};
    }
    return (struct journal_reservation){.scope = TEXT("resources"),
                                        .target = target,
                                        .count = settings->guard.limit_resources,
                                        .per_ms = settings->guard.limit_per_ms};
}

struct journal_intent entry_intent(const struct job *job, const struct playbook *playbook,
                                   const struct plan_action *action) {
    bool on_resource = action->kind == PLAN_WRITE && playbook->acts_on == ACTS_ON_RESOURCE;
    struct journal_intent intent = {
        .key = action->key,
        .playbook = playbook->name,
        .step = action->step->name,
        .service = action->service,
        .operation = action->operation,
        .account = action->account,
        .region = action->region,
        .request = job_json_text(job, action->parameters),
        .effect = {action->effect_account, action->effect_target, action->effect_name},
        .is_write = action->kind == PLAN_WRITE,
        .is_containing = action->is_containing,
        .once_pending = on_resource,
    };
    if (action->inverse != NULL) {
        intent.inverse = job_json_text(job, action->inverse);
    }
    if (on_resource && job->authority != AUTHORITY_OPERATOR) {
        intent.limit = entry_resource_limit(job, action->effect_target);
    }
    return intent;
}

struct journal_outcome entry_outcome(const struct job *job, enum call_state state,
                                     const struct call_outcome *outcome) {
    struct text answer = {NULL, 0};
    if (outcome->outcome == AWS_OK) {
        answer = job_json_text(job, outcome->body);
    }
    return (struct journal_outcome){
        .state = state,
        .answer = answer.bytes <= ANSWER_BYTES ? answer : (struct text){NULL, 0},
        .error_code = outcome->error_code,
        .reason = outcome->reason,
        .took_us = outcome->took_us,
    };
}

void entry_verify(const struct job *job, struct journal_write *write,
                  const struct playbook *playbook, const struct step *step, struct text key,
                  bool stands) {
    if (step->verify == NULL && !stands) {
        return;
    }
    struct detail detail = job_detail(job);
    detail.key = key;
    detail.from_unix_ms = job_now(job);
    detail.stands = detail.is_now = stands;
    struct journal_new_task task = {
        .kind = TASK_VERIFY,
        .priority = playbook->acts_on == ACTS_ON_PRINCIPAL ? PRIORITY_CONTAIN : PRIORITY_RESTORE,
        .playbook = playbook->name,
        .lane = job_lane(job, playbook),
        .detail = detail_text(&detail),
        .due_unix_ms = detail.from_unix_ms + (stands ? 0 : step->verify->after_ms[0]),
        .acts_on_principal = playbook->acts_on == ACTS_ON_PRINCIPAL,
    };
    journal_write_task(write, &task);
}

struct plan_record entry_record(const struct job *job, const struct journal_call *call) {
    static const enum plan_state states[] = {[CALL_INTENT] = PLAN_INTENDED,
                                             [CALL_DONE] = PLAN_WORKED,
                                             [CALL_FAILED] = PLAN_REFUSED,
                                             [CALL_SKIPPED] = PLAN_NEEDLESS};
    return (struct plan_record){.key = call->key,
                                .state = states[call->state],
                                .error_code = call->error_code,
                                .reason = call->reason,
                                .answer = job_parse(job, call->answer),
                                .request = job_parse(job, call->request),
                                .account = call->account,
                                .region = call->region};
}
