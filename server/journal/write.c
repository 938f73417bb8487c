#include "write.h"

#include "decide.h"

#include "riposte/base/memory.h"

#include <assert.h>
#include <stdlib.h>

/* ---- filling it ---- */

struct journal_write *journal_write_new(const struct journal_task *task) {
    struct journal_write *write = memory_new(sizeof(*write));
    write->arena = arena_new();
    write->task_id = task->id;
    write->fence = task->fence;
    write->incident = task->incident.id;
    write->last = &write->first;
    return write;
}

void journal_write_free(struct journal_write **write) {
    if (*write != NULL) {
        arena_free(&(*write)->arena);
        free((*write)->results);
        free(*write);
        *write = NULL;
    }
}

static struct write_change *add(struct journal_write *write, enum write_kind kind) {
    struct write_change *change = arena_alloc(write->arena, sizeof(*change));
    change->kind = kind;
    *write->last = change;
    write->last = &change->next;
    return change;
}

static size_t add_result(struct journal_write *write, struct write_change *change) {
    change->result_index = write->result_count++;
    write->results = memory_resize(write->results, write->result_count * sizeof(int));
    write->results[change->result_index] = 0;
    return change->result_index;
}

static void keep(struct journal_write *write, struct text *text) {
    *text = arena_copy_text(write->arena, *text);
}

size_t journal_write_intent(struct journal_write *write, const struct journal_intent *intent) {
    struct write_change *change = add(write, WRITE_INTENT);
    struct journal_intent *kept = &change->intent;
    *kept = *intent;
    struct text *texts[] = {
        &kept->key,         &kept->playbook,       &kept->step,          &kept->service,
        &kept->operation,   &kept->account,        &kept->region,        &kept->request,
        &kept->inverse,     &kept->effect.account, &kept->effect.target, &kept->effect.name,
        &kept->limit.scope, &kept->limit.target,
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        keep(write, texts[i]);
    }
    return add_result(write, change);
}

void journal_write_outcome(struct journal_write *write, struct text call_key,
                           const struct journal_outcome *outcome) {
    struct write_change *change = add(write, WRITE_OUTCOME);
    change->outcome.call_key = arena_copy_text(write->arena, call_key);
    change->outcome.outcome = *outcome;
    keep(write, &change->outcome.outcome.answer);
    keep(write, &change->outcome.outcome.error_code);
    keep(write, &change->outcome.outcome.reason);
}

void journal_write_task(struct journal_write *write, const struct journal_new_task *task) {
    struct write_change *change = add(write, WRITE_TASK);
    change->task = *task;
    keep(write, &change->task.playbook);
    keep(write, &change->task.lane);
    keep(write, &change->task.detail);
}

size_t journal_write_state(struct journal_write *write, enum incident_state state,
                           struct text reason) {
    struct write_change *change = add(write, WRITE_STATE);
    change->state.state = state;
    change->state.reason = arena_copy_text(write->arena, reason);
    return add_result(write, change);
}

void journal_write_notice(struct journal_write *write, size_t state_index,
                          const struct journal_new_task *task) {
    struct write_change *change = add(write, WRITE_NOTICE);
    change->notice.state_index = state_index;
    change->notice.task = *task;
    keep(write, &change->notice.task.playbook);
    keep(write, &change->notice.task.lane);
    keep(write, &change->notice.task.detail);
}

void journal_write_audit(struct journal_write *write, struct text event, struct text text) {
    struct write_change *change = add(write, WRITE_AUDIT);
    change->audit.event = arena_copy_text(write->arena, event);
    change->audit.text = arena_copy_text(write->arena, text);
}

void journal_write_escape(struct journal_write *write, struct text text) {
    add(write, WRITE_ESCAPE)->audit.text = arena_copy_text(write->arena, text);
}

size_t journal_write_let_go(struct journal_write *write, int64_t effect_id) {
    struct write_change *change = add(write, WRITE_LET_GO);
    change->effect_id = effect_id;
    return add_result(write, change);
}

void journal_write_released(struct journal_write *write, int64_t effect_id) {
    add(write, WRITE_RELEASED)->effect_id = effect_id;
}

void journal_write_finish(struct journal_write *write) {
    write->end = WRITE_FINISHES;
}

void journal_write_again(struct journal_write *write, int64_t due_unix_ms, struct text detail,
                         bool counts) {
    write->end = WRITE_AGAIN;
    write->again.due_unix_ms = due_unix_ms;
    write->again.detail = arena_copy_text(write->arena, detail);
    write->again.counts = counts;
}

int journal_write_result(const struct journal_write *write, size_t index) {
    assert(index < write->result_count);
    return write->results[index];
}

/* ---- going through it ---- */

static bool write_task(struct ledger *ledger, const struct store_incident *incident,
                       int64_t event_id, const struct journal_new_task *new, struct error *error) {
    if (new->kind != TASK_NOTIFY && incident_is_closed(incident->shown.state)) {
        return true;
    }
    struct store_task task = {
        .incident = incident->shown.id,
        .event_id = event_id,
        .kind = new->kind,
        .priority = new->priority,
        .due_unix_ms = new->due_unix_ms > ledger->now_unix_ms ? new->due_unix_ms
                                                              : ledger->now_unix_ms,
        .playbook = new->playbook,
        .lane = new->lane,
        .detail = new->detail,
    };
    return ledger_add_task(ledger, &task, NULL, NULL, error);
}

/* Are there playbooks of the incident besides this task? */
static bool has_other_playbooks(struct ledger *ledger, const struct journal_write *write) {
    struct desk_view *views = NULL;
    size_t count = desk_tasks_of(ledger->desk, &write->incident, ledger->arena, &views);
    for (size_t i = 0; i < count; i++) {
        if (views[i].task.kind == TASK_PLAYBOOK && views[i].task.id != write->task_id) {
            return true;
        }
    }
    return false;
}

static bool end_all_tasks(struct ledger *ledger, const struct ulid *incident, struct error *error) {
    struct desk_view *views = NULL;
    size_t count = desk_tasks_of(ledger->desk, incident, ledger->arena, &views);
    for (size_t i = 0; i < count; i++) {
        if (views[i].task.kind != TASK_NOTIFY &&
            !ledger_end_task(ledger, views[i].task.id, error)) {
            return false;
        }
    }
    return true;
}

static bool write_state(struct ledger *ledger, struct journal_write *write,
                        struct store_incident *incident, const struct write_change *change,
                        struct error *error) {
    bool has_moved = false;
    if (change->state.state == INCIDENT_DONE && has_other_playbooks(ledger, write)) {
        return true;
    }
    if (!ledger_move(ledger, incident, change->state.state, change->state.reason,
                     (struct text){NULL, 0}, &has_moved, error)) {
        return false;
    }
    write->results[change->result_index] = has_moved;
    return !has_moved || change->state.state != INCIDENT_RELEASED ||
           end_all_tasks(ledger, &write->incident, error);
}

static bool write_audit(struct ledger *ledger, const struct ulid *incident,
                        const struct write_change *change, struct error *error) {
    /* The arena's copy ends in NUL. */
    return ledger_audit(ledger, change->audit.event.data, incident, (struct text){NULL, 0},
                        change->audit.text, error);
}

static bool write_escape(struct ledger *ledger, struct store_incident *incident, struct text text,
                         struct error *error) {
    incident->shown.severity = TEXT("critical");
    incident->shown.updated_unix_ms = ledger->now_unix_ms;
    desk_incident_changed(ledger->desk, &incident->shown.id);
    return ledger->store->incident_update(ledger->store, incident, error) &&
           ledger_audit(ledger, "escape", &incident->shown.id, (struct text){NULL, 0}, text, error);
}

static bool apply(struct ledger *ledger, struct journal_write *write,
                  struct store_incident *incident, int64_t event_id,
                  const struct write_change *change, struct error *error) {
    enum intent_result result = INTENT_SEND;
    bool must_release = false;
    bool is_ok = false;
    switch (change->kind) {
    case WRITE_INTENT:
        is_ok = decide_intent(ledger, incident, &change->intent, &result, error);
        write->results[change->result_index] = (int)result;
        return is_ok;
    case WRITE_OUTCOME:
        return decide_outcome(ledger, incident, change->outcome.call_key, &change->outcome.outcome,
                              error);
    case WRITE_TASK:
        return write_task(ledger, incident, event_id, &change->task, error);
    case WRITE_NOTICE:
        return write->results[change->notice.state_index] == 0 ||
               write_task(ledger, incident, event_id, &change->notice.task, error);
    case WRITE_STATE:
        return write_state(ledger, write, incident, change, error);
    case WRITE_AUDIT:
        return write_audit(ledger, &write->incident, change, error);
    case WRITE_ESCAPE:
        return write_escape(ledger, incident, change->audit.text, error);
    case WRITE_LET_GO:
        is_ok = decide_let_go(ledger, &write->incident, change->effect_id, &must_release, error);
        write->results[change->result_index] = must_release;
        return is_ok;
    case WRITE_RELEASED:
        return decide_released(ledger, &write->incident, change->effect_id, error);
    }
    return true;
}

static bool end_task(struct ledger *ledger, const struct journal_write *write,
                     const struct desk_task *task, bool is_over, struct error *error) {
    if (write->end == WRITE_KEEPS) {
        return true;
    }
    if (write->end == WRITE_FINISHES || is_over) {
        return ledger_end_task(ledger, write->task_id, error);
    }
    unsigned attempt = task->attempt + write->again.counts;
    desk_reschedule(ledger->desk, write->task_id, write->again.due_unix_ms, attempt, true);
    return ledger->store->task_update(ledger->store, write->task_id, write->again.due_unix_ms,
                                      attempt, write->again.detail, error);
}

bool decide_write(struct ledger *ledger, struct journal_write *write, struct error *error) {
    struct desk_task task = {0};
    if (!desk_renew(ledger->desk, write->task_id, write->fence, &task)) {
        return error_set(error, ERROR_DENIED, "the lease of task %lld was lost",
                         (long long)write->task_id);
    }
    struct store_incident incident = {0};
    bool is_found = false;
    if (!ledger->store->incident_read(ledger->store, &write->incident, ledger->arena, &incident,
                                      &is_found, error)) {
        return false;
    }
    if (!is_found) {
        return error_set(error, ERROR_NOT_FOUND, "incident %s is gone", write->incident.text);
    }
    for (const struct write_change *change = write->first; change != NULL; change = change->next) {
        if (!apply(ledger, write, &incident, task.event_id, change, error)) {
            return false;
        }
    }
    write->state = incident.shown.state;
    bool is_over = task.kind != TASK_NOTIFY &&
                   (incident.shown.state == INCIDENT_RELEASED ||
                    incident.shown.state == INCIDENT_DISMISSED ||
                    (incident.shown.state == INCIDENT_RELEASING && task.kind != TASK_UNDO));
    return end_task(ledger, write, &task, is_over, error);
}
