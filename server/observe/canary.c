#include "riposte/observe/canary.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/observe/metrics.h"

#include <assert.h>
#include <stdio.h>

struct entry {
    char *region, *service, *resource;
    int64_t stale_after_ms;
    int64_t since_unix_ms; /* what its age counts from */
    bool was_heard, is_told;
};

struct canaries {
    const struct clock *clock;
    struct mutex lock;
    struct {
        struct entry entries[CANARIES_KEPT];
        size_t count;
    } shared; /* with `lock` */
};

enum { AGE, STALE, DELAY, METRIC_COUNT };

static const double delay_buckets[] = {1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600};

static struct metric metrics[METRIC_COUNT] = {
    [AGE] = {.name = "riposte_canary_age_seconds",
             .unit = "seconds",
             .type = METRIC_GAUGE,
             .help = "Since the latest write of the canary that came was made.",
             .labels = {"region", "service"},
             .divisor = 1000},
    [STALE] = {.name = "riposte_canary_stale",
               .type = METRIC_GAUGE,
               .help = "1 when that is longer ago than stale_after.",
               .labels = {"region", "service"}},
    [DELAY] = {.name = "riposte_canary_delay_seconds",
               .unit = "seconds",
               .type = METRIC_HISTOGRAM,
               .help = "From a canary's write to its arrival.",
               .labels = {"region", "service"},
               .buckets = delay_buckets,
               .bucket_count = ARRAY_COUNT(delay_buckets)},
};

#define LABELS_OF(entry) METRIC_LABELS(text_of((entry)->region), text_of((entry)->service))

struct canaries *canaries_new(const struct clock *clock) {
    struct canaries *canaries = memory_new(sizeof(*canaries));
    canaries->clock = clock;
    mutex_init(&canaries->lock);
    metrics_register(metrics, METRIC_COUNT);
    return canaries;
}

static void entry_done(struct entry *entry) {
    memory_free_at(&entry->region);
    memory_free_at(&entry->service);
    memory_free_at(&entry->resource);
}

void canaries_free(struct canaries **canaries) {
    if (*canaries == NULL) {
        return;
    }
    for (size_t i = 0; i < (*canaries)->shared.count; i++) {
        entry_done(&(*canaries)->shared.entries[i]);
    }
    mutex_done(&(*canaries)->lock);
    memory_free_at(canaries);
}

static struct entry *find(struct canaries *canaries, struct text region, struct text resource)
    REQUIRES(&canaries->lock);

static struct entry *find(struct canaries *canaries, struct text region, struct text resource) {
    for (size_t i = 0; i < canaries->shared.count; i++) {
        struct entry *entry = &canaries->shared.entries[i];
        if (text_equal_string(region, entry->region) &&
            text_equal_string(resource, entry->resource)) {
            return entry;
        }
    }
    return NULL;
}

static struct entry make_entry(const struct canary_expected *expected, const struct entry *before,
                               int64_t now_ms) {
    return (struct entry){.region = text_copy(expected->region),
                          .service = text_copy(expected->service),
                          .resource = text_copy(expected->resource),
                          .stale_after_ms = expected->stale_after_ms,
                          .since_unix_ms = before != NULL ? before->since_unix_ms : now_ms,
                          .was_heard = before != NULL && before->was_heard,
                          .is_told = before != NULL && before->is_told};
}

void canaries_expect(struct canaries *canaries, const struct canary_expected *expected,
                     size_t count) {
    struct entry next[CANARIES_KEPT];
    int64_t now_ms = clock_unix_ms(canaries->clock);
    assert(count <= CANARIES_KEPT);
    mutex_lock(&canaries->lock);
    for (size_t i = 0; i < count; i++) {
        next[i] = make_entry(&expected[i], find(canaries, expected[i].region, expected[i].resource),
                             now_ms);
    }
    for (size_t i = 0; i < canaries->shared.count; i++) {
        struct entry *entry = &canaries->shared.entries[i];
        metric_set(&metrics[STALE], 0, LABELS_OF(entry)); /* it may be gone */
        metric_set(&metrics[AGE], 0, LABELS_OF(entry));
        entry_done(entry);
    }
    for (size_t i = 0; i < count; i++) {
        canaries->shared.entries[i] = next[i];
    }
    canaries->shared.count = count;
    mutex_unlock(&canaries->lock);
}

void canaries_hear(struct canaries *canaries, struct text region, struct text resource,
                   int64_t sent_unix_ms, int64_t received_unix_ms) {
    if (canaries == NULL) {
        return;
    }
    int64_t sent_ms = sent_unix_ms < received_unix_ms ? sent_unix_ms : received_unix_ms;
    mutex_lock(&canaries->lock);
    struct entry *entry = find(canaries, region, resource);
    if (entry != NULL) {
        entry->since_unix_ms = sent_ms > entry->since_unix_ms ? sent_ms : entry->since_unix_ms;
        entry->was_heard = true;
        metric_observe(&metrics[DELAY], (double)(received_unix_ms - sent_ms) / 1000,
                       LABELS_OF(entry));
    }
    mutex_unlock(&canaries->lock);
}

static bool look_at(struct entry *entry, int64_t now_ms) {
    int64_t age_ms = now_ms - entry->since_unix_ms;
    bool is_stale = age_ms > entry->stale_after_ms;
    metric_set(&metrics[AGE], age_ms > 0 ? age_ms : 0, LABELS_OF(entry));
    metric_set(&metrics[STALE], is_stale ? 1 : 0, LABELS_OF(entry));
    return is_stale;
}

static struct canary_change change_of(const struct entry *entry, bool is_stale) {
    struct canary_change change = {
        .is_stale = is_stale, .since_unix_ms = entry->since_unix_ms, .was_heard = entry->was_heard};
    (void)snprintf(change.region, sizeof(change.region), "%s", entry->region);
    (void)snprintf(change.resource, sizeof(change.resource), "%s", entry->resource);
    return change;
}

size_t canaries_look(struct canaries *canaries, struct canary_change changes_out[CANARIES_KEPT]) {
    int64_t now_ms = clock_unix_ms(canaries->clock);
    size_t count = 0;
    mutex_lock(&canaries->lock);
    for (size_t i = 0; i < canaries->shared.count; i++) {
        struct entry *entry = &canaries->shared.entries[i];
        bool is_stale = look_at(entry, now_ms);
        if (is_stale != entry->is_told) {
            changes_out[count++] = change_of(entry, is_stale);
        }
        entry->is_told = entry->is_told && is_stale;
    }
    mutex_unlock(&canaries->lock);
    return count;
}

void canaries_tell(struct canaries *canaries, struct text region, struct text resource) {
    mutex_lock(&canaries->lock);
    struct entry *entry = find(canaries, region, resource);
    if (entry != NULL) {
        entry->is_told = true;
    }
    mutex_unlock(&canaries->lock);
}
