#include "decide.h"

#include "riposte/journal/chain.h"

#define RETENTION_SLICE 16
#define CUT_LINES       512 /* what is deleted at once, and the least that a checkpoint is worth */

bool decide_retention(struct ledger *ledger, int64_t retain_ms, struct ulid *cursor,
                      struct error *error) {
    struct store *store = ledger->store;
    struct ulid *incidents = NULL;
    size_t count = 0;
    if (!store->retention_find(store, cursor, ledger->now_unix_ms - retain_ms, RETENTION_SLICE,
                               ledger->arena, &incidents, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct desk_view *views = NULL;
        bool has_tasks = desk_tasks_of(ledger->desk, &incidents[i], ledger->arena, &views) > 0;
        if (has_tasks) {
            continue;
        }
        if (!store->retention_delete(store, &incidents[i], error) ||
            !ledger_audit(ledger, "forgotten", &incidents[i], (struct text){NULL, 0}, TEXT("{}"),
                          error)) {
            return false;
        }
    }
    return store->retention_events(store, ledger->now_unix_ms - retain_ms, RETENTION_SLICE, error);
}

static bool note_cut(struct ledger *ledger, const struct journal_anchor *last,
                     struct error *error) {
    char text[JOURNAL_ANCHOR_BYTES];
    journal_anchor_format(last, text);
    const struct ledger_member members[] = {{"cut", text_of(text)}, {0}};
    return ledger_audit_members(ledger, JOURNAL_CHECKPOINT, NULL, (struct text){NULL, 0}, members,
                                error);
}

bool decide_cut(struct ledger *ledger, int64_t retain_ms, bool *has_cut_out, struct error *error) {
    struct journal_anchor last = {0};
    if (!ledger->store->audit_cut(ledger->store, ledger->now_unix_ms - retain_ms, CUT_LINES, &last,
                                  error)) {
        return false;
    }
    *has_cut_out = last.sequence > 0;
    return !*has_cut_out || note_cut(ledger, &last, error);
}
