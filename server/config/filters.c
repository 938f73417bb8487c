#include "filters.h"

#include "placeholder.h"

#include "riposte/base/buffer.h"
#include "riposte/base/hex.h"

#include <assert.h>

static bool parse_json(struct text text, struct arena *arena, const struct json **value_out,
                       struct error *error) {
    return json_parse(text, 0, arena, value_out, NULL, error) || error_wrap(error, "|json");
}

/* Percent-encoding as RFC 3986 has it: "+" stays. */
static bool decode_percent(struct text text, struct arena *arena, const struct json **value_out,
                           struct error *error) {
    char *decoded = arena_alloc(arena, text.bytes + 1);
    size_t bytes = 0;
    for (size_t at = 0; at < text.bytes; at++) {
        if (text.data[at] != '%') {
            decoded[bytes++] = text.data[at];
        } else if (hex_decode(text_slice(text, at + 1, at + 3), &decoded[bytes], 1)) {
            bytes++;
            at += 2;
        } else {
            return error_set(error, ERROR_INVALID,
                             "|urldecode: two hexadecimal digits must follow \"%%\"");
        }
    }
    struct text result = {decoded, bytes};
    if (!text_is_utf8(result)) {
        return error_set(error, ERROR_INVALID, "|urldecode: the result is not UTF-8");
    }
    *value_out = json_new_string(arena, result);
    return true;
}

enum arn_part {
    ARN_ARN,
    ARN_PARTITION,
    ARN_SERVICE,
    ARN_REGION,
    ARN_ACCOUNT,
    ARN_RESOURCE,
    ARN_PARTS
};

/* "arn:partition:service:region:account:resource"; false when it is none. */
static bool arn_split(struct text text, struct text parts_out[ARN_PARTS]) {
    for (size_t i = 0; i < ARN_RESOURCE; i++) {
        size_t colon = text_find_byte(text, ':', 0);
        if (colon == text.bytes) {
            return false;
        }
        parts_out[i] = text_slice(text, 0, colon);
        text = text_slice(text, colon + 1, text.bytes);
    }
    parts_out[ARN_RESOURCE] = text;
    return text_equal(parts_out[ARN_ARN], TEXT("arn"));
}

static size_t behind_last(struct text text, char separator) {
    size_t at = text.bytes;
    while (at > 0 && text.data[at - 1] != separator) {
        at--;
    }
    return at;
}

/* "user/path/name", "trail/name", "db:name", "bucket": the name. */
static struct text resource_name(struct text resource) {
    size_t from = behind_last(resource, '/');
    from = from > 0 ? from : behind_last(resource, ':');
    return text_slice(resource, from, resource.bytes);
}

static bool arn_part(enum filter filter, struct text text, struct arena *arena,
                     const struct json **value_out, struct error *error) {
    struct text parts[ARN_PARTS];
    struct text part = TEXT("");
    if (!arn_split(text, parts)) {
        /* "name or ARN" is what many APIs take (CloudTrail's trails, KMS's keys). */
        part = filter == FILTER_ARN_NAME ? text : part;
    } else {
        part = filter == FILTER_ARN_NAME      ? resource_name(parts[ARN_RESOURCE])
               : filter == FILTER_ARN_ACCOUNT ? parts[ARN_ACCOUNT]
                                              : parts[ARN_REGION];
    }
    if (part.bytes == 0) {
        return error_set(error, ERROR_NOT_FOUND, "no such part of an ARN in the value");
    }
    *value_out = json_new_string(arena, part);
    return true;
}

static bool apply_one(enum filter filter, const struct json *value, struct arena *arena,
                      const struct json **value_out, struct error *error) {
    if (!json_is_string(value)) {
        return error_set(error, ERROR_INVALID, "a filter works on strings, this is %s",
                         json_type_name(json_type(value)));
    }
    struct text text = json_text(value);
    switch (filter) {
    case FILTER_JSON:
        return parse_json(text, arena, value_out, error);
    case FILTER_URLDECODE:
        return decode_percent(text, arena, value_out, error);
    default:
        return arn_part(filter, text, arena, value_out, error);
    }
}

bool filters_apply(struct text filters, const struct json *value, struct arena *arena,
                   const struct json **value_out, struct error *error) {
    enum filter filter;
    while (filter_next(&filters, &filter)) {
        if (!apply_one(filter, value, arena, &value, error)) {
            return false;
        }
    }
    *value_out = value;
    return true;
}
