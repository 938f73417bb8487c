/* What comes up first, and who may not hold up whom. */
#include "journal/desk.h"

#include "riposte/base/clock.h"

#include "testing.h"

#include <stdio.h>

#define WORKERS 8
#define MOST    40

static struct desk *desk;
static struct desk_lease leases[MOST];

static int set_up(void **state) {
    (void)state;
    desk = desk_new(&clock_system, WORKERS);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
