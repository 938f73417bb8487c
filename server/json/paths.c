#include "paths.h"

#include "riposte/base/arena.h"
#include "riposte/base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct path {
    struct text text;
    unsigned flags;
    uint32_t unique_index;
};

struct node {
    struct text label; /* a part of a path's text */
    uint32_t path;
    uint32_t *children;
    char *first_bytes; /* of the children's labels */
    uint32_t child_count;
};

struct json_paths {
    struct arena *arena; /* the paths' texts */
    struct path *paths;
    size_t path_count, path_capacity;
    struct node *nodes; /* the first is the root, whose label is empty */
    size_t node_count, node_capacity;
    uint32_t unique_count;
    struct json_names names;
};

#define FIRST_SLOTS 16

static uint32_t add_node(struct json_paths *paths, struct text label, uint32_t path) {
    paths->nodes = memory_grow_array(paths->nodes, &paths->node_capacity, paths->node_count + 1,
                                     sizeof(*paths->nodes));
    assert(paths->node_count < UINT32_MAX);
    paths->nodes[paths->node_count] = (struct node){.label = label, .path = path};
    return (uint32_t)paths->node_count++;
}

static uint32_t add_name_node(struct json_names *names) {
    names->nodes = memory_grow_array(names->nodes, &names->node_capacity, names->node_count + 1,
                                     sizeof(*names->nodes));
    names->nodes[names->node_count] = (struct json_name){.path = JSON_NO_PATH};
    return (uint32_t)names->node_count++;
}

struct json_paths *json_paths_new(void) {
    struct json_paths *paths = memory_new(sizeof(*paths));
    paths->arena = arena_new();
    add_node(paths, TEXT(""), JSON_NO_PATH);
    paths->names.slot_count = FIRST_SLOTS;
    paths->names.slots = memory_new_array(FIRST_SLOTS, sizeof(*paths->names.slots));
    add_name_node(&paths->names);
    return paths;
}

void json_paths_free(struct json_paths **paths) {
    if (*paths == NULL) {
        return;
    }
    for (size_t i = 0; i < (*paths)->node_count; i++) {
        free((*paths)->nodes[i].children);
        free((*paths)->nodes[i].first_bytes);
    }
    free((*paths)->nodes);
    free((*paths)->names.nodes);
    free((*paths)->names.slots);
    free((*paths)->paths);
    arena_free(&(*paths)->arena);
    free(*paths);
    *paths = NULL;
}

/* ---- adding ---- */

static void add_child(struct json_paths *paths, uint32_t parent, uint32_t child) {
    struct node *node = &paths->nodes[parent];
    uint32_t count = node->child_count + 1;
    node->children = memory_resize(node->children, count * sizeof(*node->children));
    node->first_bytes = memory_resize(node->first_bytes, count);
    node->children[count - 1] = child;
    node->first_bytes[count - 1] = paths->nodes[child].label.data[0];
    node->child_count = count;
}

/* Cuts the node's label at `at`; what was behind becomes its only child. */
static void split(struct json_paths *paths, uint32_t index, size_t at) {
    struct text label = paths->nodes[index].label;
    struct text behind = text_slice(label, at, label.bytes);
    uint32_t child = add_node(paths, behind, paths->nodes[index].path);
    struct node *upper = &paths->nodes[index];
    struct node *lower = &paths->nodes[child];
    lower->children = upper->children;
    lower->first_bytes = upper->first_bytes;
    lower->child_count = upper->child_count;
    *upper = (struct node){.label = text_slice(label, 0, at), .path = JSON_NO_PATH};
    add_child(paths, index, child);
}

static size_t common_bytes(struct text a, struct text b) {
    size_t bytes = 0;
    while (bytes < a.bytes && bytes < b.bytes && a.data[bytes] == b.data[bytes]) {
        bytes++;
    }
    return bytes;
}

/* The child whose label begins with `byte`, or UINT32_MAX. */
static uint32_t child_for(const struct node *node, char byte) {
    for (uint32_t i = 0; i < node->child_count; i++) {
        if (node->first_bytes[i] == byte) {
            return node->children[i];
        }
    }
    return UINT32_MAX;
}

/* The node at which `text` ends, made when it isn't there. */
static uint32_t node_for(struct json_paths *paths, struct text text) {
    uint32_t index = 0;
    for (;;) {
        size_t common = common_bytes(paths->nodes[index].label, text);
        if (common < paths->nodes[index].label.bytes) {
            split(paths, index, common);
        }
        text = text_slice(text, common, text.bytes);
        if (text.bytes == 0) {
            return index;
        }
        uint32_t child = child_for(&paths->nodes[index], text.data[0]);
        if (child == UINT32_MAX) {
            child = add_node(paths, text, JSON_NO_PATH);
            add_child(paths, index, child);
            return child;
        }
        index = child;
    }
}

static void grow_slots(struct json_names *names) {
    struct json_name_slot *old = names->slots;
    size_t old_count = names->slot_count;
    names->slot_count *= 2;
    names->slots = memory_new_array(names->slot_count, sizeof(*names->slots));
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].child != 0) {
            *json_name_slot(names, old[i].parent, old[i].name, &old[i].key) = old[i];
        }
    }
    free(old);
}

/* The node of `name` below `parent`, made when it isn't there. `name` stays where it is. */
static uint32_t add_name(struct json_names *names, uint32_t parent, struct text name) {
    struct json_name_key key = json_name_key(name, false);
    struct json_name_slot *slot = json_name_slot(names, parent, name.data, &key);
    unsigned byte = json_name_first_byte(name);
    if (slot->child != 0) {
        return slot->child;
    }
    uint32_t child = add_name_node(names);
    *slot = (struct json_name_slot){key, name.data, parent, child};
    names->nodes[parent].has_names = true;
    names->nodes[parent].first_bytes[byte / 64] |= (uint64_t)1 << byte % 64;
    if (names->node_count * 2 > names->slot_count) {
        grow_slots(names);
    }
    return child;
}

/* The node at which the names of `text` end. */
static uint32_t name_for(struct json_paths *paths, struct text text) {
    uint32_t node = 0;
    for (size_t from = 0;;) {
        size_t dot = text_find_byte(text, '.', from);
        node = add_name(&paths->names, node, text_slice(text, from, dot));
        if (dot == text.bytes) {
            return node;
        }
        from = dot + 1;
    }
}

static uint32_t add_path(struct json_paths *paths, struct text text) {
    assert(paths->path_count < JSON_NO_PATH);
    paths->paths = memory_grow_array(paths->paths, &paths->path_capacity, paths->path_count + 1,
                                     sizeof(*paths->paths));
    paths->paths[paths->path_count] = (struct path){.text = text};
    return (uint32_t)paths->path_count++;
}

uint32_t json_paths_add(struct json_paths *paths, struct text path, unsigned flags) {
    struct text text = arena_copy_text(paths->arena, path);
    uint32_t node = node_for(paths, text);
    if (paths->nodes[node].path == JSON_NO_PATH) {
        paths->nodes[node].path = add_path(paths, text);
    }
    uint32_t index = paths->nodes[node].path;
    struct path *added = &paths->paths[index];
    if ((flags & ~added->flags & JSON_PATH_UNIQUE) != 0) {
        added->unique_index = paths->unique_count++;
    }
    added->flags |= flags;
    uint32_t name_node = name_for(paths, added->text);
    struct json_name *name = &paths->names.nodes[name_node];
    name->path = index;
    name->flags = added->flags;
    return index;
}

/* ---- reading ---- */

size_t json_paths_count(const struct json_paths *paths) {
    return paths->path_count;
}

struct text json_paths_text(const struct json_paths *paths, uint32_t index) {
    assert(index < paths->path_count);
    return paths->paths[index].text;
}

unsigned json_paths_flags(const struct json_paths *paths, uint32_t index) {
    assert(index < paths->path_count);
    return paths->paths[index].flags;
}

uint32_t json_paths_unique_index(const struct json_paths *paths, uint32_t index) {
    assert(index < paths->path_count);
    return paths->paths[index].unique_index;
}

size_t json_paths_unique_count(const struct json_paths *paths) {
    return paths->unique_count;
}

struct json_cursor json_paths_start(void) {
    return (struct json_cursor){0, 0};
}

struct json_cursor json_paths_walk(const struct json_paths *paths, struct json_cursor cursor,
                                   struct text bytes) {
    size_t at = 0;
    while (at < bytes.bytes) {
        const struct node *node = &paths->nodes[cursor.node];
        size_t label_left = node->label.bytes - cursor.label_at;
        if (label_left == 0) {
            cursor = (struct json_cursor){child_for(node, bytes.data[at]), 0};
            if (json_cursor_is_lost(cursor)) {
                return JSON_CURSOR_LOST;
            }
            continue;
        }
        size_t step = bytes.bytes - at < label_left ? bytes.bytes - at : label_left;
        if (memcmp(node->label.data + cursor.label_at, bytes.data + at, step) != 0) {
            return JSON_CURSOR_LOST;
        }
        cursor.label_at += (uint32_t)step;
        at += step;
    }
    return cursor;
}

uint32_t json_paths_at(const struct json_paths *paths, struct json_cursor cursor) {
    if (json_cursor_is_lost(cursor)) {
        return JSON_NO_PATH;
    }
    const struct node *node = &paths->nodes[cursor.node];
    return cursor.label_at == node->label.bytes ? node->path : JSON_NO_PATH;
}

const struct json_names *json_paths_names(const struct json_paths *paths) {
    return &paths->names;
}
