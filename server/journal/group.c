#include "group.h"

#include "riposte/observe/log.h"
#include "riposte/observe/metrics.h"

#include <sched.h>

static const struct log_context log_as = {.component = "journal"};

static const double request_buckets[] = {1, 2, 4, 8, 16, 32, 64};

enum { COMMIT_TIME, COMMIT_REQUESTS };

static struct metric metrics[] = {
    [COMMIT_TIME] = {.name = "riposte_journal_commit_seconds",
                     .unit = "seconds",
                     .type = METRIC_HISTOGRAM,
                     .help = "From the begin of a transaction to its end on disk."},
    [COMMIT_REQUESTS] = {.name = "riposte_journal_commit_requests",
                         .type = METRIC_HISTOGRAM,
                         .help = "How many requests a transaction was for.",
                         .buckets = request_buckets,
                         .bucket_count = ARRAY_COUNT(request_buckets)},
};

void group_register(void) {
    metrics_register(metrics, ARRAY_COUNT(metrics));
}

/* ---- completing ---- */

/* First whoever stands still, then workers for new tasks, then those who are called. */
void group_complete(struct journal *journal, struct request *first) {
    struct request *called = NULL;
    struct request **last = &called;
    bool wakes_later = false;
    for (struct request *request = first, *next; request != NULL; request = next) {
        next = request->next;
        request->next = NULL;
        wakes_later |= request->is_ok && request->wakes_later;
        if (request->complete_fn != NULL) {
            *last = request;
            last = &request->next;
        } else {
            latch_open(&request->completed); /* the asker may be gone now */
        }
    }
    if (wakes_later) {
        sched_yield(); /* who has a call to send goes first, also on this processor */
    } else {
        desk_wake(journal->desk);
    }
    for (struct request *request = called, *next; request != NULL; request = next) {
        next = request->next; /* complete_fn frees it */
        request->complete_fn(request->arg, request->is_ok ? NULL : &request->error);
    }
}

void group_fail(struct journal *journal, struct request *first, const struct error *error) {
    for (struct request *request = first; request != NULL; request = request->next) {
        request->is_ok = false;
        request->error = *error;
    }
    group_complete(journal, first);
}

/* ---- running ---- */

void group_run_one(struct journal *journal, struct request *request) {
    arena_reset(journal->ledger.arena);
    request->error = (struct error){0};
    request->is_ok = request->run_fn(&journal->ledger, request->arg, &request->error);
}

/* False when the transaction is lost. */
static bool run_in_group(struct journal *journal, struct request *request, bool is_alone,
                         struct error *error) {
    struct store *store = journal->store;
    if (is_alone) { /* the transaction itself is the savepoint */
        group_run_one(journal, request);
        *error = request->error;
        return request->is_ok;
    }
    struct ledger_mark mark = ledger_mark(&journal->ledger);
    if (!store->savepoint(store, error)) {
        return false;
    }
    group_run_one(journal, request);
    if (request->is_ok) {
        return store->savepoint_release(store, error);
    }
    *error = request->error;
    ledger_revert(&journal->ledger, &mark);
    return !store->is_lost && store->savepoint_rollback(store, error);
}

static bool run_all(struct journal *journal, struct request *first, bool is_alone, bool *is_any,
                    struct error *error) {
    for (struct request *request = first; request != NULL; request = request->next) {
        if (!run_in_group(journal, request, is_alone, error)) {
            return false;
        }
        *is_any = *is_any || request->is_ok;
    }
    return true;
}

/* A worker that had nothing to do has a new incident now. What it decides is mostly known before
 * the disk could have answered: both go to the disk at once, if nobody else waits for it. */
static bool run_more(struct journal *journal, struct request *group, struct error *error) {
    struct request *last = group;
    bool is_any = true;
    if (!desk_offer(journal->desk)) {
        return true;
    }
    while (last->next != NULL) {
        last = last->next;
    }
    last->next = journal_take_more(journal);
    return run_all(journal, last->next, false, &is_any, error);
}

/* All of the group's requests that worked are in it when it returns true; others may have joined
 * it. */
static bool run_group(struct journal *journal, struct request *group, struct error *error) {
    struct store *store = journal->store;
    bool is_any = false;
    if (!store->begin(store, error) ||
        !run_all(journal, group, group->next == NULL, &is_any, error)) {
        return false;
    }
    if (!is_any) {
        store->rollback(store);
        return true;
    }
    return run_more(journal, group, error) && store->commit(store, error);
}

static void group_set_ready(struct journal *journal, bool is_ready, const struct error *failure) {
    mutex_lock(&journal->lock);
    journal->shared.is_ready = is_ready;
    if (!is_ready) {
        journal->shared.failure = *failure;
        journal->shared.failure.code = ERROR_SYSTEM;
    }
    mutex_unlock(&journal->lock);
    desk_pause(journal->desk, !is_ready);
}

/* Opens the store again, takes over what it has (a commit that failed may have worked) and commits
 * something. */
static bool recover(struct journal *journal, struct error *error) {
    struct store *store = journal->store;
    if (!store->reopen(store, error) || !ledger_load(&journal->ledger, error)) {
        return false;
    }
    journal->ledger.now_unix_ms = clock_unix_ms(journal->clock);
    if (store->begin(store, error) && store->touch(store, journal->ledger.now_unix_ms, error) &&
        store->commit(store, error)) {
        return true;
    }
    store->rollback(store);
    return false;
}

void group_recover(struct journal *journal, const struct error *failure) {
    struct error error = {0};
    if (recover(journal, &error)) {
        group_set_ready(journal, true, NULL);
        log_info(&log_as, "commits again");
    } else {
        mutex_lock(&journal->lock);
        journal->shared.numbers.is_damaged = journal->store->is_damaged;
        mutex_unlock(&journal->lock);
        group_set_ready(journal, false, failure != NULL ? failure : &error);
    }
}

void group_mind_damage(struct journal *journal) {
    mutex_lock(&journal->lock);
    bool is_news = journal->shared.is_ready && journal->store->is_damaged;
    mutex_unlock(&journal->lock);
    if (is_news) {
        struct error failure = {0};
        error_set(&failure, ERROR_SYSTEM, "a read met damage");
        group_set_ready(journal, false, &failure);
        group_recover(journal, NULL);
    }
}

static void count_commit(struct journal *journal, const struct request *group, bool is_ok,
                         int64_t began_us) {
    size_t requests = 0;
    for (const struct request *request = group; request != NULL; request = request->next) {
        requests++;
    }
    metric_observe_us(&metrics[COMMIT_TIME], clock_mono_us(&clock_system) - began_us, NULL);
    metric_observe(&metrics[COMMIT_REQUESTS], (double)requests, NULL);
    mutex_lock(&journal->lock);
    journal->shared.numbers.commits += is_ok;
    journal->shared.numbers.failed_commits += !is_ok;
    journal->shared.numbers.requests += requests;
    if (is_ok) {
        ledger_count_head(&journal->ledger, &journal->shared.numbers);
    }
    mutex_unlock(&journal->lock);
}

static void fail_group(struct journal *journal, struct request *group,
                       const struct ledger_mark *mark, struct error *error) {
    journal->store->rollback(journal->store);
    ledger_revert(&journal->ledger, mark);
    error_wrap(error, "the journal can't commit");
    error->code = ERROR_SYSTEM;
    log_error(&log_as, "%s", error->text);
    group_set_ready(journal, false, error);
    group_fail(journal, group, error);
    group_recover(journal, error);
}

/* A single request that failed for a reason of its own, in a transaction of its own. */
static bool is_own_failure(const struct journal *journal, const struct request *group) {
    return group->next == NULL && !group->is_ok && group->error.code != ERROR_NONE &&
           group->error.code != ERROR_SYSTEM && !journal->store->is_lost;
}

void group_commit(struct journal *journal, struct request *group) {
    struct error error = {0};
    struct ledger_mark mark = ledger_mark(&journal->ledger);
    int64_t began_us = clock_mono_us(&clock_system);
    journal->ledger.now_unix_ms = clock_unix_ms(journal->clock);
    if (run_group(journal, group, &error)) {
        desk_commit(journal->desk);
        count_commit(journal, group, true, began_us);
        group_complete(journal, group);
    } else if (is_own_failure(journal, group)) {
        journal->store->rollback(journal->store);
        ledger_revert(&journal->ledger, &mark);
        group_complete(journal, group);
    } else {
        count_commit(journal, group, false, began_us);
        fail_group(journal, group, &mark, &error);
    }
}
