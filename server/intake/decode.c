#include "riposte/intake/decode.h"

#include "riposte/intake/intake.h"

#include <assert.h>
#include <string.h>

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_space(struct text text, size_t at) {
    while (at < text.bytes && is_space(text.data[at])) {
        at++;
    }
    return at;
}

/* From behind the opening quote to behind the closing one, or the end. */
static size_t skip_string(struct text text, size_t at) {
    while (at < text.bytes && text.data[at] != '"') {
        at += text.data[at] == '\\' ? 2 : 1;
    }
    return at < text.bytes ? at + 1 : text.bytes;
}

/* Where the element that begins at `at` ends: at a comma or bracket of the array itself. */
static size_t skip_element(struct text text, size_t at) {
    size_t depth = 0;
    while (at < text.bytes) {
        char c = text.data[at];
        if (c == '"') {
            at = skip_string(text, at + 1);
            continue;
        }
        if (depth == 0 && (c == ',' || c == ']' || c == '}')) {
            return at;
        }
        depth += (c == '{' || c == '[') ? 1 : 0;
        depth -= (c == '}' || c == ']') ? 1 : 0;
        at++;
    }
    return at;
}

struct list {
    struct text *events;
    size_t count, capacity;
};

static void append_event(struct list *list, struct arena *arena, struct text event) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
        struct text *events = arena_alloc_array(arena, capacity, sizeof(*events));
        if (list->count > 0) {
            memcpy(events, list->events, list->count * sizeof(*events));
        }
        list->events = events;
        list->capacity = capacity;
    }
    list->events[list->count++] = event;
}

/* `at` is behind the opening bracket. */
static bool split(struct text body, size_t at, struct arena *arena, struct list *list,
                  size_t *end_out, struct error *error) {
    at = skip_space(body, at);
    if (at < body.bytes && body.data[at] == ']') {
        *end_out = at + 1;
        return true;
    }
    for (;;) {
        size_t begin = skip_space(body, at);
        size_t end = skip_element(body, begin);
        if (end == body.bytes) {
            return error_set(error, ERROR_INVALID, "byte %zu: the array doesn't end", end);
        }
        if (end == begin || body.data[end] == '}') {
            return error_set(error, ERROR_INVALID, "byte %zu: unexpected '%c'", end,
                             body.data[end]);
        }
        if (list->count == INTAKE_EVENTS_MAX) {
            return error_set(error, ERROR_LIMIT, "over %d events in one array", INTAKE_EVENTS_MAX);
        }
        append_event(list, arena, text_slice(body, begin, end));
        at = end + 1;
        if (body.data[end] == ']') {
            *end_out = at;
            return true;
        }
    }
}

bool decode_body(struct text body, struct arena *arena, struct decoded *decoded_out,
                 struct error *error) {
    struct list list = {0};
    size_t begin = skip_space(body, 0);
    if (begin == body.bytes) {
        return error_set(error, ERROR_INVALID, "the body is empty");
    }
    bool is_array = body.data[begin] == '[';
    if (is_array) {
        size_t end = 0;
        if (!split(body, begin + 1, arena, &list, &end, error)) {
            return false;
        }
        if (skip_space(body, end) != body.bytes) {
            return error_set(error, ERROR_INVALID, "byte %zu: something behind the array", end);
        }
    } else {
        append_event(&list, arena, body);
    }
    *decoded_out = (struct decoded){
        .events = list.events, .count = list.count, .is_array = is_array};
    return true;
}
