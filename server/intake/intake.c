#include "riposte/intake/intake.h"

#include "batch.h"
#include "hold.h"
#include "setup.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/crypto/random.h"
#include "riposte/inbound/request.h"
#include "riposte/inbound/strikes.h"
#include "riposte/json/writer.h"
#include "riposte/observe/log.h"
#include "riposte/observe/metrics.h"
#include "riposte/observe/trace.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define RETRY_AFTER_S   5
#define STRUCK_AFTER_S  30
#define LOG_INTERVAL_MS 1000

enum { ROUTE_EVENTS, ROUTE_HEALTH, ROUTE_READY, ROUTE_COUNT };

/* What one thread of the listener works with. */
struct bench {
    struct bench *next;
    struct match_scratch *scratch;
    struct arena *arena;
    struct setup *setup;
    unsigned generation;
};

struct intake {
    struct intake_options options;
    struct route routes[ROUTE_COUNT];
    char *path;
    pthread_key_t bench_key;
    atomic_uint generation; /* of shared.current */
    atomic_bool is_unready;
    struct strikes *strikes;
    struct holds *holds;
    struct journal_watcher watcher;
    atomic_size_t pending_count;
    atomic_int_least64_t unauthenticated_logged_mono_ms, refused_logged_mono_ms;
    struct mutex lock;
    struct {
        struct setup *current;
        struct bench *benches;
    } shared; /* with `lock` */
};

enum {
    METRIC_EVENTS,
    METRIC_RULES,
    METRIC_REFUSED,
    METRIC_ANSWER_SECONDS,
    METRIC_AGE_SECONDS,
    METRIC_HELD,
    METRIC_COUNT,
};

static const double age_buckets[] = {0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 900, 3600, 86400};

static struct metric metrics[METRIC_COUNT] = {
    [METRIC_EVENTS] =
        {.name = "riposte_events_total",
         .help = "Events by what became of them: no-match, canary, matched, counted (for a "
                 "threshold), known, or rejected and to be sent again.",
         .type = METRIC_COUNTER,
         .labels = {"outcome"}},
    [METRIC_RULES] = {.name = "riposte_rule_matches_total",
                      .help = "How often each rule fired on an event that was new.",
                      .type = METRIC_COUNTER,
                      .labels = {"rule"}},
    [METRIC_REFUSED] = {.name = "riposte_intake_refused_total",
                        .help = "Requests refused: unauthenticated, invalid, limit, unavailable.",
                        .type = METRIC_COUNTER,
                        .labels = {"reason"}},
    [METRIC_ANSWER_SECONDS] = {.name = "riposte_intake_seconds",
                               .help = "From a request's first line to its answer.",
                               .unit = "seconds",
                               .type = METRIC_HISTOGRAM},
    [METRIC_AGE_SECONDS] = {.name = "riposte_event_age_seconds",
                            .help = "From an event's own time to its arrival.",
                            .unit = "seconds",
                            .type = METRIC_HISTOGRAM,
                            .buckets = age_buckets,
                            .bucket_count = ARRAY_COUNT(age_buckets)},
    [METRIC_HELD] = {.name = "riposte_intake_held_total",
                     .help = "Requests answered when their response was done, or before that "
                             "because it was late (acknowledge: responded).",
                     .type = METRIC_COUNTER,
                     .labels = {"outcome"}},
};

/* What is alerted on stands at 0 from the start: an increase from nothing would not be seen. */
static void register_metrics(void) {
    static const char *const reasons[] = {"unauthenticated", "invalid", "limit", "unavailable"};
    static const char *const outcomes[] = {"no-match", "canary", "matched",
                                           "counted",  "known",  "rejected"};
    metrics_register(metrics, METRIC_COUNT);
    for (size_t i = 0; i < ARRAY_COUNT(reasons); i++) {
        metric_add(&metrics[METRIC_REFUSED], 0, METRIC_LABELS(text_of(reasons[i])));
    }
    for (size_t i = 0; i < ARRAY_COUNT(outcomes); i++) {
        metric_add(&metrics[METRIC_EVENTS], 0, METRIC_LABELS(text_of(outcomes[i])));
    }
}

static void count_event(const char *outcome, uint64_t by) {
    metric_add(&metrics[METRIC_EVENTS], by, METRIC_LABELS(text_of(outcome)));
}

static void count_refused(const char *reason) {
    metric_add(&metrics[METRIC_REFUSED], 1, METRIC_LABELS(text_of(reason)));
}

static void measure_answer(const struct request *request) {
    metric_observe_us(&metrics[METRIC_ANSWER_SECONDS],
                      clock_mono_us(&clock_system) - request_began_mono_us(request), NULL);
}

/* ---- what a thread works with -------------------------------------------------------------------
 */

static struct bench *bench_new(struct intake *intake) {
    struct bench *bench = memory_new(sizeof(*bench));
    bench->scratch = match_scratch_new();
    bench->arena = arena_new();
    mutex_lock(&intake->lock);
    bench->next = intake->shared.benches;
    intake->shared.benches = bench;
    mutex_unlock(&intake->lock);
    pthread_setspecific(intake->bench_key, bench);
    return bench;
}

static void bench_free(struct bench *bench) {
    match_scratch_free(&bench->scratch);
    arena_free(&bench->arena);
    setup_unref(&bench->setup);
    free(bench);
}

/* This thread's, with the newest setup. Takes the lock only when there is a newer one. */
static struct bench *bench_take(struct intake *intake) {
    struct bench *bench = pthread_getspecific(intake->bench_key);
    if (bench == NULL) {
        bench = bench_new(intake);
    }
    if (bench->setup == NULL || bench->generation != atomic_load(&intake->generation)) {
        setup_unref(&bench->setup);
        mutex_lock(&intake->lock);
        bench->setup = setup_ref(intake->shared.current);
        bench->generation = atomic_load(&intake->generation);
        mutex_unlock(&intake->lock);
    }
    return bench;
}

/* ---- who sent it --------------------------------------------------------------------------------
 */

/* Once a second at most: neither strangers nor an overload may fill the log. The metrics count all.
 */
static bool may_log(atomic_int_least64_t *logged_mono_ms) {
    int64_t now_ms = clock_mono_ms(&clock_system);
    int64_t last_ms = atomic_load(logged_mono_ms);
    return now_ms - last_ms >= LOG_INTERVAL_MS &&
           atomic_compare_exchange_strong(logged_mono_ms, &last_ms, now_ms);
}

static void log_unauthenticated(struct intake *intake, struct request *request) {
    if (may_log(&intake->unauthenticated_logged_mono_ms)) {
        log_warn(&(struct log_context){.component = "intake",
                                       LOG_FIELDS(log_text("peer", request_peer(request)))},
                 "401: missing or wrong secret (riposte_intake_refused_total counts all of them)");
    }
}

/* Whoever guesses needs a new connection for each guess. EventBridge takes it as a 401. */
static const struct answer struck = {
    .status = 429,
    .body = TEXT_INIT("{\"error\":\"missing or wrong secret, too often\"}\n"),
    .retry_after_s = STRUCK_AFTER_S,
    .is_last = true,
};

static bool gate_secret(void *arg, struct request *request) {
    struct intake *intake = arg;
    const struct bench *bench = bench_take(intake);
    size_t index = 0;
    if (authenticator_accepts(bench->setup->authenticator,
                              request_header(request, bench->setup->header), &index)) {
        return true;
    }
    if (intake->options.unknown_secret_fn != NULL) {
        intake->options.unknown_secret_fn(intake->options.unknown_secret_arg);
    }
    count_refused("unauthenticated");
    log_unauthenticated(intake, request);
    if (strikes_add(intake->strikes, request_peer(request), clock_mono_ms(&clock_system))) {
        request_answer(request, &struck);
    } else {
        request_answer_error(request, 401, "missing or wrong secret");
    }
    return false;
}

/* ---- answers ------------------------------------------------------------------------------------
 */

/* A request that waits for its commit: all that the answer and the ring of recent events need. */
struct pending {
    struct intake *intake;
    struct request *request;
    struct trace trace;
    struct arena *arena; /* holds the pending too */
    struct pending_event *events;
    size_t count;
    bool is_array;
    struct hold *hold; /* NULL: the answer waits for the commit alone */
};

struct pending_event {
    bool is_stored, is_known; /* is_stored: it was given to the journal */
    bool is_drill;
    struct recent_note note; /* key, rules, ... */
    struct text *rules;      /* the note's */
    struct ulid *incidents;  /* one a rule */
    bool *has_fired;         /* likewise: the journal says */
};

static struct recent_note make_note(const struct batch_event *event, int64_t received_unix_ms) {
    return (struct recent_note){.received_unix_ms = received_unix_ms,
                                .key = event->envelope.key,
                                .source = event->envelope.source,
                                .detail_type = event->envelope.detail_type,
                                .account = event->envelope.account,
                                .region = event->envelope.region,
                                .event_name = event->envelope.event_name,
                                .outcome = event->is_canary ? TEXT("canary") : TEXT("no-match")};
}

static void write_event(struct json_writer *writer, const struct pending_event *event) {
    json_open_object(writer, NULL);
    json_put_text(writer, "event", event->note.key);
    if (event->is_known) {
        json_put_bool(writer, "known", true);
    }
    json_open_array(writer, "incidents");
    for (size_t i = 0; i < event->note.rule_count && !event->is_known; i++) {
        json_open_object(writer, NULL);
        json_put_text(writer, "id", ulid_text(&event->incidents[i]));
        json_put_text(writer, "rule", event->note.rules[i]);
        json_close_object(writer);
    }
    json_close_array(writer);
    json_close_object(writer);
}

static void answer_events(struct request *request, const struct pending_event *events, size_t count,
                          bool is_array) {
    struct buffer body = BUFFER_INIT;
    struct json_writer writer;
    bool is_any_new = false;
    json_writer_init(&writer, &body);
    if (is_array) {
        json_open_object(&writer, NULL);
        json_open_array(&writer, "events");
    }
    for (size_t i = 0; i < count; i++) {
        is_any_new |= events[i].is_stored && !events[i].is_known;
        write_event(&writer, &events[i]);
    }
    if (is_array) {
        json_close_array(&writer);
        json_close_object(&writer);
    }
    measure_answer(request);
    request_answer(request,
                   &(struct answer){.status = is_any_new ? 202 : 200, .body = buffer_text(&body)});
    buffer_done(&body);
}

/* The one that the sender gave; false: it gave none that is one. */
static bool given_trace(const struct request *request, struct trace *trace_out) {
    return trace_from_parent(request_header(request, "traceparent"), trace_out) ||
           trace_from_amazon(request_header(request, "X-Amzn-Trace-Id"), trace_out);
}

static struct trace trace_of(const struct request *request) {
    struct trace trace = {{0}};
    if (!given_trace(request, &trace)) {
        uint8_t random[TRACE_ID_BYTES];
        random_bytes(random, sizeof(random));
        trace = trace_make(random);
    }
    return trace;
}

static void answer_invalid(struct request *request, const struct error *error) {
    struct trace trace = trace_of(request);
    count_refused("invalid");
    log_warn(&(struct log_context){.component = "intake",
                                   .trace = trace_text(&trace),
                                   LOG_FIELDS(log_text("peer", request_peer(request)))},
             "400: %s", error->text);
    measure_answer(request);
    request_answer_error(request, 400, error->text);
}

/* ---- the journal's answer -----------------------------------------------------------------------
 */

static void pending_free(struct pending *pending) {
    struct arena *arena = pending->arena;
    arena_free(&arena);
}

static void log_incidents(const struct pending_event *event, struct text trace) {
    for (size_t i = 0; i < event->note.rule_count; i++) {
        log_info(&(struct log_context){.component = "intake",
                                       .event = event->note.key,
                                       .incident = ulid_text(&event->incidents[i]),
                                       .trace = trace},
                 "rule %.*s fired on %.*s", TEXT_ARG(event->note.rules[i]),
                 TEXT_ARG(event->note.event_name));
        metric_add(&metrics[METRIC_RULES], 1, METRIC_LABELS(event->note.rules[i]));
    }
}

/* Rules whose threshold isn't reached have no incident. */
static void keep_fired(struct pending_event *event) {
    size_t kept = 0;
    for (size_t i = 0; i < event->note.rule_count; i++) {
        if (event->has_fired[i]) {
            event->rules[kept] = event->rules[i];
            event->incidents[kept++] = event->incidents[i];
        }
    }
    event->note.rule_count = kept;
}

static void settle_event(struct pending *pending, struct pending_event *event) {
    if (event->is_drill) {
        drill_pass(pending->intake->options.drill, event->note.key, DRILL_COMMITTED, "");
    }
    if (event->is_stored && !event->is_known) {
        keep_fired(event);
        event->note.outcome = event->note.rule_count > 0 ? TEXT("matched") : TEXT("counted");
        log_incidents(event, trace_text(&pending->trace));
    } else if (event->is_stored) {
        event->note.outcome = TEXT("known");
    }
    recent_add(pending->intake->options.recent, &event->note);
    metric_add(&metrics[METRIC_EVENTS], 1, METRIC_LABELS(event->note.outcome));
}

static void answer_pending(struct pending *pending) {
    answer_events(pending->request, pending->events, pending->count, pending->is_array);
    pending_free(pending);
}

/* ---- who waits for the response ---- */

static void on_held(void *arg, bool is_late) {
    metric_add(&metrics[METRIC_HELD], 1, METRIC_LABELS(is_late ? TEXT("late") : TEXT("responded")));
    answer_pending(arg);
}

static void on_settled(void *arg, const struct ulid *incident) {
    struct intake *intake = arg;
    holds_settle(intake->holds, incident);
}

static size_t count_incidents(const struct pending *pending) {
    size_t count = 0;
    for (size_t i = 0; i < pending->count; i++) {
        count += pending->events[i].note.rule_count;
    }
    return count;
}

/* What may be settled before the journal has called back. */
static void hold(struct intake *intake, struct pending *pending) {
    int64_t hold_ms = intake->options.hold_ms > 0 ? intake->options.hold_ms : INTAKE_HOLD_MS;
    pending->hold = hold_new(intake->holds, count_incidents(pending),
                             request_began_mono_us(pending->request) / 1000 + hold_ms, on_held,
                             pending, pending->arena);
    for (size_t i = 0; i < pending->count && pending->hold != NULL; i++) {
        for (size_t k = 0; k < pending->events[i].note.rule_count; k++) {
            hold_add(intake->holds, pending->hold, &pending->events[i].incidents[k]);
        }
    }
}

/* Of a known event there are no new incidents, nor of a rule whose threshold isn't reached. */
static void let_go_of_unborn(const struct pending *pending, const struct pending_event *event) {
    for (size_t i = 0; i < event->note.rule_count && pending->hold != NULL; i++) {
        if (event->is_known || !event->has_fired[i]) {
            holds_settle(pending->intake->holds, &event->incidents[i]);
        }
    }
}

/* ---- what the journal said ---- */

static void take_stored(struct pending *pending, const bool *is_known, size_t count) {
    size_t stored = 0;
    for (size_t i = 0; i < pending->count; i++) {
        struct pending_event *event = &pending->events[i];
        if (event->is_stored) {
            assert(stored < count);
            event->is_known = is_known[stored++];
            let_go_of_unborn(pending, event);
        }
        settle_event(pending, event);
    }
}

static void break_drills(const struct pending *pending, const struct error *error) {
    for (size_t i = 0; i < pending->count; i++) {
        if (pending->events[i].is_drill) {
            drill_break(pending->intake->options.drill, pending->events[i].note.key,
                        DRILL_COMMITTED, error->text);
        }
    }
}

/* EventBridge sends both again; 429 slows down whoever sends too much, 503 is ours. */
static void answer_refused(struct pending *pending, const struct error *error) {
    bool is_full = error->code == ERROR_LIMIT;
    count_event("rejected", pending->count);
    break_drills(pending, error);
    count_refused(is_full ? "limit" : "unavailable");
    if (may_log(&pending->intake->refused_logged_mono_ms)) {
        log_error(&(struct log_context){.component = "intake",
                                        .event = pending->events[0].note.key,
                                        .trace = trace_text(&pending->trace)},
                  "%d: %s", is_full ? 429 : 503, error->text);
    }
    measure_answer(pending->request);
    request_answer_busy(pending->request, is_full ? 429 : 503,
                        is_full ? "too many events wait for their response"
                                : "the journal can't store it now",
                        RETRY_AFTER_S);
}

static void on_appended(void *arg, const bool *is_known, size_t count, const struct error *error) {
    struct pending *pending = arg;
    /* First, because once the request is answered the intake may be stopped and freed. */
    atomic_fetch_sub(&pending->intake->pending_count, 1);
    if (error == NULL) {
        take_stored(pending, is_known, count);
        if (pending->hold == NULL || hold_commit(pending->intake->holds, pending->hold)) {
            answer_pending(pending);
        } /* else it may be answered and gone by now */
        return;
    }
    if (pending->hold != NULL) {
        hold_cancel(pending->intake->holds, pending->hold);
    }
    answer_refused(pending, error);
    pending_free(pending);
}

/* ---- a request's way ----------------------------------------------------------------------------
 */

static void copy_note(struct recent_note *note, struct arena *arena) {
    struct text *texts[] = {&note->key,     &note->source, &note->detail_type,
                            &note->account, &note->region, &note->event_name};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        *texts[i] = arena_copy_text(arena, *texts[i]);
    }
}

static void fill_pending_event(struct pending_event *pending, const struct batch_event *event,
                               int64_t received_unix_ms, struct arena *arena) {
    pending->is_stored = event->rule_count > 0;
    pending->is_drill = event->is_drill;
    pending->note = make_note(event, received_unix_ms);
    copy_note(&pending->note, arena);
    struct text *rules = arena_alloc_array(arena, event->rule_count, sizeof(*rules));
    struct ulid *incidents = arena_alloc_array(arena, event->rule_count, sizeof(*incidents));
    bool *has_fired = arena_alloc_array(arena, event->rule_count, sizeof(*has_fired));
    for (size_t i = 0; i < event->rule_count; i++) {
        rules[i] = arena_copy_text(arena, event->incidents[i].rule);
        incidents[i] = event->incidents[i].id;
        has_fired[i] = true;
        event->incidents[i].has_fired_out = &has_fired[i];
    }
    pending->note.rules = pending->rules = rules;
    pending->note.rule_count = event->rule_count;
    pending->incidents = incidents;
    pending->has_fired = has_fired;
}

static struct pending *pending_new(struct intake *intake, struct request *request,
                                   const struct batch *batch) {
    struct arena *arena = arena_new();
    struct pending *pending = arena_alloc(arena, sizeof(*pending));
    atomic_fetch_add(&intake->pending_count, 1);
    pending->intake = intake;
    pending->request = request;
    pending->trace = batch->trace;
    pending->arena = arena;
    pending->is_array = batch->is_array;
    pending->count = batch->count;
    pending->events = arena_alloc_array(arena, batch->count, sizeof(*pending->events));
    for (size_t i = 0; i < batch->count; i++) {
        fill_pending_event(&pending->events[i], &batch->events[i], batch->received_unix_ms, arena);
    }
    return pending;
}

/* Nothing matched: nothing is stored. */
static void answer_unmatched(struct intake *intake, struct request *request,
                             const struct batch *batch, struct arena *arena) {
    struct pending_event *events = arena_alloc_array(arena, batch->count, sizeof(*events));
    for (size_t i = 0; i < batch->count; i++) {
        events[i].note = make_note(&batch->events[i], batch->received_unix_ms);
        recent_add(intake->options.recent, &events[i].note);
        metric_add(&metrics[METRIC_EVENTS], 1, METRIC_LABELS(events[i].note.outcome));
    }
    answer_events(request, events, batch->count, batch->is_array);
}

static void store(struct intake *intake, const struct setup *setup, struct request *request,
                  const struct batch *batch, struct arena *arena) {
    struct pending *pending = pending_new(intake, request, batch);
    if (setup->snapshot->settings->acknowledge == ACKNOWLEDGE_RESPONDED) {
        hold(intake, pending);
    }
    struct journal_new_event *events = batch_to_journal(batch, request_body(request), arena);
    journal_append(intake->options.journal, events, batch->match_count, on_appended, pending);
    /* The request may be answered and gone by now. */
    batch_release(events, batch->match_count);
}

static void measure_age(const struct batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        const struct envelope *envelope = &batch->events[i].envelope;
        if (envelope->has_time) {
            double age_ms = (double)(batch->received_unix_ms - envelope->time_unix_ms);
            metric_observe(&metrics[METRIC_AGE_SECONDS], age_ms > 0 ? age_ms / 1000 : 0, NULL);
        }
    }
}

/* When the first line of the request was read: how long its body took is part of the reaction. */
static int64_t received_unix_ms(const struct intake *intake, const struct request *request) {
    int64_t took_us = clock_mono_us(&clock_system) - request_began_mono_us(request);
    return clock_unix_ms(intake->options.clock) - took_us / 1000;
}

static void handle_events(void *arg, struct request *request) {
    struct intake *intake = arg;
    struct bench *bench = bench_take(intake);
    struct error error = {0};
    struct decoded decoded = {0};
    struct batch batch = {0};
    const struct batch_terms terms = {bench->setup, intake->options.drill, intake->options.canaries,
                                      received_unix_ms(intake, request)};
    arena_reset(bench->arena);
    if (!decode_body(blob_text(request_body(request)), bench->arena, &decoded, &error) ||
        !batch_read(&terms, &decoded, bench->scratch, bench->arena, &batch, &error)) {
        answer_invalid(request, &error);
        return;
    }
    measure_age(&batch);
    if (batch.match_count == 0) {
        answer_unmatched(intake, request, &batch, bench->arena);
    } else {
        batch.trace = trace_of(request);
        store(intake, bench->setup, request, &batch, bench->arena);
    }
}

/* ---- health -------------------------------------------------------------------------------------
 */

static void handle_health(void *arg, struct request *request) {
    (void)arg;
    request_answer(request,
                   &(struct answer){.status = 200, .body = TEXT("{\"status\":\"alive\"}\n")});
}

static void handle_ready(void *arg, struct request *request) {
    struct intake *intake = arg;
    if (atomic_load(&intake->is_unready)) {
        request_answer_busy(request, 503, "stopping", RETRY_AFTER_S);
    } else if (!journal_is_ready(intake->options.journal)) {
        request_answer_busy(request, 503, "the journal can't commit", RETRY_AFTER_S);
    } else {
        request_answer(request,
                       &(struct answer){.status = 200, .body = TEXT("{\"status\":\"ready\"}\n")});
    }
}

/* ---- life ---------------------------------------------------------------------------------------
 */

struct intake *intake_new(const struct intake_options *options) {
    register_metrics();
    struct intake *intake = memory_new(sizeof(*intake));
    intake->options = *options;
    atomic_store(&intake->unauthenticated_logged_mono_ms, INT64_MIN / 2);
    atomic_store(&intake->refused_logged_mono_ms, INT64_MIN / 2);
    intake->strikes = strikes_new();
    intake->holds = holds_new();
    intake->watcher = (struct journal_watcher){on_settled, intake};
    journal_watch(options->journal, &intake->watcher);
    mutex_init(&intake->lock);
    int result = pthread_key_create(&intake->bench_key, NULL);
    assert(result == 0);
    return intake;
}

void intake_free(struct intake **intake) {
    struct intake *old = *intake;
    *intake = NULL;
    if (old == NULL) {
        return;
    }
    journal_watch(old->options.journal, NULL);
    holds_free(&old->holds);
    while (old->shared.benches != NULL) {
        struct bench *bench = old->shared.benches;
        old->shared.benches = bench->next;
        bench_free(bench);
    }
    setup_unref(&old->shared.current);
    strikes_free(&old->strikes);
    pthread_key_delete(old->bench_key);
    mutex_done(&old->lock);
    free(old->path);
    free(old);
}

bool intake_prepare(struct snapshot *snapshot, struct setup **setup_out, struct error *error) {
    return setup_new(snapshot, setup_out, error);
}

void intake_discard(struct setup **setup) {
    setup_unref(setup);
}

/* A rule that never fired stands at 0. */
static void expect_rules(const struct snapshot *snapshot) {
    for (size_t i = 0; i < snapshot->rule_count; i++) {
        metric_add(&metrics[METRIC_RULES], 0, METRIC_LABELS(snapshot->definitions[i]->rule->name));
    }
}

void intake_adopt(struct intake *intake, struct setup **setup) {
    expect_rules((*setup)->snapshot);
    mutex_lock(&intake->lock);
    struct setup *before = intake->shared.current;
    intake->shared.current = *setup;
    atomic_fetch_add(&intake->generation, 1);
    mutex_unlock(&intake->lock);
    *setup = NULL;
    setup_unref(&before);
}

void intake_adopt_accounts(struct intake *intake, struct snapshot *snapshot) {
    mutex_lock(&intake->lock);
    struct setup *present = setup_ref(intake->shared.current);
    mutex_unlock(&intake->lock);
    struct setup *next = setup_with_snapshot(present, snapshot);
    setup_unref(&present);
    intake_adopt(intake, &next);
}

/* The path is that of the first snapshot: the listener knows these routes for good. */
const struct route *intake_routes(struct intake *intake, size_t *count_out) {
    assert(intake->shared.current != NULL);
    if (intake->path == NULL) {
        intake->path = text_copy(intake->shared.current->snapshot->settings->listen.path);
    }
    intake->routes[ROUTE_EVENTS] = (struct route){"POST",      intake->path,  INTAKE_BODY_BYTES,
                                                  gate_secret, handle_events, intake};
    intake->routes[ROUTE_HEALTH] = (struct route){"GET", "/healthz",    0,
                                                  NULL,  handle_health, intake};
    intake->routes[ROUTE_READY] = (struct route){"GET", "/readyz", 0, NULL, handle_ready, intake};
    *count_out = ROUTE_COUNT;
    return intake->routes;
}

void intake_unready(struct intake *intake) {
    atomic_store(&intake->is_unready, true);
}

void intake_release(struct intake *intake) {
    holds_release(intake->holds);
}

size_t intake_pending(const struct intake *intake) {
    return atomic_load(&intake->pending_count);
}
