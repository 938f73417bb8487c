#include "decide.h"

/* Approved already, and not decided anew yet? How many times. */
static size_t being_decided(struct ledger *ledger, const struct ulid *incident) {
    struct desk_view *views = NULL;
    size_t count = desk_tasks_of(ledger->desk, incident, ledger->arena, &views);
    size_t deciding = 0;
    for (size_t i = 0; i < count; i++) {
        deciding += views[i].task.kind == TASK_RESPOND;
    }
    return deciding;
}

bool decide_approve(struct ledger *ledger, const struct ulid *incident_id, struct text actor,
                    struct text detail, bool is_override, bool *is_new_out, struct error *error) {
    /* Of two open ones the second is an override: who goes further than that? */
    const size_t enough = is_override ? 2 : 1;
    struct store_incident incident = {0};
    if (!decide_find(ledger, incident_id, &incident, error)) {
        return false;
    }
    enum incident_state state = incident.shown.state;
    bool is_held = state == INCIDENT_HELD;
    if (state == INCIDENT_RESPONDING || state == INCIDENT_DONE ||
        (is_held && being_decided(ledger, incident_id) >= enough)) {
        return true;
    }
    if (!is_held) {
        return decide_refuse(&incident.shown, "approve", "approve is for held ones", error);
    }
    *is_new_out = true;
    struct store_task task = {
        .incident = incident.shown.id,
        .event_id = incident.event_id,
        .kind = TASK_RESPOND,
        .priority = PRIORITY_CONTAIN,
        .due_unix_ms = ledger->now_unix_ms,
        .lane = incident.shown.account,
        .detail = detail,
    };
    return ledger_audit(ledger, "approve", incident_id, actor, detail, error) &&
           ledger_add_task(ledger, &task, NULL, NULL, error);
}

bool decide_dismiss(struct ledger *ledger, const struct ulid *incident_id, struct text actor,
                    bool *is_new_out, struct error *error) {
    struct store_incident incident = {0};
    struct decide_owned owned = {0};
    bool has_moved = false;
    if (!decide_find(ledger, incident_id, &incident, error)) {
        return false;
    }
    if (incident.shown.state == INCIDENT_DISMISSED) {
        return true;
    }
    if (incident.shown.state != INCIDENT_HELD) {
        return decide_refuse(&incident.shown, "dismiss", "dismiss is for held ones", error);
    }
    if (!decide_owned(ledger, incident_id, &owned, error)) {
        return false;
    }
    if (owned.contains) {
        return error_set(error, ERROR_INVALID,
                         "incident %s has its principal contained: undo it instead",
                         incident_id->text);
    }
    *is_new_out = true;
    return ledger_move(ledger, &incident, INCIDENT_DISMISSED, TEXT("dismissed"), actor, &has_moved,
                       error) &&
           decide_call_off(ledger, incident_id, error);
}
