#include "notice.h"

#include "riposte/base/time.h"
#include "riposte/config/context.h"
#include "riposte/config/template.h"
#include "riposte/respond/parameters.h"

#include <assert.h>

#define DETECTION_FINDING 2004 /* OCSF class_uid; type_uid = class_uid * 100 + activity_id */

static const struct severity {
    const char *name, *pagerduty, *asff;
    int ocsf;
} severities[] = {
    {"critical", "critical", "CRITICAL", 5},
    {"high", "error", "HIGH", 4},
    {"medium", "warning", "MEDIUM", 3},
    {"low", "info", "LOW", 2},
};

static const struct state {
    const char *name, *pagerduty, *workflow, *record;
    int activity, status;
} states[] = {
    {"observed", "trigger", "NEW", "ACTIVE", 1, 1},
    {"held", "trigger", "NEW", "ACTIVE", 1, 1},
    {"done", "resolve", "RESOLVED", "ACTIVE", 2, 4},
    {"released", "resolve", "RESOLVED", "ARCHIVED", 3, 4},
    {"", "trigger", "NEW", "ACTIVE", 2, 2}, /* every other */
};

static const struct severity *severity_of(struct text name) {
    for (size_t i = 0; i < ARRAY_COUNT(severities); i++) {
        if (text_equal_string(name, severities[i].name)) {
            return &severities[i];
        }
    }
    return &severities[0]; /* an unknown one is none to be overlooked */
}

static const struct state *state_of(struct text name) {
    size_t i = 0;
    while (i + 1 < ARRAY_COUNT(states) && !text_equal_string(name, states[i].name)) {
        i++;
    }
    return &states[i];
}

static void add_string(struct arena *arena, struct json *object, const char *name,
                       const char *value) {
    json_add_text(arena, object, name, text_of(value));
}

static void add_integer(struct arena *arena, struct json *object, const char *name, int64_t value) {
    json_add_member(arena, object, text_of(name), json_new_integer(arena, value));
}

/* Without the last slash of the setting, if it has one. */
static struct text link_to(const struct notice_facts *facts, struct arena *arena) {
    const struct settings *settings = facts->settings;
    struct text base = settings != NULL ? settings->admin.url : TEXT("");
    if (base.bytes == 0) {
        struct text address = settings != NULL ? settings->admin.address : TEXT("127.0.0.1");
        bool is_ipv6 = text_find_byte(address, ':', 0) < address.bytes;
        base = arena_format(arena, "https://%s%.*s%s:%u", is_ipv6 ? "[" : "", TEXT_ARG(address),
                            is_ipv6 ? "]" : "",
                            settings != NULL ? (unsigned)settings->admin.port : 9443u);
    }
    base.bytes -= base.data[base.bytes - 1] == '/' ? 1 : 0;
    return arena_format(arena, "%.*s/incidents/%.*s", TEXT_ARG(base), TEXT_ARG(facts->incident_id));
}

static void add_vendors(const struct notice_facts *facts, struct json *notice,
                        struct arena *arena) {
    const struct severity *severity = severity_of(facts->severity);
    const struct state *state = state_of(facts->state);
    struct json *pagerduty = json_new_object(arena);
    struct json *asff = json_new_object(arena);
    struct json *ocsf = json_new_object(arena);
    add_string(arena, pagerduty, "action", state->pagerduty);
    add_string(arena, pagerduty, "severity", severity->pagerduty);
    add_string(arena, asff, "severity", severity->asff);
    add_string(arena, asff, "workflow", state->workflow);
    add_string(arena, asff, "record", state->record);
    add_integer(arena, ocsf, "severity_id", severity->ocsf);
    add_integer(arena, ocsf, "activity_id", state->activity);
    add_integer(arena, ocsf, "type_uid", DETECTION_FINDING * 100 + state->activity);
    add_integer(arena, ocsf, "status_id", state->status);
    json_add_member(arena, notice, TEXT("pagerduty"), pagerduty);
    json_add_member(arena, notice, TEXT("asff"), asff);
    json_add_member(arena, notice, TEXT("ocsf"), ocsf);
}

const struct json *notice_new(const struct notice_facts *facts, struct arena *arena) {
    struct json *notice = json_new_object(arena);
    char time[TIME_TEXT_BYTES];
    time_format_ms(facts->unix_ms, time);
    json_add_text(arena, notice, "state", facts->state);
    json_add_text(arena, notice, "reason", facts->reason);
    json_add_text(arena, notice, "url", link_to(facts, arena));
    add_string(arena, notice, "time", time);
    add_integer(arena, notice, "unix_ms", facts->unix_ms);
    add_vendors(facts, notice, arena);
    return notice;
}

/* ---- a step ---- */

const struct json *notice_with_secrets(const struct post *post, const struct text *values,
                                       const struct json *context, struct arena *arena) {
    struct json *secret = json_new_object(arena);
    for (size_t i = 0; i < post->secret_count; i++) {
        json_add_member(arena, secret, post->secrets[i].name, json_new_string(arena, values[i]));
    }
    return context_with(context, "secret", secret, arena);
}

/* Of a secret where it is. */
static bool fill_post(const struct post *post, const struct json *context, struct arena *arena,
                      struct notice_step *filled, struct error *error) {
    struct text spelled[POST_SECRETS_MOST];
    for (size_t i = 0; i < post->secret_count; i++) {
        spelled[i] = post->secrets[i].text;
    }
    filled->service = TEXT("https");
    filled->operation = TEXT("POST");
    return template_render(post->body, notice_with_secrets(post, spelled, context, arena), arena,
                           &filled->parameters, error);
}

static bool fill_append(const struct append *append, const struct json *context,
                        struct arena *arena, struct notice_step *filled, struct error *error) {
    filled->service = TEXT("file");
    filled->operation = TEXT("append");
    return template_render(append->line, context, arena, &filled->parameters, error);
}

static bool fill_call(const struct step *step, const struct json *context, struct arena *arena,
                      struct notice_step *filled, struct error *error) {
    filled->service = step->call.service;
    filled->operation = step->call.operation;
    return (step->account.bytes == 0 ||
            template_render_text(step->account, context, arena, &filled->account, error) ||
            error_wrap(error, "account")) &&
           (step->region.bytes == 0 ||
            template_render_text(step->region, context, arena, &filled->region, error) ||
            error_wrap(error, "region")) &&
           plan_parameters(&step->call, context, arena, &filled->parameters, error);
}

bool notice_fill(const struct step *step, const struct json *context, struct text event_region,
                 struct arena *arena, struct notice_step *filled_out, struct error *error) {
    *filled_out = (struct notice_step){.region = event_region};
    return step->post != NULL     ? fill_post(step->post, context, arena, filled_out, error)
           : step->append != NULL ? fill_append(step->append, context, arena, filled_out, error)
                                  : fill_call(step, context, arena, filled_out, error);
}
