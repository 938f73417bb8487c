#include "riposte/daemon/daemon.h"

#include "parts.h"

#include "riposte/base/file.h"
#include "riposte/base/memory.h"
#include "riposte/cli/command.h"
#include "riposte/cli/options.h"
#include "riposte/crypto/random.h"
#include "riposte/daemon/sandbox.h"
#include "riposte/observe/log.h"
#include "riposte/respond/orphans.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INTAKE_THREADS_MAX  4
#define INTAKE_MEMORY_BYTES (32u * 1024 * 1024)
#define ADMIN_CONNECTIONS   64
#define ADMIN_MEMORY_BYTES  (4u * 1024 * 1024)
/* Longer than a load balancer's own idle time (60 s): it must be the one who closes. */
#define IDLE_MS        75000
#define REQUEST_MS     10000
#define LOG_STOP_MS    1000
#define STOP_POLL_MS   10
#define ANSWERS_MAX_MS 5000

/* The leak checker of a build with AddressSanitizer traces its own process. */
#if defined(__SANITIZE_ADDRESS__)
#define MAY_BE_TRACED true
#elif defined(__has_feature)
#define MAY_BE_TRACED __has_feature(address_sanitizer)
#else
#define MAY_BE_TRACED false
#endif

static const struct log_context here = {.component = "daemon"};

/* Until the admin listener runs nobody else takes the snapshot, or replaces it. */
static struct snapshot *first_snapshot(struct daemon *daemon) {
    scoped(snapshot_unref) struct snapshot *snapshot = daemon_snapshot(daemon);
    return snapshot;
}

static const struct settings *first_settings(struct daemon *daemon) {
    return first_snapshot(daemon)->settings;
}

static bool load(struct daemon *daemon, struct error *error) {
    scoped(buffer_done) struct buffer findings = BUFFER_INIT;
    struct snapshot *snapshot = NULL;
    if (!daemon_load(daemon, &snapshot, &findings, error)) {
        return false;
    }
    daemon_adopt_snapshot(daemon, &snapshot);
    return true;
}

static bool serve_certificate(struct daemon *daemon, struct error *error) {
    const struct settings *settings = first_settings(daemon);
    return settings->listen.certificate.bytes > 0 ? daemon_serve_certificate(settings, error)
                                                  : daemon_serve_own_certificate(settings, error);
}

static bool open_journal(struct daemon *daemon, const sigset_t *signals, struct error *error) {
    const struct settings *settings = first_settings(daemon);
    scoped(memory_free_at) char *url = text_copy(settings->journal);
    const struct journal_options options = {
        .url = url,
        .clock = &clock_system,
        .queue_limit = settings->queue_limit,
        .workers = settings->workers,
        .retain_ms = settings->retain_ms,
        .audit_retain_ms = settings->audit.retain_ms,
    };
    return daemon_open_journal(settings, daemon->supervisor, &options, signals, &daemon->journal,
                               error);
}

static bool note_key(void *arg, struct text access_key_id, struct error *error) {
    struct daemon *daemon = arg;
    return journal_note_key(daemon->journal, access_key_id, error);
}

static struct aws_answer *call_aws(void *client, const struct permit *permit,
                                   const struct aws_call *call) {
    return aws_call(client, permit, call);
}

/* It lists from when all that takes the list over is there. */
static void make_membership(struct daemon *daemon) {
    daemon->membership = membership_new(&(struct membership_options){
        .call_fn = call_aws,
        .call_arg = daemon->aws,
        .clock = &clock_system,
        .random_fn = random_below,
        .snapshot_fn = daemon_snapshot,
        .adopt_fn = daemon_adopt_accounts,
        .arg = daemon,
    });
}

static struct journal_anchor chain_end(void *arg) {
    struct daemon *daemon = arg;
    struct journal_numbers numbers = {0};
    struct journal_anchor end;
    journal_numbers(daemon->journal, &numbers);
    end.sequence = numbers.sequence;
    memcpy(end.hash, numbers.hash, sizeof(end.hash));
    return end;
}

static void make_anchorer(struct daemon *daemon) {
    daemon->anchorer = anchorer_new(&(struct anchorer_options){
        .call_fn = call_aws,
        .call_arg = daemon->aws,
        .clock = &clock_system,
        .snapshot_fn = daemon_snapshot,
        .end_fn = chain_end,
        .arg = daemon,
    });
}

static bool start_respond(struct daemon *daemon, struct error *error) {
    const struct settings *settings = first_settings(daemon);
    /* Beside what their trust policies say of us: whose session it is, in the logs of all accounts.
     */
    static const struct aws_tag tags[] = {{TEXT_INIT("tool"), TEXT_INIT("riposte")}};
    const struct aws_options aws = {
        .http = daemon->http,
        .clock = &clock_system,
        .endpoint = settings->aws.endpoint,
        .key_fn = note_key,
        .arg = daemon,
        .roles = {.role = settings->aws.role,
                  .external_id = settings->aws.external_id,
                  .tags = tags,
                  .tag_count = ARRAY_COUNT(tags)},
    };
    if (!aws_client_new(&aws, &daemon->aws, error)) {
        return false;
    }
    daemon->secrets = aws_secrets_new(daemon->aws, &clock_system);
    secret_ask_with(aws_secrets_fetch, daemon->secrets);
    const struct respond_options options = {
        .journal = daemon->journal,
        .aws = respond_aws_of(daemon->aws),
        .post = respond_post_of(daemon->http),
        .drill = daemon->drill,
        .clock = &clock_system,
        .snapshot_fn = daemon_snapshot,
        .snapshot_arg = daemon,
        .workers = settings->workers,
    };
    daemon_warm_accounts(daemon, settings);
    make_membership(daemon);
    make_anchorer(daemon);
    return respond_start(&options, &daemon->respond, error);
}

static unsigned intake_threads(void) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > INTAKE_THREADS_MAX ? INTAKE_THREADS_MAX : (unsigned)cores;
}

static bool start_intake(struct daemon *daemon, struct error *error) {
    const struct settings *settings = first_settings(daemon);
    const struct intake_options options = {.journal = daemon->journal,
                                           .recent = daemon->recent,
                                           .drill = daemon->drill,
                                           .canaries = daemon->canaries,
                                           .clock = &clock_system,
                                           .unknown_secret_fn = daemon_unknown_secret,
                                           .unknown_secret_arg = daemon};
    daemon->intake = intake_new(&options);
    struct setup *setup = NULL;
    if (!intake_prepare(first_snapshot(daemon), &setup, error)) {
        return false;
    }
    intake_adopt(daemon->intake, &setup);
    scoped(memory_free_at) char *address = text_copy(settings->listen.address);
    struct listener_options listener = {
        .name = "intake",
        .address = address,
        .port = settings->listen.port,
        .has_socket = supervisor_socket(daemon->supervisor, "intake") >= 0,
        .socket = supervisor_socket(daemon->supervisor, "intake"),
        .limits = {.threads = intake_threads(),
                   .connections = settings->listen.connections,
                   .connections_per_address = settings->listen.connections_per_address,
                   .request_ms = REQUEST_MS,
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

static bool handle_orphans(void *arg, struct text action, struct text only, struct text actor,
                           const atomic_bool *is_called_off, struct buffer *answer,
                           struct error *error) {
    struct daemon *daemon = arg;
    static const char *const names[] = {"list", "adopt", "release"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (text_equal_string(action, names[i])) {
            return respond_orphans(daemon->respond, (enum orphans_action)i, only, actor,
                                   is_called_off, answer, error);
        }
    }
    return error_set(error, ERROR_INVALID, "action: list, adopt or release");
}

static int64_t credentials_expiry(void *arg) {
    struct daemon *daemon = arg;
    return aws_credentials_expiry(daemon->aws);
}

static bool start_admin(struct daemon *daemon, struct error *error) {
    const struct settings *settings = first_settings(daemon);
    const struct admin_options options = {.journal = daemon->journal,
                                          .recent = daemon->recent,
                                          .drill = daemon->drill,
                                          .clock = &clock_system,
                                          .reload_fn = daemon_reload,
                                          .reload_arg = daemon,
                                          .orphans_fn = handle_orphans,
                                          .orphans_arg = daemon,
                                          .credentials_fn = credentials_expiry,
                                          .credentials_arg = daemon};
    daemon->admin = admin_new(&options);
    struct access *access = NULL;
    if (!admin_prepare(first_snapshot(daemon), &access, error)) {
        return false;
    }
    daemon->has_admin = access != NULL;
    admin_adopt(daemon->admin, &access);
    if (!daemon->has_admin) {
        log_warn(&here, "no admin token is set: there is no admin listener");
        return true;
    }
    scoped(memory_free_at) char *address = text_copy(settings->admin.address);
    struct listener_options listener = {
        .name = "admin",
        .address = address,
        .port = settings->admin.port,
        .has_socket = supervisor_socket(daemon->supervisor, "admin") >= 0,
        .socket = supervisor_socket(daemon->supervisor, "admin"),
        .limits = {.threads = 1,
                   .connections = ADMIN_CONNECTIONS,
                   .request_ms = REQUEST_MS,
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

/* Before any thread but the log's: what isn't in force is said, and does not keep us from running.
 */
static void enter_sandbox(struct daemon *daemon) {
    struct text path = first_settings(daemon)->journal;
    scoped(memory_free_at) char *file = text_copy(
        text_slice(path, text_find_byte(path, ':', 0) + 1, path.bytes));
    scoped(memory_free_at) char *folder = file_folder(file);
    scoped(memory_free_at) char *output = text_copy(first_settings(daemon)->output);
    const char *const folders[] = {folder, output};
    struct sandbox_part parts[SANDBOX_PARTS];
    sandbox_enter(folders, output[0] != '\0' ? 2 : 1, parts);
    for (size_t i = 0; i < SANDBOX_PARTS; i++) {
        if (parts[i].problem != 0) {
            log_warn(&here, "sandbox: %s is not in force: %s", parts[i].name,
                     strerrordesc_np(parts[i].problem));
        }
    }
}

/* The folder that notifications are written to is there, before the sandbox wants to know it. */
static bool check_output(struct daemon *daemon, struct error *error) {
    scoped(memory_free_at) char *output = text_copy(first_settings(daemon)->output);
    struct stat facts = {0};
    if (output[0] == '\0') {
        return true;
    }
    if (stat(output, &facts) == 0 && !S_ISDIR(facts.st_mode)) {
        return error_set(error, ERROR_INVALID, "output: %s is no folder", output);
    }
    return access(output, W_OK | X_OK) == 0 ||
           error_set_errno(error, errno, "output: make the folder and let us write to it: %s",
                           output);
}

static bool start_lookout(struct daemon *daemon, struct error *error) {
    daemon->lookout = lookout_new(&(struct lookout_options){.journal = daemon->journal,
                                                            .canaries = daemon->canaries,
                                                            .clock = &clock_system,
                                                            .snapshot_fn = daemon_snapshot,
                                                            .arg = daemon});
    return lookout_start(daemon->lookout, error);
}

static bool start(struct daemon *daemon, const sigset_t *signals, struct error *error) {
    daemon->recent = recent_new(RECENT_CAPACITY);
    daemon->drill = drill_new(&clock_system);
    daemon->canaries = canaries_new(&clock_system);
    daemon_reload_register();
    if (!supervisor_new(&daemon->supervisor, error) || !load(daemon, error) ||
        !check_output(daemon, error)) {
        return false;
    }
    supervisor_notify(daemon->supervisor, "EXTEND_TIMEOUT_USEC=240000000"); /* another's journal */
    if (daemon->has_sandbox) {
        enter_sandbox(daemon);
    }
    return serve_certificate(daemon, error) && open_journal(daemon, signals, error) &&
           daemon_note(daemon, TEXT("riposte"), "start", error) &&
           http_client_new(&(struct http_options){0}, &daemon->http, error) &&
           start_respond(daemon, error) && start_intake(daemon, error) &&
           start_admin(daemon, error) && membership_start(daemon->membership, error) &&
           start_lookout(daemon, error) && anchorer_start(daemon->anchorer, error) &&
           daemon_start_secrets(daemon, error);
}

/* The next signal; 0: it is time to say that we are alive. */
static int wait_for_signal(const struct daemon *daemon, const sigset_t *signals) {
    int64_t ms = supervisor_watchdog_ms(daemon->supervisor);
    const struct timespec wait = {ms / 1000, (ms % 1000) * 1000000};
    int got = ms > 0 ? sigtimedwait(signals, NULL, &wait) : sigwaitinfo(signals, NULL);
    return got > 0 ? got : 0;
}

/* Until a signal to end comes: for ever. SIGHUP reloads. */
static void serve(struct daemon *daemon, const sigset_t *signals) {
    supervisor_notify(daemon->supervisor, "READY=1");
    memory_trim();
    for (;;) {
        int got = wait_for_signal(daemon, signals);
        if (got == SIGTERM || got == SIGINT) {
            return;
        }
        if (got == SIGHUP) {
            scoped(buffer_done) struct buffer findings = BUFFER_INIT;
            struct error error = {0};
            (void)!daemon_reload(daemon, TEXT("SIGHUP"), &findings, &error); /* it says why */
        }
        supervisor_notify(daemon->supervisor, "WATCHDOG=1");
    }
}

/* Until a signal to end comes, or `wait_ms` have passed. */
static void wait_for_end(const sigset_t *signals, int64_t wait_ms) {
    int64_t until = clock_mono_ms(&clock_system) + wait_ms;
    int64_t left = wait_ms;
    int got = 0;
    while (left > 0 && got != SIGTERM && got != SIGINT) {
        const struct timespec wait = {left / 1000, (left % 1000) * 1000000};
        got = sigtimedwait(signals, NULL, &wait);
        left = until - clock_mono_ms(&clock_system);
    }
}

static int64_t drain_ms(struct daemon *daemon) {
    scoped(snapshot_unref) struct snapshot *snapshot = daemon_snapshot(daemon);
    return snapshot->settings->drain_ms;
}

/* Readiness off; accept and commit while load balancers look away; then refuse, and answer who
 * waits. A second signal cuts the first part short. */
static void drain(struct daemon *daemon, const sigset_t *ends) {
    if (!daemon->events) {
        return;
    }
    intake_unready(daemon->intake);
    wait_for_end(ends, drain_ms(daemon));
    listener_drain(daemon->events);
    listener_quiesce(daemon->events);
    intake_release(daemon->intake);
    for (int64_t waited = 0; listener_pending(daemon->events) > 0 && waited < ANSWERS_MAX_MS;
         waited += STOP_POLL_MS) {
        clock_sleep_ms(STOP_POLL_MS);
    }
    listener_stop(&daemon->events);
}

static void note_stop(struct daemon *daemon) {
    struct error error = {0};
    if (!daemon_note(daemon, TEXT("riposte"), "stop", &error)) {
        log_warn(&here, "the stop could not be journaled: %s", error.text);
    }
    struct journal_anchor end = chain_end(daemon);
    anchor_log(&end);
}

static void stop(struct daemon *daemon, const sigset_t *ends) {
    if (daemon->supervisor) {
        supervisor_notify(daemon->supervisor, "STOPPING=1");
    }
    drain(daemon, ends);
    daemon_stop_secrets(daemon);
    if (daemon->journal) {
        journal_stop_claims(daemon->journal);
    }
    if (daemon->admin) {
        admin_rest(daemon->admin);
    }
    respond_free(&daemon->respond);
    if (daemon->admin_listener) {
        listener_stop(&daemon->admin_listener);
    }
    lookout_free(&daemon->lookout);
    membership_free(&daemon->membership);
    anchorer_free(&daemon->anchorer);
    admin_free(&daemon->admin);
    intake_free(&daemon->intake);
    secret_ask_with(NULL, NULL);
    aws_secrets_free(&daemon->secrets);
    aws_client_free(&daemon->aws);
    http_client_free(&daemon->http);
    if (daemon->journal) {
        note_stop(daemon);
    }
    journal_close(&daemon->journal);
    recent_free(&daemon->recent);
    drill_free(&daemon->drill);
    canaries_free(&daemon->canaries);
    snapshot_unref(&daemon->shared.snapshot);
    condition_done(&daemon->secrets_wake);
    mutex_done(&daemon->lock);
    mutex_done(&daemon->reloading);
    supervisor_free(&daemon->supervisor);
}

/* A connection is a descriptor; 1,024 are what a shell gives. */
static void raise_descriptors(void) {
    struct rlimit limit = {0};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
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
    bool has_no_sandbox = false;
    const struct cli_option options[] = {{"config", 'c', &path, NULL},
                                         {"no-sandbox", 0, NULL, &has_no_sandbox}};
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
    raise_descriptors();
    struct daemon daemon = {.settings_path = path,
                            .has_sandbox = !has_no_sandbox && !MAY_BE_TRACED};
    mutex_init(&daemon.lock);
    condition_init(&daemon.secrets_wake);
    mutex_init(&daemon.reloading);
    if (!log_start(&error)) {
        return cli_fail(argv[0], "%s", error.text), EXIT_NO;
    }
    bool is_started = start(&daemon, &ends, &error);
    if (is_started) {
        serve(&daemon, &ends);
        log_info(&here, "stopping");
    } else {
        log_error(&here, "cannot start: %s", error.text);
    }
    stop(&daemon, &ends);
    log_stop(LOG_STOP_MS);
    return is_started ? EXIT_GOOD : EXIT_NO;
}
