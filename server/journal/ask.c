#include "decide.h"
#include "keys.h"
#include "request.h"
#include "write.h"

#include <stdlib.h>

#define ROW_BYTES 512 /* what a row adds to a commit besides its texts, roughly */

/* ---- append ---- */

struct append {
    struct request request;
    struct arena *arena;
    struct journal_new_event *events;
    size_t count;
    bool *is_known;
    journal_appended_fn *done_fn;
    void *arg;
};

static bool run_append(struct ledger *ledger, void *arg, struct error *error) {
    struct append *append = arg;
    return decide_append(ledger, append->events, append->count, append->is_known, error);
}

static void complete_append(void *arg, const struct error *error) {
    struct append *append = arg;
    append->done_fn(append->arg, append->is_known, append->count, error);
    for (size_t i = 0; i < append->count; i++) {
        struct journal_new_event *event = &append->events[i];
        for (size_t j = 0; j < event->incident_count; j++) {
            struct blob *definition = event->incidents[j].definition->text;
            blob_unref(&definition);
        }
        blob_unref(&event->body);
    }
    struct arena *arena = append->arena; /* the request is in it */
    arena_free(&arena);
}

static struct journal_definition *keep_definition(struct arena *arena,
                                                  const struct journal_definition *definition) {
    struct journal_definition *kept = arena_alloc(arena, sizeof(*kept));
    *kept = *definition;
    blob_ref(kept->text);
    return kept;
}

static struct journal_threshold *keep_threshold(struct arena *arena,
                                                const struct journal_threshold *threshold) {
    if (threshold == NULL) {
        return NULL;
    }
    struct journal_threshold *kept = arena_alloc(arena, sizeof(*kept));
    struct text *values = arena_alloc_array(arena, threshold->value_count, sizeof(*values));
    for (size_t i = 0; i < threshold->value_count; i++) {
        values[i] = arena_copy_text(arena, threshold->values[i]);
    }
    *kept = *threshold;
    kept->values = values;
    return kept;
}

static struct journal_new_incident *keep_incidents(struct arena *arena,
                                                   const struct journal_new_event *event) {
    struct journal_new_incident *kept = arena_alloc_array(arena, event->incident_count,
                                                          sizeof(*kept));
    for (size_t i = 0; i < event->incident_count; i++) {
        struct journal_new_incident *incident = &kept[i];
        *incident = event->incidents[i];
        incident->definition = keep_definition(arena, incident->definition);
        struct text *texts[] = {
            &incident->rule,         &incident->subject,        &incident->severity,
            &incident->principal_id, &incident->principal_name, &incident->account,
            &incident->region,
        };
        for (size_t j = 0; j < ARRAY_COUNT(texts); j++) {
            *texts[j] = arena_copy_text(arena, *texts[j]);
        }
        incident->threshold = keep_threshold(arena, incident->threshold);
    }
    return kept;
}

void journal_append(struct journal *journal, const struct journal_new_event *events, size_t count,
                    journal_appended_fn *done_fn, void *arg) {
    struct arena *arena = arena_new();
    struct append *append = arena_alloc(arena, sizeof(*append));
    append->arena = arena;
    append->count = count;
    append->events = arena_alloc_array(arena, count, sizeof(*append->events));
    append->is_known = arena_alloc_array(arena, count, sizeof(bool));
    append->done_fn = done_fn;
    append->arg = arg;
    append->request = (struct request){
        .class = REQUEST_APPEND,
        .run_fn = run_append,
        .arg = append,
        .complete_fn = complete_append,
    };
    for (size_t i = 0; i < count; i++) {
        struct journal_new_event *kept = &append->events[i];
        *kept = events[i];
        kept->key = arena_copy_text(arena, kept->key);
        blob_ref(kept->body);
        kept->incidents = keep_incidents(arena, &events[i]);
        append->request.bytes += blob_text(kept->body).bytes +
                                 ROW_BYTES * (1 + 3 * kept->incident_count);
    }
    journal_submit(journal, &append->request);
}

/* ---- claim ---- */

struct load {
    const struct desk_lease *lease;
    struct journal_task *task;
};

static bool run_load(struct ledger *ledger, void *arg, struct error *error) {
    struct load *load = arg;
    return ledger_read_task(ledger, load->lease, &load->task, error);
}

static bool run_drop(struct ledger *ledger, void *arg, struct error *error) {
    const struct desk_lease *lease = arg;
    return ledger_audit(ledger, "dropped task", NULL, (struct text){NULL, 0},
                        TEXT("{\"reason\":\"its event is gone\"}"), error) &&
           ledger_end_task(ledger, lease->id, error);
}

/* A task that was not kept ready. When it can't be read now it is due again in a second. */
static bool load_task(struct journal *journal, const struct desk_lease *lease,
                      struct journal_task **task_out) {
    struct error error = {0};
    struct load load = {.lease = lease};
    struct desk_lease dropped = *lease;
    if (journal_ask(journal, REQUEST_LOAD, run_load, &load, 0, &error)) {
        *task_out = load.task;
        return true;
    }
    if (error.code != ERROR_NOT_FOUND ||
        !journal_ask(journal, REQUEST_CHANGE, run_drop, &dropped, ROW_BYTES, &error)) {
        desk_give_back(journal->desk, lease->id, lease->fence, 1000);
    }
    return false;
}

bool journal_claim(struct journal *journal, int64_t wait_ms, struct journal_task **task_out) {
    int64_t until_mono_ms = clock_mono_ms(&clock_system) + wait_ms;
    struct desk_lease lease = {0};
    while (desk_claim(journal->desk, wait_ms, &lease)) {
        if (lease.ready != NULL) {
            *task_out = lease.ready;
            return true;
        }
        if (load_task(journal, &lease, task_out)) {
            return true;
        }
        wait_ms = until_mono_ms - clock_mono_ms(&clock_system);
    }
    return false;
}

void journal_give_back(struct journal *journal, int64_t wait_ms, struct journal_task **task) {
    if (*task != NULL) {
        desk_give_back(journal->desk, (*task)->id, (*task)->fence, wait_ms);
        journal_task_free(task);
    }
}

/* ---- admit and write ---- */

struct admit_request {
    const struct journal_task *task;
    const struct journal_admission *admission;
    struct journal_admitted admitted;
};

static bool run_admit(struct ledger *ledger, void *arg, struct error *error) {
    struct admit_request *asked = arg;
    return decide_admit(ledger, asked->task, asked->admission, &asked->admitted, error);
}

/* ---- who wants to know ---- */

void journal_watch(struct journal *journal, const struct journal_watcher *watcher) {
    atomic_store(&journal->watcher, watcher);
}

static void tell(struct journal *journal, const struct ulid *incident, enum incident_state state) {
    const struct journal_watcher *watcher = atomic_load(&journal->watcher);
    if (watcher != NULL && state != INCIDENT_DETECTED && state != INCIDENT_RESPONDING) {
        watcher->settled_fn(watcher->arg, incident);
    }
}

/* ---- a worker's changes ---- */

bool journal_admit(struct journal *journal, const struct journal_task *task,
                   const struct journal_admission *admission, struct journal_admitted *admitted_out,
                   struct error *error) {
    struct admit_request asked = {.task = task, .admission = admission};
    asked.admitted.arena = arena_new();
    size_t bytes = admission->plan.bytes + ROW_BYTES * (4 + admission->task_count);
    for (size_t i = 0; i < admission->intent_count; i++) {
        bytes += admission->intents[i].request.bytes + ROW_BYTES * 4;
    }
    struct request request = {.class = REQUEST_CHANGE,
                              .bytes = bytes,
                              .run_fn = run_admit,
                              .arg = &asked,
                              .wakes_later = admission->wakes_later,
                              .meanwhile_fn = admission->meanwhile_fn,
                              .meanwhile_arg = admission->meanwhile_arg};
    if (!journal_ask_request(journal, &request, error)) {
        journal_admitted_done(&asked.admitted);
        return error_wrap(error, "deciding incident %s", task->incident.id.text);
    }
    *admitted_out = asked.admitted;
    tell(journal, &task->incident.id, admitted_out->state);
    return true;
}

static bool run_write(struct ledger *ledger, void *arg, struct error *error) {
    return decide_write(ledger, arg, error);
}

bool journal_write_commit(struct journal *journal, struct journal_write *write,
                          struct error *error) {
    size_t bytes = arena_used_bytes(write->arena) + ROW_BYTES;
    if (!journal_ask(journal, REQUEST_CHANGE, run_write, write, bytes, error)) {
        return error_wrap(error, "incident %s", write->incident.text);
    }
    tell(journal, &write->incident, write->state);
    return true;
}

/* ---- operators and ourselves ---- */

struct undo_request {
    const struct ulid *incident;
    struct text actor;
    bool with_resources, is_new;
};

static bool run_undo(struct ledger *ledger, void *arg, struct error *error) {
    struct undo_request *asked = arg;
    return decide_undo(ledger, asked->incident, asked->actor, asked->with_resources, &asked->is_new,
                       error);
}

/* Was it asked for, and changed it anything? */
static bool say_new(bool is_ok, bool is_new, bool *is_new_out) {
    if (is_ok && is_new_out != NULL) {
        *is_new_out = is_new;
    }
    return is_ok;
}

bool journal_undo(struct journal *journal, const struct ulid *incident, struct text actor,
                  bool with_resources, bool *is_new_out, struct error *error) {
    struct undo_request asked = {incident, actor, with_resources, false};
    bool is_ok = journal_ask(journal, REQUEST_CHANGE, run_undo, &asked, ROW_BYTES * 4, error);
    return say_new(is_ok, asked.is_new, is_new_out);
}

struct approve_request {
    const struct ulid *incident;
    struct text actor, detail;
    bool is_override, is_new;
};

static bool run_approve(struct ledger *ledger, void *arg, struct error *error) {
    struct approve_request *asked = arg;
    return decide_approve(ledger, asked->incident, asked->actor, asked->detail, asked->is_override,
                          &asked->is_new, error);
}

bool journal_approve(struct journal *journal, const struct ulid *incident, struct text actor,
                     struct text detail, bool is_override, bool *is_new_out, struct error *error) {
    struct approve_request asked = {incident, actor, detail, is_override, false};
    bool is_ok = journal_ask(journal, REQUEST_CHANGE, run_approve, &asked, ROW_BYTES * 2, error);
    return say_new(is_ok, asked.is_new, is_new_out);
}

static bool run_dismiss(struct ledger *ledger, void *arg, struct error *error) {
    struct approve_request *asked = arg;
    return decide_dismiss(ledger, asked->incident, asked->actor, &asked->is_new, error);
}

bool journal_dismiss(struct journal *journal, const struct ulid *incident, struct text actor,
                     bool *is_new_out, struct error *error) {
    struct approve_request asked = {.incident = incident, .actor = actor};
    bool is_ok = journal_ask(journal, REQUEST_CHANGE, run_dismiss, &asked, ROW_BYTES * 2, error);
    return say_new(is_ok, asked.is_new, is_new_out);
}

static bool run_note_key(struct ledger *ledger, void *arg, struct error *error) {
    const struct text *access_key_id = arg;
    const struct store_key key = {*access_key_id, ledger->now_unix_ms};
    const struct ledger_member members[] = {{"access_key_id", *access_key_id}, {0}};
    return ledger->store->key_insert(ledger->store, &key, error) &&
           ledger_audit_members(ledger, "issued key", NULL, (struct text){NULL, 0}, members, error);
}

bool journal_note_key(struct journal *journal, struct text access_key_id, struct error *error) {
    if (journal_keys_has(journal->keys, access_key_id)) {
        return true;
    }
    if (!journal_ask(journal, REQUEST_CHANGE, run_note_key, &access_key_id, ROW_BYTES, error)) {
        return false;
    }
    journal_keys_add(journal->keys, access_key_id);
    return true;
}

bool journal_knows_key(struct journal *journal, struct text access_key_id) {
    return journal_keys_has(journal->keys, access_key_id);
}

struct note {
    struct text actor, text;
    const char *event;
};

static bool run_note(struct ledger *ledger, void *arg, struct error *error) {
    const struct note *note = arg;
    return ledger_audit(ledger, note->event, NULL, note->actor, note->text, error);
}

bool journal_note(struct journal *journal, struct text actor, struct text event, struct text text,
                  struct error *error) {
    char *name = text_copy(event);
    struct note note = {.actor = actor, .text = text, .event = name};
    bool is_ok = journal_ask(journal, REQUEST_CHANGE, run_note, &note, text.bytes, error);
    free(name);
    return is_ok;
}
