#include "admin_parts.h"
#include "answers.h"
#include "routes.h"
#include "view.h"

#define LIST_DEFAULT 50
#define LIST_MAX     500

struct list_query {
    uint32_t states;
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

static bool read_list_query(const struct request *request, struct list_query *query,
                            struct error *error) {
    struct text before = request_query(request, "before");
    struct text limit = request_query(request, "limit");
    *query = (struct list_query){.limit = LIST_DEFAULT};
    if (before.bytes > 0 && !ulid_parse(before, &query->before)) {
        return error_set(error, ERROR_INVALID, "before: not an incident's id");
    }
    if (limit.bytes > 0 && (!text_parse_unsigned(limit, &query->limit) || query->limit == 0 ||
                            query->limit > LIST_MAX)) {
        return error_set(error, ERROR_INVALID, "limit: a number from 1 to %d", LIST_MAX);
    }
    return read_states(request_query(request, "state"), &query->states, error);
}

static void answer_incidents(struct request *request, const struct list_query *query,
                             const struct journal_incident *incidents, size_t count) {
    struct json_object *object = json_object_new_object();
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < count; i++) {
        json_object_array_add(list, view_incident(&incidents[i]));
    }
    json_object_object_add(object, "incidents", list);
    if (count == query->limit) {
        view_add_text(object, "before", ulid_text(&incidents[count - 1].id));
    }
    answer_object(request, 200, object);
}

void handle_list(void *arg, struct request *request) {
    struct admin *admin = arg;
    scoped(arena_free) struct arena *arena = arena_new();
    struct error error = {0};
    struct list_query query = {0};
    struct journal_incident *incidents = NULL;
    size_t count = 0;
    if (!read_list_query(request, &query, &error)) {
        request_answer_error(request, 400, error.text);
    } else if (!journal_list_incidents(admin->options.journal, &query.before, query.states,
                                       (size_t)query.limit, arena, &incidents, &count, &error)) {
        answer_failure(request, &error);
    } else {
        answer_incidents(request, &query, incidents, count);
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
    *object = view_incident(&dossier.incident);
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
