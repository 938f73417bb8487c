#include "riposte/observe/metrics.h"

#include "riposte/base/thread.h"

#include "testing.h"

#include <stdio.h>

static int64_t read_answer(void) {
    return 42;
}

static const double buckets[] = {0.1, 1, 2.5};

static int64_t read_cpu_us(void) {
    return 2500000;
}

enum { REQUESTS, PENDING, ANSWER, TOOK, UNUSED, CPU, ENDS };

static struct metric metrics[] = {
    [REQUESTS] = {.name = "test_requests_total",
                  .type = METRIC_COUNTER,
                  .help = "Requests, \"answered\" or\nnot: C:\\x.",
                  .labels = {"listener", "status"}},
    [PENDING] = {.name = "test_pending", .type = METRIC_GAUGE, .help = "Pending."},
    [ANSWER] = {.name = "test_answer_bytes",
                .unit = "bytes",
                .type = METRIC_GAUGE,
                .help = "Read when asked.",
                .read_fn = read_answer},
    [TOOK] = {.name = "test_took_seconds",
              .unit = "seconds",
              .type = METRIC_HISTOGRAM,
              .help = "Took.",
              .labels = {"step"},
              .buckets = buckets,
              .bucket_count = ARRAY_COUNT(buckets)},
    [UNUSED] = {.name = "test_unused_total", .type = METRIC_COUNTER, .help = "Unused."},
    [CPU] = {.name = "test_cpu_seconds_total",
             .unit = "seconds",
             .type = METRIC_COUNTER,
             .help = "A counter read when asked, in millionths.",
             .read_fn = read_cpu_us,
             .divisor = 1000000},
    [ENDS] = {.name = "test_ends_timestamp_seconds",
              .unit = "seconds",
              .type = METRIC_GAUGE,
              .help = "Set in milliseconds.",
              .divisor = 1000},
};

static void test_the_page(void **state) {
    (void)state;
    metrics_register(metrics, ARRAY_COUNT(metrics));
    metrics_register(metrics, ARRAY_COUNT(metrics)); /* again: nothing */
    metric_add(&metrics[REQUESTS], 2, METRIC_LABELS(TEXT("intake"), TEXT("202")));
    metric_add(&metrics[REQUESTS], 1, METRIC_LABELS(TEXT("intake"), TEXT("202")));
    metric_add(&metrics[REQUESTS], 1, METRIC_LABELS(TEXT("intake"), TEXT("200")));
    metric_add(&metrics[REQUESTS], 1, METRIC_LABELS(TEXT("in\"} 1\nfake 2\\"), TEXT("\xFF")));
    metric_set(&metrics[PENDING], 7, NULL);
    metric_change(&metrics[PENDING], -9, NULL);
    metric_set(&metrics[ENDS], 1798761599123, NULL);
    metric_observe(&metrics[TOOK], 0.1, METRIC_LABELS(TEXT("a")));
    metric_observe(&metrics[TOOK], 0.5, METRIC_LABELS(TEXT("a")));
    metric_observe_us(&metrics[TOOK], 9000000, METRIC_LABELS(TEXT("a")));

    scoped(buffer_done) struct buffer page = BUFFER_INIT;
    scoped(buffer_done) struct buffer expected = BUFFER_INIT;
    metrics_render(&page);
    load_fixture("tests/unit/observe/page.txt", &expected);
    assert_text_equal(buffer_text(&page), buffer_string(&expected));
}

static void test_values_can_be_read(void **state) {
    (void)state;
    static struct metric own = {
        .name = "test_read_total", .type = METRIC_COUNTER, .help = "Read.", .labels = {"kind"}};
    assert_int_equal(metric_value(&own, METRIC_LABELS(TEXT("a"))), 0);
    metric_add(&own, 3, METRIC_LABELS(TEXT("a")));
    assert_int_equal(metric_value(&own, METRIC_LABELS(TEXT("a"))), 3);
    assert_int_equal(metric_value(&own, METRIC_LABELS(TEXT("b"))), 0);
    assert_int_equal(metric_value(&metrics[ANSWER], NULL), 42);
}

static void test_label_values_are_bounded(void **state) {
    (void)state;
    static struct metric own = {.name = "test_many_total",
                                .type = METRIC_COUNTER,
                                .help = "Many.",
                                .labels = {"name", "kind"}};
    for (size_t i = 0; i < METRIC_SERIES_MAX + 10; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%zu", i);
        metric_add(&own, 1, METRIC_LABELS(text_of(name), TEXT("x")));
    }
    metric_add(&own, 1, METRIC_LABELS(TEXT("n3"), TEXT("x"))); /* known: goes on counting */
    metric_add(&own, 1, METRIC_LABELS(TEXT("other"), TEXT("other")));
    assert_int_equal(metric_value(&own, METRIC_LABELS(TEXT("n3"), TEXT("x"))), 2);
    assert_int_equal(metric_value(&own, METRIC_LABELS(TEXT("other"), TEXT("other"))), 11);

    scoped(buffer_done) struct buffer page = BUFFER_INIT;
    metrics_render(&page);
    assert_true(text_contains(buffer_text(&page),
                              TEXT("test_many_total{name=\"other\",kind=\"other\"} 11\n")));
    assert_false(text_contains(buffer_text(&page), TEXT("name=\"n256\"")));
}

static void test_long_label_values_are_cut_and_counted_together(void **state) {
    (void)state;
    static struct metric own = {
        .name = "test_long_total", .type = METRIC_COUNTER, .help = "Long.", .labels = {"name"}};
    char name[METRIC_LABEL_BYTES + 20];
    memset(name, 'a', sizeof(name));
    metric_add(&own, 1, METRIC_LABELS((struct text){name, sizeof(name)}));
    metric_add(&own, 1, METRIC_LABELS((struct text){name, METRIC_LABEL_BYTES}));
    assert_int_equal(metric_value(&own, METRIC_LABELS((struct text){name, sizeof(name) - 5})), 2);
}

#define RACED_NAMES (METRIC_SERIES_MAX + 40)

static struct metric raced = {
    .name = "test_raced_total", .type = METRIC_COUNTER, .help = "Raced.", .labels = {"name"}};
static struct metric raced_seconds = {
    .name = "test_raced_seconds", .unit = "seconds", .type = METRIC_HISTOGRAM, .help = "Raced."};

static void race(void *arg) {
    (void)arg;
    for (size_t i = 0; i < 2000; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%zu", i % RACED_NAMES);
        metric_add(&raced, 1, METRIC_LABELS(text_of(name)));
        metric_observe(&raced_seconds, 0.25, NULL);
    }
}

static void test_no_update_is_lost_between_threads(void **state) {
    (void)state;
    struct thread threads[4];
    struct error error = {0};
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++) {
        assert_ok(thread_start(&threads[i], "race", race, NULL, &error), &error);
    }
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++) {
        thread_join(&threads[i]);
    }
    int64_t total = metric_value(&raced, METRIC_LABELS(TEXT("other")));
    for (size_t i = 0; i < RACED_NAMES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%zu", i);
        total += metric_value(&raced, METRIC_LABELS(text_of(name)));
    }
    assert_int_equal(total, 8000);
    scoped(buffer_done) struct buffer page = BUFFER_INIT;
    metrics_render(&page);
    assert_true(text_contains(buffer_text(&page), TEXT("test_raced_seconds_sum 2000\n")));
    assert_true(text_contains(buffer_text(&page), TEXT("test_raced_seconds_count 8000\n")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_page), /* first: the page shows all that is registered */
        cmocka_unit_test(test_values_can_be_read),
        cmocka_unit_test(test_label_values_are_bounded),
        cmocka_unit_test(test_long_label_values_are_cut_and_counted_together),
        cmocka_unit_test(test_no_update_is_lost_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
