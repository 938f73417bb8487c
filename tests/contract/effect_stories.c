#include "story.h"

#include "riposte/journal/search.h"

#include "riposte/base/thread.h"

#include <stdio.h>

static void commit(struct story *story, struct journal_write *write) {
    struct error error = {0};
    assert_ok(journal_write_commit(story->journal, write, &error), &error);
}

static bool let_go(struct story *story, const struct journal_task *task, int64_t effect_id) {
    scoped(journal_write_free) struct journal_write *write = journal_write_new(task);
    size_t index = journal_write_let_go(write, effect_id);
    commit(story, write);
    return journal_write_result(write, index) != 0;
}

static void undo(struct story *story, const struct ulid *id) {
    struct error error = {0};
    assert_ok(journal_undo(story->journal, id, TEXT("oncall"), false, NULL, &error), &error);
}

/* ---- calls ---- */

static void an_intent_is_written_once_and_never_rewritten(void **state) {
    struct story *story = *state;
    struct journal_task *task = story_respond(story, "event-1", "rule-a", "user-1");
    struct journal_intent intent = story_intent("k", "user-1", "deny-user");
    assert_int_equal(story_write_intent(story, task, &intent), INTENT_SEND);
    intent.request = TEXT("{\"other\":true}");
    intent.inverse = TEXT("{\"other\":true}");
    assert_int_equal(story_write_intent(story, task, &intent), INTENT_SEND);
    struct journal_call *calls = NULL;
    assert_int_equal(story_calls(story, &task->incident.id, &calls), 1);
    assert_text_equal(calls[0].request, "{\"UserName\":\"mallory\"}");
    assert_text_equal(calls[0].inverse, "{\"operation\":\"DeleteUserPolicy\"}");
    assert_true(calls[0].is_write && calls[0].is_containing);
    assert_int_equal(calls[0].intended_unix_ms, STORY_START_UNIX_MS);

    story_write_outcome(story, task, "k", CALL_INTENT, false); /* an attempt that didn't work */
    assert_int_equal(story_write_intent(story, task, &intent), INTENT_SEND);
    fake_clock_advance(&story->clock, 5);
    story_write_outcome(story, task, "k", CALL_DONE, false);
    assert_int_equal(story_write_intent(story, task, &intent), INTENT_ENDED);
    assert_int_equal(story_calls(story, &task->incident.id, &calls), 1);
    assert_int_equal(calls[0].state, CALL_DONE);
    assert_int_equal(calls[0].attempts, 2);
    assert_int_equal(calls[0].took_us, 1234);
    assert_int_equal(calls[0].ended_unix_ms, STORY_START_UNIX_MS + 5);
    assert_int_equal(story_read(story, &task->incident.id).contained_unix_ms,
                     STORY_START_UNIX_MS + 5);
    story_finish(story, &task, INCIDENT_DONE);
}

static void what_contains_anybody_of_a_role_is_found(void **state) {
    struct story *story = *state;
    static const char *const targets[] = {"1/AROA",    "1/AROA:one", "1/AROA:two",
                                          "1/AROAB:x", "1/AROB",     "1/ARO"};
    struct journal_task *task = story_respond(story, "event-1", "rule-a", "user-1");
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
        story_make_effect(story, task, targets[i], targets[i], "deny");
    }
    struct journal_intent pending = story_intent("p", "1/AROA:three", "deny");
    assert_int_equal(story_write_intent(story, task, &pending), INTENT_SEND);
    pending = story_intent("r", "1/AROA:four", "restored");
    pending.is_containing = false;
    assert_int_equal(story_write_intent(story, task, &pending), INTENT_SEND);
    struct journal_effect *effects = NULL;
    size_t count = 0;
    struct error error = {0};
    assert_ok(
        journal_read_kin(story->journal, TEXT("1/AROA"), story->arena, &effects, &count, &error),
        &error);
    assert_int_equal(count, 4);
    assert_text_equal(effects[0].name.target, "1/AROA:three");
    assert_text_equal(effects[3].name.target, "1/AROA");
    assert_true(let_go(story, task, effects[3].id)); /* being taken back: it stands no more */
    assert_ok(
        journal_read_kin(story->journal, TEXT("1/AROA"), story->arena, &effects, &count, &error),
        &error);
    assert_int_equal(count, 3);
    story_finish(story, &task, INCIDENT_DONE);
}

static void an_outcome_without_an_intent_stores_nothing(void **state) {
    struct story *story = *state;
    struct journal_task *task = story_respond(story, "event-1", "rule-a", "user-1");
    struct journal_intent intent = story_intent("k", "user-1", "deny-user");
    const struct journal_outcome outcome = {.state = CALL_DONE};
    struct journal_write *write = journal_write_new(task);
    journal_write_intent(write, &intent);
    journal_write_audit(write, TEXT("note"), TEXT("{}"));
    journal_write_outcome(write, TEXT("nothing of the kind"), &outcome);
    struct error error = {0};
    assert_fails(journal_write_commit(story->journal, write, &error), &error, ERROR_NOT_FOUND,
                 "nothing of the kind");
    journal_write_free(&write);
    struct journal_call *calls = NULL;
    struct journal_effect *effects = NULL;
    assert_int_equal(story_calls(story, &task->incident.id, &calls), 0);
    assert_int_equal(story_effects(story, &task->incident.id, &effects), 0);
    assert_int_equal(story_count_audit(story, "note"), 0);
    story_finish(story, &task, INCIDENT_DONE);
    assert_true(story_count_audit(story, "done") > 0); /* the chain goes on without a gap */
}

static void an_identical_pending_call_is_enough(void **state) {
    struct story *story = *state;
    struct journal_task *task = story_respond(story, "event-1", "rule-a", "user-1");
    struct journal_intent intent = story_intent("event-1/protect", "", "");
    intent.once_pending = true;
    assert_int_equal(story_write_intent(story, task, &intent), INTENT_SEND);
    intent.key = TEXT("event-2/protect");
    assert_int_equal(story_write_intent(story, task, &intent), INTENT_PENDING);
    intent.request = TEXT("{\"InstanceId\":\"i-2\"}");
    assert_int_equal(story_write_intent(story, task, &intent), INTENT_SEND);
    story_write_outcome(story, task, "event-1/protect", CALL_DONE, false);
    intent.key = TEXT("event-3/protect");
    intent.request = TEXT("{\"UserName\":\"mallory\"}");
    assert_int_equal(story_write_intent(story, task, &intent), INTENT_SEND);
    story_finish(story, &task, INCIDENT_DONE);
}

static void a_resource_limit_refuses_the_intent_alone(void **state) {
    struct story *story = *state;
    struct journal_task *task = story_respond(story, "event-1", "rule-a", "user-1");
    struct journal_intent intent = story_intent("1", "i-1", "protection");
    intent.limit = (struct journal_reservation){TEXT("resources"), TEXT("i-1"), 1, HOUR_MS};
    assert_int_equal(story_write_intent(story, task, &intent), INTENT_SEND);
    intent = story_intent("2", "i-2", "protection");
    intent.limit = (struct journal_reservation){TEXT("resources"), TEXT("i-2"), 1, HOUR_MS};
    assert_int_equal(story_write_intent(story, task, &intent), INTENT_LIMITED);
    struct journal_call *calls = NULL;
    assert_int_equal(story_calls(story, &task->incident.id, &calls), 1);
    story_finish(story, &task, INCIDENT_DONE);
}

/* ---- effects ---- */

static void an_effect_shows_what_made_it(void **state) {
    struct story *story = *state;
    struct journal_task *task = story_respond(story, "event-1", "rule-a", "user-1");
    story_make_effect(story, task, "k", "user-1", "deny-user");
    struct journal_effect *effects = NULL;
    assert_int_equal(story_effects(story, &task->incident.id, &effects), 1);
    assert_text_equal(effects[0].name.account, "111122223333");
    assert_text_equal(effects[0].name.target, "user-1");
    assert_text_equal(effects[0].name.name, "deny-user");
    assert_text_equal(effects[0].request, "{\"UserName\":\"mallory\"}");
    assert_text_equal(effects[0].inverse, "{\"operation\":\"DeleteUserPolicy\"}");
    assert_text_equal(effects[0].playbook, "contain-principal");
    assert_text_equal(effects[0].step, "deny-user");
    assert_int_equal(effects[0].owner_count, 1);
    assert_true(effects[0].acts_on_principal);
    assert_false(effects[0].is_releasing);
    assert_int_equal(effects[0].made_unix_ms, STORY_START_UNIX_MS);
    story_finish(story, &task, INCIDENT_DONE);
}

static const struct settle_case {
    const char *name;
    enum call_state outcome;
    bool keeps_effect, is_there;
} settle_cases[] = {
    {"done", CALL_DONE, false, true},
    {"refused", CALL_FAILED, false, false},
    {"no answer: it may have worked", CALL_FAILED, true, true},
    {"not needed", CALL_SKIPPED, false, false},
    {"to be tried again", CALL_INTENT, false, true},
};

static void an_effect_is_there_unless_its_call_surely_failed(void **state) {
    struct story *story = *state;
    struct journal_task *task = story_respond(story, "event-1", "rule-a", "user-1");
    struct journal_effect *effects = NULL;
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(settle_cases); i++) {
        const struct settle_case *row = &settle_cases[i];
        testing_row(row->name);
        struct journal_intent intent = story_intent(row->name, row->name, "deny-user");
        assert_int_equal(story_write_intent(story, task, &intent), INTENT_SEND);
        assert_int_equal(story_effects(story, &task->incident.id, &effects), count + 1);
        story_write_outcome(story, task, row->name, row->outcome, row->keeps_effect);
        count += row->is_there;
        assert_int_equal(story_effects(story, &task->incident.id, &effects), count);
    }
    testing_row(NULL);
    story_finish(story, &task, INCIDENT_DONE);
}

static void an_effect_has_two_owners_and_goes_with_the_last(void **state) {
    struct story *story = *state;
    struct journal_task *first = story_respond(story, "event-1", "rule-a", "user-1");
    struct journal_task *second = story_respond(story, "event-2", "rule-b", "user-1");
    struct journal_intent intent = story_intent("k", "user-1", "deny-user");
    assert_int_equal(story_write_intent(story, first, &intent), INTENT_SEND);
    intent.inverse = TEXT("{\"not\":\"the first\"}");
    assert_int_equal(story_write_intent(story, second, &intent), INTENT_RELEASING); /* not yet */
    story_write_outcome(story, first, "k", CALL_DONE, false);
    assert_int_equal(story_write_intent(story, second, &intent), INTENT_STANDS);
    assert_int_equal(story_write_intent(story, second, &intent), INTENT_ENDED);
    struct journal_call *calls = NULL;
    assert_int_equal(story_calls(story, &second->incident.id, &calls), 1);
    assert_int_equal(calls[0].state, CALL_SKIPPED);

    struct journal_effect *effects = NULL;
    assert_int_equal(story_effects(story, &second->incident.id, &effects), 1);
    assert_int_equal(effects[0].owner_count, 2);
    assert_text_equal(effects[0].inverse, "{\"operation\":\"DeleteUserPolicy\"}");
    int64_t effect = effects[0].id;
    assert_false(let_go(story, first, effect)); /* another incident needs it */
    assert_int_equal(story_effects(story, &first->incident.id, &effects), 0);
    assert_true(let_go(story, second, effect));
    assert_true(let_go(story, second, effect)); /* asked again after a crash */
    assert_int_equal(story_effects(story, &second->incident.id, &effects), 1);
    assert_true(effects[0].is_releasing);

    struct journal_task *third = story_respond(story, "event-3", "rule-c", "user-1");
    intent.key = TEXT("k3");
    assert_int_equal(story_write_intent(story, third, &intent), INTENT_RELEASING);
    struct journal_write *write = journal_write_new(second);
    journal_write_released(write, effect);
    commit(story, write);
    journal_write_free(&write);
    assert_int_equal(story_effects(story, &second->incident.id, &effects), 0);
    assert_int_equal(story_write_intent(story, third, &intent), INTENT_SEND);
    assert_int_equal(story_effects(story, &third->incident.id, &effects), 1);
    assert_text_equal(effects[0].inverse, "{\"not\":\"the first\"}");
    story_finish(story, &first, INCIDENT_DONE);
    story_finish(story, &second, INCIDENT_DONE);
    story_finish(story, &third, INCIDENT_DONE);
}

static void a_first_owner_that_failed_leaves_nothing_to_the_second(void **state) {
    struct story *story = *state;
    struct journal_task *first = story_respond(story, "event-1", "rule-a", "user-1");
    struct journal_task *second = story_respond(story, "event-2", "rule-b", "user-1");
    struct journal_intent intent = story_intent("k", "user-1", "deny-user");
    assert_int_equal(story_write_intent(story, first, &intent), INTENT_SEND);
    assert_int_equal(story_write_intent(story, second, &intent), INTENT_RELEASING);
    story_write_outcome(story, first, "k", CALL_FAILED, false);
    assert_int_equal(story_write_intent(story, second, &intent), INTENT_SEND);
    story_finish(story, &first, INCIDENT_FAILED);
    story_finish(story, &second, INCIDENT_DONE);
}

static void nobody_relies_on_what_could_not_be_applied_again(void **state) {
    struct story *story = *state;
    struct journal_task *first = story_respond(story, "event-1", "rule-a", "user-1");
    struct journal_task *second = story_respond(story, "event-2", "rule-b", "user-1");
    story_make_effect(story, first, "k", "user-1", "deny-user");
    story_write_outcome(story, first, "k", CALL_FAILED, false); /* a verification's second try */
    struct journal_effect *effects = NULL;
    assert_int_equal(story_effects(story, &first->incident.id, &effects), 1); /* undo still must */
    struct journal_intent intent = story_intent("k", "user-1", "deny-user");
    assert_int_equal(story_write_intent(story, second, &intent), INTENT_SEND);
    story_write_outcome(story, second, "k", CALL_DONE, false);
    assert_int_equal(story_effects(story, &second->incident.id, &effects), 1);
    assert_int_equal(effects[0].owner_count, 2);
    story_finish(story, &first, INCIDENT_FAILED);
    story_finish(story, &second, INCIDENT_DONE);
}

static void a_call_without_an_end_is_waited_for_ten_minutes(void **state) {
    struct story *story = *state;
    struct journal_task *first = story_respond(story, "event-1", "rule-a", "user-1");
    struct journal_intent intent = story_intent("k", "user-1", "deny-user");
    assert_int_equal(story_write_intent(story, first, &intent), INTENT_SEND);
    story_finish(story, &first, INCIDENT_FAILED);
    struct journal_task *second = story_respond(story, "event-2", "rule-b", "user-1");
    assert_int_equal(story_write_intent(story, second, &intent), INTENT_RELEASING);
    fake_clock_advance(&story->clock, 10 * 60 * 1000);
    assert_int_equal(story_write_intent(story, second, &intent), INTENT_SEND);
    story_finish(story, &second, INCIDENT_DONE);
}

/* ---- undo ---- */

static void undo_calls_off_what_nobody_holds(void **state) {
    struct story *story = *state;
    struct journal_task *contain = story_respond(story, "event-1", "rule-a", "user-1");
    struct ulid id = contain->incident.id;
    story_make_effect(story, contain, "k", "user-1", "deny-user");
    story_add_task(story, contain, TASK_VERIFY, 5000);
    story_finish(story, &contain, INCIDENT_DONE);
    undo(story, &id);
    undo(story, &id); /* changes nothing */
    story_assert_state(story, &id, INCIDENT_RELEASING);
    struct journal_task_row *rows = NULL;
    assert_int_equal(story_tasks(story, &id, &rows), 1);
    assert_int_equal(rows[0].kind, TASK_UNDO);

    struct journal_task *task = story_claim(story);
    assert_int_equal(task->kind, TASK_UNDO);
    assert_text_equal(task->detail, "{\"resources\":false}");
    assert_int_equal(task->incident.state, INCIDENT_RELEASING);
    struct journal_effect *effects = NULL;
    assert_int_equal(story_effects(story, &id, &effects), 1);
    assert_true(let_go(story, task, effects[0].id));
    struct journal_write *write = journal_write_new(task);
    journal_write_released(write, effects[0].id);
    journal_write_state(write, INCIDENT_RELEASED, TEXT("undone"));
    journal_write_finish(write);
    commit(story, write);
    journal_write_free(&write);
    journal_task_free(&task);
    story_assert_state(story, &id, INCIDENT_RELEASED);
    assert_int_equal(story_effects(story, &id, &effects), 0);
    fake_clock_advance(&story->clock, HOUR_MS);
    story_claim_none(story); /* no verification comes to apply it again */
    assert_int_equal(story_count_audit(story, "releasing"), 1);
    assert_int_equal(story_count_audit(story, "released"), 1);
}

static void undo_waits_for_whoever_works_on_the_incident(void **state) {
    struct story *story = *state;
    struct journal_task *contain = story_respond(story, "event-1", "rule-a", "user-1");
    struct ulid id = contain->incident.id;
    struct journal_intent intent = story_intent("k", "user-1", "deny-user");
    assert_int_equal(story_write_intent(story, contain, &intent), INTENT_SEND);
    undo(story, &id);
    story_claim_none(story);
    story_write_outcome(story, contain, "k", CALL_DONE, false);
    intent.key = TEXT("k2");
    assert_int_equal(story_write_intent(story, contain, &intent), INTENT_RELEASING);
    assert_int_equal(story_add_task(story, contain, TASK_VERIFY, 0) != 0, true);
    struct journal_task_row *rows = NULL;
    assert_int_equal(story_tasks(story, &id, &rows), 2); /* the playbook and the undo: no verify */
    story_claim_none(story);

    const struct journal_outcome late = {.state = CALL_DONE};
    struct journal_write *write = journal_write_new(contain); /* a retry is called off as well */
    journal_write_intent(write, &intent);
    journal_write_outcome(write, intent.key, &late);
    journal_write_again(write, STORY_START_UNIX_MS + 1000, TEXT("{}"), true);
    journal_write_state(write, INCIDENT_DONE, TEXT("too late"));
    commit(story, write);
    journal_write_free(&write);
    journal_task_free(&contain);
    story_assert_state(story, &id, INCIDENT_RELEASING);
    struct journal_task *task = story_claim(story);
    assert_int_equal(task->kind, TASK_UNDO);
    story_finish(story, &task, INCIDENT_RELEASED);
    fake_clock_advance(&story->clock, HOUR_MS);
    story_claim_none(story);
}

static void undo_goes_ahead_when_the_worker_is_lost(void **state) {
    struct story *story = *state;
    struct journal_task *contain = story_respond(story, "event-1", "rule-a", "user-1");
    struct ulid id = contain->incident.id;
    undo(story, &id);
    fake_clock_advance(&story->clock, JOURNAL_LEASE_MS - 1);
    story_claim_none(story);
    fake_clock_advance(&story->clock, 1);
    struct journal_task *task = story_claim(story);
    assert_int_equal(task->kind, TASK_UNDO);
    struct journal_write *write = journal_write_new(contain); /* it comes back */
    journal_write_audit(write, TEXT("note"), TEXT("{}"));
    struct error error = {0};
    assert_fails(journal_write_commit(story->journal, write, &error), &error, ERROR_DENIED,
                 "lease");
    journal_write_free(&write);
    journal_task_free(&contain);
    story_finish(story, &task, INCIDENT_RELEASED);
    struct journal_task_row *rows = NULL;
    assert_int_equal(story_tasks(story, &id, &rows), 0);
}

static void a_task_given_back_after_undo_is_not_handed_out(void **state) {
    struct story *story = *state;
    struct journal_task *contain = story_respond(story, "event-1", "rule-a", "user-1");
    struct ulid id = contain->incident.id;
    undo(story, &id);
    journal_give_back(story->journal, 0, &contain);
    struct journal_task *task = story_claim(story);
    assert_int_equal(task->kind, TASK_UNDO);
    story_claim_none(story);
    story_finish(story, &task, INCIDENT_RELEASED);
    struct journal_task_row *rows = NULL;
    assert_int_equal(story_tasks(story, &id, &rows), 0);
}

static void undo_is_refused_where_there_is_nothing(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct ulid id = story_append(story, "event-1", "rule-a", "user-1");
    assert_fails(journal_undo(story->journal, &id, TEXT("oncall"), false, NULL, &error), &error,
                 ERROR_INVALID, "detected");
    struct ulid none = id;
    none.text[25] = none.text[25] == '0' ? '1' : '0';
    assert_fails(journal_undo(story->journal, &none, TEXT("oncall"), false, NULL, &error), &error,
                 ERROR_NOT_FOUND, none.text);
    struct journal_task *task = story_claim(story);
    struct journal_new_task playbook = story_playbook("contain-principal", true);
    struct journal_admitted admitted = story_admit(story, task, &playbook, 1);
    struct journal_admitted joined = story_admit(
        story, story_arrive(story, "event-2", "rule-a", "user-1"), &playbook, 1);
    struct journal_incident *incidents = NULL;
    size_t count = 0;
    assert_ok(journal_find_incidents(story->journal, NULL,
                                     &(struct journal_filter){.states = 1u << INCIDENT_JOINED}, 1,
                                     story->arena, &incidents, &count, NULL, &error),
              &error);
    assert_int_equal(count, 1);
    assert_fails(
        journal_undo(story->journal, &incidents[0].id, TEXT("oncall"), false, NULL, &error), &error,
        ERROR_INVALID, id.text);
    journal_admitted_done(&admitted);
    journal_admitted_done(&joined);
}

static void with_resources_is_kept_for_the_undo(void **state) {
    struct story *story = *state;
    struct journal_task *contain = story_respond(story, "event-1", "rule-a", "user-1");
    struct ulid id = contain->incident.id;
    story_finish(story, &contain, INCIDENT_DONE);
    struct error error = {0};
    assert_ok(journal_undo(story->journal, &id, TEXT("oncall"), true, NULL, &error), &error);
    struct journal_task *task = story_claim(story);
    assert_text_equal(task->detail, "{\"resources\":true}");
    story_finish(story, &task, INCIDENT_RELEASED);
}

static void what_an_undo_left_is_taken_back_later(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct journal_effect *effects = NULL;
    struct journal_task *task = story_respond(story, "event-1", "rule-a", "user-1");
    struct ulid id = task->incident.id;
    story_make_effect(story, task, "event-1/restore/protect", "i-1", "protect");
    story_finish(story, &task, INCIDENT_DONE);
    undo(story, &id);
    task = story_claim(story);
    story_finish(story, &task, INCIDENT_RELEASED);
    assert_int_equal(story_effects(story, &id, &effects), 1);
    assert_fails(journal_undo(story->journal, &id, TEXT("oncall"), false, NULL, &error), &error,
                 ERROR_INVALID, "released: there is nothing to undo");
    error = (struct error){0};
    assert_ok(journal_undo(story->journal, &id, TEXT("oncall"), true, NULL, &error), &error);
    story_assert_state(story, &id, INCIDENT_RELEASING);
    task = story_claim(story);
    assert_int_equal(task->kind, TASK_UNDO);
    struct journal_write *write = journal_write_new(task);
    size_t index = journal_write_let_go(write, effects[0].id);
    assert_ok(journal_write_commit(story->journal, write, &error), &error);
    assert_int_equal(journal_write_result(write, index), 1);
    journal_write_free(&write);
    write = journal_write_new(task);
    journal_write_released(write, effects[0].id);
    assert_ok(journal_write_commit(story->journal, write, &error), &error);
    journal_write_free(&write);
    story_finish(story, &task, INCIDENT_RELEASED);
    assert_fails(journal_undo(story->journal, &id, TEXT("oncall"), true, NULL, &error), &error,
                 ERROR_INVALID, "nothing to undo");
}

/* ---- telling ---- */

static struct journal_new_task notice(const char *state) {
    return (struct journal_new_task){.kind = TASK_NOTIFY,
                                     .priority = PRIORITY_NOTIFY,
                                     .playbook = TEXT("tell"),
                                     .lane = TEXT("notify"),
                                     .detail = text_of(state)};
}

static void finish_notice(struct story *story, const char *state) {
    struct error error = {0};
    struct journal_task *task = story_claim(story);
    assert_int_equal(task->kind, TASK_NOTIFY);
    assert_text_equal(task->detail, state);
    struct journal_intent intent = {.key = text_of(state), .is_notice = true};
    assert_int_equal(story_write_intent(story, task, &intent), INTENT_SEND);
    struct journal_write *write = journal_write_new(task);
    journal_write_outcome(write, text_of(state), &(struct journal_outcome){.state = CALL_DONE});
    journal_write_finish(write);
    assert_ok(journal_write_commit(story->journal, write, &error), &error);
    journal_write_free(&write);
    journal_task_free(&task);
}

static void a_notice_comes_with_the_change_and_outlives_the_incident(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct journal_task *contain = story_respond(story, "event-1", "rule-a", "user-1");
    struct ulid id = contain->incident.id;
    struct journal_new_task failed = notice("failed"), held = notice("held");
    struct journal_write *write = journal_write_new(contain);
    journal_write_notice(write, journal_write_state(write, INCIDENT_FAILED, TEXT("")), &failed);
    journal_write_notice(write, journal_write_state(write, INCIDENT_HELD, TEXT("")), &held);
    journal_write_finish(write);
    assert_ok(journal_write_commit(story->journal, write, &error), &error);
    journal_write_free(&write);
    journal_task_free(&contain);
    undo(story, &id);
    struct journal_task *task = story_claim(story);
    assert_int_equal(task->kind, TASK_UNDO); /* contains: first in line */
    story_finish(story, &task, INCIDENT_RELEASED);
    finish_notice(story, "failed");
    story_claim_none(story); /* it never was held */
}

static void an_undo_does_not_wait_for_a_notice(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct journal_task *contain = story_respond(story, "event-1", "rule-a", "user-1");
    struct ulid id = contain->incident.id;
    struct journal_new_task done = notice("done");
    struct journal_write *write = journal_write_new(contain);
    journal_write_notice(write, journal_write_state(write, INCIDENT_DONE, TEXT("")), &done);
    journal_write_finish(write);
    assert_ok(journal_write_commit(story->journal, write, &error), &error);
    journal_write_free(&write);
    journal_task_free(&contain);
    struct journal_task *telling = story_claim(story);
    assert_int_equal(telling->kind, TASK_NOTIFY);
    undo(story, &id);
    struct journal_task *task = story_claim(story);
    assert_int_equal(task->kind, TASK_UNDO);
    story_finish(story, &task, INCIDENT_RELEASED);
    write = journal_write_new(telling); /* and may be tried again */
    journal_write_again(write, clock_unix_ms(&story->clock.clock), TEXT("done"), true);
    assert_ok(journal_write_commit(story->journal, write, &error), &error);
    journal_write_free(&write);
    journal_task_free(&telling);
    finish_notice(story, "done");
}

static void notices_come_with_the_verdict(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct journal_notice notices[] = {{INCIDENT_HELD, false, notice("held")},
                                       {INCIDENT_OBSERVED, false, notice("observed")},
                                       {INCIDENT_JOINED, true, notice("escaped")}};
    struct journal_admission admission = {
        .proposal = ADMIT_HOLD, .reason = TEXT("x"), .notices = notices, .notice_count = 3};
    struct journal_admitted admitted = {0};
    struct journal_task *task = story_arrive(story, "event-1", "rule-a", "user-1");
    assert_ok(journal_admit(story->journal, task, &admission, &admitted, &error), &error);
    assert_null(admitted.next);
    journal_admitted_done(&admitted);
    journal_task_free(&task);
    finish_notice(story, "held");
    story_claim_none(story);
}

/* ---- a dossier ---- */

static void a_dossier_holds_what_its_parts_do(void **state) {
    struct story *story = *state;
    struct journal_task *task = story_respond(story, "event-1", "rule-a", "user-1");
    struct journal_intent intent = story_intent("k", "user-1", "deny-user");
    struct journal_dossier dossier = {0};
    struct journal_call *calls = NULL;
    struct journal_effect *effects = NULL;
    struct journal_task_row *rows = NULL;
    struct error error = {0};
    assert_int_equal(story_write_intent(story, task, &intent), INTENT_SEND);
    assert_ok(
        journal_read_dossier(story->journal, &task->incident.id, story->arena, &dossier, &error),
        &error);
    assert_int_equal(dossier.incident.state, INCIDENT_RESPONDING);
    assert_int_equal(dossier.call_count, story_calls(story, &task->incident.id, &calls));
    assert_text_equal(dossier.calls[0].key, "k");
    assert_int_equal(dossier.effect_count, story_effects(story, &task->incident.id, &effects));
    assert_int_equal(dossier.effects[0].id, effects[0].id);
    assert_int_equal(dossier.task_count, story_tasks(story, &task->incident.id, &rows));
    assert_int_equal(dossier.tasks[0].id, rows[0].id);
    story_finish(story, &task, INCIDENT_DONE);
    const struct ulid nobody = {"01ARZ3NDEKTSV4RRFFQ69G5FAV"};
    assert_fails(journal_read_dossier(story->journal, &nobody, story->arena, &dossier, &error),
                 &error, ERROR_NOT_FOUND, "there is no incident");
}

/* Reads one incident again and again until it is done. */
struct reader {
    struct journal *journal;
    struct ulid incident;
    unsigned torn; /* times that its state and its tasks did not belong together */
};

static void read_until_done(void *arg) {
    struct reader *reader = arg;
    bool is_done = false;
    while (!is_done) {
        scoped(arena_free) struct arena *arena = arena_new();
        struct journal_dossier dossier = {0};
        struct error error = {0};
        if (!journal_read_dossier(reader->journal, &reader->incident, arena, &dossier, &error)) {
            reader->torn++;
            return;
        }
        is_done = dossier.incident.state == INCIDENT_DONE;
        reader->torn += is_done != (dossier.task_count == 0);
    }
}

static void a_dossier_is_of_one_moment(void **state) {
    struct story *story = *state;
    char key[32];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(key, sizeof(key), "event-%u", i);
        struct journal_task *task = story_respond(story, key, "rule-a", key);
        struct reader reader = {.journal = story->journal, .incident = task->incident.id};
        struct thread thread = {0};
        struct error error = {0};
        assert_ok(thread_start(&thread, "reader", read_until_done, &reader, &error), &error);
        story_finish(story, &task, INCIDENT_DONE);
        thread_join(&thread);
        assert_int_equal(reader.torn, 0);
        fake_clock_advance(&story->clock, 2 * 3600 * 1000); /* no limit is of interest here */
    }
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, story_setup, story_teardown)
const struct CMUnitTest effect_stories[] = {
    STORY(an_intent_is_written_once_and_never_rewritten),
    STORY(what_contains_anybody_of_a_role_is_found),
    STORY(an_outcome_without_an_intent_stores_nothing),
    STORY(an_identical_pending_call_is_enough),
    STORY(a_resource_limit_refuses_the_intent_alone),
    STORY(an_effect_shows_what_made_it),
    STORY(an_effect_is_there_unless_its_call_surely_failed),
    STORY(an_effect_has_two_owners_and_goes_with_the_last),
    STORY(a_first_owner_that_failed_leaves_nothing_to_the_second),
    STORY(nobody_relies_on_what_could_not_be_applied_again),
    STORY(a_call_without_an_end_is_waited_for_ten_minutes),
    STORY(undo_calls_off_what_nobody_holds),
    STORY(undo_waits_for_whoever_works_on_the_incident),
    STORY(undo_goes_ahead_when_the_worker_is_lost),
    STORY(a_task_given_back_after_undo_is_not_handed_out),
    STORY(undo_is_refused_where_there_is_nothing),
    STORY(with_resources_is_kept_for_the_undo),
    STORY(what_an_undo_left_is_taken_back_later),
    STORY(a_notice_comes_with_the_change_and_outlives_the_incident),
    STORY(an_undo_does_not_wait_for_a_notice),
    STORY(notices_come_with_the_verdict),
    STORY(a_dossier_holds_what_its_parts_do),
    STORY(a_dossier_is_of_one_moment),
};
const size_t effect_story_count = ARRAY_COUNT(effect_stories);
