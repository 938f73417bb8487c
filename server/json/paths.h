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
#include <string.h>

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

/* The first and the last eight bytes of a name (shorter ones filled up with zeros; all of it is in
 * `first` then) and how many it has: up to sixteen bytes that is the name. */
struct json_name_key {
    uint64_t first, last;
    size_t bytes;
};

/* A name below a node. */
struct json_name_slot {
    struct json_name_key key;
    const char *name;
    uint32_t parent, child; /* child 0: a free slot, as the top is nobody's child */
};

struct json_names {
    struct json_name *nodes; /* the first is the top */
    size_t node_count, node_capacity;
    struct json_name_slot *slots; /* at most half full */
    size_t slot_count;
};

const struct json_names *json_paths_names(const struct json_paths *paths);

static inline unsigned json_name_first_byte(struct text name) {
    return name.bytes == 0 ? 0 : (unsigned char)name.data[0];
}

/* Is there a name below `node` that begins as `name` does? */
static inline bool json_name_may_begin(const struct json_name *node, struct text name) {
    unsigned byte = json_name_first_byte(name);
    return (node->first_bytes[byte / 64] >> byte % 64 & 1) != 0;
}

/* `is_padded`: eight bytes may be read from where the name begins. */
static inline struct json_name_key json_name_key(struct text name, bool is_padded) {
    struct json_name_key key = {0, 0, name.bytes};
    if (name.bytes >= 8) {
        memcpy(&key.first, name.data, 8);
        memcpy(&key.last, name.data + name.bytes - 8, 8);
    } else if (is_padded && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
        memcpy(&key.first, name.data, 8);
        key.first &= ((uint64_t)1 << 8 * name.bytes) - 1;
    } else if (name.bytes > 0) {
        memcpy(&key.first, name.data, name.bytes);
    }
    return key;
}

static inline size_t json_name_hash(uint32_t parent, const struct json_name_key *key) {
    unsigned __int128 product = (unsigned __int128)(key->first ^ 0x9E3779B97F4A7C15u ^
                                                    (uint64_t)parent << 32) *
                                (key->last ^ 0xD6E8FEB86659FD93u ^ key->bytes);
    return (size_t)((uint64_t)product ^ (uint64_t)(product >> 64));
}

/* Where `name`, whose key is given, is below `parent`, or would be. */
static inline struct json_name_slot *json_name_slot(const struct json_names *names, uint32_t parent,
                                                    const char *name,
                                                    const struct json_name_key *key) {
    size_t mask = names->slot_count - 1;
    for (size_t i = json_name_hash(parent, key) & mask;; i = (i + 1) & mask) {
        struct json_name_slot *slot = &names->slots[i];
        if (slot->child == 0 || (slot->parent == parent && slot->key.first == key->first &&
                                 slot->key.last == key->last && slot->key.bytes == key->bytes &&
                                 (key->bytes <= 16 || memcmp(slot->name, name, key->bytes) == 0))) {
            return slot;
        }
    }
}

/* The node of `name`, which has no dot, below `node`; JSON_NO_NAME when there is none. */
static inline uint32_t json_names_find(const struct json_names *names, uint32_t node,
                                       struct text name, bool is_padded) {
    if (!json_name_may_begin(&names->nodes[node], name)) {
        return JSON_NO_NAME;
    }
    struct json_name_key key = json_name_key(name, is_padded);
    const struct json_name_slot *slot = json_name_slot(names, node, name.data, &key);
    return slot->child == 0 ? JSON_NO_NAME : slot->child;
}

#endif
