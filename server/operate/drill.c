#include "admin_parts.h"
#include "answers.h"
#include "gate.h"
#include "routes.h"
#include "view.h"

#include "riposte/base/memory.h"
#include "riposte/base/time.h"
#include "riposte/observe/log.h"

#include <stdio.h>

#define WAIT_DEFAULT_MS (30 * 1000)
#define WAIT_MOST_MS    (60 * 60 * 1000)

struct drill_body {
    bool is_canary;
    int64_t wait_ms;
};

/* {}, {"canary":true,"wait_ms":N} or nothing. */
static bool read_body(struct text body, struct drill_body *out, struct error *error) {
    scoped(arena_free) struct arena *arena = arena_new();
    const struct json *root = NULL;
    *out = (struct drill_body){.wait_ms = WAIT_DEFAULT_MS};
    if (body.bytes == 0) {
        return true;
    }
    if (!json_parse(body, 0, arena, &root, NULL, error)) {
        return error_wrap(error, "the body");
    }
    if (!json_is_object(root)) {
        return error_set(error, ERROR_INVALID, "the body is no JSON object");
    }
    for (const struct json *member = json_first(root); member; member = json_next(member)) {
        bool is_canary = text_equal(json_key(member), TEXT("canary"));
        bool is_good = is_canary ? json_type(member) == JSON_TRUE || json_type(member) == JSON_FALSE
                                 : text_equal(json_key(member), TEXT("wait_ms")) &&
                                       json_integer(member, &out->wait_ms) && out->wait_ms > 0 &&
                                       out->wait_ms <= WAIT_MOST_MS;
        if (!is_good) {
            return error_set(error, ERROR_INVALID,
                             "the body may hold \"canary\": true or false, and \"wait_ms\": at "
                             "most %d",
                             WAIT_MOST_MS);
        }
        out->is_canary |= is_canary && json_type(member) == JSON_TRUE;
    }
    return true;
}

void handle_drill(void *arg, struct request *request) {
    struct admin *admin = arg;
    scoped(arena_free) struct arena *arena = arena_new();
    struct text actor = {NULL, 0};
    struct drill_body body = {0};
    struct error error = {0};
    struct ulid id = {0};
    char nonce[2 * DRILL_NONCE_BYTES + 1];
    if (admin->options.drill == NULL) {
        request_answer_error(request, 404, "no drills here");
        return;
    }
    if (!read_body(text_trim(blob_text(request_body(request))), &body, &error)) {
        request_answer_error(request, 400, error.text);
        return;
    }
    if (!gate_actor(admin, request, arena, &actor)) {
        return;
    }
    drill_arm(admin->options.drill, body.is_canary, actor, body.wait_ms, &id, nonce);
    log_info(&(struct log_context){.component = "operate", LOG_FIELDS(log_text("actor", actor))},
             "drill %s%s", id.text, body.is_canary ? ", of a canary" : "");
    struct json_object *object = json_object_new_object();
    view_add_text(object, "id", ulid_text(&id));
    if (!body.is_canary) {
        view_add_text(object, "nonce", text_of(nonce));
    }
    memory_wipe(nonce, sizeof(nonce));
    answer_object(request, 200, object);
}

/* ---- the last one ---- */

static void add_time(struct json_object *object, const char *key, int64_t unix_ms) {
    char text[TIME_TEXT_BYTES];
    if (unix_ms > 0) {
        time_format_ms(unix_ms, text);
        view_add_text(object, key, text_of(text));
    }
}

static void add_ms(struct json_object *object, const char *key, int64_t us) {
    char text[32];
    double ms = (double)us / 1000;
    (void)snprintf(text, sizeof(text), "%.3f", ms);
    json_object_object_add(object, key, json_object_new_double_s(ms, text));
}

static struct json_object *view_leg(const struct drill_report *report, enum drill_leg leg) {
    struct json_object *object = json_object_new_object();
    const struct drill_step *step = &report->legs[leg];
    int64_t took_us = drill_leg_us(report, leg);
    view_add_text(object, "leg", text_of(drill_leg_name(leg)));
    view_add_text(object, "state", text_of(drill_state_name(step->state)));
    add_time(object, "at", step->at_unix_us / 1000);
    if (took_us >= 0) {
        add_ms(object, "ms", took_us);
    }
    view_add_text(object, "note", text_of(step->note));
    return object;
}

static struct json_object *view_legs(const struct drill_report *report, int64_t *total_us_out) {
    struct json_object *list = json_object_new_array();
    *total_us_out = 0;
    for (int i = 0; i < DRILL_LEGS; i++) {
        int64_t took_us = drill_leg_us(report, (enum drill_leg)i);
        json_object_array_add(list, view_leg(report, (enum drill_leg)i));
        *total_us_out += took_us > 0 ? took_us : 0;
    }
    return list;
}

void handle_last_drill(void *arg, struct request *request) {
    struct admin *admin = arg;
    struct drill_report report;
    int64_t total_us = 0;
    struct json_object *object = json_object_new_object();
    drill_read(admin->options.drill, &report);
    bool is_any = !ulid_is_none(&report.id);
    view_add_text(object, "state", is_any ? text_of(drill_state_name(report.state)) : TEXT("none"));
    if (is_any) {
        view_add_text(object, "id", ulid_text(&report.id));
        view_add_text(object, "kind", report.is_canary ? TEXT("canary") : TEXT("event"));
        view_add_text(object, "actor", text_of(report.actor));
        add_time(object, "started", report.started_unix_ms);
        add_time(object, "until", report.until_unix_ms);
        if (report.state == DRILL_BROKEN) {
            view_add_text(object, "broke_at", text_of(drill_leg_name(report.broke_at)));
        }
        json_object_object_add(object, "legs", view_legs(&report, &total_us));
        add_ms(object, "total_ms", total_us);
    } else {
        json_object_object_add(object, "legs", json_object_new_array());
    }
    answer_object(request, 200, object);
}
