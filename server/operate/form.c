#include "form.h"

#include "riposte/base/buffer.h"

struct text cookie_value(struct text header, struct text name) {
    struct text part = {NULL, 0}, value = {NULL, 0};
    size_t count = 0;
    while (text_next_part(&header, ';', &part)) {
        size_t equals = text_find_byte(part, '=', 0);
        if (equals < part.bytes && text_equal(text_trim(text_slice(part, 0, equals)), name)) {
            value = text_trim(text_slice(part, equals + 1, part.bytes));
            count++;
        }
    }
    return count == 1 ? value : (struct text){NULL, 0};
}

static bool decode(struct text encoded, struct arena *arena, struct text *out) {
    scoped(buffer_done) struct buffer spaced = BUFFER_INIT;
    scoped(buffer_done) struct buffer decoded = BUFFER_INIT;
    for (size_t i = 0; i < encoded.bytes; i++) {
        buffer_append_char(&spaced, encoded.data[i] == '+' ? ' ' : encoded.data[i]);
    }
    if (!buffer_append_percent_decoded(&decoded, buffer_text(&spaced))) {
        return false;
    }
    *out = arena_copy_text(arena, buffer_text(&decoded));
    return true;
}

struct text form_value(struct text body, struct text name, struct arena *arena) {
    struct text part = {NULL, 0};
    while (text_next_part(&body, '&', &part)) {
        size_t equals = text_find_byte(part, '=', 0);
        struct text key = {NULL, 0}, value = {NULL, 0};
        if (decode(text_slice(part, 0, equals), arena, &key) && text_equal(key, name)) {
            return decode(text_slice(part, equals + 1, part.bytes), arena, &value)
                       ? value
                       : (struct text){NULL, 0};
        }
    }
    return (struct text){NULL, 0};
}
