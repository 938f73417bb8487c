#include "request.h"

#include "decide.h"
#include "group.h"
#include "keys.h"

#include "riposte/base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- the queue ---- */

static void queue_init(struct request_queue *queue) {
    *queue = (struct request_queue){.last = &queue->first};
}

static void queue_push(struct request_queue *queue, struct request *request) {
    request->next = NULL;
    *queue->last = request;
    queue->last = &request->next;
    queue->count++;
}

static struct request *queue_pop(struct request_queue *queue) {
    struct request *request = queue->first;
    if (request != NULL) {
        queue->first = request->next;
        queue->last = queue->first != NULL ? queue->last : &queue->first;
        queue->count--;
        request->next = NULL;
    }
    return request;
}

static size_t queued_count(const struct journal *journal) REQUIRES(&journal->lock) {
    size_t count = 0;
    for (size_t i = 0; i < REQUEST_CLASSES; i++) {
        count += journal->shared.queues[i].count;
    }
    return count;
}

/* ---- asking ---- */

static bool needs_commit(const struct request *request) {
    return request->class == REQUEST_CHANGE || request->class == REQUEST_APPEND;
}

void journal_submit(struct journal *journal, struct request *request) {
    mutex_lock(&journal->lock);
    bool is_taken = journal->shared.is_ready || !needs_commit(request);
    if (is_taken) {
        queue_push(&journal->shared.queues[request->class], request);
    } else {
        request->error = journal->shared.failure;
    }
    bool must_wake = is_taken && journal->shared.is_idle;
    journal->shared.is_idle = journal->shared.is_idle && !must_wake;
    mutex_unlock(&journal->lock);
    if (must_wake) {
        condition_signal(&journal->work); /* not under the lock, which it wants first of all */
    }
    if (!is_taken && request->complete_fn != NULL) {
        request->complete_fn(request->arg, &request->error);
    } else if (!is_taken) {
        latch_open(&request->completed);
    }
}

bool journal_ask_request(struct journal *journal, struct request *request, struct error *error) {
    latch_init(&request->completed);
    journal_submit(journal, request);
    if (request->meanwhile_fn != NULL) {
        request->meanwhile_fn(request->meanwhile_arg);
    }
    latch_wait(&request->completed);
    latch_done(&request->completed);
    if (!request->is_ok) {
        *error = request->error;
    }
    return request->is_ok;
}

bool journal_ask(struct journal *journal, enum request_class class,
                 bool (*run_fn)(struct ledger *ledger, void *arg, struct error *error), void *arg,
                 size_t bytes, struct error *error) {
    struct request request = {.class = class, .bytes = bytes, .run_fn = run_fn, .arg = arg};
    return journal_ask_request(journal, &request, error);
}

/* ---- the thread ---- */

static struct request *take(struct journal *journal, enum request_class class) {
    mutex_lock(&journal->lock);
    struct request *request = queue_pop(&journal->shared.queues[class]);
    mutex_unlock(&journal->lock);
    return request;
}

static struct request *take_group(struct journal *journal) {
    struct request *first = NULL;
    struct request **last = &first;
    size_t count = 0;
    size_t bytes = 0;
    mutex_lock(&journal->lock);
    for (int class = REQUEST_CHANGE; class <= REQUEST_APPEND; class ++) {
        struct request_queue *queue = &journal->shared.queues[class];
        while (queue->count > 0 && count < JOURNAL_GROUP_REQUESTS && bytes < JOURNAL_GROUP_BYTES) {
            *last = queue_pop(queue);
            (*last)->is_ok = false;
            (*last)->error = (struct error){0};
            bytes += (*last)->bytes;
            last = &(*last)->next;
            count++;
        }
    }
    mutex_unlock(&journal->lock);
    return first;
}

struct request *journal_take_more(struct journal *journal) {
    mutex_lock(&journal->lock);
    if (queued_count(journal) == 0 && !journal->shared.is_stopping) {
        journal->shared.is_idle = true;
        journal->shared.is_holding = true;
        condition_wait_ms(&journal->work, &journal->lock, JOURNAL_HOLD_MS);
        journal->shared.is_idle = false;
        journal->shared.is_holding = false;
    }
    mutex_unlock(&journal->lock);
    return take_group(journal);
}

/* Whoever has to wait for something else asks for nothing soon: the disk may begin. */
static void end_hold(struct journal *journal) {
    mutex_lock(&journal->lock);
    bool must_wake = journal->shared.is_holding;
    journal->shared.is_holding = false;
    mutex_unlock(&journal->lock);
    if (must_wake) {
        condition_signal(&journal->work);
    }
}

static void complete_one(struct journal *journal, struct request *request) {
    request->next = NULL;
    group_complete(journal, request);
}

static void serve_loads(struct journal *journal) {
    struct request *request = NULL;
    while ((request = take(journal, REQUEST_LOAD)) != NULL) {
        group_run_one(journal, request);
        complete_one(journal, request);
    }
}

static void serve_reads(struct journal *journal) {
    int64_t until_us = clock_mono_us(&clock_system) + JOURNAL_READ_SLICE_US;
    struct request *request = NULL;
    while (clock_mono_us(&clock_system) < until_us &&
           (request = take(journal, REQUEST_READ)) != NULL) {
        group_run_one(journal, request);
        complete_one(journal, request);
    }
}

/* What was queued before the journal stopped being ready: its askers needn't wait for a probe. */
static void fail_changes(struct journal *journal) {
    struct error failure = {0};
    mutex_lock(&journal->lock);
    failure = journal->shared.failure;
    mutex_unlock(&journal->lock);
    struct request *group = NULL;
    while ((group = take_group(journal)) != NULL) {
        group_fail(journal, group, &failure);
    }
}

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static bool cut_chain(struct journal *journal, int64_t retain_ms, struct error *error) {
    journal->retention.has_cut = false;
    return journal->audit_retain_ms == 0 ||
           decide_cut(&journal->ledger, later(journal->audit_retain_ms, retain_ms),
                      &journal->retention.has_cut, error);
}

static bool run_retention(struct ledger *ledger, void *arg, struct error *error) {
    struct journal *journal = arg;
    int64_t retain_ms = later(journal->retain_ms, JOURNAL_RETAIN_LEAST_MS);
    return ledger->store->key_purge(ledger->store, ledger->now_unix_ms - JOURNAL_KEEP_KEYS_MS,
                                    error) &&
           ledger->store->sighting_purge(ledger->store, ledger->now_unix_ms, error) &&
           (journal->retain_ms == 0 ||
            decide_retention(ledger, retain_ms, &journal->retention.cursor, error)) &&
           cut_chain(journal, retain_ms, error);
}

static void ignore_completion(void *arg, const struct error *error) {
    (void)arg;
    (void)error;
}

/* Under load a slice now and then; more often when nobody asks for anything. What slices write has
 * to be moved home: one after the other without a pause, they would keep the disk busy. */
static bool is_retention_due(const struct journal *journal, bool is_idle) {
    bool is_due = journal->retention.is_running ||
                  clock_mono_ms(journal->clock) >= journal->retention.next_mono_ms;
    int64_t pause_ms = is_idle ? JOURNAL_RETENTION_IDLE_MS : JOURNAL_RETENTION_PAUSE_MS;
    return is_due && clock_mono_ms(&clock_system) >= journal->retention.last_mono_ms + pause_ms;
}

/* One slice of it, as a group of its own. */
static void keep_house(struct journal *journal) {
    struct request request = {
        .class = REQUEST_CHANGE,
        .run_fn = run_retention,
        .arg = journal,
        .complete_fn = ignore_completion,
    };
    struct ulid before = journal->retention.cursor;
    group_commit(journal, &request);
    if (!request.is_ok) {
        journal->retention.cursor = before;
    }
    journal->retention.is_running = request.is_ok && (!ulid_is_none(&journal->retention.cursor) ||
                                                      journal->retention.has_cut);
    journal->retention.next_mono_ms = clock_mono_ms(journal->clock) + JOURNAL_RETENTION_MS;
    journal->retention.last_mono_ms = clock_mono_ms(&clock_system);
}

static bool is_ready(struct journal *journal) {
    mutex_lock(&journal->lock);
    bool ready = journal->shared.is_ready;
    mutex_unlock(&journal->lock);
    return ready;
}

/* Until something is asked; at most until the next thing of our own is to be done. */
static bool wait_for_work(struct journal *journal) {
    mutex_lock(&journal->lock);
    bool is_more = true;
    if (queued_count(journal) == 0) {
        is_more = !journal->shared.is_stopping;
        if (is_more) {
            journal->shared.is_idle = true;
            condition_wait_ms(&journal->work, &journal->lock,
                              !journal->shared.is_ready       ? JOURNAL_PROBE_MS
                              : journal->retention.is_running ? JOURNAL_RETENTION_IDLE_MS
                                                              : JOURNAL_RETENTION_MS);
            journal->shared.is_idle = false;
        }
    }
    mutex_unlock(&journal->lock);
    return is_more;
}

static bool has_changes(struct journal *journal) {
    mutex_lock(&journal->lock);
    bool has = journal->shared.queues[REQUEST_CHANGE].count > 0 ||
               journal->shared.queues[REQUEST_APPEND].count > 0;
    mutex_unlock(&journal->lock);
    return has;
}

static void serve_ready(struct journal *journal) {
    struct request *group = take_group(journal);
    if (group != NULL) {
        group_commit(journal, group);
    }
    bool is_idle = !has_changes(journal);
    journal->store->tidy(journal->store, is_idle);
    if (is_retention_due(journal, is_idle) && is_ready(journal)) {
        keep_house(journal);
    }
}

static void serve(void *arg) {
    struct journal *journal = arg;
    int64_t next_probe_ms = 0;
    do {
        serve_loads(journal);
        if (is_ready(journal)) {
            serve_ready(journal);
        } else {
            fail_changes(journal);
            if (clock_mono_ms(&clock_system) >= next_probe_ms) {
                next_probe_ms = clock_mono_ms(&clock_system) + JOURNAL_PROBE_MS;
                group_recover(journal, NULL);
            }
        }
        serve_reads(journal);
        group_mind_damage(journal);
    } while (wait_for_work(journal));
}

/* ---- life ---- */

static bool open_store(const struct journal_options *options, struct store **store_out,
                       struct error *error) {
    struct text url = text_of(options->url);
    if (text_equal(url, TEXT("memory:"))) {
        *store_out = store_open_memory();
        return true;
    }
    if (text_starts_with(url, TEXT("sqlite:")) && url.bytes > 7) {
        return store_open_sqlite(options->url + 7, options->clock, store_out, error);
    }
    if (text_starts_with(url, TEXT("postgresql:"))) {
        return error_set(error, ERROR_INVALID, "the journal %s: not supported yet: use sqlite:PATH",
                         options->url);
    }
    return error_set(error, ERROR_INVALID, "the journal %s: write sqlite:PATH", options->url);
}

static void load_key(void *arg, struct text access_key_id) {
    journal_keys_add(arg, access_key_id);
}

/* Copes with a journal that was opened half. */
static void journal_free(struct journal **journal_at) {
    struct journal *journal = *journal_at;
    *journal_at = NULL;
    if (journal == NULL) {
        return;
    }
    if (journal->store != NULL) {
        journal->store->close(journal->store);
    }
    ledger_done(&journal->ledger);
    desk_free(&journal->desk);
    journal_keys_free(&journal->keys);
    condition_done(&journal->work);
    mutex_done(&journal->lock);
    free(journal);
}

static struct journal *journal_new(const struct journal_options *options) {
    struct journal *journal = memory_new(sizeof(*journal));
    journal->clock = options->clock;
    journal->retain_ms = options->retain_ms;
    journal->audit_retain_ms = options->audit_retain_ms;
    journal->keys = journal_keys_new();
    journal->desk = desk_new(options->clock, options->workers);
    mutex_init(&journal->lock);
    condition_init(&journal->work);
    mutex_lock(&journal->lock);
    for (size_t i = 0; i < REQUEST_CLASSES; i++) {
        queue_init(&journal->shared.queues[i]);
    }
    journal->shared.is_ready = true;
    mutex_unlock(&journal->lock);
    return journal;
}

static bool load(struct journal *journal, struct error *error) {
    if (!ledger_load(&journal->ledger, error)) {
        return false;
    }
    mutex_lock(&journal->lock);
    ledger_count_head(&journal->ledger, &journal->shared.numbers);
    mutex_unlock(&journal->lock);
    return true;
}

bool journal_open(const struct journal_options *options, struct journal **journal_out,
                  struct error *error) {
    group_register();
    scoped(journal_free) struct journal *journal = journal_new(options);
    bool is_open = open_store(options, &journal->store, error);
    ledger_init(&journal->ledger, journal->store, journal->desk, options->clock);
    journal->ledger.queue_limit = options->queue_limit;
    if (!is_open || !load(journal, error) ||
        !journal->store->key_each(journal->store, load_key, journal->keys, error) ||
        !thread_start(&journal->thread, "journal", serve, journal, error)) {
        return error_wrap(error, "journal");
    }
    *journal_out = journal;
    journal = NULL;
    return true;
}

void journal_wake(struct journal *journal) {
    end_hold(journal);
    desk_wake(journal->desk);
}

void journal_report(struct journal *journal, const struct journal_task *task, bool has_answered) {
    desk_report(journal->desk, task, has_answered);
}

void journal_stop_claims(struct journal *journal) {
    desk_stop_claims(journal->desk);
}

void journal_close(struct journal **journal) {
    if (*journal == NULL) {
        return;
    }
    desk_stop_claims((*journal)->desk);
    mutex_lock(&(*journal)->lock);
    (*journal)->shared.is_stopping = true;
    condition_signal(&(*journal)->work);
    mutex_unlock(&(*journal)->lock);
    thread_join(&(*journal)->thread);
    journal_free(journal);
}

bool journal_is_ready(struct journal *journal) {
    return is_ready(journal);
}

void journal_numbers(struct journal *journal, struct journal_numbers *numbers_out) {
    mutex_lock(&journal->lock);
    *numbers_out = journal->shared.numbers;
    numbers_out->queued = queued_count(journal);
    mutex_unlock(&journal->lock);
    numbers_out->not_admitted = desk_respond_count(journal->desk);
    struct desk_numbers tasks = desk_numbers(journal->desk);
    numbers_out->open_tasks = tasks.open;
    numbers_out->due_tasks = tasks.due;
    numbers_out->oldest_due_ms = tasks.oldest_due_ms;
    numbers_out->failing_lanes = tasks.failing_lanes;
}

void journal_read_lanes(struct journal *journal, size_t limit, struct arena *arena,
                        struct journal_lane **lanes_out, size_t *count_out) {
    size_t count = desk_lanes(journal->desk, arena, lanes_out);
    *count_out = count < limit ? count : limit;
}
