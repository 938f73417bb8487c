/* What was parsed and written is parsed as the same, and written as the same. */
#include "riposte/json/tree.h"
#include "riposte/json/writer.h"

#include "fuzz.h"

#define FOUND_NODES 64

static const struct json *parse(struct arena *arena, struct text text, unsigned flags) {
    const struct json *root = NULL;
    size_t offset = SIZE_MAX;
    struct error error = {0};
    if (json_parse(text, flags, arena, &root, &offset, &error)) {
        return root;
    }
    fuzz_check(offset <= text.bytes);
    fuzz_check(error.code == ERROR_INVALID || error.code == ERROR_LIMIT);
    size_t line = 0;
    size_t column = 0;
    json_position(text, offset, &line, &column);
    fuzz_check(line >= 1 && column >= 1 && column <= offset + 1);
    return NULL;
}

static void check_offset(struct text text, const struct json *node) {
    char first = text.data[json_offset(node)];
    switch (json_type(node)) {
    case JSON_STRING:
        fuzz_check(first == '"');
        break;
    case JSON_OBJECT:
        fuzz_check(first == '{');
        break;
    case JSON_ARRAY:
        fuzz_check(first == '[');
        break;
    default:
        fuzz_check(first == json_text(node).data[0]);
    }
}

struct seek {
    const struct json *wanted;
    bool is_found;
};

static bool seek(void *arg, const struct json *node) {
    struct seek *wanted = arg;
    wanted->is_found |= node == wanted->wanted;
    return true;
}

/* "a.b[2].c"; false when a name could be taken for an index. */
static bool append_path(struct buffer *path, const struct json *node) {
    const struct json *parent = json_parent(node);
    if (parent == NULL) {
        return true;
    }
    if (!append_path(path, parent)) {
        return false;
    }
    if (json_is_object(parent)) {
        struct text key = json_key(node);
        buffer_append_string(path, json_parent(parent) == NULL ? "" : ".");
        buffer_append_text(path, key);
        return key.bytes > 0 && key.data[0] != '[';
    }
    size_t index = 0;
    for (const struct json *at = json_first(parent); at != node; at = json_next(at)) {
        index++;
    }
    buffer_append_format(path, "[%zu]", index);
    return true;
}

/* Every node is among those at its own path. */
static void check_find(const struct json *root, const struct json *node) {
    scoped(buffer_done) struct buffer path = BUFFER_INIT;
    struct seek wanted = {.wanted = node};
    if (node != root && append_path(&path, node)) {
        json_find(root, buffer_text(&path), seek, &wanted);
        fuzz_check(wanted.is_found);
    }
}

static const struct json *next_in_text(const struct json *node) {
    if (json_first(node) != NULL) {
        return json_first(node);
    }
    while (node != NULL && json_next(node) == NULL) {
        node = json_parent(node);
    }
    return json_next(node);
}

static void check_nodes(struct text text, const struct json *root) {
    size_t count = 0;
    for (const struct json *node = root; node != NULL; node = next_in_text(node)) {
        check_offset(text, node);
        if (count++ < FOUND_NODES) {
            check_find(root, node);
        }
    }
}

static void check_written(struct arena *arena, const struct json *root) {
    scoped(buffer_done) struct buffer once = BUFFER_INIT;
    scoped(buffer_done) struct buffer twice = BUFFER_INIT;
    scoped(buffer_done) struct buffer pretty = BUFFER_INIT;
    json_write(&once, root);
    const struct json *again = parse(arena, buffer_text(&once), 0);
    fuzz_check(again != NULL && json_equal(root, again));
    json_write(&twice, again);
    fuzz_check(text_equal(buffer_text(&once), buffer_text(&twice)));
    json_write_pretty(&pretty, root);
    again = parse(arena, buffer_text(&pretty), 0);
    fuzz_check(again != NULL && json_equal(again, root));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct text text = fuzz_text(data, bytes);
    const struct json *root = parse(arena, text, 0);
    const struct json *with_comments = parse(arena, text, JSON_COMMENTS);
    if (with_comments == NULL) {
        fuzz_check(root == NULL);
        return 0;
    }
    fuzz_check(root == NULL || json_equal(root, with_comments));
    check_nodes(text, with_comments);
    check_written(arena, with_comments);
    fuzz_check(json_equal(json_copy(arena, with_comments), with_comments));
    return 0;
}
