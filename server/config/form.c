#include "form.h"

#include "suggest.h"

#include "riposte/base/memory.h"
#include "riposte/base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the text ---- */

static int compare_members(const void *a, const void *b) {
    const struct json *left = *(const struct json *const *)a;
    const struct json *right = *(const struct json *const *)b;
    int order = text_compare(json_key(left), json_key(right));
    size_t left_offset = json_key_offset(left);
    size_t right_offset = json_key_offset(right);
    return order != 0 ? order : left_offset < right_offset ? -1 : left_offset > right_offset;
}

static void check_keys_once(const struct reading *reading, const struct json *object) {
    size_t count = json_count(object);
    scoped(memory_free_at)
        const struct json **members = memory_new_array(count, sizeof(const struct json *));
    size_t i = 0;
    for (const struct json *member = json_first(object); member != NULL;
         member = json_next(member)) {
        members[i++] = member;
    }
    qsort(members, count, sizeof(*members), compare_members);
    for (i = 1; i < count; i++) {
        struct text key = json_key(members[i]);
        if (text_equal(key, json_key(members[i - 1]))) {
            findings_add_at(reading->findings, reading->source, json_key_offset(members[i]),
                            "duplicate key \"%.*s\": keep one", TEXT_ARG(key));
        }
    }
}

static void check_all_keys_once(const struct reading *reading, const struct json *node) {
    if (json_is_object(node) && json_count(node) > 1) {
        check_keys_once(reading, node);
    }
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        check_all_keys_once(reading, child);
    }
}

const struct json *form_parse(const struct reading *reading, unsigned json_flags) {
    const struct json *root = NULL;
    size_t offset = 0;
    struct error error = {0};
    if (!json_parse(reading->source->text, json_flags, reading->arena, &root, &offset, &error)) {
        /* "line L, column C: what": the finding has its own place. */
        const char *what = strstr(error.text, ": ");
        findings_add_at(reading->findings, reading->source, offset, "%s",
                        what == NULL ? error.text : what + 2);
        return NULL;
    }
    check_all_keys_once(reading, root);
    return root;
}

/* ---- kinds ---- */

static bool is_any(const struct json *node) {
    return node != NULL;
}

static bool is_boolean(const struct json *node) {
    return json_type(node) == JSON_TRUE || json_type(node) == JSON_FALSE;
}

static bool is_text(const struct json *node) {
    return json_is_string(node) && json_text(node).bytes > 0;
}

static bool is_name(const struct json *node) {
    return json_is_string(node) && form_is_name(json_text(node));
}

static bool are_strings(const struct json *node) {
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        if (!is_text(child)) {
            return false;
        }
    }
    return json_is_array(node);
}

static bool is_duration(const struct json *node) {
    int64_t ms = 0;
    return json_is_string(node) && duration_parse(json_text(node), &ms);
}

static bool is_call(const struct json *node) {
    struct call_template call;
    return json_is_string(node) && form_split_call(json_text(node), &call);
}

#define STRING_SCHEMA "{\"type\": \"string\", \"minLength\": 1}"

static const struct kind {
    bool (*is_fn)(const struct json *node);
    const char *needs;
    const char *schema; /* the same as JSON Schema */
} kinds[] = {
    [MEMBER_ANY] = {is_any, "there", "{}"},
    [MEMBER_BOOLEAN] = {is_boolean, "true or false", "{\"type\": \"boolean\"}"},
    [MEMBER_STRING] = {is_text, "a string that is not empty", STRING_SCHEMA},
    [MEMBER_NAME] = {is_name, "a name of a-z, 0-9, \"-\" and \"_\", at most 64 characters",
                     "{\"type\": \"string\", \"pattern\": \"^[a-z0-9][a-z0-9_-]{0,63}$\"}"},
    [MEMBER_OBJECT] = {json_is_object, "an object", "{\"type\": \"object\"}"},
    [MEMBER_ARRAY] = {json_is_array, "an array", "{\"type\": \"array\"}"},
    [MEMBER_STRINGS] = {are_strings, "an array of strings",
                        "{\"type\": \"array\", \"items\": " STRING_SCHEMA "}"},
    [MEMBER_DURATION] = {is_duration, "a duration like \"5m\" (ms, s, m, h or d)",
                         FORM_DURATION_SCHEMA},
    [MEMBER_CALL] = {is_call, "a call like \"ec2:DescribeInstances\"", FORM_CALL_SCHEMA},
};

const char *form_kind_schema(enum member_kind kind) {
    return kinds[kind].schema;
}

bool form_is_name(struct text text) {
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        bool is_alphanumeric = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_alphanumeric && (i == 0 || (c != '-' && c != '_'))) {
            return false;
        }
    }
    return text.bytes > 0 && text.bytes <= FORM_NAME_BYTES;
}

static bool is_operation(struct text text) {
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return text.bytes > 0 && text.bytes <= FORM_NAME_BYTES && text.data[0] <= 'Z';
}

bool form_split_call(struct text text, struct call_template *call_out) {
    size_t colon = text_find_byte(text, ':', 0);
    struct text service = text_slice(text, 0, colon);
    struct text operation = text_slice(text, colon + 1, text.bytes);
    if (!form_is_name(service) || !is_operation(operation)) {
        return false;
    }
    call_out->service = service;
    call_out->operation = operation;
    return true;
}

/* ---- objects ---- */

const char *form_show(const struct json *node, char out[FORM_SHOWN_BYTES]) {
    enum json_type type = json_type(node);
    if (type == JSON_OBJECT || type == JSON_ARRAY) {
        return type == JSON_OBJECT ? "an object" : "an array";
    }
    struct text text = json_text(node);
    if (text.bytes > FORM_SHOWN_BYTES - 8 || !text_is_utf8(text)) {
        return type == JSON_STRING ? "another string" : "another number";
    }
    const char *quote = type == JSON_STRING ? "\"" : "";
    snprintf(out, FORM_SHOWN_BYTES, "%s%.*s%s", quote, TEXT_ARG(text), quote);
    return out;
}

void form_refuse(const struct reading *reading, const struct json *node, const char *label,
                 const char *needs) {
    char shown[FORM_SHOWN_BYTES];
    findings_add(reading->findings, reading->source, node, "%s must be %s, is %s", label, needs,
                 form_show(node, shown));
}

static const struct member *find_member(const struct member *members, size_t count,
                                        struct text name) {
    for (size_t i = 0; i < count; i++) {
        if (text_equal_string(name, members[i].name)) {
            return &members[i];
        }
    }
    return NULL;
}

static void refuse_unknown(const struct reading *reading, const struct json *node, const char *what,
                           const struct member *members, size_t count) {
    struct suggestion near;
    suggestion_init(&near, json_key(node));
    for (size_t i = 0; i < count; i++) {
        suggestion_offer(&near, text_of(members[i].name));
    }
    char hint[SUGGESTION_BYTES];
    findings_add_at(reading->findings, reading->source, json_key_offset(node),
                    "unknown key \"%.*s\" in %s%s", TEXT_ARG(json_key(node)), what,
                    suggestion_text(&near, hint));
}

static void check_member(const struct reading *reading, const struct json *node,
                         const struct member *member) {
    if (!kinds[member->kind].is_fn(node)) {
        char label[FORM_NAME_BYTES];
        snprintf(label, sizeof(label), "\"%s\"", member->name);
        form_refuse(reading, node, label, kinds[member->kind].needs);
    }
}

void form_check(const struct reading *reading, const struct json *node, const char *what,
                const struct member *members, size_t count) {
    if (!json_is_object(node)) {
        form_refuse(reading, node, what, "an object");
        return;
    }
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        const struct member *member = find_member(members, count, json_key(child));
        if (member == NULL) {
            refuse_unknown(reading, child, what, members, count);
        } else {
            check_member(reading, child, member);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if ((members[i].flags & MEMBER_REQUIRED) != 0 &&
            json_member(node, members[i].name) == NULL) {
            findings_add(reading->findings, reading->source, node, "%s needs \"%s\"", what,
                         members[i].name);
        }
    }
}

bool form_choice(const struct reading *reading, const struct json *node, const char *label,
                 const char *const *choices, size_t *index_out) {
    struct suggestion near;
    suggestion_init(&near, json_text(node));
    scoped(buffer_done) struct buffer all = BUFFER_INIT;
    for (size_t i = 0; choices[i] != NULL; i++) {
        if (json_is_string(node) && text_equal_string(json_text(node), choices[i])) {
            *index_out = i;
            return true;
        }
        suggestion_offer(&near, text_of(choices[i]));
        bool is_last = choices[i + 1] == NULL;
        buffer_append_format(&all, "%s\"%s\"", i == 0 ? "" : is_last ? " or " : ", ", choices[i]);
    }
    char shown[FORM_SHOWN_BYTES];
    char hint[SUGGESTION_BYTES];
    findings_add(reading->findings, reading->source, node, "%s must be %s, is %s%s", label,
                 buffer_string(&all), form_show(node, shown),
                 json_is_string(node) ? suggestion_text(&near, hint) : "");
    return false;
}

/* ---- getters ---- */

struct text form_text(const struct json *object, const char *name) {
    const struct json *node = json_member(object, name);
    return json_is_string(node) ? json_text(node) : TEXT("");
}

struct texts form_texts(const struct reading *reading, const struct json *object,
                        const char *name) {
    const struct json *node = json_member(object, name);
    size_t count = json_is_array(node) ? json_count(node) : 0;
    if (count == 0) {
        return (struct texts){0};
    }
    struct text *items = arena_alloc_array(reading->arena, count, sizeof(*items));
    size_t i = 0;
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        items[i++] = json_text(child);
    }
    return (struct texts){items, count};
}

int64_t form_duration(const struct json *object, const char *name, int64_t fallback_ms) {
    int64_t ms = fallback_ms;
    struct text text = form_text(object, name);
    return text.bytes > 0 && duration_parse(text, &ms) ? ms : fallback_ms;
}
