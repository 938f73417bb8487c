#include "decide.h"

static struct store_incident incident_of(const struct ledger *ledger,
                                         const struct journal_new_event *event,
                                         const struct journal_new_incident *new, int64_t event_id) {
    struct store_incident incident = {
        .shown =
            {
                .id = new->id,
                .rule = new->rule,
                .subject = new->subject,
                .severity = new->severity,
                .event_key = event->key,
                .state = INCIDENT_DETECTED,
                .mode = new->mode,
                .principal_id = new->principal_id,
                .principal_name = new->principal_name,
                .account = new->account,
                .region = new->region,
                .created_unix_ms = ledger->now_unix_ms,
                .updated_unix_ms = ledger->now_unix_ms,
                .event_unix_ms = event->event_unix_ms,
                .received_unix_ms = event->received_unix_ms,
                .trace = event->trace,
            },
        .event_id = event_id,
    };
    for (size_t i = 0; i < JOURNAL_HASH_BYTES; i++) {
        incident.shown.definition_hash[i] = new->definition->hash[i];
    }
    return incident;
}

static bool audit_detected(struct ledger *ledger, const struct journal_incident *incident,
                           struct error *error) {
    const struct ledger_member members[] = {
        {"rule", incident->rule},
        {"subject", incident->subject},
        {"severity", incident->severity},
        {"event", incident->event_key},
        {0},
    };
    return ledger_audit_members(ledger, "detected", &incident->id, (struct text){NULL, 0}, members,
                                error);
}

static bool add_incident(struct ledger *ledger, const struct journal_new_event *event,
                         const struct journal_new_incident *new, int64_t event_id,
                         struct error *error) {
    const struct store_incident incident = incident_of(ledger, event, new, event_id);
    if (!ledger_keep_definition(ledger, new->definition, error) ||
        !ledger->store->incident_insert(ledger->store, &incident, error) ||
        !audit_detected(ledger, &incident.shown, error)) {
        return false;
    }
    struct store_task task = {
        .incident = new->id,
        .event_id = event_id,
        .kind = TASK_RESPOND,
        .priority = PRIORITY_CONTAIN,
        .due_unix_ms = ledger->now_unix_ms,
        .lane = new->account,
    };
    struct journal_task *ready = NULL;
    if (desk_has_room(ledger->desk, blob_text(event->body).bytes)) {
        const struct store_event body = {
            .key = event->key,
            .received_unix_ms = event->received_unix_ms,
            .event_unix_ms = event->event_unix_ms,
            .trace = event->trace,
            .body = event->body,
        };
        ready = ledger_make_task(&task, &incident, &body, new->definition->text);
    }
    bool is_added = ledger_add_task(ledger, &task, ready, NULL, error);
    if (!is_added) {
        journal_task_free(&ready);
    }
    return is_added;
}

/* An event that fires nothing yet: counted, and left alone. */
static bool audit_counted(struct ledger *ledger, const struct journal_new_event *event,
                          const struct journal_new_incident *new, struct error *error) {
    const struct ledger_member members[] = {
        {"rule", new->rule},
        {"subject", new->subject},
        {"event", event->key},
        {"reason", arena_format(ledger->arena, "below the rule's threshold of %u",
                                (unsigned)new->threshold->count)},
        {0},
    };
    return ledger_audit_members(ledger, "counted", NULL, (struct text){NULL, 0}, members, error);
}

/* Those whose thresholds are reached. */
static bool add_incidents(struct ledger *ledger, const struct journal_new_event *event,
                          int64_t event_id, struct error *error) {
    uint32_t fired = 0;
    for (size_t i = 0; i < event->incident_count; i++) {
        const struct journal_new_incident *new = &event->incidents[i];
        bool fires = false;
        if (!decide_threshold(ledger, event, new, &fires, error) ||
            !(fires ? add_incident(ledger, event, new, event_id, error)
                    : audit_counted(ledger, event, new, error))) {
            return false;
        }
        fired += fires;
        if (new->has_fired_out != NULL) {
            *new->has_fired_out = fires;
        }
    }
    return fired == event->incident_count ||
           ledger->store->event_incidents(ledger->store, event_id, fired, error);
}

static bool append_event(struct ledger *ledger, const struct journal_new_event *event, bool is_full,
                         bool *is_known_out, struct error *error) {
    const struct store_event row = {
        .key = event->key,
        .received_unix_ms = event->received_unix_ms,
        .event_unix_ms = event->event_unix_ms,
        .trace = event->trace,
        .incident_count = (uint32_t)event->incident_count,
        .body = event->body,
    };
    int64_t event_id = 0;
    if (!ledger->store->event_insert(ledger->store, &row, &event_id, error)) {
        return false;
    }
    *is_known_out = event_id == 0;
    if (*is_known_out) {
        return true;
    }
    if (is_full && event->incident_count > 0) {
        return error_set(error, ERROR_LIMIT, "%zu events wait to be handled already",
                         ledger->queue_limit);
    }
    return add_incidents(ledger, event, event_id, error);
}

bool decide_append(struct ledger *ledger, const struct journal_new_event *events, size_t count,
                   bool *is_known, struct error *error) {
    /* Asked once: a batch that begins below the limit is taken whole. */
    bool is_full = desk_respond_count(ledger->desk) >= ledger->queue_limit;
    for (size_t i = 0; i < count; i++) {
        if (!append_event(ledger, &events[i], is_full, &is_known[i], error)) {
            return false;
        }
    }
    return true;
}
