#include "undo.h"

#include "call.h"
#include "detail.h"
#include "notify.h"
#include "numbers.h"
#include "retry.h"

#include "riposte/base/buffer.h"
#include "riposte/json/writer.h"
#include "riposte/respond/plan.h"

#include <inttypes.h>

#define STUBBORN_WAIT_MS (5 * 60 * 1000) /* refused for good: a person was called; still, go on */

#define QUESTIONS_MAX 8

struct release {
    struct job *job;
    struct detail detail;
    struct journal_write *write;
    int64_t due_unix_ms; /* of what must be tried again; 0: nothing */
    bool counts, is_lost;
};

static void audit(struct release *release, const struct journal_effect *effect, const char *result,
                  const struct json *inverse, struct text reason) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    struct json_writer writer;
    json_writer_init(&writer, &text);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "playbook", effect->playbook);
    json_put_text(&writer, "step", effect->step);
    json_put_text(&writer, "target", effect->name.target);
    json_put_text(&writer, "name", effect->name.name);
    json_put_string(&writer, "result", result);
    if (inverse != NULL) {
        json_put_tree(&writer, "inverse", inverse);
    }
    if (reason.bytes > 0) {
        json_put_text(&writer, "reason", reason);
    }
    json_close_object(&writer);
    journal_write_audit(release->write, TEXT("undo"),
                        arena_copy_text(release->job->arena, buffer_text(&text)));
}

static bool commit(struct release *release) {
    struct job *job = release->job;
    release->is_lost |= !job_commit(job, release->write);
    return !release->is_lost;
}

static void open_anew(struct release *release) {
    journal_write_free(&release->write);
    release->write = journal_write_new(release->job->task);
}

static bool tolerates(const struct json *inverse, struct text error_code) {
    const struct json *tolerate = json_member(inverse, "tolerate");
    for (const struct json *code = json_first(tolerate); code != NULL; code = json_next(code)) {
        if (text_equal(json_text(code), error_code)) {
            return true;
        }
    }
    return false;
}

static void due_in(struct release *release, int64_t wait_ms, bool counts) {
    int64_t due = job_now(release->job) + wait_ms;
    bool is_first = release->due_unix_ms == 0 || due < release->due_unix_ms;
    release->due_unix_ms = is_first ? due : release->due_unix_ms;
    release->counts |= counts;
}

/* The effect stays in the journal as being released: nothing is forgotten. */
static void not_released(struct release *release, const struct journal_effect *effect,
                         const struct json *inverse, const struct call_outcome *outcome) {
    struct job *job = release->job;
    bool may_work_later = outcome->outcome == AWS_RETRY || outcome->outcome == AWS_NO_ANSWER;
    struct text key = arena_format(job->arena, "%" PRId64, effect->id);
    unsigned tries = detail_try(&release->detail, key);
    audit(release, effect, "not-released", inverse, outcome->reason);
    if (may_work_later && tries < RESPOND_ATTEMPTS) {
        due_in(release, retry_wait_ms(tries, job->respond->options.random_fn), true);
        return;
    }
    if (tries == 1 || (may_work_later && tries == RESPOND_ATTEMPTS)) {
        job_page(job, "releasing",
                 arena_format(job->arena, "%.*s of %.*s can't be taken back: %.*s",
                              TEXT_ARG(effect->name.name), TEXT_ARG(effect->name.target),
                              TEXT_ARG(outcome->reason)));
    }
    due_in(release, STUBBORN_WAIT_MS, true);
}

/* Names are not identities: has the one that was denied gone, and does another bear the name now?
 * Asks what the playbook asks before it writes. An answer that can't be had says nothing: the
 * inverse is sent. */
static bool is_another_now(struct release *release, const struct journal_effect *effect,
                           struct text *reason_out) {
    struct job *job = release->job;
    const struct playbook *playbook = job->has_story
                                          ? definition_playbook(job->definition, effect->playbook)
                                          : NULL;
    struct plan_record asked[QUESTIONS_MAX];
    for (size_t count = 0; playbook != NULL && count < QUESTIONS_MAX; count++) {
        struct plan_input input = job_plan_input(job, playbook);
        struct plan_action action;
        input.records = asked;
        input.record_count = count;
        plan_next(&input, job->arena, &action);
        if (action.kind == PLAN_HELD) {
            *reason_out = action.reason;
            return true;
        }
        if (action.kind != PLAN_ASK || action.is_before || action.is_known_only_when_asked) {
            break;
        }
        struct call call = {action.service, action.operation, action.account, action.region,
                            action.parameters};
        struct call_outcome outcome = call_send(job, PERMIT_READ, &call);
        asked[count] = (struct plan_record){.key = action.key,
                                            .state = PLAN_WORKED,
                                            .answer = outcome.body,
                                            .is_assumed = outcome.outcome != AWS_OK};
    }
    return false;
}

static void take_back(struct release *release, const struct journal_effect *effect) {
    struct job *job = release->job;
    const struct json *inverse = job_parse(job, effect->inverse);
    struct text reason = {NULL, 0};
    if (inverse != NULL && effect->acts_on_principal && is_another_now(release, effect, &reason)) {
        journal_write_released(release->write, effect->id);
        audit(release, effect, "belongs-to-another-now", inverse, reason);
        return;
    }
    if (inverse == NULL) {
        journal_write_released(release->write, effect->id);
        audit(release, effect, "has-no-inverse", NULL, (struct text){NULL, 0});
        return;
    }
    struct call call = {
        json_text(json_member(inverse, "service")), json_text(json_member(inverse, "operation")),
        json_text(json_member(inverse, "account")), json_text(json_member(inverse, "region")),
        json_member(inverse, "parameters")};
    struct call_outcome outcome = call_send(job, PERMIT_WRITE, &call);
    bool is_tolerated = outcome.outcome == AWS_REFUSED && tolerates(inverse, outcome.error_code);
    if (outcome.outcome == AWS_OK || is_tolerated) {
        journal_write_released(release->write, effect->id);
        audit(release, effect, is_tolerated ? "was-gone-already" : "released", inverse,
              outcome.reason);
    } else {
        not_released(release, effect, inverse, &outcome);
    }
}

/* The commit that lets go also takes along what became of the effect before. */
static void let_go(struct release *release, const struct journal_effect *effect) {
    if (!effect->is_releasing) {
        size_t index = journal_write_let_go(release->write, effect->id);
        if (!commit(release)) {
            return;
        }
        bool is_last = journal_write_result(release->write, index) != 0;
        open_anew(release);
        if (!is_last) {
            audit(release, effect, "has-other-owners", NULL, (struct text){NULL, 0});
            return;
        }
    }
    take_back(release, effect);
}

static void finish(struct release *release) {
    if (release->due_unix_ms > 0) {
        journal_write_again(release->write, release->due_unix_ms, detail_text(&release->detail),
                            release->counts);
        if (commit(release)) {
            numbers_retry(task_kind_name(TASK_UNDO));
        }
        return;
    }
    size_t index = notify_write_state(release->job, release->write, INCIDENT_RELEASED,
                                      TEXT("taken back"));
    journal_write_finish(release->write);
    if (commit(release) && journal_write_result(release->write, index) != 0) {
        job_ended(release->job, INCIDENT_RELEASED, TEXT("taken back"));
    }
}

void undo(struct job *job) {
    struct release release = {.job = job};
    struct journal_effect *effects = NULL;
    size_t count = 0;
    struct error error = {0};
    detail_read(job->task->detail, job->arena, &release.detail);
    if (!journal_read_effects(job->respond->options.journal, &job->task->incident.id, job->arena,
                              &effects, &count, &error)) {
        return; /* the lease ends, and the task comes again */
    }
    release.write = journal_write_new(job->task);
    for (size_t i = 0; i < count && !release.is_lost; i++) {
        if (effects[i].acts_on_principal || release.detail.with_resources) {
            let_go(&release, &effects[i]);
        }
    }
    if (!release.is_lost) {
        finish(&release);
    }
    journal_write_free(&release.write);
}
