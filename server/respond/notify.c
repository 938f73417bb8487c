#include "notify.h"

#include "call.h"
#include "notice.h"
#include "numbers.h"
#include "post.h"
#include "retry.h"

#include "riposte/base/file.h"
#include "riposte/base/memory.h"
#include "riposte/json/writer.h"
#include "riposte/observe/log.h"
#include "riposte/respond/failpoint.h"
#include "riposte/respond/parameters.h"

#include <stdlib.h>

#define POST_WAIT_MS 200 /* for a containment under way */
/* Whoever is told may be away for hours: after the calls' tries, which take two minutes, every five
 * minutes, about eight hours in all. */
#define NOTIFY_ATTEMPTS 100
#define NOTIFY_WAIT_MS  (5 * 60 * 1000)
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
    numbers_expect_notices(playbook); /* of one that a reload named */
    return (struct journal_new_task){.kind = TASK_NOTIFY,
                                     .priority = PRIORITY_NOTIFY,
                                     .playbook = playbook,
                                     .lane = definition != NULL ? job_lane(job, definition)
                                                                : TEXT(""),
                                     .detail = detail_text(&detail)};
}

const struct journal_notice *notify_notices(const struct job *job, size_t *count_out) {
    static const enum incident_state states[] = {INCIDENT_OBSERVED, INCIDENT_HELD};
    struct texts escaped = notify_names_of_escape(job);
    size_t most = escaped.count, count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(states); i++) {
        most += notify_names(job, states[i]).count;
    }
    struct journal_notice *notices = arena_alloc_array(job->arena, most, sizeof(*notices));
    for (size_t i = 0; i < ARRAY_COUNT(states); i++) {
        struct texts names = notify_names(job, states[i]);
        for (size_t k = 0; k < names.count; k++) {
            notices[count++] = (struct journal_notice){
                states[i], false, notify_task(job, names.items[k], incident_state_name(states[i]))};
        }
    }
    for (size_t i = 0; i < escaped.count; i++) {
        notices[count++] = (struct journal_notice){
            INCIDENT_JOINED, true, notify_task(job, escaped.items[i], NOTIFY_ESCAPED)};
    }
    *count_out = count;
    return notices;
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

/* ---- what is journaled of it ---- */

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
                         const struct notice_step *filled, struct text request) {
    const struct job *job = telling->job;
    struct journal_intent intent = {
        .key = key,
        .playbook = telling->playbook->name,
        .step = step->name,
        .service = filled->service,
        .operation = filled->operation,
        .account = filled->account.bytes > 0 ? filled->account : job->event.envelope.account,
        .region = filled->region,
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

static int64_t wait_ms(const struct job *job, unsigned tries) {
    int64_t wait = retry_wait_ms(tries, job->respond->options.random_fn);
    return tries < RESPOND_ATTEMPTS
               ? wait
               : NOTIFY_WAIT_MS - (int64_t)job->respond->options.random_fn(NOTIFY_WAIT_MS / 10);
}

static void write_outcome(struct telling *telling, const struct step *step, struct text key,
                          struct delivery *outcome) {
    static const enum call_state states[] = {[DELIVERED] = CALL_DONE,
                                             [DELIVERY_LATER] = CALL_INTENT,
                                             [DELIVERY_REFUSED] = CALL_FAILED,
                                             [DELIVERY_NEEDLESS] = CALL_SKIPPED};
    static const char *const outcome_names[] = {[DELIVERED] = "sent",
                                                [DELIVERY_LATER] = "put-off",
                                                [DELIVERY_REFUSED] = "lost",
                                                [DELIVERY_NEEDLESS] = "skipped"};
    const struct job *job = telling->job;
    if (outcome->end == DELIVERY_LATER) {
        unsigned tries = detail_try(&telling->detail, key);
        int64_t due = job_now(job) + wait_ms(job, tries);
        bool is_over = tries >= NOTIFY_ATTEMPTS;
        outcome->end = is_over ? DELIVERY_REFUSED : DELIVERY_LATER;
        telling->due_unix_ms = is_over || (telling->due_unix_ms != 0 && telling->due_unix_ms < due)
                                   ? telling->due_unix_ms
                                   : due;
    }
    struct journal_outcome journaled = {.state = states[outcome->end],
                                        .reason = text_cut(outcome->reason, REASON_BYTES),
                                        .took_us = outcome->took_us};
    journal_write_outcome(telling->write, key, &journaled);
    numbers_notice(telling->playbook->name, outcome_names[outcome->end]);
    if (outcome->end == DELIVERY_REFUSED) {
        log_error(&(struct log_context){.component = "respond",
                                        .event = job->task->event_key,
                                        .trace = trace_text(&job->task->trace),
                                        .incident = ulid_text(&job->task->incident.id)},
                  "nobody was told: %.*s, step %.*s: %.*s", TEXT_ARG(telling->playbook->name),
                  TEXT_ARG(step->name), TEXT_ARG(outcome->reason));
    }
}

/* ---- a step ---- */

static struct delivery refused(const struct job *job, const struct error *error) {
    return (struct delivery){DELIVERY_REFUSED, arena_copy_text(job->arena, text_of(error->text)),
                             0};
}

/* A full disk, a folder that is away: later. */
static struct delivery append_line(const struct job *job, const struct append *append,
                                   const struct json *line) {
    struct text folder = job->snapshot->settings->output;
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    struct error error = {0};
    if (folder.bytes == 0) {
        return (struct delivery){DELIVERY_NEEDLESS, TEXT("\"output\" is not set"), 0};
    }
    json_write(&text, line);
    buffer_append_char(&text, '\n');
    scoped(memory_free_at) char *name = text_copy(append->file);
    scoped(memory_free_at) char *base = text_copy(folder);
    scoped(memory_free_at) char *path = file_join(base, name);
    int64_t began_us = clock_mono_us(&clock_system);
    if (!file_append(path, buffer_text(&text), &error)) {
        struct delivery later = refused(job, &error);
        later.end = DELIVERY_LATER;
        return later;
    }
    return (struct delivery){DELIVERED, {NULL, 0}, clock_mono_us(&clock_system) - began_us};
}

/* An answer may say of a call that worked that nothing came of it. */
static struct delivery judge_answer(const struct telling *telling, const struct step *step,
                                    const struct call_outcome *outcome) {
    struct arena *arena = telling->job->arena;
    bool is_match = true;
    struct error error = {0};
    if (step->matches != NULL &&
        !plan_matches(step->matches, telling->context, outcome->body, arena, &is_match, &error)) {
        return refused(telling->job, &error);
    }
    return is_match ? (struct delivery){DELIVERED, {NULL, 0}, outcome->took_us}
                    : (struct delivery){
                          DELIVERY_REFUSED,
                          plan_mismatch(step->matches, telling->context, outcome->body, arena),
                          outcome->took_us};
}

static struct delivery call_aws(const struct telling *telling, const struct step *step,
                                const struct notice_step *filled) {
    struct call call = {filled->service, filled->operation, filled->account, filled->region,
                        filled->parameters};
    struct call_outcome outcome = call_send(telling->job, PERMIT_NOTIFY, &call);
    if (outcome.outcome == AWS_OK) {
        return judge_answer(telling, step, &outcome);
    }
    bool may_pass = outcome.outcome == AWS_RETRY || outcome.outcome == AWS_NO_ANSWER;
    return (struct delivery){may_pass ? DELIVERY_LATER : DELIVERY_REFUSED, outcome.reason,
                             outcome.took_us};
}

static struct delivery deliver(const struct telling *telling, const struct step *step,
                               const struct notice_step *filled, const struct posting *posting,
                               struct text key) {
    return step->post != NULL     ? post_send(telling->job, posting, key)
           : step->append != NULL ? append_line(telling->job, step->append, filled->parameters)
                                  : call_aws(telling, step, filled);
}

static bool fill(const struct telling *telling, const struct step *step, struct notice_step *filled,
                 struct posting *posting, struct error *error) {
    const struct job *job = telling->job;
    return notice_fill(step, telling->context, job->event.envelope.region, job->arena, filled,
                       error) &&
           (step->post == NULL ||
            post_fill(step->post, telling->context, job->arena, posting, error));
}

static void tell_step(struct telling *telling, const struct step *step) {
    struct job *job = telling->job;
    struct text key = arena_format(job->arena, "%.*s/%.*s/%.*s", TEXT_ARG(telling->prefix),
                                   TEXT_ARG(telling->playbook->name), TEXT_ARG(step->name));
    struct notice_step filled = {.service = TEXT("https"), .operation = TEXT("POST")};
    struct posting posting = {0};
    bool applies = true;
    struct error error = {0};
    struct delivery outcome = {DELIVERY_NEEDLESS, TEXT("its condition does not hold"), 0};
    if (was_told(telling, key)) {
        return;
    }
    bool is_ready = (step->when == NULL ||
                     pattern_match_tree(step->when, telling->context, &applies, &error)) &&
                    (!applies || fill(telling, step, &filled, &posting, &error));
    struct text request = !is_ready || !applies ? TEXT("{}")
                          : step->post != NULL  ? posting.journaled
                                                : job_json_text(job, filled.parameters);
    if (!write_intent(telling, step, key, &filled, request)) {
        return;
    }
    if (!is_ready) {
        outcome = refused(job, &error);
    } else if (applies) {
        outcome = deliver(telling, step, &filled, &posting, key);
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
    const struct notice_facts facts = {.state = state,
                                       .reason = is_so ? incident->reason : TEXT(""),
                                       .severity = incident->severity,
                                       .incident_id = ulid_text(&incident->id),
                                       .unix_ms = incident->updated_unix_ms,
                                       .settings = job->snapshot->settings};
    return context_with(job->context, "notice", notice_new(&facts, job->arena), job->arena);
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
        tell_step(telling, &playbook->steps[i]);
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
