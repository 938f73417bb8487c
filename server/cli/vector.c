#include "riposte/cli/vector.h"

#include "riposte/detect/pattern.h"

/* Bytes of the value at the start of `text`, up to the comma or brace that ends it. */
static size_t value_bytes(struct text text) {
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
            return at;
        }
        depth += c == '{' || c == '[';
        depth -= depth > 0 && (c == '}' || c == ']');
    }
    return text.bytes;
}

static struct text without_quotes(struct text text) {
    return text.bytes < 2 ? text : text_slice(text, 1, text.bytes - 1);
}

static void take_member(struct text key, struct text value, struct vector *out) {
    struct text name = without_quotes(text_trim(key));
    if (text_equal_string(name, "id")) {
        out->id = without_quotes(text_trim(value));
    } else if (text_equal_string(name, "pattern")) {
        out->pattern = text_trim(value);
    } else if (text_equal_string(name, "event")) {
        out->event = text_trim(value);
    }
}

bool vector_read(struct text line, struct vector *vector_out) {
    struct vector vector = {0};
    struct text rest = text_trim(line);
    while (rest.bytes > 1) {
        rest = text_slice(rest, 1, rest.bytes); /* the brace or comma before a member */
        size_t colon = text_find_byte(rest, ':', 0);
        struct text key = text_slice(rest, 0, colon);
        rest = text_slice(rest, colon + 1, rest.bytes);
        struct text value = text_slice(rest, 0, value_bytes(rest));
        take_member(key, value, &vector);
        rest = text_slice(rest, value.bytes, rest.bytes);
    }
    *vector_out = vector;
    return vector.id.bytes > 0 && vector.pattern.bytes > 0 && vector.event.bytes > 0;
}

const char *vector_verdict(const struct vector *vector) {
    scoped(pattern_free) struct pattern *pattern = NULL;
    struct error error;
    bool is_match = false;
    if (!pattern_compile(vector->pattern, &pattern, &error) ||
        !pattern_match(pattern, vector->event, &is_match, &error)) {
        return "invalid";
    }
    return is_match ? "match" : "nomatch";
}
