#include "riposte/base/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Takes a half character off the end: a cut text must stay UTF-8. */
static void trim_partial_character(char *text, size_t bytes) {
    size_t start = bytes;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) {
        start--;
    }
    if (start == 0) {
        return;
    }
    unsigned char lead = (unsigned char)text[start - 1];
    size_t needed = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (bytes - (start - 1) < needed) {
        text[start - 1] = '\0';
    }
}

/* Formats into `out` and cuts what is too much; returns the length. */
static size_t PRINTF_LIKE(3, 0)
    format_cut(char *out, size_t capacity, const char *format, va_list arguments) {
    int length = vsnprintf(out, capacity, format, arguments);
    assert(length >= 0);
    if ((size_t)length >= capacity) {
        trim_partial_character(out, capacity - 1);
    }
    return strlen(out);
}

/* Appends `tail` to the first `used` bytes of `out`, cutting the tail. */
static void append_cut(char out[ERROR_TEXT_BYTES], size_t used, const char *tail) {
    size_t room = ERROR_TEXT_BYTES - 1 - used;
    size_t tail_bytes = strlen(tail);
    size_t bytes = tail_bytes < room ? tail_bytes : room;
    memcpy(out + used, tail, bytes);
    out[used + bytes] = '\0';
    if (bytes < tail_bytes) {
        trim_partial_character(out, used + bytes);
    }
}

bool error_set(struct error *error, enum error_code code, const char *format, ...) {
    /* Formatted aside: an argument may be the old text of this very error. */
    char text[ERROR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    size_t bytes = format_cut(text, sizeof(text), format, arguments);
    va_end(arguments);
    error->code = code;
    memcpy(error->text, text, bytes + 1);
    return false;
}

bool error_wrap(struct error *error, const char *format, ...) {
    char text[ERROR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    size_t bytes = format_cut(text, sizeof(text) - 2, format, arguments);
    va_end(arguments);
    memcpy(text + bytes, ": ", 3);
    append_cut(text, bytes + 2, error->text);
    memcpy(error->text, text, sizeof(text));
    return false;
}

bool error_set_errno(struct error *error, int errno_value, const char *format, ...) {
    char text[ERROR_TEXT_BYTES];
    char reason_buffer[128];
    va_list arguments;
    va_start(arguments, format);
    size_t bytes = format_cut(text, sizeof(text) - 2, format, arguments);
    va_end(arguments);
    memcpy(text + bytes, ": ", 3);
    append_cut(text, bytes + 2, strerror_r(errno_value, reason_buffer, sizeof(reason_buffer)));
    error->code = ERROR_SYSTEM;
    memcpy(error->text, text, sizeof(text));
    return false;
}

const char *error_code_name(enum error_code code) {
    static const char *const names[] = {
        [ERROR_NONE] = "none",     [ERROR_INVALID] = "invalid", [ERROR_NOT_FOUND] = "not-found",
        [ERROR_DENIED] = "denied", [ERROR_LIMIT] = "limit",     [ERROR_BUSY] = "busy",
        [ERROR_SYSTEM] = "system",
    };
    assert((size_t)code < ARRAY_COUNT(names));
    return names[code];
}
