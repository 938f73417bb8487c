#include "parts.h"

#include "riposte/base/memory.h"
#include "riposte/observe/log.h"
#include "riposte/observe/metrics.h"

static const struct log_context here = {.component = "daemon"};

static struct metric reloads = {.name = "riposte_reloads_total",
                                .help = "Reloads of settings and rules: done, refused.",
                                .type = METRIC_COUNTER,
                                .labels = {"outcome"}};

/* All that a reload puts in force, made before anything changes. */
struct prepared {
    struct snapshot *snapshot;
    struct setup *setup;
    struct access *access;
};

static void prepared_done(struct prepared *prepared) {
    snapshot_unref(&prepared->snapshot);
    intake_discard(&prepared->setup);
    admin_discard(&prepared->access);
}

static bool check_restart(struct daemon *daemon, const struct snapshot *next, struct error *error) {
    scoped(buffer_done) struct buffer names = BUFFER_INIT;
    scoped(snapshot_unref) struct snapshot *now = daemon_snapshot(daemon);
    settings_needing_restart(now->settings, next->settings, &names);
    return names.bytes == 0 || error_set(error, ERROR_INVALID,
                                         "%s: a change of %s needs a restart; nothing was changed",
                                         daemon->settings_path, buffer_string(&names));
}

static bool check_access(const struct daemon *daemon, const struct access *access,
                         struct error *error) {
    if (daemon->has_admin && access == NULL) {
        return error_set(error, ERROR_INVALID,
                         "admin.token: none is set any more; nobody could act");
    }
    if (!daemon->has_admin && access != NULL) {
        log_warn(&here, "an admin token is set now: the admin listener comes with a restart");
    }
    return true;
}

static bool prepare(struct daemon *daemon, struct prepared *prepared, struct buffer *findings,
                    struct error *error) {
    if (!daemon_load(daemon, &prepared->snapshot, findings, error)) {
        return false;
    }
    daemon_keep_accounts(daemon, &prepared->snapshot);
    return check_restart(daemon, prepared->snapshot, error) &&
           intake_prepare(prepared->snapshot, &prepared->setup, error) &&
           admin_prepare(prepared->snapshot, &prepared->access, error) &&
           check_access(daemon, prepared->access, error);
}

/* A self-made certificate stays: clients may have noted its fingerprint. */
static bool serve_certificate(const struct prepared *prepared, struct error *error) {
    const struct settings *settings = prepared->snapshot->settings;
    return settings->listen.certificate.bytes == 0 || daemon_serve_certificate(settings, error);
}

static void note(struct daemon *daemon, struct text actor) {
    struct error error = {0};
    if (!daemon_note(daemon, actor, "reload", &error)) {
        log_warn(&here, "the reload could not be journaled: %s", error.text);
    }
}

static bool reload(struct daemon *daemon, struct text actor, struct buffer *findings,
                   struct error *error) {
    scoped(prepared_done) struct prepared prepared = {0};
    aws_secrets_expire(daemon->secrets);
    if (!prepare(daemon, &prepared, findings, error) || !serve_certificate(&prepared, error)) {
        return false;
    }
    size_t rule_count = prepared.snapshot->rule_count;
    const char *mode = mode_name(prepared.snapshot->settings->mode);
    scoped(snapshot_unref) struct snapshot *next = snapshot_ref(prepared.snapshot);
    daemon_adopt_snapshot(daemon, &prepared.snapshot);
    daemon_warm_accounts(daemon, next->settings);
    intake_adopt(daemon->intake, &prepared.setup);
    admin_adopt(daemon->admin, &prepared.access);
    membership_relist(daemon->membership);
    anchorer_renew(daemon->anchorer);
    note(daemon, actor);
    log_info(&(struct log_context){.component = "daemon", LOG_FIELDS(log_text("actor", actor))},
             "reloaded: %zu rules, mode %s", rule_count, mode);
    return true;
}

static bool renew(struct daemon *daemon, struct error *error) {
    scoped(prepared_done) struct prepared prepared = {.snapshot = daemon_snapshot(daemon)};
    if (!intake_prepare(prepared.snapshot, &prepared.setup, error) ||
        !admin_prepare(prepared.snapshot, &prepared.access, error) ||
        !check_access(daemon, prepared.access, error)) {
        return false;
    }
    intake_adopt(daemon->intake, &prepared.setup);
    admin_adopt(daemon->admin, &prepared.access);
    return true;
}

bool daemon_renew_secrets(struct daemon *daemon, struct error *error) {
    mutex_lock(&daemon->reloading);
    bool is_done = renew(daemon, error);
    mutex_unlock(&daemon->reloading);
    return is_done;
}

bool daemon_reload(void *arg, struct text actor, struct buffer *findings, struct error *error) {
    struct daemon *daemon = arg;
    mutex_lock(&daemon->reloading);
    supervisor_notify_reloading(daemon->supervisor);
    bool is_done = reload(daemon, actor, findings, error);
    memory_trim();
    supervisor_notify(daemon->supervisor, "READY=1");
    mutex_unlock(&daemon->reloading);
    metric_add(&reloads, 1, METRIC_LABELS(is_done ? TEXT("done") : TEXT("refused")));
    if (!is_done) {
        log_error(&here, "not reloaded, all goes on as before: %s", error->text);
    }
    return is_done;
}

void daemon_reload_register(void) {
    metrics_register(&reloads, 1);
    metric_add(&reloads, 0, METRIC_LABELS(TEXT("done")));
    metric_add(&reloads, 0, METRIC_LABELS(TEXT("refused")));
}
