#include "story.h"

#include "riposte/base/thread.h"

#include <stdio.h>

static struct journal_admitted admit(struct story *story, const struct journal_task *task,
                                     enum admit_proposal proposal, const char *reason,
                                     uint32_t limit) {
    struct journal_new_task playbook = story_playbook("contain-principal", true);
    struct journal_admission admission = {
        .proposal = proposal,
        .reason = text_of(reason),
        .plan = TEXT("{\"calls\":[1]}"),
        .cooldown_ms = 5 * 60 * 1000,
        .limit = {TEXT("principals"), task->incident.subject, limit, HOUR_MS},
        .tasks = &playbook,
        .task_count = 1,
    };
    struct journal_admitted admitted = {0};
    struct error error = {0};
    assert_ok(journal_admit(story->journal, task, &admission, &admitted, &error), &error);
    return admitted;
}

static const struct verdict_case {
    const char *name;
    enum admit_proposal proposal;
    const char *reason;
    enum incident_state state;
    const char *shown;
    bool has_task;
} verdict_cases[] = {
    {"ours", ADMIT_SUPPRESS, "our own key", INCIDENT_SUPPRESSED, "our own key", false},
    {"protected", ADMIT_HOLD, "protected", INCIDENT_HELD, "protected", false},
    {"observe", ADMIT_OBSERVE, "observe", INCIDENT_OBSERVED, "observe", false},
    {"approve", ADMIT_APPROVE, "", INCIDENT_HELD, "awaits approval", false},
    {"enforce", ADMIT_RESPOND, "matches", INCIDENT_RESPONDING, "matches", true},
};

static void each_proposal_leads_to_its_state(void **state) {
    struct story *story = *state;
    for (size_t i = 0; i < ARRAY_COUNT(verdict_cases); i++) {
        const struct verdict_case *row = &verdict_cases[i];
        testing_row(row->name);
        struct journal_task *task = story_arrive(story, row->name, "rule-a", row->name);
        struct ulid id = task->incident.id;
        struct journal_admitted admitted = admit(story, task, row->proposal, row->reason, 10);
        assert_int_equal(admitted.state, row->state);
        assert_text_equal(admitted.reason, row->shown);
        assert_int_equal(admitted.next != NULL, row->has_task);
        struct journal_incident incident = story_read(story, &id);
        assert_int_equal(incident.state, row->state);
        assert_text_equal(incident.reason, row->shown);
        assert_text_equal(incident.plan, "{\"calls\":[1]}");
        assert_int_equal(story_count_audit(story, incident_state_name(row->state)),
                         row->state == INCIDENT_HELD && i == 3 ? 2 : 1);
        journal_task_free(&task);
        if (admitted.next != NULL) {
            story_finish(story, &admitted.next, INCIDENT_DONE);
        }
        journal_admitted_done(&admitted);
    }
    story_claim_none(story);
    testing_row(NULL);
}

static void an_incident_is_decided_once(void **state) {
    struct story *story = *state;
    struct journal_task *task = story_arrive(story, "event-1", "rule-a", "user-1");
    struct journal_admitted admitted = admit(story, task, ADMIT_HOLD, "protected", 10);
    journal_admitted_done(&admitted);
    struct journal_admission admission = {.proposal = ADMIT_RESPOND};
    struct error error = {0};
    assert_fails(journal_admit(story->journal, task, &admission, &admitted, &error), &error,
                 ERROR_DENIED, "lease");
    journal_task_free(&task);
}

static void playbooks_of_one_incident_run_side_by_side(void **state) {
    struct story *story = *state;
    struct journal_new_task playbooks[] = {story_playbook("contain-principal", true),
                                           story_playbook("restore", false)};
    playbooks[1].lane = TEXT("111122223333/ec2");
    struct journal_task *task = story_arrive(story, "event-1", "rule-a", "user-1");
    struct ulid id = task->incident.id;
    struct journal_admitted admitted = story_admit(story, task, playbooks, 2);
    struct journal_numbers before;
    journal_numbers(story->journal, &before);
    struct journal_task *contain = admitted.next;
    admitted.next = NULL;
    journal_admitted_done(&admitted);
    assert_text_equal(contain->playbook, "contain-principal");
    assert_text_equal(contain->detail, "{\"n\":1}");
    struct journal_task *restore = story_claim(story);
    assert_text_equal(restore->playbook, "restore");
    assert_int_equal(restore->incident.state, INCIDENT_RESPONDING);
    assert_true(text_equal(blob_text(restore->event), blob_text(story->body)));
    struct journal_numbers after;
    journal_numbers(story->journal, &after);
    assert_int_equal(after.commits, before.commits); /* the claim cost none */

    story_finish(story, &contain, INCIDENT_DONE);
    story_assert_state(story, &id, INCIDENT_RESPONDING); /* left to the last */
    story_finish(story, &restore, INCIDENT_DONE);
    story_assert_state(story, &id, INCIDENT_DONE);
}

static void the_first_playbook_to_fail_decides(void **state) {
    struct story *story = *state;
    struct journal_new_task playbooks[] = {story_playbook("contain-principal", true),
                                           story_playbook("restore", false)};
    struct journal_task *task = story_arrive(story, "event-1", "rule-a", "user-1");
    struct ulid id = task->incident.id;
    struct journal_admitted admitted = story_admit(story, task, playbooks, 2);
    struct journal_task *restore = story_claim(story);
    story_finish(story, &admitted.next, INCIDENT_HELD);
    story_finish(story, &restore, INCIDENT_DONE);
    story_assert_state(story, &id, INCIDENT_HELD);
    journal_admitted_done(&admitted);
}

static void first_intents_are_admitted_with_the_verdict(void **state) {
    struct story *story = *state;
    struct journal_task *task = story_arrive(story, "event-1", "rule-a", "user-1");
    struct ulid id = task->incident.id;
    struct journal_new_task playbook = story_playbook("contain-principal", true);
    struct journal_intent intent = story_intent("event-1/contain/deny", "user-1", "deny-user");
    struct journal_admission admission = {
        .proposal = ADMIT_RESPOND,
        .reason = TEXT("it matches"),
        .tasks = &playbook,
        .task_count = 1,
        .intents = &intent,
        .intent_count = 1,
    };
    struct journal_admitted admitted = {0};
    struct error error = {0};
    assert_ok(journal_admit(story->journal, task, &admission, &admitted, &error), &error);
    assert_int_equal(admitted.intents[0], INTENT_SEND);
    struct journal_call *calls = NULL;
    assert_int_equal(story_calls(story, &id, &calls), 1);
    assert_int_equal(calls[0].state, CALL_INTENT);
    assert_text_equal(calls[0].request, "{\"UserName\":\"mallory\"}");
    journal_task_free(&task);
    journal_admitted_done(&admitted);
}

/* ---- joining ---- */

static void a_second_event_joins(void **state) {
    struct story *story = *state;
    struct journal_task *contain = story_respond(story, "event-1", "rule-a", "user-1");
    struct journal_new_task playbooks[] = {story_playbook("contain-principal", true),
                                           story_playbook("restore", false)};
    struct journal_task *second = story_arrive(story, "event-2", "rule-a", "user-1");
    struct ulid id = second->incident.id;
    struct journal_admitted admitted = story_admit(story, second, playbooks, 2);
    assert_int_equal(admitted.state, INCIDENT_JOINED);
    assert_string_equal(admitted.joined_to.text, contain->incident.id.text);
    assert_false(admitted.is_escape);
    assert_non_null(admitted.next);
    assert_text_equal(admitted.next->playbook, "restore"); /* what is restored, is for each event */
    assert_text_equal(admitted.next->event_key, "event-2");
    assert_string_equal(admitted.next->incident.id.text, contain->incident.id.text);
    story_claim_none(story);
    struct journal_incident joined = story_read(story, &id);
    assert_int_equal(joined.state, INCIDENT_JOINED);
    assert_string_equal(joined.joined_to.text, contain->incident.id.text);

    struct ulid open = contain->incident.id;
    story_finish(story, &contain, INCIDENT_DONE);
    story_assert_state(story, &open, INCIDENT_RESPONDING);
    story_finish(story, &admitted.next, INCIDENT_DONE);
    story_assert_state(story, &open, INCIDENT_DONE);
    journal_admitted_done(&admitted);
}

static void a_joined_event_with_work_reopens_what_was_done(void **state) {
    struct story *story = *state;
    struct journal_task *contain = story_respond(story, "event-1", "rule-a", "user-1");
    struct ulid open = contain->incident.id;
    story_finish(story, &contain, INCIDENT_DONE);
    struct journal_new_task restore = story_playbook("restore", false);
    struct journal_admitted admitted = story_admit(
        story, story_arrive(story, "event-2", "rule-a", "user-1"), &restore, 1);
    assert_int_equal(admitted.state, INCIDENT_JOINED);
    story_assert_state(story, &open, INCIDENT_RESPONDING);
    story_finish(story, &admitted.next, INCIDENT_DONE);
    story_assert_state(story, &open, INCIDENT_DONE);
    journal_admitted_done(&admitted);
}

static void what_joins_a_held_incident_does_no_work(void **state) {
    struct story *story = *state;
    struct journal_task *contain = story_respond(story, "event-1", "rule-a", "user-1");
    struct ulid open = contain->incident.id;
    story_finish(story, &contain, INCIDENT_HELD);
    struct journal_new_task restore = story_playbook("restore", false);
    struct journal_admitted admitted = story_admit(
        story, story_arrive(story, "event-2", "rule-a", "user-1"), &restore, 1);
    assert_int_equal(admitted.state, INCIDENT_JOINED);
    assert_null(admitted.next);
    story_claim_none(story);
    story_assert_state(story, &open, INCIDENT_HELD);
    journal_admitted_done(&admitted);
}

static const struct join_case {
    const char *name, *rule, *subject;
    int64_t after_ms;
    enum incident_state first;
    bool joins;
} join_cases[] = {
    {"the same, soon", "rule-a", "user-1", 1000, INCIDENT_DONE, true},
    {"just before the cooldown ends", "rule-a", "user-1", 5 * 60 * 1000 - 1, INCIDENT_DONE, true},
    {"when it has ended", "rule-a", "user-1", 5 * 60 * 1000, INCIDENT_DONE, false},
    {"another rule", "rule-b", "user-1", 1000, INCIDENT_DONE, false},
    {"another subject", "rule-a", "user-2", 1000, INCIDENT_DONE, false},
    {"a failed one is never joined", "rule-a", "user-1", 1000, INCIDENT_FAILED, false},
    {"a held one is", "rule-a", "user-1", 1000, INCIDENT_HELD, true},
};

static void what_joins_what(void **state) {
    struct story *story = *state;
    story_close(story);
    for (size_t i = 0; i < ARRAY_COUNT(join_cases); i++) {
        const struct join_case *row = &join_cases[i];
        struct story *one = NULL;
        testing_row(row->name);
        assert_int_equal(story_setup((void **)&one), 0);
        struct journal_task *first = story_respond(one, "event-1", "rule-a", "user-1");
        story_finish(one, &first, row->first);
        fake_clock_advance(&one->clock, row->after_ms);
        struct journal_new_task playbook = story_playbook("contain-principal", true);
        struct journal_admitted admitted = story_admit(
            one, story_arrive(one, "event-2", row->rule, row->subject), &playbook, 1);
        assert_int_equal(admitted.state == INCIDENT_JOINED, row->joins);
        journal_admitted_done(&admitted);
        story_teardown((void **)&one);
    }
    testing_row(NULL);
    story_open(story);
}

static void two_claimers_of_one_subject(void **state) {
    struct story *story = *state;
    story_append(story, "event-1", "rule-a", "user-1");
    story_append(story, "event-2", "rule-a", "user-1");
    struct journal_task *tasks[2] = {story_claim(story), story_claim(story)};
    struct journal_admitted first = admit(story, tasks[1], ADMIT_RESPOND, "matches", 10);
    struct journal_admitted second = admit(story, tasks[0], ADMIT_RESPOND, "matches", 10);
    assert_int_equal(first.state, INCIDENT_RESPONDING);
    assert_int_equal(second.state, INCIDENT_JOINED);
    assert_string_equal(second.joined_to.text, tasks[1]->incident.id.text);
    journal_admitted_done(&first);
    journal_admitted_done(&second);
    journal_task_free(&tasks[0]);
    journal_task_free(&tasks[1]);
}

/* ---- limits ---- */

static void the_limit_counts_targets_and_forgets(void **state) {
    struct story *story = *state;
    static const struct {
        const char *key, *rule, *subject;
        int64_t after_ms;
        enum incident_state state;
    } steps[] = {
        {"1", "rule-a", "user-1", 0, INCIDENT_RESPONDING},
        {"2", "rule-a", "user-2", 0, INCIDENT_RESPONDING},
        {"3", "rule-a", "user-3", 0, INCIDENT_HELD},
        {"4", "rule-b", "user-1", 0, INCIDENT_RESPONDING}, /* it drew already */
        {"5", "rule-b", "user-3", HOUR_MS - 1, INCIDENT_HELD},
        {"6", "rule-c", "user-3", 1, INCIDENT_RESPONDING},
    };
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        testing_row(steps[i].key);
        fake_clock_advance(&story->clock, steps[i].after_ms);
        struct journal_task *task = story_arrive(story, steps[i].key, steps[i].rule,
                                                 steps[i].subject);
        struct journal_admitted admitted = admit(story, task, ADMIT_RESPOND, "matches", 2);
        assert_int_equal(admitted.state, steps[i].state);
        if (admitted.state == INCIDENT_HELD) {
            assert_true(text_contains(admitted.reason, TEXT("limit of 2")));
        } else {
            story_finish(story, &admitted.next, INCIDENT_DONE);
        }
        journal_task_free(&task);
        journal_admitted_done(&admitted);
    }
    testing_row(NULL);
}

struct claimer {
    struct story *story;
    struct journal_task *task;
    struct thread thread;
    enum incident_state state;
};

static void admit_one(void *arg) {
    struct claimer *claimer = arg;
    struct journal_admitted admitted = admit(claimer->story, claimer->task, ADMIT_RESPOND,
                                             "matches", 1);
    claimer->state = admitted.state;
    journal_admitted_done(&admitted);
}

static void two_claimers_of_the_last_slot(void **state) {
    struct story *story = *state;
    struct claimer claimers[2] = {{.story = story}, {.story = story}};
    for (size_t i = 0; i < 2; i++) {
        claimers[i].task = story_arrive(story, i == 0 ? "event-1" : "event-2", "rule-a",
                                        i == 0 ? "user-1" : "user-2");
    }
    struct error error = {0};
    for (size_t i = 0; i < 2; i++) {
        assert_ok(thread_start(&claimers[i].thread, "claimer", admit_one, &claimers[i], &error),
                  &error);
    }
    for (size_t i = 0; i < 2; i++) {
        thread_join(&claimers[i].thread);
        journal_task_free(&claimers[i].task);
    }
    assert_true((claimers[0].state == INCIDENT_RESPONDING && claimers[1].state == INCIDENT_HELD) ||
                (claimers[1].state == INCIDENT_RESPONDING && claimers[0].state == INCIDENT_HELD));
}

/* ---- escapes ---- */

static void going_on_after_containment_is_an_escape(void **state) {
    struct story *story = *state;
    struct journal_task *contain = story_respond(story, "event-1", "rule-a", "user-1");
    struct ulid open = contain->incident.id;
    story_make_effect(story, contain, "event-1/deny", "user-1", "deny-user");
    int64_t verify = story_add_task(story, contain, TASK_VERIFY, 60000);
    story_finish(story, &contain, INCIDENT_DONE);
    story_claim_none(story);

    struct journal_new_task playbooks[] = {story_playbook("contain-principal", true),
                                           story_playbook("restore", false)};
    fake_clock_advance(&story->clock, 10000); /* CloudTrail is late: not yet an escape */
    struct journal_admitted admitted = story_admit(
        story, story_arrive(story, "event-2", "rule-a", "user-1"), playbooks, 1);
    assert_false(admitted.is_escape);
    assert_null(admitted.next);
    journal_admitted_done(&admitted);

    fake_clock_advance(&story->clock, 1);
    admitted = story_admit(story, story_arrive(story, "event-3", "rule-a", "user-1"), playbooks, 2);
    assert_true(admitted.is_escape);
    assert_int_equal(admitted.state, INCIDENT_JOINED);
    struct journal_incident incident = story_read(story, &open);
    assert_int_equal(incident.state, INCIDENT_RESPONDING);
    assert_text_equal(incident.severity, "critical");
    assert_int_equal(story_count_audit(story, "escape"), 1);
    assert_text_equal(admitted.next->playbook, "contain-principal"); /* the escape's own */
    assert_text_equal(admitted.next->event_key, "event-3");

    struct journal_task *due = story_claim(story); /* the verification, at once */
    assert_int_equal(due->id, verify);
    story_finish(story, &due, INCIDENT_DETECTED);
    due = story_claim(story);
    assert_text_equal(due->playbook, "restore");
    story_finish(story, &due, INCIDENT_DONE);
    story_finish(story, &admitted.next, INCIDENT_DONE);
    story_assert_state(story, &open, INCIDENT_DONE);
    journal_admitted_done(&admitted);
}

static void an_escape_in_observe_makes_no_work(void **state) {
    struct story *story = *state;
    struct journal_task *contain = story_respond(story, "event-1", "rule-a", "user-1");
    struct ulid open = contain->incident.id;
    story_make_effect(story, contain, "event-1/deny", "user-1", "deny-user");
    story_finish(story, &contain, INCIDENT_DONE);
    fake_clock_advance(&story->clock, 20000);
    struct journal_task *task = story_arrive(story, "event-2", "rule-a", "user-1");
    struct journal_admitted admitted = admit(story, task, ADMIT_OBSERVE, "observe", 10);
    assert_true(admitted.is_escape);
    assert_null(admitted.next);
    assert_text_equal(story_read(story, &open).severity, "critical");
    story_assert_state(story, &open, INCIDENT_DONE);
    journal_task_free(&task);
    journal_admitted_done(&admitted);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, story_setup, story_teardown)
/* ---- a person's word ---- */

static struct journal_task *hold(struct story *story, const char *key) {
    struct journal_task *task = story_arrive(story, key, "rule-a", key);
    struct journal_admitted admitted = admit(story, task, ADMIT_APPROVE, "", 10);
    assert_int_equal(admitted.state, INCIDENT_HELD);
    journal_admitted_done(&admitted);
    return task;
}

static void approve(struct story *story, const struct ulid *id) {
    struct error error = {0};
    assert_ok(journal_approve(story->journal, id, TEXT("alice"), TEXT("{\"approver\":\"alice\"}"),
                              false, NULL, &error),
              &error);
}

static struct journal_admitted admit_approved(struct story *story, struct journal_task **task,
                                              enum admit_proposal proposal) {
    struct journal_new_task playbook = story_playbook("contain-principal", true);
    struct journal_admission admission = {.proposal = proposal,
                                          .reason = TEXT("as told"),
                                          .cooldown_ms = HOUR_MS,
                                          .limit = {TEXT("principals"), TEXT("x"), 1, HOUR_MS},
                                          .tasks = &playbook,
                                          .task_count = 1,
                                          .approved_by = TEXT("alice")};
    struct journal_admitted admitted = {0};
    struct error error = {0};
    assert_ok(journal_admit(story->journal, *task, &admission, &admitted, &error), &error);
    journal_task_free(task);
    return admitted;
}

static void an_approved_incident_is_decided_anew(void **state) {
    struct story *story = *state;
    struct journal_task *first = hold(story, "event-1");
    struct ulid id = first->incident.id;
    journal_task_free(&first);
    approve(story, &id);
    approve(story, &id); /* while it is being decided: nothing more */
    struct journal_task *task = story_claim(story);
    assert_int_equal(task->kind, TASK_RESPOND);
    assert_text_equal(task->detail, "{\"approver\":\"alice\"}");
    story_claim_none(story);
    struct journal_admitted admitted = admit_approved(story, &task, ADMIT_RESPOND);
    assert_int_equal(admitted.state, INCIDENT_RESPONDING);
    assert_int_equal(admitted.next->kind, TASK_PLAYBOOK);
    approve(story, &id); /* when it responds: nothing */
    story_finish(story, &admitted.next, INCIDENT_DONE);
    journal_admitted_done(&admitted);
    approve(story, &id); /* when it did: nothing */
    story_claim_none(story);
    story_assert_state(story, &id, INCIDENT_DONE);
    assert_int_equal(story_count_audit(story, "approve"), 1);
}

static void an_override_is_decided_beside_a_plain_approval(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct journal_task *first = hold(story, "event-1");
    struct ulid id = first->incident.id;
    journal_task_free(&first);
    approve(story, &id);
    struct journal_task *plain = story_claim(story); /* it is being decided */
    for (int i = 0; i < 2; i++) {                    /* once more is no more */
        assert_ok(journal_approve(story->journal, &id, TEXT("bob"), TEXT("{\"override\":true}"),
                                  true, NULL, &error),
                  &error);
    }
    approve(story, &id);
    struct journal_admitted admitted = admit_approved(story, &plain, ADMIT_HOLD);
    assert_int_equal(admitted.state, INCIDENT_HELD);
    journal_admitted_done(&admitted);
    struct journal_task *task = story_claim(story);
    assert_text_equal(task->detail, "{\"override\":true}");
    story_claim_none(story);
    admitted = admit_approved(story, &task, ADMIT_RESPOND);
    assert_int_equal(admitted.state, INCIDENT_RESPONDING);
    story_finish(story, &admitted.next, INCIDENT_DONE);
    journal_admitted_done(&admitted);
    assert_int_equal(story_count_audit(story, "approve"), 2);
}

/* Approves it, and admits it with a playbook that restores; its task is done then. */
static void approve_with_work(struct story *story, const struct ulid *id) {
    struct error error = {0};
    approve(story, id);
    struct journal_task *task = story_claim(story);
    struct journal_new_task restore = story_playbook("restore", false);
    const struct journal_admission admission = {.proposal = ADMIT_RESPOND,
                                                .tasks = &restore,
                                                .task_count = 1,
                                                .approved_by = TEXT("alice"),
                                                .catch_up = TEXT("{\"approver\":\"alice\"}")};
    struct journal_admitted admitted = {0};
    assert_ok(journal_admit(story->journal, task, &admission, &admitted, &error), &error);
    assert_non_null(admitted.next);
    struct journal_intent intent = story_intent("event-1/restore", "", "");
    story_write_intent(story, admitted.next, &intent);
    story_write_outcome(story, admitted.next, "event-1/restore", CALL_DONE, false);
    story_finish(story, &admitted.next, INCIDENT_HELD);
    journal_admitted_done(&admitted);
    journal_task_free(&task);
}

static void what_joined_a_held_incident_is_caught_up_once(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct journal_task *first = hold(story, "event-1");
    struct ulid id = first->incident.id;
    journal_task_free(&first);
    struct journal_new_task restore = story_playbook("restore", false);
    struct journal_task *task = story_arrive(story, "event-12", "rule-a", "event-1");
    struct ulid joined = task->incident.id;
    struct journal_admitted admitted = story_admit(story, task, &restore, 1);
    assert_int_equal(admitted.state, INCIDENT_JOINED);
    assert_null(admitted.next);
    journal_admitted_done(&admitted);

    approve_with_work(story, &id);
    task = story_claim(story);
    story_claim_none(story);
    assert_int_equal(task->kind, TASK_RESPOND);
    assert_string_equal(task->incident.id.text, joined.text);
    assert_text_equal(task->event_key, "event-12");
    const struct journal_admission admission = {.proposal = ADMIT_RESPOND,
                                                .tasks = &restore,
                                                .task_count = 1,
                                                .approved_by = TEXT("alice")};
    assert_ok(journal_admit(story->journal, task, &admission, &admitted, &error), &error);
    journal_task_free(&task);
    assert_string_equal(admitted.next->incident.id.text, id.text);
    assert_text_equal(admitted.next->event_key, "event-12");
    struct journal_intent intent = story_intent("event-12#approved-1/restore", "", "");
    assert_int_equal(story_write_intent(story, admitted.next, &intent), INTENT_SEND);
    story_write_outcome(story, admitted.next, "event-12#approved-1/restore", CALL_DONE, false);
    story_finish(story, &admitted.next, INCIDENT_DETECTED);
    journal_admitted_done(&admitted);
    story_assert_state(story, &joined, INCIDENT_JOINED);
    assert_int_equal(story_count_audit(story, "caught up"), 1);

    approve_with_work(story, &id); /* held again in the meantime: once is enough */
    story_claim_none(story);
}

static void what_joined_waits_for_nobody_who_was_let_go(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct journal_task *first = hold(story, "event-1");
    struct ulid id = first->incident.id;
    journal_task_free(&first);
    struct journal_new_task restore = story_playbook("restore", false);
    struct journal_admitted admitted = story_admit(
        story, story_arrive(story, "event-2", "rule-a", "event-1"), &restore, 1);
    journal_admitted_done(&admitted);
    approve_with_work(story, &id);
    struct journal_task *task = story_claim(story);
    assert_ok(journal_undo(story->journal, &id, TEXT("oncall"), false, NULL, &error), &error);
    const struct journal_admission admission = {.proposal = ADMIT_RESPOND,
                                                .tasks = &restore,
                                                .task_count = 1,
                                                .approved_by = TEXT("alice")};
    assert_ok(journal_admit(story->journal, task, &admission, &admitted, &error), &error);
    assert_null(admitted.next);
    journal_admitted_done(&admitted);
    journal_task_free(&task);
    assert_int_equal(story_count_audit(story, "not caught up"), 1);
}

static void what_the_guard_still_holds_stays_held(void **state) {
    struct story *story = *state;
    struct journal_task *first = hold(story, "event-1");
    struct ulid id = first->incident.id;
    journal_task_free(&first);
    for (int i = 0; i < 2; i++) {
        approve(story, &id);
        struct journal_task *task = story_claim(story);
        struct journal_admitted admitted = admit_approved(story, &task,
                                                          i == 0 ? ADMIT_HOLD : ADMIT_SUPPRESS);
        assert_int_equal(admitted.state, INCIDENT_HELD);
        assert_null(admitted.next);
        journal_admitted_done(&admitted);
        assert_text_equal(story_read(story, &id).reason, "as told");
    }
    story_claim_none(story);
    assert_int_equal(story_count_audit(story, "still held"), 2);
}

static void a_dismissed_incident_is_over(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct journal_task *first = hold(story, "event-1");
    struct ulid id = first->incident.id;
    journal_task_free(&first);
    approve(story, &id);
    struct journal_task *task = story_claim(story);
    for (int i = 0; i < 2; i++) {
        assert_ok(journal_dismiss(story->journal, &id, TEXT("bob"), NULL, &error), &error);
    }
    story_assert_state(story, &id, INCIDENT_DISMISSED);
    struct journal_admission late = {.proposal = ADMIT_RESPOND, .approved_by = TEXT("alice")};
    struct journal_admitted admitted = {0};
    assert_fails(journal_admit(story->journal, task, &late, &admitted, &error), &error,
                 ERROR_INVALID, "not to be decided");
    story_finish(story, &task, INCIDENT_DETECTED);
    struct journal_task_row *rows = NULL;
    assert_int_equal(story_tasks(story, &id, &rows), 0);
    error = (struct error){0};
    assert_fails(
        journal_approve(story->journal, &id, TEXT("alice"), TEXT("{}"), false, NULL, &error),
        &error, ERROR_INVALID, "is dismissed: approve is for held ones");
    assert_int_equal(story_count_audit(story, "dismissed"), 1);
}

static void only_the_held_are_approved_or_dismissed(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct ulid id = story_append(story, "event-1", "rule-a", "user-1");
    assert_fails(
        journal_approve(story->journal, &id, TEXT("alice"), TEXT("{}"), false, NULL, &error),
        &error, ERROR_INVALID, "detected");
    error = (struct error){0};
    assert_fails(journal_dismiss(story->journal, &id, TEXT("alice"), NULL, &error), &error,
                 ERROR_INVALID, "detected");
    struct ulid none = id;
    none.text[25] = none.text[25] == '0' ? '1' : '0';
    error = (struct error){0};
    assert_fails(
        journal_approve(story->journal, &none, TEXT("alice"), TEXT("{}"), false, NULL, &error),
        &error, ERROR_NOT_FOUND, none.text);
    error = (struct error){0};
    assert_fails(journal_dismiss(story->journal, &none, TEXT("alice"), NULL, &error), &error,
                 ERROR_NOT_FOUND, none.text);
}

static void what_is_contained_is_undone_not_dismissed(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct journal_task *contain = story_respond(story, "event-1", "rule-a", "user-1");
    struct ulid id = contain->incident.id;
    story_make_effect(story, contain, "event-1/contain/deny", "user-1", "deny-user");
    story_finish(story, &contain, INCIDENT_HELD);
    assert_fails(journal_dismiss(story->journal, &id, TEXT("alice"), NULL, &error), &error,
                 ERROR_INVALID, "undo it instead");
    story_assert_state(story, &id, INCIDENT_HELD);
}

const struct CMUnitTest respond_stories[] = {
    STORY(each_proposal_leads_to_its_state),
    STORY(an_approved_incident_is_decided_anew),
    STORY(an_override_is_decided_beside_a_plain_approval),
    STORY(what_joined_a_held_incident_is_caught_up_once),
    STORY(what_joined_waits_for_nobody_who_was_let_go),
    STORY(what_the_guard_still_holds_stays_held),
    STORY(a_dismissed_incident_is_over),
    STORY(only_the_held_are_approved_or_dismissed),
    STORY(what_is_contained_is_undone_not_dismissed),
    STORY(an_incident_is_decided_once),
    STORY(playbooks_of_one_incident_run_side_by_side),
    STORY(the_first_playbook_to_fail_decides),
    STORY(first_intents_are_admitted_with_the_verdict),
    STORY(a_second_event_joins),
    STORY(a_joined_event_with_work_reopens_what_was_done),
    STORY(what_joins_a_held_incident_does_no_work),
    STORY(what_joins_what),
    STORY(two_claimers_of_one_subject),
    STORY(the_limit_counts_targets_and_forgets),
    STORY(two_claimers_of_the_last_slot),
    STORY(going_on_after_containment_is_an_escape),
    STORY(an_escape_in_observe_makes_no_work),
};
const size_t respond_story_count = ARRAY_COUNT(respond_stories);
