#include "riposte/aws/xml_writer.h"

static bool put_element(struct text name, const struct json *value, struct text name_space,
                        unsigned depth, struct buffer *out, struct error *error);

static bool is_name(struct text name) {
    for (size_t i = 0; i < name.bytes; i++) {
        char c = name.data[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        bool is_inner = (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':';
        if (!is_letter && (i == 0 || !is_inner)) {
            return false;
        }
    }
    return name.bytes > 0;
}

/* NULL: goes out as it is. */
static const char *escape_of(char c, bool is_attribute) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\r':
        return "&#xD;";
    case '\n':
        return "&#xA;";
    case '"':
        return is_attribute ? "&quot;" : NULL;
    case '\t':
        return is_attribute ? "&#09;" : NULL;
    default:
        return NULL;
    }
}

static bool put_text(struct text text, bool is_attribute, struct buffer *out, struct error *error) {
    if (!text_is_utf8(text)) {
        return error_set(error, ERROR_INVALID, "a text for XML is not UTF-8");
    }
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        const char *escape = escape_of(c, is_attribute);
        if ((unsigned char)c < ' ' && escape == NULL && c != '\t') {
            return error_set(error, ERROR_INVALID, "XML has no control characters");
        }
        if (escape != NULL) {
            buffer_append_string(out, escape);
        } else {
            buffer_append_char(out, c);
        }
    }
    return true;
}

static bool is_attribute(const struct json *member) {
    return text_starts_with(json_key(member), TEXT("@"));
}

static bool put_attribute(struct text name, struct text value, struct buffer *out,
                          struct error *error) {
    if (!is_name(name)) {
        return error_set(error, ERROR_INVALID, "\"%.*s\" is no name of an attribute",
                         TEXT_ARG(name));
    }
    buffer_append_format(out, " %.*s=\"", TEXT_ARG(name));
    if (!put_text(value, true, out, error)) {
        return false;
    }
    buffer_append_char(out, '"');
    return true;
}

static bool put_attributes(const struct json *value, struct buffer *out, struct error *error) {
    for (const struct json *member = json_is_object(value) ? json_first(value) : NULL;
         member != NULL; member = json_next(member)) {
        if (!is_attribute(member)) {
            continue;
        }
        struct text name = json_key(member);
        if (!json_is_string(member)) {
            return error_set(error, ERROR_INVALID, "the attribute %.*s is no text", TEXT_ARG(name));
        }
        if (!put_attribute(text_slice(name, 1, name.bytes), json_text(member), out, error)) {
            return false;
        }
    }
    return true;
}

static bool put_member(const struct json *member, unsigned depth, struct buffer *out,
                       struct error *error) {
    if (!json_is_array(member)) {
        return put_element(json_key(member), member, TEXT(""), depth, out, error);
    }
    for (const struct json *element = json_first(member); element != NULL;
         element = json_next(element)) {
        if (!put_element(json_key(member), element, TEXT(""), depth, out, error)) {
            return false;
        }
    }
    return true;
}

static bool put_members(const struct json *value, unsigned depth, struct buffer *out,
                        struct error *error) {
    for (const struct json *member = json_first(value); member != NULL;
         member = json_next(member)) {
        if (!is_attribute(member) && !put_member(member, depth + 1, out, error)) {
            return false;
        }
    }
    return true;
}

static bool check_element(struct text name, const struct json *value, unsigned depth,
                          struct error *error) {
    if (depth > XML_WRITER_DEPTH) {
        return error_set(error, ERROR_INVALID, "XML deeper than %d", XML_WRITER_DEPTH);
    }
    if (!is_name(name)) {
        return error_set(error, ERROR_INVALID, "\"%.*s\" is no name of an element", TEXT_ARG(name));
    }
    if (json_is_array(value) || (value != NULL && json_type(value) == JSON_NULL)) {
        return error_set(error, ERROR_INVALID, "the element %.*s is null or a list in a list",
                         TEXT_ARG(name));
    }
    return true;
}

static bool put_element(struct text name, const struct json *value, struct text name_space,
                        unsigned depth, struct buffer *out, struct error *error) {
    if (!check_element(name, value, depth, error)) {
        return false;
    }
    buffer_append_format(out, "<%.*s", TEXT_ARG(name));
    if ((name_space.bytes > 0 && !put_attribute(TEXT("xmlns"), name_space, out, error)) ||
        !put_attributes(value, out, error)) {
        return false;
    }
    size_t opened_bytes = out->bytes;
    buffer_append_char(out, '>');
    size_t begun_bytes = out->bytes;
    bool is_put = json_is_object(value) ? put_members(value, depth, out, error)
                                        : put_text(json_text(value), false, out, error);
    if (!is_put) {
        return false;
    }
    if (out->bytes == begun_bytes) {
        buffer_truncate(out, opened_bytes);
        buffer_append_string(out, " />");
    } else {
        buffer_append_format(out, "</%.*s>", TEXT_ARG(name));
    }
    return true;
}

bool aws_xml_write(const struct json *document, struct buffer *out, struct error *error) {
    const struct json *root = json_member(document, "root");
    const struct json *name_space = json_member(document, "namespace");
    if (!json_is_string(root) || (name_space != NULL && !json_is_string(name_space))) {
        return error_set(error, ERROR_INVALID, "xml needs a \"root\" and takes a \"namespace\"");
    }
    return put_element(json_text(root), json_member(document, "value"), json_text(name_space), 0,
                       out, error);
}
