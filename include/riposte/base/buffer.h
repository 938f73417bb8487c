/* Bytes that grow: for building requests, answers and messages.
 *
 * Ownership:  embedded; buffer_done() frees the bytes, buffer_take() hands them over.
 * Threads:    one at a time.
 * Bounds:     grows to `limit_bytes` (0: none). What goes over it is not appended and sets
 *             is_overfull, which stays set: check once at the end. */
#ifndef RIPOSTE_BASE_BUFFER_H
#define RIPOSTE_BASE_BUFFER_H

#include "riposte/base/attributes.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *data; /* always followed by a NUL that bytes doesn't count, once anything was appended */
    size_t bytes, capacity, limit_bytes;
    bool is_overfull;
};

#define BUFFER_INIT \
    { NULL, 0, 0, 0, false }

void buffer_init(struct buffer *buffer, size_t limit_bytes);
void buffer_done(struct buffer *buffer);
/* Empties, keeps the memory; is_overfull is taken back. */
void buffer_clear(struct buffer *buffer);
void buffer_append(struct buffer *buffer, const void *data, size_t bytes);
void buffer_append_text(struct buffer *buffer, struct text text);
void buffer_append_string(struct buffer *buffer, const char *string);
void buffer_append_char(struct buffer *buffer, char c);
void buffer_append_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
/* Appends `text` as a JSON string with its quotes: control characters, quote and backslash are
 * escaped, and so are U+2028/9 and DEL; bytes that are not UTF-8 become U+FFFD. */
void buffer_append_json_string(struct buffer *buffer, struct text text);
/* The same without quotes: a part of a string. */
void buffer_append_json_escaped(struct buffer *buffer, struct text text);
/* Percent-encodes everything but A-Z a-z 0-9 - _ . ~ and the bytes in `keep` (may be ""). */
void buffer_append_percent_encoded(struct buffer *buffer, struct text text, const char *keep);
/* The reverse, as RFC 3986 has it: "+" stays. False, and nothing appended: two hexadecimal digits
 * must follow each "%". */
MUST_CHECK bool buffer_append_percent_decoded(struct buffer *buffer, struct text text);
/* Room for `bytes` more, to be written at data + bytes and then counted with buffer_added(). */
char *buffer_reserve(struct buffer *buffer, size_t bytes);
void buffer_added(struct buffer *buffer, size_t bytes);
/* Drops the bytes from `bytes` on. */
void buffer_truncate(struct buffer *buffer, size_t bytes);
struct text buffer_text(const struct buffer *buffer);
/* NUL-terminated; "" when nothing was appended. Valid until the next append. */
const char *buffer_string(const struct buffer *buffer);
/* The bytes, NUL-terminated, for the caller to free(); the buffer is empty afterwards. */
char *buffer_take(struct buffer *buffer, size_t *bytes_out);

#endif
