#include "restored.h"

#include "riposte/respond/plan.h"

#define READS_MAX 8

/* The playbook's first write for this event, had every question been answered as hoped. */
static bool first_write(const struct job *job, const struct playbook *playbook,
                        struct plan_action *action_out) {
    struct plan_record assumed[READS_MAX];
    size_t count = 0;
    do {
        struct plan_input input = job_plan_input(job, playbook);
        input.records = assumed;
        input.record_count = count;
        plan_next(&input, job->arena, action_out);
        if (action_out->kind != PLAN_ASK || count == READS_MAX) {
            break;
        }
        assumed[count++] = (struct plan_record){
            .key = action_out->key, .state = PLAN_WORKED, .is_assumed = true};
    } while (true);
    return action_out->kind == PLAN_WRITE;
}

static bool stands_lately(struct job *job, const struct plan_action *action) {
    const struct journal_effect_name name = {action->effect_account, action->effect_target,
                                             action->effect_name};
    struct journal_effect effect = {0};
    struct error error = {0};
    bool is_there = false;
    if (!journal_find_effect(job->respond->options.journal, &name, job->arena, &effect, &is_there,
                             &error)) {
        return true;
    }
    return is_there && effect.made_unix_ms >= job->task->event_unix_ms - RESTORED_LATELY_MS;
}

bool restored_lately(struct job *job) {
    const struct definition *definition = job->definition;
    for (size_t i = 0; i < definition->playbook_count; i++) {
        struct plan_action action = {0};
        if (definition->playbooks[i]->acts_on == ACTS_ON_RESOURCE &&
            first_write(job, definition->playbooks[i], &action) && stands_lately(job, &action)) {
            return true;
        }
    }
    return false;
}
