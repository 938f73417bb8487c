#include "decide.h"

#include <assert.h>

/* One admission on its way through the questions. */
struct admit {
    struct ledger *ledger;
    const struct journal_task *task;
    const struct journal_admission *admission;
    struct journal_admitted *admitted;
    struct store_incident incident;
    int64_t event_id;
};

static bool move(struct admit *admit, struct store_incident *incident, enum incident_state state,
                 struct text reason, struct error *error) {
    bool has_moved = false;
    return ledger_move(admit->ledger, incident, state, reason, admit->admission->approved_by,
                       &has_moved, error);
}

/* Nobody is handed one: what contains comes first. */
static bool make_notices(struct admit *admit, const struct store_incident *incident,
                         enum incident_state state, bool for_escape, struct error *error) {
    const struct journal_admission *admission = admit->admission;
    for (size_t i = 0; i < admission->notice_count; i++) {
        const struct journal_notice *notice = &admission->notices[i];
        struct store_task task = {
            .incident = incident->shown.id,
            .event_id = admit->event_id,
            .kind = notice->task.kind,
            .priority = notice->task.priority,
            .due_unix_ms = admit->ledger->now_unix_ms,
            .playbook = notice->task.playbook,
            .lane = notice->task.lane,
            .detail = notice->task.detail,
        };
        bool is_wanted = for_escape ? notice->for_escape
                                    : !notice->for_escape && notice->state == state;
        if (is_wanted && !ledger_add_task(admit->ledger, &task, NULL, NULL, error)) {
            return false;
        }
    }
    return true;
}

static bool settle(struct admit *admit, enum incident_state state, struct text reason,
                   struct error *error) {
    admit->admitted->state = state;
    admit->admitted->reason = arena_copy_text(admit->admitted->arena, reason);
    return move(admit, &admit->incident, state, reason, error) &&
           make_notices(admit, &admit->incident, state, false, error);
}

/* ---- tasks ---- */

/* The first is the caller's, the others are handed over from memory, so that playbooks run side by
 * side without another commit. */
static bool make_task(struct admit *admit, const struct store_incident *incident,
                      const struct journal_new_task *new, struct error *error) {
    struct ledger *ledger = admit->ledger;
    const struct store_event event = {
        .key = admit->task->event_key,
        .received_unix_ms = admit->task->received_unix_ms,
        .event_unix_ms = admit->task->event_unix_ms,
        .trace = admit->task->trace,
        .body = admit->task->event,
    };
    struct store_task task = {
        .incident = incident->shown.id,
        .event_id = admit->event_id,
        .kind = new->kind,
        .priority = new->priority,
        .due_unix_ms = new->due_unix_ms > ledger->now_unix_ms ? new->due_unix_ms
                                                              : ledger->now_unix_ms,
        .playbook = new->playbook,
        .lane = new->lane,
        .detail = new->detail,
    };
    bool is_next = admit->admitted->next == NULL && task.due_unix_ms <= ledger->now_unix_ms;
    bool is_own = incident == &admit->incident;
    scoped(blob_unref) struct blob *definition = NULL;
    if (is_own) {
        definition = blob_ref(admit->task->definition);
    } else if (!ledger_find_definition(ledger, incident->shown.definition_hash, &definition,
                                       error)) {
        return false;
    }
    struct journal_task *ready = NULL;
    if (is_next || desk_has_room(ledger->desk, blob_text(event.body).bytes)) {
        ready = ledger_make_task(&task, incident, &event, definition);
    }
    uint64_t fence = 0;
    if (!ledger_add_task(ledger, &task, is_next ? NULL : ready, is_next ? &fence : NULL, error)) {
        journal_task_free(&ready);
        return false;
    }
    if (is_next) {
        ready->id = task.id;
        ready->fence = fence;
        admit->admitted->next = ready;
    }
    return true;
}

static bool make_tasks(struct admit *admit, const struct store_incident *incident,
                       bool for_principal, struct error *error) {
    const struct journal_admission *admission = admit->admission;
    for (size_t i = 0; i < admission->task_count; i++) {
        const struct journal_new_task *task = &admission->tasks[i];
        if ((for_principal || !task->acts_on_principal) &&
            !make_task(admit, incident, task, error)) {
            return false;
        }
    }
    return true;
}

static bool has_resource_tasks(const struct journal_admission *admission) {
    for (size_t i = 0; i < admission->task_count; i++) {
        if (!admission->tasks[i].acts_on_principal) {
            return true;
        }
    }
    return false;
}

/* ---- joining ---- */

static bool verify_now(struct admit *admit, const struct ulid *incident, struct error *error) {
    struct ledger *ledger = admit->ledger;
    struct desk_view *views = NULL;
    size_t count = desk_tasks_of(ledger->desk, incident, ledger->arena, &views);
    for (size_t i = 0; i < count; i++) {
        const struct desk_task *task = &views[i].task;
        if (task->kind != TASK_VERIFY || views[i].is_leased) {
            continue;
        }
        desk_reschedule(ledger->desk, task->id, ledger->now_unix_ms, task->attempt, false);
        if (!ledger->store->task_update(ledger->store, task->id, ledger->now_unix_ms, task->attempt,
                                        (struct text){NULL, 0}, error)) {
            return false;
        }
    }
    return true;
}

static bool mark_escape(struct admit *admit, struct store_incident *open, struct error *error) {
    struct ledger *ledger = admit->ledger;
    open->shown.severity = TEXT("critical");
    open->shown.updated_unix_ms = ledger->now_unix_ms;
    const struct ledger_member members[] = {
        {"event", admit->task->event_key},
        {"joined", ulid_text(&admit->incident.shown.id)},
        {0},
    };
    desk_incident_changed(ledger->desk, &open->shown.id);
    return ledger->store->incident_update(ledger->store, open, error) &&
           ledger_audit_members(ledger, "escape", &open->shown.id, (struct text){NULL, 0}, members,
                                error) &&
           verify_now(admit, &open->shown.id, error);
}

/* What a joined event makes the open incident do. */
static bool work_for(struct admit *admit, struct store_incident *open, struct error *error) {
    const struct journal_admission *admission = admit->admission;
    bool is_escape = admit->admitted->is_escape;
    bool has_escape_task = is_escape && admission->escape.playbook.bytes > 0;
    bool may_work = admission->proposal == ADMIT_RESPOND &&
                    (open->shown.state == INCIDENT_RESPONDING ||
                     open->shown.state == INCIDENT_DONE);
    if (!may_work || (!has_escape_task && !has_resource_tasks(admission))) {
        return true;
    }
    if (open->shown.state == INCIDENT_DONE &&
        !move(admit, open, INCIDENT_RESPONDING,
              is_escape ? TEXT("it went on after it was contained") : TEXT("another event joined"),
              error)) {
        return false;
    }
    return (!has_escape_task || make_task(admit, open, &admission->escape, error)) &&
           make_tasks(admit, open, false, error);
}

static bool is_escape_from(const struct admit *admit, const struct store_incident *open) {
    return open->shown.contained_unix_ms != 0 &&
           (open->shown.state == INCIDENT_RESPONDING || open->shown.state == INCIDENT_DONE) &&
           admit->task->event_unix_ms > open->shown.contained_unix_ms + JOURNAL_ESCAPE_MS;
}

static bool join(struct admit *admit, struct store_incident *open, struct error *error) {
    admit->incident.shown.joined_to = open->shown.id;
    admit->admitted->joined_to = open->shown.id;
    admit->admitted->is_escape = is_escape_from(admit, open);
    struct text reason = arena_format(admit->ledger->arena, "joined %s", open->shown.id.text);
    if (!settle(admit, INCIDENT_JOINED, reason, error)) {
        return false;
    }
    if (admit->admitted->is_escape && (!mark_escape(admit, open, error) ||
                                       !make_notices(admit, open, INCIDENT_JOINED, true, error))) {
        return false;
    }
    return work_for(admit, open, error);
}

/* ---- the verdict ---- */

static bool respond(struct admit *admit, struct error *error) {
    const struct journal_admission *admission = admit->admission;
    if (!settle(admit, INCIDENT_RESPONDING, admission->reason, error) ||
        !make_tasks(admit, &admit->incident, true, error)) {
        return false;
    }
    enum intent_result *results = arena_alloc_array(admit->admitted->arena, admission->intent_count,
                                                    sizeof(*results));
    for (size_t i = 0; i < admission->intent_count; i++) {
        if (!decide_intent(admit->ledger, &admit->incident, &admission->intents[i], &results[i],
                           error)) {
            return false;
        }
    }
    admit->admitted->intents = results;
    return true;
}

static bool decide_by_mode(struct admit *admit, struct error *error) {
    const struct journal_admission *admission = admit->admission;
    switch (admission->proposal) {
    case ADMIT_OBSERVE:
        return settle(admit, INCIDENT_OBSERVED, admission->reason, error);
    case ADMIT_APPROVE:
        return settle(admit, INCIDENT_HELD,
                      arena_format(admit->ledger->arena, "awaits approval%s%.*s",
                                   admission->reason.bytes > 0 ? ": " : "",
                                   TEXT_ARG(admission->reason)),
                      error);
    case ADMIT_RESPOND:
    case ADMIT_SUPPRESS:
    case ADMIT_HOLD:
        break;
    }
    return respond(admit, error);
}

static bool decide_by_limit(struct admit *admit, struct error *error) {
    const struct journal_reservation *limit = &admit->admission->limit;
    bool is_granted = false;
    if (!decide_reservation(admit->ledger, limit, &is_granted, error)) {
        return false;
    }
    if (is_granted) {
        return decide_by_mode(admit, error);
    }
    struct text reason = arena_format(
        admit->ledger->arena, "the limit of %u within %lld s (%.*s) is reached", limit->count,
        (long long)(limit->per_ms / 1000), TEXT_ARG(limit->scope));
    return settle(admit, INCIDENT_HELD, reason, error);
}

static bool decide_by_cooldown(struct admit *admit, struct error *error) {
    struct ledger *ledger = admit->ledger;
    const struct journal_incident *shown = &admit->incident.shown;
    struct store_incident open = {0};
    bool is_open = false;
    if (admit->admission->cooldown_ms > 0 &&
        !ledger->store->incident_find_open(ledger->store, shown->rule, shown->subject,
                                           ledger->now_unix_ms - admit->admission->cooldown_ms,
                                           ledger->arena, &open, &is_open, error)) {
        return false;
    }
    return is_open ? join(admit, &open, error) : decide_by_limit(admit, error);
}

static bool decide_verdict(struct admit *admit, struct error *error) {
    const struct journal_admission *admission = admit->admission;
    if (admission->plan.bytes > 0 &&
        !admit->ledger->store->incident_plan(admit->ledger->store, &admit->incident.shown.id,
                                             admission->plan, error)) {
        return false;
    }
    switch (admission->proposal) {
    case ADMIT_SUPPRESS:
        return settle(admit, INCIDENT_SUPPRESSED, admission->reason, error);
    case ADMIT_HOLD:
        return settle(admit, INCIDENT_HELD, admission->reason, error);
    case ADMIT_OBSERVE:
    case ADMIT_APPROVE:
    case ADMIT_RESPOND:
        break;
    }
    return decide_by_cooldown(admit, error);
}

/* ---- a person's word ---- */

/* Did any work for this event begin? Calls are named after it. */
static bool has_begun(struct text event_key, const struct journal_call *calls, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct text key = calls[i].key;
        struct text rest = text_slice(key, event_key.bytes, key.bytes);
        if (text_starts_with(key, event_key) &&
            (text_starts_with(rest, TEXT("/")) || text_starts_with(rest, TEXT("#")))) {
            return true;
        }
    }
    return false;
}

static bool has_task(struct ledger *ledger, const struct ulid *incident, int64_t event_id) {
    struct desk_view *views = NULL;
    size_t count = desk_tasks_of(ledger->desk, incident, ledger->arena, &views);
    for (size_t i = 0; i < count; i++) {
        if (views[i].task.event_id == event_id) {
            return true;
        }
    }
    return false;
}

static bool add_catch_up(struct admit *admit, const struct store_incident *joined,
                         struct error *error) {
    struct store_task task = {
        .incident = joined->shown.id,
        .event_id = joined->event_id,
        .kind = TASK_RESPOND,
        .priority = PRIORITY_RESTORE,
        .due_unix_ms = admit->ledger->now_unix_ms,
        .lane = joined->shown.account,
        .detail = admit->admission->catch_up,
    };
    return ledger_add_task(admit->ledger, &task, NULL, NULL, error);
}

/* What joined while this one was held has restored nothing yet. */
static bool catch_up(struct admit *admit, struct error *error) {
    struct ledger *ledger = admit->ledger;
    const struct ulid *id = &admit->incident.shown.id;
    struct store_incident *joined = NULL;
    struct journal_call *calls = NULL;
    size_t joined_count = 0;
    size_t call_count = 0;
    if (admit->admission->catch_up.bytes == 0 || !has_resource_tasks(admit->admission)) {
        return true;
    }
    if (!ledger->store->incident_joined(ledger->store, id, ledger->arena, &joined, &joined_count,
                                        error) ||
        (joined_count > 0 &&
         !ledger->store->call_list(ledger->store, id, ledger->arena, &calls, &call_count, error))) {
        return false;
    }
    for (size_t i = 0; i < joined_count; i++) {
        bool is_done = has_begun(joined[i].shown.event_key, calls, call_count) ||
                       has_task(ledger, id, joined[i].event_id) ||
                       has_task(ledger, &joined[i].shown.id, joined[i].event_id);
        if (!is_done && !add_catch_up(admit, &joined[i], error)) {
            return false;
        }
    }
    return true;
}

/* The incident joined one that was approved by now: what it would have made that one do. */
static bool decide_joined(struct admit *admit, struct error *error) {
    struct ledger *ledger = admit->ledger;
    const struct journal_admission *admission = admit->admission;
    const struct journal_incident *shown = &admit->incident.shown;
    const struct ledger_member members[] = {
        {"joined", ulid_text(&shown->joined_to)}, {"reason", admission->reason}, {0}};
    struct store_incident open = {0};
    bool is_found = false;
    admit->admitted->state = INCIDENT_JOINED;
    admit->admitted->joined_to = shown->joined_to;
    admit->admitted->reason = arena_copy_text(admit->admitted->arena, admission->reason);
    if (!ledger->store->incident_read(ledger->store, &shown->joined_to, ledger->arena, &open,
                                      &is_found, error)) {
        return false;
    }
    bool may_work = admission->proposal == ADMIT_RESPOND && is_found &&
                    !incident_is_closed(open.shown.state);
    if (!ledger_audit_members(ledger, may_work ? "caught up" : "not caught up", &shown->id,
                              admission->approved_by, members, error)) {
        return false;
    }
    return !may_work ||
           ((open.shown.state != INCIDENT_DONE ||
             move(admit, &open, INCIDENT_RESPONDING, TEXT("another event joined"), error)) &&
            make_tasks(admit, &open, false, error));
}

static bool stay_held(struct admit *admit, struct error *error) {
    struct ledger *ledger = admit->ledger;
    const struct journal_admission *admission = admit->admission;
    struct journal_incident *shown = &admit->incident.shown;
    admit->admitted->state = INCIDENT_HELD;
    admit->admitted->reason = arena_copy_text(admit->admitted->arena, admission->reason);
    shown->reason = admission->reason;
    shown->updated_unix_ms = ledger->now_unix_ms;
    const struct ledger_member members[] = {{"reason", admission->reason}, {0}};
    desk_incident_changed(ledger->desk, &shown->id);
    return ledger->store->incident_update(ledger->store, &admit->incident, error) &&
           ledger_audit_members(ledger, "still held", &shown->id, admission->approved_by, members,
                                error);
}

static bool decide_approved(struct admit *admit, struct error *error) {
    const struct journal_admission *admission = admit->admission;
    if (admission->proposal != ADMIT_RESPOND) {
        return stay_held(admit, error);
    }
    if (admission->plan.bytes > 0 &&
        !admit->ledger->store->incident_plan(admit->ledger->store, &admit->incident.shown.id,
                                             admission->plan, error)) {
        return false;
    }
    return respond(admit, error) && catch_up(admit, error);
}

void journal_admitted_done(struct journal_admitted *admitted) {
    journal_task_free(&admitted->next);
    arena_free(&admitted->arena);
    *admitted = (struct journal_admitted){0};
}

bool decide_admit(struct ledger *ledger, const struct journal_task *task,
                  const struct journal_admission *admission, struct journal_admitted *admitted_out,
                  struct error *error) {
    struct desk_task held = {0};
    if (!desk_renew(ledger->desk, task->id, task->fence, &held)) {
        return error_set(error, ERROR_DENIED, "the lease of task %lld was lost",
                         (long long)task->id);
    }
    struct admit admit = {
        .ledger = ledger,
        .task = task,
        .admission = admission,
        .admitted = admitted_out,
        .event_id = held.event_id,
    };
    bool is_found = false;
    if (!ledger->store->incident_read(ledger->store, &task->incident.id, ledger->arena,
                                      &admit.incident, &is_found, error)) {
        return false;
    }
    bool is_approved = admission->approved_by.bytes > 0;
    enum incident_state state = admit.incident.shown.state;
    bool (*decide_fn)(struct admit *, struct error *) = NULL;
    if (is_found && is_approved) {
        decide_fn = state == INCIDENT_HELD     ? decide_approved
                    : state == INCIDENT_JOINED ? decide_joined
                                               : NULL;
    } else if (is_found && state == INCIDENT_DETECTED) {
        decide_fn = decide_verdict;
    }
    if (decide_fn == NULL) {
        return error_set(error, ERROR_INVALID, "incident %s is not to be decided any more",
                         task->incident.id.text);
    }
    return decide_fn(&admit, error) && ledger_end_task(ledger, task->id, error);
}
