#include "riposte/aws/keyring.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/base/thread.h"
#include "riposte/observe/log.h"
#include "riposte/observe/metrics.h"

#include <stdlib.h>

enum { EXPIRY, FETCHES };

static struct metric metrics[] = {
    [EXPIRY] = {.name = "riposte_credentials_expiry_timestamp_seconds",
                .unit = "seconds",
                .type = METRIC_GAUGE,
                .help = "When our own AWS credentials end, since 1970; 0: none yet, or never.",
                .divisor = 1000},
    [FETCHES] = {.name = "riposte_credentials_fetches_total",
                 .type = METRIC_COUNTER,
                 .help = "Fetches of AWS credentials: our own, or of roles in other accounts.",
                 .labels = {"of", "outcome"}},
};

struct waiting {
    struct waiting *next;
    struct permit permit;
    struct aws_credentials *stale;
    aws_keyring_ready_fn *ready_fn;
    void *arg;
};

struct aws_keyring {
    struct aws_keyring_options options;
    struct thread thread;

    struct mutex lock; /* of `shared` */
    struct condition has_work;
    struct {
        struct aws_credentials *current;
        struct waiting *waiting; /* the latest first */
        bool is_refresh_due;
        struct permit refresh_permit;
        int64_t next_refresh_mono_ms;
        bool is_ending;
    } shared;
};

/* The credentials that a call needs may leave as far as the call may. */
static struct permit permit_for_credentials(const struct permit *permit) {
    struct permit derived = *permit;
    bool goes_anyway = permit->class == PERMIT_OWN || permit->class == PERMIT_NOTIFY;
    derived.class = goes_anyway ? permit->class : PERMIT_CREDENTIAL;
    return derived;
}

static int64_t left_ms(const struct aws_keyring *keyring,
                       const struct aws_credentials *credentials) {
    return credentials->expires_unix_ms == 0
               ? INT64_MAX
               : credentials->expires_unix_ms - clock_unix_ms(keyring->options.clock);
}

/* May `credentials` be used without asking for others first? */
static bool is_fresh(const struct aws_keyring *keyring, const struct aws_credentials *credentials,
                     const struct aws_credentials *stale) {
    return credentials != NULL && credentials != stale &&
           left_ms(keyring, credentials) > KEYRING_MANDATORY_MS;
}

static struct aws_credentials *ref_current(struct aws_keyring *keyring) {
    mutex_lock(&keyring->lock);
    struct aws_credentials *current = aws_credentials_ref(keyring->shared.current);
    mutex_unlock(&keyring->lock);
    return current;
}

static void replace_current(struct aws_keyring *keyring, struct aws_credentials *fetched) {
    mutex_lock(&keyring->lock);
    struct aws_credentials *before = keyring->shared.current;
    keyring->shared.current = aws_credentials_ref(fetched);
    mutex_unlock(&keyring->lock);
    aws_credentials_unref(&before);
}

static bool is_same_key(const struct aws_credentials *a, const struct aws_credentials *b) {
    return a != NULL && b != NULL && text_equal(a->access_key_id, b->access_key_id);
}

static bool fetch(const struct aws_keyring *keyring, const struct permit *permit,
                  struct aws_credentials **fetched_out, struct error *error) {
    const struct aws_keyring_options *options = &keyring->options;
    return options->fetch_fn != NULL
               ? options->fetch_fn(options->fetch_arg, permit, fetched_out, error)
               : aws_credentials_fetch(&options->provider, permit, fetched_out, error);
}

/* Fetches, tells key_fn, replaces. */
static bool fetch_anew(struct aws_keyring *keyring, const struct permit *permit,
                       struct error *error) {
    struct permit derived = permit_for_credentials(permit);
    scoped(aws_credentials_unref) struct aws_credentials *fetched = NULL;
    scoped(aws_credentials_unref) struct aws_credentials *before = ref_current(keyring);
    if (!fetch(keyring, &derived, &fetched, error)) {
        return false;
    }
    if (left_ms(keyring, fetched) <= 0) {
        return error_set(error, ERROR_DENIED, "the credentials that were fetched have expired");
    }
    if (keyring->options.key_fn != NULL && !is_same_key(before, fetched) &&
        !keyring->options.key_fn(keyring->options.arg, fetched->access_key_id, error)) {
        return error_wrap(error, "a new access key is not used");
    }
    replace_current(keyring, fetched);
    if (keyring->options.is_own) {
        metric_set(&metrics[EXPIRY], fetched->expires_unix_ms, NULL);
    }
    return true;
}

static bool refresh(struct aws_keyring *keyring, const struct permit *permit, struct error *error) {
    bool is_done = fetch_anew(keyring, permit, error);
    metric_add(&metrics[FETCHES], 1,
               METRIC_LABELS(keyring->options.is_own ? TEXT("own") : TEXT("role"),
                             is_done ? TEXT("done") : TEXT("failed")));
    return is_done;
}

/* While the present ones still do: then the failure is no caller's. */
static void log_failed_refresh(const struct error *error) {
    log_warn(&(struct log_context){.component = "aws"},
             "the credentials end soon and could not be refreshed: %s", error->text);
}

/* The old ones are better than none, unless AWS has refused them or their time is over. */
static bool is_usable(const struct aws_keyring *keyring, const struct aws_credentials *credentials,
                      const struct aws_credentials *stale) {
    return credentials != NULL && credentials != stale && left_ms(keyring, credentials) > 0;
}

static void serve(struct aws_keyring *keyring, struct waiting *waiting) {
    struct error error = {0};
    scoped(aws_credentials_unref) struct aws_credentials *usable = ref_current(keyring);
    if (!is_fresh(keyring, usable, waiting->stale)) {
        bool is_refreshed = refresh(keyring, &waiting->permit, &error);
        aws_credentials_unref(&usable);
        usable = ref_current(keyring);
        if (!is_refreshed && !is_usable(keyring, usable, waiting->stale)) {
            aws_credentials_unref(&usable);
        } else if (!is_refreshed) {
            log_failed_refresh(&error);
        }
    }
    waiting->ready_fn(waiting->arg, usable, &error);
}

static void free_waiting(struct waiting *waiting) {
    aws_credentials_unref(&waiting->stale);
    free(waiting);
}

static void say_ending(aws_keyring_ready_fn *ready_fn, void *arg) {
    struct error error = {0};
    error_set(&error, ERROR_BUSY, "no credentials are fetched any more: this process ends");
    ready_fn(arg, NULL, &error);
}

/* Who came first is served first. */
static struct waiting *reverse(struct waiting *latest) {
    struct waiting *first = NULL;
    while (latest != NULL) {
        struct waiting *next = latest->next;
        latest->next = first;
        first = latest;
        latest = next;
    }
    return first;
}

/* Waits for work and takes it; false at the end. */
static bool take_work(struct aws_keyring *keyring, struct waiting **waiting_out,
                      bool *is_refresh_due_out, struct permit *permit_out) {
    mutex_lock(&keyring->lock);
    while (keyring->shared.waiting == NULL && !keyring->shared.is_refresh_due &&
           !keyring->shared.is_ending) {
        condition_wait(&keyring->has_work, &keyring->lock);
    }
    *waiting_out = reverse(keyring->shared.waiting);
    *is_refresh_due_out = keyring->shared.is_refresh_due;
    *permit_out = keyring->shared.refresh_permit;
    keyring->shared.waiting = NULL;
    keyring->shared.is_refresh_due = false;
    bool is_ending = keyring->shared.is_ending;
    mutex_unlock(&keyring->lock);
    return !is_ending;
}

static bool is_ending(struct aws_keyring *keyring) {
    mutex_lock(&keyring->lock);
    bool is = keyring->shared.is_ending;
    mutex_unlock(&keyring->lock);
    return is;
}

static void run(void *arg) {
    struct aws_keyring *keyring = arg;
    bool goes_on = true;
    while (goes_on) {
        struct waiting *waiting = NULL;
        bool is_refresh_due = false;
        struct permit permit;
        goes_on = take_work(keyring, &waiting, &is_refresh_due, &permit);
        while (waiting != NULL) {
            struct waiting *next = waiting->next;
            if (is_ending(keyring)) {
                say_ending(waiting->ready_fn, waiting->arg);
            } else {
                serve(keyring, waiting);
            }
            free_waiting(waiting);
            waiting = next;
        }
        struct error error = {0};
        if (goes_on && is_refresh_due && !refresh(keyring, &permit, &error)) {
            log_failed_refresh(&error);
        }
    }
}

bool aws_keyring_new(const struct aws_keyring_options *options, struct aws_keyring **keyring_out,
                     struct error *error) {
    scoped(aws_keyring_free) struct aws_keyring *keyring = memory_new(sizeof(*keyring));
    keyring->options = *options;
    metrics_register(metrics, ARRAY_COUNT(metrics));
    metric_add(&metrics[FETCHES], 0, METRIC_LABELS(TEXT("own"), TEXT("failed")));
    metric_add(&metrics[FETCHES], 0, METRIC_LABELS(TEXT("role"), TEXT("failed")));
    mutex_init(&keyring->lock);
    condition_init(&keyring->has_work);
    if (!thread_start(&keyring->thread, "credentials", run, keyring, error)) {
        return false;
    }
    *keyring_out = keyring;
    keyring = NULL;
    return true;
}

void aws_keyring_stop(struct aws_keyring *keyring) {
    mutex_lock(&keyring->lock);
    keyring->shared.is_ending = true;
    condition_signal(&keyring->has_work);
    mutex_unlock(&keyring->lock);
}

void aws_keyring_free(struct aws_keyring **keyring_at) {
    struct aws_keyring *keyring = *keyring_at;
    if (keyring == NULL) {
        return;
    }
    aws_keyring_stop(keyring);
    thread_join(&keyring->thread);
    replace_current(keyring, NULL);
    condition_done(&keyring->has_work);
    mutex_done(&keyring->lock);
    free(keyring);
    *keyring_at = NULL;
}

/* Asks the thread for others, now and then. */
static void want_refresh(struct aws_keyring *keyring, const struct permit *permit)
    REQUIRES(&keyring->lock);

static void want_refresh(struct aws_keyring *keyring, const struct permit *permit) {
    int64_t now_mono_ms = clock_mono_ms(keyring->options.clock);
    if (now_mono_ms >= keyring->shared.next_refresh_mono_ms) {
        keyring->shared.next_refresh_mono_ms = now_mono_ms + KEYRING_PAUSE_MS;
        keyring->shared.refresh_permit = *permit;
        keyring->shared.is_refresh_due = true;
        condition_signal(&keyring->has_work);
    }
}

struct aws_credentials *aws_keyring_current(struct aws_keyring *keyring,
                                            const struct permit *permit) {
    struct aws_credentials *current = NULL;
    mutex_lock(&keyring->lock);
    if (is_fresh(keyring, keyring->shared.current, NULL)) {
        current = aws_credentials_ref(keyring->shared.current);
        if (left_ms(keyring, current) <= KEYRING_ADVISORY_MS) {
            want_refresh(keyring, permit);
        }
    }
    mutex_unlock(&keyring->lock);
    return current;
}

void aws_keyring_wait(struct aws_keyring *keyring, const struct permit *permit,
                      struct aws_credentials *stale, aws_keyring_ready_fn *ready_fn, void *arg) {
    struct waiting *waiting = memory_new(sizeof(*waiting));
    waiting->permit = *permit;
    waiting->stale = aws_credentials_ref(stale);
    waiting->ready_fn = ready_fn;
    waiting->arg = arg;
    mutex_lock(&keyring->lock);
    bool is_refused = keyring->shared.is_ending;
    if (!is_refused) {
        waiting->next = keyring->shared.waiting;
        keyring->shared.waiting = waiting;
        condition_signal(&keyring->has_work);
    }
    mutex_unlock(&keyring->lock);
    if (is_refused) {
        say_ending(ready_fn, arg);
        free_waiting(waiting);
    }
}

int64_t aws_keyring_expiry(struct aws_keyring *keyring) {
    mutex_lock(&keyring->lock);
    int64_t expiry = keyring->shared.current != NULL ? keyring->shared.current->expires_unix_ms : 0;
    mutex_unlock(&keyring->lock);
    return expiry;
}
