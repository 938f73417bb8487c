/* XML answers: what is read is the same when it is read again, also from a copy that we print; it
 * becomes JSON within the bounds that reads back as itself; and an error is found in anything. */
#include "riposte/aws/answer.h"
#include "riposte/aws/failure.h"
#include "riposte/aws/xml.h"
#include "riposte/json/writer.h"

#include "fuzz.h"

/* Each XML level is at most an object and the array of a name that repeats in it. */
#define JSON_DEPTH_MAX (2 * XML_DEPTH + 1)

static void append_escaped(struct buffer *out, struct text text) {
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        if (c == '<' || c == '>' || c == '&' || c == '\r') {
            buffer_append_format(out, "&#%d;", c);
        } else {
            buffer_append_char(out, c);
        }
    }
}

static size_t print_element(struct buffer *out, const struct xml_element *element, size_t depth) {
    size_t count = 1;
    size_t children = 0;
    fuzz_check(depth <= XML_DEPTH);
    fuzz_check(text_is_utf8(element->name) && text_is_utf8(element->text));
    fuzz_check(element->first == NULL || element->text.bytes == 0);
    buffer_append_format(out, "<%.*s>", TEXT_ARG(element->name));
    append_escaped(out, element->text);
    for (const struct xml_element *child = element->first; child != NULL; child = child->next) {
        count += print_element(out, child, depth + 1);
        children++;
    }
    fuzz_check(children == element->child_count);
    buffer_append_format(out, "</%.*s>", TEXT_ARG(element->name));
    return count;
}

static void check_copy(struct arena *arena, struct text text) {
    const struct xml_element *root = NULL;
    struct error error = {0};
    if (!xml_parse(text, arena, &root, &error)) {
        fuzz_check(error.code == ERROR_INVALID || error.code == ERROR_LIMIT);
        fuzz_check(text_is_utf8(text_of(error.text)));
        return;
    }
    scoped(buffer_done) struct buffer once = BUFFER_INIT;
    scoped(buffer_done) struct buffer twice = BUFFER_INIT;
    fuzz_check(print_element(&once, root, 1) <= XML_ELEMENTS);
    const struct xml_element *copy = NULL;
    fuzz_check(xml_parse(buffer_text(&once), arena, &copy, &error));
    print_element(&twice, copy, 1);
    fuzz_check(text_equal(buffer_text(&once), buffer_text(&twice)));
}

static size_t depth_of(const struct json *node) {
    size_t deepest = 0;
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        size_t depth = depth_of(child);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

static void check_body(struct arena *arena, enum aws_protocol protocol, struct text text) {
    const struct json *body = NULL;
    const struct json *again = NULL;
    const struct json *read_back = NULL;
    struct text request_id;
    struct text request_id_again;
    struct error error = {0};
    if (!aws_answer_read(protocol, text, arena, &body, &request_id, &error)) {
        fuzz_check(error.code == ERROR_INVALID || error.code == ERROR_LIMIT);
        return;
    }
    fuzz_check(aws_answer_read(protocol, text, arena, &again, &request_id_again, &error));
    fuzz_check(json_equal(body, again));
    fuzz_check(text_equal(request_id, request_id_again));
    fuzz_check(json_is_object(body));
    fuzz_check(depth_of(body) <= JSON_DEPTH_MAX);
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    json_write(&out, body);
    fuzz_check(json_parse(buffer_text(&out), 0, arena, &read_back, NULL, &error));
    fuzz_check(json_equal(body, read_back));
}

static void check_error(struct arena *arena, struct text text) {
    struct http_response response = {.status = 503, .body = text};
    struct aws_answer_error said = aws_answer_error(&response, arena);
    struct aws_answer_error again = aws_answer_error(&response, arena);
    fuzz_check(said.code.bytes > 0);
    fuzz_check(text_is_utf8(said.code) && text_is_utf8(said.message));
    fuzz_check(text_equal(said.code, again.code) && text_equal(said.message, again.message));
    (void)aws_failure_of(503, said.code, said.message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    struct text text = fuzz_text(data, bytes);
    struct arena *arena = arena_new();
    check_copy(arena, text);
    check_body(arena, AWS_PROTOCOL_QUERY, text);
    check_body(arena, AWS_PROTOCOL_REST_XML, text);
    check_error(arena, text);
    arena_free(&arena);
    return 0;
}
