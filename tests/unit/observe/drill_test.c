#include "riposte/observe/drill.h"

#include "testing.h"

#include <string.h>

#define NOW_MS  1772444000000
#define WAIT_MS 30000

static struct fake_clock now;
static struct drill *drill;

static int set_up(void **state) {
    (void)state;
    fake_clock_init(&now, NOW_MS);
    drill = drill_new(&now.clock);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    drill_free(&drill);
    assert_null(drill);
    return 0;
}

struct armed {
    struct ulid id;
    char nonce[2 * DRILL_NONCE_BYTES + 1];
};

static struct armed arm(bool is_canary) {
    struct armed armed;
    drill_arm(drill, is_canary, TEXT("oncall"), WAIT_MS, &armed.id, armed.nonce);
    return armed;
}

static struct drill_report read(void) {
    struct drill_report report;
    drill_read(drill, &report);
    return report;
}

static void pass_until(struct text key, enum drill_leg end) {
    for (int leg = DRILL_SENT; leg < (int)end; leg++) {
        drill_pass(drill, key, (enum drill_leg)leg, "");
    }
}

static void test_there_is_none_at_first(void **state) {
    (void)state;
    struct drill_report report = read();
    assert_true(ulid_is_none(&report.id));
    assert_false(drill_take(drill, TEXT(""), TEXT("key")));
    assert_false(drill_take_canary(drill, TEXT("key")));
}

static void test_only_the_nonce_makes_a_drill_and_once(void **state) {
    (void)state;
    struct armed first = arm(false);
    struct armed armed = arm(false);
    char wrong[sizeof(armed.nonce)];
    assert_string_not_equal(first.nonce, armed.nonce);
    assert_int_equal(strlen(armed.nonce), 64);
    memcpy(wrong, armed.nonce, sizeof(wrong));
    wrong[63] = wrong[63] == '0' ? '1' : '0';
    const struct text bad[] = {TEXT(""), text_of(wrong), text_of(first.nonce),
                               text_slice(text_of(armed.nonce), 0, 63)};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        assert_false(drill_take(drill, bad[i], TEXT("key")));
    }
    assert_false(drill_take_canary(drill, TEXT("key")));
    assert_false(drill_take(drill, text_of(armed.nonce), TEXT("")));
    assert_true(drill_take(drill, text_of(armed.nonce), TEXT("key")));
    assert_false(drill_take(drill, text_of(armed.nonce), TEXT("key")));
    assert_false(drill_take(drill, text_of(armed.nonce), TEXT("another")));
}

static void test_a_nonce_ends_with_its_time(void **state) {
    (void)state;
    struct armed armed = arm(false);
    fake_clock_advance(&now, WAIT_MS + 1);
    assert_false(drill_take(drill, text_of(armed.nonce), TEXT("key")));
}

static void test_legs_are_kept_with_their_times(void **state) {
    (void)state;
    struct armed armed = arm(false);
    assert_true(drill_take(drill, text_of(armed.nonce), TEXT("key")));
    drill_pass_at(drill, TEXT("key"), DRILL_SENT, NOW_MS * 1000 - 5);
    drill_skip(drill, TEXT("key"), DRILL_LOGGED, "posted");
    drill_pass(drill, TEXT("key"), DRILL_RECEIVED, "");
    fake_clock_advance(&now, 7);
    drill_pass(drill, TEXT("key"), DRILL_MATCHED, "among 3 rules");
    drill_pass(drill, TEXT("key"), DRILL_MATCHED, "again");
    struct drill_report report = read();
    assert_string_equal(report.id.text, armed.id.text);
    assert_string_equal(report.actor, "oncall");
    assert_int_equal(report.state, DRILL_WAITS);
    assert_int_equal(report.legs[DRILL_SENT].at_unix_us, NOW_MS * 1000 - 5);
    assert_int_equal(report.legs[DRILL_LOGGED].state, DRILL_SKIPPED);
    assert_int_equal(report.legs[DRILL_LOGGED].at_unix_us, 0);
    assert_int_equal(report.legs[DRILL_MATCHED].at_unix_us, (NOW_MS + 7) * 1000);
    assert_string_equal(report.legs[DRILL_MATCHED].note, "among 3 rules");
    assert_int_equal(report.legs[DRILL_COMMITTED].state, DRILL_WAITS);
}

static void test_it_is_done_when_every_leg_is(void **state) {
    (void)state;
    struct armed armed = arm(false);
    assert_true(drill_take(drill, text_of(armed.nonce), TEXT("key")));
    pass_until(TEXT("key"), DRILL_CALLED);
    assert_int_equal(read().state, DRILL_WAITS);
    drill_skip(drill, TEXT("key"), DRILL_CALLED, "not called: mode observe");
    assert_int_equal(read().state, DRILL_DONE);
    fake_clock_advance(&now, WAIT_MS + 1);
    assert_int_equal(read().state, DRILL_DONE);
}

static void test_it_breaks_at_the_first_leg_that_does_not_come(void **state) {
    (void)state;
    for (int leg = DRILL_SENT; leg < DRILL_LEGS; leg++) {
        struct armed armed = arm(false);
        assert_true(drill_take(drill, text_of(armed.nonce), TEXT("key")));
        pass_until(TEXT("key"), (enum drill_leg)leg);
        assert_int_equal(read().state, DRILL_WAITS);
        fake_clock_advance(&now, WAIT_MS + 1);
        assert_int_equal(read().state, DRILL_BROKEN);
        assert_int_equal(read().broke_at, leg);
    }
}

static void test_a_broken_leg_is_said_at_once(void **state) {
    (void)state;
    struct armed armed = arm(false);
    assert_true(drill_take(drill, text_of(armed.nonce), TEXT("key")));
    pass_until(TEXT("key"), DRILL_COMMITTED);
    drill_break(drill, TEXT("key"), DRILL_COMMITTED, "the disk is full");
    drill_pass(drill, TEXT("key"), DRILL_COMMITTED, "");
    assert_int_equal(read().state, DRILL_BROKEN);
    assert_int_equal(read().broke_at, DRILL_COMMITTED);
    assert_string_equal(read().legs[DRILL_COMMITTED].note, "the disk is full");
    drill_break(drill, TEXT("key"), DRILL_PLANNED, "and so is this");
    assert_int_equal(read().broke_at, DRILL_COMMITTED);
}

static void test_what_comes_late_for_an_earlier_drill_is_ignored(void **state) {
    (void)state;
    struct armed armed = arm(false);
    assert_true(drill_take(drill, text_of(armed.nonce), TEXT("first")));
    armed = arm(false);
    drill_pass(drill, TEXT("first"), DRILL_PLANNED, "");
    assert_true(drill_take(drill, text_of(armed.nonce), TEXT("second")));
    drill_break(drill, TEXT("first"), DRILL_CALLED, "no answer");
    assert_int_equal(read().state, DRILL_WAITS);
    assert_int_equal(read().legs[DRILL_PLANNED].state, DRILL_WAITS);
}

static void test_one_that_waits_for_a_canary_takes_the_next_only(void **state) {
    (void)state;
    struct armed armed = arm(true);
    assert_false(drill_take(drill, text_of(armed.nonce), TEXT("key")));
    assert_true(drill_take_canary(drill, TEXT("write-1")));
    assert_false(drill_take_canary(drill, TEXT("write-2")));
    assert_true(read().is_canary);
}

static void test_a_server_without_drills_has_none(void **state) {
    (void)state;
    struct drill_report report;
    assert_false(drill_take(NULL, TEXT("nonce"), TEXT("key")));
    assert_false(drill_take_canary(NULL, TEXT("key")));
    drill_pass(NULL, TEXT("key"), DRILL_SENT, "");
    drill_break(NULL, TEXT("key"), DRILL_SENT, "");
    drill_read(NULL, &report);
    assert_true(ulid_is_none(&report.id));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_there_is_none_at_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_the_nonce_makes_a_drill_and_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_nonce_ends_with_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_legs_are_kept_with_their_times, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_it_is_done_when_every_leg_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_it_breaks_at_the_first_leg_that_does_not_come, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_broken_leg_is_said_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_comes_late_for_an_earlier_drill_is_ignored,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_that_waits_for_a_canary_takes_the_next_only,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_server_without_drills_has_none, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
