/* The leaves of one event at the paths somebody asked for: (path, value, array membership),
 * PATTERNS.md 3 and 4.
 *
 * Ownership:  leaves_init/leaves_done. Texts given to leaves_add() must outlive the use; those
 *             given to leaves_add_raw() and all memberships are kept inside.
 * Threads:    one at a time.
 * Bounds:     allocates only to grow; leaves_reset() keeps the memory. */
#ifndef RIPOSTE_DETECT_LEAVES_H
#define RIPOSTE_DETECT_LEAVES_H

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/json/scanner.h"
#include "riposte/json/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEAF_NONE UINT32_MAX
/* Many leaves deep in arrays: more memberships than that are refused. */
#define LEAVES_MEMBERSHIPS ((size_t)4 * 1024 * 1024)

struct leaf {
    enum json_type type;
    struct text text;                          /* a string unescaped, a number as spelled */
    const struct json_membership *memberships; /* outermost first */
    uint32_t membership_count, path;
    uint32_t next; /* of the same path, or LEAF_NONE */
    /* Where text and memberships are, while the stores that hold them may still move. */
    bool is_unescaped;
    size_t text_at, memberships_at;
};

/* What is known of one path; nothing, when it is of an earlier event. */
struct leaf_list {
    uint64_t event;
    uint32_t first, last; /* or LEAF_NONE: leaves may be counted and not kept */
    uint32_t count;
    bool has_memberships;
};

struct leaves {
    struct leaf *items;
    size_t count, capacity;
    struct leaf_list *lists; /* by path */
    size_t path_count, path_capacity;
    uint64_t event;
    struct json_membership *memberships;
    size_t membership_count, membership_capacity;
    bool is_overfull; /* some were too many and not kept */
    struct buffer unescaped;
};

void leaves_init(struct leaves *leaves);
void leaves_done(struct leaves *leaves);
/* Empties; paths are numbered 0 to path_count - 1. */
void leaves_reset(struct leaves *leaves, size_t path_count);
/* `text` as a pattern sees it. */
void leaves_add(struct leaves *leaves, uint32_t path, enum json_type type, struct text text,
                const struct json_membership *memberships, size_t membership_count);
/* A leaf that nobody will want to see again. */
struct leaf_list *leaves_count(struct leaves *leaves, uint32_t path, bool has_memberships);
/* As a scan hands it over; containers are ignored. */
void leaves_add_raw(struct leaves *leaves, const struct json_leaf *leaf);
/* After the last leaf and before the first is read. ERROR_LIMIT after LEAVES_MEMBERSHIPS. */
MUST_CHECK bool leaves_settle(struct leaves *leaves, struct error *error);

/* The first leaf kept of a path, or LEAF_NONE. */
static inline uint32_t leaves_first(const struct leaves *leaves, uint32_t path) {
    const struct leaf_list *list = &leaves->lists[path];
    return list->event == leaves->event ? list->first : LEAF_NONE;
}

/* All leaves of a tree at `paths` (whose order gives the path's number), settled. ERROR_INVALID
 * when `root` is no object. */
MUST_CHECK bool leaves_of_tree(struct leaves *leaves, const struct json_paths *paths,
                               const struct json *root, struct error *error);
/* The same from text; `scratch` is the scanner's. */
MUST_CHECK bool leaves_of_text(struct leaves *leaves, const struct json_paths *paths,
                               struct json_scratch *scratch, struct text event,
                               struct error *error);

#endif
