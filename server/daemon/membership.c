#include "riposte/daemon/membership.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/base/thread.h"
#include "riposte/observe/log.h"
#include "riposte/observe/metrics.h"

#include <inttypes.h>
#include <stdlib.h>

#define FIRST_PAUSE_MS 1000

enum { LISTINGS, ACCOUNTS, METRIC_COUNT };

static struct metric metrics[METRIC_COUNT] = {
    [LISTINGS] = {.name = "riposte_organization_listings_total",
                  .help = "Listings of the organization's accounts: done, failed (also a page).",
                  .type = METRIC_COUNTER,
                  .labels = {"outcome"}},
    [ACCOUNTS] = {.name = "riposte_organization_accounts",
                  .help = "Active accounts of the organization at its last listing.",
                  .type = METRIC_GAUGE},
};

static const struct log_context here = {.component = "accounts"};

struct membership {
    struct membership_options options;
    struct thread thread;

    /* Of the thread alone. */
    struct aws_listing *listing; /* under way; NULL: none */
    int64_t due_mono_ms;
    unsigned failures, lost; /* pages, listings, one after the other */

    struct mutex lock; /* of `shared` */
    struct condition has_news;
    struct {
        bool must_relist, is_ending;
    } shared;
};

/* ---- a step ---- */

static void begin_anew(struct membership *membership) {
    aws_listing_free(&membership->listing);
    membership->failures = membership->lost = 0;
    membership->due_mono_ms = clock_mono_ms(membership->options.clock);
}

static bool take_relist(struct membership *membership) {
    mutex_lock(&membership->lock);
    bool must_relist = membership->shared.must_relist;
    membership->shared.must_relist = false;
    mutex_unlock(&membership->lock);
    return must_relist;
}

/* Doubles, and is somewhere between half and all of it. */
static int64_t pause_ms(const struct membership *membership) {
    int64_t longest = FIRST_PAUSE_MS;
    unsigned failures = membership->failures > membership->lost ? membership->failures
                                                                : membership->lost;
    for (unsigned i = 1; i < failures && longest < MEMBERSHIP_PAUSE_MS; i++) {
        longest *= 2;
    }
    longest = longest < MEMBERSHIP_PAUSE_MS ? longest : MEMBERSHIP_PAUSE_MS;
    return longest - (int64_t)membership->options.random_fn((uint64_t)longest / 2 + 1);
}

static void fail(struct membership *membership, const struct settings *settings,
                 const struct error *error) {
    membership->failures++;
    membership->lost += error->code != ERROR_SYSTEM;
    int64_t wait_ms = pause_ms(membership);
    membership->due_mono_ms = clock_mono_ms(membership->options.clock) + wait_ms;
    if (error->code != ERROR_SYSTEM) {
        aws_listing_free(&membership->listing);
    }
    metric_add(&metrics[LISTINGS], 1, METRIC_LABELS(TEXT("failed")));
    if (settings->aws.is_listed) {
        log_warn(&here,
                 "the last list of accounts stays in force; asked again in %" PRId64 " s: %s",
                 (wait_ms + 999) / 1000, error->text);
    } else {
        log_error(&here,
                  "which accounts are ours is not known, incidents of other accounts wait; asked "
                  "again in %" PRId64 " s: %s",
                  (wait_ms + 999) / 1000, error->text);
    }
}

static void complete(struct membership *membership) {
    const struct membership_options *options = &membership->options;
    size_t count = 0;
    const struct text *accounts = aws_listing_accounts(membership->listing, &count);
    metric_add(&metrics[LISTINGS], 1, METRIC_LABELS(TEXT("done")));
    metric_set(&metrics[ACCOUNTS], (int64_t)count, NULL);
    options->adopt_fn(options->arg, (struct texts){accounts, count});
    begin_anew(membership);
    membership->due_mono_ms += MEMBERSHIP_EVERY_MS -
                               (int64_t)options->random_fn(MEMBERSHIP_JITTER_MS);
}

static void ask(struct membership *membership, const struct settings *settings) {
    const struct membership_options *options = &membership->options;
    const struct permit permit = {.class = PERMIT_READ, .mode = settings->mode};
    struct error error = {0};
    if (membership->listing == NULL) {
        membership->listing = aws_listing_new(options->call_fn, options->call_arg);
    }
    if (!aws_listing_next(membership->listing, &permit, &error)) {
        fail(membership, settings, &error);
        return;
    }
    membership->failures = 0;
    if (aws_listing_is_complete(membership->listing)) {
        complete(membership);
    }
}

int64_t membership_step(struct membership *membership) {
    const struct membership_options *options = &membership->options;
    scoped(snapshot_unref) struct snapshot *snapshot = options->snapshot_fn(options->arg);
    const struct settings *settings = snapshot->settings;
    if (take_relist(membership)) {
        begin_anew(membership);
    }
    /* Observe opens no connection. What changes that is a reload, and that lists anew. */
    if (!settings->aws.is_organization || settings->mode == MODE_OBSERVE) {
        begin_anew(membership);
        return MEMBERSHIP_EVERY_MS;
    }
    if (clock_mono_ms(options->clock) >= membership->due_mono_ms) {
        ask(membership, settings);
    }
    int64_t left_ms = membership->due_mono_ms - clock_mono_ms(options->clock);
    return left_ms > 0 ? left_ms : 0;
}

/* ---- the thread ---- */

/* False at the end. */
static bool wait_for_news(struct membership *membership, int64_t wait_ms) {
    mutex_lock(&membership->lock);
    if (wait_ms > 0 && !membership->shared.is_ending && !membership->shared.must_relist) {
        (void)condition_wait_ms(&membership->has_news, &membership->lock, wait_ms);
    }
    bool is_ending = membership->shared.is_ending;
    mutex_unlock(&membership->lock);
    return !is_ending;
}

static void run(void *arg) {
    struct membership *membership = arg;
    while (wait_for_news(membership, membership_step(membership))) {}
}

struct membership *membership_new(const struct membership_options *options) {
    struct membership *membership = memory_new(sizeof(*membership));
    membership->options = *options;
    membership->due_mono_ms = clock_mono_ms(options->clock);
    mutex_init(&membership->lock);
    condition_init(&membership->has_news);
    metrics_register(metrics, METRIC_COUNT);
    return membership;
}

bool membership_start(struct membership *membership, struct error *error) {
    return thread_start(&membership->thread, "accounts", run, membership, error);
}

void membership_free(struct membership **membership_at) {
    struct membership *membership = *membership_at;
    if (membership == NULL) {
        return;
    }
    mutex_lock(&membership->lock);
    membership->shared.is_ending = true;
    condition_signal(&membership->has_news);
    mutex_unlock(&membership->lock);
    thread_join(&membership->thread);
    aws_listing_free(&membership->listing);
    condition_done(&membership->has_news);
    mutex_done(&membership->lock);
    memory_free_at(membership_at);
}

void membership_relist(struct membership *membership) {
    mutex_lock(&membership->lock);
    membership->shared.must_relist = true;
    condition_signal(&membership->has_news);
    mutex_unlock(&membership->lock);
}
