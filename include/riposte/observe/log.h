/* The log: one JSON object a line on stderr, written by nobody else.
 *
 *     {"time":"2026-01-02T03:04:05.678Z","level":"warn","component":"intake","event":"8c2b...",
 *      "incident":"01J...","trace_id":"4bf9...","message":"...","rule":"..."}
 *
 * Never a secret: no header value, token, key, password or request body goes into a message or a
 * field, not even cut or hashed; say which one it was ("the secret RIPOSTE_SECRET_PREVIOUS").
 * Whatever a stranger sent may go in: every value is escaped, so it can neither end its string nor
 * start a line, and is cut when long.
 *
 * Ownership:  one log a process; nothing of the arguments is kept.
 * Threads:    any may log. Between log_start() and log_stop() lines are queued and the thread "log"
 *             writes them, after 5 ms at most, so a slow reader of stderr stops nobody; otherwise
 *             the caller writes. log_set_sink() before there are other threads.
 * Bounds:     LOG_QUEUE_BYTES of lines wait; what doesn't fit is dropped, counted in
 *             riposte_log_lines_dropped_total and reported in a line as soon as there is room.
 *             A message is cut at LOG_MESSAGE_BYTES, another value at LOG_VALUE_BYTES, both at a
 *             character's boundary with "..." behind. */
#ifndef RIPOSTE_OBSERVE_LOG_H
#define RIPOSTE_OBSERVE_LOG_H

#include "riposte/base/attributes.h"
#include "riposte/base/clock.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_QUEUE_BYTES   (256u * 1024)
#define LOG_MESSAGE_BYTES 2048
#define LOG_VALUE_BYTES   512

enum log_level {
    LOG_DEBUG, /* for whoever debugs the program */
    LOG_INFO,  /* what happened */
    LOG_WARN,  /* works, but somebody should look into it */
    LOG_ERROR, /* something that should have been done wasn't */
};

/* One member of the line beyond the usual ones; made by log_text() and log_number(). */
struct log_field {
    const char *key; /* a literal of a-z 0-9 _ */
    struct text text;
    int64_t number;
    bool is_number;
};

/* What a line is about; empty members are left out. */
struct log_context {
    const char *component; /* the folder: "intake" */
    struct text event, incident;
    struct text trace; /* trace_text(): "trace_id" */
    const struct log_field *fields;
    size_t field_count;
};

/* The array of log_field as the two members of a log_context:
 * {.component = "intake", LOG_FIELDS(log_number("status", 401))} */
#define LOG_FIELDS(...)                                \
    .fields = (const struct log_field[]){__VA_ARGS__}, \
    .field_count = sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)

struct log_field log_text(const char *key, struct text text);
struct log_field log_string(const char *key, const char *string);
struct log_field log_number(const char *key, int64_t number);

/* log_info(&context, "%zu rules loaded", count): no line end, no JSON. */
void log_debug(const struct log_context *context, const char *format, ...) PRINTF_LIKE(2, 3);
void log_info(const struct log_context *context, const char *format, ...) PRINTF_LIKE(2, 3);
void log_warn(const struct log_context *context, const char *format, ...) PRINTF_LIKE(2, 3);
void log_error(const struct log_context *context, const char *format, ...) PRINTF_LIKE(2, 3);

/* Lines below the level are thrown away; LOG_INFO at first. Any thread, any time. */
void log_set_level(enum log_level level);
/* For what is dear to compute. */
bool log_is_on(enum log_level level);
const char *log_level_name(enum log_level level);
MUST_CHECK bool log_level_parse(struct text text, enum log_level *level_out);

/* Another file than stderr, another clock than the system's; `clock` must outlive the log. */
void log_set_sink(int fd, const struct clock *clock);

/* From now on the thread "log" writes. ERROR_SYSTEM when there can be no thread. */
MUST_CHECK bool log_start(struct error *error);
/* Writes what waits, at most `wait_ms` long if the reader is stuck, and ends the thread; afterwards
 * lines are written by their callers again. Nothing when not started. */
void log_stop(int64_t wait_ms);

#endif
