/* The inside of struct json_paths: a tree of the bytes of all paths, in which runs without a branch
 * are one node. A scan walks it key by key.
 *
 * Threads:    json_paths_add() is for one thread, before any walk; walks only read.
 * Bounds:     a walk takes a step a byte, whatever the number of paths. */
#ifndef RIPOSTE_SERVER_JSON_PATHS_H
#define RIPOSTE_SERVER_JSON_PATHS_H

#include "riposte/base/text.h"
#include "riposte/json/scanner.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_NO_PATH UINT32_MAX

/* A place in the tree: `label_at` bytes into the label of `node`. */
struct json_cursor {
    uint32_t node, label_at;
};

/* Where no path is and none can be below. */
#define JSON_CURSOR_LOST   \
    (struct json_cursor) { \
        UINT32_MAX, 0      \
    }

static inline bool json_cursor_is_lost(struct json_cursor cursor) {
    return cursor.node == UINT32_MAX;
}

/* Before the first byte of any path. */
struct json_cursor json_paths_start(void);
/* Where `bytes` leads from `cursor`, which isn't lost. */
struct json_cursor json_paths_walk(const struct json_paths *paths, struct json_cursor cursor,
                                   struct text bytes);
/* The path that ends at `cursor`, or JSON_NO_PATH. */
uint32_t json_paths_at(const struct json_paths *paths, struct json_cursor cursor);

unsigned json_paths_flags(const struct json_paths *paths, uint32_t index);
/* Paths with JSON_PATH_UNIQUE are numbered from 0. */
uint32_t json_paths_unique_index(const struct json_paths *paths, uint32_t index);
size_t json_paths_unique_count(const struct json_paths *paths);

/* The same paths as a tree of names (what stands between the dots), for whoever has whole keys at
 * hand. Node 0 is the top. */
struct json_name {
    uint32_t path;  /* the path that ends here, or JSON_NO_PATH */
    unsigned flags; /* of that path */
    bool has_names; /* below */
    /* A bit for each first byte of a name below; the empty name's is 0. */
    uint64_t first_bytes[4];
};

#define JSON_NO_NAME UINT32_MAX

const struct json_name *json_paths_name(const struct json_paths *paths, uint32_t node);
/* The node of `name`, which has no dot, below `node`; JSON_NO_NAME when there is none. `is_padded`:
 * 8 bytes may be read from where it begins. */
uint32_t json_paths_find_name(const struct json_paths *paths, uint32_t node, struct text name,
                              bool is_padded);

#endif
