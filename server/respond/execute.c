#include "execute.h"

#include "detail.h"
#include "entry.h"
#include "notify.h"
#include "numbers.h"
#include "planted.h"
#include "retry.h"

#include "riposte/base/buffer.h"
#include "riposte/json/writer.h"
#include "riposte/respond/ladder.h"
#include "riposte/respond/parameters.h"

#include <assert.h>
#include <string.h>

#define RENEW_MS          (JOURNAL_LEASE_MS / 3)
#define RELEASE_WAIT_MS   1000
#define QUESTION_FRESH_MS 2000 /* so long an answer may stand before the write it is for */
#define OUR_TASK_PENDING  TEXT("an identical call is pending")

/* One playbook under way. */
struct run {
    struct job *job;
    const struct playbook *playbook;
    const struct head_start *head;
    struct detail detail;
    struct plan_record *records;
    bool *may_have_worked; /* beside records: of a write that was perhaps sent before */
    size_t count, capacity;
    struct text *standing;
    size_t standing_count;
    size_t ladder_link;
    bool has_looked_around;
    struct text escaped_from; /* the step that stood and didn't keep the principal; empty: none */
    struct arena *walk_arena;
    struct journal_write *write; /* what the next commit takes along; NULL: nothing yet */
    int64_t committed_mono_ms;   /* the lease runs from there */
    int64_t due_unix_ms;         /* of the first deferred call; 0: none */
    bool is_over;                /* committed, put off or lost */
};

/* ---- records ------------------------------------------------------------------------------------
 */

static void add_record(struct run *run, const struct plan_record *record, bool may_have_worked) {
    for (size_t i = 0; i < run->count; i++) {
        if (text_equal(run->records[i].key, record->key)) {
            run->records[i] = *record;
            run->may_have_worked[i] |= may_have_worked;
            return;
        }
    }
    if (run->count == run->capacity) {
        size_t capacity = run->capacity == 0 ? 16 : 2 * run->capacity;
        struct plan_record *records = arena_alloc_array(run->job->arena, capacity,
                                                        sizeof(*records));
        bool *marks = arena_alloc_array(run->job->arena, capacity, sizeof(*marks));
        if (run->count > 0) {
            memcpy(records, run->records, run->count * sizeof(*records));
            memcpy(marks, run->may_have_worked, run->count * sizeof(*marks));
        }
        run->records = records;
        run->may_have_worked = marks;
        run->capacity = capacity;
    }
    run->records[run->count] = *record;
    run->may_have_worked[run->count++] = may_have_worked;
}

static bool may_have_worked(const struct run *run, struct text key) {
    for (size_t i = 0; i < run->count; i++) {
        if (text_equal(run->records[i].key, key)) {
            return run->may_have_worked[i];
        }
    }
    return false;
}

static struct journal_write *open_write(struct run *run) {
    if (run->write == NULL) {
        run->write = journal_write_new(run->job->task);
    }
    return run->write;
}

static bool makes_effect_stand(const struct journal_call *call) {
    return call->is_write && call->effect.name.bytes > 0 &&
           (call->state == CALL_DONE || (call->state == CALL_SKIPPED && call->attempts == 0));
}

static const struct step *find_step(const struct playbook *playbook, struct text name) {
    for (size_t i = 0; i < playbook->step_count; i++) {
        const struct step *step = &playbook->steps[i];
        for (size_t k = 0; k < step->link_count; k++) {
            if (text_equal(step->links[k].name, name)) {
                return &step->links[k];
            }
        }
        if (step->link_count == 0 && text_equal(step->name, name)) {
            return step;
        }
    }
    return NULL;
}

/* It stood when this event asked for it. Whether its look was planned before a crash isn't known,
 * and two do no harm. */
static void look_after(struct run *run, const struct journal_call *call) {
    bool stood = call->state == CALL_SKIPPED && call->attempts == 0 && call->effect.name.bytes > 0;
    const struct step *step = stood ? find_step(run->playbook, call->step) : NULL;
    if (step != NULL) {
        entry_verify(run->job, open_write(run), run->playbook, step, call->key, true);
    }
}

/* What contained this principal before, by another incident, didn't keep it from this act? The
 * cooldown of that one is over, or it was another rule's: or the event would have joined it. */
static bool got_out_of(const struct run *run, const struct journal_effect_name *name) {
    const struct job *job = run->job;
    struct journal_effect effect = {0};
    struct error error = {0};
    bool is_there = false;
    return run->playbook->acts_on == ACTS_ON_PRINCIPAL && job->task->event_unix_ms != 0 &&
           journal_find_effect(job->respond->options.journal, name, job->arena, &effect, &is_there,
                               &error) &&
           is_there && job->task->event_unix_ms > effect.made_unix_ms + JOURNAL_ESCAPE_MS;
}

/* Did all writes that were begun end? Then nothing waits for an answer any more. */
static bool is_written(const struct journal_call *calls, size_t count, struct text prefix) {
    bool is_done = false;
    for (size_t i = 0; i < count; i++) {
        if (calls[i].is_write && text_starts_with(calls[i].key, prefix)) {
            if (calls[i].state == CALL_INTENT) {
                return false;
            }
            is_done |= calls[i].state != CALL_FAILED;
        }
    }
    return is_done;
}

/* A question that decides whom the writes will hit, answered long before they are sent (a retry, a
 * restart): names are not identities, so it is asked again. What `before` found stays. */
static bool is_outdated(const struct run *run, const struct journal_call *call) {
    const struct step *step = find_step(run->playbook, call->step);
    return !call->is_write && call->state == CALL_DONE && step != NULL && !step->is_write &&
           step->matches != NULL && job_now(run->job) - call->ended_unix_ms > QUESTION_FRESH_MS;
}

static bool load_calls(struct run *run, struct error *error) {
    struct job *job = run->job;
    struct journal_call *calls = NULL;
    size_t count = 0;
    if (!journal_read_calls(job->respond->options.journal, &job->task->incident.id, job->arena,
                            &calls, &count, error)) {
        return false;
    }
    struct text prefix = arena_format(job->arena, "%.*s/%.*s/", TEXT_ARG(job->story_key),
                                      TEXT_ARG(run->playbook->name));
    bool must_write = !is_written(calls, count, prefix);
    run->standing = arena_alloc_array(job->arena, count + 1, sizeof(struct text));
    for (size_t i = 0; i < count; i++) {
        if (text_starts_with(calls[i].key, prefix)) {
            if (must_write && is_outdated(run, &calls[i])) {
                continue;
            }
            struct plan_record record = entry_record(job, &calls[i]);
            add_record(run, &record, calls[i].state == CALL_INTENT);
            look_after(run, &calls[i]);
            bool stood = calls[i].state == CALL_SKIPPED && makes_effect_stand(&calls[i]);
            if (stood && got_out_of(run, &calls[i].effect)) {
                run->standing[run->standing_count++] = calls[i].step;
                run->escaped_from = calls[i].step;
            }
        } else if (text_equal(calls[i].playbook, run->playbook->name) &&
                   makes_effect_stand(&calls[i])) {
            run->standing[run->standing_count++] = calls[i].step;
        }
    }
    return true;
}

/* ---- commits ------------------------------------------------------------------------------------
 */

/* False: the task is lost, nothing more is sent. */
static bool commit(struct run *run) {
    bool is_committed = job_commit(run->job, open_write(run));
    run->committed_mono_ms = clock_mono_ms(run->job->respond->options.clock);
    run->is_over |= !is_committed;
    return is_committed;
}

static void put_off(struct run *run, int64_t due_unix_ms, bool counts) {
    journal_write_again(open_write(run), due_unix_ms, detail_text(&run->detail), counts);
    if (commit(run)) {
        run->is_over = true;
        numbers_retry(task_kind_name(TASK_PLAYBOOK));
    }
}

/* Steps that sent nothing are told of as well, unless they are for other events than this. */
static void write_notes(struct run *run, const struct plan_action *action) {
    struct job *job = run->job;
    for (size_t i = 0; i < action->note_count; i++) {
        const struct plan_note *note = &action->notes[i];
        if (note->is_recorded || note->is_inapplicable) {
            continue;
        }
        struct journal_intent intent = {.key = note->key,
                                        .playbook = run->playbook->name,
                                        .step = note->step->name,
                                        .service = note->step->call.service,
                                        .operation = note->step->call.operation,
                                        .account = job->event.envelope.account,
                                        .region = job->event.envelope.region,
                                        .request = TEXT("{}"),
                                        .is_write = note->step->is_write};
        struct journal_outcome outcome = {.state = note->is_failure ? CALL_FAILED : CALL_SKIPPED,
                                          .reason = note->reason};
        journal_write_intent(run->write, &intent);
        journal_write_outcome(run->write, note->key, &outcome);
    }
}

/* Intents that will not be sent any more. */
static void close_intents(struct run *run, struct text reason) {
    for (size_t i = 0; i < run->count; i++) {
        const struct plan_record *record = &run->records[i];
        if (record->state == PLAN_INTENDED || record->state == PLAN_DEFERRED) {
            struct journal_outcome outcome = {
                .state = CALL_SKIPPED, .reason = reason, .keeps_effect = run->may_have_worked[i]};
            journal_write_outcome(run->write, record->key, &outcome);
        }
    }
}

static const struct run_end {
    enum incident_state state;
    const char *name;
} run_ends[] = {[PLAN_DONE] = {INCIDENT_DONE, "done"},
                [PLAN_HELD] = {INCIDENT_HELD, "held"},
                [PLAN_FAILED] = {INCIDENT_FAILED, "failed"}};

static struct text end_text(const struct run *run, enum plan_kind kind, struct text reason) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    struct json_writer writer;
    json_writer_init(&writer, &text);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "playbook", run->playbook->name);
    json_put_string(&writer, "end", run_ends[kind].name);
    if (reason.bytes == 0 && run->count == 0) {
        reason = TEXT("no step applies");
    }
    if (reason.bytes > 0) {
        json_put_text(&writer, "reason", reason);
    }
    json_close_object(&writer);
    return arena_copy_text(run->job->arena, buffer_text(&text));
}

static void end_run(struct run *run, enum plan_kind kind, struct text reason,
                    const struct plan_action *action) {
    struct journal_write *write = open_write(run);
    if (action != NULL) {
        write_notes(run, action);
    }
    close_intents(run, reason.bytes > 0 ? reason : TEXT("not needed any more"));
    reason = reason.bytes == 0 ? reason
                               : arena_format(run->job->arena, "%.*s: %.*s",
                                              TEXT_ARG(run->playbook->name), TEXT_ARG(reason));
    size_t index = notify_write_state(run->job, write, run_ends[kind].state, reason);
    journal_write_audit(write, TEXT("playbook"), end_text(run, kind, reason));
    journal_write_finish(write);
    if (!commit(run)) {
        return;
    }
    run->is_over = true;
    if (journal_write_result(write, index) != 0) {
        job_ended(run->job, run_ends[kind].state, reason);
    }
    if (kind != PLAN_DONE) {
        job_page(run->job, run_ends[kind].name, reason);
    }
}

/* ---- calls --------------------------------------------------------------------------------------
 */

/* What a call's end means for the walk; DEFERRED when it is to be tried again. */
static enum plan_state judge(struct run *run, const struct plan_action *action,
                             struct call_outcome *outcome) {
    unsigned tries = 0;
    switch (outcome->outcome) {
    case AWS_OK:
        return PLAN_WORKED;
    case AWS_REFUSED:
    case AWS_NOT_SENT:
        return plan_tolerates(&action->step->tolerate, outcome->error_code) ? PLAN_WORKED
                                                                            : PLAN_REFUSED;
    case AWS_RETRY:
    case AWS_NO_ANSWER:
        break;
    }
    tries = detail_try(&run->detail, action->key);
    if (tries >= RESPOND_ATTEMPTS) {
        outcome->reason = arena_format(run->job->arena, "given up after %u tries: %.*s", tries,
                                       TEXT_ARG(outcome->reason));
        return PLAN_REFUSED;
    }
    int64_t due = job_now(run->job) + retry_wait_ms(tries, run->job->respond->options.random_fn);
    run->due_unix_ms = run->due_unix_ms == 0 || due < run->due_unix_ms ? due : run->due_unix_ms;
    return PLAN_DEFERRED;
}

static struct plan_record make_record(const struct run *run, const struct plan_action *action,
                                      enum plan_state state, const struct call_outcome *outcome) {
    struct arena *arena = run->job->arena;
    return (struct plan_record){.key = arena_copy_text(arena, action->key),
                                .state = state,
                                .error_code = outcome->error_code,
                                .reason = outcome->reason,
                                .answer = outcome->outcome == AWS_OK ? outcome->body : NULL,
                                .request = json_copy(arena, action->parameters),
                                .account = arena_copy_text(arena, action->account),
                                .region = arena_copy_text(arena, action->region)};
}

static enum call_state call_state_of(enum plan_state state) {
    return state == PLAN_WORKED ? CALL_DONE : state == PLAN_DEFERRED ? CALL_INTENT : CALL_FAILED;
}

static void not_sent(struct run *run, const struct plan_action *action,
                     const struct call_outcome *outcome) {
    end_run(run, PLAN_HELD,
            arena_format(run->job->arena, "step %.*s: %.*s:%.*s was not sent: %.*s",
                         TEXT_ARG(action->step->name), TEXT_ARG(action->service),
                         TEXT_ARG(action->operation), TEXT_ARG(outcome->reason)),
            NULL);
}

static struct call_outcome read_early_or_now(const struct run *run, struct text key,
                                             const struct call *call) {
    for (size_t i = 0; run->head != NULL && i < run->head->read_count; i++) {
        if (text_equal(run->head->reads[i].key, key)) {
            return early_call_wait(run->job, run->head->reads[i].call);
        }
    }
    return call_send(run->job, PERMIT_READ, call);
}

/* Questions alone commit nothing: slow ones must not outlast the lease. */
static void renew_lease(struct run *run) {
    int64_t now = clock_mono_ms(run->job->respond->options.clock);
    if (now - run->committed_mono_ms > RENEW_MS && commit(run)) {
        journal_write_free(&run->write);
    }
}

static void do_ask(struct run *run, const struct plan_action *action) {
    struct call call = {action->service, action->operation, action->account, action->region,
                        action->parameters};
    struct call_outcome outcome = read_early_or_now(run, action->key, &call);
    enum plan_state state = judge(run, action, &outcome);
    struct journal_intent intent = entry_intent(run->job, run->playbook, action);
    struct journal_outcome journaled = entry_outcome(run->job, call_state_of(state), &outcome);
    journal_write_intent(open_write(run), &intent);
    journal_write_outcome(run->write, action->key, &journaled);
    if (outcome.outcome == AWS_NOT_SENT) {
        not_sent(run, action, &outcome);
        return;
    }
    struct plan_record record = make_record(run, action, state, &outcome);
    add_record(run, &record, false);
    renew_lease(run);
}

static void measure_reaction(const struct run *run) {
    const struct job *job = run->job;
    bool is_first = run->playbook->acts_on == ACTS_ON_PRINCIPAL && !run->detail.is_escape &&
                    job->task->incident.contained_unix_ms == 0;
    if (is_first) {
        numbers_reaction(clock_unix_us(job->respond->options.clock) -
                         1000 * job->task->received_unix_ms);
    }
}

/* Before the first try: what is about to be replaced is in the audit before it is gone. Whatever
 * comes of the question, the write goes out. False: the task is lost. */
static bool note_planted(struct run *run, const struct plan_action *action) {
    const struct job *job = run->job;
    struct call call;
    if (detail_has_tried(&run->detail, action->key) || !planted_question(job, action, &call)) {
        return true;
    }
    struct call_outcome outcome = read_early_or_now(run, planted_key(job, action->key), &call);
    struct text found = planted_found(job, action, &outcome);
    if (found.bytes == 0) {
        return true;
    }
    journal_write_audit(open_write(run), TEXT("planted"), found);
    if (!commit(run)) {
        return false;
    }
    journal_write_free(&run->write);
    return true;
}

static void send_write(struct run *run, const struct plan_action *action) {
    struct job *job = run->job;
    if (!note_planted(run, action)) {
        return;
    }
    struct call call = {action->service, action->operation, action->account, action->region,
                        action->parameters};
    struct call_outcome outcome = call_send(job, PERMIT_WRITE, &call);
    bool had_doubt = may_have_worked(run, action->key);
    enum plan_state state = judge(run, action, &outcome);
    struct journal_outcome journaled = entry_outcome(job, call_state_of(state), &outcome);
    bool has_doubt = outcome.outcome == AWS_RETRY || outcome.outcome == AWS_NO_ANSWER;
    journaled.keeps_effect = had_doubt || has_doubt;
    journal_write_outcome(open_write(run), action->key, &journaled);
    struct plan_record record = make_record(run, action, state, &outcome);
    if (outcome.outcome == AWS_NOT_SENT) {
        add_record(run, &record, had_doubt);
        not_sent(run, action, &outcome);
        return;
    }
    add_record(run, &record, has_doubt);
    if (state == PLAN_WORKED) {
        measure_reaction(run);
        entry_verify(job, run->write, run->playbook, action->step, record.key, false);
    }
}

static void note_needless(struct run *run, const struct plan_action *action, struct text reason) {
    struct call_outcome none = {.reason = reason, .outcome = AWS_NOT_SENT};
    struct plan_record record = make_record(run, action, PLAN_NEEDLESS, &none);
    add_record(run, &record, false);
}

static void limited(struct run *run, const struct plan_action *action) {
    struct journal_reservation limit = entry_resource_limit(run->job, action->effect_target);
    end_run(run, PLAN_HELD,
            arena_format(run->job->arena, "step %.*s: the limit of %u %.*s is reached",
                         TEXT_ARG(action->step->name), limit.count, TEXT_ARG(limit.scope)),
            NULL);
}

/* A page, a line in the audit, and from now on as urgent as it gets. */
static void write_escape(struct run *run, struct text step) {
    struct job *job = run->job;
    struct texts names = notify_names_of_escape(job);
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    struct json_writer writer;
    json_writer_init(&writer, &text);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "event", job->task->event_key);
    json_put_text(&writer, "stands", step);
    json_close_object(&writer);
    journal_write_escape(open_write(run), buffer_text(&text));
    for (size_t i = 0; i < names.count; i++) {
        struct journal_new_task task = notify_task(job, names.items[i], NOTIFY_ESCAPED);
        journal_write_task(run->write, &task);
    }
}

/* The same chain goes on behind the link that stands; it is looked at again besides. The task says
 * so from now on, so that it is found out and told once. The principal was counted when the
 * incident was admitted: further rungs draw on no limit. */
static void go_further(struct run *run, struct text step) {
    struct job *job = run->job;
    run->detail.is_escape = true;
    write_escape(run, step);
    journal_write_again(run->write, job_now(job), detail_text(&run->detail), false);
    if (commit(run)) {
        run->is_over = true;
        numbers_escape();
        job_page(
            job, "escaped",
            arena_format(job->arena, "the principal went on although %.*s stands", TEXT_ARG(step)));
    }
}

/* What the journal said to the intent decides whether the call is sent. */
static void act_on(struct run *run, const struct plan_action *action, enum intent_result result) {
    struct call_outcome none = {.outcome = AWS_NOT_SENT};
    struct plan_record record = make_record(run, action, PLAN_INTENDED, &none);
    const struct journal_effect_name name = {action->effect_account, action->effect_target,
                                             action->effect_name};
    struct error error = {0};
    switch (result) {
    case INTENT_SEND:
        add_record(run, &record, false);
        send_write(run, action);
        return;
    case INTENT_STANDS:
        note_needless(run, action, TEXT("the effect stands already"));
        entry_verify(run->job, open_write(run), run->playbook, action->step, record.key, true);
        if (action->is_containing && got_out_of(run, &name)) {
            go_further(run, action->step->name);
        }
        return;
    case INTENT_PENDING:
        note_needless(run, action, OUR_TASK_PENDING);
        return;
    case INTENT_RELEASING:
        put_off(run, job_now(run->job) + RELEASE_WAIT_MS, false);
        return;
    case INTENT_LIMITED:
        limited(run, action);
        return;
    case INTENT_ENDED: /* somebody else's worker did it while we held an old view */
        run->is_over |= !load_calls(run, &error);
        return;
    }
}

static void do_write(struct run *run, const struct plan_action *action) {
    if (action->is_intended) {
        send_write(run, action);
        return;
    }
    const struct head_start *head = run->head;
    if (head != NULL && head->has_intent && text_equal(head->intent.key, action->key) &&
        (head->result == INTENT_SEND || head->result == INTENT_STANDS)) {
        act_on(run, action, head->result);
        return;
    }
    struct journal_intent intent = entry_intent(run->job, run->playbook, action);
    size_t index = journal_write_intent(open_write(run), &intent);
    struct journal_write *write = run->write;
    if (!commit(run)) {
        return;
    }
    enum intent_result result = (enum intent_result)journal_write_result(write, index);
    journal_write_free(&run->write);
    act_on(run, action, result);
}

/* ---- the ladder ---------------------------------------------------------------------------------
 */

static struct text ladder_text(const struct run *run, struct text holder) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    struct json_writer writer;
    json_writer_init(&writer, &text);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "playbook", run->playbook->name);
    json_put_text(&writer, "holder", holder);
    json_put_text(&writer, "link", run->playbook->ladder->links[run->ladder_link].name);
    json_close_object(&writer);
    return arena_copy_text(run->job->arena, buffer_text(&text));
}

/* Is somebody else of its ladder contained too? Asked after this principal's own link is
 * journaled: of two who come at once, one at least sees the other. */
static void look_around(struct run *run) {
    struct job *job = run->job;
    struct journal_effect *effects = NULL;
    size_t count = 0;
    struct text holder = {NULL, 0};
    struct error error = {0};
    run->has_looked_around = true;
    if (!ladder_holder(run->playbook, job->context, job->arena, &holder)) {
        return;
    }
    if (!journal_read_kin(job->respond->options.journal, holder, job->arena, &effects, &count,
                          &error)) {
        run->is_over = true; /* the lease ends, and the task comes again */
        return;
    }
    run->ladder_link = ladder_link(run->playbook->ladder, job->event.principal.id, effects, count,
                                   job->task->event_unix_ms);
    if (run->ladder_link > 0 && !run->detail.is_escape) {
        journal_write_audit(open_write(run), TEXT("ladder"), ladder_text(run, holder));
    }
}

/* ---- the loop -----------------------------------------------------------------------------------
 */

static void step_on(struct run *run) {
    struct plan_input input = job_plan_input(run->job, run->playbook);
    struct plan_action action;
    input.records = run->records;
    input.record_count = run->count;
    input.is_escape = run->detail.is_escape;
    input.standing = run->standing;
    input.standing_count = run->standing_count;
    input.ladder_link = run->ladder_link;
    arena_reset(run->walk_arena);
    plan_next(&input, run->walk_arena, &action);
    switch (action.kind) {
    case PLAN_ASK:
        do_ask(run, &action);
        return;
    case PLAN_WRITE:
        do_write(run, &action);
        return;
    case PLAN_WAIT:
        put_off(run, run->due_unix_ms, true);
        return;
    case PLAN_DONE:
        if (!run->has_looked_around) {
            look_around(run);
            if (run->ladder_link > 0 || run->is_over) {
                return;
            }
        }
        end_run(run, action.kind, action.reason, &action);
        return;
    case PLAN_HELD:
    case PLAN_FAILED:
        end_run(run, action.kind, action.reason, &action);
        return;
    }
}

/* Admit journaled the first intent: it is ours to end if the walk never comes to it. */
static void take_head_start(struct run *run) {
    const struct head_start *head = run->head;
    if (head->has_intent && head->result == INTENT_SEND) {
        struct call_outcome none = {.outcome = AWS_NOT_SENT};
        struct plan_record record = make_record(run, &head->intent, PLAN_INTENDED, &none);
        add_record(run, &record, false);
    }
}

static void end_without_playbook(struct job *job) {
    scoped(journal_write_free) struct journal_write *write = journal_write_new(job->task);
    struct text reason = arena_format(job->arena, "the rule has no playbook %.*s",
                                      TEXT_ARG(job->task->playbook));
    size_t index = notify_write_state(job, write, INCIDENT_FAILED, reason);
    journal_write_finish(write);
    if (job_commit(job, write)) {
        if (journal_write_result(write, index) != 0) {
            job_ended(job, INCIDENT_FAILED, reason);
        }
        job_page(job, "failed", reason);
    }
}

/* A person said that nothing is to be done, before we came to it. */
static void end_dismissed(struct job *job) {
    scoped(journal_write_free) struct journal_write *write = journal_write_new(job->task);
    journal_write_finish(write);
    bool is_committed = job_commit(job, write);
    (void)is_committed; /* job_commit() said so */
}

void execute_playbook(struct job *job, const struct head_start *head) {
    struct run run = {.job = job,
                      .playbook = definition_playbook(job->definition, job->task->playbook),
                      .head = head};
    struct error error = {0};
    if (job->task->incident.state == INCIDENT_DISMISSED) {
        end_dismissed(job);
        return;
    }
    if (run.playbook == NULL) {
        end_without_playbook(job);
        return;
    }
    if (run.playbook->acts_on == ACTS_ON_NOBODY) {
        notify_playbook(job, run.playbook);
        return;
    }
    detail_read(job->task->detail, job->arena, &run.detail);
    if ((head == NULL || run.detail.is_escape) && !load_calls(&run, &error)) {
        return; /* the lease ends, and the task comes again */
    }
    if (head != NULL) {
        take_head_start(&run);
    }
    run.walk_arena = arena_new();
    run.committed_mono_ms = clock_mono_ms(job->respond->options.clock);
    if (run.escaped_from.bytes > 0 && !run.detail.is_escape) {
        go_further(&run, run.escaped_from); /* it was found out, but not noted before a crash */
    } else if (run.detail.is_escape) {
        look_around(&run);
    }
    while (!run.is_over && !atomic_load(&job->respond->is_stopping)) {
        step_on(&run);
    }
    if (!run.is_over) {
        put_off(&run, job_now(job), false); /* the next process goes on */
    }
    journal_write_free(&run.write);
    arena_free(&run.walk_arena);
}
