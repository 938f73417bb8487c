#include "act.h"

#include "admin_parts.h"
#include "answers.h"
#include "gate.h"
#include "jsonc.h"
#include "routes.h"
#include "view.h"

#include "riposte/observe/log.h"
#include "riposte/respond/approval.h"

#include <string.h>

static bool read_resources(struct json_object *value, struct act_options *options_out) {
    options_out->with_resources = json_object_get_boolean(value) != 0;
    return json_object_is_type(value, json_type_boolean);
}

static bool read_override(struct json_object *value, struct act_options *options_out) {
    options_out->overrides_protection = json_object_is_type(value, json_type_string) &&
                                        text_equal_string(TEXT("protected"),
                                                          json_object_get_string(value));
    return options_out->overrides_protection;
}

static bool undo(struct admin *admin, const struct ulid *id, struct text actor,
                 const struct act_options *options, bool *is_new_out, struct error *error) {
    return journal_undo(admin->options.journal, id, actor, options->with_resources, is_new_out,
                        error);
}

static bool approve(struct admin *admin, const struct ulid *id, struct text actor,
                    const struct act_options *options, bool *is_new_out, struct error *error) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct text detail = approval_detail(actor, clock_unix_ms(&clock_system),
                                         options->overrides_protection, arena);
    return journal_approve(admin->options.journal, id, actor, detail, options->overrides_protection,
                           is_new_out, error);
}

static bool dismiss(struct admin *admin, const struct ulid *id, struct text actor,
                    const struct act_options *options, bool *is_new_out, struct error *error) {
    (void)options;
    return journal_dismiss(admin->options.journal, id, actor, is_new_out, error);
}

/* What an operator may do to an incident, and the one member that its body may hold. */
static const struct act {
    const char *verb, *member, *needs;
    bool (*read_fn)(struct json_object *value, struct act_options *options_out);
    bool (*do_fn)(struct admin *admin, const struct ulid *id, struct text actor,
                  const struct act_options *options, bool *is_new_out, struct error *error);
    enum incident_state end; /* there it leads: asked again, nothing is left to do */
} acts[] = {
    {"undo", "resources", "true or false", read_resources, undo, INCIDENT_RELEASED},
    {"approve", "override", "\"protected\"", read_override, approve, INCIDENT_DONE},
    {"dismiss", NULL, NULL, NULL, dismiss, INCIDENT_DISMISSED},
};

const struct act *act_find(struct text verb) {
    for (size_t i = 0; i < ARRAY_COUNT(acts); i++) {
        if (text_equal_string(verb, acts[i].verb)) {
            return &acts[i];
        }
    }
    return NULL;
}

/* An object with that member, {} or nothing. */
static bool read_act_body(struct text body, const struct act *act, struct act_options *options_out,
                          struct error *error) {
    if (body.bytes == 0) {
        return true;
    }
    struct json_tokener *tokener = json_tokener_new();
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    scoped(view_put) struct json_object *root = json_tokener_parse_ex(tokener, body.data,
                                                                      (int)body.bytes);
    bool is_json = json_tokener_get_error(tokener) == json_tokener_success &&
                   json_tokener_get_parse_end(tokener) == body.bytes;
    json_tokener_free(tokener);
    if (!is_json || !json_object_is_type(root, json_type_object)) {
        return error_set(error, ERROR_INVALID, "the body is no JSON object");
    }
    json_object_object_foreach(root, key, value) {
        if (act->member == NULL) {
            return error_set(error, ERROR_INVALID, "the body must be {} or empty");
        }
        if (strcmp(key, act->member) != 0 || !act->read_fn(value, options_out)) {
            return error_set(error, ERROR_INVALID, "the body may hold \"%s\": %s, and nothing else",
                             act->member, act->needs);
        }
    }
    return true;
}

static void log_act(const struct act *act, const struct ulid *id, struct text actor,
                    const struct act_options *options) {
    log_info(&(struct log_context){.component = "operate",
                                   .incident = ulid_text(id),
                                   LOG_FIELDS(log_text("actor", actor))},
             "%s%s", act->verb,
             options->with_resources         ? ", resources too"
             : options->overrides_protection ? ", although protected"
                                             : "");
}

bool act_do(struct admin *admin, const struct act *act, const struct ulid *id, struct text actor,
            const struct act_options *options, struct arena *arena,
            struct journal_incident *incident_out, bool *is_new_out, struct error *error) {
    struct journal *journal = admin->options.journal;
    struct error unread = {0};
    *is_new_out = false;
    bool is_done = act->do_fn(admin, id, actor, options, is_new_out, error);
    bool may_be_so = is_done || error->code == ERROR_INVALID;
    if (is_done && *is_new_out) {
        log_act(act, id, actor, options);
    }
    if (!may_be_so || !journal_read_incident(journal, id, arena, incident_out, &unread)) {
        *error = unread.code != ERROR_NONE ? unread : *error;
        return false;
    }
    return is_done || incident_out->state == act->end;
}

static void act(struct admin *admin, struct request *request, const struct act *act,
                const struct ulid *id, struct text actor) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct error error = {0};
    struct journal_incident incident = {0};
    struct act_options body = {0};
    bool is_new = false;
    if (!read_act_body(text_trim(blob_text(request_body(request))), act, &body, &error)) {
        request_answer_error(request, 400, error.text);
    } else if (!act_do(admin, act, id, actor, &body, arena, &incident, &is_new, &error)) {
        answer_failure(request, &error);
    } else {
        answer_object(request, is_new ? 202 : 200, view_incident(&incident));
    }
}

/* POST /v1/incidents/ID/VERB. */
void handle_act(void *arg, struct request *request) {
    struct admin *admin = arg;
    scoped(arena_free) struct arena *arena = arena_new();
    struct text rest = request_path(request);
    rest = text_slice(rest, sizeof(ROUTE_INCIDENTS "/") - 1, rest.bytes);
    size_t slash = text_find_byte(rest, '/', 0);
    struct text verb = text_slice(rest, slash + 1, rest.bytes);
    struct text actor = {NULL, 0};
    struct ulid id = {0};
    if (!ulid_parse(text_slice(rest, 0, slash), &id)) {
        request_answer_error(request, 404, "there is no such incident");
    } else if (act_find(verb) == NULL) {
        request_answer_error(request, 404, "no such path");
    } else if (gate_actor(admin, request, arena, &actor)) {
        act(admin, request, act_find(verb), &id, actor);
    }
}
