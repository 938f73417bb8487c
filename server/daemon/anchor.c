#include "riposte/daemon/anchor.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/base/thread.h"
#include "riposte/base/time.h"
#include "riposte/json/tree.h"
#include "riposte/json/writer.h"
#include "riposte/observe/log.h"
#include "riposte/observe/metrics.h"

#include <inttypes.h>

#define FIRST_PAUSE_MS 1000

enum { ANCHORS, LATEST, METRIC_COUNT };

static struct metric metrics[METRIC_COUNT] = {
    [ANCHORS] = {.name = "riposte_audit_anchors_total",
                 .help = "Times the end of the audit chain was noted in the bucket: done, failed.",
                 .type = METRIC_COUNTER,
                 .labels = {"outcome"}},
    [LATEST] = {.name = "riposte_audit_anchor_timestamp_seconds",
                .unit = "seconds",
                .type = METRIC_GAUGE,
                .help = "When the end of the audit chain was last noted in the bucket, since 1970.",
                .divisor = 1000},
};

static const struct log_context here = {.component = "audit"};

struct anchorer {
    struct anchorer_options options;
    struct thread thread;

    /* Of the thread alone. */
    int64_t log_mono_ms, put_mono_ms; /* when each is due */
    unsigned failures;                /* one after the other */

    struct mutex lock; /* of `shared` */
    struct condition has_news;
    struct {
        bool must_renew, is_ending;
    } shared;
};

/* ---- in the log ---- */

void anchor_log(const struct journal_anchor *anchor) {
    char text[JOURNAL_ANCHOR_BYTES];
    journal_anchor_format(anchor, text);
    log_info(&here, "audit anchor %s", text);
}

/* ---- in the bucket ---- */

static void write_body(const struct journal_anchor *anchor, int64_t now_unix_ms,
                       struct buffer *out) {
    struct json_writer writer;
    char text[JOURNAL_ANCHOR_BYTES];
    char time[TIME_TEXT_BYTES];
    journal_anchor_format(anchor, text);
    time_format_ms(now_unix_ms, time);
    json_writer_init(&writer, out);
    json_open_object(&writer, NULL);
    json_put_string(&writer, "anchor", text);
    json_put_string(&writer, "time", time);
    json_put_string(&writer, "version", RIPOSTE_VERSION);
    json_close_object(&writer);
}

static struct json *lock_headers(const struct settings *settings, int64_t now_unix_ms,
                                 struct arena *arena) {
    struct json *headers = json_new_object(arena);
    char until[TIME_TEXT_BYTES];
    int64_t retain_ms = settings->audit.anchor.s3.retain_ms;
    json_add_text(arena, headers, "Content-Type", TEXT("application/json"));
    if (retain_ms > 0) {
        time_format_s(now_unix_ms + retain_ms, until);
        json_add_text(arena, headers, "x-amz-object-lock-mode", TEXT("COMPLIANCE"));
        json_add_text(arena, headers, "x-amz-object-lock-retain-until-date", text_of(until));
    }
    return headers;
}

static const struct json *make_request(const struct settings *settings,
                                       const struct journal_anchor *anchor, int64_t now_unix_ms,
                                       struct arena *arena) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    struct json *request = json_new_object(arena);
    struct json *body = json_new_object(arena);
    char now[TIME_TEXT_BYTES];
    time_format_basic(now_unix_ms, now);
    write_body(anchor, now_unix_ms, &text);
    json_add_text(arena, body, "raw", arena_copy_text(arena, buffer_text(&text)));
    json_add_text(arena, request, "method", TEXT("PUT"));
    json_add_text(arena, request, "path",
                  arena_format(arena, "/%.*s/%.*s%s-%" PRId64 ".json",
                               TEXT_ARG(settings->audit.anchor.s3.bucket),
                               TEXT_ARG(settings->audit.anchor.s3.prefix), now, anchor->sequence));
    json_add_member(arena, request, TEXT("headers"), lock_headers(settings, now_unix_ms, arena));
    json_add_member(arena, request, TEXT("body"), body);
    return request;
}

static bool put(struct anchorer *anchorer, const struct settings *settings,
                const struct journal_anchor *anchor, struct error *error) {
    const struct anchorer_options *options = &anchorer->options;
    const struct permit permit = {.class = PERMIT_OWN, .mode = settings->mode};
    scoped(arena_free) struct arena *arena = arena_new();
    const struct aws_call call = {
        .service = TEXT("s3"),
        .operation = TEXT("PutObject"),
        .request = make_request(settings, anchor, clock_unix_ms(options->clock), arena)};
    scoped(aws_answer_free) struct aws_answer *answer = options->call_fn(options->call_arg, &permit,
                                                                         &call);
    return answer->outcome == AWS_OK ||
           error_set(error, ERROR_SYSTEM, "%.*s%s%.*s", TEXT_ARG(answer->error_code),
                     answer->error_code.bytes > 0 ? ": " : "", TEXT_ARG(answer->message));
}

static int64_t pause_ms(const struct anchorer *anchorer) {
    int64_t pause = FIRST_PAUSE_MS;
    for (unsigned i = 1; i < anchorer->failures && pause < ANCHOR_PAUSE_MS; i++) {
        pause *= 2;
    }
    return pause < ANCHOR_PAUSE_MS ? pause : ANCHOR_PAUSE_MS;
}

/* In ms, when the next is to be put. */
static int64_t note_in_bucket(struct anchorer *anchorer, const struct settings *settings) {
    struct journal_anchor end = anchorer->options.end_fn(anchorer->options.arg);
    struct error error = {0};
    if (put(anchorer, settings, &end, &error)) {
        anchorer->failures = 0;
        metric_add(&metrics[ANCHORS], 1, METRIC_LABELS(TEXT("done")));
        metric_set(&metrics[LATEST], clock_unix_ms(anchorer->options.clock), NULL);
        return settings->audit.anchor.every_ms;
    }
    anchorer->failures++;
    int64_t wait_ms = pause_ms(anchorer);
    metric_add(&metrics[ANCHORS], 1, METRIC_LABELS(TEXT("failed")));
    log_error(&here,
              "the end of the audit chain is not noted in the bucket %.*s; tried again in %" PRId64
              " s: %s",
              TEXT_ARG(settings->audit.anchor.s3.bucket), wait_ms / 1000, error.text);
    return wait_ms;
}

/* ---- a step ---- */

static bool take_renewal(struct anchorer *anchorer) {
    mutex_lock(&anchorer->lock);
    bool must_renew = anchorer->shared.must_renew;
    anchorer->shared.must_renew = false;
    mutex_unlock(&anchorer->lock);
    return must_renew;
}

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

int64_t anchorer_step(struct anchorer *anchorer) {
    const struct anchorer_options *options = &anchorer->options;
    scoped(snapshot_unref) struct snapshot *snapshot = options->snapshot_fn(options->arg);
    const struct settings *settings = snapshot->settings;
    bool has_bucket = settings->audit.anchor.s3.bucket.bytes > 0;
    int64_t now_ms = clock_mono_ms(options->clock);
    if (take_renewal(anchorer)) {
        anchorer->log_mono_ms = anchorer->put_mono_ms = now_ms;
    }
    if (now_ms >= anchorer->log_mono_ms) {
        struct journal_anchor end = options->end_fn(options->arg);
        anchor_log(&end);
        anchorer->log_mono_ms = now_ms + settings->audit.anchor.every_ms;
    }
    if (has_bucket && now_ms >= anchorer->put_mono_ms) {
        anchorer->put_mono_ms = now_ms + note_in_bucket(anchorer, settings);
    }
    int64_t due_ms = has_bucket ? earlier(anchorer->log_mono_ms, anchorer->put_mono_ms)
                                : anchorer->log_mono_ms;
    int64_t left_ms = due_ms - clock_mono_ms(options->clock);
    return left_ms > 0 ? left_ms : 0;
}

/* ---- the thread ---- */

/* False at the end. */
static bool wait_for_news(struct anchorer *anchorer, int64_t wait_ms) {
    mutex_lock(&anchorer->lock);
    if (wait_ms > 0 && !anchorer->shared.is_ending && !anchorer->shared.must_renew) {
        (void)condition_wait_ms(&anchorer->has_news, &anchorer->lock, wait_ms);
    }
    bool is_ending = anchorer->shared.is_ending;
    mutex_unlock(&anchorer->lock);
    return !is_ending;
}

static void run(void *arg) {
    struct anchorer *anchorer = arg;
    while (wait_for_news(anchorer, anchorer_step(anchorer))) {}
}

struct anchorer *anchorer_new(const struct anchorer_options *options) {
    struct anchorer *anchorer = memory_new(sizeof(*anchorer));
    anchorer->options = *options;
    anchorer->log_mono_ms = anchorer->put_mono_ms = clock_mono_ms(options->clock);
    mutex_init(&anchorer->lock);
    condition_init(&anchorer->has_news);
    metrics_register(metrics, METRIC_COUNT);
    return anchorer;
}

bool anchorer_start(struct anchorer *anchorer, struct error *error) {
    return thread_start(&anchorer->thread, "anchor", run, anchorer, error);
}

void anchorer_free(struct anchorer **anchorer_at) {
    struct anchorer *anchorer = *anchorer_at;
    if (anchorer == NULL) {
        return;
    }
    mutex_lock(&anchorer->lock);
    anchorer->shared.is_ending = true;
    condition_signal(&anchorer->has_news);
    mutex_unlock(&anchorer->lock);
    thread_join(&anchorer->thread);
    condition_done(&anchorer->has_news);
    mutex_done(&anchorer->lock);
    memory_free_at(anchorer_at);
}

void anchorer_renew(struct anchorer *anchorer) {
    mutex_lock(&anchorer->lock);
    anchorer->shared.must_renew = true;
    condition_signal(&anchorer->has_news);
    mutex_unlock(&anchorer->lock);
}
