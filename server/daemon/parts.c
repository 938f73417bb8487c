#include "parts.h"

#include "riposte/aws/client.h"
#include "riposte/base/memory.h"
#include "riposte/cli/options.h"
#include "riposte/crypto/certificate.h"
#include "riposte/crypto/served_certificate.h"
#include "riposte/observe/log.h"
#include "riposte/observe/metrics.h"

#include <string.h>

static const struct log_context here = {.component = "daemon"};

struct snapshot *daemon_snapshot(void *arg) {
    struct daemon *daemon = arg;
    mutex_lock(&daemon->lock);
    struct snapshot *snapshot = snapshot_ref(daemon->shared.snapshot);
    mutex_unlock(&daemon->lock);
    return snapshot;
}

enum { EXPIRY, MODE, RULES };

static struct metric metrics[] = {
    [EXPIRY] = {.name = "riposte_certificate_expiry_timestamp_seconds",
                .unit = "seconds",
                .type = METRIC_GAUGE,
                .help = "When the listeners' certificate ends, since 1970.",
                .divisor = 1000},
    [MODE] = {.name = "riposte_mode",
              .type = METRIC_GAUGE,
              .help = "1 for the mode in force, 0 for the others.",
              .labels = {"mode"}},
    [RULES] = {.name = "riposte_rules", .type = METRIC_GAUGE, .help = "Rules in force."},
};

static void measure_snapshot(const struct snapshot *snapshot) {
    for (int mode = MODE_OBSERVE; mode <= MODE_ENFORCE; mode++) {
        metric_set(&metrics[MODE], (int)snapshot->settings->mode == mode,
                   METRIC_LABELS(text_of(mode_name((enum mode)mode))));
    }
    metric_set(&metrics[RULES], (int64_t)snapshot->rule_count, NULL);
}

static void expect_canaries(struct daemon *daemon, const struct settings *settings) {
    struct canary_expected expected[CANARIES_KEPT];
    for (size_t i = 0; i < settings->canary.count; i++) {
        const struct canary *canary = &settings->canary.items[i];
        expected[i] = (struct canary_expected){canary->region, canary->service, canary->resource,
                                               canary->stale_after_ms};
    }
    canaries_expect(daemon->canaries, expected, settings->canary.count);
}

/* Before there is a client nothing is called. */
static void allow_accounts(struct daemon *daemon, const struct settings *settings) {
    if (daemon->aws != NULL) {
        aws_allow_accounts(daemon->aws, settings->aws.accounts.items, settings->aws.accounts.count,
                           !settings_await_accounts(settings));
    }
}

void daemon_adopt_snapshot(struct daemon *daemon, struct snapshot **snapshot) {
    enum log_level level = LOG_INFO;
    if (log_level_parse((*snapshot)->settings->log_level, &level)) {
        log_set_level(level);
    }
    allow_accounts(daemon, (*snapshot)->settings);
    measure_snapshot(*snapshot);
    expect_canaries(daemon, (*snapshot)->settings);
    mutex_lock(&daemon->lock);
    struct snapshot *before = daemon->shared.snapshot;
    daemon->shared.snapshot = *snapshot;
    mutex_unlock(&daemon->lock);
    *snapshot = NULL;
    snapshot_unref(&before);
}

/* A role takes a thread. */
#define WARM_ACCOUNTS_MAX 100

static void warm(struct daemon *daemon, enum mode mode, struct texts accounts) {
    const struct permit permit = {.class = PERMIT_CREDENTIAL, .mode = mode};
    size_t count = accounts.count < WARM_ACCOUNTS_MAX ? accounts.count : WARM_ACCOUNTS_MAX;
    if (mode != MODE_OBSERVE) {
        aws_warm_accounts(daemon->aws, &permit, accounts.items, count);
    }
}

void daemon_warm_accounts(struct daemon *daemon, const struct settings *settings) {
    allow_accounts(daemon, settings);
    warm(daemon, settings->mode, settings->aws.accounts);
}

/* ---- the organization ---- */

static bool is_listed(const struct settings *settings, struct text account) {
    for (size_t i = 0; i < settings->aws.accounts.count; i++) {
        if (text_equal(settings->aws.accounts.items[i], account)) {
            return true;
        }
    }
    return false;
}

/* Those that were not listed before. */
static struct texts find_new(const struct settings *before, struct texts accounts,
                             struct arena *arena) {
    struct text *items = arena_alloc_array(arena, accounts.count, sizeof(*items));
    size_t count = 0;
    for (size_t i = 0; i < accounts.count; i++) {
        if (!is_listed(before, accounts.items[i])) {
            items[count++] = accounts.items[i];
        }
    }
    return (struct texts){items, count};
}

static void adopt_accounts(struct daemon *daemon, struct snapshot *before, struct texts accounts) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct texts new = find_new(before->settings, accounts, arena);
    size_t gone = before->settings->aws.accounts.count + new.count - accounts.count;
    if (before->settings->aws.is_listed && new.count == 0 && gone == 0) {
        return;
    }
    struct snapshot *snapshot = snapshot_with_accounts(before, accounts);
    scoped(snapshot_unref) struct snapshot *kept = snapshot_ref(snapshot);
    log_info(&here, "the organization has %zu active accounts: %zu are new, %zu are gone",
             accounts.count, new.count, gone);
    daemon_adopt_snapshot(daemon, &snapshot);
    intake_adopt_accounts(daemon->intake, kept);
    warm(daemon, kept->settings->mode, new);
}

void daemon_adopt_accounts(void *arg, struct texts accounts) {
    struct daemon *daemon = arg;
    mutex_lock(&daemon->reloading);
    scoped(snapshot_unref) struct snapshot *before = daemon_snapshot(daemon);
    if (before->settings->aws.is_organization) { /* a reload may have changed that */
        adopt_accounts(daemon, before, accounts);
    }
    mutex_unlock(&daemon->reloading);
}

void daemon_keep_accounts(struct daemon *daemon, struct snapshot **next) {
    scoped(snapshot_unref) struct snapshot *now = daemon_snapshot(daemon);
    if (now->settings->aws.is_listed && settings_await_accounts((*next)->settings)) {
        struct snapshot *kept = snapshot_with_accounts(*next, now->settings->aws.accounts);
        snapshot_unref(next);
        *next = kept;
    }
}

static void log_lines(struct text rest) {
    struct text line;
    while (text_next_part(&rest, '\n', &line)) {
        if (line.bytes > 0) {
            log_warn(&here, "%.*s", TEXT_ARG(line));
        }
    }
}

bool daemon_load(const struct daemon *daemon, struct snapshot **snapshot_out,
                 struct buffer *findings_out, struct error *error) {
    scoped(findings_free) struct findings *findings = findings_new();
    bool is_good = snapshot_load(daemon->settings_path, cli_environment, NULL, snapshot_out,
                                 findings);
    findings_print(findings, findings_out);
    log_lines(buffer_text(findings_out));
    return is_good || error_set(error, ERROR_INVALID, "%s: %zu errors, listed above",
                                daemon->settings_path, findings_errors(findings));
}

/* A certificate with its key, as text. */
struct pem {
    struct buffer certificate, key;
};

static void pem_done(struct pem *pem) {
    memory_wipe(pem->key.data, pem->key.bytes);
    buffer_done(&pem->key);
    buffer_done(&pem->certificate);
}

static bool serve(const struct pem *pem, const char *origin, struct error *error) {
    struct certificate_facts facts = {0};
    if (!certificate_inspect(buffer_text(&pem->certificate), &facts, error) ||
        !served_certificate_set(buffer_text(&pem->certificate), buffer_text(&pem->key), error)) {
        return false;
    }
    metric_set(&metrics[EXPIRY], facts.not_after_unix_ms, NULL);
    log_info(&here, "certificate %s, SHA-256 fingerprint %s", origin, facts.fingerprint);
    return true;
}

bool daemon_serve_certificate(const struct settings *settings, struct error *error) {
    scoped(pem_done) struct pem pem = {BUFFER_INIT, BUFFER_INIT};
    scoped(memory_free_at) char *certificate = text_copy(settings->listen.certificate);
    scoped(memory_free_at) char *key = text_copy(settings->listen.key);
    return certificate_read(certificate, key, &pem.certificate, &pem.key, error) &&
           serve(&pem, "read", error);
}

bool daemon_serve_own_certificate(const struct settings *settings, struct error *error) {
    scoped(pem_done) struct pem pem = {BUFFER_INIT, BUFFER_INIT};
    scoped(memory_free_at) char *address = text_copy(settings->listen.address);
    const char *names[] = {"localhost", "127.0.0.1", address};
    size_t count = strcmp(address, "127.0.0.1") == 0 ? 2 : 3;
    return certificate_make(&clock_system, names, count, &pem.certificate, &pem.key, error) &&
           serve(&pem, "self-signed, made at start", error);
}

bool daemon_note(struct daemon *daemon, struct text actor, const char *event, struct error *error) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    scoped(snapshot_unref) struct snapshot *snapshot = daemon_snapshot(daemon);
    buffer_append_format(&text, "{\"version\":\"%s\",\"mode\":\"%s\",\"rules\":%zu}",
                         RIPOSTE_VERSION, mode_name(snapshot->settings->mode),
                         snapshot->rule_count);
    return journal_note(daemon->journal, actor, text_of(event), buffer_text(&text), error);
}
