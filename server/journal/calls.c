#include "decide.h"

#define PENDING_MOST_MS (10 * 60 * 1000)

struct journal_effect effect_shown(const struct store_effect *effect) {
    return (struct journal_effect){
        .id = effect->id,
        .name = effect->name,
        .inverse = effect->inverse,
        .request = effect->request,
        .playbook = effect->playbook,
        .step = effect->step,
        .owner_count = effect->owner_count,
        .is_releasing = effect->state == EFFECT_RELEASING,
        .acts_on_principal = effect->is_containing,
        .made_unix_ms = effect->made_unix_ms,
    };
}

static bool is_named(const struct journal_effect_name *name) {
    return name->name.bytes > 0;
}

static bool audit_call(struct ledger *ledger, const char *event, const struct ulid *incident,
                       const struct journal_call *call, struct error *error) {
    const struct ledger_member members[] = {
        {"call", call->key},
        {"service", call->service},
        {"operation", call->operation},
        {"account", call->account},
        {"region", call->region},
        {"state", text_of(call_state_name(call->state))},
        {"error", call->error_code},
        {"reason", call->reason},
        {"effect_target", call->effect.target},
        {"effect_name", call->effect.name},
        {0},
    };
    return ledger_audit_members(ledger, event, incident, (struct text){NULL, 0}, members, error);
}

static bool audit_effect(struct ledger *ledger, const char *event, const struct ulid *incident,
                         const struct store_effect *effect, struct error *error) {
    const struct ledger_member members[] = {
        {"account", effect->name.account},
        {"target", effect->name.target},
        {"name", effect->name.name},
        {0},
    };
    return ledger_audit_members(ledger, event, incident, (struct text){NULL, 0}, members, error);
}

/* ---- limits ---- */

bool decide_reservation(struct ledger *ledger, const struct journal_reservation *reservation,
                        bool *is_granted_out, struct error *error) {
    if (reservation->count == 0) {
        *is_granted_out = true;
        return true;
    }
    struct store *store = ledger->store;
    bool has_drawn = false;
    uint32_t count = 0;
    if (!store->reservation_count(store, reservation->scope, reservation->target,
                                  ledger->now_unix_ms - reservation->per_ms, &has_drawn, &count,
                                  error)) {
        return false;
    }
    bool is_granted = has_drawn || count < reservation->count;
    if (is_granted && !has_drawn &&
        !store->reservation_insert(store, reservation->scope, reservation->target,
                                   ledger->now_unix_ms, error)) {
        return false;
    }
    *is_granted_out = is_granted;
    return true;
}

/* ---- intents ---- */

/* Is somebody about to find out whether it stands? A call is tried for minutes, not longer. */
static bool is_under_way(const struct ledger *ledger, const struct store_effect *effect) {
    return effect->state == EFFECT_PENDING &&
           ledger->now_unix_ms < effect->made_unix_ms + PENDING_MOST_MS;
}

static struct store_call call_of(const struct ledger *ledger, const struct ulid *incident,
                                 const struct journal_intent *intent) {
    return (struct store_call){
        .shown =
            {
                .key = intent->key,
                .playbook = intent->playbook,
                .step = intent->step,
                .service = intent->service,
                .operation = intent->operation,
                .account = intent->account,
                .region = intent->region,
                .request = intent->request,
                .inverse = intent->inverse,
                .effect = intent->effect,
                .is_write = intent->is_write,
                .is_containing = intent->is_containing,
                .state = CALL_INTENT,
                .intended_unix_ms = ledger->now_unix_ms,
            },
        .incident = *incident,
    };
}

static bool add_owner(struct ledger *ledger, const struct ulid *incident,
                      struct store_effect *effect, struct error *error) {
    bool is_new = false;
    if (!ledger->store->owner_add(ledger->store, incident, effect->id, &is_new, error)) {
        return false;
    }
    effect->owner_count += is_new;
    return true;
}

static bool note_contained(struct ledger *ledger, struct store_incident *incident,
                           struct error *error) {
    incident->shown.contained_unix_ms = ledger->now_unix_ms;
    incident->shown.updated_unix_ms = ledger->now_unix_ms;
    return ledger->store->incident_update(ledger->store, incident, error);
}

/* What stands needs no call: it is recorded as one that was not needed, so that whoever walks the
 * playbook again finds it, and the incident shows what it relies on. */
static bool share_effect(struct ledger *ledger, struct store_call *call,
                         struct store_effect *effect, struct error *error) {
    struct store *store = ledger->store;
    call->shown.state = CALL_SKIPPED;
    call->shown.reason = TEXT("it stands already");
    call->shown.ended_unix_ms = ledger->now_unix_ms;
    return store->call_insert(store, call, &call->shown.id, error) &&
           add_owner(ledger, &call->incident, effect, error) &&
           store->effect_update(store, effect, error) &&
           audit_call(ledger, "shared", &call->incident, &call->shown, error);
}

/* Request and inverse are the first owner's: prior state is that before it. */
static struct store_effect effect_of(const struct journal_call *call) {
    return (struct store_effect){
        .name = call->effect,
        .playbook = call->playbook,
        .step = call->step,
        .request = call->request,
        .inverse = call->inverse,
        .is_containing = call->is_containing,
        .state = EFFECT_PENDING,
        .owner_count = 1,
        .made_unix_ms = call->intended_unix_ms,
    };
}

/* The call is about to be sent: from now on its effect may be there. */
static bool make_effect(struct ledger *ledger, const struct store_call *call,
                        struct store_effect *effect, bool is_there, struct error *error) {
    struct store *store = ledger->store;
    if (is_there) {
        return add_owner(ledger, &call->incident, effect, error) &&
               store->effect_update(store, effect, error);
    }
    *effect = effect_of(&call->shown);
    bool is_new = false;
    return store->effect_insert(store, effect, &effect->id, error) &&
           store->owner_add(store, &call->incident, effect->id, &is_new, error);
}

static bool add_intent(struct ledger *ledger, struct store_call *call, struct store_effect *effect,
                       bool is_there, struct error *error) {
    struct store *store = ledger->store;
    if (!store->call_insert(store, call, &call->shown.id, error)) {
        return false;
    }
    if (is_named(&call->shown.effect) && !make_effect(ledger, call, effect, is_there, error)) {
        return false;
    }
    return audit_call(ledger, "intent", &call->incident, &call->shown, error);
}

/* INTENT_SEND when nothing that is there already speaks against a new call. */
static bool look_for_calls(struct ledger *ledger, const struct store_incident *incident,
                           const struct journal_intent *intent, enum intent_result *result_out,
                           bool *is_there_out, struct error *error) {
    struct store *store = ledger->store;
    struct journal_call call = {0};
    bool is_pending = false;
    *result_out = INTENT_SEND;
    if (!store->call_find(store, &incident->shown.id, intent->key, ledger->arena, &call,
                          is_there_out, error)) {
        return false;
    }
    if (*is_there_out && call.state != CALL_INTENT) {
        *result_out = INTENT_ENDED;
        return true;
    }
    if (!intent->is_notice && incident_is_closed(incident->shown.state)) {
        *result_out = INTENT_RELEASING;
        return true;
    }
    if (*is_there_out || !intent->once_pending) {
        return true;
    }
    if (!store->call_is_pending(store, &incident->shown.id, intent, &is_pending, error)) {
        return false;
    }
    *result_out = is_pending ? INTENT_PENDING : INTENT_SEND;
    return true;
}

bool decide_intent(struct ledger *ledger, struct store_incident *incident,
                   const struct journal_intent *intent, enum intent_result *result_out,
                   struct error *error) {
    struct store_call call = call_of(ledger, &incident->shown.id, intent);
    struct store_effect effect = {0};
    bool has_call = false;
    bool has_effect = false;
    bool is_granted = false;
    if (!look_for_calls(ledger, incident, intent, result_out, &has_call, error)) {
        return false;
    }
    if (has_call || *result_out != INTENT_SEND) {
        return true;
    }
    if (is_named(&intent->effect) &&
        !ledger->store->effect_find(ledger->store, 0, &intent->effect, ledger->arena, &effect,
                                    &has_effect, error)) {
        return false;
    }
    if (has_effect && effect.state == EFFECT_STANDS) {
        *result_out = INTENT_STANDS;
        return share_effect(ledger, &call, &effect, error) &&
               (!intent->is_containing || note_contained(ledger, incident, error));
    }
    if (has_effect && (effect.state == EFFECT_RELEASING || is_under_way(ledger, &effect))) {
        *result_out = INTENT_RELEASING;
        return true;
    }
    if (!decide_reservation(ledger, &intent->limit, &is_granted, error)) {
        return false;
    }
    *result_out = is_granted ? INTENT_SEND : INTENT_LIMITED;
    return !is_granted || add_intent(ledger, &call, &effect, has_effect, error);
}

/* ---- outcomes ---- */

static bool drop_owner(struct ledger *ledger, const struct ulid *incident,
                       struct store_effect *effect, struct error *error) {
    struct store *store = ledger->store;
    bool was_owner = false;
    if (!store->owner_remove(store, incident, effect->id, &was_owner, error)) {
        return false;
    }
    effect->owner_count -= was_owner;
    if (effect->owner_count == 0) {
        return store->effect_delete(store, effect->id, error);
    }
    effect->state = EFFECT_UNSURE;
    return store->effect_update(store, effect, error);
}

/* A write was done again after its effect had gone (a verification found it missing). */
static bool remake_effect(struct ledger *ledger, const struct ulid *incident,
                          const struct journal_call *call, struct error *error) {
    struct store_effect effect = effect_of(call);
    effect.state = EFFECT_STANDS;
    effect.made_unix_ms = ledger->now_unix_ms;
    bool is_new = false;
    return ledger->store->effect_insert(ledger->store, &effect, &effect.id, error) &&
           ledger->store->owner_add(ledger->store, incident, effect.id, &is_new, error);
}

static bool settle_effect(struct ledger *ledger, const struct ulid *incident,
                          const struct journal_call *call, bool keeps_effect, struct error *error) {
    struct store *store = ledger->store;
    struct store_effect effect = {0};
    bool is_there = false;
    if (!store->effect_find(store, 0, &call->effect, ledger->arena, &effect, &is_there, error)) {
        return false;
    }
    if (!is_there) {
        return call->state != CALL_DONE || remake_effect(ledger, incident, call, error);
    }
    bool is_decided = effect.state == EFFECT_RELEASING ||
                      (call->state == CALL_SKIPPED && effect.state != EFFECT_PENDING);
    if (is_decided) {
        return true;
    }
    if (call->state == CALL_DONE) {
        effect.made_unix_ms = effect.state == EFFECT_PENDING ? ledger->now_unix_ms
                                                             : effect.made_unix_ms;
        effect.state = EFFECT_STANDS;
        return add_owner(ledger, incident, &effect, error) &&
               store->effect_update(store, &effect, error);
    }
    if (keeps_effect || effect.state != EFFECT_PENDING) {
        effect.state = EFFECT_UNSURE;
        return store->effect_update(store, &effect, error);
    }
    return call->state == CALL_INTENT || drop_owner(ledger, incident, &effect, error);
}

static void set_outcome(const struct ledger *ledger, struct journal_call *call,
                        const struct journal_outcome *outcome) {
    call->state = outcome->state;
    call->answer = outcome->answer;
    call->error_code = outcome->error_code;
    call->reason = outcome->reason;
    call->took_us = outcome->took_us;
    call->attempts++;
    call->ended_unix_ms = outcome->state == CALL_INTENT ? 0 : ledger->now_unix_ms;
}

bool decide_outcome(struct ledger *ledger, struct store_incident *incident, struct text call_key,
                    const struct journal_outcome *outcome, struct error *error) {
    struct store *store = ledger->store;
    const struct ulid *id = &incident->shown.id;
    struct journal_call call = {0};
    bool is_found = false;
    if (!store->call_find(store, id, call_key, ledger->arena, &call, &is_found, error)) {
        return false;
    }
    if (!is_found) { /* its intent came too late, so what became of it doesn't matter either */
        return incident_is_closed(incident->shown.state) ||
               error_set(error, ERROR_NOT_FOUND, "incident %s has no call %.*s", id->text,
                         TEXT_ARG(call_key));
    }
    set_outcome(ledger, &call, outcome);
    if (!store->call_update(store, &call, error) ||
        !audit_call(ledger, "outcome", id, &call, error)) {
        return false;
    }
    if (call.is_write && is_named(&call.effect) &&
        !settle_effect(ledger, id, &call, outcome->keeps_effect, error)) {
        return false;
    }
    if (call.state == CALL_DONE && call.is_write && call.is_containing) {
        return note_contained(ledger, incident, error);
    }
    return true;
}

/* ---- taking back ---- */

bool decide_let_go(struct ledger *ledger, const struct ulid *incident, int64_t effect_id,
                   bool *must_release_out, struct error *error) {
    struct store *store = ledger->store;
    struct store_effect effect = {0};
    bool is_there = false;
    bool is_owner = false;
    *must_release_out = false;
    if (!store->effect_find(store, effect_id, NULL, ledger->arena, &effect, &is_there, error)) {
        return false;
    }
    if (is_there && !store->owner_is(store, incident, effect_id, &is_owner, error)) {
        return false;
    }
    if (!is_owner) {
        return true;
    }
    *must_release_out = effect.owner_count == 1;
    if (effect.state == EFFECT_RELEASING) { /* asked again, after a crash */
        return true;
    }
    if (*must_release_out) { /* the ownership stays until the inverse was sent: it must be found */
        effect.state = EFFECT_RELEASING;
        return store->effect_update(store, &effect, error) &&
               audit_effect(ledger, "releasing effect", incident, &effect, error);
    }
    effect.owner_count--;
    return store->owner_remove(store, incident, effect_id, &is_owner, error) &&
           store->effect_update(store, &effect, error) &&
           audit_effect(ledger, "let go", incident, &effect, error);
}

bool decide_released(struct ledger *ledger, const struct ulid *incident, int64_t effect_id,
                     struct error *error) {
    struct store *store = ledger->store;
    struct store_effect effect = {0};
    bool is_there = false;
    bool was_owner = false;
    if (!store->effect_find(store, effect_id, NULL, ledger->arena, &effect, &is_there, error)) {
        return false;
    }
    if (!is_there || effect.state != EFFECT_RELEASING) {
        return true; /* said before */
    }
    return store->owner_remove(store, incident, effect_id, &was_owner, error) &&
           store->effect_delete(store, effect_id, error) &&
           audit_effect(ledger, "released effect", incident, &effect, error);
}
