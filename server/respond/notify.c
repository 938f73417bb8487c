#include "notify.h"

#include "numbers.h"
#include "retry.h"

#include "riposte/base/latch.h"
#include "riposte/config/secret.h"
#include "riposte/config/template.h"
#include "riposte/json/writer.h"
#include "riposte/observe/log.h"
#include "riposte/outbound/url.h"
#include "riposte/respond/failpoint.h"

#include <stdio.h>

#define POST_TIMEOUT_MS 10000
#define POST_WAIT_MS    200 /* for a containment under way */
#define RESPONSE_BYTES  4096
#define REASON_BYTES    300

/* ---- who is told ---- */

struct texts notify_names(const struct job *job, enum incident_state state) {
    const struct settings *settings = job->snapshot->settings;
    switch (state) {
    case INCIDENT_OBSERVED:
        return settings->notify.observed;
    case INCIDENT_HELD:
        return settings->notify.held;
    case INCIDENT_FAILED:
        return settings->notify.failed;
    case INCIDENT_DONE:
        return settings->notify.done;
    case INCIDENT_RELEASED:
        return settings->notify.released;
    case INCIDENT_DETECTED:
    case INCIDENT_SUPPRESSED:
    case INCIDENT_JOINED:
    case INCIDENT_RESPONDING:
    case INCIDENT_RELEASING:
    case INCIDENT_DISMISSED:
        break;
    }
    return (struct texts){NULL, 0};
}

struct texts notify_names_of_escape(const struct job *job) {
    return job->snapshot->settings->notify.escaped;
}

struct journal_new_task notify_task(const struct job *job, struct text playbook,
                                    const char *state) {
    struct detail detail = {.state = text_of(state), .arena = job->arena};
    const struct playbook *definition = snapshot_playbook(job->snapshot, playbook);
    return (struct journal_new_task){.kind = TASK_NOTIFY,
                                     .priority = PRIORITY_NOTIFY,
                                     .playbook = playbook,
                                     .lane = definition != NULL ? job_lane(job, definition)
                                                                : TEXT(""),
                                     .detail = detail_text(&detail)};
}

size_t notify_write_state(const struct job *job, struct journal_write *write,
                          enum incident_state state, struct text reason) {
    size_t index = journal_write_state(write, state, reason);
    struct texts names = notify_names(job, state);
    for (size_t i = 0; i < names.count; i++) {
        struct journal_new_task task = notify_task(job, names.items[i], incident_state_name(state));
        journal_write_notice(write, index, &task);
    }
    return index;
}

/* ---- a notification ---- */

/* One playbook being told. */
struct telling {
    struct job *job;
    const struct playbook *playbook;
    struct detail detail;
    struct text prefix; /* of keys */
    const struct json *context;
    const struct journal_call *calls;
    size_t call_count;
    struct journal_write *write;
    int64_t due_unix_ms; /* of what is to be tried again; 0: nothing */
    bool is_lost;
};

enum post_end { POST_WORKED, POST_LATER, POST_REFUSED, POST_NEEDLESS };

struct post_outcome {
    enum post_end end;
    struct text reason;
    int64_t took_us;
};

struct answer {
    struct latch done;
    int status;
    int64_t took_us;
    char error[ERROR_TEXT_BYTES];
};

static void take_answer(void *arg, const struct http_response *response, bool may_have_arrived,
                        const struct error *error) {
    struct answer *answer = arg;
    (void)may_have_arrived;
    if (response != NULL) {
        answer->status = response->status;
        answer->took_us = response->took_us;
    } else {
        snprintf(answer->error, sizeof(answer->error), "%s", error->text);
    }
    latch_open(&answer->done);
}

/* 429 and 5xx pass; what else is refused stays so. */
static struct post_outcome judge(const struct job *job, const struct answer *answer) {
    if (answer->status >= 200 && answer->status < 300) {
        return (struct post_outcome){POST_WORKED, {NULL, 0}, answer->took_us};
    }
    if (answer->status == 0) {
        return (struct post_outcome){POST_LATER,
                                     arena_copy_text(job->arena, text_of(answer->error)), 0};
    }
    bool may_pass = answer->status == 429 || answer->status >= 500;
    return (struct post_outcome){may_pass ? POST_LATER : POST_REFUSED,
                                 arena_format(job->arena, "answered %d", answer->status),
                                 answer->took_us};
}

static struct post_outcome send(const struct job *job, const struct http_request *request) {
    const struct respond_post *post = &job->respond->options.post;
    struct permit permit = job_permit(job, PERMIT_NOTIFY);
    struct answer answer = {0};
    struct error error = {0};
    latch_init(&answer.done);
    failpoint("before-call");
    if (!post->send_fn(post->arg, &permit, request, take_answer, &answer, &error)) {
        latch_open(&answer.done);
        latch_wait(&answer.done);
        latch_done(&answer.done);
        return (struct post_outcome){POST_REFUSED, arena_copy_text(job->arena, text_of(error.text)),
                                     0};
    }
    latch_wait(&answer.done);
    latch_done(&answer.done);
    failpoint("after-call");
    journal_report(job->respond->options.journal, job->task, answer.status != 0);
    return judge(job, &answer);
}

/* False: it is not set, or can't be read. The caller wipes it. */
static bool resolve(const struct post_value *value, struct secret *secret, struct error *error) {
    struct secret_reference reference = {0};
    return secret_reference_parse(value->text, &reference, error) &&
           secret_resolve(&reference, secret, error) &&
           (secret->bytes > 0 ||
            error_set(error, ERROR_NOT_FOUND, "%.*s is not set", TEXT_ARG(value->text)));
}

static bool may_go_to(struct text text, struct error *error) {
    struct url url = {0};
    return url_parse(text, &url, error) &&
           (url.is_https || url_is_loopback(&url) ||
            error_set(error, ERROR_INVALID, "its url is not https"));
}

/* What stands for secrets lives only as long as the request. */
struct secrets {
    struct secret items[POST_HEADERS_MOST + 1]; /* the URL may be one, too */
    size_t count;
};

static void secrets_done(struct secrets *secrets) {
    for (size_t i = 0; i < secrets->count; i++) {
        secret_done(&secrets->items[i]);
    }
}

static bool text_of_value(const struct post_value *value, struct secrets *secrets,
                          struct text *text_out, struct error *error) {
    if (!value->is_reference) {
        *text_out = value->text;
        return true;
    }
    struct secret *secret = &secrets->items[secrets->count++];
    *secret = (struct secret){0};
    if (!resolve(value, secret, error)) {
        return false;
    }
    *text_out = (struct text){secret->text, secret->bytes};
    return true;
}

static struct post_outcome post(const struct job *job, const struct post *post, struct text body,
                                const char *content_type) {
    scoped(secrets_done) struct secrets secrets = {0};
    char parent[TRACE_PARENT_BYTES];
    struct http_header headers[POST_HEADERS_MOST + 2] = {
        {TEXT("Content-Type"), text_of(content_type)}};
    struct http_request request = {.method = TEXT("POST"),
                                   .headers = headers,
                                   .header_count = 1,
                                   .body = body,
                                   .timeout_ms = POST_TIMEOUT_MS,
                                   .response_limit_bytes = RESPONSE_BYTES};
    struct error error = {0};
    bool is_ready = text_of_value(&post->url, &secrets, &request.url, &error);
    for (size_t i = 0; is_ready && i < post->header_count; i++) {
        headers[request.header_count].name = post->headers[i].name;
        is_ready = text_of_value(&post->headers[i], &secrets,
                                 &headers[request.header_count++].value, &error);
    }
    if (!is_ready || !may_go_to(request.url, &error)) {
        enum post_end end = error.code == ERROR_NOT_FOUND ? POST_NEEDLESS
                            : error.code == ERROR_BUSY    ? POST_LATER
                                                          : POST_REFUSED;
        return (struct post_outcome){end, arena_copy_text(job->arena, text_of(error.text)), 0};
    }
    if (job->task->trace.text[0] != '\0') {
        trace_parent(&job->task->trace, job->respond->options.random_fn(UINT64_MAX), parent);
        headers[request.header_count++] = (struct http_header){TEXT("traceparent"),
                                                               text_of(parent)};
    }
    return send(job, &request);
}

/* ---- what is journaled of it ---- */

/* A reference as it is spelled; of a URL in clear its host, since its path may be a secret. */
static struct text shown_url(const struct post *post) {
    size_t host = text_find(post->url.text, TEXT("://"));
    if (post->url.is_reference || host >= post->url.text.bytes) {
        return post->url.text;
    }
    return text_slice(post->url.text, 0, text_find_byte(post->url.text, '/', host + 3));
}

static struct text request_text(const struct job *job, const struct post *post,
                                const struct json *body) {
    struct json *object = json_new_object(job->arena);
    json_add_text(job->arena, object, "url", shown_url(post));
    json_add_member(job->arena, object, TEXT("body"), json_copy(job->arena, body));
    return job_json_text(job, object);
}

static bool commit(struct telling *telling) {
    telling->is_lost |= !job_commit(telling->job, telling->write);
    journal_write_free(&telling->write);
    telling->write = journal_write_new(telling->job->task);
    return !telling->is_lost;
}

static bool was_told(const struct telling *telling, struct text key) {
    for (size_t i = 0; i < telling->call_count; i++) {
        if (text_equal(telling->calls[i].key, key)) {
            return telling->calls[i].state != CALL_INTENT;
        }
    }
    return false;
}

static bool write_intent(struct telling *telling, const struct step *step, struct text key,
                         struct text request) {
    const struct job *job = telling->job;
    struct journal_intent intent = {.key = key,
                                    .playbook = telling->playbook->name,
                                    .step = step->name,
                                    .service = TEXT("https"),
                                    .operation = TEXT("POST"),
                                    .account = job->event.envelope.account,
                                    .region = job->event.envelope.region,
                                    .request = request,
                                    .is_notice = true};
    size_t index = journal_write_intent(telling->write, &intent);
    struct journal_write *write = telling->write;
    bool is_committed = job_commit(job, write);
    bool may_send = is_committed && journal_write_result(write, index) == INTENT_SEND;
    telling->is_lost |= !is_committed;
    journal_write_free(&telling->write);
    telling->write = journal_write_new(job->task);
    return may_send;
}

static void write_outcome(struct telling *telling, const struct step *step, struct text key,
                          struct post_outcome *outcome) {
    static const enum call_state states[] = {[POST_WORKED] = CALL_DONE,
                                             [POST_LATER] = CALL_INTENT,
                                             [POST_REFUSED] = CALL_FAILED,
                                             [POST_NEEDLESS] = CALL_SKIPPED};
    static const char *const outcome_names[] = {[POST_WORKED] = "sent",
                                                [POST_LATER] = "put-off",
                                                [POST_REFUSED] = "lost",
                                                [POST_NEEDLESS] = "skipped"};
    const struct job *job = telling->job;
    if (outcome->end == POST_LATER) {
        unsigned tries = detail_try(&telling->detail, key);
        int64_t due = job_now(job) + retry_wait_ms(tries, job->respond->options.random_fn);
        bool is_over = tries >= RESPOND_ATTEMPTS;
        outcome->end = is_over ? POST_REFUSED : POST_LATER;
        telling->due_unix_ms = is_over || (telling->due_unix_ms != 0 && telling->due_unix_ms < due)
                                   ? telling->due_unix_ms
                                   : due;
    }
    struct journal_outcome journaled = {.state = states[outcome->end],
                                        .reason = text_cut(outcome->reason, REASON_BYTES),
                                        .took_us = outcome->took_us};
    journal_write_outcome(telling->write, key, &journaled);
    numbers_notice(telling->playbook->name, outcome_names[outcome->end]);
    if (outcome->end == POST_REFUSED) {
        log_error(&(struct log_context){.component = "respond",
                                        .event = job->task->event_key,
                                        .trace = trace_text(&job->task->trace),
                                        .incident = ulid_text(&job->task->incident.id)},
                  "nobody was told: %.*s, step %.*s: %.*s", TEXT_ARG(telling->playbook->name),
                  TEXT_ARG(step->name), TEXT_ARG(outcome->reason));
    }
}

static struct text body_text(const struct job *job, const struct json *body,
                             const char **content_type_out) {
    const struct json *raw = json_member(body, "raw");
    *content_type_out = raw != NULL ? "text/plain; charset=utf-8" : "application/json";
    return raw != NULL ? json_text(raw) : job_json_text(job, json_member(body, "json"));
}

static void tell_step(struct telling *telling, const struct step *step) {
    struct job *job = telling->job;
    struct text key = arena_format(job->arena, "%.*s/%.*s/%.*s", TEXT_ARG(telling->prefix),
                                   TEXT_ARG(telling->playbook->name), TEXT_ARG(step->name));
    const struct json *body = NULL;
    const char *content_type = NULL;
    bool applies = true;
    struct error error = {0};
    struct post_outcome outcome = {POST_NEEDLESS, TEXT("its condition does not hold"), 0};
    if (was_told(telling, key)) {
        return;
    }
    bool is_ready = (step->when == NULL ||
                     pattern_match_tree(step->when, telling->context, &applies, &error)) &&
                    template_render(step->post->body, telling->context, job->arena, &body, &error);
    struct text request = is_ready ? request_text(job, step->post, body) : TEXT("{}");
    if (!write_intent(telling, step, key, request)) {
        return;
    }
    if (!is_ready) {
        outcome = (struct post_outcome){POST_REFUSED,
                                        arena_copy_text(job->arena, text_of(error.text)), 0};
    } else if (applies) {
        struct text text = body_text(job, body, &content_type);
        outcome = post(job, step->post, text, content_type);
    }
    write_outcome(telling, step, key, &outcome);
    bool is_committed = commit(telling);
    (void)is_committed; /* telling->is_lost */
}

/* ---- a task ---- */

/* A containing playbook of the incident that hasn't had its first try yet? */
static bool must_wait(const struct job *job) {
    struct journal_task_row *rows = NULL;
    size_t count = 0;
    struct error error = {0};
    if (!journal_read_tasks(job->respond->options.journal, &job->task->incident.id, job->arena,
                            &rows, &count, &error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct playbook *playbook = rows[i].kind == TASK_PLAYBOOK
                                              ? definition_playbook(job->definition,
                                                                    rows[i].playbook)
                                              : NULL;
        if (playbook != NULL && playbook->acts_on == ACTS_ON_PRINCIPAL && rows[i].attempt == 0) {
            return true;
        }
    }
    return false;
}

static void put_off(const struct job *job, int64_t due_unix_ms, struct text detail, bool counts) {
    scoped(journal_write_free) struct journal_write *write = journal_write_new(job->task);
    journal_write_again(write, due_unix_ms, detail, counts);
    if (job_commit(job, write) && counts) {
        numbers_retry(task_kind_name(job->task->kind));
    }
}

static const struct json *make_context(const struct job *job, struct text state) {
    const struct journal_incident *incident = &job->task->incident;
    bool is_so = text_equal_string(state, incident_state_name(incident->state));
    struct json *notice = json_new_object(job->arena);
    json_add_text(job->arena, notice, "state", state);
    json_add_text(job->arena, notice, "reason", is_so ? incident->reason : TEXT(""));
    return context_with(job->context, "notice", notice, job->arena);
}

static bool start(struct telling *telling, struct text prefix, struct text state) {
    struct job *job = telling->job;
    struct journal_call *calls = NULL;
    struct error error = {0};
    detail_read(job->task->detail, job->arena, &telling->detail);
    telling->prefix = prefix;
    telling->context = make_context(job, state);
    if (!journal_read_calls(job->respond->options.journal, &job->task->incident.id, job->arena,
                            &calls, &telling->call_count, &error)) {
        return false;
    }
    telling->calls = calls;
    telling->write = journal_write_new(job->task);
    return true;
}

static void tell_all(struct telling *telling) {
    const struct playbook *playbook = telling->playbook;
    for (size_t i = 0; i < playbook->step_count && !telling->is_lost; i++) {
        if (playbook->steps[i].post != NULL) {
            tell_step(telling, &playbook->steps[i]);
        }
    }
}

static void finish(struct telling *telling, bool ends_playbook) {
    const struct job *job = telling->job;
    if (telling->is_lost) {
        journal_write_free(&telling->write);
        return;
    }
    if (telling->due_unix_ms > 0) {
        journal_write_free(&telling->write);
        put_off(job, telling->due_unix_ms, detail_text(&telling->detail), true);
        return;
    }
    size_t index = ends_playbook ? notify_write_state(job, telling->write, INCIDENT_DONE,
                                                      (struct text){NULL, 0})
                                 : 0;
    journal_write_finish(telling->write);
    if (job_commit(job, telling->write) && ends_playbook &&
        journal_write_result(telling->write, index) != 0) {
        job_ended(job, INCIDENT_DONE, (struct text){NULL, 0});
    }
    journal_write_free(&telling->write);
}

void notify(struct job *job) {
    struct detail detail;
    detail_read(job->task->detail, job->arena, &detail);
    struct telling telling = {.job = job,
                              .playbook = snapshot_playbook(job->snapshot, job->task->playbook)};
    struct text prefix = arena_format(job->arena, "notify/%.*s", TEXT_ARG(detail.state));
    if (must_wait(job)) {
        put_off(job, job_now(job) + POST_WAIT_MS, job->task->detail, false);
    } else if (start(&telling, prefix, detail.state)) {
        if (telling.playbook != NULL) { /* else a reload has taken it away */
            tell_all(&telling);
        }
        finish(&telling, false);
    }
}

void notify_playbook(struct job *job, const struct playbook *playbook) {
    struct telling telling = {.job = job, .playbook = playbook};
    if (must_wait(job)) {
        put_off(job, job_now(job) + POST_WAIT_MS, job->task->detail, false);
    } else if (start(&telling, job->story_key,
                     text_of(incident_state_name(job->task->incident.state)))) {
        if (job->mode != MODE_OBSERVE) { /* there only what `notify` names leaves */
            tell_all(&telling);
        }
        finish(&telling, true);
    }
}
