#include "riposte/cli/loaded.h"

#include "riposte/cli/options.h"

#include <stdio.h>

bool loaded_snapshot(const char *path, struct snapshot **snapshot_out) {
    scoped(findings_free) struct findings *findings = findings_new();
    if (snapshot_load(path, cli_environment, NULL, snapshot_out, findings)) {
        return true;
    }
    scoped(buffer_done) struct buffer lines = BUFFER_INIT;
    findings_print(findings, &lines);
    fputs(buffer_string(&lines), stderr);
    return false;
}

/* ---- calls ---- */

struct visit {
    const struct rule *rule;
    loaded_call_fn *call_fn;
    void *arg;
};

static void visit_call(const struct visit *visit, const struct call_template *call,
                       struct text region) {
    if (call->operation.bytes > 0) {
        visit->call_fn(visit->arg, &(struct loaded_call){visit->rule, call, region});
    }
}

static void visit_step(const struct visit *visit, const struct step *step) {
    for (size_t i = 0; i < step->link_count; i++) {
        visit_step(visit, &step->links[i]);
    }
    if (step->edit != NULL) {
        visit_call(visit, &step->edit->read, step->region);
        visit_call(visit, &step->edit->write, step->region);
    } else {
        visit_call(visit, &step->call, step->region);
    }
    if (step->before != NULL) {
        visit_call(visit, &step->before->call, step->region);
    }
    if (step->verify != NULL) {
        visit_call(visit, &step->verify->call, step->region);
    }
    if (step->undo != NULL && step->edit == NULL) {
        visit_call(visit, &step->undo->call, step->region);
    }
}

void loaded_each_call(const struct snapshot *snapshot, loaded_call_fn *call_fn, void *arg) {
    for (size_t i = 0; i < snapshot->rule_count; i++) {
        const struct definition *definition = snapshot->definitions[i];
        const struct visit visit = {definition->rule, call_fn, arg};
        for (size_t q = 0; q < definition->rule->confirm_count; q++) {
            const struct question *question = &definition->rule->confirm[q];
            visit_call(&visit, &question->call, question->region);
        }
        for (size_t p = 0; p < definition->playbook_count; p++) {
            const struct playbook *playbook = definition->playbooks[p];
            for (size_t s = 0; s < playbook->step_count; s++) {
                visit_step(&visit, &playbook->steps[s]);
            }
        }
    }
}
