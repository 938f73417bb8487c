#include "riposte/base/thread.h"

#include "riposte/base/clock.h"
#include "riposte/base/latch.h"
#include "riposte/base/mutex.h"

#include "testing.h"

#include <signal.h>

struct box {
    struct mutex lock;
    struct condition changed;
    struct {
        int value;
        char name[16];
        bool blocks_signals;
    } shared;
};

static void box_init(struct box *box) {
    *box = (struct box){0};
    mutex_init(&box->lock);
    condition_init(&box->changed);
}

static void box_done(struct box *box) {
    condition_done(&box->changed);
    mutex_done(&box->lock);
}

static void look_around(void *arg) {
    struct box *box = arg;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    mutex_lock(&box->lock);
    pthread_getname_np(pthread_self(), box->shared.name, sizeof(box->shared.name));
    box->shared.blocks_signals = sigismember(&blocked, SIGTERM) == 1 &&
                                 sigismember(&blocked, SIGHUP) == 1;
    box->shared.value = 1;
    condition_signal(&box->changed);
    mutex_unlock(&box->lock);
}

struct asked {
    struct latch done;
    int answer;
};

static void answer_it(void *arg) {
    struct asked *asked = arg;
    asked->answer = 42;
    latch_open(&asked->done);
}

static void test_a_latch_hands_over_what_was_written_before(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct asked asked = {0};
        struct thread thread;
        struct error error = {0};
        latch_init(&asked.done);
        assert_ok(thread_start(&thread, "answers", answer_it, &asked, &error), &error);
        if (i % 2 == 0 || !latch_try(&asked.done)) {
            latch_wait(&asked.done);
        }
        assert_int_equal(asked.answer, 42);
        latch_done(&asked.done);
        thread_join(&thread);
    }
}

static void test_a_thread_has_its_name_and_blocks_signals(void **state) {
    (void)state;
    scoped(box_done) struct box box;
    box_init(&box);
    struct thread thread;
    struct error error = {0};
    assert_ok(thread_start(&thread, "a-name-that-is-too-long", look_around, &box, &error), &error);
    mutex_lock(&box.lock);
    while (box.shared.value == 0) {
        condition_wait(&box.changed, &box.lock);
    }
    assert_string_equal(box.shared.name, "a-name-that-is-");
    assert_true(box.shared.blocks_signals);
    mutex_unlock(&box.lock);
    thread_join(&thread);
    thread_join(&thread); /* again: nothing */

    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    assert_int_equal(sigismember(&blocked, SIGTERM), 0);
}

static void count_up(void *arg) {
    struct box *box = arg;
    for (size_t i = 0; i < 10000; i++) {
        mutex_lock(&box->lock);
        box->shared.value++;
        mutex_unlock(&box->lock);
    }
}

static void test_a_mutex_excludes(void **state) {
    (void)state;
    scoped(box_done) struct box box;
    box_init(&box);
    struct thread threads[3];
    struct error error = {0};
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++) {
        assert_ok(thread_start(&threads[i], "count", count_up, &box, &error), &error);
    }
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++) {
        thread_join(&threads[i]);
    }
    assert_int_equal(box.shared.value, 30000);
}

static void test_a_wait_ends_when_its_time_has_passed(void **state) {
    (void)state;
    scoped(box_done) struct box box;
    box_init(&box);
    mutex_lock(&box.lock);
    assert_false(condition_wait_ms(&box.changed, &box.lock, 0));
    assert_false(condition_wait_ms(&box.changed, &box.lock, -5));
    int64_t began_ms = clock_mono_ms(&clock_system);
    while (condition_wait_ms(&box.changed, &box.lock, 5)) {}
    assert_true(clock_mono_ms(&clock_system) - began_ms >= 4);
    mutex_unlock(&box.lock);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_latch_hands_over_what_was_written_before),
        cmocka_unit_test(test_a_thread_has_its_name_and_blocks_signals),
        cmocka_unit_test(test_a_mutex_excludes),
        cmocka_unit_test(test_a_wait_ends_when_its_time_has_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
