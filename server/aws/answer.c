#include "riposte/aws/answer.h"

#include "riposte/aws/xml.h"

#include <stdint.h>

static struct json *convert(struct arena *arena, const struct xml_element *element);

/* --- members: how often each name occurs among an element's children --- */

struct member {
    const struct xml_element *first;
    size_t count;
    struct json *array; /* for a name that repeats, once it is there */
};

/* Open addressing over twice as many slots as children: an element may have thousands. */
struct members {
    struct member *slots;
    size_t slot_count; /* a power of two */
};

static struct member *find_member(struct members *members, struct text name) {
    size_t slot = text_hash(name) & (members->slot_count - 1);
    while (members->slots[slot].count > 0 && !text_equal(members->slots[slot].first->name, name)) {
        slot = (slot + 1) & (members->slot_count - 1);
    }
    return &members->slots[slot];
}

static struct members count_members(struct arena *arena, const struct xml_element *element) {
    struct members members = {.slot_count = 2};
    while (members.slot_count < 2 * element->child_count) {
        members.slot_count *= 2;
    }
    members.slots = arena_alloc_array(arena, members.slot_count, sizeof(*members.slots));
    for (const struct xml_element *child = element->first; child != NULL; child = child->next) {
        struct member *member = find_member(&members, child->name);
        if (member->count++ == 0) {
            member->first = child;
        }
    }
    return members;
}

/* --- conversion; as deep as the XML, which is bounded --- */

static struct json *convert_members(struct arena *arena, const struct xml_element *element) {
    struct json *object = json_new_object(arena);
    struct members members = count_members(arena, element);
    for (const struct xml_element *child = element->first; child != NULL; child = child->next) {
        struct member *member = find_member(&members, child->name);
        if (member->count == 1) {
            json_add_member(arena, object, child->name, convert(arena, child));
            continue;
        }
        if (member->array == NULL) {
            member->array = json_new_array(arena);
            json_add_member(arena, object, child->name, member->array);
        }
        json_add_element(member->array, convert(arena, child));
    }
    return object;
}

static bool is_list(const struct xml_element *element) {
    for (const struct xml_element *child = element->first; child != NULL; child = child->next) {
        if (!text_equal_string(child->name, "member") && !text_equal_string(child->name, "item")) {
            return false;
        }
    }
    return true;
}

static struct json *convert_list(struct arena *arena, const struct xml_element *element) {
    struct json *array = json_new_array(arena);
    for (const struct xml_element *child = element->first; child != NULL; child = child->next) {
        json_add_element(array, convert(arena, child));
    }
    return array;
}

/* Nothing, or what is left of a list laid out over lines; a lone space is a value. */
static bool is_empty(struct text text) {
    return text_trim(text).bytes == 0 &&
           (text.bytes == 0 || text_find_byte(text, '\n', 0) < text.bytes);
}

static struct json *convert(struct arena *arena, const struct xml_element *element) {
    if (element->first == NULL) {
        return is_empty(element->text) ? json_new_array(arena)
                                       : json_new_string(arena, element->text);
    }
    return is_list(element) ? convert_list(arena, element) : convert_members(arena, element);
}

/* --- bodies --- */

/* <OpResult> inside <OpResponse>. */
static const struct xml_element *find_result(const struct xml_element *root) {
    struct text operation = text_slice(root->name, 0, root->name.bytes - TEXT("Response").bytes);
    for (const struct xml_element *child = root->first; child != NULL; child = child->next) {
        if (text_starts_with(child->name, operation) &&
            text_equal_string(text_slice(child->name, operation.bytes, child->name.bytes),
                              "Result")) {
            return child;
        }
    }
    return NULL;
}

/* The children of an answer without a result: EC2's, or nothing but metadata. */
static struct json *convert_root(struct arena *arena, const struct xml_element *root) {
    if (root->child_count == 1 && xml_child(root, "ResponseMetadata") != NULL) {
        return json_new_object(arena);
    }
    return convert_members(arena, root);
}

static struct text find_request_id(const struct xml_element *root) {
    struct text id = xml_text(xml_child(xml_child(root, "ResponseMetadata"), "RequestId"));
    return id.bytes > 0 ? id : xml_text(xml_child(root, "requestId"));
}

static bool read_response(struct text text, struct arena *arena, const struct json **body_out,
                          struct text *request_id_out, struct error *error) {
    const struct xml_element *root = NULL;
    if (!xml_parse(text, arena, &root, error)) {
        return false;
    }
    if (!text_ends_with(root->name, TEXT("Response"))) {
        return error_set(error, ERROR_INVALID, "<%.*s> is not an answer of AWS",
                         TEXT_ARG(root->name));
    }
    const struct xml_element *result = find_result(root);
    *body_out = result != NULL ? convert_members(arena, result) : convert_root(arena, root);
    *request_id_out = find_request_id(root);
    return true;
}

static bool read_json(struct text text, struct arena *arena, const struct json **body_out,
                      struct error *error) {
    const struct json *root = NULL;
    if (!json_parse(text, 0, arena, &root, NULL, error)) {
        return error_wrap(error, "an answer that is no JSON");
    }
    *body_out = json_is_object(root) ? root : json_new_object(arena);
    return true;
}

/* A document without an envelope, such as <LocationConstraint>eu-west-1</LocationConstraint>. */
static const struct json *convert_document(struct arena *arena, const struct xml_element *root) {
    if (root->first != NULL || is_empty(root->text)) {
        return convert_members(arena, root);
    }
    struct json *object = json_new_object(arena);
    json_add_member(arena, object, root->name, convert(arena, root));
    return object;
}

/* XML without its root, or a document in JSON, such as a bucket's policy. */
static bool read_document(struct text text, struct arena *arena, const struct json **body_out,
                          struct error *error) {
    const struct xml_element *root = NULL;
    char first = text_trim(text).data[0];
    if (first == '{') {
        return read_json(text, arena, body_out, error);
    }
    if (first != '<') {
        *body_out = json_new_object(arena);
        return true;
    }
    if (!xml_parse(text, arena, &root, error)) {
        return false;
    }
    if (text_equal_string(root->name, "Error") ||
        text_equal_ignoring_ascii_case(root->name, TEXT("html"))) {
        return error_set(error, ERROR_INVALID, "<%.*s> is not an answer of AWS",
                         TEXT_ARG(root->name));
    }
    *body_out = convert_document(arena, root);
    return true;
}

bool aws_answer_read(enum aws_protocol protocol, struct text text, struct arena *arena,
                     const struct json **body_out, struct text *request_id_out,
                     struct error *error) {
    struct text none = TEXT("");
    if (text_trim(text).bytes == 0) {
        *body_out = json_new_object(arena);
        *request_id_out = none;
        return true;
    }
    if (protocol == AWS_PROTOCOL_QUERY || protocol == AWS_PROTOCOL_EC2) {
        return read_response(text, arena, body_out, request_id_out, error);
    }
    bool is_read = protocol == AWS_PROTOCOL_REST_XML ? read_document(text, arena, body_out, error)
                                                     : read_json(text, arena, body_out, error);
    if (is_read) {
        *request_id_out = none;
    }
    return is_read;
}

/* --- errors --- */

/* S3's stands alone, query's and EC2's in an envelope, EC2's in a list of one. */
static const struct xml_element *find_error(const struct xml_element *root) {
    if (text_equal_string(root->name, "Error")) {
        return root;
    }
    if (!text_equal_string(root->name, "ErrorResponse") &&
        !text_equal_string(root->name, "Response")) {
        return NULL;
    }
    const struct xml_element *list = xml_child(root, "Errors");
    return xml_child(list != NULL ? list : root, "Error");
}

static struct aws_answer_error read_xml_error(struct text text, struct arena *arena) {
    const struct xml_element *root = NULL;
    struct error ignored;
    if (!xml_parse(text, arena, &root, &ignored)) {
        return (struct aws_answer_error){0};
    }
    const struct xml_element *error = find_error(root);
    struct aws_answer_error found = {
        .code = text_trim(xml_text(xml_child(error, "Code"))),
        .message = text_trim(xml_text(xml_child(error, "Message"))),
        .request_id = text_trim(xml_text(xml_child(root, "RequestId"))),
    };
    if (found.request_id.bytes == 0) {
        found.request_id = text_trim(xml_text(xml_child(root, "RequestID")));
    }
    return found;
}

/* The first of these that is text. */
static struct text string_of(const struct json *object, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct json *member = json_member(object, names[i]);
        if (json_is_string(member) && json_text(member).bytes > 0) {
            return json_text(member);
        }
    }
    return TEXT("");
}

/* "com.amazonaws.kms#NotFoundException" and "ValidationException:http://..." hold the code. */
static struct text cut_code(struct text said) {
    struct text code = text_slice(said, 0, text_find_byte(said, ':', 0));
    size_t hash = text_find_byte(code, '#', 0);
    return text_trim(hash < code.bytes ? text_slice(code, hash + 1, code.bytes) : code);
}

static struct aws_answer_error read_json_error(struct text text, struct arena *arena) {
    static const char *const codes[] = {"__type", "code", "Code"};
    static const char *const messages[] = {"message", "Message", "errorMessage"};
    const struct json *root = NULL;
    struct error ignored;
    if (!json_parse(text, 0, arena, &root, NULL, &ignored)) {
        return (struct aws_answer_error){0};
    }
    return (struct aws_answer_error){
        .code = cut_code(string_of(root, codes, ARRAY_COUNT(codes))),
        .message = string_of(root, messages, ARRAY_COUNT(messages)),
    };
}

/* The code that a header names: of a service that spoke query once, the code of then. */
static struct text find_code(const struct http_response *response) {
    struct text old = http_response_header(response, "x-amzn-query-error");
    struct text type = http_response_header(response, "x-amzn-ErrorType");
    return old.bytes > 0 ? text_trim(text_slice(old, 0, text_find_byte(old, ';', 0)))
                         : cut_code(type);
}

struct aws_answer_error aws_answer_error(const struct http_response *response,
                                         struct arena *arena) {
    struct aws_answer_error found = {0};
    struct text text = text_trim(response->body);
    if (text.bytes > 0 && text.data[0] == '{') {
        found = read_json_error(text, arena);
    } else if (text.bytes > 0) {
        found = read_xml_error(response->body, arena);
    }
    struct text named = find_code(response);
    if (named.bytes > 0 && text_is_utf8(named)) {
        found.code = arena_copy_text(arena, named);
    }
    if (found.code.bytes == 0) {
        found.code = arena_format(arena, "%d", response->status);
        found.message = arena_format(arena, "HTTP status %d without an error of AWS",
                                     response->status);
    }
    return found;
}
