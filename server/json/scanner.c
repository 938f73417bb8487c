#include "riposte/json/scanner.h"

#include "reader.h"

const char *json_type_name(enum json_type type) {
    static const char *const names[] = {
        [JSON_NULL] = "null",     [JSON_FALSE] = "false",   [JSON_TRUE] = "true",
        [JSON_NUMBER] = "number", [JSON_STRING] = "string", [JSON_ARRAY] = "array",
        [JSON_OBJECT] = "object",
    };
    return names[type];
}

void json_unescape(struct text raw, struct buffer *out) {
    char *room = buffer_reserve(out, raw.bytes);
    buffer_added(out, json_decode(raw, room));
}
