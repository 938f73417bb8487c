#include "riposte/cli/loaded.h"

#include "riposte/cli/options.h"
#include "riposte/config/builtin.h"

#include <stdio.h>

bool loaded_snapshot(const char *path, struct snapshot **snapshot_out) {
    scoped(findings_free) struct findings *findings = findings_new();
    if (snapshot_load(path, cli_environment, NULL, snapshot_out, findings)) {
        loaded_without_accounts(snapshot_out);
        return true;
    }
    scoped(buffer_done) struct buffer lines = BUFFER_INIT;
    findings_print(findings, &lines);
    fputs(buffer_string(&lines), stderr);
    return false;
}

void loaded_without_accounts(struct snapshot **snapshot) {
    if (settings_await_accounts((*snapshot)->settings)) {
        struct snapshot *alone = snapshot_with_accounts(*snapshot, (struct texts){NULL, 0});
        snapshot_unref(snapshot);
        *snapshot = alone;
    }
}

void loaded_say_accounts(const struct snapshot *snapshot) {
    if (snapshot->settings->aws.is_organization) {
        fputs(
            "aws.accounts is \"organization\", and nobody is asked here: of its accounts only the "
            "event's own counts as ours\n",
            stderr);
    }
}

/* ---- calls ---- */

struct visit {
    const struct rule *rule;
    loaded_call_fn *call_fn;
    void *arg;
    struct text account; /* where a call says none; empty: the event's or the principal's */
};

static void visit_call(const struct visit *visit, const struct call_template *call,
                       struct text account, struct text region) {
    if (call->operation.bytes > 0) {
        account = account.bytes > 0 ? account : visit->account;
        visit->call_fn(visit->arg, &(struct loaded_call){visit->rule, call, account, region});
    }
}

static void visit_step(const struct visit *visit, const struct step *step) {
    for (size_t i = 0; i < step->link_count; i++) {
        visit_step(visit, &step->links[i]);
    }
    if (step->edit != NULL) {
        visit_call(visit, &step->edit->read, step->account, step->region);
        visit_call(visit, &step->edit->write, step->account, step->region);
    } else {
        visit_call(visit, &step->call, step->account, step->region);
    }
    if (step->before != NULL) {
        visit_call(visit, &step->before->call, step->account, step->region);
    }
    if (step->verify != NULL) {
        visit_call(visit, &step->verify->call, step->account, step->region);
    }
    if (step->undo != NULL && step->edit == NULL) {
        visit_call(visit, &step->undo->call, step->account, step->region);
    }
}

/* Who tells somebody does so from our own account. */
static void visit_playbook(const struct visit *outer, const struct playbook *playbook) {
    struct visit inner = *outer;
    const struct visit *visit = &inner;
    inner.account = playbook->acts_on == ACTS_ON_NOBODY ? TEXT("${self.account}") : outer->account;
    for (size_t i = 0; i < playbook->step_count; i++) {
        visit_step(visit, &playbook->steps[i]);
    }
}

/* Once, however many states name it. */
static bool is_named_before(const struct texts *lists, size_t list, size_t index) {
    for (size_t i = 0; i <= list; i++) {
        for (size_t k = 0; k < (i == list ? index : lists[i].count); k++) {
            if (text_equal(lists[i].items[k], lists[list].items[index])) {
                return true;
            }
        }
    }
    return false;
}

static void visit_notify(const struct visit *visit, const struct snapshot *snapshot) {
    const struct settings *settings = snapshot->settings;
    const struct texts lists[] = {settings->notify.observed, settings->notify.held,
                                  settings->notify.failed,   settings->notify.done,
                                  settings->notify.escaped,  settings->notify.released};
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        for (size_t k = 0; k < lists[i].count; k++) {
            const struct playbook *playbook = snapshot_playbook(snapshot, lists[i].items[k]);
            if (playbook != NULL && !is_named_before(lists, i, k)) {
                visit_playbook(visit, playbook);
            }
        }
    }
}

void loaded_each_call(const struct snapshot *snapshot, loaded_call_fn *call_fn, void *arg) {
    for (size_t i = 0; i < snapshot->rule_count; i++) {
        const struct definition *definition = snapshot->definitions[i];
        const struct visit visit = {definition->rule, call_fn, arg, {NULL, 0}};
        for (size_t q = 0; q < definition->rule->confirm_count; q++) {
            const struct question *question = &definition->rule->confirm[q];
            visit_call(&visit, &question->call, question->account, question->region);
        }
        for (size_t p = 0; p < definition->playbook_count; p++) {
            visit_playbook(&visit, definition->playbooks[p]);
        }
    }
    if (snapshot->settings->canary.count > 0) { /* asked when one is stale */
        const struct definition *own = snapshot->definitions[snapshot->rule_count + BUILTIN_CANARY];
        const struct visit visit = {own->rule, call_fn, arg, {NULL, 0}};
        visit_playbook(&visit, own->playbooks[0]);
    }
    visit_notify(&(struct visit){NULL, call_fn, arg, {NULL, 0}}, snapshot);
}
