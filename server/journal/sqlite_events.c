#include "sqlite.h"

#include "riposte/base/memory.h"

#include <stdio.h>
#include <string.h>

/* ---- events and definitions ---- */

static bool event_insert(struct store *store, const struct store_event *event, int64_t *id_out,
                         struct error *error) {
    struct sqlite *sqlite = sqlite_of(store);
    struct query query = query_start(
        sqlite, "INSERT INTO event (id, key, received, happened, incidents, body, trace)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING");
    query_bind_number(&query, sqlite->last_event_id + 1);
    query_bind_text(&query, event->key);
    query_bind_number(&query, event->received_unix_ms);
    query_bind_number(&query, event->event_unix_ms);
    query_bind_number(&query, event->incident_count);
    query_bind_bytes(&query, blob_text(event->body));
    query_bind_text(&query, trace_text(&event->trace));
    bool is_ok = query_run(&query, error);
    query_done(&query);
    if (is_ok) {
        *id_out = sqlite3_changes(sqlite->db) > 0 ? ++sqlite->last_event_id : 0;
    }
    return is_ok;
}

static bool event_incidents(struct store *store, int64_t id, uint32_t incident_count,
                            struct error *error) {
    struct query query = query_start(sqlite_of(store),
                                     "UPDATE event SET incidents = ? WHERE id = ?");
    query_bind_number(&query, incident_count);
    query_bind_number(&query, id);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static struct trace query_trace(struct query *query, struct arena *arena) {
    struct trace trace = {{0}};
    (void)!trace_from_text(query_text(query, arena), &trace); /* none: of before there were any */
    return trace;
}

static void read_event(struct query *query, struct arena *arena, struct store_event *event_out) {
    event_out->id = query_number(query);
    event_out->key = query_text(query, arena);
    event_out->received_unix_ms = query_number(query);
    event_out->event_unix_ms = query_number(query);
    event_out->incident_count = (uint32_t)query_number(query);
    event_out->body = query_blob(query);
    event_out->trace = query_trace(query, arena);
}

static bool event_read(struct store *store, int64_t id, struct text key, struct arena *arena,
                       struct store_event *event_out, struct error *error) {
    struct query query = id != 0 ? query_start(sqlite_of(store),
                                               "SELECT id, key, received, happened, incidents,"
                                               " body, trace FROM event WHERE id = ?")
                                 : query_start(sqlite_of(store),
                                               "SELECT id, key, received, happened, incidents,"
                                               " body, trace FROM event WHERE key = ?");
    if (id != 0) {
        query_bind_number(&query, id);
    } else {
        query_bind_text(&query, key);
    }
    bool is_row = false;
    bool is_ok = query_step(&query, &is_row, error);
    if (is_ok && is_row) {
        read_event(&query, arena, event_out);
    }
    query_done(&query);
    return is_ok;
}

static bool definition_insert(struct store *store, const struct journal_definition *definition,
                              struct error *error) {
    struct query query = query_start(
        sqlite_of(store),
        "INSERT INTO definition (hash, text) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING");
    query_bind_bytes(&query, (struct text){(const char *)definition->hash, JOURNAL_HASH_BYTES});
    query_bind_bytes(&query, blob_text(definition->text));
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static bool definition_read(struct store *store, const uint8_t hash[JOURNAL_HASH_BYTES],
                            struct blob **text_out, struct error *error) {
    struct query query = query_start(sqlite_of(store),
                                     "SELECT text FROM definition WHERE hash = ?");
    query_bind_bytes(&query, (struct text){(const char *)hash, JOURNAL_HASH_BYTES});
    bool is_row = false;
    bool is_ok = query_step(&query, &is_row, error);
    if (is_ok) {
        *text_out = is_row ? query_blob(&query) : NULL;
    }
    query_done(&query);
    return is_ok;
}

/* ---- incidents ---- */

#define INCIDENT_COLUMNS                                                                        \
    "i.id, i.event, i.state, i.mode, i.created, i.updated, i.contained, i.severity, i.rule,"    \
    " i.subject, i.reason, i.joined_to, i.principal_id, i.principal_name, i.account, i.region," \
    " i.definition, e.key, e.happened, e.received, e.trace"
#define INCIDENT_FROM " FROM incident i LEFT JOIN event e ON e.id = i.event "

static bool incident_insert(struct store *store, const struct store_incident *incident,
                            struct error *error) {
    const struct journal_incident *shown = &incident->shown;
    struct query query = query_start(
        sqlite_of(store),
        "INSERT INTO incident (id, event, state, mode, created, updated, contained, severity, rule,"
        " subject, reason, joined_to, principal_id, principal_name, account, region, definition,"
        " plan) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_bind_text(&query, ulid_text(&shown->id));
    query_bind_number(&query, incident->event_id);
    query_bind_number(&query, shown->state);
    query_bind_number(&query, shown->mode);
    query_bind_number(&query, shown->created_unix_ms);
    query_bind_number(&query, shown->updated_unix_ms);
    query_bind_number(&query, shown->contained_unix_ms);
    query_bind_text(&query, shown->severity);
    query_bind_text(&query, shown->rule);
    query_bind_text(&query, shown->subject);
    query_bind_text(&query, shown->reason);
    query_bind_text(&query, ulid_text(&shown->joined_to));
    query_bind_text(&query, shown->principal_id);
    query_bind_text(&query, shown->principal_name);
    query_bind_text(&query, shown->account);
    query_bind_text(&query, shown->region);
    query_bind_bytes(&query,
                     (struct text){(const char *)shown->definition_hash, JOURNAL_HASH_BYTES});
    query_bind_text(&query, shown->plan);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static void read_incident(struct query *query, struct arena *arena,
                          struct store_incident *incident_out) {
    struct journal_incident *shown = &incident_out->shown;
    *incident_out = (struct store_incident){0};
    shown->id = query_ulid(query);
    incident_out->event_id = query_number(query);
    shown->state = (enum incident_state)query_number(query);
    shown->mode = (enum mode)query_number(query);
    shown->created_unix_ms = query_number(query);
    shown->updated_unix_ms = query_number(query);
    shown->contained_unix_ms = query_number(query);
    shown->severity = query_text(query, arena);
    shown->rule = query_text(query, arena);
    shown->subject = query_text(query, arena);
    shown->reason = query_text(query, arena);
    shown->joined_to = query_ulid(query);
    shown->principal_id = query_text(query, arena);
    shown->principal_name = query_text(query, arena);
    shown->account = query_text(query, arena);
    shown->region = query_text(query, arena);
    query_bytes(query, shown->definition_hash, JOURNAL_HASH_BYTES);
    shown->event_key = query_text(query, arena);
    shown->event_unix_ms = query_number(query);
    shown->received_unix_ms = query_number(query);
    shown->trace = query_trace(query, arena);
}

static bool incident_read(struct store *store, const struct ulid *id, struct arena *arena,
                          struct store_incident *incident_out, bool *is_found_out,
                          struct error *error) {
    struct query query = query_start(sqlite_of(store), "SELECT " INCIDENT_COLUMNS
                                                       ", i.plan" INCIDENT_FROM "WHERE i.id = ?");
    query_bind_text(&query, ulid_text(id));
    bool is_ok = query_step(&query, is_found_out, error);
    if (is_ok && *is_found_out) {
        read_incident(&query, arena, incident_out);
        incident_out->shown.plan = query_text(&query, arena);
    }
    query_done(&query);
    return is_ok;
}

static bool incident_update(struct store *store, const struct store_incident *incident,
                            struct error *error) {
    const struct journal_incident *shown = &incident->shown;
    struct query query = query_start(sqlite_of(store),
                                     "UPDATE incident SET state = ?, severity = ?, reason = ?,"
                                     " joined_to = ?, contained = ?, updated = ? WHERE id = ?");
    query_bind_number(&query, shown->state);
    query_bind_text(&query, shown->severity);
    query_bind_text(&query, shown->reason);
    query_bind_text(&query, ulid_text(&shown->joined_to));
    query_bind_number(&query, shown->contained_unix_ms);
    query_bind_number(&query, shown->updated_unix_ms);
    query_bind_text(&query, ulid_text(&shown->id));
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static bool incident_plan(struct store *store, const struct ulid *id, struct text plan,
                          struct error *error) {
    struct query query = query_start(sqlite_of(store), "UPDATE incident SET plan = ? WHERE id = ?");
    query_bind_text(&query, plan);
    query_bind_text(&query, ulid_text(id));
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static bool incident_find_open(struct store *store, struct text rule, struct text subject,
                               int64_t created_after_unix_ms, struct arena *arena,
                               struct store_incident *incident_out, bool *is_found_out,
                               struct error *error) {
    struct query query = query_start(
        sqlite_of(store), "SELECT " INCIDENT_COLUMNS INCIDENT_FROM
                          "WHERE i.state >= 3 AND i.state <= 6 AND i.subject = ? AND i.rule = ?"
                          " AND i.created > ? ORDER BY i.created DESC, i.id DESC LIMIT 1");
    query_bind_text(&query, subject);
    query_bind_text(&query, rule);
    query_bind_number(&query, created_after_unix_ms);
    bool is_ok = query_step(&query, is_found_out, error);
    if (is_ok && *is_found_out) {
        read_incident(&query, arena, incident_out);
    }
    query_done(&query);
    return is_ok;
}

static bool incident_joined(struct store *store, const struct ulid *id, struct arena *arena,
                            struct store_incident **incidents_out, size_t *count_out,
                            struct error *error) {
    struct store_incident *rows = NULL;
    size_t capacity = 0;
    size_t count = 0;
    /* <> '' as in the index, so that it is used. */
    struct query query = query_start(sqlite_of(store), "SELECT " INCIDENT_COLUMNS INCIDENT_FROM
                                                       "WHERE i.joined_to = ? AND i.joined_to <> ''"
                                                       " ORDER BY i.id");
    query_bind_text(&query, ulid_text(id));
    bool is_row = false;
    bool is_ok = false;
    while ((is_ok = query_step(&query, &is_row, error)) && is_row) {
        rows = memory_grow_array(rows, &capacity, count + 1, sizeof(*rows));
        read_incident(&query, arena, &rows[count++]);
    }
    query_done(&query);
    if (is_ok) {
        *incidents_out = arena_alloc_array(arena, count, sizeof(*rows));
        for (size_t i = 0; i < count; i++) {
            (*incidents_out)[i] = rows[i];
        }
        *count_out = count;
    }
    memory_free_at(&rows);
    return is_ok;
}

/* ---- searching ---- */

/* The id down to which a slice looks: *bound_out none: to the end. */
static bool find_bound(struct sqlite *sqlite, struct text before, size_t slice,
                       struct ulid *bound_out, struct error *error) {
    struct query query = query_start(sqlite, "SELECT id FROM incident INDEXED BY incident_search"
                                             " WHERE id < ? ORDER BY id DESC LIMIT 1 OFFSET ?");
    query_bind_text(&query, before);
    query_bind_number(&query, (int64_t)slice - 1);
    bool is_row = false;
    bool is_ok = query_step(&query, &is_row, error);
    *bound_out = is_ok && is_row ? query_ulid(&query) : (struct ulid){0};
    query_done(&query);
    return is_ok;
}

/* '~' stands behind every id. */
static struct text text_before(const struct ulid *before) {
    return ulid_is_none(before) ? TEXT("~") : ulid_text(before);
}

static struct ulid later_of(struct ulid a, struct ulid b) {
    return strcmp(a.text, b.text) > 0 ? a : b;
}

static void bind_filter(struct query *query, const struct journal_filter *filter) {
    const struct text texts[] = {filter->rule, filter->severity, filter->account,
                                 filter->principal};
    query_bind_number(query, filter->states != 0 ? filter->states : UINT32_MAX);
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        query_bind_text(query, texts[i]);
    }
}

static bool read_rows(struct query *query, size_t limit, struct arena *arena,
                      struct journal_incident **incidents_out, size_t *count_out,
                      struct error *error) {
    struct journal_incident *rows = arena_alloc_array(arena, limit, sizeof(*rows));
    size_t count = 0;
    bool is_row = false;
    bool is_ok = false;
    while ((is_ok = query_step(query, &is_row, error)) && is_row) {
        struct store_incident incident;
        read_incident(query, arena, &incident);
        rows[count++] = incident.shown;
    }
    *incidents_out = rows;
    *count_out = count;
    return is_ok;
}

static bool search_slice(struct sqlite *sqlite, struct text before, struct text bound,
                         const struct journal_filter *filter, size_t limit, struct arena *arena,
                         struct journal_incident **incidents_out, size_t *count_out,
                         struct error *error) {
    struct query query = query_start(
        sqlite,
        "SELECT " INCIDENT_COLUMNS " FROM (SELECT id FROM incident INDEXED BY incident_search"
        " WHERE id < ?6 AND id >= ?7 AND (1 << state) & ?1 AND (?2 = '' OR rule = ?2)"
        " AND (?3 = '' OR severity = ?3) AND (?4 = '' OR account = ?4)"
        " AND (?5 = '' OR principal_id = ?5 OR principal_name = ?5) ORDER BY id DESC LIMIT ?8) f"
        " CROSS JOIN incident i ON i.id = f.id LEFT JOIN event e ON e.id = i.event"
        " ORDER BY i.id DESC");
    bind_filter(&query, filter);
    query_bind_text(&query, before);
    query_bind_text(&query, bound);
    query_bind_number(&query, (int64_t)limit);
    bool is_ok = read_rows(&query, limit, arena, incidents_out, count_out, error);
    query_done(&query);
    return is_ok;
}

static bool incident_search(struct store *store, struct ulid *before,
                            const struct journal_filter *filter, size_t slice, size_t limit,
                            struct arena *arena, struct journal_incident **incidents_out,
                            size_t *count_out, struct error *error) {
    static const uint8_t zeros[ULID_RANDOM_BYTES];
    struct sqlite *sqlite = sqlite_of(store);
    struct ulid since = ulid_make(filter->since_unix_ms, zeros);
    struct ulid until = filter->until_unix_ms > 0 ? ulid_make(filter->until_unix_ms, zeros)
                                                  : (struct ulid){0};
    struct text from = text_before(before);
    struct text first = text_before(&until);
    from = strcmp(from.data, first.data) < 0 ? from : first;
    struct ulid bound = {0};
    if (!find_bound(sqlite, from, slice, &bound, error)) {
        return false;
    }
    struct ulid lowest = later_of(bound, since);
    if (!search_slice(sqlite, from, ulid_text(&lowest), filter, limit, arena, incidents_out,
                      count_out, error)) {
        return false;
    }
    bool is_end = ulid_is_none(&bound) || strcmp(bound.text, since.text) <= 0;
    *before = *count_out == limit ? (*incidents_out)[limit - 1].id
              : is_end            ? (struct ulid){0}
                                  : bound;
    return true;
}

static bool incident_census(struct store *store, struct ulid *before, size_t slice,
                            store_census_fn *census_fn, void *arg, struct error *error) {
    struct sqlite *sqlite = sqlite_of(store);
    struct ulid bound = {0};
    if (!find_bound(sqlite, text_before(before), slice, &bound, error)) {
        return false;
    }
    scoped(arena_free) struct arena *arena = arena_new();
    struct query query = query_start(sqlite, "SELECT rule, state, count(*), max(id)"
                                             " FROM incident INDEXED BY incident_search"
                                             " WHERE id < ? AND id >= ? GROUP BY rule, state");
    query_bind_text(&query, text_before(before));
    query_bind_text(&query, ulid_text(&bound));
    bool is_row = false;
    bool is_ok = false;
    while ((is_ok = query_step(&query, &is_row, error)) && is_row) {
        struct text rule = query_text(&query, arena);
        int64_t state = query_number(&query);
        int64_t count = query_number(&query);
        struct ulid latest = query_ulid(&query);
        if (state >= 0 && state < INCIDENT_STATES) {
            census_fn(arg, rule, (enum incident_state)state, (uint64_t)count, &latest);
        }
    }
    query_done(&query);
    *before = bound;
    return is_ok;
}

/* ---- tasks ---- */

static bool task_insert(struct store *store, const struct store_task *task, int64_t *id_out,
                        struct error *error) {
    struct sqlite *sqlite = sqlite_of(store);
    struct query query = query_start(
        sqlite, "INSERT INTO task (id, incident, event, kind, priority, attempt, due, playbook,"
                " lane, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_bind_number(&query, ++sqlite->last_task_id);
    query_bind_text(&query, ulid_text(&task->incident));
    query_bind_number(&query, task->event_id);
    query_bind_number(&query, task->kind);
    query_bind_number(&query, task->priority);
    query_bind_number(&query, task->attempt);
    query_bind_number(&query, task->due_unix_ms);
    query_bind_text(&query, task->playbook);
    query_bind_text(&query, task->lane);
    query_bind_text(&query, task->detail);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    if (is_ok) {
        *id_out = sqlite->last_task_id;
    }
    return is_ok;
}

static void read_task(struct query *query, struct arena *arena, struct store_task *task_out) {
    task_out->id = query_number(query);
    task_out->incident = query_ulid(query);
    task_out->event_id = query_number(query);
    task_out->kind = (enum task_kind)query_number(query);
    task_out->priority = (enum task_priority)query_number(query);
    task_out->attempt = (unsigned)query_number(query);
    task_out->due_unix_ms = query_number(query);
    task_out->playbook = query_text(query, arena);
    task_out->lane = query_text(query, arena);
    task_out->detail = query_text(query, arena);
}

static bool task_read(struct store *store, int64_t id, struct arena *arena,
                      struct store_task *task_out, bool *is_found_out, struct error *error) {
    struct query query = query_start(
        sqlite_of(store),
        "SELECT id, incident, event, kind, priority, attempt, due, playbook, lane,"
        " detail FROM task WHERE id = ?");
    query_bind_number(&query, id);
    bool is_ok = query_step(&query, is_found_out, error);
    if (is_ok && *is_found_out) {
        read_task(&query, arena, task_out);
    }
    query_done(&query);
    return is_ok;
}

static bool task_update(struct store *store, int64_t id, int64_t due_unix_ms, unsigned attempt,
                        struct text detail, struct error *error) {
    bool keeps_detail = detail.data == NULL;
    struct query query =
        keeps_detail
            ? query_start(sqlite_of(store), "UPDATE task SET due = ?, attempt = ? WHERE id = ?")
            : query_start(sqlite_of(store),
                          "UPDATE task SET due = ?, attempt = ?, detail = ? WHERE id = ?");
    query_bind_number(&query, due_unix_ms);
    query_bind_number(&query, attempt);
    if (!keeps_detail) {
        query_bind_text(&query, detail);
    }
    query_bind_number(&query, id);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static bool task_delete(struct store *store, int64_t id, struct error *error) {
    struct query query = query_start(sqlite_of(store), "DELETE FROM task WHERE id = ?");
    query_bind_number(&query, id);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static bool task_each(struct store *store, store_task_fn *task_fn, void *arg, struct error *error) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct query query = query_start(
        sqlite_of(store), "SELECT t.id, t.incident, t.event, t.kind, t.priority, t.attempt, t.due,"
                          " t.playbook, t.lane, t.detail, i.state"
                          " FROM task t JOIN incident i ON i.id = t.incident ORDER BY t.id");
    bool is_row = false;
    bool is_ok = false;
    while ((is_ok = query_step(&query, &is_row, error)) && is_row) {
        struct store_task task = {0};
        arena_reset(arena);
        read_task(&query, arena, &task);
        task_fn(arg, &task, (enum incident_state)query_number(&query));
    }
    query_done(&query);
    return is_ok;
}

/* ---- retention ---- */

static bool retention_find(struct store *store, struct ulid *cursor, int64_t until_unix_ms,
                           size_t limit, struct arena *arena, struct ulid **incidents_out,
                           size_t *count_out, struct error *error) {
    struct ulid *found = arena_alloc_array(arena, limit, sizeof(*found));
    size_t count = 0;
    size_t looked_at = 0;
    struct ulid last = {{0}};
    struct query query = query_start(
        sqlite_of(store),
        "SELECT id, updated < ? AND state NOT IN (0, 5, 8) AND NOT EXISTS (SELECT 1 FROM owner o"
        " JOIN effect f ON f.id = o.effect WHERE o.incident = incident.id AND f.is_containing)"
        " FROM incident WHERE id > ? ORDER BY id LIMIT ?");
    query_bind_number(&query, until_unix_ms);
    query_bind_text(&query, ulid_text(cursor));
    query_bind_number(&query, (int64_t)limit);
    bool is_row = false;
    bool is_ok = false;
    while ((is_ok = query_step(&query, &is_row, error)) && is_row) {
        last = query_ulid(&query);
        looked_at++;
        if (query_number(&query) != 0) {
            found[count++] = last;
        }
    }
    query_done(&query);
    if (is_ok) {
        /* Ids are in the order of time: behind one that is too young are younger ones. */
        bool is_end = looked_at < limit || ulid_unix_ms(&last) >= until_unix_ms;
        *cursor = is_end ? (struct ulid){{0}} : last;
        *incidents_out = found;
        *count_out = count;
    }
    return is_ok;
}

_Static_assert(INCIDENT_DETECTED == 0 && INCIDENT_RELEASING == 8, "retention_find says so");

static bool delete_by_incident(struct sqlite *sqlite, const char *text, const struct ulid *incident,
                               struct error *error) {
    struct query query = query_start(sqlite, text);
    query_bind_text(&query, ulid_text(incident));
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static bool retention_delete(struct store *store, const struct ulid *incident,
                             struct error *error) {
    static const char *const texts[] = {
        "UPDATE effect SET owners = owners - 1"
        " WHERE id IN (SELECT effect FROM owner WHERE incident = ?)",
        "DELETE FROM effect WHERE owners <= 0"
        " AND id IN (SELECT effect FROM owner WHERE incident = ?)",
        "DELETE FROM owner WHERE incident = ?",
        "DELETE FROM call WHERE incident = ?",
        "DELETE FROM event WHERE incidents <= 1"
        " AND id = (SELECT event FROM incident WHERE id = ?)",
        "UPDATE event SET incidents = incidents - 1"
        " WHERE id = (SELECT event FROM incident WHERE id = ?)",
        "DELETE FROM incident WHERE id = ?",
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        if (!delete_by_incident(sqlite_of(store), texts[i], incident, error)) {
            return false;
        }
    }
    return true;
}

/* Gives back pages, but keeps some for what comes next. */
static bool vacuum_some(struct sqlite *sqlite, struct error *error) {
    int64_t free_pages = 0;
    return sqlite_number(sqlite, "PRAGMA freelist_count", &free_pages, error) &&
           (free_pages < 512 || sqlite_run(sqlite, "PRAGMA incremental_vacuum(32)", error));
}

static bool retention_events(struct store *store, int64_t until_unix_ms, size_t limit,
                             struct error *error) {
    struct query query = query_start(sqlite_of(store),
                                     "DELETE FROM event WHERE id IN (SELECT id FROM event"
                                     " WHERE incidents = 0 AND received < ? LIMIT ?)");
    query_bind_number(&query, until_unix_ms);
    query_bind_number(&query, (int64_t)limit);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok && vacuum_some(sqlite_of(store), error);
}

void sqlite_fill_events(struct store *store) {
    store->event_insert = event_insert;
    store->event_incidents = event_incidents;
    store->event_read = event_read;
    store->definition_insert = definition_insert;
    store->definition_read = definition_read;
    store->incident_insert = incident_insert;
    store->incident_read = incident_read;
    store->incident_update = incident_update;
    store->incident_plan = incident_plan;
    store->incident_find_open = incident_find_open;
    store->incident_joined = incident_joined;
    store->incident_search = incident_search;
    store->incident_census = incident_census;
    store->task_insert = task_insert;
    store->task_read = task_read;
    store->task_update = task_update;
    store->task_delete = task_delete;
    store->task_each = task_each;
    store->retention_find = retention_find;
    store->retention_delete = retention_delete;
    store->retention_events = retention_events;
}
