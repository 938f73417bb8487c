/* JSON out: a tree in one call, or member by member without a tree.
 *
 * Ownership:  writes into the caller's buffer.
 * Threads:    one at a time.
 * Bounds:     nesting <= JSON_WRITER_DEPTH for the streaming writer; asserts that calls pair. */
#ifndef RIPOSTE_JSON_WRITER_H
#define RIPOSTE_JSON_WRITER_H

#include "riposte/base/buffer.h"
#include "riposte/base/text.h"
#include "riposte/json/tree.h"

#include <stdbool.h>
#include <stdint.h>

#define JSON_WRITER_DEPTH 64

/* Compact, members in their order, numbers as spelled; what was parsed and written is parsed as
 * equal. */
void json_write(struct buffer *out, const struct json *node);
/* With line breaks and two spaces a level: for people. */
void json_write_pretty(struct buffer *out, const struct json *node);

struct json_writer {
    struct buffer *out;
    unsigned depth;
    bool has_members[JSON_WRITER_DEPTH], is_object[JSON_WRITER_DEPTH];
};

void json_writer_init(struct json_writer *writer, struct buffer *out);
/* `key` is NULL at the top and inside arrays. A `value` that is not UTF-8 gets U+FFFD in places. */
void json_open_object(struct json_writer *writer, const char *key);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer, const char *key);
void json_close_array(struct json_writer *writer);
void json_put_text(struct json_writer *writer, const char *key, struct text value);
void json_put_string(struct json_writer *writer, const char *key, const char *value);
void json_put_integer(struct json_writer *writer, const char *key, int64_t value);
void json_put_bool(struct json_writer *writer, const char *key, bool value);
void json_put_null(struct json_writer *writer, const char *key);
/* `value` is JSON text already, written as it is. */
void json_put_raw(struct json_writer *writer, const char *key, struct text value);
void json_put_tree(struct json_writer *writer, const char *key, const struct json *value);

#endif
