#include "ledger.h"

#include <string.h>

void ledger_init(struct ledger *ledger, struct store *store, struct desk *desk,
                 const struct clock *clock) {
    *ledger = (struct ledger){
        .store = store,
        .desk = desk,
        .clock = clock,
        .arena = arena_new(),
        .scratch = BUFFER_INIT,
    };
}

static void forget_definitions(struct ledger *ledger) {
    for (size_t i = 0; i < LEDGER_DEFINITIONS; i++) {
        blob_unref(&ledger->definitions[i].text);
    }
}

void ledger_done(struct ledger *ledger) {
    forget_definitions(ledger);
    arena_free(&ledger->arena);
    buffer_done(&ledger->scratch);
}

struct ledger_mark ledger_mark(struct ledger *ledger) {
    return (struct ledger_mark){ledger->head, desk_mark(ledger->desk)};
}

void ledger_revert(struct ledger *ledger, const struct ledger_mark *mark) {
    ledger->head = mark->head;
    desk_revert(ledger->desk, mark->desk_mark);
    forget_definitions(ledger); /* what was stored since the mark isn't */
}

static void load_task(void *arg, const struct store_task *task, enum incident_state state) {
    struct ledger *ledger = arg;
    const struct desk_task open = {
        .id = task->id,
        .incident = task->incident,
        .event_id = task->event_id,
        .kind = task->kind,
        .priority = task->priority,
        .attempt = task->attempt,
        .due_unix_ms = task->due_unix_ms,
        .lane = task->lane,
        .is_doomed = state == INCIDENT_RELEASING && task->kind != TASK_UNDO &&
                     task->kind != TASK_NOTIFY,
    };
    desk_reload_add(ledger->desk, &open);
}

bool ledger_load(struct ledger *ledger, struct error *error) {
    struct store *store = ledger->store;
    struct ledger_head head = {0};
    forget_definitions(ledger);
    if (!store->audit_head(store, &head.sequence, head.hash, error)) {
        return error_wrap(error, "reading the audit chain");
    }
    ledger->head = head;
    desk_reload_begin(ledger->desk);
    bool is_read = store->task_each(store, load_task, ledger, error);
    if (is_read) {
        desk_reload_end(ledger->desk);
    }
    return is_read || error_wrap(error, "reading the tasks");
}

void ledger_count_head(const struct ledger *ledger, struct journal_numbers *numbers) {
    numbers->sequence = ledger->head.sequence;
    memcpy(numbers->hash, ledger->head.hash, sizeof(numbers->hash));
}

/* ---- definitions ---- */

static struct blob *cached_definition(struct ledger *ledger,
                                      const uint8_t hash[JOURNAL_HASH_BYTES]) {
    for (size_t i = 0; i < LEDGER_DEFINITIONS; i++) {
        const struct ledger_definition *cached = &ledger->definitions[i];
        if (cached->text != NULL && memcmp(cached->hash, hash, JOURNAL_HASH_BYTES) == 0) {
            return cached->text;
        }
    }
    return NULL;
}

static void cache_definition(struct ledger *ledger, const uint8_t hash[JOURNAL_HASH_BYTES],
                             struct blob *text) {
    struct ledger_definition *oldest = &ledger->definitions[ledger->next_definition];
    ledger->next_definition = (ledger->next_definition + 1) % LEDGER_DEFINITIONS;
    blob_unref(&oldest->text);
    oldest->text = blob_ref(text);
    memcpy(oldest->hash, hash, JOURNAL_HASH_BYTES);
}

bool ledger_keep_definition(struct ledger *ledger, const struct journal_definition *definition,
                            struct error *error) {
    if (cached_definition(ledger, definition->hash) != NULL) {
        return true;
    }
    if (!ledger->store->definition_insert(ledger->store, definition, error)) {
        return false;
    }
    cache_definition(ledger, definition->hash, definition->text);
    return true;
}

bool ledger_find_definition(struct ledger *ledger, const uint8_t hash[JOURNAL_HASH_BYTES],
                            struct blob **text_out, struct error *error) {
    struct blob *cached = cached_definition(ledger, hash);
    if (cached != NULL) {
        *text_out = blob_ref(cached);
        return true;
    }
    struct blob *text = NULL;
    if (!ledger->store->definition_read(ledger->store, hash, &text, error)) {
        return false;
    }
    if (text != NULL) {
        cache_definition(ledger, hash, text);
    }
    *text_out = text;
    return true;
}

/* ---- tasks ---- */

static void copy_incident(struct arena *arena, struct journal_incident *incident) {
    struct text *texts[] = {
        &incident->rule,           &incident->subject,   &incident->severity,
        &incident->reason,         &incident->event_key, &incident->principal_id,
        &incident->principal_name, &incident->account,   &incident->region,
        &incident->plan,
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        *texts[i] = arena_copy_text(arena, *texts[i]);
    }
}

struct journal_task *ledger_make_task(const struct store_task *task,
                                      const struct store_incident *incident,
                                      const struct store_event *event, struct blob *definition) {
    struct arena *arena = arena_new();
    struct journal_task *made = arena_alloc(arena, sizeof(*made));
    *made = (struct journal_task){
        .id = task->id,
        .kind = task->kind,
        .attempt = task->attempt,
        .playbook = arena_copy_text(arena, task->playbook),
        .lane = arena_copy_text(arena, task->lane),
        .detail = arena_copy_text(arena, task->detail),
        .incident = incident->shown,
        .event_key = arena_copy_text(arena, event->key),
        .event_unix_ms = event->event_unix_ms,
        .received_unix_ms = event->received_unix_ms,
        .trace = event->trace,
        .event = blob_ref(event->body),
        .definition = blob_ref(definition),
        .arena = arena,
    };
    copy_incident(arena, &made->incident);
    return made;
}

void journal_task_free(struct journal_task **task) {
    if (*task != NULL) {
        struct arena *arena = (*task)->arena; /* the task is in it */
        blob_unref(&(*task)->event);
        blob_unref(&(*task)->definition);
        arena_free(&arena);
        *task = NULL;
    }
}

bool ledger_read_task(struct ledger *ledger, const struct desk_lease *lease,
                      struct journal_task **task_out, struct error *error) {
    struct store *store = ledger->store;
    struct store_task task = {0};
    struct store_incident incident = {0};
    struct store_event event = {0};
    scoped(blob_unref) struct blob *definition = NULL;
    bool has_task = false;
    bool has_incident = false;
    if (!store->task_read(store, lease->id, ledger->arena, &task, &has_task, error)) {
        return false;
    }
    if (has_task && !store->incident_read(store, &task.incident, ledger->arena, &incident,
                                          &has_incident, error)) {
        return false;
    }
    if (has_incident && !store->event_read(store, task.event_id, (struct text){NULL, 0},
                                           ledger->arena, &event, error)) {
        return false;
    }
    scoped(blob_unref) struct blob *body = event.body;
    if (body == NULL) {
        return error_set(error, ERROR_NOT_FOUND, "task %lld has no incident or event any more",
                         (long long)lease->id);
    }
    if (!ledger_find_definition(ledger, incident.shown.definition_hash, &definition, error)) {
        return false;
    }
    *task_out = ledger_make_task(&task, &incident, &event, definition);
    (*task_out)->fence = lease->fence;
    return true;
}

bool ledger_add_task(struct ledger *ledger, struct store_task *task, struct journal_task *ready,
                     uint64_t *fence_out, struct error *error) {
    if (!ledger->store->task_insert(ledger->store, task, &task->id, error)) {
        return false;
    }
    const struct desk_task open = {
        .id = task->id,
        .incident = task->incident,
        .event_id = task->event_id,
        .kind = task->kind,
        .priority = task->priority,
        .attempt = task->attempt,
        .due_unix_ms = task->due_unix_ms,
        .lane = task->lane,
    };
    if (fence_out != NULL) {
        *fence_out = desk_add_leased(ledger->desk, &open);
    } else {
        desk_add(ledger->desk, &open, ready);
    }
    return true;
}

bool ledger_end_task(struct ledger *ledger, int64_t id, struct error *error) {
    desk_remove(ledger->desk, id);
    return ledger->store->task_delete(ledger->store, id, error);
}
