#include "parts.h"

#include "riposte/base/clock.h"
#include "riposte/config/secret.h"
#include "riposte/observe/log.h"
#include "riposte/observe/metrics.h"

/* Between two askings for unknown secrets: whoever sends nonsense must not make us ask all day. */
#define PAUSE_MS 30000

static const struct log_context here = {.component = "daemon"};

static struct metric renewals = {.name = "riposte_secret_renewals_total",
                                 .help = "Times Secrets Manager was asked anew: done, failed.",
                                 .type = METRIC_COUNTER,
                                 .labels = {"outcome"}};

static bool are_managed(const struct secret_references *references) {
    for (size_t i = 0; i < references->count; i++) {
        if (references->items[i].kind == SECRET_MANAGER) {
            return true;
        }
    }
    return false;
}

static bool has_managed(const struct settings *settings) {
    bool has = are_managed(&settings->authenticate.secrets);
    for (size_t i = 0; i < settings->admin.token_count; i++) {
        has |= are_managed(&settings->admin.tokens[i].secrets);
    }
    return has;
}

static void renew(struct daemon *daemon) {
    scoped(snapshot_unref) struct snapshot *snapshot = daemon_snapshot(daemon);
    struct error error = {0};
    if (!has_managed(snapshot->settings)) {
        return;
    }
    aws_secrets_expire(daemon->secrets);
    bool is_done = daemon_renew_secrets(daemon, &error);
    metric_add(&renewals, 1, METRIC_LABELS(is_done ? TEXT("done") : TEXT("failed")));
    if (!is_done) {
        log_error(&here, "secrets not renewed, the old ones stay: %s", error.text);
    }
}

/* False: the end has come. */
static bool wait_for_need(struct daemon *daemon, int64_t renewed_mono_ms) {
    mutex_lock(&daemon->lock);
    for (;;) {
        int64_t age_ms = clock_mono_ms(&clock_system) - renewed_mono_ms;
        int64_t due_ms = daemon->shared.is_secret_unknown ? PAUSE_MS : AWS_SECRETS_FRESH_MS;
        if (daemon->shared.is_ending || age_ms >= due_ms) {
            break;
        }
        (void)condition_wait_ms(&daemon->secrets_wake, &daemon->lock, due_ms - age_ms);
    }
    bool goes_on = !daemon->shared.is_ending;
    daemon->shared.is_secret_unknown = false;
    mutex_unlock(&daemon->lock);
    return goes_on;
}

static void keep(void *arg) {
    struct daemon *daemon = arg;
    /* The first unknown secret finds us ready. */
    int64_t renewed_mono_ms = clock_mono_ms(&clock_system) - PAUSE_MS;
    while (wait_for_need(daemon, renewed_mono_ms)) {
        renew(daemon);
        renewed_mono_ms = clock_mono_ms(&clock_system);
    }
}

bool daemon_start_secrets(struct daemon *daemon, struct error *error) {
    metrics_register(&renewals, 1);
    return thread_start(&daemon->secrets_thread, "secrets", keep, daemon, error);
}

void daemon_stop_secrets(struct daemon *daemon) {
    mutex_lock(&daemon->lock);
    daemon->shared.is_ending = true;
    mutex_unlock(&daemon->lock);
    condition_broadcast(&daemon->secrets_wake);
    thread_join(&daemon->secrets_thread);
}

void daemon_unknown_secret(void *arg) {
    struct daemon *daemon = arg;
    mutex_lock(&daemon->lock);
    daemon->shared.is_secret_unknown = true;
    mutex_unlock(&daemon->lock);
    condition_signal(&daemon->secrets_wake);
}
