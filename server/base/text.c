#include "riposte/base/text.h"

#include "riposte/base/memory.h"

#include <string.h>

struct text text_of(const char *string) {
    return (struct text){string, string == NULL ? 0 : strlen(string)};
}

bool text_equal(struct text a, struct text b) {
    return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.data, b.data, a.bytes) == 0);
}

bool text_equal_string(struct text a, const char *string) {
    return text_equal(a, text_of(string));
}

static unsigned char ascii_lower(char c) {
    unsigned char byte = (unsigned char)c;
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + ('a' - 'A')) : byte;
}

bool text_equal_ignoring_ascii_case(struct text a, struct text b) {
    if (a.bytes != b.bytes) {
        return false;
    }
    for (size_t i = 0; i < a.bytes; i++) {
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

int text_compare(struct text a, struct text b) {
    size_t shared_bytes = a.bytes < b.bytes ? a.bytes : b.bytes;
    int order = shared_bytes == 0 ? 0 : memcmp(a.data, b.data, shared_bytes);
    if (order != 0) {
        return order;
    }
    return a.bytes < b.bytes ? -1 : a.bytes > b.bytes ? 1 : 0;
}

bool text_starts_with(struct text text, struct text prefix) {
    return text.bytes >= prefix.bytes && text_equal((struct text){text.data, prefix.bytes}, prefix);
}

bool text_ends_with(struct text text, struct text suffix) {
    return text.bytes >= suffix.bytes &&
           text_equal(text_slice(text, text.bytes - suffix.bytes, text.bytes), suffix);
}

size_t text_find_byte(struct text text, char byte, size_t from) {
    if (from >= text.bytes) {
        return text.bytes;
    }
    const char *found = memchr(text.data + from, byte, text.bytes - from);
    return found == NULL ? text.bytes : (size_t)(found - text.data);
}

size_t text_find(struct text text, struct text needle) {
    if (needle.bytes == 0) {
        return 0;
    }
    if (text.bytes < needle.bytes) {
        return text.bytes;
    }
    const char *found = memmem(text.data, text.bytes, needle.data, needle.bytes);
    return found == NULL ? text.bytes : (size_t)(found - text.data);
}

bool text_contains(struct text text, struct text needle) {
    return needle.bytes == 0 || text_find(text, needle) < text.bytes;
}

struct text text_slice(struct text text, size_t from, size_t to) {
    to = to < text.bytes ? to : text.bytes;
    from = from < to ? from : to;
    return (struct text){from == 0 ? text.data : text.data + from, to - from};
}

struct text text_cut(struct text text, size_t bytes) {
    if (bytes >= text.bytes) {
        return text;
    }
    /* Back to a byte that begins a character; three steps reach it in any well-formed text. */
    size_t end = bytes;
    for (size_t i = 0; i < 3 && end > 0 && ((unsigned char)text.data[end] & 0xC0) == 0x80; i++) {
        end--;
    }
    bool is_inside = ((unsigned char)text.data[end] & 0xC0) == 0x80;
    return text_slice(text, 0, is_inside ? bytes : end);
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct text text_trim(struct text text) {
    size_t from = 0;
    size_t to = text.bytes;
    while (from < to && is_space(text.data[from])) {
        from++;
    }
    while (to > from && is_space(text.data[to - 1])) {
        to--;
    }
    return text_slice(text, from, to);
}

bool text_next_part(struct text *rest, char separator, struct text *part_out) {
    if (rest->bytes == 0) {
        return false;
    }
    size_t end = text_find_byte(*rest, separator, 0);
    *part_out = text_slice(*rest, 0, end);
    *rest = text_slice(*rest, end + 1, rest->bytes);
    return true;
}

char *text_copy(struct text text) {
    char *copy = memory_new(text.bytes + 1);
    if (text.bytes > 0) {
        memcpy(copy, text.data, text.bytes);
    }
    return copy;
}

uint64_t text_hash(struct text text) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < text.bytes; i++) {
        hash = (hash ^ (unsigned char)text.data[i]) * 1099511628211u;
    }
    return hash;
}

bool text_parse_unsigned(struct text text, uint64_t *value_out) {
    uint64_t value = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(c - '0'), &value)) {
            return false;
        }
    }
    if (text.bytes == 0) {
        return false;
    }
    *value_out = value;
    return true;
}

size_t text_utf8_bytes_at(struct text text, size_t at) {
    /* Unicode 15, table 3-7: what the second byte may be depends on the first. */
    const unsigned char *bytes = (const unsigned char *)text.data + at;
    size_t left = text.bytes - at;
    unsigned char lead = bytes[0];
    if (lead < 0x80) {
        return 1;
    }
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || left < length) {
        return 0;
    }
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (bytes[1] < low || bytes[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

bool text_is_utf8(struct text text) {
    size_t at = 0;
    while (at < text.bytes) {
        size_t bytes = text_utf8_bytes_at(text, at);
        if (bytes == 0) {
            return false;
        }
        at += bytes;
    }
    return true;
}
