#include "parts.h"

#include "riposte/base/clock.h"
#include "riposte/base/memory.h"
#include "riposte/base/time.h"
#include "riposte/inbound/request.h"
#include "riposte/observe/log.h"

#include <time.h>

#define POLL_MS       250
#define RETRY_AFTER_S 5
#define CONNECTIONS   256
#define MEMORY_BYTES  (1024u * 1024)
#define IDLE_MS       10000

static const struct log_context here = {.component = "daemon"};

/* ---- what is answered meanwhile -----------------------------------------------------------------
 */

static void handle_health(void *arg, struct request *request) {
    (void)arg;
    request_answer(request,
                   &(struct answer){.status = 200, .body = TEXT("{\"status\":\"alive\"}\n")});
}

static bool refuse(void *arg, struct request *request) {
    (void)arg;
    request_answer_busy(request, 503, "another server still holds the journal", RETRY_AFTER_S);
    return false;
}

static void handle_ready(void *arg, struct request *request) {
    (void)refuse(arg, request);
}

/* What is answered 503 comes again: EventBridge keeps it. */
static bool start_answering(const struct settings *settings, const struct supervisor *supervisor,
                            const struct route *routes, size_t route_count,
                            struct listener **listener_out, struct error *error) {
    scoped(memory_free_at) char *address = text_copy(settings->listen.address);
    const struct listener_options options = {
        .name = "waiting",
        .address = address,
        .port = settings->listen.port,
        .has_socket = supervisor_socket(supervisor, "intake") >= 0,
        .socket = supervisor_socket(supervisor, "intake"),
        .routes = routes,
        .route_count = route_count,
        .limits = {.threads = 1,
                   .connections = CONNECTIONS,
                   .memory_bytes = MEMORY_BYTES,
                   .idle_ms = IDLE_MS},
    };
    return listener_start(&options, listener_out, error) ||
           error_wrap(error, "listen on %s port %u", address, (unsigned)settings->listen.port);
}

static void stop_answering(struct listener **listener) {
    listener_drain(*listener);
    listener_quiesce(*listener);
    listener_stop(listener);
}

/* ---- waiting ------------------------------------------------------------------------------------
 */

static bool is_told_to_end(const sigset_t *signals) {
    const struct timespec poll = {0, POLL_MS * 1000000};
    int got = sigtimedwait(signals, NULL, &poll);
    return got == SIGTERM || got == SIGINT;
}

/* Until it is open, or can't be for another reason than the one that we wait for. */
static bool try_until(const struct journal_options *options, int64_t until_mono_ms,
                      const sigset_t *signals, struct journal **journal_out, struct error *error) {
    do {
        if (is_told_to_end(signals)) {
            return error_wrap(error, "told to end while waiting");
        }
        if (journal_open(options, journal_out, error)) {
            return true;
        }
    } while (error->code == ERROR_BUSY && clock_mono_ms(&clock_system) < until_mono_ms);
    return false;
}

bool daemon_open_journal(const struct settings *settings, const struct supervisor *supervisor,
                         const struct journal_options *options, const sigset_t *signals,
                         struct journal **journal_out, struct error *error) {
    if (journal_open(options, journal_out, error)) {
        return true;
    }
    int64_t wait_ms = settings->journal_wait_ms;
    if (error->code != ERROR_BUSY || wait_ms == 0) {
        return false;
    }
    scoped(memory_free_at) char *path = text_copy(settings->listen.path);
    const struct route routes[] = {
        {"GET", "/healthz", 0, NULL, handle_health, NULL},
        {"GET", "/readyz", 0, NULL, handle_ready, NULL},
        {"POST", path, 0, refuse, handle_ready, NULL},
    };
    char wait[TIME_TEXT_BYTES];
    struct listener *listener = NULL;
    struct error unable = {0};
    if (!start_answering(settings, supervisor, routes, ARRAY_COUNT(routes), &listener, &unable)) {
        return error_wrap(error, "%s", unable.text); /* it runs on this very host */
    }
    duration_format(wait_ms, wait);
    log_warn(&here, "%s: waits up to %s for it, and answers 503 meanwhile", error->text, wait);
    bool is_open = try_until(options, clock_mono_ms(&clock_system) + wait_ms, signals, journal_out,
                             error);
    stop_answering(&listener);
    if (is_open) {
        log_info(&here, "the journal is free");
        return true;
    }
    return error->code != ERROR_BUSY ? false : error_wrap(error, "waited %s in vain", wait);
}
