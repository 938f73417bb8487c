/* Does a sub-rule match? Chooses one leaf a field, in ascending path order, so that no two chosen
 * leaves lie in different elements of one array (PATTERNS.md 4): event-ruler's StructuredFinder,
 * step by step.
 *
 * Ownership:  finder_init/finder_done; a scratch for one search at a time.
 * Bounds:     PATTERN_STEPS choices and comparisons; allocates only to grow. */
#ifndef RIPOSTE_DETECT_FINDER_H
#define RIPOSTE_DETECT_FINDER_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/detect/leaves.h"
#include "riposte/detect/subrule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct finder {
    const struct leaves *leaves;
    const uint32_t *path_map;
    const struct subrule *subrule;
    size_t steps, step_limit;
    /* The leaf chosen for each field, LEAF_NONE for an absent one. */
    uint32_t chosen[PATTERN_PATHS];
    /* The first field in path order for which no choice was left, at the furthest the search came.
     */
    size_t failed_field;
    /* The leaves that pass each field's tests: field i has those from ends[i - 1] to ends[i]. */
    uint32_t *passing;
    size_t passing_capacity, ends[PATTERN_PATHS];
    /* The elements that the choices made so far have pinned. */
    struct json_membership *pinned;
    size_t pinned_count, pinned_capacity;
};

void finder_init(struct finder *finder);
void finder_done(struct finder *finder);

/* Path i of the sub-rule's pattern is path path_map[i] of `leaves` (NULL: i). ERROR_LIMIT after
 * PATTERN_STEPS. */
MUST_CHECK bool finder_search(struct finder *finder, const struct subrule *subrule,
                              const uint32_t *path_map, const struct leaves *leaves,
                              bool *is_match_out, struct error *error);
/* Any sub-rule. */
MUST_CHECK bool finder_match(struct finder *finder, const struct pattern *pattern,
                             const uint32_t *path_map, const struct leaves *leaves,
                             bool *is_match_out, struct error *error);

#endif
