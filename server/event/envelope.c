#include "riposte/event/envelope.h"

#include "riposte/base/time.h"

#include <stddef.h>

struct member {
    enum event_capture capture;
    const char *name;
    size_t offset; /* of the text in struct envelope */
};

static const struct member required[] = {
    {EVENT_SOURCE, "source", offsetof(struct envelope, source)},
    {EVENT_DETAIL_TYPE, "detail-type", offsetof(struct envelope, detail_type)},
    {EVENT_ACCOUNT, "account", offsetof(struct envelope, account)},
    {EVENT_REGION, "region", offsetof(struct envelope, region)},
    {EVENT_TIME, "time", offsetof(struct envelope, time)},
};

/* "a string", "null": as in "must be a string, is ...". */
static const char *article(enum json_type type) {
    switch (type) {
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
        return "";
    case JSON_ARRAY:
    case JSON_OBJECT:
        return "an ";
    default:
        return "a ";
    }
}

static bool check_type(const struct json_capture *capture, const char *name, enum json_type wanted,
                       struct error *error) {
    if (!capture->is_present) {
        return error_set(error, ERROR_INVALID, "%s: missing", name);
    }
    if (capture->type != wanted) {
        return error_set(error, ERROR_INVALID, "%s: must be %s%s, is %s%s", name, article(wanted),
                         json_type_name(wanted), article(capture->type),
                         json_type_name(capture->type));
    }
    return true;
}

static bool read_required(const struct json_capture *captures, struct envelope *envelope,
                          struct error *error) {
    for (size_t i = 0; i < ARRAY_COUNT(required); i++) {
        const struct json_capture *capture = &captures[required[i].capture];
        if (!check_type(capture, required[i].name, JSON_STRING, error)) {
            return false;
        }
        *(struct text *)((char *)envelope + required[i].offset) = capture->text;
    }
    return check_type(&captures[EVENT_DETAIL], "detail", JSON_OBJECT, error);
}

/* A string, or empty when there is none; null counts as none. */
static bool read_optional(const struct json_capture *capture, const char *name,
                          struct text *text_out, struct error *error) {
    if (!capture->is_present || capture->type == JSON_NULL) {
        return true;
    }
    if (!check_type(capture, name, JSON_STRING, error)) {
        return false;
    }
    *text_out = capture->text;
    return true;
}

static bool read_key(const struct json_capture *captures, struct envelope *envelope,
                     struct error *error) {
    struct text event_id = {NULL, 0};
    if (!read_optional(&captures[EVENT_ID], "id", &envelope->id, error) ||
        !read_optional(&captures[EVENT_EVENT_ID], "detail.eventID", &event_id, error)) {
        return false;
    }
    envelope->key = event_id.bytes > 0 ? event_id : envelope->id;
    if (envelope->key.bytes == 0) {
        return error_set(error, ERROR_INVALID, "neither detail.eventID nor id");
    }
    if (envelope->key.bytes > ENVELOPE_KEY_BYTES) {
        return error_set(error, ERROR_INVALID, "%s: longer than %d bytes",
                         event_id.bytes > 0 ? "detail.eventID" : "id", ENVELOPE_KEY_BYTES);
    }
    return true;
}

bool envelope_read(const struct json_capture *captures, struct envelope *envelope_out,
                   struct error *error) {
    struct envelope envelope = {0};
    if (!read_required(captures, &envelope, error) || !read_key(captures, &envelope, error)) {
        return false;
    }
    const struct json_capture *event_name = &captures[EVENT_EVENT_NAME];
    if (event_name->is_present && event_name->type == JSON_STRING) {
        envelope.event_name = event_name->text;
    }
    envelope.has_time = time_parse(envelope.time, &envelope.time_unix_ms);
    *envelope_out = envelope;
    return true;
}
