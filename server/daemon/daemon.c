#include "riposte/daemon/daemon.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/cli/command.h"
#include "riposte/cli/options.h"
#include "riposte/config/snapshot.h"
#include "riposte/crypto/certificate.h"
#include "riposte/inbound/listener.h"
#include "riposte/intake/intake.h"
#include "riposte/observe/log.h"
#include "riposte/operate/admin.h"
#include "riposte/respond/respond.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define INTAKE_THREADS_MAX  4
#define INTAKE_CONNECTIONS  1000
#define INTAKE_MEMORY_BYTES (32u * 1024 * 1024)
#define ADMIN_CONNECTIONS   64
#define ADMIN_MEMORY_BYTES  (4u * 1024 * 1024)
/* Longer than a load balancer's own idle time (60 s): it must be the one who closes. */
#define IDLE_MS        75000
#define LOG_STOP_MS    1000
#define STOP_POLL_MS   10
#define ANSWERS_MAX_MS 5000

static const struct log_context here = {.component = "daemon"};

/* The parts, in the order in which they start. */
struct daemon {
    struct snapshot *snapshot;
    struct buffer certificate, key;
    struct journal *journal;
    struct recent *recent;
    struct http_client *http;
    struct aws_client *aws;
    struct respond *respond;
    struct intake *intake;
    struct listener *events;
    struct admin *admin;
    struct listener *admin_listener;
};

static struct snapshot *present_snapshot(void *arg) {
    struct daemon *daemon = arg;
    return snapshot_ref(daemon->snapshot);
}

static void log_findings(const struct findings *findings) {
    scoped(buffer_done) struct buffer lines = BUFFER_INIT;
    findings_print(findings, &lines);
    struct text rest = buffer_text(&lines), line;
    while (text_next_part(&rest, '\n', &line)) {
        if (line.bytes > 0) {
            log_warn(&here, "%.*s", TEXT_ARG(line));
        }
    }
}

static bool load_snapshot(struct daemon *daemon, const char *path, struct error *error) {
    scoped(findings_free) struct findings *findings = findings_new();
    bool is_good = snapshot_load(path, cli_environment, NULL, &daemon->snapshot, findings);
    log_findings(findings);
    if (!is_good) {
        return error_set(error, ERROR_INVALID, "%s: %zu errors, listed above; nothing was started",
                         path, findings_errors(findings));
    }
    enum log_level level = LOG_INFO;
    if (log_level_parse(daemon->snapshot->settings->log_level, &level)) {
        log_set_level(level);
    }
    return true;
}

static bool make_certificate(struct daemon *daemon, struct error *error) {
    scoped(memory_free_at) char *address = text_copy(daemon->snapshot->settings->listen.address);
    const char *names[] = {"localhost", "127.0.0.1", address};
    size_t count = strcmp(address, "127.0.0.1") == 0 ? 2 : 3;
    return certificate_make(&clock_system, names, count, &daemon->certificate, &daemon->key, error);
}

static bool load_certificate(struct daemon *daemon, struct error *error) {
    const struct settings *settings = daemon->snapshot->settings;
    bool is_own = settings->listen.certificate.bytes == 0;
    if (is_own) {
        if (!make_certificate(daemon, error)) {
            return false;
        }
    } else {
        scoped(memory_free_at) char *certificate = text_copy(settings->listen.certificate);
        scoped(memory_free_at) char *key = text_copy(settings->listen.key);
        if (!certificate_read(certificate, key, &daemon->certificate, &daemon->key, error)) {
            return false;
        }
    }
    struct certificate_facts facts = {0};
    if (!certificate_inspect(buffer_text(&daemon->certificate), &facts, error)) {
        return false;
    }
    log_info(&here, "certificate %s, SHA-256 fingerprint %s",
             is_own ? "self-signed, made at start" : "read", facts.fingerprint);
    return true;
}

static bool open_journal(struct daemon *daemon, struct error *error) {
    const struct settings *settings = daemon->snapshot->settings;
    scoped(memory_free_at) char *url = text_copy(settings->journal);
    const struct journal_options options = {
        .url = url,
        .clock = &clock_system,
        .queue_limit = settings->queue_limit,
        .workers = settings->workers,
        .retain_ms = settings->retain_ms,
    };
    if (!journal_open(&options, &daemon->journal, error)) {
        return error_wrap(error, "journal %s", url);
    }
    return true;
}

static bool note_key(void *arg, struct text access_key_id, struct error *error) {
    struct daemon *daemon = arg;
    return journal_note_key(daemon->journal, access_key_id, error);
}

static bool start_respond(struct daemon *daemon, struct error *error) {
    const struct settings *settings = daemon->snapshot->settings;
    const struct aws_options aws = {
        .http = daemon->http,
        .clock = &clock_system,
        .endpoint = settings->aws.endpoint,
        .key_fn = note_key,
        .arg = daemon,
    };
    if (!aws_client_new(&aws, &daemon->aws, error)) {
        return false;
    }
    const struct respond_options options = {
        .journal = daemon->journal,
        .aws = respond_aws_of(daemon->aws),
        .clock = &clock_system,
        .snapshot_fn = present_snapshot,
        .snapshot_arg = daemon,
        .workers = settings->workers,
    };
    return respond_start(&options, &daemon->respond, error);
}

static unsigned intake_threads(void) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > INTAKE_THREADS_MAX ? INTAKE_THREADS_MAX : (unsigned)cores;
}

static bool start_intake(struct daemon *daemon, struct error *error) {
    const struct settings *settings = daemon->snapshot->settings;
    const struct intake_options options = {
        .journal = daemon->journal, .recent = daemon->recent, .clock = &clock_system};
    daemon->intake = intake_new(&options);
    if (!intake_adopt(daemon->intake, daemon->snapshot, error)) {
        return false;
    }
    scoped(memory_free_at) char *address = text_copy(settings->listen.address);
    struct listener_options listener = {
        .name = "intake",
        .address = address,
        .port = settings->listen.port,
        .certificate_pem = buffer_text(&daemon->certificate),
        .key_pem = buffer_text(&daemon->key),
        .limits = {.threads = intake_threads(),
                   .connections = INTAKE_CONNECTIONS,
                   .memory_bytes = INTAKE_MEMORY_BYTES,
                   .idle_ms = IDLE_MS},
    };
    listener.routes = intake_routes(daemon->intake, &listener.route_count);
    if (!listener_start(&listener, &daemon->events, error)) {
        return error_wrap(error, "listen on %s port %u", address, (unsigned)settings->listen.port);
    }
    log_info(&here, "takes events at https://%s:%u%.*s, mode %s", address,
             (unsigned)listener_port(daemon->events), TEXT_ARG(settings->listen.path),
             mode_name(settings->mode));
    return true;
}

static bool start_admin(struct daemon *daemon, struct error *error) {
    const struct settings *settings = daemon->snapshot->settings;
    const struct admin_options options = {
        .journal = daemon->journal, .recent = daemon->recent, .clock = &clock_system};
    daemon->admin = admin_new(&options);
    bool has_token = false;
    if (!admin_adopt(daemon->admin, daemon->snapshot, &has_token, error)) {
        return false;
    }
    if (!has_token) {
        log_warn(&here, "no admin token is set: there is no admin listener");
        return true;
    }
    scoped(memory_free_at) char *address = text_copy(settings->admin.address);
    struct listener_options listener = {
        .name = "admin",
        .address = address,
        .port = settings->admin.port,
        .certificate_pem = buffer_text(&daemon->certificate),
        .key_pem = buffer_text(&daemon->key),
        .limits = {.threads = 1,
                   .connections = ADMIN_CONNECTIONS,
                   .memory_bytes = ADMIN_MEMORY_BYTES,
                   .idle_ms = IDLE_MS},
    };
    listener.routes = admin_routes(daemon->admin, &listener.route_count);
    if (!listener_start(&listener, &daemon->admin_listener, error)) {
        return error_wrap(error, "admin: listen on %s port %u", address,
                          (unsigned)settings->admin.port);
    }
    log_info(&here, "admin listens at https://%s:%u", address,
             (unsigned)listener_port(daemon->admin_listener));
    return true;
}

static bool note_life(struct daemon *daemon, const char *event, struct error *error) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    buffer_append_format(&text, "{\"version\":\"%s\",\"mode\":\"%s\",\"rules\":%zu}",
                         RIPOSTE_VERSION, mode_name(daemon->snapshot->settings->mode),
                         daemon->snapshot->rule_count);
    return journal_note(daemon->journal, TEXT("riposte"), text_of(event), buffer_text(&text),
                        error);
}

static bool start(struct daemon *daemon, const char *path, struct error *error) {
    daemon->recent = recent_new(RECENT_CAPACITY);
    return load_snapshot(daemon, path, error) && load_certificate(daemon, error) &&
           open_journal(daemon, error) && note_life(daemon, "start", error) &&
           http_client_new(&(struct http_options){0}, &daemon->http, error) &&
           start_respond(daemon, error) && start_intake(daemon, error) &&
           start_admin(daemon, error);
}

/* Until a signal to end comes, or `wait_ms` (< 0: for ever) have passed; true for a signal. */
static bool wait_for_signal(const sigset_t *ends, int64_t wait_ms) {
    int64_t until = clock_mono_ms(&clock_system) + wait_ms;
    for (;;) {
        int64_t left = until - clock_mono_ms(&clock_system);
        if (wait_ms >= 0 && left <= 0) {
            return false;
        }
        const struct timespec wait = {left / 1000, (left % 1000) * 1000000};
        int got = wait_ms < 0 ? sigwaitinfo(ends, NULL) : sigtimedwait(ends, NULL, &wait);
        if (got == SIGTERM || got == SIGINT) {
            return true;
        }
    }
}

/* Readiness off; accept and commit while load balancers look away; then refuse, and answer who
 * waits. A second signal cuts the first part short. */
static void drain(struct daemon *daemon, const sigset_t *ends) {
    if (!daemon->events) {
        return;
    }
    intake_unready(daemon->intake);
    (void)wait_for_signal(ends, daemon->snapshot->settings->drain_ms);
    listener_drain(daemon->events);
    listener_quiesce(daemon->events);
    for (int64_t waited = 0; listener_pending(daemon->events) > 0 && waited < ANSWERS_MAX_MS;
         waited += STOP_POLL_MS) {
        clock_sleep_ms(STOP_POLL_MS);
    }
    listener_stop(&daemon->events);
}

static void stop(struct daemon *daemon, const sigset_t *ends) {
    struct error error = {0};
    drain(daemon, ends);
    if (daemon->journal) {
        journal_stop_claims(daemon->journal);
    }
    respond_free(&daemon->respond);
    if (daemon->admin_listener) {
        listener_stop(&daemon->admin_listener);
    }
    admin_free(&daemon->admin);
    intake_free(&daemon->intake);
    aws_client_free(&daemon->aws);
    http_client_free(&daemon->http);
    if (daemon->journal && !note_life(daemon, "stop", &error)) {
        log_warn(&here, "the stop could not be journaled: %s", error.text);
    }
    journal_close(&daemon->journal);
    recent_free(&daemon->recent);
    memory_wipe(daemon->key.data, daemon->key.bytes);
    buffer_done(&daemon->key);
    buffer_done(&daemon->certificate);
    snapshot_unref(&daemon->snapshot);
}

/* Main alone takes these, with sigwaitinfo(); a broken pipe or a full disk is an error code, not a
 * signal. */
static void prepare_signals(sigset_t *ends_out) {
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)sigaction(SIGXFSZ, &ignore, NULL);
    sigemptyset(ends_out);
    sigaddset(ends_out, SIGTERM);
    sigaddset(ends_out, SIGINT);
    sigaddset(ends_out, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, ends_out, NULL);
}

int daemon_serve(int argc, char **argv) {
    const char *path = CLI_SETTINGS_DEFAULT;
    const struct cli_option options[] = {{"config", 'c', &path, NULL}};
    int first = cli_options(argc, argv, options, ARRAY_COUNT(options));
    if (first < 0) {
        return EXIT_INVALID;
    }
    if (first != argc) {
        return cli_fail(argv[0], "takes no operands; name the settings with -c");
    }
    struct error error = {0};
    sigset_t ends;
    prepare_signals(&ends);
    struct daemon daemon = {0};
    if (!log_start(&error)) {
        return cli_fail(argv[0], "%s", error.text), EXIT_NO;
    }
    bool is_started = start(&daemon, path, &error);
    if (is_started) {
        (void)wait_for_signal(&ends, -1);
        log_info(&here, "stopping");
    } else {
        log_error(&here, "cannot start: %s", error.text);
    }
    stop(&daemon, &ends);
    log_stop(LOG_STOP_MS);
    return is_started ? EXIT_GOOD : EXIT_NO;
}
