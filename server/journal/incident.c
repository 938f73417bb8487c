#include "ledger.h"

#include <assert.h>

static const char *const state_names[] = {
    [INCIDENT_DETECTED] = "detected",   [INCIDENT_SUPPRESSED] = "suppressed",
    [INCIDENT_JOINED] = "joined",       [INCIDENT_OBSERVED] = "observed",
    [INCIDENT_HELD] = "held",           [INCIDENT_RESPONDING] = "responding",
    [INCIDENT_DONE] = "done",           [INCIDENT_FAILED] = "failed",
    [INCIDENT_RELEASING] = "releasing", [INCIDENT_RELEASED] = "released",
    [INCIDENT_DISMISSED] = "dismissed",
};

#define STATE(name) (1u << INCIDENT_##name)

/* From each state, those it may go to. */
static const unsigned moves[] = {
    [INCIDENT_DETECTED] = STATE(SUPPRESSED) | STATE(JOINED) | STATE(OBSERVED) | STATE(HELD) |
                          STATE(RESPONDING),
    [INCIDENT_HELD] = STATE(RESPONDING) | STATE(DISMISSED) | STATE(RELEASING),
    [INCIDENT_RESPONDING] = STATE(DONE) | STATE(FAILED) | STATE(HELD) | STATE(RELEASING),
    [INCIDENT_DONE] = STATE(RESPONDING) | STATE(FAILED) | STATE(RELEASING),
    [INCIDENT_FAILED] = STATE(RELEASING),
    [INCIDENT_RELEASING] = STATE(RELEASED),
    [INCIDENT_RELEASED] = STATE(RELEASING),
    [INCIDENT_DISMISSED] = STATE(RELEASING),
};

const char *incident_state_name(enum incident_state state) {
    assert((size_t)state < ARRAY_COUNT(state_names));
    return state_names[state];
}

bool incident_state_parse(struct text text, enum incident_state *state_out) {
    for (size_t i = 0; i < ARRAY_COUNT(state_names); i++) {
        if (text_equal_string(text, state_names[i])) {
            *state_out = (enum incident_state)i;
            return true;
        }
    }
    return false;
}

bool incident_may_move(enum incident_state from, enum incident_state to) {
    assert((size_t)from < ARRAY_COUNT(moves));
    return (moves[from] & (1u << to)) != 0;
}

bool incident_is_closed(enum incident_state state) {
    static const unsigned closed = STATE(SUPPRESSED) | STATE(JOINED) | STATE(OBSERVED) |
                                   STATE(RELEASING) | STATE(RELEASED) | STATE(DISMISSED);
    return (closed & (1u << state)) != 0;
}

const char *task_kind_name(enum task_kind kind) {
    static const char *const names[] = {
        [TASK_RESPOND] = "respond", [TASK_PLAYBOOK] = "playbook", [TASK_VERIFY] = "verify",
        [TASK_UNDO] = "undo",       [TASK_RELEASE] = "release",   [TASK_NOTIFY] = "notify",
    };
    assert((size_t)kind < ARRAY_COUNT(names));
    return names[kind];
}

const char *call_state_name(enum call_state state) {
    static const char *const names[] = {
        [CALL_INTENT] = "intent",
        [CALL_DONE] = "done",
        [CALL_FAILED] = "failed",
        [CALL_SKIPPED] = "skipped",
    };
    assert((size_t)state < ARRAY_COUNT(names));
    return names[state];
}

bool ledger_move(struct ledger *ledger, struct store_incident *incident, enum incident_state state,
                 struct text reason, struct text actor, bool *has_moved_out, struct error *error) {
    struct journal_incident *shown = &incident->shown;
    *has_moved_out = incident_may_move(shown->state, state);
    if (!*has_moved_out) {
        return true;
    }
    const char *from = incident_state_name(shown->state);
    shown->state = state;
    shown->reason = reason;
    shown->updated_unix_ms = ledger->now_unix_ms;
    const struct ledger_member members[] = {
        {"from", text_of(from)},     {"rule", shown->rule},
        {"subject", shown->subject}, {"joined", ulid_text(&shown->joined_to)},
        {"reason", reason},          {0},
    };
    desk_incident_changed(ledger->desk, &shown->id);
    return ledger->store->incident_update(ledger->store, incident, error) &&
           ledger_audit_members(ledger, incident_state_name(state), &shown->id, actor, members,
                                error);
}
