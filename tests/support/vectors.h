/* JSON lines of vectors, whose members are taken as raw text: a vector may be about text that no
 * parser accepts.
 *
 * Ownership:  what vector_member() returns points into the line. */
#ifndef RIPOSTE_TESTS_VECTORS_H
#define RIPOSTE_TESTS_VECTORS_H

#include "riposte/base/text.h"

#include <stdio.h>

/* Bytes of the value at the start of `text`, up to the comma or brace that ends it. */
static inline size_t vector_value_bytes(struct text text) {
    size_t depth = 0, at = 0;
    bool is_string = false;
    for (; at < text.bytes; at++) {
        char c = text.data[at];
        if (is_string) {
            at += c == '\\';
            is_string = c != '"';
            continue;
        }
        is_string = c == '"';
        if (depth == 0 && (c == ',' || c == '}')) {
            break;
        }
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
    }
    return at;
}

/* The value of a top-level member; its strings keep their quotes. */
static inline struct text vector_member(struct text line, const char *name) {
    for (size_t at = 1; at < line.bytes;) {
        struct text rest = text_slice(line, at, line.bytes);
        size_t key_bytes = text_find_byte(rest, ':', 0);
        struct text key = text_trim(text_slice(rest, 0, key_bytes));
        struct text value = text_slice(rest, key_bytes + 1, rest.bytes);
        value.bytes = vector_value_bytes(value);
        if (key.bytes > 2 && text_equal_string(text_slice(key, 1, key.bytes - 1), name)) {
            return text_trim(value);
        }
        at += key_bytes + value.bytes + 2;
    }
    return (struct text){"", 0};
}

/* A string member without its quotes. */
static inline struct text vector_string(struct text line, const char *name) {
    struct text value = vector_member(line, name);
    return value.bytes < 2 ? value : text_slice(value, 1, value.bytes - 1);
}

#endif
