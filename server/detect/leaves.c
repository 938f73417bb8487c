#include "riposte/detect/leaves.h"

#include "riposte/base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void leaves_init(struct leaves *leaves) {
    *leaves = (struct leaves){0};
    buffer_init(&leaves->unescaped, 0);
}

void leaves_done(struct leaves *leaves) {
    free(leaves->items);
    free(leaves->lists);
    free(leaves->memberships);
    buffer_done(&leaves->unescaped);
    *leaves = (struct leaves){0};
}

void leaves_reset(struct leaves *leaves, size_t path_count) {
    size_t capacity = leaves->path_capacity;
    leaves->lists = memory_grow_array(leaves->lists, &leaves->path_capacity, path_count,
                                      sizeof(*leaves->lists));
    for (size_t i = capacity; i < leaves->path_capacity; i++) {
        leaves->lists[i] = (struct leaf_list){0};
    }
    leaves->event++;
    leaves->path_count = path_count;
    leaves->count = leaves->membership_count = 0;
    leaves->is_overfull = false;
    buffer_clear(&leaves->unescaped);
}

static size_t keep_memberships(struct leaves *leaves, const struct json_membership *memberships,
                               size_t count) {
    size_t at = leaves->membership_count;
    if (at + count > LEAVES_MEMBERSHIPS) {
        leaves->is_overfull = true;
        return 0;
    }
    leaves->memberships = memory_grow_array(leaves->memberships, &leaves->membership_capacity,
                                            at + count, sizeof(*leaves->memberships));
    if (count > 0) {
        memcpy(leaves->memberships + at, memberships, count * sizeof(*memberships));
    }
    leaves->membership_count += count;
    return at;
}

struct leaf_list *leaves_count(struct leaves *leaves, uint32_t path, bool has_memberships) {
    assert(path < leaves->path_count);
    struct leaf_list *list = &leaves->lists[path];
    if (list->event != leaves->event) {
        *list = (struct leaf_list){.event = leaves->event, .first = LEAF_NONE, .last = LEAF_NONE};
    }
    list->count++;
    list->has_memberships |= has_memberships;
    return list;
}

static struct leaf *append_leaf(struct leaves *leaves, uint32_t path, bool has_memberships) {
    struct leaf_list *list = leaves_count(leaves, path, has_memberships);
    assert(leaves->count < LEAF_NONE);
    leaves->items = memory_grow_array(leaves->items, &leaves->capacity, leaves->count + 1,
                                      sizeof(*leaves->items));
    uint32_t index = (uint32_t)leaves->count++;
    if (list->last == LEAF_NONE) {
        list->first = index;
    } else {
        leaves->items[list->last].next = index;
    }
    list->last = index;
    leaves->items[index] = (struct leaf){.path = path, .next = LEAF_NONE};
    return &leaves->items[index];
}

void leaves_add(struct leaves *leaves, uint32_t path, enum json_type type, struct text text,
                const struct json_membership *memberships, size_t membership_count) {
    struct leaf *leaf = append_leaf(leaves, path, membership_count > 0);
    leaf->type = type;
    leaf->text = text;
    leaf->memberships_at = keep_memberships(leaves, memberships, membership_count);
    leaf->membership_count = (uint32_t)membership_count;
}

void leaves_add_raw(struct leaves *leaves, const struct json_leaf *raw) {
    if (raw->type == JSON_ARRAY || raw->type == JSON_OBJECT) {
        return;
    }
    leaves_add(leaves, raw->path, raw->type, raw->raw, raw->memberships, raw->membership_count);
    if (raw->has_escapes) {
        struct leaf *leaf = &leaves->items[leaves->count - 1];
        leaf->is_unescaped = true;
        leaf->text_at = leaves->unescaped.bytes;
        json_unescape(raw->raw, &leaves->unescaped);
        leaf->text.bytes = leaves->unescaped.bytes - leaf->text_at;
    }
}

bool leaves_settle(struct leaves *leaves, struct error *error) {
    if (leaves->is_overfull) {
        return error_set(error, ERROR_LIMIT, "too many values too deep in arrays");
    }
    for (size_t i = 0; i < leaves->count; i++) {
        struct leaf *leaf = &leaves->items[i];
        leaf->memberships = leaf->membership_count == 0
                                ? NULL
                                : leaves->memberships + leaf->memberships_at;
        if (leaf->is_unescaped && leaf->text.bytes > 0) {
            leaf->text.data = leaves->unescaped.data + leaf->text_at;
        }
    }
    return true;
}

/* Paths by text. Few enough for a pattern that a sorted list will do. */
struct tree_walk {
    struct leaves *leaves;
    const struct json_paths *paths;
    uint32_t *sorted;
    struct buffer path;
    struct json_membership *memberships; /* of the value being visited */
    size_t membership_count, membership_capacity;
    uint32_t array_count;
};

static int compare_paths(const void *a, const void *b, void *arg) {
    const struct json_paths *paths = arg;
    return text_compare(json_paths_text(paths, *(const uint32_t *)a),
                        json_paths_text(paths, *(const uint32_t *)b));
}

/* The first path that begins with `path`, which is `path` itself if it is among them; LEAF_NONE
 * when nobody asks for anything at or below it. */
static uint32_t find_path(const struct tree_walk *walk, struct text path) {
    size_t low = 0, high = json_paths_count(walk->paths);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (text_compare(json_paths_text(walk->paths, walk->sorted[middle]), path) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < json_paths_count(walk->paths) &&
                   text_starts_with(json_paths_text(walk->paths, walk->sorted[low]), path)
               ? walk->sorted[low]
               : LEAF_NONE;
}

static void visit(struct tree_walk *walk, const struct json *node);

static void visit_members(struct tree_walk *walk, const struct json *object, bool is_root) {
    for (const struct json *member = json_first(object); member != NULL;
         member = json_next(member)) {
        size_t length = walk->path.bytes;
        if (!is_root) {
            buffer_append_char(&walk->path, '.');
        }
        buffer_append_text(&walk->path, json_key(member));
        visit(walk, member);
        buffer_truncate(&walk->path, length);
    }
}

static void visit_elements(struct tree_walk *walk, const struct json *array) {
    struct json_membership here = {walk->array_count++, 0};
    for (const struct json *element = json_first(array); element != NULL;
         element = json_next(element), here.element++) {
        if (!json_is_object(element) && !json_is_array(element)) {
            visit(walk, element);
            continue;
        }
        walk->memberships = memory_grow_array(walk->memberships, &walk->membership_capacity,
                                              walk->membership_count + 1,
                                              sizeof(*walk->memberships));
        walk->memberships[walk->membership_count++] = here;
        visit(walk, element);
        walk->membership_count--;
    }
}

static void visit(struct tree_walk *walk, const struct json *node) {
    struct text here = buffer_text(&walk->path);
    uint32_t path = find_path(walk, here);
    if (path == LEAF_NONE) {
        return;
    }
    if (json_is_object(node)) {
        visit_members(walk, node, false);
    } else if (json_is_array(node)) {
        visit_elements(walk, node);
    } else if (text_equal(json_paths_text(walk->paths, path), here)) {
        leaves_add(walk->leaves, path, json_type(node), json_text(node), walk->memberships,
                   walk->membership_count);
    }
}

bool leaves_of_tree(struct leaves *leaves, const struct json_paths *paths, const struct json *root,
                    struct error *error) {
    size_t path_count = json_paths_count(paths);
    if (!json_is_object(root)) {
        return error_set(error, ERROR_INVALID, "byte %zu: an event must be a JSON object",
                         root == NULL ? 0 : json_offset(root));
    }
    struct tree_walk walk = {.leaves = leaves, .paths = paths};
    walk.sorted = memory_new_array(path_count, sizeof(*walk.sorted));
    for (uint32_t i = 0; i < path_count; i++) {
        walk.sorted[i] = i;
    }
    qsort_r(walk.sorted, path_count, sizeof(*walk.sorted), compare_paths, (void *)(uintptr_t)paths);
    leaves_reset(leaves, path_count);
    visit_members(&walk, root, true);
    free(walk.sorted);
    free(walk.memberships);
    buffer_done(&walk.path);
    return leaves_settle(leaves, error);
}

static bool take_leaf(void *arg, const struct json_leaf *leaf, struct error *error) {
    (void)error;
    leaves_add_raw(arg, leaf);
    return true;
}

bool leaves_of_text(struct leaves *leaves, const struct json_paths *paths,
                    struct json_scratch *scratch, struct text event, struct error *error) {
    leaves_reset(leaves, json_paths_count(paths));
    if (!json_scan(paths, scratch, event, take_leaf, leaves, error)) {
        return false;
    }
    return leaves_settle(leaves, error);
}
