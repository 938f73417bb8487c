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

struct leaves {
    struct leaf *items;
    size_t count, capacity;
    uint32_t *first, *last; /* by path, or LEAF_NONE */
    size_t path_count, path_capacity;
    struct json_membership *memberships;
    size_t membership_count, membership_capacity;
    struct buffer unescaped;
};

void leaves_init(struct leaves *leaves);
void leaves_done(struct leaves *leaves);
/* Empties; paths are numbered 0 to path_count - 1. */
void leaves_reset(struct leaves *leaves, size_t path_count);
/* `text` as a pattern sees it. */
void leaves_add(struct leaves *leaves, uint32_t path, enum json_type type, struct text text,
                const struct json_membership *memberships, size_t membership_count);
/* As a scan hands it over; containers are ignored. */
void leaves_add_raw(struct leaves *leaves, const struct json_leaf *leaf);
/* After the last leaf and before the first is read. */
void leaves_settle(struct leaves *leaves);

/* All leaves of a tree at `paths` (whose order gives the path's number), settled. ERROR_INVALID
 * when `root` is no object. */
MUST_CHECK bool leaves_of_tree(struct leaves *leaves, const struct json_paths *paths,
                               const struct json *root, struct error *error);
/* The same from text; `scratch` is the scanner's. */
MUST_CHECK bool leaves_of_text(struct leaves *leaves, const struct json_paths *paths,
                               struct json_scratch *scratch, struct text event,
                               struct error *error);

#endif
