#include "riposte/observe/log.h"

#include "riposte/base/buffer.h"
#include "riposte/base/mutex.h"
#include "riposte/base/thread.h"
#include "riposte/base/time.h"
#include "riposte/observe/metrics.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define POLL_MS 50
/* So long, until they are so many, or an error is among them, lines gather: to wake the writer for
 * each costs more than the lines, and takes processor time from what they tell of. */
#define GATHER_MS    5
#define GATHER_BYTES (LOG_QUEUE_BYTES / 4)

enum { LINES, DROPPED };

static struct metric metrics[] = {
    [LINES] = {.name = "riposte_log_lines_total",
               .type = METRIC_COUNTER,
               .help = "Log lines, by level.",
               .labels = {"level"}},
    [DROPPED] = {.name = "riposte_log_lines_dropped_total",
                 .type = METRIC_COUNTER,
                 .help = "Log lines lost because the reader of stderr was too slow."},
};

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

static _Atomic int current_level = LOG_INFO;

/* Set while there is one thread. */
static int sink_fd = STDERR_FILENO;
static const struct clock *line_clock = &clock_system;

static struct thread writer_thread;
static int alarm_fd = -1; /* a timer: rings when there is something to write */
/* When the writer gives up on a stuck reader, monotonic ms; INT64_MAX: never. */
static _Atomic int64_t give_up_mono_ms = INT64_MAX;

static struct mutex lock = MUTEX_INIT;
static struct {
    struct buffer waiting;
    uint64_t dropped;             /* since they were last reported */
    bool is_gathering, is_urgent; /* the alarm is set: to GATHER_MS, or to now */
    bool is_running, is_stopping;
} shared GUARDED_BY(&lock);

void log_set_level(enum log_level level) {
    atomic_store_explicit(&current_level, (int)level, memory_order_relaxed);
}

bool log_is_on(enum log_level level) {
    return (int)level >= atomic_load_explicit(&current_level, memory_order_relaxed);
}

const char *log_level_name(enum log_level level) {
    assert((size_t)level < ARRAY_COUNT(level_names));
    return level_names[level];
}

bool log_level_parse(struct text text, enum log_level *level_out) {
    for (size_t i = 0; i < ARRAY_COUNT(level_names); i++) {
        if (text_equal_string(text, level_names[i])) {
            *level_out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_set_sink(int fd, const struct clock *clock) {
    sink_fd = fd;
    line_clock = clock;
}

/* ---- writing -------------------------------------------------------------------------------- */

/* Waits until the reader takes more; false once that has lasted too long. */
static bool wait_for_room(int fd) {
    for (;;) {
        struct pollfd waiting = {.fd = fd, .events = POLLOUT};
        if (poll(&waiting, 1, POLL_MS) > 0) {
            return true;
        }
        if (clock_mono_ms(&clock_system) >= atomic_load(&give_up_mono_ms)) {
            return false;
        }
    }
}

/* The piece to write next: whole lines, if they fit into what a pipe takes in one go. */
static size_t piece_bytes(struct text text) {
    if (text.bytes <= PIPE_BUF) {
        return text.bytes;
    }
    const char *line_end = memrchr(text.data, '\n', PIPE_BUF);
    return line_end == NULL ? PIPE_BUF : (size_t)(line_end - text.data) + 1;
}

/* A pipe with room takes PIPE_BUF bytes without blocking, so a stuck reader can't hold us here.
 * What can't be written is lost: there is nobody to tell. */
static void write_out(int fd, struct text text) {
    while (text.bytes > 0 && wait_for_room(fd)) {
        ssize_t written = write(fd, text.data, piece_bytes(text));
        if (written < 0 && errno != EINTR && errno != EAGAIN) {
            return;
        }
        text = text_slice(text, written > 0 ? (size_t)written : 0, text.bytes);
    }
}

static void ring_in(long ms) {
    const struct itimerspec wait = {.it_value = {.tv_nsec = ms * 1000000 + 1}};
    int result = timerfd_settime(alarm_fd, 0, &wait, NULL);
    assert(result == 0);
}

static void set_alarm(enum log_level level) REQUIRES(&lock) {
    bool is_urgent = level >= LOG_ERROR || shared.waiting.bytes > GATHER_BYTES;
    if (!shared.is_gathering || (is_urgent && !shared.is_urgent)) {
        shared.is_gathering = true;
        shared.is_urgent = is_urgent;
        ring_in(is_urgent ? 0 : GATHER_MS);
    }
}

/* True when the line went into the queue or was dropped there. */
static bool enqueue(enum log_level level, struct text line) {
    bool is_dropped = false;
    mutex_lock(&lock);
    bool is_running = shared.is_running;
    if (is_running) {
        buffer_append_text(&shared.waiting, line);
        is_dropped = shared.waiting.is_overfull;
        shared.waiting.is_overfull = false;
        shared.dropped += is_dropped ? 1 : 0;
        set_alarm(level);
    }
    mutex_unlock(&lock);
    if (is_dropped) {
        metric_add(&metrics[DROPPED], 1, NULL);
    }
    return is_running;
}

/* ---- lines ---------------------------------------------------------------------------------- */

struct log_field log_text(const char *key, struct text text) {
    return (struct log_field){.key = key, .text = text};
}

struct log_field log_string(const char *key, const char *string) {
    return log_text(key, text_of(string));
}

struct log_field log_number(const char *key, int64_t number) {
    return (struct log_field){.key = key, .number = number, .is_number = true};
}

static void append_key(struct buffer *line, const char *key) {
    buffer_append_string(line, ",\"");
    buffer_append_string(line, key);
    buffer_append_string(line, "\":");
}

static void append_value(struct buffer *line, struct text value, size_t limit_bytes) {
    if (value.bytes <= limit_bytes) {
        buffer_append_json_string(line, value);
        return;
    }
    buffer_append_json_string(line, text_cut(value, limit_bytes));
    buffer_truncate(line, line->bytes - 1); /* the closing quote */
    buffer_append_string(line, "...\"");
}

static void append_text_member(struct buffer *line, const char *key, struct text value) {
    if (value.bytes > 0) {
        append_key(line, key);
        append_value(line, value, LOG_VALUE_BYTES);
    }
}

/* The usual members can't be spelt twice by a field. */
static bool is_field_key(const char *key) {
    static const char *const usual[] = {"time",     "level",    "component", "event",
                                        "incident", "trace_id", "message"};
    for (size_t i = 0; i < ARRAY_COUNT(usual); i++) {
        if (strcmp(key, usual[i]) == 0) {
            return false;
        }
    }
    return key[0] != '\0' && key[strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static void append_field(struct buffer *line, const struct log_field *field) {
    assert(is_field_key(field->key));
    append_key(line, field->key);
    if (field->is_number) {
        buffer_append_format(line, "%lld", (long long)field->number);
    } else {
        append_value(line, field->text, LOG_VALUE_BYTES);
    }
}

static void append_line(struct buffer *line, enum log_level level,
                        const struct log_context *context, struct text message) {
    char time[TIME_TEXT_BYTES];
    time_format_ms(clock_unix_ms(line_clock), time);
    buffer_append_format(line, "{\"time\":\"%s\",\"level\":\"%s\"", time, log_level_name(level));
    append_text_member(line, "component", text_of(context->component));
    append_text_member(line, "event", context->event);
    append_text_member(line, "incident", context->incident);
    append_text_member(line, "trace_id", context->trace);
    append_key(line, "message");
    append_value(line, message, LOG_MESSAGE_BYTES);
    for (size_t i = 0; i < context->field_count; i++) {
        append_field(line, &context->fields[i]);
    }
    buffer_append_string(line, "}\n");
}

static void PRINTF_LIKE(3, 0) log_formatted(enum log_level level, const struct log_context *context,
                                            const char *format, va_list arguments) {
    if (!log_is_on(level)) {
        return;
    }
    /* One more than the limit, so that a message which is cut here is seen to be cut. */
    char message[LOG_MESSAGE_BYTES + 2];
    int length = vsnprintf(message, sizeof(message), format, arguments);
    assert(length >= 0);
    scoped(buffer_done) struct buffer line = BUFFER_INIT;
    append_line(&line, level, context, text_of(message));
    metric_add(&metrics[LINES], 1, METRIC_LABELS(text_of(log_level_name(level))));
    if (!enqueue(level, buffer_text(&line))) {
        write_out(sink_fd, buffer_text(&line));
    }
}

void log_debug(const struct log_context *context, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    log_formatted(LOG_DEBUG, context, format, arguments);
    va_end(arguments);
}

void log_info(const struct log_context *context, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    log_formatted(LOG_INFO, context, format, arguments);
    va_end(arguments);
}

void log_warn(const struct log_context *context, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    log_formatted(LOG_WARN, context, format, arguments);
    va_end(arguments);
}

void log_error(const struct log_context *context, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    log_formatted(LOG_ERROR, context, format, arguments);
    va_end(arguments);
}

/* ---- the thread ----------------------------------------------------------------------------- */

static void report_dropped(uint64_t dropped) {
    struct log_context context = {.component = "observe",
                                  LOG_FIELDS(log_number("dropped", (int64_t)dropped))};
    scoped(buffer_done) struct buffer line = BUFFER_INIT;
    append_line(&line, LOG_WARN, &context,
                TEXT("log lines were dropped: the reader of stderr is too slow"));
    write_out(sink_fd, buffer_text(&line));
}

static void wait_for_alarm(void) {
    uint64_t count;
    ssize_t bytes;
    do {
        bytes = read(alarm_fd, &count, sizeof(count));
    } while (bytes < 0 && errno == EINTR);
}

/* Waits for lines and swaps them against the empty buffer; false when there will be no more. */
static bool take_lines(struct buffer *lines, uint64_t *dropped_out) {
    wait_for_alarm();
    mutex_lock(&lock);
    bool is_stopping = shared.is_stopping;
    shared.is_gathering = shared.is_urgent = false;
    struct buffer filled = shared.waiting;
    shared.waiting = *lines;
    *lines = filled;
    *dropped_out = shared.dropped;
    shared.dropped = 0;
    mutex_unlock(&lock);
    return !is_stopping;
}

static void write_lines(void *arg) {
    (void)arg;
    scoped(buffer_done) struct buffer lines = BUFFER_INIT;
    buffer_init(&lines, LOG_QUEUE_BYTES);
    uint64_t dropped = 0;
    bool goes_on = true;
    while (goes_on) {
        goes_on = take_lines(&lines, &dropped);
        write_out(sink_fd, buffer_text(&lines));
        buffer_clear(&lines);
        if (dropped > 0) {
            report_dropped(dropped);
        }
    }
}

static void set_running(bool is_running) {
    mutex_lock(&lock);
    shared.is_running = is_running;
    shared.is_stopping = !is_running;
    mutex_unlock(&lock);
}

static void close_alarm(void) {
    close(alarm_fd);
    alarm_fd = -1;
}

bool log_start(struct error *error) {
    assert(!writer_thread.is_started);
    metrics_register(metrics, ARRAY_COUNT(metrics));
    atomic_store(&give_up_mono_ms, INT64_MAX);
    alarm_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (alarm_fd < 0) {
        return error_set_errno(error, errno, "a timer for the log");
    }
    mutex_lock(&lock);
    buffer_init(&shared.waiting, LOG_QUEUE_BYTES);
    shared.is_gathering = shared.is_urgent = false;
    mutex_unlock(&lock);
    set_running(true);
    if (!thread_start(&writer_thread, "log", write_lines, NULL, error)) {
        set_running(false);
        close_alarm();
        return false;
    }
    return true;
}

void log_stop(int64_t wait_ms) {
    if (!writer_thread.is_started) {
        return;
    }
    atomic_store(&give_up_mono_ms, clock_mono_ms(&clock_system) + wait_ms);
    set_running(false);
    ring_in(0);
    thread_join(&writer_thread);
    close_alarm();
    atomic_store(&give_up_mono_ms, INT64_MAX);
    mutex_lock(&lock);
    buffer_done(&shared.waiting);
    mutex_unlock(&lock);
}
