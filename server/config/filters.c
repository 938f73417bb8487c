#include "filters.h"

#include "placeholder.h"

#include "riposte/base/buffer.h"
#include "riposte/crypto/sha256.h"
#include "riposte/event/arn.h"

#define LINE_BYTES 200

static bool parse_json(struct text text, struct arena *arena, const struct json **value_out,
                       struct error *error) {
    return json_parse(text, 0, arena, value_out, NULL, error) || error_wrap(error, "|json");
}

static bool decode_percent(struct text text, struct arena *arena, const struct json **value_out,
                           struct error *error) {
    scoped(buffer_done) struct buffer decoded = BUFFER_INIT;
    if (!buffer_append_percent_decoded(&decoded, text)) {
        return error_set(error, ERROR_INVALID,
                         "|urldecode: two hexadecimal digits must follow \"%%\"");
    }
    if (!text_is_utf8(buffer_text(&decoded))) {
        return error_set(error, ERROR_INVALID, "|urldecode: the result is not UTF-8");
    }
    *value_out = json_new_string(arena, buffer_text(&decoded));
    return true;
}

/* "Name or ARN" is what many APIs take (CloudTrail's trails, KMS's keys): the name of what is no
 * ARN is the text itself. */
static struct text part_of(enum filter filter, struct text text) {
    struct arn arn;
    if (!arn_parse(text, &arn)) {
        return filter == FILTER_ARN_NAME ? text : TEXT("");
    }
    return filter == FILTER_ARN_NAME      ? arn_name(&arn)
           : filter == FILTER_ARN_ACCOUNT ? arn.account
                                          : arn.region;
}

static bool take_arn_part(enum filter filter, struct text text, struct arena *arena,
                          const struct json **value_out, struct error *error) {
    struct text part = part_of(filter, text);
    if (part.bytes == 0) {
        return error_set(error, ERROR_NOT_FOUND, "no such part of an ARN in the value");
    }
    *value_out = json_new_string(arena, part);
    return true;
}

/* Short enough for names, long enough that nobody makes another text with the same. */
static const struct json *fingerprint(struct text text, struct arena *arena) {
    char digits[SHA256_HEX_BYTES];
    sha256_hex(text, digits);
    return json_new_string(arena, (struct text){digits, FINGERPRINT_DIGITS});
}

/* For people and for APIs with limits: one line, not too long. */
static const struct json *to_line(struct text text, struct arena *arena) {
    scoped(buffer_done) struct buffer line = BUFFER_INIT;
    struct text kept = text_cut(text, LINE_BYTES);
    for (size_t i = 0; i < kept.bytes; i++) {
        unsigned char c = (unsigned char)kept.data[i];
        buffer_append_char(&line, c < ' ' || c == 0x7F ? ' ' : kept.data[i]);
    }
    buffer_append_string(&line, kept.bytes < text.bytes ? "..." : "");
    return json_new_string(arena, buffer_text(&line));
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
    case FILTER_FINGERPRINT:
        *value_out = fingerprint(text, arena);
        return true;
    case FILTER_LINE:
        *value_out = to_line(text, arena);
        return true;
    default:
        return take_arn_part(filter, text, arena, value_out, error);
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
