#include "riposte/json/tree.h"

#include "decimal.h"
#include "reader.h"

#include "riposte/base/memory.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Containers use first, last and count, scalars text. */
struct json {
    enum json_type type;
    bool is_member, is_shared;
    struct json *parent, *next, *first, *last;
    size_t count;
    struct text text, key;
    size_t offset, key_offset;
};

static bool is_container(const struct json *node) {
    return node != NULL && (node->type == JSON_OBJECT || node->type == JSON_ARRAY);
}

/* ---- parsing ---- */

struct parse {
    struct json_reader reader;
    struct arena *arena;
    struct json *root, *container; /* the innermost open one */
    struct text key;               /* of the member to come */
    size_t key_offset;
};

static struct text token_text(struct parse *parse) {
    struct text raw = parse->reader.raw;
    if (!parse->reader.has_escapes) {
        return raw;
    }
    char *decoded = arena_alloc(parse->arena, raw.bytes);
    return (struct text){decoded, json_decode(raw, decoded)};
}

static struct json *node_new(struct arena *arena, enum json_type type) {
    struct json *node = arena_alloc(arena, sizeof(struct json));
    node->type = type;
    return node;
}

static void append_child(struct json *container, struct json *child) {
    assert(child->parent == NULL && child != container && !container->is_shared);
    child->parent = container;
    if (container->last == NULL) {
        container->first = child;
    } else {
        container->last->next = child;
    }
    container->last = child;
    container->count++;
}

static void add_value(struct parse *parse, enum json_type type) {
    struct json *node = node_new(parse->arena, type);
    node->offset = parse->reader.token_at;
    if (parse->container == NULL) {
        parse->root = node;
    } else {
        if (parse->container->type == JSON_OBJECT) {
            node->is_member = true;
            node->key = parse->key;
            node->key_offset = parse->key_offset;
        }
        append_child(parse->container, node);
    }
    if (is_container(node)) {
        parse->container = node;
    } else {
        node->text = token_text(parse);
    }
}

static void take_token(struct parse *parse, enum json_token token) {
    switch (token) {
    case TOKEN_KEY:
        parse->key = token_text(parse);
        parse->key_offset = parse->reader.token_at;
        break;
    case TOKEN_OBJECT_CLOSE:
    case TOKEN_ARRAY_CLOSE:
        parse->container = parse->container->parent;
        break;
    case TOKEN_END:
        break;
    default:
        add_value(parse, (enum json_type)token);
    }
}

static bool fail_at_position(const struct json_reader *reader, size_t *offset_out,
                             struct error *error) {
    size_t line = 0;
    size_t column = 0;
    json_position(reader->text, reader->problem_at, &line, &column);
    if (offset_out != NULL) {
        *offset_out = reader->problem_at;
    }
    return error_set(error, reader->failure, "line %zu, column %zu: %s", line, column,
                     reader->problem);
}

bool json_parse(struct text text, unsigned flags, struct arena *arena, const struct json **root_out,
                size_t *offset_out, struct error *error) {
    struct parse parse = {.arena = arena};
    json_reader_init(&parse.reader, arena_copy_text(arena, text), (flags & JSON_COMMENTS) != 0);
    enum json_token token = TOKEN_NULL;
    while (token != TOKEN_END) {
        if (!json_reader_next(&parse.reader, &token)) {
            return fail_at_position(&parse.reader, offset_out, error);
        }
        take_token(&parse, token);
    }
    *root_out = parse.root;
    return true;
}

void json_position(struct text text, size_t offset, size_t *line_out, size_t *column_out) {
    struct text before = text_slice(text, 0, offset);
    size_t line = 1;
    size_t line_start = 0;
    for (size_t at = text_find_byte(before, '\n', 0); at < before.bytes;
         at = text_find_byte(before, '\n', at + 1)) {
        line++;
        line_start = at + 1;
    }
    *line_out = line;
    *column_out = before.bytes - line_start + 1;
}

/* ---- reading ---- */

enum json_type json_type(const struct json *node) {
    assert(node != NULL);
    return node->type;
}

bool json_is_string(const struct json *node) {
    return node != NULL && node->type == JSON_STRING;
}

bool json_is_object(const struct json *node) {
    return node != NULL && node->type == JSON_OBJECT;
}

bool json_is_array(const struct json *node) {
    return node != NULL && node->type == JSON_ARRAY;
}

struct text json_text(const struct json *node) {
    return node == NULL || is_container(node) ? TEXT("") : node->text;
}

size_t json_offset(const struct json *node) {
    return node == NULL ? 0 : node->offset;
}

struct text json_key(const struct json *node) {
    return node == NULL || !node->is_member ? TEXT("") : node->key;
}

size_t json_key_offset(const struct json *node) {
    return node == NULL ? 0 : node->key_offset;
}

size_t json_count(const struct json *node) {
    return node == NULL ? 0 : node->count;
}

const struct json *json_first(const struct json *node) {
    return node == NULL ? NULL : node->first;
}

const struct json *json_next(const struct json *node) {
    return node == NULL ? NULL : node->next;
}

const struct json *json_parent(const struct json *node) {
    return node == NULL ? NULL : node->parent;
}

const struct json *json_member_text(const struct json *node, struct text name) {
    const struct json *found = NULL;
    if (json_is_object(node)) {
        for (const struct json *member = node->first; member != NULL; member = member->next) {
            found = text_equal(member->key, name) ? member : found;
        }
    }
    return found;
}

const struct json *json_member(const struct json *node, const char *name) {
    return json_member_text(node, text_of(name));
}

bool json_integer(const struct json *node, int64_t *value_out) {
    return node != NULL && node->type == JSON_NUMBER && decimal_to_integer(node->text, value_out);
}

/* ---- paths ---- */

struct find {
    json_found_fn *found_fn;
    void *arg;
    size_t found;
    bool is_over;
};

static void find_in(struct find *find, const struct json *node, struct text rest);

static void report(struct find *find, const struct json *node) {
    find->found++;
    find->is_over = find->found_fn != NULL && !find->found_fn(find->arg, node);
}

/* Each member whose name `path` begins with, also names that hold dots themselves. */
static void find_members(struct find *find, const struct json *object, struct text path) {
    if (!json_is_object(object)) {
        return;
    }
    for (const struct json *member = object->first; member != NULL && !find->is_over;
         member = member->next) {
        size_t bytes = member->key.bytes;
        if (text_starts_with(path, member->key) &&
            (bytes == path.bytes || path.data[bytes] == '.' || path.data[bytes] == '[')) {
            find_in(find, member, text_slice(path, bytes, path.bytes));
        }
    }
}

/* The element that stands for `index` of `node`: a value that is no array is its own only one. */
static const struct json *element_at(const struct json *node, uint64_t index) {
    if (!json_is_array(node)) {
        return index == 0 ? node : NULL;
    }
    const struct json *element = node->first;
    for (; element != NULL && index > 0; index--) {
        element = element->next;
    }
    return element;
}

/* `index`: what stands between the brackets; `rest`: behind them. */
static void find_elements(struct find *find, const struct json *node, struct text index,
                          struct text rest) {
    uint64_t number = 0;
    if (text_parse_unsigned(index, &number)) {
        const struct json *element = element_at(node, number);
        if (element != NULL) {
            find_in(find, element, rest);
        }
    } else if (text_equal(index, TEXT("*"))) {
        if (!json_is_array(node)) {
            find_in(find, node, rest);
            return;
        }
        for (const struct json *element = node->first; element != NULL && !find->is_over;
             element = element->next) {
            find_in(find, element, rest);
        }
    }
}

/* `rest` is the part of the path behind the name that led to `node`. It recurses once a name or
 * index of the path. */
static void find_in(struct find *find, const struct json *node, struct text rest) {
    if (rest.bytes == 0) {
        report(find, node);
    } else if (rest.data[0] == '.') {
        find_members(find, node, text_slice(rest, 1, rest.bytes));
    } else if (rest.data[0] == '[') {
        size_t end = text_find_byte(rest, ']', 0);
        struct text behind = text_slice(rest, end + 1, rest.bytes);
        if (end < rest.bytes) {
            find_elements(find, node, text_slice(rest, 1, end), behind);
        }
    }
}

size_t json_find(const struct json *node, struct text path, json_found_fn *found_fn, void *arg) {
    struct find find = {.found_fn = found_fn, .arg = arg};
    if (node != NULL && text_starts_with(path, TEXT("["))) {
        find_in(&find, node, path);
    } else {
        find_members(&find, node, path);
    }
    return find.found;
}

static bool keep_first(void *arg, const struct json *node) {
    const struct json **first = arg;
    *first = *first == NULL ? node : *first;
    return true;
}

const struct json *json_find_one(const struct json *node, struct text path, size_t *count_out) {
    const struct json *first = NULL;
    size_t count = json_find(node, path, keep_first, &first);
    if (count_out != NULL) {
        *count_out = count;
    }
    return count == 1 ? first : NULL;
}

/* ---- equality ---- */

static int compare_keys(const void *a, const void *b) {
    const struct json *const *left = a;
    const struct json *const *right = b;
    return text_compare((*left)->key, (*right)->key);
}

/* The members by name, for the caller to free. */
static const struct json **sorted_members(const struct json *object) {
    const struct json **members = memory_new_array(object->count, sizeof(*members));
    size_t count = 0;
    for (const struct json *member = object->first; member != NULL; member = member->next) {
        members[count++] = member;
    }
    qsort(members, count, sizeof(*members), compare_keys);
    return members;
}

/* Pairs each of `count` values with an equal one of the others; as being equal is transitive, any
 * equal partner is as good as another. */
static bool have_equal_partners(const struct json **values, const struct json **others,
                                size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t partner = i;
        while (partner < count && !json_equal(values[i], others[partner])) {
            partner++;
        }
        if (partner == count) {
            return false;
        }
        const struct json *passed = others[i];
        others[i] = others[partner];
        others[partner] = passed;
    }
    return true;
}

static size_t same_key_count(const struct json **members, size_t count) {
    size_t same = 1;
    while (same < count && text_equal(members[same]->key, members[0]->key)) {
        same++;
    }
    return same;
}

static bool are_objects_equal(const struct json *a, const struct json *b) {
    scoped(memory_free_at) const struct json **ours = sorted_members(a);
    scoped(memory_free_at) const struct json **theirs = sorted_members(b);
    for (size_t i = 0; i < a->count;) {
        size_t same = same_key_count(ours + i, a->count - i);
        if (!text_equal(ours[i]->key, theirs[i]->key) ||
            same != same_key_count(theirs + i, a->count - i) ||
            !have_equal_partners(ours + i, theirs + i, same)) {
            return false;
        }
        i += same;
    }
    return true;
}

static bool are_arrays_equal(const struct json *a, const struct json *b) {
    const struct json *other = b->first;
    for (const struct json *element = a->first; element != NULL; element = element->next) {
        if (!json_equal(element, other)) {
            return false;
        }
        other = other->next;
    }
    return true;
}

bool json_equal(const struct json *a, const struct json *b) {
    if (a == NULL || b == NULL || a->type != b->type || a->count != b->count) {
        return a == b;
    }
    switch (a->type) {
    case JSON_OBJECT:
        return are_objects_equal(a, b);
    case JSON_ARRAY:
        return are_arrays_equal(a, b);
    case JSON_NUMBER:
        return decimal_equal(a->text, b->text);
    default:
        return text_equal(a->text, b->text);
    }
}

/* ---- building ---- */

struct json *json_new_object(struct arena *arena) {
    return node_new(arena, JSON_OBJECT);
}

struct json *json_new_array(struct arena *arena) {
    return node_new(arena, JSON_ARRAY);
}

struct json *json_new_string(struct arena *arena, struct text text) {
    struct json *node = node_new(arena, JSON_STRING);
    node->text = arena_copy_text(arena, text);
    return node;
}

struct json *json_new_integer(struct arena *arena, int64_t value) {
    struct json *node = node_new(arena, JSON_NUMBER);
    node->text = arena_format(arena, "%" PRId64, value);
    return node;
}

struct json *json_new_literal(struct arena *arena, enum json_type type) {
    assert(type == JSON_NULL || type == JSON_FALSE || type == JSON_TRUE);
    struct json *node = node_new(arena, type);
    node->text = text_of(json_type_name(type));
    return node;
}

void json_add_member(struct arena *arena, struct json *object, struct text key,
                     struct json *value) {
    assert(object->type == JSON_OBJECT);
    value->is_member = true;
    value->key = arena_copy_text(arena, key);
    append_child(object, value);
}

void json_add_element(struct json *array, struct json *value) {
    assert(array->type == JSON_ARRAY);
    append_child(array, value);
}

void json_add_text(struct arena *arena, struct json *object, const char *key, struct text value) {
    if (value.data != NULL) {
        json_add_member(arena, object, text_of(key), json_new_string(arena, value));
    }
}

static struct json *copy_node(struct arena *arena, const struct json *node) {
    struct json *copy = node_new(arena, node->type);
    copy->offset = node->offset;
    copy->key_offset = node->key_offset;
    copy->is_member = node->is_member;
    if (node->is_member) {
        copy->key = arena_copy_text(arena, node->key);
    }
    if (!is_container(node)) {
        copy->text = arena_copy_text(arena, node->text);
    }
    return copy;
}

struct json *json_copy(struct arena *arena, const struct json *node) {
    struct json *copy = copy_node(arena, node);
    copy->is_member = false;
    for (const struct json *child = node->first; child != NULL; child = child->next) {
        struct json *child_copy = json_copy(arena, child);
        child_copy->is_member = child->is_member;
        append_child(copy, child_copy);
    }
    return copy;
}

struct json *json_share(struct arena *arena, const struct json *node) {
    struct json *shared = arena_alloc(arena, sizeof(*shared));
    *shared = *node;
    shared->is_member = false;
    shared->is_shared = true;
    shared->key = TEXT("");
    shared->parent = shared->next = NULL;
    return shared;
}
