#include "riposte/observe/metrics.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const double metric_latency_buckets[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                         0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
const size_t metric_latency_bucket_count = ARRAY_COUNT(metric_latency_buckets);

/* One combination of label values. A histogram's bucket `bucket_count` is the one without bound. */
struct metric_series {
    uint64_t hash;
    char *labels[METRIC_LABELS_MAX]; /* NUL-terminated after label_bytes */
    size_t label_bytes[METRIC_LABELS_MAX];
    _Atomic int64_t value;
    _Atomic uint64_t sum_bits; /* the sum of a histogram, a double's bytes */
    _Atomic uint64_t buckets[];
};

static struct mutex registry_lock = MUTEX_INIT;
static struct {
    struct metric *first;
    size_t count;
} registry GUARDED_BY(&registry_lock);

/* ---- what a declaration must look like ------------------------------------------------------ */

static bool is_name(const char *name) {
    for (const char *c = name; *c != '\0'; c++) {
        bool is_letter = (*c >= 'a' && *c <= 'z') || *c == '_';
        bool is_digit = *c >= '0' && *c <= '9';
        if (!is_letter && !(is_digit && c != name)) {
            return false;
        }
    }
    return name[0] != '\0';
}

static size_t label_count(const struct metric *metric) {
    size_t count = 0;
    while (count < METRIC_LABELS_MAX && metric->labels[count] != NULL) {
        count++;
    }
    return count;
}

static bool ends_in_unit(const struct metric *metric) {
    struct text name = text_of(metric->name);
    if (metric->type == METRIC_COUNTER) {
        if (!text_ends_with(name, TEXT("_total"))) {
            return false;
        }
        name.bytes -= sizeof("_total") - 1;
    }
    return metric->unit == NULL || text_ends_with(name, text_of(metric->unit));
}

static bool has_rising_buckets(const struct metric *metric) {
    for (size_t i = 1; i < metric->bucket_count; i++) {
        if (metric->buckets[i] <= metric->buckets[i - 1]) {
            return false;
        }
    }
    return metric->bucket_count <= METRIC_BUCKETS_MAX;
}

static void check_declaration(const struct metric *metric) {
    assert(metric->help != NULL && is_name(metric->name) && ends_in_unit(metric));
    for (size_t i = 0; i < label_count(metric); i++) {
        assert(is_name(metric->labels[i]) && strcmp(metric->labels[i], "le") != 0);
    }
    assert(has_rising_buckets(metric));
    assert(metric->read_fn == NULL ||
           (metric->type != METRIC_HISTOGRAM && label_count(metric) == 0));
    assert(metric->divisor >= 0 && (metric->divisor == 0 || metric->type != METRIC_HISTOGRAM));
}

/* ---- the registry --------------------------------------------------------------------------- */

static void register_locked(struct metric *metric) REQUIRES(&registry_lock) {
    if (atomic_load_explicit(&metric->shared.is_registered, memory_order_relaxed)) {
        return;
    }
    if (metric->type == METRIC_HISTOGRAM && metric->buckets == NULL) {
        metric->buckets = metric_latency_buckets;
        metric->bucket_count = metric_latency_bucket_count;
    }
    check_declaration(metric);
    struct metric **place = &registry.first; /* kept in the order of names */
    while (*place != NULL && strcmp((*place)->name, metric->name) < 0) {
        place = &(*place)->shared.next;
    }
    assert(*place == NULL || strcmp((*place)->name, metric->name) != 0);
    metric->shared.next = *place;
    *place = metric;
    registry.count++;
    atomic_store_explicit(&metric->shared.is_registered, true, memory_order_release);
}

void metrics_register(struct metric *metrics, size_t count) {
    mutex_lock(&registry_lock);
    for (size_t i = 0; i < count; i++) {
        register_locked(&metrics[i]);
    }
    mutex_unlock(&registry_lock);
}

/* ---- series --------------------------------------------------------------------------------- */

static struct text cut_label(struct text label) {
    return text_cut(label, METRIC_LABEL_BYTES);
}

static uint64_t hash_labels(const struct text *labels, size_t count) {
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++) {
        hash = hash * 31 + text_hash(cut_label(labels[i]));
    }
    return hash;
}

static bool has_labels(const struct metric_series *series, uint64_t hash, const struct text *labels,
                       size_t count) {
    if (series->hash != hash) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct text own = {series->labels[i], series->label_bytes[i]};
        if (!text_equal(own, cut_label(labels[i]))) {
            return false;
        }
    }
    return true;
}

static struct metric_series *series_new(const struct metric *metric, uint64_t hash,
                                        const struct text *labels, size_t count) {
    size_t bucket_bytes = (metric->bucket_count + 1) * sizeof(_Atomic uint64_t);
    struct metric_series *series = memory_new(sizeof(*series) + bucket_bytes);
    series->hash = hash;
    for (size_t i = 0; i < count; i++) {
        struct text label = cut_label(labels[i]);
        series->labels[i] = text_copy(label);
        series->label_bytes[i] = label.bytes;
    }
    return series;
}

static void series_free(struct metric_series **series) {
    for (size_t i = 0; i < METRIC_LABELS_MAX; i++) {
        free((*series)->labels[i]);
    }
    free(*series);
    *series = NULL;
}

/* Puts a new series into the empty slot. Whoever is first wins: false, and the series is gone,
 * when another thread was. */
static bool publish(struct metric_series *_Atomic *slot, struct metric_series *series) {
    struct metric_series *nobody = NULL;
    bool is_first = atomic_compare_exchange_strong_explicit(
        slot, &nobody, series, memory_order_acq_rel, memory_order_acquire);
    if (!is_first) {
        series_free(&series);
    }
    return is_first;
}

static const struct text other_labels[METRIC_LABELS_MAX] = {TEXT_INIT("other"), TEXT_INIT("other"),
                                                            TEXT_INIT("other"), TEXT_INIT("other")};

/* Somebody may count under "other" on purpose: that is the same series. */
static bool are_other(const struct text *labels, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!text_equal(labels[i], other_labels[i])) {
            return false;
        }
    }
    return count > 0;
}

static struct metric_series *other_series(struct metric *metric, size_t count) {
    struct metric_series *other = atomic_load_explicit(&metric->shared.other, memory_order_acquire);
    if (other == NULL) {
        other = series_new(metric, 0, other_labels, count);
        if (!publish(&metric->shared.other, other)) {
            other = atomic_load_explicit(&metric->shared.other, memory_order_acquire);
        }
    }
    return other;
}

/* A place for one more series; false when the metric has its most. */
static bool take_place(struct metric *metric) {
    if (atomic_load_explicit(&metric->shared.series_count, memory_order_relaxed) >=
        METRIC_SERIES_MAX) {
        return false;
    }
    return atomic_fetch_add_explicit(&metric->shared.series_count, 1, memory_order_relaxed) <
           METRIC_SERIES_MAX;
}

/* Walks the slots from where the hash points to: either the series stands there or, before any
 * empty slot, nowhere. NULL and *empty_out when it's nowhere. */
static struct metric_series *find_series(struct metric *metric, uint64_t hash,
                                         const struct text *labels, size_t count,
                                         struct metric_series *_Atomic **empty_out) {
    for (size_t i = 0; i < METRIC_SLOTS; i++) {
        struct metric_series *_Atomic *slot = &metric->shared.slots[(hash + i) % METRIC_SLOTS];
        struct metric_series *series = atomic_load_explicit(slot, memory_order_acquire);
        if (series == NULL) {
            *empty_out = slot;
            return NULL;
        }
        if (has_labels(series, hash, labels, count)) {
            return series;
        }
    }
    assert(false); /* there are never more series than half the slots */
    return NULL;
}

static void give_place_back(struct metric *metric) {
    atomic_fetch_sub_explicit(&metric->shared.series_count, 1, memory_order_relaxed);
}

/* Finds the series, or makes it, or falls back on "other". */
static struct metric_series *find_or_make(struct metric *metric, const struct text *labels,
                                          size_t count) {
    uint64_t hash = hash_labels(labels, count);
    bool has_place = false;
    for (;;) {
        struct metric_series *_Atomic *empty = NULL;
        struct metric_series *series = find_series(metric, hash, labels, count, &empty);
        if (series != NULL) {
            if (has_place) {
                give_place_back(metric); /* another thread made the same one meanwhile */
            }
            return series;
        }
        has_place = has_place || take_place(metric);
        if (!has_place) {
            return other_series(metric, count);
        }
        series = series_new(metric, hash, labels, count);
        if (publish(empty, series)) {
            return series;
        }
    }
}

static struct metric_series *series_of(struct metric *metric, enum metric_type type,
                                       const struct text *labels) {
    assert(metric->type == type);
    if (!atomic_load_explicit(&metric->shared.is_registered, memory_order_acquire)) {
        metrics_register(metric, 1);
    }
    size_t count = label_count(metric);
    assert((count == 0) == (labels == NULL));
    return are_other(labels, count) ? other_series(metric, count)
                                    : find_or_make(metric, labels, count);
}

/* ---- updates -------------------------------------------------------------------------------- */

static void add_value(struct metric_series *series, int64_t by) {
    atomic_fetch_add_explicit(&series->value, by, memory_order_relaxed);
}

void metric_add(struct metric *counter, uint64_t by, const struct text *labels) {
    add_value(series_of(counter, METRIC_COUNTER, labels), (int64_t)by);
}

void metric_set(struct metric *gauge, int64_t value, const struct text *labels) {
    struct metric_series *series = series_of(gauge, METRIC_GAUGE, labels);
    atomic_store_explicit(&series->value, value, memory_order_relaxed);
}

void metric_change(struct metric *gauge, int64_t by, const struct text *labels) {
    add_value(series_of(gauge, METRIC_GAUGE, labels), by);
}

static double to_double(uint64_t bits) {
    double value = 0;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static uint64_t to_bits(double value) {
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static void add_to_sum(struct metric_series *series, double value) {
    uint64_t before = atomic_load_explicit(&series->sum_bits, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&series->sum_bits, &before,
                                                  to_bits(to_double(before) + value),
                                                  memory_order_relaxed, memory_order_relaxed)) {}
}

void metric_observe(struct metric *histogram, double value, const struct text *labels) {
    struct metric_series *series = series_of(histogram, METRIC_HISTOGRAM, labels);
    size_t bucket = 0;
    while (bucket < histogram->bucket_count && value > histogram->buckets[bucket]) {
        bucket++;
    }
    atomic_fetch_add_explicit(&series->buckets[bucket], 1, memory_order_relaxed);
    add_value(series, 1);
    add_to_sum(series, value);
}

void metric_observe_us(struct metric *histogram, int64_t us, const struct text *labels) {
    metric_observe(histogram, (double)us / 1e6, labels);
}

int64_t metric_value(struct metric *metric, const struct text *labels) {
    if (metric->read_fn != NULL) {
        return metric->read_fn();
    }
    size_t count = label_count(metric);
    struct metric_series *_Atomic *empty = NULL;
    struct metric_series *series =
        are_other(labels, count)
            ? atomic_load_explicit(&metric->shared.other, memory_order_acquire)
            : find_series(metric, hash_labels(labels, count), labels, count, &empty);
    return series == NULL ? 0 : atomic_load_explicit(&series->value, memory_order_relaxed);
}

/* ---- rendering ------------------------------------------------------------------------------ */

/* In HELP a quote stands for itself, in a label it doesn't. What is no UTF-8 would make the whole
 * page unreadable. */
static void append_escaped(struct buffer *out, struct text text, bool is_label) {
    for (size_t at = 0; at < text.bytes;) {
        size_t bytes = text_utf8_bytes_at(text, at);
        char c = text.data[at];
        if (bytes == 0) {
            bytes = 1;
            buffer_append_string(out, "\xEF\xBF\xBD");
        } else if (c == '\n') {
            buffer_append_string(out, "\\n");
        } else if (c == '\\' || (c == '"' && is_label)) {
            buffer_append_char(out, '\\');
            buffer_append_char(out, c);
        } else {
            buffer_append_text(out, text_slice(text, at, at + bytes));
        }
        at += bytes;
    }
}

static void append_label(struct buffer *out, const char *name, struct text value, bool is_first) {
    buffer_append_string(out, is_first ? "{" : ",");
    buffer_append_string(out, name);
    buffer_append_string(out, "=\"");
    append_escaped(out, value, true);
    buffer_append_char(out, '"');
}

/* `name` + `suffix` and the labels; `le` may be NULL. */
static void append_sample_name(struct buffer *out, const struct metric *metric, const char *suffix,
                               const struct metric_series *series, const char *le) {
    buffer_append_string(out, metric->name);
    buffer_append_string(out, suffix);
    size_t count = label_count(metric);
    for (size_t i = 0; i < count; i++) {
        struct text value = {series->labels[i], series->label_bytes[i]};
        append_label(out, metric->labels[i], value, i == 0);
    }
    if (le != NULL) {
        append_label(out, "le", text_of(le), count == 0);
    }
    buffer_append_string(out, count > 0 || le != NULL ? "} " : " ");
}

static void append_number(struct buffer *out, int64_t value) {
    buffer_append_format(out, "%lld\n", (long long)value);
}

/* Counts are read once and summed up here, so that the page agrees with itself. */
static void append_histogram(struct buffer *out, const struct metric *metric,
                             const struct metric_series *series) {
    uint64_t total = 0;
    for (size_t i = 0; i <= metric->bucket_count; i++) {
        char bound[32] = "+Inf";
        if (i < metric->bucket_count) {
            snprintf(bound, sizeof(bound), "%.9g", metric->buckets[i]);
        }
        total += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
        append_sample_name(out, metric, "_bucket", series, bound);
        append_number(out, (int64_t)total);
    }
    append_sample_name(out, metric, "_sum", series, NULL);
    double sum = to_double(atomic_load_explicit(&series->sum_bits, memory_order_relaxed));
    buffer_append_format(out, "%.9g\n", sum);
    append_sample_name(out, metric, "_count", series, NULL);
    append_number(out, (int64_t)total);
}

static void append_series(struct buffer *out, const struct metric *metric,
                          const struct metric_series *series) {
    if (metric->type == METRIC_HISTOGRAM) {
        append_histogram(out, metric, series);
        return;
    }
    append_sample_name(out, metric, "", series, NULL);
    int64_t value = atomic_load_explicit(&series->value, memory_order_relaxed);
    if (metric->divisor > 1) {
        buffer_append_format(out, "%.15g\n", (double)value / (double)metric->divisor);
    } else {
        append_number(out, value);
    }
}

static void append_head(struct buffer *out, const struct metric *metric) {
    static const char *const types[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
    buffer_append_string(out, "# HELP ");
    buffer_append_string(out, metric->name);
    buffer_append_char(out, ' ');
    append_escaped(out, text_of(metric->help), false);
    buffer_append_format(out, "\n# TYPE %s %s\n", metric->name, types[metric->type]);
}

static int compare_series(const void *a, const void *b) {
    const struct metric_series *left = *(struct metric_series *const *)a;
    const struct metric_series *right = *(struct metric_series *const *)b;
    for (size_t i = 0; i < METRIC_LABELS_MAX; i++) {
        int order = text_compare((struct text){left->labels[i], left->label_bytes[i]},
                                 (struct text){right->labels[i], right->label_bytes[i]});
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

/* The series that there are, by their labels; returns how many. */
static size_t collect_series(struct metric *metric,
                             struct metric_series *found[METRIC_SERIES_MAX + 1]) {
    size_t count = 0;
    for (size_t i = 0; i < METRIC_SLOTS; i++) {
        struct metric_series *series = atomic_load_explicit(&metric->shared.slots[i],
                                                            memory_order_acquire);
        if (series != NULL) {
            found[count++] = series;
        }
    }
    qsort(found, count, sizeof(*found), compare_series);
    struct metric_series *other = atomic_load_explicit(&metric->shared.other, memory_order_acquire);
    if (other != NULL) {
        found[count++] = other;
    }
    return count;
}

static void render_metric(struct buffer *out, struct metric *metric) {
    append_head(out, metric);
    if (metric->read_fn != NULL) {
        struct metric_series *series = series_of(metric, metric->type, NULL);
        atomic_store_explicit(&series->value, metric->read_fn(), memory_order_relaxed);
    } else if (label_count(metric) == 0) {
        series_of(metric, metric->type, NULL); /* stands at 0 before its first use */
    }
    struct metric_series *found[METRIC_SERIES_MAX + 1];
    size_t count = collect_series(metric, found);
    for (size_t i = 0; i < count; i++) {
        append_series(out, metric, found[i]);
    }
}

/* What is registered, for the caller to free(): rendering calls foreign functions, which must not
 * happen under the lock. Metrics never go away. */
static struct metric **list_metrics(size_t *count_out) {
    mutex_lock(&registry_lock);
    struct metric **list = memory_new_array(registry.count, sizeof(struct metric *));
    size_t count = 0;
    for (struct metric *metric = registry.first; metric != NULL; metric = metric->shared.next) {
        list[count++] = metric;
    }
    mutex_unlock(&registry_lock);
    *count_out = count;
    return list;
}

void metrics_render(struct buffer *out) {
    size_t count = 0;
    scoped(memory_free_at) struct metric **list = list_metrics(&count);
    for (size_t i = 0; i < count; i++) {
        render_metric(out, list[i]);
    }
}
