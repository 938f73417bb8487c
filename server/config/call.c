#include "call.h"

bool call_is_write(struct text operation) {
    static const struct text reads[] = {TEXT_INIT("Get"), TEXT_INIT("List"), TEXT_INIT("Describe"),
                                        TEXT_INIT("Lookup"), TEXT_INIT("Head")};
    for (size_t i = 0; i < ARRAY_COUNT(reads); i++) {
        /* A whole word: "Listen..." is no read. */
        size_t end = reads[i].bytes;
        bool is_word = operation.bytes == end ||
                       (operation.bytes > end &&
                        (operation.data[end] < 'a' || operation.data[end] > 'z'));
        if (text_starts_with(operation, reads[i]) && is_word) {
            return false;
        }
    }
    return true;
}

/* {"$json": ...} is sent as its text: nothing can stand beside it. */
static void check_json_members(const struct reading *reading, const struct json *node) {
    const struct json *json = json_member(node, "$json");
    if (json != NULL && json_count(node) > 1) {
        findings_add_at(reading->findings, reading->source, json_key_offset(json),
                        "\"$json\" must be the only key of its object");
    }
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        check_json_members(reading, child);
    }
}

struct call_template call_read(const struct reading *reading, const struct scope *scope,
                               const struct json *object) {
    struct call_template call = {0};
    const struct json *with = json_member(object, "with");
    /* Another form was a finding already. */
    if (form_split_call(form_text(object, "call"), &call) && json_is_object(with)) {
        scope_check_template(reading, scope, with);
        check_json_members(reading, with);
        call.with = with;
    }
    return call;
}

struct call_template call_read_question(const struct reading *reading, const struct scope *scope,
                                        const struct json *object, const char *what) {
    struct call_template call = call_read(reading, scope, object);
    if (call.operation.bytes > 0 && call_is_write(call.operation)) {
        findings_add(reading->findings, reading->source, json_member(object, "call"),
                     "%s only asks: use an operation named Get, List, Describe, Lookup or Head",
                     what);
    }
    return call;
}

struct text call_read_template(const struct reading *reading, const struct scope *scope,
                               const struct json *object, const char *name) {
    const struct json *node = json_member(object, name);
    if (!json_is_string(node)) {
        return TEXT("");
    }
    scope_check_template(reading, scope, node);
    return json_text(node);
}

const struct json *call_read_matches(const struct reading *reading, const struct scope *scope,
                                     const struct json *object) {
    const struct json *node = json_member(object, "matches");
    scope_check_matches(reading, scope, node);
    return json_is_object(node) ? node : NULL;
}
