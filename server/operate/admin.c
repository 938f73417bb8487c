#include "riposte/operate/admin.h"

#include "access.h"
#include "errand.h"
#include "jsonc.h"
#include "process.h"
#include "view.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/crypto/random.h"
#include "riposte/inbound/request.h"
#include "riposte/journal/backup.h"
#include "riposte/observe/log.h"
#include "riposte/observe/metrics.h"
#include "riposte/respond/approval.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INCIDENTS     "/v1/incidents"
#define LIST_DEFAULT  50
#define LIST_MAX      500
#define AUDIT_LINES   500
#define BODY_BYTES    4096
#define RETRY_AFTER_S 5

enum {
    ROUTE_METRICS,
    ROUTE_LIST,
    ROUTE_SHOW,
    ROUTE_ACT,
    ROUTE_RELOAD,
    ROUTE_RECENT,
    ROUTE_RULES,
    ROUTE_AUDIT,
    ROUTE_BACKUP,
    ROUTE_ORPHANS,
    ROUTE_HEALTH,
    ROUTE_READY,
    ROUTE_COUNT,
};

struct admin {
    struct admin_options options;
    struct route routes[ROUTE_COUNT];
    struct errand errand;
    struct mutex lock;
    struct {
        struct access *access; /* NULL: no token is set, nobody gets in */
    } shared;                  /* with `lock` */
};

static struct metric refusals = {.name = "riposte_admin_refused_total",
                                 .help = "Admin requests refused: unauthenticated, forbidden.",
                                 .type = METRIC_COUNTER,
                                 .labels = {"reason"}};

static struct access *take_access(struct admin *admin) {
    mutex_lock(&admin->lock);
    struct access *access = admin->shared.access == NULL ? NULL : access_ref(admin->shared.access);
    mutex_unlock(&admin->lock);
    return access;
}

/* ---- who asks -----------------------------------------------------------------------------------
 */

static bool refuse(struct request *request, unsigned status, const char *reason, struct text body,
                   const char *challenge) {
    metric_add(&refusals, 1, METRIC_LABELS(text_of(reason)));
    request_answer(request,
                   &(struct answer){.status = status, .body = body, .challenge = challenge});
    return false;
}

static bool gate(struct admin *admin, struct request *request, enum admin_role needed) {
    scoped(access_unref) struct access *access = take_access(admin);
    struct text name = {NULL, 0};
    enum admin_role role = ADMIN_VIEW;
    if (access == NULL || !access_find(access, request, &name, &role)) {
        return refuse(request, 401, "unauthenticated",
                      TEXT("{\"error\":\"Authorization: Bearer TOKEN is missing or wrong\"}\n"),
                      "Bearer realm=\"riposte\"");
    }
    if (role < needed) {
        return refuse(request, 403, "forbidden",
                      TEXT("{\"error\":\"this token's role may look, not act\"}\n"), NULL);
    }
    return true;
}

static bool gate_view(void *arg, struct request *request) {
    return gate(arg, request, ADMIN_VIEW);
}

static bool gate_operate(void *arg, struct request *request) {
    return gate(arg, request, ADMIN_OPERATE);
}

/* ---- answers ------------------------------------------------------------------------------------
 */

/* Takes `object` over. */
static void answer_object(struct request *request, unsigned status, struct json_object *object) {
    size_t bytes = 0;
    const char *text = json_object_to_json_string_length(
        object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &bytes);
    request_answer(request, &(struct answer){.status = status, .body = {text, bytes}});
    json_object_put(object);
}

/* Takes `list` over. */
static void answer_list(struct request *request, const char *key, struct json_object *list) {
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, key, list);
    answer_object(request, 200, object);
}

static void answer_failure(struct request *request, const struct error *error) {
    static const unsigned statuses[] = {
        [ERROR_NONE] = 500,  [ERROR_INVALID] = 409, [ERROR_NOT_FOUND] = 404, [ERROR_DENIED] = 409,
        [ERROR_LIMIT] = 503, [ERROR_BUSY] = 503,    [ERROR_SYSTEM] = 503,
    };
    unsigned status = statuses[error->code];
    if (status == 503) {
        log_error(&(struct log_context){.component = "operate"}, "%s", error->text);
    }
    request_answer_busy(request, status, error->text, status == 503 ? RETRY_AFTER_S : 0);
}

/* ---- reading ------------------------------------------------------------------------------------
 */

static void handle_metrics(void *arg, struct request *request) {
    struct admin *admin = arg;
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    process_measure(admin->options.journal);
    metrics_render(&text);
    request_answer(request, &(struct answer){.status = 200,
                                             .content_type = METRICS_CONTENT_TYPE,
                                             .body = buffer_text(&text)});
}

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

static void handle_list(void *arg, struct request *request) {
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

static void put_object(struct json_object **object) {
    json_object_put(*object);
    *object = NULL;
}

static void handle_show(void *arg, struct request *request) {
    struct admin *admin = arg;
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(put_object) struct json_object *object = NULL;
    struct error error = {0};
    struct ulid id = {0};
    struct text path = request_path(request);
    if (!ulid_parse(text_slice(path, sizeof(INCIDENTS "/") - 1, path.bytes), &id)) {
        request_answer_error(request, 404, "there is no such incident");
    } else if (!fill_incident(&object, admin->options.journal, &id, arena, &error)) {
        answer_failure(request, &error);
    } else {
        answer_object(request, 200, json_object_get(object));
    }
}

/* Pages of AUDIT_LINES: who verifies wants them all. */
static void handle_audit(void *arg, struct request *request) {
    struct admin *admin = arg;
    scoped(arena_free) struct arena *arena = arena_new();
    struct error error = {0};
    struct journal_audit_line *lines = NULL;
    size_t count = 0;
    uint64_t after = 0;
    struct text text = request_query(request, "after");
    if (text.bytes > 0 && (!text_parse_unsigned(text, &after) || after > INT64_MAX)) {
        request_answer_error(request, 400, "after: not a line's sequence");
    } else if (!journal_read_audit(admin->options.journal, (int64_t)after, AUDIT_LINES, arena,
                                   &lines, &count, &error)) {
        answer_failure(request, &error);
    } else {
        answer_list(request, "lines", view_audit(lines, count));
    }
}

static void handle_recent(void *arg, struct request *request) {
    struct admin *admin = arg;
    struct recent_event *events = memory_new_array(RECENT_CAPACITY, sizeof(*events));
    size_t count = recent_copy(admin->options.recent, events, RECENT_CAPACITY);
    answer_list(request, "events", view_recent(events, count));
    free(events);
}

static void handle_rules(void *arg, struct request *request) {
    scoped(access_unref) struct access *access = take_access(arg);
    assert(access != NULL); /* the gate found a token in it, and it is only ever replaced */
    answer_list(request, "rules", view_rules(access_snapshot(access)));
}

/* ---- acting -------------------------------------------------------------------------------------
 */

/* What an operator's request says beside the path. */
struct act_body {
    bool with_resources, overrides_protection;
};

static bool read_resources(struct json_object *value, struct act_body *body_out) {
    body_out->with_resources = json_object_get_boolean(value) != 0;
    return json_object_is_type(value, json_type_boolean);
}

static bool read_override(struct json_object *value, struct act_body *body_out) {
    body_out->overrides_protection = json_object_is_type(value, json_type_string) &&
                                     text_equal_string(TEXT("protected"),
                                                       json_object_get_string(value));
    return body_out->overrides_protection;
}

static bool undo(struct admin *admin, const struct ulid *id, struct text actor,
                 const struct act_body *body, struct error *error) {
    return journal_undo(admin->options.journal, id, actor, body->with_resources, error);
}

static bool approve(struct admin *admin, const struct ulid *id, struct text actor,
                    const struct act_body *body, struct error *error) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct text detail = approval_detail(actor, clock_unix_ms(&clock_system),
                                         body->overrides_protection, arena);
    return journal_approve(admin->options.journal, id, actor, detail, body->overrides_protection,
                           error);
}

static bool dismiss(struct admin *admin, const struct ulid *id, struct text actor,
                    const struct act_body *body, struct error *error) {
    (void)body;
    return journal_dismiss(admin->options.journal, id, actor, error);
}

/* What an operator may do to an incident, and the one member that its body may hold. */
static const struct act {
    const char *verb, *member, *needs;
    bool (*read_fn)(struct json_object *value, struct act_body *body_out);
    bool (*do_fn)(struct admin *admin, const struct ulid *id, struct text actor,
                  const struct act_body *body, struct error *error);
} acts[] = {
    {"undo", "resources", "true or false", read_resources, undo},
    {"approve", "override", "\"protected\"", read_override, approve},
    {"dismiss", NULL, NULL, NULL, dismiss},
};

static const struct act *find_act(struct text verb) {
    for (size_t i = 0; i < ARRAY_COUNT(acts); i++) {
        if (text_equal_string(verb, acts[i].verb)) {
            return &acts[i];
        }
    }
    return NULL;
}

/* An object with that member, {} or nothing. */
static bool read_act_body(struct text body, const struct act *act, struct act_body *body_out,
                          struct error *error) {
    if (body.bytes == 0) {
        return true;
    }
    struct json_tokener *tokener = json_tokener_new();
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    scoped(put_object) struct json_object *root = json_tokener_parse_ex(tokener, body.data,
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
        if (strcmp(key, act->member) != 0 || !act->read_fn(value, body_out)) {
            return error_set(error, ERROR_INVALID, "the body may hold \"%s\": %s, and nothing else",
                             act->member, act->needs);
        }
    }
    return true;
}

static void act(struct admin *admin, struct request *request, const struct act *act,
                const struct ulid *id, struct text actor) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct error error = {0};
    struct journal_incident incident = {0};
    struct act_body body = {0};
    if (!read_act_body(text_trim(blob_text(request_body(request))), act, &body, &error)) {
        request_answer_error(request, 400, error.text);
        return;
    }
    if (!act->do_fn(admin, id, actor, &body, &error) ||
        !journal_read_incident(admin->options.journal, id, arena, &incident, &error)) {
        answer_failure(request, &error);
        return;
    }
    log_info(&(struct log_context){.component = "operate",
                                   .incident = ulid_text(id),
                                   LOG_FIELDS(log_text("actor", actor))},
             "%s%s", act->verb,
             body.with_resources         ? ", resources too"
             : body.overrides_protection ? ", although protected"
                                         : "");
    answer_object(request, 202, view_incident(&incident));
}

/* The token's name, which the audit keeps. The gate has let it in, but a reload may have come. */
static bool find_actor(struct admin *admin, const struct request *request, struct arena *arena,
                       struct text *actor_out) {
    scoped(access_unref) struct access *access = take_access(admin);
    struct text name = {NULL, 0};
    enum admin_role role = ADMIN_VIEW;
    if (access == NULL || !access_find(access, request, &name, &role) || role < ADMIN_OPERATE) {
        return false;
    }
    *actor_out = arena_copy_text(arena, name);
    return true;
}

/* POST /v1/incidents/ID/VERB. */
static void handle_act(void *arg, struct request *request) {
    struct admin *admin = arg;
    scoped(arena_free) struct arena *arena = arena_new();
    struct text rest = request_path(request);
    rest = text_slice(rest, sizeof(INCIDENTS "/") - 1, rest.bytes);
    size_t slash = text_find_byte(rest, '/', 0);
    struct text verb = text_slice(rest, slash + 1, rest.bytes);
    struct text actor = {NULL, 0};
    struct ulid id = {0};
    if (!ulid_parse(text_slice(rest, 0, slash), &id)) {
        request_answer_error(request, 404, "there is no such incident");
    } else if (find_act(verb) == NULL) {
        request_answer_error(request, 404, "no such path");
    } else if (!find_actor(admin, request, arena, &actor)) {
        request_answer_error(request, 401, "the token is no longer accepted");
    } else {
        act(admin, request, find_act(verb), &id, actor);
    }
}

static struct json_object *lines_of(struct text text) {
    struct json_object *list = json_object_new_array();
    struct text line = {NULL, 0};
    while (text_next_part(&text, '\n', &line)) {
        if (line.bytes > 0) {
            json_object_array_add(list, json_object_new_string_len(line.data, (int)line.bytes));
        }
    }
    return list;
}

static void handle_reload(void *arg, struct request *request) {
    struct admin *admin = arg;
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer findings = BUFFER_INIT;
    struct text actor = {NULL, 0};
    struct error error = {0};
    if (!find_actor(admin, request, arena, &actor)) {
        request_answer_error(request, 401, "the token is no longer accepted");
        return;
    }
    bool is_done = admin->options.reload_fn(admin->options.reload_arg, actor, &findings, &error);
    struct json_object *object = json_object_new_object();
    if (!is_done) {
        view_add_text(object, "error", text_of(error.text));
    }
    json_object_object_add(object, "findings", lines_of(buffer_text(&findings)));
    answer_object(request, is_done ? 200 : 409, object);
}

/* ---- what takes long ----------------------------------------------------------------------------
 */

/* A request that is answered by an errand. */
struct long_request {
    struct admin *admin;
    struct request *request;
};

static void begin_errand(struct admin *admin, struct request *request, thread_fn *run_fn) {
    struct long_request *asked = memory_new(sizeof(*asked));
    struct error error = {0};
    *asked = (struct long_request){admin, request};
    if (!errand_start(&admin->errand, run_fn, asked, &error)) {
        free(asked);
        answer_failure(request, &error);
    }
}

/* "FILE.backup-01ARZ3...", beside the journal: elsewhere the sandbox lets nobody write. */
static bool backup_path(struct admin *admin, struct buffer *path, struct error *error) {
    scoped(access_unref) struct access *access = take_access(admin);
    struct text url = access != NULL ? access_snapshot(access)->settings->journal : TEXT("");
    if (!text_starts_with(url, TEXT("sqlite:"))) {
        return error_set(error, ERROR_INVALID, "the journal is no file");
    }
    struct ulid id = random_ulid(clock_unix_ms(admin->options.clock));
    buffer_append_text(path, text_slice(url, sizeof("sqlite:") - 1, url.bytes));
    buffer_append_format(path, ".backup-%s", id.text);
    return true;
}

static void run_backup(void *arg) {
    struct long_request *asked = arg;
    struct admin *admin = asked->admin;
    scoped(buffer_done) struct buffer path = BUFFER_INIT;
    struct error error = {0};
    struct stat made = {0};
    if (!backup_path(admin, &path, &error) ||
        !journal_backup(admin->options.journal, buffer_string(&path), &admin->errand.is_called_off,
                        &error) ||
        (stat(buffer_string(&path), &made) != 0 && !error_set_errno(&error, errno, "backup"))) {
        answer_failure(asked->request, &error);
    } else {
        struct json_object *object = json_object_new_object();
        view_add_text(object, "file", buffer_text(&path));
        json_object_object_add(object, "bytes", json_object_new_int64(made.st_size));
        answer_object(asked->request, 200, object);
    }
    free(asked);
}

static void handle_backup(void *arg, struct request *request) {
    begin_errand(arg, request, run_backup);
}

static void run_orphans(void *arg) {
    struct long_request *asked = arg;
    struct admin *admin = asked->admin;
    struct request *request = asked->request;
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer answer = BUFFER_INIT;
    struct text actor = {NULL, 0};
    struct error error = {0};
    free(asked);
    if (!find_actor(admin, request, arena, &actor)) {
        request_answer_error(request, 401, "the token is no longer accepted");
    } else if (!admin->options.orphans_fn(admin->options.orphans_arg,
                                          request_query(request, "action"),
                                          request_query(request, "only"), actor,
                                          &admin->errand.is_called_off, &answer, &error)) {
        answer_failure(request, &error);
    } else {
        request_answer(request, &(struct answer){.status = 200, .body = buffer_text(&answer)});
    }
}

static void handle_orphans(void *arg, struct request *request) {
    begin_errand(arg, request, run_orphans);
}

void admin_rest(struct admin *admin) {
    errand_rest(&admin->errand);
}

/* ---- health -------------------------------------------------------------------------------------
 */

static void handle_health(void *arg, struct request *request) {
    (void)arg;
    request_answer(request,
                   &(struct answer){.status = 200, .body = TEXT("{\"status\":\"alive\"}\n")});
}

static void handle_ready(void *arg, struct request *request) {
    struct admin *admin = arg;
    if (journal_is_ready(admin->options.journal)) {
        request_answer(request,
                       &(struct answer){.status = 200, .body = TEXT("{\"status\":\"ready\"}\n")});
    } else {
        request_answer_busy(request, 503, "the journal can't commit", RETRY_AFTER_S);
    }
}

/* ---- life ---------------------------------------------------------------------------------------
 */

struct admin *admin_new(const struct admin_options *options) {
    process_register();
    metrics_register(&refusals, 1);
    struct admin *admin = memory_new(sizeof(*admin));
    admin->options = *options;
    errand_init(&admin->errand);
    mutex_init(&admin->lock);
    return admin;
}

void admin_free(struct admin **admin) {
    struct admin *old = *admin;
    *admin = NULL;
    if (old == NULL) {
        return;
    }
    errand_rest(&old->errand);
    access_unref(&old->shared.access);
    mutex_done(&old->lock);
    free(old);
}

bool admin_prepare(struct snapshot *snapshot, struct access **access_out, struct error *error) {
    return access_new(snapshot, access_out, error);
}

void admin_discard(struct access **access) {
    access_unref(access);
}

void admin_adopt(struct admin *admin, struct access **access) {
    mutex_lock(&admin->lock);
    struct access *before = admin->shared.access;
    admin->shared.access = *access;
    mutex_unlock(&admin->lock);
    *access = NULL;
    access_unref(&before);
}

const struct route *admin_routes(struct admin *admin, size_t *count_out) {
    static const struct {
        const char *method, *path;
        size_t body_limit_bytes;
        route_gate_fn *gate_fn;
        route_fn *handle_fn;
    } table[ROUTE_COUNT] = {
        [ROUTE_METRICS] = {"GET", "/metrics", 0, gate_view, handle_metrics},
        [ROUTE_LIST] = {"GET", INCIDENTS, 0, gate_view, handle_list},
        [ROUTE_SHOW] = {"GET", INCIDENTS "/*", 0, gate_view, handle_show},
        [ROUTE_ACT] = {"POST", INCIDENTS "/*", BODY_BYTES, gate_operate, handle_act},
        [ROUTE_RELOAD] = {"POST", "/v1/reload", BODY_BYTES, gate_operate, handle_reload},
        [ROUTE_RECENT] = {"GET", "/v1/events/recent", 0, gate_view, handle_recent},
        [ROUTE_RULES] = {"GET", "/v1/rules", 0, gate_view, handle_rules},
        [ROUTE_AUDIT] = {"GET", "/v1/audit", 0, gate_view, handle_audit},
        [ROUTE_BACKUP] = {"POST", "/v1/journal/backup", BODY_BYTES, gate_operate, handle_backup},
        [ROUTE_ORPHANS] = {"POST", "/v1/orphans", BODY_BYTES, gate_operate, handle_orphans},
        [ROUTE_HEALTH] = {"GET", "/healthz", 0, NULL, handle_health},
        [ROUTE_READY] = {"GET", "/readyz", 0, NULL, handle_ready},
    };
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        admin->routes[i] = (struct route){table[i].method,           table[i].path,
                                          table[i].body_limit_bytes, table[i].gate_fn,
                                          table[i].handle_fn,        admin};
    }
    *count_out = ROUTE_COUNT;
    return admin->routes;
}
