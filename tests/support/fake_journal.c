#include "fake_journal.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/journal/backup.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MAX   1000
#define WAITING_MAX 64

struct waiting {
    journal_appended_fn *done_fn;
    void *arg;
    bool is_known[BATCH_MAX];
    size_t count;
};

struct journal {
    struct mutex lock;
    struct condition changed;
    enum error_code failure;
    bool is_ready, holds;
    struct waiting *waiting[WAITING_MAX];
    size_t waiting_count;
    struct fake_event events[FAKE_EVENTS_MAX];
    size_t event_count;
    struct fake_rows rows;
    char filter[512];
    struct fake_undo undo;
    char word[256];
};

struct journal *fake_journal_new(void) {
    struct journal *journal = memory_new(sizeof(*journal));
    mutex_init(&journal->lock);
    condition_init(&journal->changed);
    journal->is_ready = true;
    return journal;
}

void journal_watch(struct journal *journal, const struct journal_watcher *watcher) {
    (void)journal;
    (void)watcher;
}

static void free_event(struct fake_event *event) {
    free(event->key);
    free(event->body);
    for (size_t i = 0; i < event->incident_count; i++) {
        struct fake_incident *incident = &event->incidents[i];
        free(incident->rule);
        free(incident->subject);
        free(incident->severity);
        free(incident->principal_id);
        free(incident->principal_name);
        free(incident->account);
        free(incident->region);
        free(incident->definition);
    }
}

void fake_journal_free(struct journal **journal) {
    struct journal *old = *journal;
    *journal = NULL;
    if (old == NULL) {
        return;
    }
    assert(old->waiting_count == 0);
    for (size_t i = 0; i < old->event_count; i++) {
        free_event(&old->events[i]);
    }
    condition_done(&old->changed);
    mutex_done(&old->lock);
    free(old);
}

void fake_journal_fail(struct journal *journal, enum error_code code) {
    mutex_lock(&journal->lock);
    journal->failure = code;
    mutex_unlock(&journal->lock);
}

void fake_journal_set_ready(struct journal *journal, bool is_ready) {
    mutex_lock(&journal->lock);
    journal->is_ready = is_ready;
    mutex_unlock(&journal->lock);
}

void fake_journal_set_rows(struct journal *journal, const struct fake_rows *rows) {
    mutex_lock(&journal->lock);
    journal->rows = *rows;
    mutex_unlock(&journal->lock);
}

void fake_journal_hold(struct journal *journal) {
    mutex_lock(&journal->lock);
    journal->holds = true;
    mutex_unlock(&journal->lock);
}

size_t fake_journal_event_count(struct journal *journal) {
    mutex_lock(&journal->lock);
    size_t count = journal->event_count;
    mutex_unlock(&journal->lock);
    return count;
}

const struct fake_event *fake_journal_event(struct journal *journal, size_t index) {
    assert(index < fake_journal_event_count(journal));
    return &journal->events[index];
}

const char *fake_journal_word(struct journal *journal) {
    return journal->word;
}

struct fake_undo fake_journal_undo(struct journal *journal) {
    mutex_lock(&journal->lock);
    struct fake_undo undo = journal->undo;
    mutex_unlock(&journal->lock);
    return undo;
}

/* True when it is to work. */
static bool works(struct journal *journal, struct error *error) {
    mutex_lock(&journal->lock);
    enum error_code code = journal->failure;
    mutex_unlock(&journal->lock);
    return code == ERROR_NONE || error_set(error, code, "the fake was told to fail");
}

/* ---- append -------------------------------------------------------------------------------------
 */

static bool is_stored(const struct journal *journal, struct text key) {
    for (size_t i = 0; i < journal->event_count; i++) {
        if (text_equal_string(key, journal->events[i].key)) {
            return true;
        }
    }
    return false;
}

static void copy_incident(struct fake_incident *copy, const struct journal_new_incident *incident) {
    *copy = (struct fake_incident){
        .id = incident->id,
        .rule = text_copy(incident->rule),
        .subject = text_copy(incident->subject),
        .severity = text_copy(incident->severity),
        .principal_id = text_copy(incident->principal_id),
        .principal_name = text_copy(incident->principal_name),
        .account = text_copy(incident->account),
        .region = text_copy(incident->region),
        .definition = text_copy(blob_text(incident->definition->text)),
        .mode = incident->mode,
    };
    memcpy(copy->hash, incident->definition->hash, sizeof(copy->hash));
}

static void copy_event(struct journal *journal, const struct journal_new_event *event) {
    assert(journal->event_count < FAKE_EVENTS_MAX && event->incident_count <= FAKE_INCIDENTS_MAX);
    struct fake_event *copy = &journal->events[journal->event_count++];
    *copy = (struct fake_event){.key = text_copy(event->key),
                                .body = text_copy(blob_text(event->body)),
                                .received_unix_ms = event->received_unix_ms,
                                .event_unix_ms = event->event_unix_ms,
                                .incident_count = event->incident_count};
    for (size_t i = 0; i < event->incident_count; i++) {
        copy_incident(&copy->incidents[i], &event->incidents[i]);
    }
}

void journal_append(struct journal *journal, const struct journal_new_event *events, size_t count,
                    journal_appended_fn *done_fn, void *arg) {
    struct error error = {0};
    if (!works(journal, &error)) {
        done_fn(arg, NULL, count, &error);
        return;
    }
    struct waiting *waiting = memory_new(sizeof(*waiting));
    *waiting = (struct waiting){.done_fn = done_fn, .arg = arg, .count = count};
    assert(count <= BATCH_MAX);
    mutex_lock(&journal->lock);
    for (size_t i = 0; i < count; i++) {
        waiting->is_known[i] = is_stored(journal, events[i].key);
        if (!waiting->is_known[i]) {
            copy_event(journal, &events[i]);
        }
    }
    bool holds = journal->holds;
    if (holds) {
        assert(journal->waiting_count < WAITING_MAX);
        journal->waiting[journal->waiting_count++] = waiting;
        condition_broadcast(&journal->changed);
    }
    mutex_unlock(&journal->lock);
    if (!holds) {
        done_fn(arg, waiting->is_known, count, NULL);
        free(waiting);
    }
}

void fake_journal_commit(struct journal *journal, size_t count) {
    struct waiting *waiting[WAITING_MAX];
    mutex_lock(&journal->lock);
    while (journal->waiting_count < count) {
        condition_wait(&journal->changed, &journal->lock);
    }
    memcpy(waiting, journal->waiting, sizeof(waiting));
    count = journal->waiting_count;
    journal->waiting_count = 0;
    mutex_unlock(&journal->lock);
    for (size_t i = 0; i < count; i++) {
        waiting[i]->done_fn(waiting[i]->arg, waiting[i]->is_known, waiting[i]->count, NULL);
        free(waiting[i]);
    }
}

bool journal_is_ready(struct journal *journal) {
    mutex_lock(&journal->lock);
    bool is_ready = journal->is_ready;
    mutex_unlock(&journal->lock);
    return is_ready;
}

/* ---- reads --------------------------------------------------------------------------------------
 */

bool journal_backup(struct journal *journal, const char *path, const atomic_bool *is_called_off,
                    struct error *error) {
    (void)is_called_off;
    (void)path;
    return works(journal, error);
}

void journal_numbers(struct journal *journal, struct journal_numbers *numbers_out) {
    *numbers_out = journal->rows.numbers;
}

bool journal_read_incident(struct journal *journal, const struct ulid *id, struct arena *arena,
                           struct journal_incident *incident_out, struct error *error) {
    (void)arena;
    if (!works(journal, error)) {
        return false;
    }
    for (size_t i = 0; i < journal->rows.incident_count; i++) {
        if (strcmp(journal->rows.incidents[i].id.text, id->text) == 0) {
            *incident_out = journal->rows.incidents[i];
            return true;
        }
    }
    return error_set(error, ERROR_NOT_FOUND, "there is no incident %s", id->text);
}

bool journal_find_incidents(struct journal *journal, const struct ulid *before,
                            const struct journal_filter *filter, size_t limit, struct arena *arena,
                            struct journal_incident **incidents_out, size_t *count_out,
                            struct ulid *next_out, struct error *error) {
    if (!works(journal, error)) {
        return false;
    }
    size_t count = 0;
    struct journal_incident *found = arena_alloc_array(arena, journal->rows.incident_count + 1,
                                                       sizeof(*found));
    mutex_lock(&journal->lock);
    snprintf(journal->filter, sizeof(journal->filter), "%.*s|%.*s|%.*s|%.*s|%lld|%lld",
             TEXT_ARG(filter->rule), TEXT_ARG(filter->severity), TEXT_ARG(filter->account),
             TEXT_ARG(filter->principal), (long long)filter->since_unix_ms,
             (long long)filter->until_unix_ms);
    mutex_unlock(&journal->lock);
    for (size_t i = 0; i < journal->rows.incident_count && count < limit; i++) {
        const struct journal_incident *incident = &journal->rows.incidents[i];
        bool is_older = ulid_is_none(before) || strcmp(incident->id.text, before->text) < 0;
        if (is_older && (filter->states == 0 || (filter->states & (1u << incident->state)) != 0)) {
            found[count++] = *incident;
        }
    }
    *incidents_out = found;
    *count_out = count;
    *next_out = count == limit ? found[count - 1].id : (struct ulid){0};
    return true;
}

const char *fake_journal_filter(struct journal *journal) {
    return journal->filter;
}

bool journal_read_dossier(struct journal *journal, const struct ulid *id, struct arena *arena,
                          struct journal_dossier *dossier_out, struct error *error) {
    const struct fake_rows *rows = &journal->rows;
    *dossier_out = (struct journal_dossier){
        .calls = (struct journal_call *)(uintptr_t)rows->calls,
        .effects = (struct journal_effect *)(uintptr_t)rows->effects,
        .tasks = (struct journal_task_row *)(uintptr_t)rows->tasks,
        .call_count = rows->call_count,
        .effect_count = rows->effect_count,
        .task_count = rows->task_count,
    };
    return journal_read_incident(journal, id, arena, &dossier_out->incident, error);
}

bool journal_read_audit(struct journal *journal, int64_t after, size_t limit, struct arena *arena,
                        struct journal_audit_line **lines_out, size_t *count_out,
                        struct error *error) {
    (void)arena;
    size_t skipped = (size_t)after < journal->rows.line_count ? (size_t)after
                                                              : journal->rows.line_count;
    size_t left = journal->rows.line_count - skipped;
    *lines_out = (struct journal_audit_line *)(uintptr_t)(journal->rows.lines + skipped);
    *count_out = left < limit ? left : limit;
    return works(journal, error);
}

bool journal_read_event(struct journal *journal, struct text key, struct blob **body_out,
                        struct error *error) {
    (void)key;
    if (!works(journal, error)) {
        return false;
    }
    if (journal->rows.event == NULL) {
        return error_set(error, ERROR_NOT_FOUND, "there is no such event");
    }
    *body_out = blob_new(text_of(journal->rows.event));
    return true;
}

void journal_read_lanes(struct journal *journal, size_t limit, struct arena *arena,
                        struct journal_lane **lanes_out, size_t *count_out) {
    (void)arena;
    *lanes_out = (struct journal_lane *)(uintptr_t)journal->rows.lanes;
    *count_out = journal->rows.lane_count < limit ? journal->rows.lane_count : limit;
}

bool journal_take_census(struct journal *journal, struct arena *arena,
                         struct journal_census *census_out, struct error *error) {
    (void)arena;
    *census_out = journal->rows.census;
    return works(journal, error);
}

bool journal_undo(struct journal *journal, const struct ulid *incident, struct text actor,
                  bool with_resources, bool *is_new_out, struct error *error) {
    *is_new_out = journal->rows.is_new;
    if (!works(journal, error)) {
        return false;
    }
    mutex_lock(&journal->lock);
    journal->undo.count++;
    journal->undo.with_resources = with_resources;
    snprintf(journal->undo.id, sizeof(journal->undo.id), "%s", incident->text);
    snprintf(journal->undo.actor, sizeof(journal->undo.actor), "%.*s", TEXT_ARG(actor));
    mutex_unlock(&journal->lock);
    return true;
}

static bool say(struct journal *journal, const char *what, const struct ulid *incident,
                struct text actor, struct text detail, struct error *error) {
    if (!works(journal, error)) {
        return false;
    }
    mutex_lock(&journal->lock);
    snprintf(journal->word, sizeof(journal->word), "%s %s %.*s %.*s", what, incident->text,
             TEXT_ARG(actor), TEXT_ARG(detail));
    mutex_unlock(&journal->lock);
    return true;
}

bool journal_approve(struct journal *journal, const struct ulid *incident, struct text actor,
                     struct text detail, bool is_override, bool *is_new_out, struct error *error) {
    *is_new_out = journal->rows.is_new;
    (void)is_override; /* the detail says so */
    return say(journal, "approve", incident, actor, detail, error);
}

bool journal_dismiss(struct journal *journal, const struct ulid *incident, struct text actor,
                     bool *is_new_out, struct error *error) {
    *is_new_out = journal->rows.is_new;
    return say(journal, "dismiss", incident, actor, TEXT(""), error);
}

/* ---- names --------------------------------------------------------------------------------------
 */

static const char *const state_names[] = {"detected",  "suppressed", "joined",   "observed",
                                          "held",      "responding", "done",     "failed",
                                          "releasing", "released",   "dismissed"};

const char *incident_state_name(enum incident_state state) {
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

const char *call_state_name(enum call_state state) {
    static const char *const names[] = {"intent", "done", "failed", "skipped"};
    return names[state];
}

const char *task_kind_name(enum task_kind kind) {
    static const char *const names[] = {"respond", "playbook", "verify",
                                        "undo",    "release",  "notify"};
    return names[kind];
}
