#include "decide.h"

bool decide_refuse(const struct journal_incident *incident, const char *verb, const char *why,
                   struct error *error) {
    if (incident->state == INCIDENT_JOINED) {
        return error_set(error, ERROR_INVALID, "incident %s joined %s: %s that one",
                         incident->id.text, incident->joined_to.text, verb);
    }
    return error_set(error, ERROR_INVALID, "incident %s is %s: %s", incident->id.text,
                     incident_state_name(incident->state), why);
}

static bool refuse(const struct journal_incident *incident, struct error *error) {
    return decide_refuse(incident, "undo", "there is nothing to undo", error);
}

bool decide_find(struct ledger *ledger, const struct ulid *id, struct store_incident *incident_out,
                 struct error *error) {
    bool is_found = false;
    return ledger->store->incident_read(ledger->store, id, ledger->arena, incident_out, &is_found,
                                        error) &&
           (is_found || error_set(error, ERROR_NOT_FOUND, "there is no incident %s", id->text));
}

bool decide_call_off(struct ledger *ledger, const struct ulid *incident, struct error *error) {
    struct desk_view *views = NULL;
    size_t count = desk_tasks_of(ledger->desk, incident, ledger->arena, &views);
    for (size_t i = 0; i < count; i++) {
        if (views[i].task.kind == TASK_NOTIFY) { /* what was so is told all the same */
            continue;
        }
        /* Doomed first: between the look and here somebody may have claimed it. */
        desk_doom(ledger->desk, views[i].task.id);
        if (!desk_is_leased(ledger->desk, views[i].task.id) &&
            !ledger_end_task(ledger, views[i].task.id, error)) {
            return false;
        }
    }
    return true;
}

static bool add_undo_task(struct ledger *ledger, const struct store_incident *incident,
                          bool with_resources, struct error *error) {
    struct store_task task = {
        .incident = incident->shown.id,
        .event_id = incident->event_id,
        .kind = TASK_UNDO,
        .priority = PRIORITY_CONTAIN,
        .due_unix_ms = ledger->now_unix_ms,
        .lane = incident->shown.account,
        .detail = with_resources ? TEXT("{\"resources\":true}") : TEXT("{\"resources\":false}"),
    };
    return ledger_add_task(ledger, &task, NULL, NULL, error);
}

/* What is over has let go of its principal; what it restored may still stand. */
static bool is_over(enum incident_state state) {
    return state == INCIDENT_RELEASED || state == INCIDENT_DISMISSED;
}

bool decide_owned(struct ledger *ledger, const struct ulid *incident,
                  struct decide_owned *owned_out, struct error *error) {
    struct journal_effect *effects = NULL;
    size_t count = 0;
    if (!ledger->store->effect_list(ledger->store, incident, ledger->arena, &effects, &count,
                                    error)) {
        return false;
    }
    *owned_out = (struct decide_owned){.has_effects = count > 0};
    for (size_t i = 0; i < count; i++) {
        owned_out->contains |= effects[i].acts_on_principal;
    }
    return true;
}

bool decide_undo(struct ledger *ledger, const struct ulid *incident_id, struct text actor,
                 bool with_resources, bool *is_new_out, struct error *error) {
    struct store_incident incident = {0};
    struct decide_owned owned = {0};
    bool has_moved = false;
    if (!decide_find(ledger, incident_id, &incident, error) ||
        !decide_owned(ledger, incident_id, &owned, error)) {
        return false;
    }
    if (is_over(incident.shown.state) && !(with_resources && owned.has_effects)) {
        return refuse(&incident.shown, error);
    }
    if (incident.shown.state == INCIDENT_RELEASING) {
        return true;
    }
    *is_new_out = true;
    struct text reason = with_resources ? TEXT("to be undone, resources too")
                                        : TEXT("to be undone");
    if (!ledger_move(ledger, &incident, INCIDENT_RELEASING, reason, actor, &has_moved, error)) {
        return false;
    }
    if (!has_moved) {
        return refuse(&incident.shown, error);
    }
    return decide_call_off(ledger, incident_id, error) &&
           add_undo_task(ledger, &incident, with_resources, error);
}
