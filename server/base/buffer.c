#include "riposte/base/buffer.h"

#include "riposte/base/hex.h"
#include "riposte/base/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a buffer begins with: most texts fit, and it grows once instead of five times. */
#define FIRST_BYTES 128

void buffer_init(struct buffer *buffer, size_t limit_bytes) {
    *buffer = (struct buffer){.limit_bytes = limit_bytes};
}

void buffer_done(struct buffer *buffer) {
    free(buffer->data);
    buffer_init(buffer, buffer->limit_bytes);
}

void buffer_clear(struct buffer *buffer) {
    buffer->is_overfull = false;
    buffer_truncate(buffer, 0);
}

static bool has_room(const struct buffer *buffer, size_t bytes) {
    return buffer->limit_bytes == 0 || bytes <= buffer->limit_bytes - buffer->bytes;
}

char *buffer_reserve(struct buffer *buffer, size_t bytes) {
    assert(bytes < SIZE_MAX - buffer->bytes);
    size_t needed = buffer->bytes + bytes + 1;
    if (needed > buffer->capacity) {
        buffer->data = memory_grow_array(buffer->data, &buffer->capacity,
                                         needed < FIRST_BYTES ? FIRST_BYTES : needed, 1);
    }
    buffer->data[buffer->bytes] = '\0';
    return buffer->data + buffer->bytes;
}

void buffer_added(struct buffer *buffer, size_t bytes) {
    assert(bytes < buffer->capacity - buffer->bytes);
    if (!has_room(buffer, bytes)) {
        buffer->is_overfull = true;
        bytes = 0;
    }
    buffer->bytes += bytes;
    buffer->data[buffer->bytes] = '\0';
}

void buffer_append(struct buffer *buffer, const void *data, size_t bytes) {
    if (!has_room(buffer, bytes)) {
        buffer->is_overfull = true;
        return;
    }
    char *end = buffer_reserve(buffer, bytes);
    if (bytes > 0) {
        memcpy(end, data, bytes);
    }
    buffer_added(buffer, bytes);
}

void buffer_append_text(struct buffer *buffer, struct text text) {
    buffer_append(buffer, text.data, text.bytes);
}

void buffer_append_string(struct buffer *buffer, const char *string) {
    buffer_append(buffer, string, strlen(string));
}

void buffer_append_char(struct buffer *buffer, char c) {
    buffer_append(buffer, &c, 1);
}

void buffer_append_format(struct buffer *buffer, const char *format, ...) {
    va_list arguments;
    va_list again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    assert(length >= 0);
    if (has_room(buffer, (size_t)length)) {
        char *end = buffer_reserve(buffer, (size_t)length);
        vsnprintf(end, (size_t)length + 1, format, again);
        buffer_added(buffer, (size_t)length);
    } else {
        buffer->is_overfull = true;
    }
    va_end(again);
    va_end(arguments);
}

/* The escape of an ASCII character, or NULL when it stands for itself. */
static const char *json_escape(unsigned char byte, char scratch[8]) {
    switch (byte) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        if (byte >= 0x20 && byte != 0x7F) {
            return NULL;
        }
        snprintf(scratch, 8, "\\u%04x", byte);
        return scratch;
    }
}

/* What to write in place of the character at `at`, whose length goes into *bytes_out; NULL when
 * it stands for itself. */
static const char *json_replacement(struct text text, size_t at, char scratch[8],
                                    size_t *bytes_out) {
    *bytes_out = text_utf8_bytes_at(text, at);
    if (*bytes_out == 0) {
        *bytes_out = 1;
        return "\xEF\xBF\xBD";
    }
    if (*bytes_out == 1) {
        return json_escape((unsigned char)text.data[at], scratch);
    }
    /* Line separators to a terminal or a script, though not to JSON. */
    struct text character = text_slice(text, at, at + *bytes_out);
    if (text_equal(character, TEXT("\xE2\x80\xA8"))) {
        return "\\u2028";
    }
    return text_equal(character, TEXT("\xE2\x80\xA9")) ? "\\u2029" : NULL;
}

void buffer_append_json_escaped(struct buffer *buffer, struct text text) {
    size_t plain_from = 0;
    size_t at = 0;
    while (at < text.bytes) {
        char scratch[8];
        size_t bytes = 0;
        const char *replacement = json_replacement(text, at, scratch, &bytes);
        if (replacement != NULL) {
            buffer_append_text(buffer, text_slice(text, plain_from, at));
            buffer_append_string(buffer, replacement);
            plain_from = at + bytes;
        }
        at += bytes;
    }
    buffer_append_text(buffer, text_slice(text, plain_from, text.bytes));
}

void buffer_append_json_string(struct buffer *buffer, struct text text) {
    buffer_append_char(buffer, '"');
    buffer_append_json_escaped(buffer, text);
    buffer_append_char(buffer, '"');
}

static bool is_unreserved(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

void buffer_append_percent_encoded(struct buffer *buffer, struct text text, const char *keep) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        if (is_unreserved(c) || (c != '\0' && strchr(keep, c) != NULL)) {
            buffer_append_char(buffer, c);
        } else {
            unsigned char byte = (unsigned char)c;
            char encoded[3] = {'%', digits[byte >> 4], digits[byte & 15]};
            buffer_append(buffer, encoded, sizeof(encoded));
        }
    }
}

bool buffer_append_percent_decoded(struct buffer *buffer, struct text text) {
    size_t before = buffer->bytes;
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        if (c == '%') {
            if (!hex_decode(text_slice(text, i + 1, i + 3), &c, 1)) {
                buffer_truncate(buffer, before);
                return false;
            }
            i += 2;
        }
        buffer_append_char(buffer, c);
    }
    return true;
}

void buffer_truncate(struct buffer *buffer, size_t bytes) {
    if (bytes < buffer->bytes) {
        buffer->bytes = bytes;
        buffer->data[bytes] = '\0';
    }
}

struct text buffer_text(const struct buffer *buffer) {
    return (struct text){buffer->data, buffer->bytes};
}

const char *buffer_string(const struct buffer *buffer) {
    return buffer->data == NULL ? "" : buffer->data;
}

char *buffer_take(struct buffer *buffer, size_t *bytes_out) {
    buffer_reserve(buffer, 0); /* an empty one has no memory yet, and the result is never NULL */
    char *data = buffer->data;
    *bytes_out = buffer->bytes;
    buffer_init(buffer, buffer->limit_bytes);
    return data;
}
