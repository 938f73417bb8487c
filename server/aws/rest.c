#include "riposte/aws/rest.h"

#include "riposte/aws/protocol.h"
#include "riposte/aws/xml_writer.h"
#include "riposte/base/buffer.h"
#include "riposte/base/hex.h"

static bool is_scalar(const struct json *value) {
    return value != NULL && !json_is_object(value) && !json_is_array(value) &&
           json_type(value) != JSON_NULL;
}

/* --- method, path --- */

static bool read_method(const struct json *request, struct text *method_out, struct error *error) {
    static const struct text methods[] = {
        TEXT_INIT("GET"),  TEXT_INIT("PUT"),   TEXT_INIT("POST"),
        TEXT_INIT("HEAD"), TEXT_INIT("PATCH"), TEXT_INIT("DELETE"),
    };
    struct text said = json_text(json_member(request, "method"));
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
        if (text_equal(said, methods[i])) {
            *method_out = methods[i];
            return true;
        }
    }
    return error_set(error, ERROR_INVALID,
                     "the method must be GET, HEAD, PUT, POST, PATCH or "
                     "DELETE");
}

static bool is_hex_digit(struct text text, size_t at) {
    return at < text.bytes && hex_value(text.data[at]) >= 0;
}

/* "." and "..", in whatever spelling. */
static bool is_dots(struct text segment) {
    size_t dots = 0;
    size_t at = 0;
    while (at < segment.bytes) {
        struct text rest = text_slice(segment, at, segment.bytes);
        bool is_encoded = text_starts_with(rest, TEXT("%2E")) ||
                          text_starts_with(rest, TEXT("%2e"));
        if (!is_encoded && rest.data[0] != '.') {
            return false;
        }
        dots++;
        at += is_encoded ? 3 : 1;
    }
    return dots == 1 || dots == 2;
}

static bool check_segments(struct text path, bool is_s3, struct error *error) {
    struct text rest = text_slice(path, 1, path.bytes);
    struct text segment;
    while (text_next_part(&rest, '/', &segment)) {
        bool is_odd = segment.bytes == 0 && !is_s3; /* a key in S3 may hold anything */
        if (is_odd || is_dots(segment)) {
            return error_set(error, ERROR_INVALID, "the path holds a segment \"%.*s\"",
                             TEXT_ARG(segment));
        }
    }
    return true;
}

static bool read_path(const struct aws_service *service, const struct json *request,
                      struct arena *arena, struct text *path_out, struct error *error) {
    const struct json *said = json_member(request, "path");
    struct text path = json_text(said);
    if (!json_is_string(said) || !text_starts_with(path, TEXT("/"))) {
        return error_set(error, ERROR_INVALID, "the path must be a string that begins with \"/\"");
    }
    if (!check_segments(path, (service->traits & AWS_TRAIT_S3) != 0, error)) {
        return false;
    }
    scoped(buffer_done) struct buffer encoded = BUFFER_INIT;
    for (size_t i = 0; i < path.bytes; i++) {
        bool is_encoded = path.data[i] == '%' && is_hex_digit(path, i + 1) &&
                          is_hex_digit(path, i + 2);
        buffer_append_percent_encoded(&encoded, text_slice(path, i, i + 1), is_encoded ? "%" : "/");
    }
    *path_out = arena_copy_text(arena, buffer_text(&encoded));
    return true;
}

/* --- query --- */

static void append_parameter(struct buffer *query, struct text name, struct text value) {
    buffer_append_string(query, query->bytes > 0 ? "&" : "");
    buffer_append_percent_encoded(query, name, "");
    if (value.bytes > 0) {
        buffer_append_char(query, '=');
        buffer_append_percent_encoded(query, value, "");
    }
}

static bool append_member(const struct json *member, struct buffer *query, struct error *error) {
    struct text name = json_key(member);
    if (is_scalar(member)) {
        append_parameter(query, name, json_text(member));
        return true;
    }
    const struct json *element = json_is_array(member) ? json_first(member) : NULL;
    if (name.bytes == 0 || !json_is_array(member)) {
        return error_set(error, ERROR_INVALID, "the query parameter \"%.*s\" is no text or list",
                         TEXT_ARG(name));
    }
    for (; element != NULL; element = json_next(element)) {
        if (!is_scalar(element)) {
            return error_set(error, ERROR_INVALID,
                             "the query parameter \"%.*s\" lists what is no text", TEXT_ARG(name));
        }
        append_parameter(query, name, json_text(element));
    }
    return true;
}

static bool read_query(const struct json *request, struct arena *arena, struct text *query_out,
                       struct error *error) {
    const struct json *said = json_member(request, "query");
    scoped(buffer_done) struct buffer query = BUFFER_INIT;
    if (said != NULL && !json_is_object(said)) {
        return error_set(error, ERROR_INVALID, "the query must be an object");
    }
    for (const struct json *member = json_first(said); member != NULL; member = json_next(member)) {
        if (!append_member(member, &query, error)) {
            return false;
        }
    }
    *query_out = arena_copy_text(arena, buffer_text(&query));
    return true;
}

/* --- headers, host prefix --- */

/* What the signature, the connection or the protocol is made of is not for a playbook to say. */
static bool is_ours(struct text name) {
    static const struct text ours[] = {
        TEXT_INIT("host"),
        TEXT_INIT("authorization"),
        TEXT_INIT("x-amz-date"),
        TEXT_INIT("content-length"),
        TEXT_INIT("transfer-encoding"),
        TEXT_INIT("connection"),
        TEXT_INIT("expect"),
        TEXT_INIT("x-amz-target"),
        TEXT_INIT("x-amz-security-token"),
        TEXT_INIT("date"),
        TEXT_INIT("user-agent"),
        TEXT_INIT("x-amz-content-sha256"),
    };
    for (size_t i = 0; i < ARRAY_COUNT(ours); i++) {
        if (text_equal_ignoring_ascii_case(name, ours[i])) {
            return true;
        }
    }
    return false;
}

static void add_header(struct aws_rest *rest, struct text name, struct text value) {
    rest->headers[rest->header_count++] = (struct http_header){name, value};
}

static bool read_headers(const struct json *request, struct arena *arena, struct aws_rest *rest,
                         struct error *error) {
    const struct json *said = json_member(request, "headers");
    if (said != NULL && (!json_is_object(said) || json_count(said) >= REST_HEADERS)) {
        return error_set(error, ERROR_INVALID, "the headers must be an object of less than %d",
                         REST_HEADERS);
    }
    for (const struct json *member = json_first(said); member != NULL; member = json_next(member)) {
        struct text name = json_key(member);
        if (!is_scalar(member) || is_ours(name)) {
            return error_set(error, ERROR_INVALID,
                             "the header \"%.*s\" is no text, or not to be set", TEXT_ARG(name));
        }
        add_header(rest, arena_copy_text(arena, name), arena_copy_text(arena, json_text(member)));
    }
    return true;
}

/* "123456789012.": whole labels of a host name, nothing that could end it. */
static bool read_host_prefix(const struct json *request, struct arena *arena, struct text *out,
                             struct error *error) {
    struct text said = json_text(json_member(request, "host_prefix"));
    bool is_good = said.bytes == 0 || text_ends_with(said, TEXT("."));
    for (size_t i = 0; i < said.bytes && is_good; i++) {
        char c = said.data[i];
        bool is_inner = (c == '-' || c == '.') && i > 0 && said.data[i - 1] != '.';
        is_good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || is_inner;
    }
    if (!is_good || said.bytes > 128) {
        return error_set(error, ERROR_INVALID,
                         "the host prefix must be labels of a host name, each with its dot");
    }
    *out = arena_copy_text(arena, said);
    return true;
}

/* --- body --- */

static bool has_header(const struct aws_rest *rest, struct text name) {
    for (size_t i = 0; i < rest->header_count; i++) {
        if (text_equal_ignoring_ascii_case(rest->headers[i].name, name)) {
            return true;
        }
    }
    return false;
}

static bool write_body(const struct json *kind, struct buffer *body, struct error *error) {
    struct text name = json_key(kind);
    if (text_equal_string(name, "json")) {
        return aws_protocol_json(kind, body, error);
    }
    if (text_equal_string(name, "xml")) {
        return aws_xml_write(kind, body, error);
    }
    if (text_equal_string(name, "raw") && json_is_string(kind)) {
        buffer_append_text(body, json_text(kind));
        return true;
    }
    return error_set(error, ERROR_INVALID, "the body must be \"json\", \"xml\" or \"raw\"");
}

static bool read_body(const struct aws_service *service, const struct json *request,
                      struct arena *arena, struct aws_rest *rest, struct error *error) {
    const struct json *said = json_member(request, "body");
    scoped(buffer_done) struct buffer body = BUFFER_INIT;
    if (said == NULL) {
        return true;
    }
    if (!json_is_object(said) || json_count(said) != 1) {
        return error_set(error, ERROR_INVALID,
                         "the body must be an object with \"json\", \"xml\" or \"raw\"");
    }
    if (!write_body(json_first(said), &body, error)) {
        return false;
    }
    if (body.bytes > PROTOCOL_BODY_BYTES) {
        return error_set(error, ERROR_LIMIT, "a body of more than %d bytes", PROTOCOL_BODY_BYTES);
    }
    rest->body = arena_copy_text(arena, buffer_text(&body));
    if (service->protocol == AWS_PROTOCOL_REST_JSON && json_member(said, "json") != NULL &&
        !has_header(rest, TEXT("content-type"))) {
        add_header(rest, TEXT("Content-Type"), TEXT("application/json"));
    }
    return true;
}

static bool check_members(const struct json *request, struct error *error) {
    static const char *const known[] = {"method",  "path",        "query",
                                        "headers", "host_prefix", "body"};
    for (const struct json *member = json_first(request); member != NULL;
         member = json_next(member)) {
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
            is_known |= text_equal_string(json_key(member), known[i]);
        }
        if (!is_known) {
            return error_set(error, ERROR_INVALID, "a request has no \"%.*s\"",
                             TEXT_ARG(json_key(member)));
        }
    }
    return true;
}

bool aws_rest_read(const struct aws_service *service, const struct json *request,
                   struct arena *arena, struct aws_rest *rest_out, struct error *error) {
    struct aws_rest rest = {.body = TEXT("")};
    if (!json_is_object(request)) {
        return error_set(error, ERROR_INVALID, "calls to %s need a \"request\"", service->name);
    }
    if (!check_members(request, error) || !read_method(request, &rest.method, error) ||
        !read_path(service, request, arena, &rest.path, error) ||
        !read_query(request, arena, &rest.query, error) ||
        !read_headers(request, arena, &rest, error) ||
        !read_host_prefix(request, arena, &rest.host_prefix, error) ||
        !read_body(service, request, arena, &rest, error)) {
        return error_wrap(error, "request");
    }
    *rest_out = rest;
    return true;
}
