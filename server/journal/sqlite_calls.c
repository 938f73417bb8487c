#include "sqlite.h"

#include "riposte/base/memory.h"

/* Rows that are read before their number is known. */
struct rows {
    void *data;
    size_t count, capacity;
};

static void *rows_add(struct rows *rows, size_t row_bytes) {
    rows->data = memory_grow_array(rows->data, &rows->capacity, rows->count + 1, row_bytes);
    return (char *)rows->data + row_bytes * rows->count++;
}

/* Into the arena. */
static void *rows_take(struct rows *rows, struct arena *arena, size_t row_bytes) {
    char *copy = arena_alloc_array(arena, rows->count, row_bytes);
    const char *data = rows->data;
    for (size_t i = 0; i < rows->count * row_bytes; i++) {
        copy[i] = data[i];
    }
    return copy;
}

static void rows_done(struct rows *rows) {
    memory_free_at(&rows->data);
}

/* ---- calls ---- */

#define CALL_COLUMNS                                                                      \
    "id, key, state, attempts, intended, ended, is_write, is_containing, playbook, step," \
    " service, operation, account, region, effect_account, effect_target, effect_name,"   \
    " error_code, reason, request, inverse, answer, took_us"

static void bind_call(struct query *query, const struct journal_call *shown) {
    query_bind_text(query, shown->key);
    query_bind_number(query, shown->state);
    query_bind_number(query, shown->attempts);
    query_bind_number(query, shown->intended_unix_ms);
    query_bind_number(query, shown->ended_unix_ms);
    query_bind_number(query, shown->is_write);
    query_bind_number(query, shown->is_containing);
    query_bind_text(query, shown->playbook);
    query_bind_text(query, shown->step);
    query_bind_text(query, shown->service);
    query_bind_text(query, shown->operation);
    query_bind_text(query, shown->account);
    query_bind_text(query, shown->region);
    query_bind_text(query, shown->effect.account);
    query_bind_text(query, shown->effect.target);
    query_bind_text(query, shown->effect.name);
    query_bind_text(query, shown->error_code);
    query_bind_text(query, shown->reason);
    query_bind_text(query, shown->request);
    query_bind_text(query, shown->inverse);
    query_bind_text(query, shown->answer);
    query_bind_number(query, shown->took_us);
}

static bool call_insert(struct store *store, const struct store_call *call, int64_t *id_out,
                        struct error *error) {
    struct sqlite *sqlite = sqlite_of(store);
    struct query query = query_start(
        sqlite, "INSERT INTO call (" CALL_COLUMNS ", incident) VALUES"
                " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_bind_number(&query, ++sqlite->last_call_id);
    bind_call(&query, &call->shown);
    query_bind_text(&query, ulid_text(&call->incident));
    bool is_ok = query_run(&query, error);
    query_done(&query);
    if (is_ok) {
        *id_out = sqlite->last_call_id;
    }
    return is_ok;
}

static void read_call(struct query *query, struct arena *arena, struct journal_call *call_out) {
    *call_out = (struct journal_call){0};
    call_out->id = query_number(query);
    call_out->key = query_text(query, arena);
    call_out->state = (enum call_state)query_number(query);
    call_out->attempts = (unsigned)query_number(query);
    call_out->intended_unix_ms = query_number(query);
    call_out->ended_unix_ms = query_number(query);
    call_out->is_write = query_number(query) != 0;
    call_out->is_containing = query_number(query) != 0;
    call_out->playbook = query_text(query, arena);
    call_out->step = query_text(query, arena);
    call_out->service = query_text(query, arena);
    call_out->operation = query_text(query, arena);
    call_out->account = query_text(query, arena);
    call_out->region = query_text(query, arena);
    call_out->effect.account = query_text(query, arena);
    call_out->effect.target = query_text(query, arena);
    call_out->effect.name = query_text(query, arena);
    call_out->error_code = query_text(query, arena);
    call_out->reason = query_text(query, arena);
    call_out->request = query_text(query, arena);
    call_out->inverse = query_text(query, arena);
    call_out->answer = query_text(query, arena);
    call_out->took_us = query_number(query);
}

static bool call_find(struct store *store, const struct ulid *incident, struct text key,
                      struct arena *arena, struct journal_call *call_out, bool *is_found_out,
                      struct error *error) {
    struct query query = query_start(sqlite_of(store), "SELECT " CALL_COLUMNS
                                                       " FROM call WHERE incident = ? AND key = ?");
    query_bind_text(&query, ulid_text(incident));
    query_bind_text(&query, key);
    bool is_ok = query_step(&query, is_found_out, error);
    if (is_ok && *is_found_out) {
        read_call(&query, arena, call_out);
    }
    query_done(&query);
    return is_ok;
}

static bool call_update(struct store *store, const struct journal_call *call, struct error *error) {
    struct query query = query_start(
        sqlite_of(store), "UPDATE call SET state = ?, answer = ?, error_code = ?, reason = ?,"
                          " attempts = ?, ended = ?, took_us = ? WHERE id = ?");
    query_bind_number(&query, call->state);
    query_bind_text(&query, call->answer);
    query_bind_text(&query, call->error_code);
    query_bind_text(&query, call->reason);
    query_bind_number(&query, call->attempts);
    query_bind_number(&query, call->ended_unix_ms);
    query_bind_number(&query, call->took_us);
    query_bind_number(&query, call->id);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static bool call_is_pending(struct store *store, const struct ulid *incident,
                            const struct journal_intent *intent, bool *is_pending_out,
                            struct error *error) {
    struct query query = query_start(
        sqlite_of(store), "SELECT 1 FROM call WHERE incident = ? AND state = 0 AND service = ?"
                          " AND operation = ? AND account = ? AND region = ? AND request = ?");
    query_bind_text(&query, ulid_text(incident));
    query_bind_text(&query, intent->service);
    query_bind_text(&query, intent->operation);
    query_bind_text(&query, intent->account);
    query_bind_text(&query, intent->region);
    query_bind_text(&query, intent->request);
    bool is_ok = query_step(&query, is_pending_out, error);
    query_done(&query);
    return is_ok;
}

_Static_assert(CALL_INTENT == 0, "call_is_pending says so");

static bool call_list(struct store *store, const struct ulid *incident, struct arena *arena,
                      struct journal_call **calls_out, size_t *count_out, struct error *error) {
    struct rows rows = {0};
    struct query query = query_start(sqlite_of(store), "SELECT " CALL_COLUMNS
                                                       " FROM call WHERE incident = ? ORDER BY id");
    query_bind_text(&query, ulid_text(incident));
    bool is_row = false;
    bool is_ok = false;
    while ((is_ok = query_step(&query, &is_row, error)) && is_row) {
        read_call(&query, arena, rows_add(&rows, sizeof(struct journal_call)));
    }
    query_done(&query);
    if (is_ok) {
        *calls_out = rows_take(&rows, arena, sizeof(struct journal_call));
        *count_out = rows.count;
    }
    rows_done(&rows);
    return is_ok;
}

/* ---- effects and their owners ---- */

#define EFFECT_COLUMNS                                                             \
    "f.id, f.account, f.target, f.name, f.playbook, f.step, f.request, f.inverse," \
    " f.is_containing, f.state, f.owners, f.made"

static void read_effect(struct query *query, struct arena *arena, struct store_effect *effect_out) {
    *effect_out = (struct store_effect){0};
    effect_out->id = query_number(query);
    effect_out->name.account = query_text(query, arena);
    effect_out->name.target = query_text(query, arena);
    effect_out->name.name = query_text(query, arena);
    effect_out->playbook = query_text(query, arena);
    effect_out->step = query_text(query, arena);
    effect_out->request = query_text(query, arena);
    effect_out->inverse = query_text(query, arena);
    effect_out->is_containing = query_number(query) != 0;
    effect_out->state = (enum effect_state)query_number(query);
    effect_out->owner_count = (uint32_t)query_number(query);
    effect_out->made_unix_ms = query_number(query);
}

static bool effect_find(struct store *store, int64_t id, const struct journal_effect_name *name,
                        struct arena *arena, struct store_effect *effect_out, bool *is_found_out,
                        struct error *error) {
    struct query query = id != 0
                             ? query_start(sqlite_of(store),
                                           "SELECT " EFFECT_COLUMNS " FROM effect f WHERE f.id = ?")
                             : query_start(sqlite_of(store), "SELECT " EFFECT_COLUMNS
                                                             " FROM effect f WHERE f.target = ?"
                                                             " AND f.name = ? AND f.account = ?");
    if (id != 0) {
        query_bind_number(&query, id);
    } else {
        query_bind_text(&query, name->target);
        query_bind_text(&query, name->name);
        query_bind_text(&query, name->account);
    }
    bool is_ok = query_step(&query, is_found_out, error);
    if (is_ok && *is_found_out) {
        read_effect(&query, arena, effect_out);
    }
    query_done(&query);
    return is_ok;
}

static bool effect_insert(struct store *store, const struct store_effect *effect, int64_t *id_out,
                          struct error *error) {
    struct sqlite *sqlite = sqlite_of(store);
    struct query query = query_start(
        sqlite, "INSERT INTO effect (id, account, target, name, playbook, step, request, inverse,"
                " is_containing, state, owners, made) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_bind_number(&query, ++sqlite->last_effect_id);
    query_bind_text(&query, effect->name.account);
    query_bind_text(&query, effect->name.target);
    query_bind_text(&query, effect->name.name);
    query_bind_text(&query, effect->playbook);
    query_bind_text(&query, effect->step);
    query_bind_text(&query, effect->request);
    query_bind_text(&query, effect->inverse);
    query_bind_number(&query, effect->is_containing);
    query_bind_number(&query, effect->state);
    query_bind_number(&query, effect->owner_count);
    query_bind_number(&query, effect->made_unix_ms);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    if (is_ok) {
        *id_out = sqlite->last_effect_id;
    }
    return is_ok;
}

static bool effect_update(struct store *store, const struct store_effect *effect,
                          struct error *error) {
    struct query query = query_start(
        sqlite_of(store), "UPDATE effect SET state = ?, owners = ?, made = ? WHERE id = ?");
    query_bind_number(&query, effect->state);
    query_bind_number(&query, effect->owner_count);
    query_bind_number(&query, effect->made_unix_ms);
    query_bind_number(&query, effect->id);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static bool effect_delete(struct store *store, int64_t id, struct error *error) {
    struct query query = query_start(sqlite_of(store), "DELETE FROM effect WHERE id = ?");
    query_bind_number(&query, id);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static bool read_effects(struct query *query, struct arena *arena,
                         struct journal_effect **effects_out, size_t *count_out,
                         struct error *error) {
    struct rows rows = {0};
    bool is_row = false;
    bool is_ok = false;
    while ((is_ok = query_step(query, &is_row, error)) && is_row) {
        struct store_effect effect;
        read_effect(query, arena, &effect);
        *(struct journal_effect *)rows_add(&rows,
                                           sizeof(struct journal_effect)) = effect_shown(&effect);
    }
    query_done(query);
    if (is_ok) {
        *effects_out = rows_take(&rows, arena, sizeof(struct journal_effect));
        *count_out = rows.count;
    }
    rows_done(&rows);
    return is_ok;
}

static bool effect_list(struct store *store, const struct ulid *incident, struct arena *arena,
                        struct journal_effect **effects_out, size_t *count_out,
                        struct error *error) {
    struct query query = query_start(
        sqlite_of(store), "SELECT " EFFECT_COLUMNS " FROM owner o JOIN effect f ON f.id = o.effect"
                          " WHERE o.incident = ? ORDER BY f.id DESC");
    query_bind_text(&query, ulid_text(incident));
    return read_effects(&query, arena, effects_out, count_out, error);
}

static bool effect_all(struct store *store, struct arena *arena,
                       struct journal_effect **effects_out, size_t *count_out,
                       struct error *error) {
    struct query query = query_start(sqlite_of(store),
                                     "SELECT " EFFECT_COLUMNS " FROM effect f ORDER BY f.id DESC");
    return read_effects(&query, arena, effects_out, count_out, error);
}

static bool effect_kin(struct store *store, struct text holder, size_t limit, struct arena *arena,
                       struct journal_effect **effects_out, size_t *count_out,
                       struct error *error) {
    _Static_assert(EFFECT_RELEASING == 3, "the text says so");
    /* ';' comes after ':', so that the index of targets gives the range. */
    struct query query = query_start(
        sqlite_of(store), "SELECT " EFFECT_COLUMNS " FROM effect f WHERE (f.target = ?"
                          " OR (f.target > ? || ':' AND f.target < ? || ';'))"
                          " AND f.is_containing AND f.state <> 3 ORDER BY f.id DESC LIMIT ?");
    query_bind_text(&query, holder);
    query_bind_text(&query, holder);
    query_bind_text(&query, holder);
    query_bind_number(&query, (int64_t)limit);
    return read_effects(&query, arena, effects_out, count_out, error);
}

static bool run_owner(struct store *store, const char *text, const struct ulid *incident,
                      int64_t effect_id, bool *is_changed_out, struct error *error) {
    struct query query = query_start(sqlite_of(store), text);
    query_bind_text(&query, ulid_text(incident));
    query_bind_number(&query, effect_id);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    if (is_ok) {
        *is_changed_out = sqlite3_changes(sqlite_of(store)->db) > 0;
    }
    return is_ok;
}

static bool owner_add(struct store *store, const struct ulid *incident, int64_t effect_id,
                      bool *is_changed_out, struct error *error) {
    return run_owner(store,
                     "INSERT INTO owner (incident, effect) VALUES (?, ?)"
                     " ON CONFLICT (incident, effect) DO NOTHING",
                     incident, effect_id, is_changed_out, error);
}

static bool owner_remove(struct store *store, const struct ulid *incident, int64_t effect_id,
                         bool *is_changed_out, struct error *error) {
    return run_owner(store, "DELETE FROM owner WHERE incident = ? AND effect = ?", incident,
                     effect_id, is_changed_out, error);
}

static bool owner_is(struct store *store, const struct ulid *incident, int64_t effect_id,
                     bool *is_owner_out, struct error *error) {
    struct query query = query_start(sqlite_of(store),
                                     "SELECT 1 FROM owner WHERE incident = ? AND effect = ?");
    query_bind_text(&query, ulid_text(incident));
    query_bind_number(&query, effect_id);
    bool is_ok = query_step(&query, is_owner_out, error);
    query_done(&query);
    return is_ok;
}

/* ---- limits ---- */

static bool forget_draws(struct store *store, struct text scope, int64_t until_unix_ms,
                         struct error *error) {
    struct query query = query_start(sqlite_of(store),
                                     "DELETE FROM reservation WHERE scope = ? AND drawn <= ?");
    query_bind_text(&query, scope);
    query_bind_number(&query, until_unix_ms);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static bool reservation_count(struct store *store, struct text scope, struct text target,
                              int64_t until_unix_ms, bool *has_drawn_out, uint32_t *count_out,
                              struct error *error) {
    if (!forget_draws(store, scope, until_unix_ms, error)) {
        return false;
    }
    struct query query = query_start(
        sqlite_of(store),
        "SELECT count(*), coalesce(sum(target = ?), 0) FROM reservation WHERE scope = ?");
    query_bind_text(&query, target);
    query_bind_text(&query, scope);
    bool is_row = false;
    bool is_ok = query_step(&query, &is_row, error);
    if (is_ok) {
        *count_out = is_row ? (uint32_t)query_number(&query) : 0;
        *has_drawn_out = is_row && query_number(&query) != 0;
    }
    query_done(&query);
    return is_ok;
}

static bool reservation_insert(struct store *store, struct text scope, struct text target,
                               int64_t unix_ms, struct error *error) {
    struct query query = query_start(
        sqlite_of(store), "INSERT INTO reservation (scope, target, drawn) VALUES (?, ?, ?)");
    query_bind_text(&query, scope);
    query_bind_text(&query, target);
    query_bind_number(&query, unix_ms);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

/* ---- thresholds ---- */

static bool sighting_note(struct store *store, const struct store_sighting *sighting,
                          struct error *error) {
    struct query query = query_start(
        sqlite_of(store), "INSERT INTO sighting (rule, subject, value, seen, until)"
                          " VALUES (?, ?, ?, ?, ?) ON CONFLICT (rule, subject, value) DO UPDATE"
                          " SET seen = max(seen, excluded.seen), until = excluded.until");
    query_bind_text(&query, sighting->rule);
    query_bind_text(&query, sighting->subject);
    query_bind_text(&query, sighting->value);
    query_bind_number(&query, sighting->seen_unix_ms);
    query_bind_number(&query, sighting->until_unix_ms);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static bool sighting_count(struct store *store, const struct store_sighting *sighting,
                           int64_t per_ms, uint32_t *count_out, struct error *error) {
    struct query query = query_start(
        sqlite_of(store), "SELECT count(*) FROM sighting WHERE rule = ?1 AND subject = ?2"
                          " AND seen < ?3 AND seen > (SELECT max(seen) FROM sighting"
                          " WHERE rule = ?1 AND subject = ?2 AND seen < ?3) - ?4");
    query_bind_text(&query, sighting->rule);
    query_bind_text(&query, sighting->subject);
    query_bind_number(&query, sighting->seen_unix_ms + per_ms);
    query_bind_number(&query, per_ms);
    bool is_row = false;
    bool is_ok = query_step(&query, &is_row, error);
    if (is_ok) {
        *count_out = is_row ? (uint32_t)query_number(&query) : 0;
    }
    query_done(&query);
    return is_ok;
}

static bool sighting_trim(struct store *store, const struct store_sighting *sighting, uint32_t keep,
                          struct error *error) {
    struct query query = query_start(
        sqlite_of(store), "DELETE FROM sighting WHERE rule = ?1 AND subject = ?2 AND value IN"
                          " (SELECT value FROM sighting WHERE rule = ?1 AND subject = ?2"
                          " ORDER BY seen DESC LIMIT -1 OFFSET ?3)");
    query_bind_text(&query, sighting->rule);
    query_bind_text(&query, sighting->subject);
    query_bind_number(&query, keep);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static bool sighting_purge(struct store *store, int64_t until_unix_ms, struct error *error) {
    struct query query = query_start(sqlite_of(store), "DELETE FROM sighting WHERE until <= ?");
    query_bind_number(&query, until_unix_ms);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

/* ---- audit ---- */

static bool audit_insert(struct store *store, const struct journal_audit_line *line,
                         struct error *error) {
    struct query query = query_start(
        sqlite_of(store), "INSERT INTO audit (sequence, time, event, incident, actor, text, hash)"
                          " VALUES (?, ?, ?, ?, ?, ?, ?)");
    query_bind_number(&query, line->sequence);
    query_bind_number(&query, line->unix_ms);
    query_bind_text(&query, line->event);
    query_bind_text(&query, line->incident);
    query_bind_text(&query, line->actor);
    query_bind_text(&query, line->text);
    query_bind_bytes(&query, (struct text){(const char *)line->hash, JOURNAL_HASH_BYTES});
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static bool audit_head(struct store *store, int64_t *sequence_out,
                       uint8_t hash_out[JOURNAL_HASH_BYTES], struct error *error) {
    struct query query = query_start(
        sqlite_of(store), "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1");
    bool is_row = false;
    bool is_ok = query_step(&query, &is_row, error);
    if (is_ok && is_row) {
        *sequence_out = query_number(&query);
        query_bytes(&query, hash_out, JOURNAL_HASH_BYTES);
    }
    query_done(&query);
    return is_ok;
}

static bool audit_list(struct store *store, int64_t after, size_t limit, struct arena *arena,
                       struct journal_audit_line **lines_out, size_t *count_out,
                       struct error *error) {
    struct rows rows = {0};
    struct query query = query_start(
        sqlite_of(store), "SELECT sequence, time, event, incident, actor, text, hash FROM audit"
                          " WHERE sequence > ? ORDER BY sequence LIMIT ?");
    query_bind_number(&query, after);
    query_bind_number(&query, (int64_t)limit);
    bool is_row = false;
    bool is_ok = false;
    while ((is_ok = query_step(&query, &is_row, error)) && is_row) {
        struct journal_audit_line *line = rows_add(&rows, sizeof(*line));
        line->sequence = query_number(&query);
        line->unix_ms = query_number(&query);
        line->event = query_text(&query, arena);
        line->incident = query_text(&query, arena);
        line->actor = query_text(&query, arena);
        line->text = query_text(&query, arena);
        query_bytes(&query, line->hash, JOURNAL_HASH_BYTES);
    }
    query_done(&query);
    if (is_ok) {
        *lines_out = rows_take(&rows, arena, sizeof(struct journal_audit_line));
        *count_out = rows.count;
    }
    rows_done(&rows);
    return is_ok;
}

/* The last of the first `count` lines; untouched when the chain doesn't go beyond it, or one of
 * them must stay. */
static bool find_cut(struct sqlite *sqlite, int64_t until_unix_ms, size_t count,
                     struct journal_anchor *last_out, struct error *error) {
    struct query query = query_start(
        sqlite, "WITH old AS (SELECT * FROM audit ORDER BY sequence LIMIT ?1)"
                " SELECT sequence, hash FROM audit"
                " WHERE sequence = (SELECT max(sequence) FROM old)"
                " AND sequence < (SELECT max(sequence) FROM audit)"
                " AND (SELECT count(*) FROM old) = ?1 AND NOT EXISTS (SELECT 1 FROM old"
                " WHERE time >= ?2 OR incident IN (SELECT id FROM incident))");
    query_bind_number(&query, (int64_t)count);
    query_bind_number(&query, until_unix_ms);
    bool is_row = false;
    bool is_ok = query_step(&query, &is_row, error);
    if (is_ok && is_row) {
        last_out->sequence = query_number(&query);
        query_bytes(&query, last_out->hash, JOURNAL_HASH_BYTES);
    }
    query_done(&query);
    return is_ok;
}

static bool audit_cut(struct store *store, int64_t until_unix_ms, size_t count,
                      struct journal_anchor *last_out, struct error *error) {
    struct journal_anchor last = {0};
    if (!find_cut(sqlite_of(store), until_unix_ms, count, &last, error)) {
        return false;
    }
    if (last.sequence == 0) {
        return true;
    }
    struct query query = query_start(sqlite_of(store), "DELETE FROM audit WHERE sequence <= ?");
    query_bind_number(&query, last.sequence);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    if (is_ok) {
        *last_out = last;
    }
    return is_ok;
}

/* ---- keys ---- */

static bool key_insert(struct store *store, const struct store_key *key, struct error *error) {
    struct query query = query_start(
        sqlite_of(store),
        "INSERT INTO issued_key (id, noted) VALUES (?, ?) ON CONFLICT (id) DO NOTHING");
    query_bind_text(&query, key->id);
    query_bind_number(&query, key->noted_unix_ms);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static bool key_each(struct store *store, store_key_fn *key_fn, void *arg, struct error *error) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct query query = query_start(sqlite_of(store), "SELECT id FROM issued_key");
    bool is_row = false;
    bool is_ok = false;
    while ((is_ok = query_step(&query, &is_row, error)) && is_row) {
        arena_reset(arena);
        key_fn(arg, query_text(&query, arena));
    }
    query_done(&query);
    return is_ok;
}

static bool key_purge(struct store *store, int64_t until_unix_ms, struct error *error) {
    struct query query = query_start(sqlite_of(store), "DELETE FROM issued_key WHERE noted < ?");
    query_bind_number(&query, until_unix_ms);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

void sqlite_fill_calls(struct store *store) {
    store->call_insert = call_insert;
    store->call_find = call_find;
    store->call_update = call_update;
    store->call_is_pending = call_is_pending;
    store->call_list = call_list;
    store->effect_find = effect_find;
    store->effect_insert = effect_insert;
    store->effect_update = effect_update;
    store->effect_delete = effect_delete;
    store->effect_list = effect_list;
    store->effect_all = effect_all;
    store->effect_kin = effect_kin;
    store->owner_add = owner_add;
    store->owner_remove = owner_remove;
    store->owner_is = owner_is;
    store->reservation_count = reservation_count;
    store->reservation_insert = reservation_insert;
    store->sighting_note = sighting_note;
    store->sighting_count = sighting_count;
    store->sighting_trim = sighting_trim;
    store->sighting_purge = sighting_purge;
    store->audit_insert = audit_insert;
    store->audit_head = audit_head;
    store->audit_list = audit_list;
    store->audit_cut = audit_cut;
    store->key_insert = key_insert;
    store->key_each = key_each;
    store->key_purge = key_purge;
}
