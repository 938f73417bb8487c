/* What a pattern compiles to: a disjunction of sub-rules, one per $or combination, each a
 * conjunction of fields in ascending path order (PATTERNS.md 4 and 11). For the files of this
 * folder.
 *
 * Ownership:  everything lives in the pattern's arena.
 * Threads:    immutable once compiled. */
#ifndef RIPOSTE_DETECT_SUBRULE_H
#define RIPOSTE_DETECT_SUBRULE_H

#include "riposte/base/arena.h"
#include "riposte/detect/pattern.h"
#include "riposte/detect/test.h"
#include "riposte/json/scanner.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A path and the tests one of which a leaf there must pass. Sub-rules share fields. */
struct field {
    uint32_t path;         /* index into the pattern's paths */
    struct text path_text; /* key names joined with '.' */
    const struct test *tests;
    size_t test_count;
    uint32_t number;    /* among the fields of its pattern */
    bool may_be_absent; /* one of the tests is {"exists":false} */
};

struct subrule {
    const struct field **fields;
    size_t field_count;
};

struct pattern {
    struct arena *arena;
    struct json_paths *paths;
    struct subrule *subrules;
    size_t subrule_count;
    uint32_t field_count; /* of all sub-rules together */
};

bool field_passes(const struct field *field, enum json_type type, struct text text);

/* Is it an operator's name, which no field inside a branch of $or may have? */
bool subrule_is_reserved(struct text name);

/* Java's order of strings: by UTF-16 units. */
int subrule_compare_paths(struct text a, struct text b);

#endif
