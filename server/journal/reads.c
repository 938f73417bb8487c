#include "request.h"

/* One read: what is asked for, and where it goes. */
struct read {
    const struct ulid *incident;
    const struct journal_effect_name *name;
    struct text key;
    uint32_t states;
    int64_t after;
    size_t limit;
    struct arena *arena;
    void *rows;
    size_t count;
    struct store_incident found;
    struct blob *body;
};

static bool run_calls(struct ledger *ledger, void *arg, struct error *error) {
    struct read *read = arg;
    struct journal_call *calls = NULL;
    bool is_ok = ledger->store->call_list(ledger->store, read->incident, read->arena, &calls,
                                          &read->count, error);
    read->rows = calls;
    return is_ok;
}

bool journal_read_calls(struct journal *journal, const struct ulid *incident, struct arena *arena,
                        struct journal_call **calls_out, size_t *count_out, struct error *error) {
    struct read read = {.incident = incident, .arena = arena};
    if (!journal_ask(journal, REQUEST_READ, run_calls, &read, 0, error)) {
        return error_wrap(error, "reading the calls of incident %s", incident->text);
    }
    *calls_out = read.rows;
    *count_out = read.count;
    return true;
}

static bool run_effects(struct ledger *ledger, void *arg, struct error *error) {
    struct read *read = arg;
    struct journal_effect *effects = NULL;
    bool is_ok = ledger->store->effect_list(ledger->store, read->incident, read->arena, &effects,
                                            &read->count, error);
    read->rows = effects;
    return is_ok;
}

bool journal_read_effects(struct journal *journal, const struct ulid *incident, struct arena *arena,
                          struct journal_effect **effects_out, size_t *count_out,
                          struct error *error) {
    struct read read = {.incident = incident, .arena = arena};
    if (!journal_ask(journal, REQUEST_READ, run_effects, &read, 0, error)) {
        return error_wrap(error, "reading the effects of incident %s", incident->text);
    }
    *effects_out = read.rows;
    *count_out = read.count;
    return true;
}

static bool run_kin(struct ledger *ledger, void *arg, struct error *error) {
    struct read *read = arg;
    struct journal_effect *effects = NULL;
    bool is_ok = ledger->store->effect_kin(ledger->store, read->key, JOURNAL_KIN_MOST, read->arena,
                                           &effects, &read->count, error);
    read->rows = effects;
    return is_ok;
}

bool journal_read_kin(struct journal *journal, struct text holder, struct arena *arena,
                      struct journal_effect **effects_out, size_t *count_out, struct error *error) {
    struct read read = {.key = holder, .arena = arena};
    if (!journal_ask(journal, REQUEST_READ, run_kin, &read, 0, error)) {
        return error_wrap(error, "reading the effects on %.*s", TEXT_ARG(holder));
    }
    *effects_out = read.rows;
    *count_out = read.count;
    return true;
}

static bool run_find_effect(struct ledger *ledger, void *arg, struct error *error) {
    struct read *read = arg;
    struct store_effect effect = {0};
    bool is_found = false;
    if (!ledger->store->effect_find(ledger->store, 0, read->name, read->arena, &effect, &is_found,
                                    error)) {
        return false;
    }
    if (is_found && effect.state != EFFECT_RELEASING) {
        struct journal_effect *shown = arena_alloc(read->arena, sizeof(*shown));
        *shown = effect_shown(&effect);
        read->rows = shown;
    }
    return true;
}

bool journal_find_effect(struct journal *journal, const struct journal_effect_name *name,
                         struct arena *arena, struct journal_effect *effect_out, bool *is_there_out,
                         struct error *error) {
    struct read read = {.name = name, .arena = arena};
    if (!journal_ask(journal, REQUEST_READ, run_find_effect, &read, 0, error)) {
        return error_wrap(error, "reading an effect on %.*s", TEXT_ARG(name->target));
    }
    *is_there_out = read.rows != NULL;
    if (read.rows != NULL) {
        *effect_out = *(const struct journal_effect *)read.rows;
    }
    return true;
}

static bool run_incident(struct ledger *ledger, void *arg, struct error *error) {
    struct read *read = arg;
    bool is_found = false;
    if (!ledger->store->incident_read(ledger->store, read->incident, read->arena, &read->found,
                                      &is_found, error)) {
        return false;
    }
    return is_found ||
           error_set(error, ERROR_NOT_FOUND, "there is no incident %s", read->incident->text);
}

bool journal_read_incident(struct journal *journal, const struct ulid *id, struct arena *arena,
                           struct journal_incident *incident_out, struct error *error) {
    struct read read = {.incident = id, .arena = arena};
    if (!journal_ask(journal, REQUEST_READ, run_incident, &read, 0, error)) {
        return false;
    }
    *incident_out = read.found.shown;
    return true;
}

static bool run_event(struct ledger *ledger, void *arg, struct error *error) {
    struct read *read = arg;
    struct store_event event = {0};
    if (!ledger->store->event_read(ledger->store, 0, read->key, ledger->arena, &event, error)) {
        return false;
    }
    read->body = event.body;
    return event.body != NULL ||
           error_set(error, ERROR_NOT_FOUND, "there is no event %.*s", TEXT_ARG(read->key));
}

bool journal_read_event(struct journal *journal, struct text key, struct blob **body_out,
                        struct error *error) {
    struct read read = {.key = key};
    if (!journal_ask(journal, REQUEST_READ, run_event, &read, 0, error)) {
        return false;
    }
    *body_out = read.body;
    return true;
}

static struct journal_task_row row_of(const struct desk_view *view, const struct store_task *task) {
    return (struct journal_task_row){
        .id = view->task.id,
        .due_unix_ms = view->task.due_unix_ms,
        .kind = view->task.kind,
        .playbook = task->playbook,
        .attempt = view->task.attempt,
        .is_leased = view->is_leased,
    };
}

static bool run_tasks(struct ledger *ledger, void *arg, struct error *error) {
    struct read *read = arg;
    struct desk_view *views = NULL;
    size_t count = desk_tasks_of(ledger->desk, read->incident, ledger->arena, &views);
    struct journal_task_row *rows = arena_alloc_array(read->arena, count, sizeof(*rows));
    for (size_t i = 0; i < count; i++) {
        struct store_task task = {0};
        bool is_found = false;
        if (!ledger->store->task_read(ledger->store, views[i].task.id, read->arena, &task,
                                      &is_found, error)) {
            return false;
        }
        rows[i] = row_of(&views[i], &task);
    }
    read->rows = rows;
    read->count = count;
    return true;
}

bool journal_read_tasks(struct journal *journal, const struct ulid *incident, struct arena *arena,
                        struct journal_task_row **tasks_out, size_t *count_out,
                        struct error *error) {
    struct read read = {.incident = incident, .arena = arena};
    if (!journal_ask(journal, REQUEST_READ, run_tasks, &read, 0, error)) {
        return error_wrap(error, "reading the tasks of incident %s", incident->text);
    }
    *tasks_out = read.rows;
    *count_out = read.count;
    return true;
}

static bool run_dossier(struct ledger *ledger, void *arg, struct error *error) {
    struct read *read = arg;
    struct journal_dossier *dossier = arena_alloc(read->arena, sizeof(*dossier));
    struct store *store = ledger->store;
    if (!run_incident(ledger, read, error) ||
        !store->call_list(store, read->incident, read->arena, &dossier->calls, &dossier->call_count,
                          error) ||
        !store->effect_list(store, read->incident, read->arena, &dossier->effects,
                            &dossier->effect_count, error) ||
        !run_tasks(ledger, read, error)) {
        return false;
    }
    dossier->incident = read->found.shown;
    dossier->tasks = read->rows;
    dossier->task_count = read->count;
    read->rows = dossier;
    return true;
}

bool journal_read_dossier(struct journal *journal, const struct ulid *id, struct arena *arena,
                          struct journal_dossier *dossier_out, struct error *error) {
    struct read read = {.incident = id, .arena = arena};
    if (!journal_ask(journal, REQUEST_READ, run_dossier, &read, 0, error)) {
        return false;
    }
    *dossier_out = *(const struct journal_dossier *)read.rows;
    return true;
}

static bool run_audit(struct ledger *ledger, void *arg, struct error *error) {
    struct read *read = arg;
    struct journal_audit_line *lines = NULL;
    bool is_ok = ledger->store->audit_list(ledger->store, read->after, read->limit, read->arena,
                                           &lines, &read->count, error);
    read->rows = lines;
    return is_ok;
}

bool journal_read_audit(struct journal *journal, int64_t after, size_t limit, struct arena *arena,
                        struct journal_audit_line **lines_out, size_t *count_out,
                        struct error *error) {
    struct read read = {.after = after, .limit = limit, .arena = arena};
    if (!journal_ask(journal, REQUEST_READ, run_audit, &read, 0, error)) {
        return error_wrap(error, "reading the audit chain");
    }
    *lines_out = read.rows;
    *count_out = read.count;
    return true;
}
