#include "feed.h"

#include "admin_parts.h"
#include "answers.h"
#include "routes.h"
#include "view.h"

#include "riposte/base/clock.h"
#include "riposte/base/memory.h"
#include "riposte/base/thread.h"
#include "riposte/inbound/stream.h"
#include "riposte/observe/log.h"

#include <stdlib.h>

#define RETRY_MS 2000 /* a client comes again */

struct listening {
    struct stream *stream; /* NULL: the place is free */
    int64_t sequence;      /* told so far; FEED_NOW: not begun */
    int64_t said_mono_ms;
    bool is_dropped; /* with the feed's lock */
};

/* What comes behind a line, as it is sent: the same for all who are there. */
struct page {
    int64_t after, until;
    struct buffer text;
};

struct feed {
    struct journal *journal;
    struct page page;     /* the thread's */
    struct thread thread; /* started with the first listener */
    struct mutex lock;
    struct condition changed;
    struct {
        /* A place is taken by feed_add() and emptied by the thread, which alone looks inside. */
        struct listening places[FEED_LISTENERS];
        size_t count;
        bool is_stopping;
    } shared; /* with `lock` */
};

/* ---- what is said -------------------------------------------------------------------------------
 */

static void say(struct buffer *out, int64_t sequence, const char *event,
                struct json_object *object) {
    buffer_append_format(out, "id: %lld\nevent: %s\ndata: %s\n\n", (long long)sequence, event,
                         json_object_to_json_string_ext(
                             object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(object);
}

static void say_place(struct buffer *out, int64_t sequence, const char *event) {
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, "sequence", json_object_new_int64(sequence));
    say(out, sequence, event, object);
}

static bool say_line(struct feed *feed, const struct journal_audit_line *line, struct arena *arena,
                     struct error *error) {
    struct journal_incident incident = {0};
    struct ulid id = {0};
    struct json_object *object = view_change(line);
    if (!ulid_parse(line->incident, &id)) {
        say(&feed->page.text, line->sequence, "note", object);
        return true;
    }
    if (journal_read_incident(feed->journal, &id, arena, &incident, error)) {
        json_object_object_add(object, "incident", view_incident(&incident));
    } else if (error->code != ERROR_NOT_FOUND) {
        json_object_put(object);
        return false;
    }
    say(&feed->page.text, line->sequence, "incident", object);
    return true;
}

/* Is the incident in a later line, too? */
static bool is_told_later(const struct journal_audit_line *lines, size_t count, size_t at) {
    bool is_later = false;
    for (size_t i = at + 1; i < count && !is_later && lines[at].incident.bytes > 0; i++) {
        is_later = text_equal(lines[i].incident, lines[at].incident);
    }
    return is_later;
}

static bool fill_page(struct feed *feed, int64_t after, struct error *error) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct journal_audit_line *lines = NULL;
    size_t count = 0;
    if (!journal_read_audit(feed->journal, after, FEED_LINES, arena, &lines, &count, error)) {
        return false;
    }
    feed->page.after = after;
    feed->page.until = after;
    buffer_clear(&feed->page.text);
    for (size_t i = 0; i < count && feed->page.text.bytes < FEED_BYTES; i++) {
        if (!is_told_later(lines, count, i) && !say_line(feed, &lines[i], arena, error)) {
            feed->page.until = after; /* not to be told */
            return false;
        }
        feed->page.until = lines[i].sequence;
    }
    return true;
}

static bool read_page(struct feed *feed, int64_t after, int64_t head, struct error *error) {
    if (head - after <= FEED_BACKLOG) {
        bool is_read = feed->page.after == after && feed->page.until > after;
        return is_read || fill_page(feed, after, error);
    }
    feed->page.after = after;
    feed->page.until = head;
    buffer_clear(&feed->page.text);
    say_place(&feed->page.text, head, "reset");
    return true;
}

/* ---- to whom ------------------------------------------------------------------------------------
 */

/* One that is ahead of the chain was told by another journal. */
static bool begin(struct listening *to, int64_t head) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    bool is_elsewhere = to->sequence > head;
    to->sequence = to->sequence == FEED_NOW || is_elsewhere ? head : to->sequence;
    buffer_append_format(&text, "retry: %d\n", RETRY_MS);
    say_place(&text, to->sequence, is_elsewhere ? "reset" : "ready");
    return stream_push(to->stream, buffer_text(&text));
}

/* False: there is nobody any more. */
static bool tell(struct feed *feed, struct listening *to, int64_t head, int64_t now_ms) {
    struct error error = {0};
    bool is_there = stream_is_heard(to->stream);
    if (is_there && to->said_mono_ms == 0) {
        is_there = begin(to, head);
        to->said_mono_ms = now_ms;
    }
    while (is_there && to->sequence < head && stream_unsent(to->stream) < FEED_BYTES) {
        if (!read_page(feed, to->sequence, head, &error)) {
            log_warn(&(struct log_context){.component = "operate"}, "stream: %s", error.text);
            return true; /* the next look tries again */
        }
        if (feed->page.until == to->sequence) {
            break;
        }
        is_there = stream_push(to->stream, buffer_text(&feed->page.text));
        to->sequence = feed->page.until;
        to->said_mono_ms = now_ms;
    }
    if (is_there && now_ms - to->said_mono_ms >= FEED_ALIVE_MS) {
        is_there = stream_push(to->stream, TEXT(": alive\n\n"));
        to->said_mono_ms = now_ms;
    }
    return is_there;
}

/* Until it is time to look again; false when it stops. */
static bool wait_to_look(struct feed *feed) {
    mutex_lock(&feed->lock);
    while (feed->shared.count == 0 && !feed->shared.is_stopping) {
        condition_wait(&feed->changed, &feed->lock);
    }
    if (!feed->shared.is_stopping) {
        (void)condition_wait_ms(&feed->changed, &feed->lock, FEED_LOOK_MS);
    }
    bool goes_on = !feed->shared.is_stopping;
    mutex_unlock(&feed->lock);
    return goes_on;
}

/* NULL: the place is free. */
static struct listening *place_at(struct feed *feed, size_t index, bool *is_dropped_out) {
    mutex_lock(&feed->lock);
    struct listening *place = &feed->shared.places[index];
    *is_dropped_out = place->is_dropped || feed->shared.is_stopping;
    place = place->stream != NULL ? place : NULL;
    mutex_unlock(&feed->lock);
    return place;
}

static void leave(struct feed *feed, struct listening *place) {
    struct stream *stream = place->stream;
    mutex_lock(&feed->lock);
    *place = (struct listening){0};
    feed->shared.count--;
    mutex_unlock(&feed->lock);
    stream_end(&stream);
}

static void run(void *arg) {
    struct feed *feed = arg;
    bool goes_on = true;
    while (goes_on) {
        goes_on = wait_to_look(feed);
        struct journal_numbers numbers = {0};
        journal_numbers(feed->journal, &numbers);
        int64_t now_ms = clock_mono_ms(&clock_system);
        for (size_t i = 0; i < FEED_LISTENERS; i++) {
            bool is_dropped = false;
            struct listening *place = place_at(feed, i, &is_dropped);
            if (place != NULL && (is_dropped || !tell(feed, place, numbers.sequence, now_ms))) {
                leave(feed, place);
            }
        }
    }
}

/* ---- coming and going ---------------------------------------------------------------------------
 */

struct feed *feed_new(struct journal *journal) {
    struct feed *feed = memory_new(sizeof(*feed));
    feed->journal = journal;
    mutex_init(&feed->lock);
    condition_init(&feed->changed);
    return feed;
}

void feed_free(struct feed **feed) {
    struct feed *old = *feed;
    *feed = NULL;
    if (old == NULL) {
        return;
    }
    feed_rest(old);
    buffer_done(&old->page.text);
    condition_done(&old->changed);
    mutex_done(&old->lock);
    free(old);
}

/* Is there a place, and somebody who serves it? */
static bool may_add(struct feed *feed, struct error *error) {
    mutex_lock(&feed->lock);
    bool is_full = feed->shared.count == FEED_LISTENERS;
    bool is_stopping = feed->shared.is_stopping;
    mutex_unlock(&feed->lock);
    if (is_full || is_stopping) {
        return error_set(error, ERROR_BUSY, is_full ? "%d listen already: close one" : "stopping",
                         FEED_LISTENERS);
    }
    return feed->thread.is_started || thread_start(&feed->thread, "feed", run, feed, error);
}

bool feed_add(struct feed *feed, struct request *request, int64_t after, struct error *error) {
    if (!may_add(feed, error)) {
        return false;
    }
    struct stream *stream = stream_begin(request, "text/event-stream");
    mutex_lock(&feed->lock);
    for (size_t i = 0; i < FEED_LISTENERS && !feed->shared.is_stopping; i++) {
        if (stream != NULL && feed->shared.places[i].stream == NULL) {
            feed->shared.places[i] = (struct listening){.stream = stream, .sequence = after};
            feed->shared.count++;
            stream = NULL;
        }
    }
    mutex_unlock(&feed->lock);
    stream_end(&stream); /* it stops: nobody would */
    condition_signal(&feed->changed);
    return true;
}

size_t feed_listeners(struct feed *feed) {
    mutex_lock(&feed->lock);
    size_t count = feed->shared.count;
    mutex_unlock(&feed->lock);
    return count;
}

void feed_drop(struct feed *feed) {
    mutex_lock(&feed->lock);
    for (size_t i = 0; i < FEED_LISTENERS; i++) {
        feed->shared.places[i].is_dropped = feed->shared.places[i].stream != NULL;
    }
    mutex_unlock(&feed->lock);
    condition_signal(&feed->changed);
}

void feed_rest(struct feed *feed) {
    mutex_lock(&feed->lock);
    feed->shared.is_stopping = true;
    mutex_unlock(&feed->lock);
    condition_signal(&feed->changed);
    thread_join(&feed->thread);
}

void handle_stream(void *arg, struct request *request) {
    struct admin *admin = arg;
    struct error error = {0};
    struct text given = request_header(request, "Last-Event-ID");
    uint64_t after = 0;
    given = given.bytes > 0 ? given : request_query(request, "after");
    if (given.bytes > 0 && (!text_parse_unsigned(given, &after) || after > INT64_MAX)) {
        request_answer_error(request, 400, "Last-Event-ID or after: not a line's sequence");
    } else if (!feed_add(admin->feed, request, given.bytes > 0 ? (int64_t)after : FEED_NOW,
                         &error)) {
        request_answer_busy(request, 503, error.text, RETRY_AFTER_S);
    }
}
