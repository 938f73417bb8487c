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

bool aws_answer_body(struct text text, struct arena *arena, const struct json **body_out,
                     struct text *request_id_out, struct error *error) {
    const struct xml_element *root = NULL;
    if (text_trim(text).bytes == 0) {
        *body_out = json_new_object(arena);
        *request_id_out = TEXT("");
        return true;
    }
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

static struct aws_answer_error read_error(const struct xml_element *root) {
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

struct aws_answer_error aws_answer_error(int status, struct text text, struct arena *arena) {
    struct aws_answer_error found = {0};
    const struct xml_element *root = NULL;
    struct error ignored;
    if (text.bytes > 0 && xml_parse(text, arena, &root, &ignored)) {
        found = read_error(root);
    }
    if (found.code.bytes == 0) {
        found.code = arena_format(arena, "%d", status);
        found.message = arena_format(arena, "HTTP status %d without an error of AWS", status);
    }
    return found;
}
