/* Counters, gauges and histograms, for Prometheus to read.
 *
 * A module keeps a static table of what it counts; the order of the members of .labels is that of
 * the values given with each update:
 *
 *     static struct metric metrics[] = {
 *         [REQUESTS] = {.name = "riposte_http_requests_total", .type = METRIC_COUNTER,
 *                       .help = "Requests answered.", .labels = {"listener", "status"}},
 *     };
 *     metric_add(&metrics[REQUESTS], 1, METRIC_LABELS(TEXT("intake"), TEXT("202")));
 *
 * Ownership:  a metric is static and never goes away; its series are allocated at their first use
 *             and kept.
 * Threads:    any. Updates are atomic and take no lock (but for a metric's very first).
 * Bounds:     METRIC_SERIES_MAX combinations of label values a metric; further ones are counted
 *             together, with "other" for every label. A label value is cut at METRIC_LABEL_BYTES.
 * Source:     Prometheus text format 0.0.4; names end in the unit, counters in _total. */
#ifndef RIPOSTE_OBSERVE_METRICS_H
#define RIPOSTE_OBSERVE_METRICS_H

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/text.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METRIC_LABELS_MAX    4
#define METRIC_SERIES_MAX    256
#define METRIC_SLOTS         512 /* twice as many: a hash table that never fills up */
#define METRIC_LABEL_BYTES   128
#define METRIC_BUCKETS_MAX   24
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metric_type {
    METRIC_COUNTER,   /* only grows */
    METRIC_GAUGE,     /* goes up and down */
    METRIC_HISTOGRAM, /* how many observations were at most so large */
};

struct metric_series;

struct metric {
    const char *name, *help;
    const char *unit; /* "seconds", "bytes"; NULL: a plain number. The name must end in it */
    enum metric_type type;
    const char *labels[METRIC_LABELS_MAX]; /* NULL from the first unused one on */
    const double *buckets; /* of a histogram: upper bounds, rising; NULL: metric_latency_buckets */
    size_t bucket_count;
    /* Of a gauge or counter without labels: asked at each rendering; may be NULL. */
    int64_t (*read_fn)(void);
    /* A gauge or counter is rendered divided by it: 1000 where milliseconds are given and the unit
     * is seconds; 0: as it is. */
    int64_t divisor;

    struct {
        atomic_bool is_registered;
        struct metric *next;
        atomic_size_t series_count;
        struct metric_series *_Atomic slots[METRIC_SLOTS];
        struct metric_series *_Atomic other;
    } shared; /* private to metrics.c; zero at first */
};

/* Seconds, from 100 us to 10 s. */
extern const double metric_latency_buckets[];
extern const size_t metric_latency_bucket_count;

#define METRIC_LABELS(...) ((const struct text[]){__VA_ARGS__})

/* Makes `count` metrics known, so that they are rendered before they are first used. Again for the
 * same ones: nothing. Two metrics of one name, or a name against the rules: assert. */
void metrics_register(struct metric *metrics, size_t count);

/* `labels` has as many values as the metric has labels, or is NULL when it has none. */
void metric_add(struct metric *counter, uint64_t by, const struct text *labels);
void metric_set(struct metric *gauge, int64_t value, const struct text *labels);
void metric_change(struct metric *gauge, int64_t by, const struct text *labels);
void metric_observe(struct metric *histogram, double value, const struct text *labels);
/* Of a histogram in seconds. */
void metric_observe_us(struct metric *histogram, int64_t us, const struct text *labels);

/* What a counter or gauge stands at, or how many observations a histogram had; 0 for a combination
 * never seen. */
int64_t metric_value(struct metric *metric, const struct text *labels);

/* Appends all that is registered, by name. */
void metrics_render(struct buffer *out);

#endif
