/* For tests: the same promises as a database but one, that anything is there after the end. Rows
 * are never changed, only replaced, and a log of the replacements takes them back. */
#include "store.h"

#include "riposte/base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct owner {
    struct ulid incident;
    int64_t effect_id;
};

struct reservation {
    struct text scope, target;
    int64_t drawn_unix_ms;
};

struct row {
    struct arena *arena; /* holds it and its texts */
    int64_t id;
    struct blob *blob; /* a reference */
    union {
        struct store_event event;
        uint8_t definition_hash[JOURNAL_HASH_BYTES];
        struct store_incident incident;
        struct store_task task;
        struct store_call call;
        struct store_effect effect;
        struct owner owner;
        struct reservation reservation;
        struct store_sighting sighting;
        struct journal_audit_line line;
        struct store_key key;
    };
};

enum table_name {
    TABLE_EVENT,
    TABLE_DEFINITION,
    TABLE_INCIDENT,
    TABLE_TASK,
    TABLE_CALL,
    TABLE_EFFECT,
    TABLE_OWNER,
    TABLE_RESERVATION,
    TABLE_SIGHTING,
    TABLE_AUDIT,
    TABLE_KEY,
    TABLE_COUNT,
};

struct table {
    struct row **rows; /* in the order of their ids */
    size_t count, capacity;
    int64_t last_id;
};

/* One replacement: before NULL: it was added; after NULL: it was deleted. */
struct replacement {
    struct table *table;
    struct row *before, *after;
};

struct memory {
    struct store store; /* first: what the journal sees */
    struct table tables[TABLE_COUNT];
    struct replacement *log;
    size_t log_count, log_capacity;
    size_t savepoint;
};

static struct memory *memory_of(struct store *store) {
    return (struct memory *)(void *)store;
}

static struct table *table_of(struct store *store, enum table_name name) {
    return &memory_of(store)->tables[name];
}

/* ---- rows ---- */

static struct row *row_new(void) {
    struct arena *arena = arena_new();
    struct row *row = arena_alloc(arena, sizeof(*row));
    row->arena = arena;
    return row;
}

static void row_free(struct row *row) {
    if (row != NULL) {
        struct arena *arena = row->arena;
        blob_unref(&row->blob);
        arena_free(&arena);
    }
}

static size_t index_of(const struct table *table, int64_t id) {
    size_t index = table->count;
    while (index > 0 && table->rows[index - 1]->id >= id) {
        index--;
    }
    return index;
}

/* Puts `after` where `before` was, either may be NULL, and logs nothing. */
static void swap(struct table *table, const struct row *before, struct row *after) {
    size_t index = index_of(table, before != NULL ? before->id : after->id);
    if (before != NULL && after != NULL) {
        table->rows[index] = after;
        return;
    }
    size_t behind = table->count - index;
    if (before != NULL) {
        memmove(&table->rows[index], &table->rows[index + 1], (behind - 1) * sizeof(struct row *));
        table->count--;
        return;
    }
    table->rows = memory_grow_array(table->rows, &table->capacity, table->count + 1,
                                    sizeof(struct row *));
    memmove(&table->rows[index + 1], &table->rows[index], behind * sizeof(struct row *));
    table->rows[index] = after;
    table->count++;
}

static void replace(struct store *store, struct table *table, struct row *before,
                    struct row *after) {
    struct memory *memory = memory_of(store);
    swap(table, before, after);
    memory->log = memory_grow_array(memory->log, &memory->log_capacity, memory->log_count + 1,
                                    sizeof(struct replacement));
    memory->log[memory->log_count++] = (struct replacement){table, before, after};
}

static int64_t add_row(struct store *store, enum table_name name, struct row *row) {
    struct table *table = table_of(store, name);
    row->id = ++table->last_id;
    replace(store, table, NULL, row);
    return row->id;
}

/* A copy to be changed and put in its place by replace(). */
static struct row *copy_row(const struct row *row) {
    struct row *copy = row_new();
    struct arena *arena = copy->arena;
    *copy = *row;
    copy->arena = arena;
    blob_ref(copy->blob);
    return copy;
}

static struct row *find_id(struct table *table, int64_t id) {
    size_t index = index_of(table, id);
    bool is_there = index < table->count && table->rows[index]->id == id;
    return is_there ? table->rows[index] : NULL;
}

/* ---- transactions ---- */

static bool begin(struct store *store, struct error *error) {
    (void)error;
    assert(memory_of(store)->log_count == 0);
    return true;
}

static bool commit(struct store *store, struct error *error) {
    (void)error;
    struct memory *memory = memory_of(store);
    for (size_t i = 0; i < memory->log_count; i++) {
        row_free(memory->log[i].before);
    }
    memory->log_count = 0;
    return true;
}

static void roll_back_to(struct memory *memory, size_t log_count) {
    while (memory->log_count > log_count) {
        struct replacement *last = &memory->log[--memory->log_count];
        swap(last->table, last->after, last->before);
        row_free(last->after);
    }
}

static void rollback(struct store *store) {
    roll_back_to(memory_of(store), 0);
}

static bool savepoint(struct store *store, struct error *error) {
    (void)error;
    memory_of(store)->savepoint = memory_of(store)->log_count;
    return true;
}

static bool savepoint_release(struct store *store, struct error *error) {
    (void)store;
    (void)error;
    return true;
}

static bool savepoint_rollback(struct store *store, struct error *error) {
    (void)error;
    roll_back_to(memory_of(store), memory_of(store)->savepoint);
    return true;
}

static bool reopen(struct store *store, struct error *error) {
    (void)error;
    rollback(store);
    return true;
}

static bool touch(struct store *store, int64_t unix_ms, struct error *error) {
    (void)store;
    (void)unix_ms;
    (void)error;
    return true;
}

static void tidy(struct store *store, bool is_idle) {
    (void)store;
    (void)is_idle;
}

static void close_store(struct store *store) {
    struct memory *memory = memory_of(store);
    rollback(store);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        for (size_t j = 0; j < memory->tables[i].count; j++) {
            row_free(memory->tables[i].rows[j]);
        }
        free(memory->tables[i].rows);
    }
    free(memory->log);
    free(memory);
}

/* ---- texts, into an arena ---- */

static void keep(struct arena *arena, struct text **texts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        *texts[i] = arena_copy_text(arena, *texts[i]);
    }
}

static void keep_incident(struct arena *arena, struct journal_incident *row) {
    struct text *texts[] = {
        &row->rule,         &row->subject,        &row->severity, &row->reason, &row->event_key,
        &row->principal_id, &row->principal_name, &row->account,  &row->region, &row->plan};
    keep(arena, texts, ARRAY_COUNT(texts));
}

static void keep_task(struct arena *arena, struct store_task *row) {
    struct text *texts[] = {&row->playbook, &row->lane, &row->detail};
    keep(arena, texts, ARRAY_COUNT(texts));
}

static void keep_call(struct arena *arena, struct journal_call *row) {
    struct text *texts[] = {
        &row->key,         &row->playbook,       &row->step,          &row->service,
        &row->operation,   &row->account,        &row->region,        &row->request,
        &row->inverse,     &row->answer,         &row->error_code,    &row->reason,
        &row->effect.name, &row->effect.account, &row->effect.target,
    };
    keep(arena, texts, ARRAY_COUNT(texts));
}

static void keep_effect(struct arena *arena, struct store_effect *row) {
    struct text *texts[] = {&row->name.account, &row->name.target, &row->name.name, &row->playbook,
                            &row->step,         &row->request,     &row->inverse};
    keep(arena, texts, ARRAY_COUNT(texts));
}

static void keep_line(struct arena *arena, struct journal_audit_line *row) {
    struct text *texts[] = {&row->event, &row->incident, &row->actor, &row->text};
    keep(arena, texts, ARRAY_COUNT(texts));
}

static bool is_same(const struct ulid *a, const struct ulid *b) {
    return strcmp(a->text, b->text) == 0;
}

/* ---- events and definitions ---- */

static struct row *find_event(struct table *events, struct text key) {
    for (size_t i = 0; i < events->count; i++) {
        if (text_equal(events->rows[i]->event.key, key)) {
            return events->rows[i];
        }
    }
    return NULL;
}

static bool event_insert(struct store *store, const struct store_event *event, int64_t *id_out,
                         struct error *error) {
    (void)error;
    if (find_event(table_of(store, TABLE_EVENT), event->key) != NULL) {
        *id_out = 0;
        return true;
    }
    struct row *row = row_new();
    row->event = *event;
    row->event.key = arena_copy_text(row->arena, event->key);
    row->blob = blob_ref(event->body);
    *id_out = add_row(store, TABLE_EVENT, row);
    return true;
}

static bool event_incidents(struct store *store, int64_t id, uint32_t incident_count,
                            struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_EVENT);
    struct row *before = find_id(table, id);
    struct row *row = row_new();
    row->id = id;
    row->event = before->event;
    row->event.key = arena_copy_text(row->arena, before->event.key);
    row->event.incident_count = incident_count;
    row->blob = blob_ref(before->blob);
    replace(store, table, before, row);
    return true;
}

static bool event_read(struct store *store, int64_t id, struct text key, struct arena *arena,
                       struct store_event *event_out, struct error *error) {
    (void)error;
    struct table *events = table_of(store, TABLE_EVENT);
    const struct row *row = id != 0 ? find_id(events, id) : find_event(events, key);
    if (row != NULL) {
        *event_out = row->event;
        event_out->id = row->id;
        event_out->key = arena_copy_text(arena, row->event.key);
        event_out->body = blob_ref(row->blob);
    }
    return true;
}

static struct row *find_definition(struct store *store, const uint8_t hash[JOURNAL_HASH_BYTES]) {
    struct table *table = table_of(store, TABLE_DEFINITION);
    for (size_t i = 0; i < table->count; i++) {
        if (memcmp(table->rows[i]->definition_hash, hash, JOURNAL_HASH_BYTES) == 0) {
            return table->rows[i];
        }
    }
    return NULL;
}

static bool definition_insert(struct store *store, const struct journal_definition *definition,
                              struct error *error) {
    (void)error;
    if (find_definition(store, definition->hash) == NULL) {
        struct row *row = row_new();
        memcpy(row->definition_hash, definition->hash, JOURNAL_HASH_BYTES);
        row->blob = blob_ref(definition->text);
        add_row(store, TABLE_DEFINITION, row);
    }
    return true;
}

static bool definition_read(struct store *store, const uint8_t hash[JOURNAL_HASH_BYTES],
                            struct blob **text_out, struct error *error) {
    (void)error;
    const struct row *row = find_definition(store, hash);
    *text_out = row != NULL ? blob_ref(row->blob) : NULL;
    return true;
}

/* ---- incidents ---- */

static struct row *find_incident(struct store *store, const struct ulid *id) {
    struct table *table = table_of(store, TABLE_INCIDENT);
    for (size_t i = 0; i < table->count; i++) {
        if (is_same(&table->rows[i]->incident.shown.id, id)) {
            return table->rows[i];
        }
    }
    return NULL;
}

static bool incident_insert(struct store *store, const struct store_incident *incident,
                            struct error *error) {
    if (find_incident(store, &incident->shown.id) != NULL) {
        return error_set(error, ERROR_INVALID, "incident %s is there already",
                         incident->shown.id.text);
    }
    struct row *row = row_new();
    row->incident = *incident;
    keep_incident(row->arena, &row->incident.shown);
    add_row(store, TABLE_INCIDENT, row);
    return true;
}

static void take_incident(const struct row *row, struct arena *arena,
                          struct store_incident *incident_out) {
    *incident_out = row->incident;
    keep_incident(arena, &incident_out->shown);
}

static bool incident_read(struct store *store, const struct ulid *id, struct arena *arena,
                          struct store_incident *incident_out, bool *is_found_out,
                          struct error *error) {
    (void)error;
    const struct row *row = find_incident(store, id);
    *is_found_out = row != NULL;
    if (row != NULL) {
        take_incident(row, arena, incident_out);
    }
    return true;
}

static bool incident_update(struct store *store, const struct store_incident *incident,
                            struct error *error) {
    (void)error;
    struct row *before = find_incident(store, &incident->shown.id);
    struct row *after = copy_row(before);
    after->incident = *incident;
    after->incident.shown.plan = before->incident.shown.plan;
    keep_incident(after->arena, &after->incident.shown);
    replace(store, table_of(store, TABLE_INCIDENT), before, after);
    return true;
}

static bool incident_plan(struct store *store, const struct ulid *id, struct text plan,
                          struct error *error) {
    (void)error;
    struct row *before = find_incident(store, id);
    struct row *after = copy_row(before);
    after->incident.shown.plan = plan;
    keep_incident(after->arena, &after->incident.shown);
    replace(store, table_of(store, TABLE_INCIDENT), before, after);
    return true;
}

static bool is_open(enum incident_state state) {
    return state == INCIDENT_OBSERVED || state == INCIDENT_HELD || state == INCIDENT_RESPONDING ||
           state == INCIDENT_DONE;
}

static bool is_later(const struct journal_incident *a, const struct journal_incident *b) {
    return a->created_unix_ms > b->created_unix_ms ||
           (a->created_unix_ms == b->created_unix_ms && strcmp(a->id.text, b->id.text) > 0);
}

static bool incident_find_open(struct store *store, struct text rule, struct text subject,
                               int64_t created_after_unix_ms, struct arena *arena,
                               struct store_incident *incident_out, bool *is_found_out,
                               struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_INCIDENT);
    const struct row *latest = NULL;
    for (size_t i = 0; i < table->count; i++) {
        const struct journal_incident *shown = &table->rows[i]->incident.shown;
        if (is_open(shown->state) && text_equal(shown->rule, rule) &&
            text_equal(shown->subject, subject) && shown->created_unix_ms > created_after_unix_ms &&
            (latest == NULL || is_later(shown, &latest->incident.shown))) {
            latest = table->rows[i];
        }
    }
    *is_found_out = latest != NULL;
    if (latest != NULL) {
        take_incident(latest, arena, incident_out);
    }
    return true;
}

static int compare_oldest_first(const void *a, const void *b) {
    return strcmp(((const struct store_incident *)a)->shown.id.text,
                  ((const struct store_incident *)b)->shown.id.text);
}

static bool incident_joined(struct store *store, const struct ulid *id, struct arena *arena,
                            struct store_incident **incidents_out, size_t *count_out,
                            struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_INCIDENT);
    struct store_incident *incidents = arena_alloc_array(arena, table->count, sizeof(*incidents));
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++) {
        if (is_same(&table->rows[i]->incident.shown.joined_to, id)) {
            take_incident(table->rows[i], arena, &incidents[count++]);
        }
    }
    if (count > 0) {
        qsort(incidents, count, sizeof(*incidents), compare_oldest_first);
    }
    *incidents_out = incidents;
    *count_out = count;
    return true;
}

static int compare_newest_first(const void *a, const void *b) {
    return strcmp(((const struct journal_incident *)b)->id.text,
                  ((const struct journal_incident *)a)->id.text);
}

static bool passes(const struct journal_incident *shown, const struct journal_filter *filter) {
    const struct {
        struct text wanted, has, has_too;
    } tests[] = {
        {filter->rule, shown->rule, shown->rule},
        {filter->severity, shown->severity, shown->severity},
        {filter->account, shown->account, shown->account},
        {filter->principal, shown->principal_id, shown->principal_name},
    };
    int64_t made_unix_ms = ulid_unix_ms(&shown->id);
    bool is_fit = (filter->states == 0 || (filter->states & (1u << shown->state)) != 0) &&
                  made_unix_ms >= filter->since_unix_ms &&
                  (filter->until_unix_ms == 0 || made_unix_ms < filter->until_unix_ms);
    for (size_t i = 0; i < ARRAY_COUNT(tests); i++) {
        is_fit = is_fit &&
                 (tests[i].wanted.bytes == 0 || text_equal(tests[i].wanted, tests[i].has) ||
                  text_equal(tests[i].wanted, tests[i].has_too));
    }
    return is_fit;
}

/* Everything is one slice. */
static bool incident_search(struct store *store, struct ulid *before,
                            const struct journal_filter *filter, size_t slice, size_t limit,
                            struct arena *arena, struct journal_incident **incidents_out,
                            size_t *count_out, struct error *error) {
    (void)slice;
    (void)error;
    struct table *table = table_of(store, TABLE_INCIDENT);
    struct journal_incident *found = arena_alloc_array(arena, table->count + 1, sizeof(*found));
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct journal_incident *shown = &table->rows[i]->incident.shown;
        bool is_before = ulid_is_none(before) || strcmp(shown->id.text, before->text) < 0;
        if (is_before && passes(shown, filter)) {
            found[count] = *shown;
            found[count].plan = (struct text){NULL, 0};
            keep_incident(arena, &found[count++]);
        }
    }
    qsort(found, count, sizeof(*found), compare_newest_first);
    *incidents_out = found;
    *count_out = count < limit ? count : limit;
    *before = count >= limit ? found[limit - 1].id : (struct ulid){0};
    return true;
}

static bool incident_census(struct store *store, struct ulid *before, size_t slice,
                            store_census_fn *census_fn, void *arg, struct error *error) {
    (void)slice;
    (void)error;
    struct table *table = table_of(store, TABLE_INCIDENT);
    for (size_t i = 0; i < table->count; i++) {
        const struct journal_incident *shown = &table->rows[i]->incident.shown;
        census_fn(arg, shown->rule, shown->state, 1, &shown->id);
    }
    *before = (struct ulid){0};
    return true;
}

/* ---- tasks ---- */

static bool task_insert(struct store *store, const struct store_task *task, int64_t *id_out,
                        struct error *error) {
    (void)error;
    struct row *row = row_new();
    row->task = *task;
    keep_task(row->arena, &row->task);
    *id_out = add_row(store, TABLE_TASK, row);
    row->task.id = *id_out;
    return true;
}

static bool task_read(struct store *store, int64_t id, struct arena *arena,
                      struct store_task *task_out, bool *is_found_out, struct error *error) {
    (void)error;
    const struct row *row = find_id(table_of(store, TABLE_TASK), id);
    *is_found_out = row != NULL;
    if (row != NULL) {
        *task_out = row->task;
        keep_task(arena, task_out);
    }
    return true;
}

static bool task_update(struct store *store, int64_t id, int64_t due_unix_ms, unsigned attempt,
                        struct text detail, struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_TASK);
    struct row *before = find_id(table, id);
    if (before == NULL) {
        return true;
    }
    struct row *after = copy_row(before);
    after->task.due_unix_ms = due_unix_ms;
    after->task.attempt = attempt;
    after->task.detail = detail.data != NULL ? detail : before->task.detail;
    keep_task(after->arena, &after->task);
    replace(store, table, before, after);
    return true;
}

static bool task_delete(struct store *store, int64_t id, struct error *error) {
    (void)error;
    struct row *row = find_id(table_of(store, TABLE_TASK), id);
    if (row != NULL) {
        replace(store, table_of(store, TABLE_TASK), row, NULL);
    }
    return true;
}

static bool task_each(struct store *store, store_task_fn *task_fn, void *arg, struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_TASK);
    for (size_t i = 0; i < table->count; i++) {
        const struct store_task *task = &table->rows[i]->task;
        task_fn(arg, task, find_incident(store, &task->incident)->incident.shown.state);
    }
    return true;
}

/* ---- calls ---- */

static bool call_insert(struct store *store, const struct store_call *call, int64_t *id_out,
                        struct error *error) {
    (void)error;
    struct row *row = row_new();
    row->call = *call;
    keep_call(row->arena, &row->call.shown);
    *id_out = add_row(store, TABLE_CALL, row);
    row->call.shown.id = *id_out;
    return true;
}

static bool call_find(struct store *store, const struct ulid *incident, struct text key,
                      struct arena *arena, struct journal_call *call_out, bool *is_found_out,
                      struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_CALL);
    *is_found_out = false;
    for (size_t i = 0; i < table->count && !*is_found_out; i++) {
        const struct store_call *call = &table->rows[i]->call;
        if (is_same(&call->incident, incident) && text_equal(call->shown.key, key)) {
            *call_out = call->shown;
            keep_call(arena, call_out);
            *is_found_out = true;
        }
    }
    return true;
}

static bool call_update(struct store *store, const struct journal_call *call, struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_CALL);
    struct row *before = find_id(table, call->id);
    struct row *after = copy_row(before);
    after->call.shown = *call;
    keep_call(after->arena, &after->call.shown);
    replace(store, table, before, after);
    return true;
}

static bool call_is_pending(struct store *store, const struct ulid *incident,
                            const struct journal_intent *intent, bool *is_pending_out,
                            struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_CALL);
    *is_pending_out = false;
    for (size_t i = 0; i < table->count; i++) {
        const struct journal_call *call = &table->rows[i]->call.shown;
        *is_pending_out = *is_pending_out || (is_same(&table->rows[i]->call.incident, incident) &&
                                              call->state == CALL_INTENT &&
                                              text_equal(call->service, intent->service) &&
                                              text_equal(call->operation, intent->operation) &&
                                              text_equal(call->account, intent->account) &&
                                              text_equal(call->region, intent->region) &&
                                              text_equal(call->request, intent->request));
    }
    return true;
}

static bool call_list(struct store *store, const struct ulid *incident, struct arena *arena,
                      struct journal_call **calls_out, size_t *count_out, struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_CALL);
    struct journal_call *calls = arena_alloc_array(arena, table->count, sizeof(*calls));
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++) {
        if (is_same(&table->rows[i]->call.incident, incident)) {
            calls[count] = table->rows[i]->call.shown;
            keep_call(arena, &calls[count++]);
        }
    }
    *calls_out = calls;
    *count_out = count;
    return true;
}

/* ---- effects and their owners ---- */

static bool has_name(const struct store_effect *effect, const struct journal_effect_name *name) {
    return text_equal(effect->name.account, name->account) &&
           text_equal(effect->name.target, name->target) &&
           text_equal(effect->name.name, name->name);
}

static struct row *find_effect(struct store *store, int64_t id,
                               const struct journal_effect_name *name) {
    struct table *table = table_of(store, TABLE_EFFECT);
    if (id != 0) {
        return find_id(table, id);
    }
    for (size_t i = 0; i < table->count; i++) {
        if (has_name(&table->rows[i]->effect, name)) {
            return table->rows[i];
        }
    }
    return NULL;
}

static bool effect_find(struct store *store, int64_t id, const struct journal_effect_name *name,
                        struct arena *arena, struct store_effect *effect_out, bool *is_found_out,
                        struct error *error) {
    (void)error;
    const struct row *row = find_effect(store, id, name);
    *is_found_out = row != NULL;
    if (row != NULL) {
        *effect_out = row->effect;
        keep_effect(arena, effect_out);
    }
    return true;
}

static bool effect_insert(struct store *store, const struct store_effect *effect, int64_t *id_out,
                          struct error *error) {
    if (find_effect(store, 0, &effect->name) != NULL) {
        return error_set(error, ERROR_INVALID, "the effect is there already");
    }
    struct row *row = row_new();
    row->effect = *effect;
    keep_effect(row->arena, &row->effect);
    *id_out = add_row(store, TABLE_EFFECT, row);
    row->effect.id = *id_out;
    return true;
}

static bool effect_update(struct store *store, const struct store_effect *effect,
                          struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_EFFECT);
    struct row *before = find_id(table, effect->id);
    struct row *after = copy_row(before);
    after->effect = *effect;
    keep_effect(after->arena, &after->effect);
    replace(store, table, before, after);
    return true;
}

static bool effect_delete(struct store *store, int64_t id, struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_EFFECT);
    struct row *row = find_id(table, id);
    if (row != NULL) {
        replace(store, table, row, NULL);
    }
    return true;
}

static struct row *find_owner(struct store *store, const struct ulid *incident, int64_t effect_id) {
    struct table *table = table_of(store, TABLE_OWNER);
    for (size_t i = 0; i < table->count; i++) {
        const struct owner *owner = &table->rows[i]->owner;
        if (owner->effect_id == effect_id && is_same(&owner->incident, incident)) {
            return table->rows[i];
        }
    }
    return NULL;
}

static bool effect_list(struct store *store, const struct ulid *incident, struct arena *arena,
                        struct journal_effect **effects_out, size_t *count_out,
                        struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_EFFECT);
    struct journal_effect *effects = arena_alloc_array(arena, table->count, sizeof(*effects));
    size_t count = 0;
    for (size_t i = table->count; i > 0; i--) {
        if (find_owner(store, incident, table->rows[i - 1]->id) != NULL) {
            struct store_effect effect = table->rows[i - 1]->effect;
            keep_effect(arena, &effect);
            effects[count++] = effect_shown(&effect);
        }
    }
    *effects_out = effects;
    *count_out = count;
    return true;
}

static bool effect_all(struct store *store, struct arena *arena,
                       struct journal_effect **effects_out, size_t *count_out,
                       struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_EFFECT);
    *effects_out = arena_alloc_array(arena, table->count, sizeof(**effects_out));
    *count_out = table->count;
    for (size_t i = 0; i < table->count; i++) {
        struct store_effect effect = table->rows[table->count - 1 - i]->effect;
        keep_effect(arena, &effect);
        (*effects_out)[i] = effect_shown(&effect);
    }
    return true;
}

static bool is_of(struct text target, struct text holder) {
    return text_equal(target, holder) ||
           (text_starts_with(target, holder) && target.data[holder.bytes] == ':');
}

static bool effect_kin(struct store *store, struct text holder, size_t limit, struct arena *arena,
                       struct journal_effect **effects_out, size_t *count_out,
                       struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_EFFECT);
    struct journal_effect *effects = arena_alloc_array(arena, table->count, sizeof(*effects));
    size_t count = 0;
    for (size_t i = table->count; i > 0 && count < limit; i--) {
        struct store_effect effect = table->rows[i - 1]->effect;
        if (effect.is_containing && effect.state != EFFECT_RELEASING &&
            is_of(effect.name.target, holder)) {
            keep_effect(arena, &effect);
            effects[count++] = effect_shown(&effect);
        }
    }
    *effects_out = effects;
    *count_out = count;
    return true;
}

static bool owner_add(struct store *store, const struct ulid *incident, int64_t effect_id,
                      bool *is_changed_out, struct error *error) {
    (void)error;
    *is_changed_out = find_owner(store, incident, effect_id) == NULL;
    if (*is_changed_out) {
        struct row *row = row_new();
        row->owner = (struct owner){*incident, effect_id};
        add_row(store, TABLE_OWNER, row);
    }
    return true;
}

static bool owner_remove(struct store *store, const struct ulid *incident, int64_t effect_id,
                         bool *is_changed_out, struct error *error) {
    (void)error;
    struct row *row = find_owner(store, incident, effect_id);
    *is_changed_out = row != NULL;
    if (row != NULL) {
        replace(store, table_of(store, TABLE_OWNER), row, NULL);
    }
    return true;
}

static bool owner_is(struct store *store, const struct ulid *incident, int64_t effect_id,
                     bool *is_owner_out, struct error *error) {
    (void)error;
    *is_owner_out = find_owner(store, incident, effect_id) != NULL;
    return true;
}

/* ---- limits, audit, keys ---- */

static bool reservation_count(struct store *store, struct text scope, struct text target,
                              int64_t until_unix_ms, bool *has_drawn_out, uint32_t *count_out,
                              struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_RESERVATION);
    *has_drawn_out = false;
    *count_out = 0;
    for (size_t i = table->count; i > 0; i--) {
        struct row *row = table->rows[i - 1];
        if (!text_equal(row->reservation.scope, scope)) {
            continue;
        }
        if (row->reservation.drawn_unix_ms <= until_unix_ms) {
            replace(store, table, row, NULL);
            continue;
        }
        *has_drawn_out = *has_drawn_out || text_equal(row->reservation.target, target);
        ++*count_out;
    }
    return true;
}

static bool reservation_insert(struct store *store, struct text scope, struct text target,
                               int64_t unix_ms, struct error *error) {
    (void)error;
    struct row *row = row_new();
    row->reservation = (struct reservation){
        .scope = arena_copy_text(row->arena, scope),
        .target = arena_copy_text(row->arena, target),
        .drawn_unix_ms = unix_ms,
    };
    add_row(store, TABLE_RESERVATION, row);
    return true;
}

/* ---- thresholds ---- */

static struct row *sighting_row(const struct store_sighting *sighting) {
    struct row *row = row_new();
    row->sighting = *sighting;
    row->sighting.rule = arena_copy_text(row->arena, sighting->rule);
    row->sighting.subject = arena_copy_text(row->arena, sighting->subject);
    row->sighting.value = arena_copy_text(row->arena, sighting->value);
    return row;
}

static bool is_beside(const struct row *row, const struct store_sighting *sighting) {
    return text_equal(row->sighting.rule, sighting->rule) &&
           text_equal(row->sighting.subject, sighting->subject);
}

static bool sighting_note(struct store *store, const struct store_sighting *sighting,
                          struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_SIGHTING);
    struct store_sighting latest = *sighting;
    for (size_t i = 0; i < table->count; i++) {
        struct row *row = table->rows[i];
        if (is_beside(row, sighting) && text_equal(row->sighting.value, sighting->value)) {
            latest.seen_unix_ms = row->sighting.seen_unix_ms > latest.seen_unix_ms
                                      ? row->sighting.seen_unix_ms
                                      : latest.seen_unix_ms;
            replace(store, table, row, NULL);
            break;
        }
    }
    add_row(store, TABLE_SIGHTING, sighting_row(&latest));
    return true;
}

static bool sighting_count(struct store *store, const struct store_sighting *sighting,
                           int64_t per_ms, uint32_t *count_out, struct error *error) {
    (void)error;
    const struct table *table = table_of(store, TABLE_SIGHTING);
    int64_t before = sighting->seen_unix_ms + per_ms, latest = INT64_MIN;
    for (size_t i = 0; i < table->count; i++) {
        int64_t seen = table->rows[i]->sighting.seen_unix_ms;
        latest = is_beside(table->rows[i], sighting) && seen < before && seen > latest ? seen
                                                                                       : latest;
    }
    *count_out = 0;
    for (size_t i = 0; i < table->count; i++) {
        int64_t seen = table->rows[i]->sighting.seen_unix_ms;
        *count_out += is_beside(table->rows[i], sighting) && seen < before &&
                      seen > latest - per_ms;
    }
    return true;
}

static struct row *oldest_beside(struct table *table, const struct store_sighting *sighting,
                                 uint32_t *count_out) {
    struct row *oldest = NULL;
    *count_out = 0;
    for (size_t i = 0; i < table->count; i++) {
        struct row *row = table->rows[i];
        if (is_beside(row, sighting)) {
            ++*count_out;
            bool is_older = oldest == NULL ||
                            row->sighting.seen_unix_ms < oldest->sighting.seen_unix_ms;
            oldest = is_older ? row : oldest;
        }
    }
    return oldest;
}

static bool sighting_trim(struct store *store, const struct store_sighting *sighting, uint32_t keep,
                          struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_SIGHTING);
    uint32_t count = 0;
    struct row *oldest = oldest_beside(table, sighting, &count);
    while (count > keep) {
        replace(store, table, oldest, NULL);
        oldest = oldest_beside(table, sighting, &count);
    }
    return true;
}

static bool sighting_purge(struct store *store, int64_t until_unix_ms, struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_SIGHTING);
    for (size_t i = table->count; i > 0; i--) {
        if (table->rows[i - 1]->sighting.until_unix_ms <= until_unix_ms) {
            replace(store, table, table->rows[i - 1], NULL);
        }
    }
    return true;
}

static bool audit_insert(struct store *store, const struct journal_audit_line *line,
                         struct error *error) {
    (void)error;
    struct row *row = row_new();
    row->line = *line;
    keep_line(row->arena, &row->line);
    add_row(store, TABLE_AUDIT, row);
    return true;
}

static bool audit_head(struct store *store, int64_t *sequence_out,
                       uint8_t hash_out[JOURNAL_HASH_BYTES], struct error *error) {
    (void)error;
    const struct table *table = table_of(store, TABLE_AUDIT);
    if (table->count > 0) {
        const struct journal_audit_line *last = &table->rows[table->count - 1]->line;
        *sequence_out = last->sequence;
        memcpy(hash_out, last->hash, JOURNAL_HASH_BYTES);
    }
    return true;
}

static bool audit_list(struct store *store, int64_t after, size_t limit, struct arena *arena,
                       struct journal_audit_line **lines_out, size_t *count_out,
                       struct error *error) {
    (void)error;
    const struct table *table = table_of(store, TABLE_AUDIT);
    struct journal_audit_line *lines = arena_alloc_array(arena, table->count, sizeof(*lines));
    size_t count = 0;
    for (size_t i = 0; i < table->count && count < limit; i++) {
        if (table->rows[i]->line.sequence > after) {
            lines[count] = table->rows[i]->line;
            keep_line(arena, &lines[count++]);
        }
    }
    *lines_out = lines;
    *count_out = count;
    return true;
}

static bool audit_cut(struct store *store, int64_t until_unix_ms, size_t count,
                      struct journal_anchor *last_out, struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_AUDIT);
    if (table->count <= count) {
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        const struct journal_audit_line *line = &table->rows[i]->line;
        struct ulid id;
        bool is_about_one = ulid_parse(line->incident, &id);
        if (line->unix_ms >= until_unix_ms || (is_about_one && find_incident(store, &id) != NULL)) {
            return true;
        }
    }
    const struct journal_audit_line *last = &table->rows[count - 1]->line;
    last_out->sequence = last->sequence;
    memcpy(last_out->hash, last->hash, JOURNAL_HASH_BYTES);
    for (size_t i = 0; i < count; i++) {
        replace(store, table, table->rows[0], NULL);
    }
    return true;
}

static bool key_insert(struct store *store, const struct store_key *key, struct error *error) {
    (void)error;
    struct row *row = row_new();
    row->key = *key;
    row->key.id = arena_copy_text(row->arena, key->id);
    add_row(store, TABLE_KEY, row);
    return true;
}

static bool key_each(struct store *store, store_key_fn *key_fn, void *arg, struct error *error) {
    (void)error;
    const struct table *table = table_of(store, TABLE_KEY);
    for (size_t i = 0; i < table->count; i++) {
        key_fn(arg, table->rows[i]->key.id);
    }
    return true;
}

static bool key_purge(struct store *store, int64_t until_unix_ms, struct error *error) {
    (void)error;
    struct table *table = table_of(store, TABLE_KEY);
    for (size_t i = table->count; i > 0; i--) {
        if (table->rows[i - 1]->key.noted_unix_ms < until_unix_ms) {
            replace(store, table, table->rows[i - 1], NULL);
        }
    }
    return true;
}

/* ---- retention ---- */

static bool owns_containing(struct store *store, const struct ulid *incident) {
    const struct table *table = table_of(store, TABLE_EFFECT);
    for (size_t i = 0; i < table->count; i++) {
        if (table->rows[i]->effect.is_containing &&
            find_owner(store, incident, table->rows[i]->id) != NULL) {
            return true;
        }
    }
    return false;
}

/* All at once: slices are for what is large. */
static bool retention_find(struct store *store, struct ulid *cursor, int64_t until_unix_ms,
                           size_t limit, struct arena *arena, struct ulid **incidents_out,
                           size_t *count_out, struct error *error) {
    (void)error;
    const struct table *table = table_of(store, TABLE_INCIDENT);
    struct ulid *found = arena_alloc_array(arena, limit, sizeof(*found));
    size_t count = 0;
    for (size_t i = 0; i < table->count && count < limit; i++) {
        const struct journal_incident *shown = &table->rows[i]->incident.shown;
        bool is_ended = shown->state != INCIDENT_DETECTED && shown->state != INCIDENT_RESPONDING &&
                        shown->state != INCIDENT_RELEASING;
        if (is_ended && shown->updated_unix_ms < until_unix_ms &&
            !owns_containing(store, &shown->id)) {
            found[count++] = shown->id;
        }
    }
    *cursor = (struct ulid){{0}};
    *incidents_out = found;
    *count_out = count;
    return true;
}

static void forget_effects(struct store *store, const struct ulid *incident) {
    struct table *owners = table_of(store, TABLE_OWNER);
    struct table *effects = table_of(store, TABLE_EFFECT);
    for (size_t i = owners->count; i > 0; i--) {
        struct row *owner = owners->rows[i - 1];
        if (!is_same(&owner->owner.incident, incident)) {
            continue;
        }
        struct row *before = find_id(effects, owner->owner.effect_id);
        struct row *after = copy_row(before);
        keep_effect(after->arena, &after->effect);
        bool is_last = --after->effect.owner_count == 0;
        replace(store, effects, before, is_last ? NULL : after);
        if (is_last) {
            row_free(after);
        }
        replace(store, owners, owner, NULL);
    }
}

static void forget_event(struct store *store, int64_t event_id) {
    struct table *events = table_of(store, TABLE_EVENT);
    struct row *before = find_id(events, event_id);
    if (before->event.incident_count <= 1) {
        replace(store, events, before, NULL);
        return;
    }
    struct row *after = copy_row(before);
    after->event.key = arena_copy_text(after->arena, before->event.key);
    after->event.incident_count--;
    replace(store, events, before, after);
}

static bool retention_delete(struct store *store, const struct ulid *incident,
                             struct error *error) {
    (void)error;
    struct table *calls = table_of(store, TABLE_CALL);
    struct row *row = find_incident(store, incident);
    for (size_t i = calls->count; i > 0; i--) {
        if (is_same(&calls->rows[i - 1]->call.incident, incident)) {
            replace(store, calls, calls->rows[i - 1], NULL);
        }
    }
    forget_effects(store, incident);
    forget_event(store, row->incident.event_id);
    replace(store, table_of(store, TABLE_INCIDENT), row, NULL);
    return true;
}

static bool retention_events(struct store *store, int64_t until_unix_ms, size_t limit,
                             struct error *error) {
    (void)error;
    struct table *events = table_of(store, TABLE_EVENT);
    for (size_t i = events->count; i > 0 && limit > 0; i--) {
        struct row *row = events->rows[i - 1];
        if (row->event.incident_count == 0 && row->event.received_unix_ms < until_unix_ms) {
            replace(store, events, row, NULL);
            limit--;
        }
    }
    return true;
}

static bool backup_start(struct store *store, const char *path, struct error *error) {
    (void)store;
    return error_set(error, ERROR_INVALID, "%s: a journal in memory has no copy", path);
}

struct store *store_open_memory(void) {
    struct memory *memory = memory_new(sizeof(*memory));
    memory->store = (struct store){
        .close = close_store,
        .reopen = reopen,
        .begin = begin,
        .commit = commit,
        .rollback = rollback,
        .savepoint = savepoint,
        .savepoint_release = savepoint_release,
        .savepoint_rollback = savepoint_rollback,
        .touch = touch,
        .tidy = tidy,
        .event_insert = event_insert,
        .event_incidents = event_incidents,
        .event_read = event_read,
        .definition_insert = definition_insert,
        .definition_read = definition_read,
        .incident_insert = incident_insert,
        .incident_read = incident_read,
        .incident_update = incident_update,
        .incident_plan = incident_plan,
        .incident_find_open = incident_find_open,
        .incident_joined = incident_joined,
        .incident_search = incident_search,
        .incident_census = incident_census,
        .task_insert = task_insert,
        .task_read = task_read,
        .task_update = task_update,
        .task_delete = task_delete,
        .task_each = task_each,
        .call_insert = call_insert,
        .call_find = call_find,
        .call_update = call_update,
        .call_is_pending = call_is_pending,
        .call_list = call_list,
        .effect_find = effect_find,
        .effect_insert = effect_insert,
        .effect_update = effect_update,
        .effect_delete = effect_delete,
        .effect_list = effect_list,
        .effect_all = effect_all,
        .effect_kin = effect_kin,
        .owner_add = owner_add,
        .owner_remove = owner_remove,
        .owner_is = owner_is,
        .reservation_count = reservation_count,
        .reservation_insert = reservation_insert,
        .sighting_note = sighting_note,
        .sighting_count = sighting_count,
        .sighting_trim = sighting_trim,
        .sighting_purge = sighting_purge,
        .audit_insert = audit_insert,
        .audit_head = audit_head,
        .audit_list = audit_list,
        .audit_cut = audit_cut,
        .key_insert = key_insert,
        .key_each = key_each,
        .key_purge = key_purge,
        .retention_find = retention_find,
        .retention_delete = retention_delete,
        .retention_events = retention_events,
        .backup_start = backup_start,
    };
    return &memory->store;
}
