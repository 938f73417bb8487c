#include "admin_parts.h"
#include "answers.h"
#include "routes.h"
#include "view.h"

#include "riposte/base/time.h"
#include "riposte/journal/search.h"

#include <stdio.h>

#define LIST_DEFAULT 50
#define LIST_MAX     500
#define FILTER_BYTES 512
#define CURSOR       "i-"

struct list_query {
    struct journal_filter filter;
    struct ulid before;
    uint64_t limit;
};

static bool read_states(struct text names, uint32_t *states_out, struct error *error) {
    struct text name = {NULL, 0};
    while (text_next_part(&names, ',', &name)) {
        enum incident_state state = INCIDENT_DETECTED;
        if (!incident_state_parse(name, &state)) {
            return error_set(error, ERROR_INVALID, "state: there is no '%.*s'", TEXT_ARG(name));
        }
        *states_out |= (uint32_t)1 << state;
    }
    return true;
}

static bool read_time(const struct request *request, const char *name, int64_t *unix_ms_out,
                      struct error *error) {
    struct text value = request_query(request, name);
    return value.bytes == 0 || (time_parse(value, unix_ms_out) && *unix_ms_out > 0) ||
           error_set(error, ERROR_INVALID, "%s: a time as 2026-03-02T09:30:00Z", name);
}

/* A cursor is CURSOR and the last id of the page before; nobody else needs to know. */
static bool read_cursor(struct text cursor, struct ulid *before_out, struct error *error) {
    return cursor.bytes == 0 ||
           (text_starts_with(cursor, TEXT(CURSOR)) &&
            ulid_parse(text_slice(cursor, sizeof(CURSOR) - 1, cursor.bytes), before_out)) ||
           error_set(error, ERROR_INVALID, "cursor: not one of ours");
}

static bool read_limit(struct text limit, uint64_t *limit_out, struct error *error) {
    *limit_out = LIST_DEFAULT;
    return limit.bytes == 0 ||
           (text_parse_unsigned(limit, limit_out) && *limit_out > 0 && *limit_out <= LIST_MAX) ||
           error_set(error, ERROR_INVALID, "limit: a number from 1 to %d", LIST_MAX);
}

/* Names and ids, as they are in the incident. */
static bool read_texts(const struct request *request, struct journal_filter *filter,
                       struct error *error) {
    const struct {
        const char *name;
        struct text *value;
    } texts[] = {{"rule", &filter->rule},
                 {"severity", &filter->severity},
                 {"account", &filter->account},
                 {"principal", &filter->principal}};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        *texts[i].value = request_query(request, texts[i].name);
        if (texts[i].value->bytes > FILTER_BYTES) {
            return error_set(error, ERROR_INVALID, "%s: longer than %d bytes", texts[i].name,
                             FILTER_BYTES);
        }
    }
    return true;
}

static bool read_list_query(const struct request *request, struct list_query *query,
                            struct error *error) {
    struct journal_filter *filter = &query->filter;
    return read_states(request_query(request, "state"), &filter->states, error) &&
           read_texts(request, filter, error) &&
           read_time(request, "since", &filter->since_unix_ms, error) &&
           read_time(request, "until", &filter->until_unix_ms, error) &&
           read_cursor(request_query(request, "cursor"), &query->before, error) &&
           read_limit(request_query(request, "limit"), &query->limit, error);
}

/* `sequence` is from before the list was read: a stream from there on misses nothing. */
static void answer_incidents(struct request *request, int64_t sequence,
                             const struct journal_incident *incidents, size_t count,
                             const struct ulid *next) {
    struct json_object *object = json_object_new_object();
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < count; i++) {
        json_object_array_add(list, view_incident(&incidents[i]));
    }
    json_object_object_add(object, "incidents", list);
    json_object_object_add(object, "sequence", json_object_new_int64(sequence));
    if (!ulid_is_none(next)) {
        char cursor[sizeof(CURSOR) + ULID_TEXT_BYTES];
        snprintf(cursor, sizeof(cursor), CURSOR "%s", next->text);
        view_add_text(object, "next", text_of(cursor));
    }
    answer_object(request, 200, object);
}

void handle_list(void *arg, struct request *request) {
    struct admin *admin = arg;
    scoped(arena_free) struct arena *arena = arena_new();
    struct error error = {0};
    struct list_query query = {0};
    struct journal_numbers numbers = {0};
    struct journal_incident *incidents = NULL;
    struct ulid next = {0};
    size_t count = 0;
    journal_numbers(admin->options.journal, &numbers);
    if (!read_list_query(request, &query, &error)) {
        request_answer_error(request, 400, error.text);
    } else if (!journal_find_incidents(admin->options.journal, &query.before, &query.filter,
                                       (size_t)query.limit, arena, &incidents, &count, &next,
                                       &error)) {
        answer_failure(request, &error);
    } else {
        answer_incidents(request, numbers.sequence, incidents, count, &next);
    }
}

/* The journal forgets an event's body no earlier than its incidents; still, an incident without one
 * can be shown. */
static bool add_event(struct json_object *object, struct journal *journal, struct text key,
                      struct error *error) {
    scoped(blob_unref) struct blob *body = NULL;
    if (!journal_read_event(journal, key, &body, error)) {
        return error->code == ERROR_NOT_FOUND;
    }
    view_add_json(object, "event", blob_text(body));
    return true;
}

/* Everything that is known of one incident. */
static bool fill_incident(struct json_object **object, struct journal *journal,
                          const struct ulid *id, struct arena *arena, struct error *error) {
    struct journal_dossier dossier = {0};
    if (!journal_read_dossier(journal, id, arena, &dossier, error)) {
        return false;
    }
    *object = view_story(&dossier.incident);
    json_object_object_add(*object, "calls", view_calls(dossier.calls, dossier.call_count));
    json_object_object_add(*object, "effects", view_effects(dossier.effects, dossier.effect_count));
    json_object_object_add(*object, "tasks", view_tasks(dossier.tasks, dossier.task_count));
    view_add_json(*object, "plan", dossier.incident.plan);
    return add_event(*object, journal, dossier.incident.event_key, error);
}

void handle_show(void *arg, struct request *request) {
    struct admin *admin = arg;
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(view_put) struct json_object *object = NULL;
    struct error error = {0};
    struct ulid id = {0};
    struct text path = request_path(request);
    if (!ulid_parse(text_slice(path, sizeof(ROUTE_INCIDENTS "/") - 1, path.bytes), &id)) {
        request_answer_error(request, 404, "there is no such incident");
    } else if (!fill_incident(&object, admin->options.journal, &id, arena, &error)) {
        answer_failure(request, &error);
    } else {
        answer_object(request, 200, json_object_get(object));
    }
}
