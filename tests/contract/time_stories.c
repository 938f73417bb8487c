#include "story.h"

#include "riposte/journal/search.h"

#include "riposte/base/thread.h"
#include "riposte/journal/chain.h"

#include <stdio.h>

/* ---- leases ---- */

static bool renew(struct story *story, const struct journal_task *task, struct error *error) {
    struct journal_write *write = journal_write_new(task);
    bool is_ok = journal_write_commit(story->journal, write, error);
    journal_write_free(&write);
    return is_ok;
}

static void a_stale_fencing_number_is_refused(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct journal_task *slow = story_arrive(story, "event-1", "rule-a", "user-1");
    fake_clock_advance(&story->clock, JOURNAL_LEASE_MS - 1);
    story_claim_none(story);
    fake_clock_advance(&story->clock, 1);
    struct journal_task *fast = story_claim(story);
    assert_int_equal(fast->id, slow->id);
    assert_true(fast->fence > slow->fence);
    assert_fails(renew(story, slow, &error), &error, ERROR_DENIED, "lease");
    struct journal_admission admission = {.proposal = ADMIT_HOLD};
    struct journal_admitted admitted = {0};
    assert_fails(journal_admit(story->journal, slow, &admission, &admitted, &error), &error,
                 ERROR_DENIED, "lease");
    journal_give_back(story->journal, 0, &slow); /* not his to give */
    story_claim_none(story);
    assert_ok(renew(story, fast, &error), &error);
    journal_give_back(story->journal, 0, &fast);
}

static void each_write_renews_the_lease(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct journal_task *task = story_arrive(story, "event-1", "rule-a", "user-1");
    for (int i = 0; i < 3; i++) {
        fake_clock_advance(&story->clock, JOURNAL_LEASE_MS - 1);
        assert_ok(renew(story, task, &error), &error);
        story_claim_none(story);
    }
    fake_clock_advance(&story->clock, JOURNAL_LEASE_MS); /* late, but nobody came */
    assert_ok(renew(story, task, &error), &error);
    story_claim_none(story);
    journal_give_back(story->journal, 0, &task);
}

/* ---- due times ---- */

static void a_task_comes_again_when_it_is_due(void **state) {
    struct story *story = *state;
    struct journal_task *task = story_respond(story, "event-1", "rule-a", "user-1");
    struct journal_write *write = journal_write_new(task);
    struct error error = {0};
    journal_write_again(write, STORY_START_UNIX_MS + 5000, TEXT("{\"step\":2}"), true);
    assert_ok(journal_write_commit(story->journal, write, &error), &error);
    journal_write_free(&write);
    journal_task_free(&task);
    fake_clock_advance(&story->clock, 4999);
    story_claim_none(story);
    fake_clock_advance(&story->clock, 1);
    task = story_claim(story);
    assert_int_equal(task->attempt, 1);
    assert_text_equal(task->detail, "{\"step\":2}");
    assert_text_equal(task->playbook, "contain-principal");
    write = journal_write_new(task);
    journal_write_again(write, 0, TEXT("{\"step\":3}"), false);
    assert_ok(journal_write_commit(story->journal, write, &error), &error);
    journal_write_free(&write);
    journal_task_free(&task);
    task = story_claim(story);
    assert_int_equal(task->attempt, 1);
    story_finish(story, &task, INCIDENT_DONE);
}

static void the_wall_clock_an_hour_off(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct journal_task *task = story_respond(story, "event-1", "rule-a", "user-1");
    struct ulid id = task->incident.id;
    story_add_task(story, task, TASK_VERIFY, 5000);
    fake_clock_set_unix(&story->clock, STORY_START_UNIX_MS + HOUR_MS);
    story_claim_none(story); /* neither is the lease over nor the verification due */
    fake_clock_set_unix(&story->clock, STORY_START_UNIX_MS - HOUR_MS);
    assert_ok(renew(story, task, &error), &error);
    story_finish(story, &task, INCIDENT_DONE);
    fake_clock_advance(&story->clock, 5000); /* due by the time that passed, not by the clock */
    task = story_claim(story);
    assert_int_equal(task->kind, TASK_VERIFY);
    story_add_task(story, task, TASK_VERIFY, 1000); /* made by the clock as it is now */
    story_finish(story, &task, INCIDENT_DETECTED);
    story_claim_none(story);
    fake_clock_advance(&story->clock, 1000);
    task = story_claim(story);
    story_finish(story, &task, INCIDENT_DETECTED);
    /* Created in what is the future now: still joined, no second response. */
    struct journal_new_task playbook = story_playbook("contain-principal", true);
    struct journal_admitted admitted = story_admit(
        story, story_arrive(story, "event-2", "rule-a", "user-1"), &playbook, 1);
    assert_int_equal(admitted.state, INCIDENT_JOINED);
    assert_string_equal(admitted.joined_to.text, id.text);
    journal_admitted_done(&admitted);
}

/* ---- lanes and priorities ---- */

static void a_lane_holds_half_of_the_workers(void **state) {
    struct story *story = *state;
    struct journal_new_task slow[4];
    for (size_t i = 0; i < 4; i++) {
        slow[i] = story_playbook("slow", true);
    }
    slow[3].lane = TEXT("hooks.example.com");
    struct journal_admitted admitted = story_admit(
        story, story_arrive(story, "event-1", "rule-a", "user-1"), slow, 4);
    struct journal_task *second = story_claim(story);
    assert_text_equal(second->lane, "111122223333/iam");
    struct journal_task *other = story_claim(story); /* the third of the lane is passed over */
    assert_text_equal(other->lane, "hooks.example.com");
    story_claim_none(story);
    story_finish(story, &second, INCIDENT_DETECTED);
    struct journal_task *third = story_claim(story);
    assert_text_equal(third->lane, "111122223333/iam");
    story_finish(story, &third, INCIDENT_DETECTED);
    story_finish(story, &other, INCIDENT_DETECTED);
    journal_admitted_done(&admitted);
}

static void containing_comes_before_new_events_before_restoring(void **state) {
    struct story *story = *state;
    struct journal_new_task playbooks[4] = {
        story_playbook("first", true), story_playbook("notify", false),
        story_playbook("restore", false), story_playbook("contain", true)};
    playbooks[1].priority = PRIORITY_NOTIFY;
    for (size_t i = 0; i < 4; i++) {
        playbooks[i].lane = (struct text){NULL, 0};
    }
    struct journal_admitted admitted = story_admit(
        story, story_arrive(story, "event-1", "rule-a", "user-1"), playbooks, 4);
    story_append(story, "event-2", "rule-a", "user-2");
    static const char *const expected[] = {"contain", "", "restore", "notify"};
    for (size_t i = 0; i < 4; i++) {
        struct journal_task *task = story_claim(story);
        assert_text_equal(task->playbook, expected[i]);
        journal_task_free(&task);
    }
    journal_admitted_done(&admitted);
}

/* ---- waiting ---- */

struct worker {
    struct story *story;
    struct thread thread;
    bool has_claimed;
    _Atomic bool is_back;
};

static void claim_patiently(void *arg) {
    struct worker *worker = arg;
    struct journal_task *task = NULL;
    worker->has_claimed = journal_claim(worker->story->journal, 30000, &task);
    journal_task_free(&task);
    worker->is_back = true;
}

static void start(struct worker *worker, struct story *story) {
    struct error error = {0};
    *worker = (struct worker){.story = story};
    assert_ok(thread_start(&worker->thread, "worker", claim_patiently, worker, &error), &error);
}

static void a_waiting_worker_is_woken_by_the_commit(void **state) {
    struct story *story = *state;
    struct worker workers[3];
    for (size_t i = 0; i < 3; i++) {
        start(&workers[i], story);
    }
    clock_sleep_ms(20);
    int64_t before_ms = clock_mono_ms(&clock_system);
    struct journal_new_incident incidents[3];
    struct journal_new_event events[3];
    for (size_t i = 0; i < 3; i++) {
        char key[32];
        snprintf(key, sizeof(key), "event-%zu", i);
        incidents[i] = story_incident(story, "rule-a", "user-1");
        incidents[i].account = (struct text){NULL, 0};
        events[i] = story_event(story, i == 0 ? "a" : i == 1 ? "b" : "c", &incidents[i]);
    }
    assert_true(story_append_all(story, events, 3).is_ok);
    for (size_t i = 0; i < 3; i++) {
        thread_join(&workers[i].thread);
        assert_true(workers[i].has_claimed);
    }
    assert_true(clock_mono_ms(&clock_system) - before_ms < 10000);
}

struct decider {
    struct story *story;
    struct thread thread;
    bool is_admitted;
};

static void decide_at_once(void *arg) {
    struct decider *decider = arg;
    struct journal_task *task = NULL;
    struct journal_admission admission = {.proposal = ADMIT_SUPPRESS, .reason = TEXT("it is ours")};
    struct journal_admitted admitted = {0};
    struct error error = {0};
    decider->is_admitted = journal_claim(decider->story->journal, 30000, &task) &&
                           journal_admit(decider->story->journal, task, &admission, &admitted,
                                         &error) &&
                           admitted.state == INCIDENT_SUPPRESSED;
    journal_admitted_done(&admitted);
    journal_task_free(&task);
}

static uint64_t count_commits(const struct story *story) {
    struct journal_numbers numbers;
    journal_numbers(story->journal, &numbers);
    return numbers.commits;
}

/* Whether a worker was quick enough is up to the machine: of fifty times it must have been once. */
static void what_is_decided_at_once_goes_to_the_disk_with_its_event(void **state) {
    struct story *story = *state;
    unsigned together = 0;
    for (int i = 0; i < 50; i++) {
        char key[32];
        struct error error = {0};
        struct decider decider = {.story = story};
        snprintf(key, sizeof(key), "event-%d", i);
        uint64_t before = count_commits(story);
        assert_ok(thread_start(&decider.thread, "worker", decide_at_once, &decider, &error),
                  &error);
        clock_sleep_ms(1);
        struct ulid id = story_append(story, key, "rule-a", "user-1");
        thread_join(&decider.thread);
        assert_true(decider.is_admitted);
        story_assert_state(story, &id, INCIDENT_SUPPRESSED);
        uint64_t commits = count_commits(story) - before;
        together += commits == 1;
    }
    assert_true(together > 0);
    assert_true(story_count_audit(story, "suppressed") == 50);
}

static void an_admission_may_leave_the_waking_to_its_worker(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct journal_task *task = story_arrive(story, "event-1", "rule-a", "user-1");
    struct worker worker;
    start(&worker, story);
    clock_sleep_ms(20);
    struct journal_new_task playbooks[] = {story_playbook("contain", true),
                                           story_playbook("restore", false)};
    const struct journal_admission admission = {
        .proposal = ADMIT_RESPOND, .tasks = playbooks, .task_count = 2, .wakes_later = true};
    struct journal_admitted admitted = {0};
    assert_ok(journal_admit(story->journal, task, &admission, &admitted, &error), &error);
    clock_sleep_ms(20);
    assert_false(worker.is_back);
    int64_t before_ms = clock_mono_ms(&clock_system);
    journal_wake(story->journal);
    thread_join(&worker.thread);
    assert_true(worker.has_claimed);
    assert_true(clock_mono_ms(&clock_system) - before_ms < 10000);
    journal_admitted_done(&admitted);
    journal_task_free(&task);
}

static void stopping_ends_the_waits_and_nothing_else(void **state) {
    struct story *story = *state;
    struct worker worker;
    start(&worker, story);
    clock_sleep_ms(20);
    journal_stop_claims(story->journal);
    thread_join(&worker.thread);
    assert_false(worker.has_claimed);
    struct ulid id = story_append(story, "event-1", "rule-a", "user-1");
    story_assert_state(story, &id, INCIDENT_DETECTED);
    story_claim_none(story);
}

/* ---- many at once ---- */

#define CROWD_WORKERS 4
#define CROWD_EVENTS  200

static void work_on_everything(void *arg) {
    struct worker *worker = arg;
    struct story *story = worker->story;
    struct journal_task *task = NULL;
    while (journal_claim(story->journal, 300, &task)) {
        if (task->kind == TASK_RESPOND) {
            struct journal_new_task playbooks[] = {story_playbook("contain-principal", true),
                                                   story_playbook("restore", false)};
            struct journal_admission admission = {
                .proposal = ADMIT_RESPOND,
                .cooldown_ms = 60000,
                .tasks = playbooks,
                .task_count = 2,
            };
            struct journal_admitted admitted = {0};
            struct error error = {0};
            if (!journal_admit(story->journal, task, &admission, &admitted, &error)) {
                return;
            }
            journal_task_free(&task);
            task = admitted.next;
            admitted.next = NULL;
            journal_admitted_done(&admitted);
        }
        while (task != NULL) {
            struct journal_intent intent = story_intent("k", "user", "deny");
            intent.key = task->playbook;
            struct journal_write *write = journal_write_new(task);
            const struct journal_outcome outcome = {.state = CALL_DONE};
            struct error error = {0};
            intent.effect = (struct journal_effect_name){0};
            journal_write_intent(write, &intent);
            journal_write_outcome(write, intent.key, &outcome);
            journal_write_state(write, INCIDENT_DONE, TEXT("done"));
            journal_write_finish(write);
            bool is_ok = journal_write_commit(story->journal, write, &error);
            journal_write_free(&write);
            journal_task_free(&task);
            if (!is_ok) {
                return;
            }
        }
    }
    worker->is_back = true;
}

static void a_crowd_leaves_everything_done(void **state) {
    struct story *story = *state;
    struct worker workers[CROWD_WORKERS];
    for (size_t i = 0; i < CROWD_WORKERS; i++) {
        struct error error = {0};
        workers[i] = (struct worker){.story = story};
        assert_ok(
            thread_start(&workers[i].thread, "worker", work_on_everything, &workers[i], &error),
            &error);
    }
    for (size_t i = 0; i < CROWD_EVENTS; i++) {
        char key[32];
        char subject[32];
        snprintf(key, sizeof(key), "event-%zu", i);
        snprintf(subject, sizeof(subject), "user-%zu", i % 50);
        story_append(story, key, "rule-a", subject);
    }
    for (size_t i = 0; i < CROWD_WORKERS; i++) {
        thread_join(&workers[i].thread);
        assert_true(workers[i].is_back);
    }
    struct journal_incident *incidents = NULL;
    size_t count = 0;
    struct error error = {0};
    assert_ok(journal_find_incidents(story->journal, NULL, &(struct journal_filter){.states = 0},
                                     1000, story->arena, &incidents, &count, NULL, &error),
              &error);
    assert_int_equal(count, CROWD_EVENTS);
    size_t done = 0;
    for (size_t i = 0; i < count; i++) {
        done += incidents[i].state == INCIDENT_DONE;
        assert_true(incidents[i].state == INCIDENT_DONE || incidents[i].state == INCIDENT_JOINED);
    }
    assert_int_equal(done, 50);
    assert_true(story_count_audit(story, "") > CROWD_EVENTS);
}

/* ---- retention ---- */

static void wake(struct story *story) {
    struct error error = {0};
    assert_ok(journal_note(story->journal, TEXT("story"), TEXT("wake"), TEXT("{}"), &error),
              &error);
}

static bool is_gone(struct story *story, const struct ulid *id) {
    struct journal_incident incident;
    struct error error = {0};
    return !journal_read_incident(story->journal, id, story->arena, &incident, &error);
}

static void wait_until_gone(struct story *story, const struct ulid *id) {
    for (int i = 0; !is_gone(story, id); i++) {
        assert_true(i < 2000);
        clock_sleep_ms(1);
        fake_clock_advance(&story->clock, 61000);
        wake(story);
    }
}

static void what_ended_long_ago_is_forgotten(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct journal_task *contain = story_respond(story, "contained", "rule-a", "user-1");
    struct ulid contained = contain->incident.id;
    story_make_effect(story, contain, "k", "user-1", "deny-user");
    story_finish(story, &contain, INCIDENT_DONE);

    struct journal_task *restore = story_respond(story, "restored", "rule-a", "user-2");
    struct ulid restored = restore->incident.id;
    struct journal_intent intent = story_intent("k", "i-1", "protection");
    intent.is_containing = false;
    assert_int_equal(story_write_intent(story, restore, &intent), INTENT_SEND);
    story_write_outcome(story, restore, "k", CALL_DONE, false);
    story_finish(story, &restore, INCIDENT_DONE);

    struct journal_task *open = story_respond(story, "open", "rule-a", "user-3");
    struct ulid pending = open->incident.id;
    story_add_task(story, open, TASK_VERIFY, 100 * DAY_MS);
    story_finish(story, &open, INCIDENT_DONE);
    struct ulid waiting = story_append(story, "waiting", "rule-b", "user-4");
    struct journal_new_event alone = story_event(story, "alone", NULL);
    assert_true(story_append_all(story, &alone, 1).is_ok);

    fake_clock_advance(&story->clock, STORY_RETAIN_MS + HOUR_MS);
    struct ulid young = story_append(story, "young", "rule-c", "user-5");
    wait_until_gone(story, &restored);
    assert_false(is_gone(story, &contained)); /* its deny must be found to be undone */
    assert_false(is_gone(story, &pending));
    assert_false(is_gone(story, &waiting));
    assert_false(is_gone(story, &young));
    struct blob *body = NULL;
    assert_fails(journal_read_event(story->journal, TEXT("restored"), &body, &error), &error,
                 ERROR_NOT_FOUND, "");
    assert_fails(journal_read_event(story->journal, TEXT("alone"), &body, &error), &error,
                 ERROR_NOT_FOUND, "");
    assert_ok(journal_read_event(story->journal, TEXT("contained"), &body, &error), &error);
    blob_unref(&body);
    assert_int_equal(story_count_audit(story, "forgotten"), 1);
}

/* The chain must be whole; how many of its lines were cut? Read at once: page by page, one may be
 * cut between two. */
static int64_t cut_lines(struct story *story) {
    scoped(journal_chain_free) struct journal_chain *chain = journal_chain_new();
    struct journal_chain_end end;
    struct error error = {0};
    struct journal_audit_line *lines = NULL;
    size_t count = 0;
    assert_ok(journal_read_audit(story->journal, 0, 100000, story->arena, &lines, &count, &error),
              &error);
    for (size_t i = 0; i < count; i++) {
        journal_chain_take(chain, &lines[i]);
    }
    assert_ok(journal_chain_conclude(chain, &end, &error), &error);
    return end.cut;
}

static void wake_often(struct story *story, int times) {
    for (int i = 0; i < times; i++) {
        wake(story);
    }
}

static void wait_until_cut(struct story *story, int64_t lines) {
    for (int i = 0; cut_lines(story) != lines; i++) {
        assert_true(i < 2000);
        clock_sleep_ms(1);
        fake_clock_advance(&story->clock, 61000);
        wake(story);
    }
}

static void the_chain_is_cut_up_to_what_is_still_there(void **state) {
    struct story *story = *state;
    story_close(story);
    story->audit_retain_ms = 2 * STORY_RETAIN_MS;
    story_open(story);
    wake_often(story, 600);
    struct journal_task *contain = story_respond(story, "contained", "rule-a", "user-1");
    story_make_effect(story, contain, "k", "user-1", "deny-user");
    story_finish(story, &contain, INCIDENT_DONE);
    wake_often(story, 600);

    fake_clock_advance(&story->clock, STORY_RETAIN_MS + HOUR_MS);
    wake_often(story, 10);
    clock_sleep_ms(150);
    assert_int_equal(cut_lines(story), 0); /* not old enough yet */
    fake_clock_advance(&story->clock, STORY_RETAIN_MS);
    wait_until_cut(story, 512); /* the next piece is about what stands */
    wake_often(story, 10);
    clock_sleep_ms(150);
    wake_often(story, 10);
    assert_int_equal(cut_lines(story), 512);
}

/* ---- thresholds ---- */

#define THRESHOLD_MS (5 * 60 * 1000)

/* An event `ago_ms` old that shows these values ("a b c") of the subject; did it fire? */
static bool see(struct story *story, const char *key, const char *subject, const char *shown,
                int64_t ago_ms) {
    struct text values[16], rest = text_of(shown), value;
    struct journal_threshold threshold = {.count = 3, .per_ms = THRESHOLD_MS, .values = values};
    while (text_next_part(&rest, ' ', &value)) {
        values[threshold.value_count++] = value;
    }
    bool has_fired = true;
    struct journal_new_incident incident = story_incident(story, "rule-a", subject);
    incident.threshold = &threshold;
    incident.has_fired_out = &has_fired;
    struct journal_new_event event = story_event(story, key, &incident);
    event.event_unix_ms -= ago_ms;
    struct appended appended = story_append_all(story, &event, 1);
    assert_true(appended.is_ok);
    if (appended.is_known[0]) {
        assert_true(has_fired); /* untouched */
        return false;
    }
    struct error error = {0};
    struct journal_incident read;
    bool is_there = journal_read_incident(story->journal, &incident.id, story->arena, &read,
                                          &error);
    assert_int_equal(is_there, has_fired);
    return has_fired;
}

static void a_threshold_counts_distinct_values(void **state) {
    struct story *story = *state;
    assert_false(see(story, "event-1", "user-1", "i-1", 0));
    assert_false(see(story, "event-2", "user-1", "i-1 i-2", 0));
    assert_false(see(story, "event-2", "user-1", "i-3", 0)); /* delivered again */
    assert_false(see(story, "event-3", "user-2", "i-3", 0));
    story_claim_none(story);
    assert_true(see(story, "event-4", "user-1", "i-3", 0));
    assert_true(see(story, "event-5", "user-1", "i-1", 0)); /* and each one that follows */
    assert_true(see(story, "event-6", "user-3", "a b c d e", 0));
    assert_int_equal(story_count_audit(story, "detected"), 3);
    assert_int_equal(story_count_audit(story, "counted"), 3); /* inaction has its reason too */
    for (int i = 0; i < 3; i++) {
        struct journal_task *task = story_claim(story);
        assert_int_equal(task->kind, TASK_RESPOND);
        journal_give_back(story->journal, 0, &task);
        task = story_claim(story);
        story_finish(story, &task, INCIDENT_DETECTED);
    }
}

static void a_threshold_counts_within_its_time(void **state) {
    struct story *story = *state;
    assert_false(see(story, "event-1", "user-1", "i-1 i-2", 0));
    fake_clock_advance(&story->clock, THRESHOLD_MS);
    assert_false(see(story, "event-2", "user-1", "i-3", 0));
    fake_clock_advance(&story->clock, THRESHOLD_MS - 2000);
    assert_false(see(story, "event-3", "user-1", "i-4", 0));
    assert_true(see(story, "event-4", "user-1", "i-5", 0));
}

static void a_threshold_goes_by_the_events_times(void **state) {
    struct story *story = *state;
    fake_clock_advance(&story->clock, HOUR_MS);
    assert_false(see(story, "event-1", "user-1", "i-1", 3 * THRESHOLD_MS)); /* late, each alone */
    assert_false(see(story, "event-2", "user-1", "i-2", 2 * THRESHOLD_MS));
    assert_false(see(story, "event-3", "user-1", "i-3", 0));
    assert_false(see(story, "event-4", "user-2", "i-1", 2 * THRESHOLD_MS)); /* late together */
    assert_false(see(story, "event-5", "user-2", "i-2", 2 * THRESHOLD_MS + 5000));
    assert_true(see(story, "event-6", "user-2", "i-3", 2 * THRESHOLD_MS + 1000));
    assert_false(see(story, "event-7", "user-3", "i-1", -HOUR_MS)); /* dated ahead: as of now */
    assert_false(see(story, "event-8", "user-3", "i-2", 0));
    assert_true(see(story, "event-9", "user-3", "i-3", 1000));
}

static void what_a_failed_batch_showed_is_not_counted(void **state) {
    struct story *story = *state;
    struct text values[] = {TEXT("i-1"), TEXT("i-2")};
    struct journal_threshold threshold = {
        .count = 3, .per_ms = THRESHOLD_MS, .values = values, .value_count = 2};
    struct journal_new_incident incidents[2] = {story_incident(story, "rule-a", "user-1"),
                                                story_incident(story, "rule-b", "user-1")};
    incidents[0].threshold = &threshold;
    incidents[1].id = (struct ulid){0};
    struct journal_new_event events[2] = {story_event(story, "event-1", &incidents[0]),
                                          story_event(story, "event-2", &incidents[1])};
    incidents[1].id = incidents[0].id;
    struct journal_new_incident twice = incidents[1];
    struct journal_new_incident both[2] = {twice, twice};
    events[1].incidents = both;
    events[1].incident_count = 2; /* one id for two: can't be stored */
    assert_false(story_append_all(story, events, 2).is_ok);
    assert_false(see(story, "event-3", "user-1", "i-3", 0));
    assert_true(see(story, "event-1", "user-1", "i-1 i-2", 0));
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, story_setup, story_teardown)
const struct CMUnitTest time_stories[] = {
    STORY(a_stale_fencing_number_is_refused),
    STORY(each_write_renews_the_lease),
    STORY(a_task_comes_again_when_it_is_due),
    STORY(the_wall_clock_an_hour_off),
    STORY(a_lane_holds_half_of_the_workers),
    STORY(containing_comes_before_new_events_before_restoring),
    STORY(a_waiting_worker_is_woken_by_the_commit),
    STORY(what_is_decided_at_once_goes_to_the_disk_with_its_event),
    STORY(an_admission_may_leave_the_waking_to_its_worker),
    STORY(stopping_ends_the_waits_and_nothing_else),
    STORY(a_crowd_leaves_everything_done),
    STORY(what_ended_long_ago_is_forgotten),
    STORY(the_chain_is_cut_up_to_what_is_still_there),
    STORY(a_threshold_counts_distinct_values),
    STORY(a_threshold_counts_within_its_time),
    STORY(a_threshold_goes_by_the_events_times),
    STORY(what_a_failed_batch_showed_is_not_counted),
};
const size_t time_story_count = ARRAY_COUNT(time_stories);
