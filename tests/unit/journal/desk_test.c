/* What comes up first, and who may not hold up whom. */
#include "journal/desk.h"
#include "journal/lanes.h"

#include "riposte/base/clock.h"

#include "testing.h"

#include <stdio.h>

#define WORKERS 8
#define MOST    40

static struct fake_clock fake;
static struct desk *desk;
static struct desk_lease leases[MOST];

static int set_up(void **state) {
    (void)state;
    fake_clock_init(&fake, 1700000000000);
    desk = desk_new(&fake.clock, WORKERS);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    desk_free(&desk);
    return 0;
}

static struct desk_task make_task(int64_t id, enum task_kind kind, enum task_priority priority,
                                  const char *lane) {
    struct desk_task task = {
        .id = id, .kind = kind, .priority = priority, .lane = text_of(lane), .due_unix_ms = 0};
    snprintf(task.incident.text, sizeof(task.incident.text), "%026lld", (long long)id);
    return task;
}

static void add(int64_t id, enum task_kind kind, enum task_priority priority, const char *lane) {
    struct desk_task task = make_task(id, kind, priority, lane);
    desk_add(desk, &task, NULL);
    desk_commit(desk);
}

static void add_notices(int64_t from, size_t count, const char *lane) {
    for (size_t i = 0; i < count; i++) {
        add(from + (int64_t)i, TASK_NOTIFY, PRIORITY_NOTIFY, lane);
    }
}

/* How many are handed out before there is none. */
static size_t claim_all(void) {
    size_t count = 0;
    while (count < MOST && desk_claim(desk, 0, &leases[count])) {
        count++;
    }
    return count;
}

static void assert_claims(int64_t id) {
    struct desk_lease lease = {0};
    assert_true(desk_claim(desk, 0, &lease));
    assert_int_equal(lease.id, id);
}

static void assert_claims_nothing(void) {
    struct desk_lease lease = {0};
    assert_false(desk_claim(desk, 0, &lease));
}

static void test_what_is_due_is_counted(void **state) {
    (void)state;
    add(1, TASK_RESPOND, PRIORITY_CONTAIN, "1");
    add(2, TASK_PLAYBOOK, PRIORITY_CONTAIN, "1/iam");
    struct desk_task later = make_task(3, TASK_VERIFY, PRIORITY_CONTAIN, "1/iam");
    later.due_unix_ms = clock_unix_ms(&clock_system) + 60000;
    desk_add(desk, &later, NULL);
    desk_commit(desk);
    struct desk_numbers numbers = desk_numbers(desk);
    assert_int_equal(numbers.open, 3);
    assert_int_equal(numbers.due, 2);
    assert_claims(2);
    assert_claims(1);
    numbers = desk_numbers(desk);
    assert_int_equal(numbers.open, 3);
    assert_int_equal(numbers.due, 0);
    assert_int_equal(numbers.oldest_due_ms, 0);
}

static void test_containing_goes_before_restoring_before_notifying(void **state) {
    (void)state;
    add(1, TASK_NOTIFY, PRIORITY_NOTIFY, "hooks.example.com");
    add(2, TASK_PLAYBOOK, PRIORITY_RESTORE, "1/ec2");
    add(3, TASK_RESPOND, PRIORITY_CONTAIN, "1");
    add(4, TASK_PLAYBOOK, PRIORITY_CONTAIN, "1/iam");
    assert_claims(4);
    assert_claims(3);
    assert_claims(2);
    assert_claims(1);
    assert_claims_nothing();
}

static void test_a_webhook_that_hangs_holds_up_no_other(void **state) {
    (void)state;
    add_notices(1, 10, "hangs.example.com");
    assert_int_equal(claim_all(), WORKERS / 4);
    add_notices(11, 1, "works.example.com");
    assert_claims(11);
    add_notices(12, 1, "env:HOOK");
    assert_claims(12);
    add(13, TASK_PLAYBOOK, PRIORITY_CONTAIN, "1/iam");
    assert_claims(13);
    assert_claims_nothing();
}

static void test_notifications_leave_half_the_workers_to_responses(void **state) {
    (void)state;
    for (int64_t i = 0; i < 6; i++) {
        char lane[32];
        snprintf(lane, sizeof(lane), "hook-%lld.example.com", (long long)i);
        add_notices(1 + 4 * i, 4, lane);
    }
    add_notices(30, 4, ""); /* the lane that is never full counts, too */
    assert_int_equal(claim_all(), WORKERS / 2);
    add(50, TASK_PLAYBOOK, PRIORITY_RESTORE, "1/ec2");
    assert_claims(50);
    assert_claims_nothing();
    desk_give_back(desk, leases[0].id, leases[0].fence, 60000);
    assert_int_equal(claim_all(), 1);
}

/* A respond task that is kept ready, in a transaction that is open. */
static void add_ready(int64_t id) {
    struct desk_task task = make_task(id, TASK_RESPOND, PRIORITY_CONTAIN, "1");
    struct arena *arena = arena_new();
    struct journal_task *ready = arena_alloc(arena, sizeof(*ready));
    *ready = (struct journal_task){.id = id, .kind = TASK_RESPOND, .arena = arena};
    ready->event = blob_new(TEXT("{}"));
    desk_add(desk, &task, ready);
    assert_claims_nothing();
}

static void offer(int64_t id) {
    add_ready(id);
    assert_false(desk_offer(desk)); /* nobody waits for one */
}

static bool is_held(const struct desk_lease *lease) {
    struct desk_task task;
    return desk_renew(desk, lease->id, lease->fence, &task);
}

static void test_what_is_offered_is_claimed_before_the_commit_and_held_after_it(void **state) {
    (void)state;
    struct desk_lease lease = {0};
    offer(1);
    assert_true(desk_claim(desk, 0, &lease));
    assert_non_null(lease.ready);
    assert_true(is_held(&lease));
    desk_commit(desk);
    assert_true(is_held(&lease));
    assert_claims_nothing();
    desk_give_back(desk, lease.id, lease.fence, 0);
    assert_claims(1);
    journal_task_free(&lease.ready);
}

static void test_what_is_offered_and_not_committed_was_never_there(void **state) {
    (void)state;
    struct desk_lease lease = {0};
    size_t mark = desk_mark(desk);
    offer(1);
    assert_true(desk_claim(desk, 0, &lease));
    desk_revert(desk, mark);
    assert_false(is_held(&lease));
    add(1, TASK_RESPOND, PRIORITY_CONTAIN, "1"); /* the store may give the number again */
    assert_false(is_held(&lease));
    desk_give_back(desk, lease.id, lease.fence, 0);
    assert_claims(1);
    assert_claims_nothing();
    journal_task_free(&lease.ready);
    mark = desk_mark(desk);
    offer(2); /* and nobody claimed it */
    desk_revert(desk, mark);
    assert_claims_nothing();
}

static void test_what_is_given_back_or_ended_before_the_commit(void **state) {
    (void)state;
    struct desk_lease lease = {0};
    offer(1);
    assert_true(desk_claim(desk, 0, &lease));
    desk_give_back(desk, lease.id, lease.fence, 0);
    assert_claims_nothing(); /* once is enough before the commit */
    desk_commit(desk);
    assert_claims(1);
    journal_task_free(&lease.ready);
    offer(2);
    assert_true(desk_claim(desk, 0, &lease));
    desk_remove(desk, lease.id); /* decided in the same transaction */
    desk_commit(desk);
    assert_false(is_held(&lease));
    assert_claims_nothing();
    assert_int_equal(desk_respond_count(desk), 1);
    journal_task_free(&lease.ready);
    add_ready(3);
    desk_remove(desk, 3); /* before it was offered */
    desk_offer(desk);
    assert_claims_nothing();
    desk_commit(desk);
    assert_claims_nothing();
}

static void report(const struct desk_lease *lease, const char *lane, bool has_answered) {
    struct journal_task task = {.id = lease->id, .lane = text_of(lane)};
    desk_report(desk, &task, has_answered);
}

static void fail_times(size_t count, const char *lane) {
    for (size_t i = 0; i < count; i++) {
        struct desk_lease lease = {0};
        assert_true(desk_claim(desk, 0, &lease));
        report(&lease, lane, false);
        desk_give_back(desk, lease.id, lease.fence, 0);
    }
}

static void test_a_lane_without_answers_rests_then_one_tries(void **state) {
    (void)state;
    for (int64_t id = 1; id <= 4; id++) {
        add(id, TASK_PLAYBOOK, PRIORITY_CONTAIN, "1/iam");
    }
    fail_times(LANE_FAILURES, "1/iam");
    assert_claims_nothing();
    assert_int_equal(desk_numbers(desk).failing_lanes, 1);
    add(9, TASK_PLAYBOOK, PRIORITY_RESTORE, "1/ec2"); /* others are none of its business */
    assert_claims(9);
    fake_clock_advance(&fake, LANE_REST_MS - 1);
    assert_claims_nothing();
    fake_clock_advance(&fake, 1);
    struct desk_lease probe = {0};
    assert_true(desk_claim(desk, 0, &probe));
    assert_claims_nothing();
    report(&probe, "1/iam", false);
    desk_give_back(desk, probe.id, probe.fence, 0);
    fake_clock_advance(&fake, LANE_REST_MS);
    assert_claims_nothing(); /* twice as long now */
    fake_clock_advance(&fake, LANE_REST_MS);
    assert_true(desk_claim(desk, 0, &probe));
    report(&probe, "1/iam", true);
    assert_int_equal(desk_numbers(desk).failing_lanes, 0);
    assert_int_equal(claim_all(), 3);
}

static void test_rests_grow_to_a_bound_and_an_answer_forgets_them(void **state) {
    (void)state;
    add(1, TASK_NOTIFY, PRIORITY_NOTIFY, "hooks.example.com");
    fail_times(LANE_FAILURES, "hooks.example.com");
    for (int i = 0; i < 10; i++) {
        fake_clock_advance(&fake, LANE_REST_MOST_MS);
        fail_times(1, "hooks.example.com");
    }
    fake_clock_advance(&fake, LANE_REST_MOST_MS);
    struct desk_lease lease = {0};
    assert_true(desk_claim(desk, 0, &lease));
    report(&lease, "hooks.example.com", true);
    desk_give_back(desk, lease.id, lease.fence, 0);
    fail_times(LANE_FAILURES - 1, "hooks.example.com");
    assert_true(desk_claim(desk, 0, &lease));
}

static void test_who_was_under_way_makes_no_rest_longer(void **state) {
    (void)state;
    for (int64_t id = 1; id <= 4; id++) {
        add(id, TASK_PLAYBOOK, PRIORITY_CONTAIN, "1/iam");
    }
    size_t count = claim_all();
    assert_int_equal(count, WORKERS / 2);
    for (size_t i = 0; i < count; i++) {
        report(&leases[i], "1/iam", false);
        desk_give_back(desk, leases[i].id, leases[i].fence, 0);
    }
    fake_clock_advance(&fake, LANE_REST_MS);
    assert_int_equal(claim_all(), 1);
}

static void test_the_empty_lane_never_rests(void **state) {
    (void)state;
    add(1, TASK_PLAYBOOK, PRIORITY_CONTAIN, "");
    fail_times(3 * LANE_FAILURES, "");
    assert_claims(1);
}

static void test_lanes_are_listed_the_busiest_first(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    struct journal_lane *lanes = NULL;
    assert_int_equal(desk_lanes(desk, arena, &lanes), 0);
    add(1, TASK_PLAYBOOK, PRIORITY_CONTAIN, "1/iam");
    add(2, TASK_PLAYBOOK, PRIORITY_RESTORE, "1/ec2");
    add(3, TASK_PLAYBOOK, PRIORITY_RESTORE, "1/ec2");
    add(4, TASK_PLAYBOOK, PRIORITY_RESTORE, "");
    assert_claims(1);
    assert_int_equal(desk_lanes(desk, arena, &lanes), 3);
    assert_text_equal(lanes[0].name, "1/iam");
    assert_int_equal(lanes[0].busy, 1);
    assert_int_equal(lanes[0].tasks, 1);
    assert_int_equal(lanes[0].due, 0);
    assert_text_equal(lanes[1].name, "1/ec2");
    assert_int_equal(lanes[1].tasks, 2);
    assert_int_equal(lanes[1].due, 2);
    assert_text_equal(lanes[2].name, "");
    assert_false(lanes[0].is_failing);
    fail_times(LANE_FAILURES, "1/ec2");
    assert_int_equal(desk_lanes(desk, arena, &lanes), 3);
    assert_true(lanes[1].is_failing);
}

#define with_it(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* A commit failed: workers learn of it while the tasks are read anew. */
static void test_what_is_given_back_during_a_reload_is_there_once(void **state) {
    (void)state;
    add(1, TASK_RESPOND, PRIORITY_CONTAIN, "1");
    add(2, TASK_RESPOND, PRIORITY_CONTAIN, "1");
    add(3, TASK_RESPOND, PRIORITY_CONTAIN, "1");
    assert_int_equal(claim_all(), 3);
    desk_pause(desk, true);
    desk_reload_begin(desk);
    desk_give_back(desk, leases[0].id, leases[0].fence, 0);
    desk_give_back(desk, leases[1].id, leases[1].fence, 0); /* the store has it no more */
    for (int64_t id = 1; id <= 3; id += 2) {
        struct desk_task task = make_task(id, TASK_RESPOND, PRIORITY_CONTAIN, "1");
        desk_reload_add(desk, &task);
    }
    desk_reload_end(desk);
    desk_pause(desk, false);
    assert_int_equal(desk_respond_count(desk), 2);
    assert_claims(leases[0].id);
    assert_claims_nothing(); /* the third is still held */
    desk_give_back(desk, leases[2].id, leases[2].fence, 0);
    assert_claims(leases[2].id);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        with_it(test_what_is_given_back_during_a_reload_is_there_once),
        with_it(test_what_is_due_is_counted),
        with_it(test_containing_goes_before_restoring_before_notifying),
        with_it(test_a_webhook_that_hangs_holds_up_no_other),
        with_it(test_notifications_leave_half_the_workers_to_responses),
        with_it(test_what_is_offered_is_claimed_before_the_commit_and_held_after_it),
        with_it(test_what_is_offered_and_not_committed_was_never_there),
        with_it(test_what_is_given_back_or_ended_before_the_commit),
        with_it(test_a_lane_without_answers_rests_then_one_tries),
        with_it(test_rests_grow_to_a_bound_and_an_answer_forgets_them),
        with_it(test_who_was_under_way_makes_no_rest_longer),
        with_it(test_the_empty_lane_never_rests),
        with_it(test_lanes_are_listed_the_busiest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
