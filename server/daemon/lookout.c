#include "riposte/daemon/lookout.h"

#include "riposte/base/latch.h"
#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/base/thread.h"
#include "riposte/base/time.h"
#include "riposte/config/builtin.h"
#include "riposte/crypto/random.h"
#include "riposte/crypto/sha256.h"
#include "riposte/json/writer.h"
#include "riposte/observe/log.h"

#include <inttypes.h>

static const struct log_context here = {.component = "canary"};

struct lookout {
    struct lookout_options options;
    struct thread thread;
    struct mutex lock; /* of `shared` */
    struct condition has_news;
    struct {
        bool is_ending;
    } shared;
};

static const struct canary *find(const struct settings *settings,
                                 const struct canary_change *change) {
    for (size_t i = 0; i < settings->canary.count; i++) {
        const struct canary *canary = &settings->canary.items[i];
        if (text_equal_string(canary->region, change->region) &&
            text_equal_string(canary->resource, change->resource)) {
            return canary;
        }
    }
    return NULL;
}

/* ---- an incident ---- */

/* Of the same silence it is the same event: appended again it is known. */
static struct text make_key(const struct canary *canary, const struct canary_change *change,
                            struct arena *arena) {
    return arena_format(arena, "riposte-canary-%.*s-%.*s-%" PRId64, TEXT_ARG(canary->region),
                        TEXT_ARG(canary->service), change->since_unix_ms);
}

static void put_time(struct json_writer *writer, const char *name, int64_t unix_ms) {
    char text[TIME_TEXT_BYTES];
    time_format_s(unix_ms, text);
    json_put_string(writer, name, text);
}

static struct blob *make_event(const struct canary *canary, const struct canary_change *change,
                               struct text key, int64_t now_unix_ms) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    struct json_writer writer;
    json_writer_init(&writer, &text);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "id", key);
    json_put_string(&writer, "source", CANARY_SOURCE);
    json_put_string(&writer, "detail-type", CANARY_DETAIL_TYPE);
    json_put_text(&writer, "account", canary_account(canary));
    json_put_text(&writer, "region", canary->region);
    put_time(&writer, "time", now_unix_ms);
    json_open_object(&writer, "detail");
    json_put_text(&writer, "eventID", key);
    json_put_string(&writer, "eventName", "CanaryStale");
    json_put_text(&writer, "resource", canary->resource);
    json_put_text(&writer, "role", canary->role);
    json_put_bool(&writer, "wasHeard", change->was_heard);
    put_time(&writer, "since", change->since_unix_ms);
    json_close_object(&writer);
    json_close_object(&writer);
    return blob_from_buffer(&text);
}

struct appending {
    struct latch done;
    struct error error;
};

static void on_appended(void *arg, const bool *is_known, size_t count, const struct error *error) {
    struct appending *appending = arg;
    (void)is_known;
    (void)count;
    if (error != NULL) {
        appending->error = *error;
    }
    latch_open(&appending->done);
}

static bool append(struct lookout *lookout, const struct journal_new_event *event,
                   struct error *error) {
    struct appending appending = {0};
    latch_init(&appending.done);
    journal_append(lookout->options.journal, event, 1, on_appended, &appending);
    latch_wait(&appending.done);
    latch_done(&appending.done);
    *error = appending.error;
    return appending.error.code == ERROR_NONE;
}

static bool tell_stale(struct lookout *lookout, const struct snapshot *snapshot,
                       const struct canary *canary, const struct canary_change *change,
                       struct error *error) {
    scoped(arena_free) struct arena *arena = arena_new();
    const struct definition *definition =
        snapshot->definitions[snapshot->rule_count + BUILTIN_CANARY];
    int64_t now_unix_ms = clock_unix_ms(lookout->options.clock);
    struct text key = make_key(canary, change, arena);
    struct journal_definition kept = {.text = definition->text};
    sha256(blob_text(definition->text), kept.hash);
    const struct journal_new_incident incident = {.id = random_ulid(now_unix_ms),
                                                  .rule = definition->rule->name,
                                                  .subject = canary->resource,
                                                  .severity = definition->rule->severity,
                                                  .mode = snapshot->settings->mode,
                                                  .principal_id = TEXT("unknown"),
                                                  .account = canary_account(canary),
                                                  .region = canary->region,
                                                  .definition = &kept};
    struct blob *body = make_event(canary, change, key, now_unix_ms);
    const struct journal_new_event event = {.key = key,
                                            .body = body,
                                            .received_unix_ms = now_unix_ms,
                                            .event_unix_ms = now_unix_ms,
                                            .incidents = &incident,
                                            .incident_count = 1};
    bool is_appended = append(lookout, &event, error);
    blob_unref(&body);
    return is_appended;
}

/* ---- a look ---- */

static void take(struct lookout *lookout, const struct snapshot *snapshot,
                 const struct canary_change *change) {
    const struct canary *canary = find(snapshot->settings, change);
    struct error error = {0};
    if (canary == NULL) { /* a reload came between */
        return;
    }
    if (!change->is_stale) {
        log_info(&here, "the canary %s of %s is heard again", change->resource, change->region);
    } else if (tell_stale(lookout, snapshot, canary, change, &error)) {
        canaries_tell(lookout->options.canaries, canary->region, canary->resource);
    } else { /* the next look tries again */
        log_error(&here, "the canary %s of %s is stale, which can't be journaled: %s",
                  change->resource, change->region, error.text);
    }
}

void lookout_step(struct lookout *lookout) {
    struct canary_change changes[CANARIES_KEPT];
    size_t count = canaries_look(lookout->options.canaries, changes);
    if (count == 0 || !journal_is_ready(lookout->options.journal)) {
        return; /* what can't be journaled now is told later */
    }
    scoped(snapshot_unref) struct snapshot *snapshot = lookout->options.snapshot_fn(
        lookout->options.arg);
    for (size_t i = 0; i < count; i++) {
        take(lookout, snapshot, &changes[i]);
    }
}

/* ---- the thread ---- */

static bool wait(struct lookout *lookout) {
    mutex_lock(&lookout->lock);
    if (!lookout->shared.is_ending) {
        (void)condition_wait_ms(&lookout->has_news, &lookout->lock, LOOKOUT_EVERY_MS);
    }
    bool goes_on = !lookout->shared.is_ending;
    mutex_unlock(&lookout->lock);
    return goes_on;
}

static void run(void *arg) {
    while (wait(arg)) {
        lookout_step(arg);
    }
}

struct lookout *lookout_new(const struct lookout_options *options) {
    struct lookout *lookout = memory_new(sizeof(*lookout));
    lookout->options = *options;
    mutex_init(&lookout->lock);
    condition_init(&lookout->has_news);
    return lookout;
}

bool lookout_start(struct lookout *lookout, struct error *error) {
    return thread_start(&lookout->thread, "canary", run, lookout, error);
}

void lookout_free(struct lookout **lookout_at) {
    struct lookout *lookout = *lookout_at;
    if (lookout == NULL) {
        return;
    }
    mutex_lock(&lookout->lock);
    lookout->shared.is_ending = true;
    condition_signal(&lookout->has_news);
    mutex_unlock(&lookout->lock);
    thread_join(&lookout->thread);
    condition_done(&lookout->has_news);
    mutex_done(&lookout->lock);
    memory_free_at(lookout_at);
}
