#include "canary.h"

#include "call.h"
#include "notify.h"
#include "numbers.h"

#include "riposte/observe/log.h"

#define TRAILS_MOST 5 /* that are asked about */

/* ---- why ---- */

static struct call_outcome ask(const struct job *job, const char *operation,
                               const struct json *parameters) {
    const struct call call = {.service = TEXT("cloudtrail"),
                              .operation = text_of(operation),
                              .account = job->event.envelope.account,
                              .region = job->event.envelope.region,
                              .parameters = parameters};
    return call_send(job, PERMIT_READ, &call);
}

static struct call_outcome ask_about(const struct job *job, const char *operation,
                                     const char *member, struct text trail) {
    struct json *parameters = json_new_object(job->arena);
    json_add_text(job->arena, parameters, member, trail);
    return ask(job, operation, parameters);
}

static bool holds(const struct json *array, struct text value) {
    for (const struct json *item = json_first(array); item != NULL; item = json_next(item)) {
        if (text_equal(json_text(item), value)) {
            return true;
        }
    }
    return false;
}

/* Management events, and not only those that read. */
static bool takes_writes(const struct json *selector) {
    const struct json *fields = json_member(selector, "FieldSelectors");
    bool is_management = false;
    for (const struct json *field = json_first(fields); field != NULL; field = json_next(field)) {
        struct text name = json_text(json_member(field, "Field"));
        const struct json *equals = json_member(field, "Equals");
        is_management |= text_equal(name, TEXT("eventCategory")) &&
                         holds(equals, TEXT("Management"));
        if (text_equal(name, TEXT("readOnly")) && holds(equals, TEXT("true"))) {
            return false;
        }
    }
    const struct json *includes = json_member(selector, "IncludeManagementEvents");
    struct text type = json_text(json_member(selector, "ReadWriteType"));
    return is_management || (includes != NULL && json_type(includes) == JSON_TRUE &&
                             !text_equal(type, TEXT("ReadOnly")));
}

static bool has_writes(const struct json *answer) {
    static const char *const lists[] = {"EventSelectors", "AdvancedEventSelectors"};
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        const struct json *selector = json_first(json_member(answer, lists[i]));
        for (; selector != NULL; selector = json_next(selector)) {
            if (takes_writes(selector)) {
                return true;
            }
        }
    }
    return false;
}

static struct text explain_trail(const struct job *job, struct text trail) {
    struct call_outcome status = ask_about(job, "GetTrailStatus", "Name", trail);
    const struct json *is_logging = json_member(status.body, "IsLogging");
    if (status.outcome != AWS_OK) {
        return arena_format(job->arena, "trail %.*s: %.*s", TEXT_ARG(trail),
                            TEXT_ARG(status.reason));
    }
    if (is_logging == NULL || json_type(is_logging) != JSON_TRUE) {
        return arena_format(job->arena, "trail %.*s is not logging", TEXT_ARG(trail));
    }
    struct call_outcome selectors = ask_about(job, "GetEventSelectors", "TrailName", trail);
    if (selectors.outcome != AWS_OK) {
        return arena_format(job->arena, "trail %.*s is logging; which events: %.*s",
                            TEXT_ARG(trail), TEXT_ARG(selectors.reason));
    }
    return arena_format(job->arena,
                        has_writes(selectors.body)
                            ? "trail %.*s is logging: look at the schedule, EventBridge's rule, "
                              "connection and API destination"
                            : "trail %.*s leaves out management events that write",
                        TEXT_ARG(trail));
}

static struct text explain_trails(const struct job *job, const struct json *trails) {
    struct text all = {NULL, 0};
    size_t count = 0;
    for (const struct json *trail = json_first(trails); trail != NULL && count < TRAILS_MOST;
         trail = json_next(trail)) {
        struct text one = explain_trail(job, json_text(json_member(trail, "TrailARN")));
        all = count++ == 0 ? one
                           : arena_format(job->arena, "%.*s; %.*s", TEXT_ARG(all), TEXT_ARG(one));
    }
    return count > 0 ? all : TEXT("there is no trail");
}

static struct text explain(const struct job *job) {
    struct permit permit = job_permit(job, PERMIT_READ);
    struct error error = {0};
    if (!permit_check(&permit, &error)) {
        return TEXT("CloudTrail was not asked why: mode observe");
    }
    struct call_outcome outcome = ask(job, "DescribeTrails", json_new_object(job->arena));
    return outcome.outcome == AWS_OK
               ? explain_trails(job, json_member(outcome.body, "trailList"))
               : arena_format(job->arena, "CloudTrail could not be asked why: %.*s",
                              TEXT_ARG(outcome.reason));
}

/* ---- the verdict ---- */

static struct text make_reason(const struct job *job) {
    const struct json *detail = json_member(job->event.root, "detail");
    const struct json *was_heard = json_member(detail, "wasHeard");
    bool is_first = was_heard == NULL || json_type(was_heard) != JSON_TRUE;
    struct text why = explain(job);
    return arena_format(job->arena, "the canary of %.*s %s %.*s: %.*s",
                        TEXT_ARG(job->event.envelope.region),
                        is_first ? "never came, expected since" : "was last made at",
                        TEXT_ARG(json_text(json_member(detail, "since"))), TEXT_ARG(why));
}

void decide_canary(struct job *job) {
    struct journal_admission admission = {
        .proposal = ADMIT_HOLD, .reason = make_reason(job), .approved_by = job->approver};
    scoped(journal_admitted_done) struct journal_admitted admitted = {0};
    struct error error = {0};
    admission.notices = notify_notices(job, &admission.notice_count);
    if (!journal_admit(job->respond->options.journal, job->task, &admission, &admitted, &error)) {
        log_warn(&(struct log_context){.component = "respond",
                                       .event = job->task->event_key,
                                       .incident = ulid_text(&job->task->incident.id)},
                 "canary: not decided: %s", error.text);
        return;
    }
    numbers_incident(INCIDENT_HELD);
    job_page(job, "held", admission.reason);
}
