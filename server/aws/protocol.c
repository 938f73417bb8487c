#include "riposte/aws/protocol.h"

#include "riposte/json/writer.h"

/* The form under construction, and the dotted name of the value being written. */
struct form {
    enum aws_protocol protocol;
    struct buffer *body;
    struct buffer name;
    unsigned depth;
};

static bool put(struct form *form, const struct json *value, struct error *error);

/* A space as "+", as forms have it and botocore sends it. */
static void append_encoded(struct buffer *body, struct text text) {
    size_t from = body->bytes;
    buffer_append_percent_encoded(body, text, " ");
    for (size_t i = from; i < body->bytes; i++) {
        body->data[i] = body->data[i] == ' ' ? '+' : body->data[i];
    }
}

static void put_text(struct form *form, struct text value) {
    buffer_append_char(form->body, '&');
    append_encoded(form->body, buffer_text(&form->name));
    buffer_append_char(form->body, '=');
    append_encoded(form->body, value);
}

static void put_json_text(struct form *form, const struct json *value) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    json_write(&text, value);
    put_text(form, buffer_text(&text));
}

/* {"$json": ...}, and nothing beside it. */
static const struct json *find_document(const struct json *object) {
    return json_count(object) == 1 ? json_member(object, "$json") : NULL;
}

static bool put_members(struct form *form, const struct json *object, struct error *error) {
    size_t name_bytes = form->name.bytes;
    for (const struct json *member = json_first(object); member != NULL;
         member = json_next(member)) {
        buffer_append_string(&form->name, name_bytes > 0 ? "." : "");
        buffer_append_text(&form->name, json_key(member));
        if (!put(form, member, error)) {
            return false;
        }
        buffer_truncate(&form->name, name_bytes);
    }
    return true;
}

static bool put_elements(struct form *form, const struct json *array, struct error *error) {
    size_t name_bytes = form->name.bytes;
    unsigned number = 1;
    for (const struct json *element = json_first(array); element != NULL;
         element = json_next(element)) {
        buffer_append_format(&form->name, ".%u", number++);
        if (!put(form, element, error)) {
            return false;
        }
        buffer_truncate(&form->name, name_bytes);
    }
    return true;
}

/* An empty list clears what is there, in the query protocol; the elements' name is not part of its
 * own. */
static void put_empty_list(struct form *form, bool is_spelled_out) {
    if (form->protocol == AWS_PROTOCOL_EC2) {
        return;
    }
    size_t name_bytes = form->name.bytes;
    while (is_spelled_out && name_bytes > 0 && form->name.data[name_bytes - 1] != '.') {
        name_bytes--;
    }
    if (is_spelled_out && name_bytes > 0) {
        buffer_truncate(&form->name, name_bytes - 1);
    }
    put_text(form, TEXT(""));
}

static bool put_list(struct form *form, const struct json *array, struct error *error) {
    bool is_spelled_out = text_ends_with(buffer_text(&form->name), TEXT(".N"));
    if (is_spelled_out) {
        buffer_truncate(&form->name, form->name.bytes - 2);
    }
    if (json_count(array) == 0) {
        put_empty_list(form, is_spelled_out);
        return true;
    }
    if (!is_spelled_out && form->protocol == AWS_PROTOCOL_QUERY) {
        buffer_append_string(&form->name, ".member");
    }
    return put_elements(form, array, error);
}

/* The one element of a list that is named like one. */
static void put_element(struct form *form, const struct json *value) {
    if (text_ends_with(buffer_text(&form->name), TEXT(".N"))) {
        buffer_truncate(&form->name, form->name.bytes - 1);
        buffer_append_char(&form->name, '1');
    }
    put_text(form, json_text(value));
}

static bool put_container(struct form *form, const struct json *value, struct error *error) {
    if (++form->depth > PROTOCOL_DEPTH) {
        return error_set(error, ERROR_INVALID, "parameters nest deeper than %d", PROTOCOL_DEPTH);
    }
    bool is_put = json_is_array(value) ? put_list(form, value, error)
                                       : put_members(form, value, error);
    form->depth--;
    return is_put;
}

static bool put(struct form *form, const struct json *value, struct error *error) {
    const struct json *document = find_document(value);
    if (document != NULL) {
        put_json_text(form, document);
        return true;
    }
    if (json_is_object(value) || json_is_array(value)) {
        return put_container(form, value, error);
    }
    if (json_type(value) == JSON_NULL) {
        return error_set(error, ERROR_INVALID, "the parameter %s is null",
                         buffer_string(&form->name));
    }
    put_element(form, value);
    return true;
}

/* A second Action could turn what passed as a read into a write. */
static bool check_names(const struct json *parameters, struct error *error) {
    for (const struct json *member = json_first(parameters); member != NULL;
         member = json_next(member)) {
        struct text name = json_key(member);
        if (name.bytes == 0 || text_equal_string(name, "Action") ||
            text_equal_string(name, "Version")) {
            return error_set(error, ERROR_INVALID, "no parameter may be named \"%.*s\"",
                             TEXT_ARG(name));
        }
    }
    return true;
}

bool aws_protocol_form(const struct aws_service *service, struct text operation,
                       const struct json *parameters, struct buffer *body, struct error *error) {
    if (parameters != NULL && !json_is_object(parameters)) {
        return error_set(error, ERROR_INVALID, "parameters must be an object");
    }
    if (!check_names(parameters, error)) {
        return false;
    }
    buffer_append_string(body, "Action=");
    buffer_append_percent_encoded(body, operation, "");
    buffer_append_format(body, "&Version=%s", service->version);

    struct form form = {.protocol = service->protocol, .body = body, .name = BUFFER_INIT};
    bool is_put = put_members(&form, parameters, error);
    buffer_done(&form.name);
    if (is_put && (body->is_overfull || body->bytes > PROTOCOL_BODY_BYTES)) {
        return error_set(error, ERROR_LIMIT, "parameters of more than %d bytes",
                         PROTOCOL_BODY_BYTES);
    }
    return is_put;
}

/* --- JSON --- */

static bool write_value(const struct json *value, unsigned depth, struct buffer *out,
                        struct error *error);

static bool write_children(const struct json *container, unsigned depth, struct buffer *out,
                           struct error *error) {
    bool is_object = json_is_object(container);
    buffer_append_char(out, is_object ? '{' : '[');
    for (const struct json *child = json_first(container); child != NULL;
         child = json_next(child)) {
        buffer_append_string(out, child != json_first(container) ? "," : "");
        if (is_object) {
            buffer_append_json_string(out, json_key(child));
            buffer_append_char(out, ':');
        }
        if (!write_value(child, depth + 1, out, error)) {
            return false;
        }
    }
    buffer_append_char(out, is_object ? '}' : ']');
    return true;
}

static bool write_value(const struct json *value, unsigned depth, struct buffer *out,
                        struct error *error) {
    const struct json *document = find_document(value);
    if (depth > PROTOCOL_DEPTH) {
        return error_set(error, ERROR_INVALID, "parameters nest deeper than %d", PROTOCOL_DEPTH);
    }
    if (document != NULL) {
        scoped(buffer_done) struct buffer text = BUFFER_INIT;
        json_write(&text, document);
        buffer_append_json_string(out, buffer_text(&text));
        return true;
    }
    if (json_is_object(value) || json_is_array(value)) {
        return write_children(value, depth, out, error);
    }
    json_write(out, value);
    return true;
}

bool aws_protocol_json(const struct json *value, struct buffer *body, struct error *error) {
    if (value == NULL) {
        buffer_append_string(body, "{}");
        return true;
    }
    if (!write_value(value, 0, body, error)) {
        return false;
    }
    return !body->is_overfull && body->bytes <= PROTOCOL_BODY_BYTES
               ? true
               : error_set(error, ERROR_LIMIT, "parameters of more than %d bytes",
                           PROTOCOL_BODY_BYTES);
}
