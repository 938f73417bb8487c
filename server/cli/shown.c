#include "shown.h"

#include "riposte/json/writer.h"

#include <stdio.h>

struct text shown_member(const struct json *node, const char *name) {
    return json_text(json_member(node, name));
}

int64_t shown_number(const struct json *node, const char *name) {
    int64_t value = 0;
    return json_integer(json_member(node, name), &value) ? value : 0;
}

bool shown_is_true(const struct json *node, const char *name) {
    const struct json *member = json_member(node, name);
    return member != NULL && json_type(member) == JSON_TRUE;
}

/* In UTF-8 U+0080 to U+009F, which some terminals obey, begin with 0xC2. */
static bool is_second_control(struct text text, size_t at) {
    return (unsigned char)text.data[at] == 0xC2 && at + 1 < text.bytes &&
           (unsigned char)text.data[at + 1] < 0xA0;
}

void shown_text(struct buffer *out, struct text text, size_t width) {
    size_t columns = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte < 0x20 || byte == 0x7F || is_second_control(text, i)) {
            i += byte == 0xC2;
            buffer_append_format(out, "\\u%04x", (unsigned)(unsigned char)text.data[i]);
            columns += 6;
        } else {
            buffer_append_char(out, (char)byte);
            columns += (byte & 0xC0) != 0x80; /* the rest of a character */
        }
    }
    for (; columns < width; columns++) {
        buffer_append_char(out, ' ');
    }
}

void shown_json(const struct json *node) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    json_write_pretty(&out, node);
    printf("%s\n", buffer_string(&out));
}
