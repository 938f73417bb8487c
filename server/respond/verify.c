#include "verify.h"

#include "call.h"
#include "detail.h"
#include "entry.h"
#include "notify.h"
#include "numbers.h"
#include "retry.h"

#include "riposte/base/buffer.h"
#include "riposte/config/context.h"
#include "riposte/config/template.h"
#include "riposte/json/writer.h"
#include "riposte/respond/parameters.h"

#define UNASKED_WAIT_MS 60000 /* no credentials, mode observe: until that changes */
#define FOUND_BYTES     4096  /* of what was found instead, in the audit */

/* A write being looked after. */
struct watch {
    struct job *job;
    const struct playbook *playbook;
    struct detail detail;
    const struct journal_call *call;  /* the write */
    const struct journal_call *calls; /* all of the incident */
    size_t call_count;
    const struct step *step;
    const struct json *request; /* what should stand there */
    const struct json *context; /* of the step, with `sent` */
    struct journal_write *write;
};

enum sight { SIGHT_GOOD, SIGHT_MISSING };

/* ---- ends ---------------------------------------------------------------------------------------
 */

static void again(struct watch *watch, int64_t due_unix_ms, bool counts) {
    journal_write_again(watch->write, due_unix_ms, detail_text(&watch->detail), counts);
    if (job_commit(watch->job, watch->write) && counts) {
        numbers_retry(task_kind_name(TASK_VERIFY));
    }
}

static void finish(struct watch *watch) {
    journal_write_finish(watch->write);
    bool is_committed = job_commit(watch->job, watch->write);
    (void)is_committed; /* job_commit() said so; the lease ends and the task comes again */
}

static void give_up(struct watch *watch, struct text reason) {
    struct job *job = watch->job;
    reason = arena_format(job->arena, "verify %.*s: %.*s", TEXT_ARG(watch->step->name),
                          TEXT_ARG(reason));
    size_t index = notify_write_state(job, watch->write, INCIDENT_FAILED, reason);
    journal_write_finish(watch->write);
    if (job_commit(job, watch->write)) {
        if (journal_write_result(watch->write, index) != 0) {
            job_ended(job, INCIDENT_FAILED, reason);
        }
        job_page(job, "failed", reason);
    }
}

/* Later, as often as a call may be tried; then for good. */
static void try_later(struct watch *watch, struct text reason) {
    unsigned tries = detail_try(&watch->detail, TEXT("verify"));
    if (tries >= RESPOND_ATTEMPTS) {
        give_up(watch, arena_format(watch->job->arena, "given up after %u tries: %.*s", tries,
                                    TEXT_ARG(reason)));
        return;
    }
    uint64_t (*random_fn)(uint64_t) = watch->job->respond->options.random_fn;
    again(watch, job_now(watch->job) + retry_wait_ms(tries, random_fn), true);
}

static void audit(struct watch *watch, const char *event, const char *what, struct text reason,
                  const struct json *found) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    struct json_writer writer;
    json_writer_init(&writer, &text);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "key", watch->call->key);
    json_put_string(&writer, "result", what);
    json_put_integer(&writer, "applied_again", watch->detail.applied);
    if (reason.bytes > 0) {
        json_put_text(&writer, "reason", reason);
    }
    if (found != NULL) {
        json_put_text(&writer, "found", text_cut(job_json_text(watch->job, found), FOUND_BYTES));
    }
    json_close_object(&writer);
    journal_write_audit(watch->write, text_of(event),
                        arena_copy_text(watch->job->arena, buffer_text(&text)));
}

static const struct journal_call *find_call(const struct journal_call *calls, size_t count,
                                            struct text key) {
    for (size_t i = 0; i < count; i++) {
        if (text_equal(calls[i].key, key)) {
            return &calls[i];
        }
    }
    return NULL;
}

/* ---- applied again ------------------------------------------------------------------------------
 */

static void start_anew(struct watch *watch) {
    watch->detail.applied++;
    watch->detail.index = 0;
    watch->detail.from_unix_ms = job_now(watch->job);
    watch->detail.is_now = false;
    detail_forget_tries(&watch->detail);
    if (watch->step->verify == NULL) {
        finish(watch);
        return;
    }
    again(watch, watch->detail.from_unix_ms + watch->step->verify->after_ms[0], false);
}

static void send_again(struct watch *watch, struct text key) {
    struct job *job = watch->job;
    struct call call = {watch->call->service, watch->call->operation, watch->call->account,
                        watch->call->region, watch->request};
    struct call_outcome outcome = call_send(job, PERMIT_WRITE, &call);
    bool is_tolerated = outcome.outcome == AWS_REFUSED &&
                        plan_tolerates(&watch->step->tolerate, outcome.error_code);
    bool has_worked = outcome.outcome == AWS_OK || is_tolerated;
    bool may_work_later = outcome.outcome == AWS_RETRY || outcome.outcome == AWS_NO_ANSWER;
    enum call_state state = has_worked ? CALL_DONE : may_work_later ? CALL_INTENT : CALL_FAILED;
    struct journal_outcome journaled = entry_outcome(job, state, &outcome);
    journal_write_outcome(watch->write, key, &journaled);
    audit(watch, "verify", has_worked ? "applied-again" : "not-applied", outcome.reason, NULL);
    if (has_worked) {
        numbers_reapplied();
        start_anew(watch);
    } else if (may_work_later) {
        try_later(watch, outcome.reason);
    } else {
        give_up(watch, outcome.reason);
    }
}

/* Does what the step asked before it wrote still get an answer that matches? Names are not
 * identities: by now another user may bear the name. */
static bool still_answers(struct watch *watch, const struct step *step,
                          const struct journal_call *asked) {
    struct job *job = watch->job;
    struct call call = {asked->service, asked->operation, asked->account, asked->region,
                        job_parse(job, asked->request)};
    struct call_outcome outcome = call_send(job, PERMIT_READ, &call);
    struct text reason = outcome.reason;
    bool is_match = false;
    struct error error = {0};
    if (outcome.outcome == AWS_RETRY || outcome.outcome == AWS_NO_ANSWER) {
        try_later(watch, reason);
        return false;
    }
    if (outcome.outcome == AWS_NOT_SENT) {
        again(watch, job_now(job) + UNASKED_WAIT_MS, false);
        return false;
    }
    if (outcome.outcome == AWS_OK &&
        plan_matches(step->matches, watch->context, outcome.body, job->arena, &is_match, &error)) {
        reason = is_match ? reason
                          : plan_mismatch(step->matches, watch->context, outcome.body, job->arena);
    } else if (outcome.outcome == AWS_OK) {
        reason = arena_copy_text(job->arena, text_of(error.text));
    }
    if (!is_match) {
        give_up(watch, arena_format(job->arena, "not applied again: step %.*s: %.*s:%.*s: %.*s",
                                    TEXT_ARG(step->name), TEXT_ARG(call.service),
                                    TEXT_ARG(call.operation), TEXT_ARG(reason)));
    }
    return is_match;
}

static const struct journal_call *find_answered(const struct watch *watch,
                                                const struct step *step) {
    bool is_check = step->link_count == 0 && !step->is_write && step->matches != NULL;
    struct text key = arena_format(watch->job->arena, "%.*s/%.*s/%.*s",
                                   TEXT_ARG(watch->job->story_key), TEXT_ARG(watch->playbook->name),
                                   TEXT_ARG(step->name));
    const struct journal_call *call = is_check ? find_call(watch->calls, watch->call_count, key)
                                               : NULL;
    return call != NULL && call->state == CALL_DONE && call->error_code.bytes == 0 ? call : NULL;
}

static bool may_apply_again(struct watch *watch) {
    for (size_t i = 0; i < watch->playbook->step_count; i++) {
        const struct step *step = &watch->playbook->steps[i];
        const struct journal_call *asked = find_answered(watch, step);
        if (asked != NULL && !still_answers(watch, step, asked)) {
            return false;
        }
    }
    return true;
}

static void apply_again(struct watch *watch) {
    struct job *job = watch->job;
    if (!may_apply_again(watch)) {
        return;
    }
    struct text key = arena_format(job->arena, "%.*s#again-%u", TEXT_ARG(watch->call->key),
                                   watch->detail.applied + 1);
    struct journal_intent intent = {.key = key,
                                    .playbook = watch->call->playbook,
                                    .step = watch->call->step,
                                    .service = watch->call->service,
                                    .operation = watch->call->operation,
                                    .account = watch->call->account,
                                    .region = watch->call->region,
                                    .request = job_json_text(job, watch->request),
                                    .is_write = true};
    size_t index = journal_write_intent(watch->write, &intent);
    if (!job_commit(job, watch->write)) {
        return;
    }
    enum intent_result result = (enum intent_result)journal_write_result(watch->write, index);
    journal_write_free(&watch->write);
    watch->write = journal_write_new(job->task);
    if (result == INTENT_SEND) {
        send_again(watch, key);
    } else { /* the incident is being taken back: a released deny is never applied again */
        finish(watch);
    }
}

static void missing(struct watch *watch, struct text reason, const struct json *found) {
    audit(watch, "verify", "missing", reason, found);
    if (watch->detail.applied >= RESPOND_REAPPLIED) {
        give_up(watch, arena_format(watch->job->arena, "applied again %u times in vain: %.*s",
                                    watch->detail.applied, TEXT_ARG(reason)));
        return;
    }
    apply_again(watch);
}

static void present(struct watch *watch) {
    const struct verify *verify = watch->step->verify;
    detail_forget_tries(&watch->detail);
    watch->detail.index += watch->detail.is_now ? 0 : 1;
    watch->detail.is_now = false;
    if (watch->detail.index < verify->after_count) {
        again(watch, watch->detail.from_unix_ms + verify->after_ms[watch->detail.index], false);
    } else {
        audit(watch, "verify", "stands", (struct text){NULL, 0}, NULL);
        finish(watch);
    }
}

/* ---- the look -----------------------------------------------------------------------------------
 */

static bool is_same(const struct verify *verify, const struct json *context, struct arena *arena,
                    struct error *error) {
    const struct json *left = NULL, *right = NULL;
    return template_render(verify->same_left, context, arena, &left, error) &&
           template_render(verify->same_right, context, arena, &right, error) &&
           (json_equal(left, right) ||
            error_set(error, ERROR_INVALID, "what stands there is not what was sent"));
}

bool verify_looks_right(const struct verify *verify, const struct json *context,
                        const struct json *answer, struct arena *arena, struct error *error) {
    context = context_with(context, "answer", answer, arena);
    bool is_match = true;
    if (verify->matches != NULL &&
        !plan_matches(verify->matches, context, answer, arena, &is_match, error)) {
        return false;
    }
    if (!is_match) {
        struct text why = plan_mismatch(verify->matches, context, answer, arena);
        return error_set(error, ERROR_INVALID, "%.*s", TEXT_ARG(text_cut(why, 200)));
    }
    return verify->same_left == NULL || is_same(verify, context, arena, error);
}

static void look(struct watch *watch) {
    struct job *job = watch->job;
    const struct verify *verify = watch->step->verify;
    struct error error = {0};
    if (verify == NULL) { /* nobody can say whether it stands: once more does no harm */
        apply_again(watch);
        return;
    }
    struct call call = {verify->call.service, verify->call.operation, watch->call->account,
                        watch->call->region, NULL};
    if (!plan_parameters(&verify->call, watch->context, job->arena, &call.parameters, &error)) {
        give_up(watch, arena_copy_text(job->arena, text_of(error.text)));
        return;
    }
    struct call_outcome outcome = call_send(job, PERMIT_READ, &call);
    switch (outcome.outcome) {
    case AWS_OK:
        if (verify_looks_right(verify, watch->context, outcome.body, job->arena, &error)) {
            present(watch);
        } else {
            missing(watch, arena_copy_text(job->arena, text_of(error.text)), outcome.body);
        }
        return;
    case AWS_REFUSED:
        if (plan_tolerates(&verify->missing, outcome.error_code)) {
            missing(watch, outcome.reason, NULL);
        } else {
            give_up(watch, outcome.reason);
        }
        return;
    case AWS_RETRY:
    case AWS_NO_ANSWER:
        try_later(watch, outcome.reason);
        return;
    case AWS_NOT_SENT:
        again(watch, job_now(job) + UNASKED_WAIT_MS, false);
        return;
    }
}

/* ---- what to look after -------------------------------------------------------------------------
 */

/* Of an effect that another incident made, that one's request stands there. */
static bool find_request(struct watch *watch, struct error *error) {
    struct job *job = watch->job;
    struct journal_effect *effects = NULL;
    size_t count = 0;
    struct text request = watch->call->request;
    if (!journal_read_effects(job->respond->options.journal, &job->task->incident.id, job->arena,
                              &effects, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct journal_effect_name *name = &effects[i].name, *wanted = &watch->call->effect;
        bool is_it = text_equal(name->account, wanted->account) &&
                     text_equal(name->target, wanted->target) &&
                     text_equal(name->name, wanted->name);
        request = is_it && effects[i].request.bytes > 0 ? effects[i].request : request;
    }
    watch->request = job_parse(job, request);
    return watch->request != NULL ||
           error_set(error, ERROR_INVALID, "the journaled request can't be read");
}

static bool find_step(struct watch *watch, const struct journal_call *calls, size_t count,
                      struct error *error) {
    struct job *job = watch->job;
    struct plan_record *records = arena_alloc_array(job->arena, count, sizeof(*records));
    struct plan_input input = job_plan_input(job, watch->playbook);
    const struct json *context = NULL;
    for (size_t i = 0; i < count; i++) {
        records[i] = entry_record(job, &calls[i]);
    }
    input.records = records;
    input.record_count = count;
    if (!plan_find(&input, watch->detail.key, job->arena, &watch->step, &context, error)) {
        return false;
    }
    watch->context = context_with(context, "sent", plan_sent(watch->request, job->arena),
                                  job->arena);
    return watch->step->verify != NULL || watch->detail.stands ||
           error_set(error, ERROR_NOT_FOUND, "step %.*s has no verify",
                     TEXT_ARG(watch->step->name));
}

static bool prepare(struct watch *watch, struct error *error) {
    struct job *job = watch->job;
    struct journal_call *calls = NULL;
    size_t count = 0;
    detail_read(job->task->detail, job->arena, &watch->detail);
    watch->playbook = definition_playbook(job->definition, job->task->playbook);
    if (watch->playbook == NULL) {
        return error_set(error, ERROR_NOT_FOUND, "the rule has no playbook %.*s",
                         TEXT_ARG(job->task->playbook));
    }
    if (!journal_read_calls(job->respond->options.journal, &job->task->incident.id, job->arena,
                            &calls, &count, error)) {
        return false;
    }
    watch->call = find_call(calls, count, watch->detail.key);
    watch->calls = calls;
    watch->call_count = count;
    if (watch->call == NULL) {
        return error_set(error, ERROR_NOT_FOUND, "no call %.*s", TEXT_ARG(watch->detail.key));
    }
    return find_request(watch, error) && find_step(watch, calls, count, error);
}

static bool is_over(enum incident_state state) {
    return state == INCIDENT_RELEASING || state == INCIDENT_RELEASED || state == INCIDENT_DISMISSED;
}

void verify(struct job *job) {
    struct watch watch = {.job = job, .write = journal_write_new(job->task)};
    struct error error = {0};
    if (is_over(job->task->incident.state)) {
        finish(&watch);
    } else if (prepare(&watch, &error)) {
        look(&watch);
    } else if (error.code == ERROR_NOT_FOUND || error.code == ERROR_INVALID) {
        struct step nameless = {.name = job->task->playbook};
        watch.step = watch.step != NULL ? watch.step : &nameless;
        give_up(&watch, arena_copy_text(job->arena, text_of(error.text)));
    }
    journal_write_free(&watch.write);
}
