#include "riposte/journal/adopt.h"

#include "request.h"

#include <string.h>

#define ROW_BYTES 2000

struct list {
    struct arena *arena;
    struct journal_effect *effects;
    size_t count;
};

static bool run_list(struct ledger *ledger, void *arg, struct error *error) {
    struct list *list = arg;
    return ledger->store->effect_all(ledger->store, list->arena, &list->effects, &list->count,
                                     error);
}

bool journal_list_effects(struct journal *journal, struct arena *arena,
                          struct journal_effect **effects_out, size_t *count_out,
                          struct error *error) {
    struct list list = {.arena = arena};
    if (!journal_ask(journal, REQUEST_READ, run_list, &list, 0, error)) {
        return error_wrap(error, "reading the effects");
    }
    *effects_out = list.effects;
    *count_out = list.count;
    return true;
}

/* ---- adopting -----------------------------------------------------------------------------------
 */

static bool is_new(struct ledger *ledger, const struct journal_adoption *adoption,
                   struct error *error) {
    struct store *store = ledger->store;
    struct store_incident incident = {0};
    struct store_effect effect = {0};
    bool is_incident = false;
    bool is_effect = false;
    if (!store->incident_read(store, &adoption->id, ledger->arena, &incident, &is_incident,
                              error) ||
        !store->effect_find(store, 0, &adoption->effect, ledger->arena, &effect, &is_effect,
                            error)) {
        return false;
    }
    if (is_incident) {
        return error_set(error, ERROR_INVALID, "incident %s is here already", adoption->id.text);
    }
    return !is_effect ||
           error_set(error, ERROR_INVALID, "the journal knows %.*s of %.*s already",
                     TEXT_ARG(adoption->effect.name), TEXT_ARG(adoption->effect.target));
}

static bool add_event(struct ledger *ledger, const struct journal_adoption *adoption,
                      int64_t *id_out, struct error *error) {
    const struct store_event event = {
        .key = adoption->event_key,
        .received_unix_ms = ledger->now_unix_ms,
        .event_unix_ms = ledger->now_unix_ms,
        .incident_count = 1,
        .body = adoption->event,
    };
    if (!ledger->store->event_insert(ledger->store, &event, id_out, error)) {
        return false;
    }
    return *id_out != 0 || error_set(error, ERROR_INVALID, "event %.*s is here already",
                                     TEXT_ARG(adoption->event_key));
}

static bool add_incident(struct ledger *ledger, const struct journal_adoption *adoption,
                         int64_t event_id, struct error *error) {
    struct store_incident incident = {
        .shown = {.id = adoption->id,
                  .rule = adoption->rule,
                  .subject = adoption->subject,
                  .severity = TEXT("high"),
                  .reason = TEXT("found in AWS, unknown to this journal: adopted"),
                  .state = INCIDENT_DONE,
                  .mode = MODE_ENFORCE,
                  .principal_id = adoption->subject,
                  .principal_name = adoption->principal_name,
                  .account = adoption->account,
                  .region = adoption->region,
                  .created_unix_ms = ledger->now_unix_ms,
                  .updated_unix_ms = ledger->now_unix_ms,
                  .contained_unix_ms = ledger->now_unix_ms},
        .event_id = event_id,
    };
    memcpy(incident.shown.definition_hash, adoption->definition->hash, JOURNAL_HASH_BYTES);
    return ledger_keep_definition(ledger, adoption->definition, error) &&
           ledger->store->incident_insert(ledger->store, &incident, error) &&
           ledger->store->incident_update(ledger->store, &incident, error);
}

static bool add_effect(struct ledger *ledger, const struct journal_adoption *adoption,
                       struct error *error) {
    const struct store_effect effect = {
        .name = adoption->effect,
        .playbook = adoption->playbook,
        .step = adoption->step,
        .request = adoption->request,
        .inverse = adoption->inverse,
        .is_containing = true,
        .state = EFFECT_STANDS,
        .owner_count = 1,
        .made_unix_ms = ledger->now_unix_ms,
    };
    int64_t id = 0;
    bool is_changed = false;
    return ledger->store->effect_insert(ledger->store, &effect, &id, error) &&
           ledger->store->owner_add(ledger->store, &adoption->id, id, &is_changed, error);
}

static bool run_adopt(struct ledger *ledger, void *arg, struct error *error) {
    const struct journal_adoption *adoption = arg;
    int64_t event_id = 0;
    const struct ledger_member members[] = {
        {"subject", adoption->subject},
        {"target", adoption->effect.target},
        {"name", adoption->effect.name},
        {"inverse", adoption->inverse},
        {0},
    };
    return is_new(ledger, adoption, error) && add_event(ledger, adoption, &event_id, error) &&
           add_incident(ledger, adoption, event_id, error) && add_effect(ledger, adoption, error) &&
           ledger_audit_members(ledger, "adopted", &adoption->id, adoption->actor, members, error);
}

bool journal_adopt(struct journal *journal, const struct journal_adoption *adoption,
                   struct error *error) {
    return journal_ask(journal, REQUEST_CHANGE, run_adopt, (void *)(uintptr_t)adoption, ROW_BYTES,
                       error);
}
