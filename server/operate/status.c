#include "admin_parts.h"
#include "answers.h"
#include "gate.h"
#include "process.h"
#include "routes.h"
#include "view.h"

#include "riposte/crypto/served_certificate.h"

#include <assert.h>

#define LANES_SHOWN 100

static void add_number(struct json_object *object, const char *key, int64_t value) {
    json_object_object_add(object, key, json_object_new_int64(value));
}

static struct json_object *add_object(struct json_object *parent, const char *key) {
    struct json_object *object = json_object_new_object();
    json_object_object_add(parent, key, object);
    return object;
}

static void add_process(struct json_object *status, struct admin *admin,
                        const struct settings *settings) {
    struct json_object *process = add_object(status, "process");
    view_add_time(process, "started", process_started_unix_ms());
    add_number(process, "uptime_s", process_uptime_s());
    add_number(process, "resident_bytes", process_resident_bytes());
    add_number(process, "streams", (int64_t)feed_listeners(admin->feed));
    struct json_object *certificate = add_object(status, "certificate");
    view_add_time(certificate, "expires", served_certificate_expiry());
    json_object_object_add(certificate, "is_self_made",
                           json_object_new_boolean(settings->listen.certificate.bytes == 0));
    struct json_object *credentials = add_object(status, "credentials");
    if (admin->options.credentials_fn != NULL) {
        view_add_time(credentials, "expires",
                      admin->options.credentials_fn(admin->options.credentials_arg));
    }
}

static void add_journal(struct json_object *status, struct journal *journal,
                        const struct journal_numbers *numbers) {
    struct json_object *object = add_object(status, "journal");
    json_object_object_add(object, "is_ready", json_object_new_boolean(journal_is_ready(journal)));
    json_object_object_add(object, "is_damaged", json_object_new_boolean(numbers->is_damaged));
    add_number(object, "sequence", numbers->sequence);
    add_number(object, "commits", (int64_t)numbers->commits);
    add_number(object, "failed_commits", (int64_t)numbers->failed_commits);
    add_number(object, "queued", (int64_t)numbers->queued);
}

static void add_tasks(struct json_object *status, const struct settings *settings,
                      const struct journal_numbers *numbers) {
    struct json_object *object = add_object(status, "tasks");
    add_number(object, "open", (int64_t)numbers->open_tasks);
    add_number(object, "due", (int64_t)numbers->due_tasks);
    add_number(object, "late_ms", numbers->oldest_due_ms);
    add_number(object, "not_admitted", (int64_t)numbers->not_admitted);
    add_number(object, "queue_limit", settings->queue_limit);
}

/* Also how many workers have a task: each holds one of some lane. */
static void add_lanes(struct json_object *status, struct journal *journal,
                      const struct settings *settings) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct journal_lane *lanes = NULL;
    size_t count = 0;
    int64_t busy = 0;
    struct json_object *workers = add_object(status, "workers");
    struct json_object *list = json_object_new_array();
    journal_read_lanes(journal, SIZE_MAX, arena, &lanes, &count);
    for (size_t i = 0; i < count; i++) {
        busy += lanes[i].busy;
        if (i < LANES_SHOWN) {
            struct json_object *lane = json_object_new_object();
            json_object_object_add(
                lane, "name",
                json_object_new_string_len(lanes[i].name.data, (int)lanes[i].name.bytes));
            add_number(lane, "busy", lanes[i].busy);
            add_number(lane, "tasks", (int64_t)lanes[i].tasks);
            add_number(lane, "due", (int64_t)lanes[i].due);
            json_object_object_add(lane, "is_failing",
                                   json_object_new_boolean(lanes[i].is_failing));
            json_object_array_add(list, lane);
        }
    }
    add_number(workers, "count", settings->workers);
    add_number(workers, "busy", busy);
    json_object_object_add(status, "lanes", list);
}

static bool add_incidents(struct json_object *status, struct admin *admin, struct error *error) {
    const struct journal_census *census = NULL;
    if (!census_recent(&admin->census, admin->options.journal, &census, error)) {
        return false;
    }
    struct json_object *incidents = add_object(status, "incidents");
    add_number(incidents, "total", (int64_t)census->incidents);
    struct json_object *by_state = add_object(incidents, "by_state");
    for (size_t i = 0; i < INCIDENT_STATES; i++) {
        add_number(by_state, incident_state_name((enum incident_state)i),
                   (int64_t)census->by_state[i]);
    }
    return true;
}

/* Who asks: a page shows by it what it may offer. */
static void add_caller(struct json_object *status, struct admin *admin, struct request *request) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct text name = {NULL, 0};
    enum admin_role role = ADMIN_VIEW;
    if (gate_who(admin, request, arena, &name, &role)) {
        struct json_object *you = add_object(status, "you");
        view_add_text(you, "name", name);
        view_add_text(you, "role", role == ADMIN_OPERATE ? TEXT("operate") : TEXT("view"));
    }
}

void handle_status(void *arg, struct request *request) {
    struct admin *admin = arg;
    scoped(access_unref) struct access *access = admin_access(admin);
    scoped(view_put) struct json_object *status = json_object_new_object();
    struct journal *journal = admin->options.journal;
    struct journal_numbers numbers = {0};
    struct error error = {0};
    assert(access != NULL); /* the gate found a token in it, and it is only ever replaced */
    const struct snapshot *snapshot = access_snapshot(access);
    journal_numbers(journal, &numbers);
    view_add_text(status, "version", TEXT(RIPOSTE_VERSION));
    view_add_text(status, "mode", text_of(mode_name(snapshot->settings->mode)));
    add_number(status, "rules", (int64_t)snapshot->rule_count);
    add_caller(status, admin, request);
    add_process(status, admin, snapshot->settings);
    add_journal(status, journal, &numbers);
    add_tasks(status, snapshot->settings, &numbers);
    add_lanes(status, journal, snapshot->settings);
    if (!add_incidents(status, admin, &error)) {
        answer_failure(request, &error);
    } else {
        answer_object(request, 200, json_object_get(status));
    }
}
