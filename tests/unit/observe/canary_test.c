#include "riposte/observe/canary.h"

#include "riposte/observe/metrics.h"

#include "testing.h"

#define NOW_MS   1772444000000
#define STALE_MS 1200000

static const struct canary_expected home = {TEXT_INIT("eu-west-1"), TEXT_INIT("sqs"),
                                            TEXT_INIT("arn:aws:sqs:eu-west-1:1:q"), STALE_MS};
static const struct canary_expected iam = {TEXT_INIT("us-east-1"), TEXT_INIT("iam"),
                                           TEXT_INIT("arn:aws:iam::1:role/r"), STALE_MS};

static struct fake_clock now;
static struct canaries *canaries;
static struct canary_change changes[CANARIES_KEPT];

static int set_up(void **state) {
    (void)state;
    fake_clock_init(&now, NOW_MS);
    canaries = canaries_new(&now.clock);
    canaries_expect(canaries, (struct canary_expected[]){home, iam}, 2);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    canaries_free(&canaries);
    assert_null(canaries);
    return 0;
}

static void hear(const struct canary_expected *which, int64_t ago_ms) {
    int64_t now_ms = clock_unix_ms(&now.clock);
    canaries_hear(canaries, which->region, which->resource, now_ms - ago_ms, now_ms);
}

static void test_one_that_never_comes_is_stale_in_time(void **state) {
    (void)state;
    hear(&iam, 0);
    fake_clock_advance(&now, STALE_MS);
    assert_int_equal(canaries_look(canaries, changes), 0);
    hear(&iam, 0);
    fake_clock_advance(&now, 1);
    assert_int_equal(canaries_look(canaries, changes), 1);
    assert_string_equal(changes[0].resource, "arn:aws:sqs:eu-west-1:1:q");
    assert_true(changes[0].is_stale);
    assert_false(changes[0].was_heard);
    assert_int_equal(changes[0].since_unix_ms, NOW_MS);
}

static void test_it_is_said_until_it_is_told_and_again_when_heard(void **state) {
    (void)state;
    fake_clock_advance(&now, STALE_MS + 1);
    hear(&iam, 0);
    assert_int_equal(canaries_look(canaries, changes), 1);
    assert_int_equal(canaries_look(canaries, changes), 1);
    canaries_tell(canaries, home.region, home.resource);
    assert_int_equal(canaries_look(canaries, changes), 0);
    hear(&home, 1000);
    assert_int_equal(canaries_look(canaries, changes), 1);
    assert_false(changes[0].is_stale);
    assert_int_equal(canaries_look(canaries, changes), 0);
}

static void test_neither_late_ones_nor_those_dated_ahead_make_it_fresh(void **state) {
    (void)state;
    fake_clock_advance(&now, STALE_MS + 1);
    hear(&iam, 0);
    hear(&home, 24 * 3600 * 1000);
    assert_int_equal(canaries_look(canaries, changes), 1);
    hear(&home, -24 * 3600 * 1000); /* counts as made now */
    assert_int_equal(canaries_look(canaries, changes), 0);
    hear(&iam, 0);
    fake_clock_advance(&now, STALE_MS + 1);
    assert_int_equal(canaries_look(canaries, changes), 2);
}

static void test_a_reload_keeps_what_is_known(void **state) {
    (void)state;
    fake_clock_advance(&now, STALE_MS + 1);
    assert_int_equal(canaries_look(canaries, changes), 2);
    canaries_tell(canaries, home.region, home.resource);
    canaries_expect(canaries, &home, 1);
    assert_int_equal(canaries_look(canaries, changes), 0);
    canaries_expect(canaries, (struct canary_expected[]){iam, home}, 2);
    assert_int_equal(canaries_look(canaries, changes), 0); /* iam is expected anew */
}

static void test_what_nobody_expects_is_ignored(void **state) {
    (void)state;
    canaries_hear(canaries, TEXT("eu-west-1"), iam.resource, NOW_MS, NOW_MS);
    canaries_hear(NULL, home.region, home.resource, NOW_MS, NOW_MS);
    canaries_tell(canaries, TEXT("eu-north-1"), home.resource);
    assert_int_equal(canaries_look(canaries, changes), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_that_never_comes_is_stale_in_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_it_is_said_until_it_is_told_and_again_when_heard,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_neither_late_ones_nor_those_dated_ahead_make_it_fresh,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_reload_keeps_what_is_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_nobody_expects_is_ignored, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
