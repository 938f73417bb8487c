#include "riposte/detect/finder.h"

#include "riposte/base/memory.h"

#include <stdlib.h>
#include <string.h>

void finder_init(struct finder *finder) {
    *finder = (struct finder){.step_limit = PATTERN_STEPS};
}

void finder_done(struct finder *finder) {
    free(finder->passing);
    free(finder->pinned);
    *finder = (struct finder){0};
}

static uint32_t leaves_path(const struct finder *finder, const struct field *field) {
    return finder->path_map == NULL ? field->path : finder->path_map[field->path];
}

/* Could every field find something, arrays aside? Asked first, because it is cheap. */
static bool has_all_leaves(struct finder *finder) {
    for (size_t i = 0; i < finder->subrule->field_count; i++) {
        const struct field *field = finder->subrule->fields[i];
        if (!field->may_be_absent &&
            leaves_first(finder->leaves, leaves_path(finder, field)) == LEAF_NONE) {
            finder->failed_field = i;
            return false;
        }
    }
    return true;
}

/* Lists the leaves that pass field `index`. Of those outside all arrays one is enough: they pin
 * nothing, so each leads to the same rest of the search. */
static size_t list_passing(struct finder *finder, size_t index, size_t end) {
    const struct field *field = finder->subrule->fields[index];
    bool has_free = false;
    for (uint32_t i = leaves_first(finder->leaves, leaves_path(finder, field)); i != LEAF_NONE;
         i = finder->leaves->items[i].next) {
        const struct leaf *leaf = &finder->leaves->items[i];
        bool is_free = leaf->membership_count == 0;
        if ((is_free && has_free) || !field_passes(field, leaf->type, leaf->text)) {
            continue;
        }
        has_free |= is_free;
        finder->passing = memory_grow_array(finder->passing, &finder->passing_capacity, end + 1,
                                            sizeof(*finder->passing));
        finder->passing[end++] = i;
    }
    finder->ends[index] = end;
    return end;
}

/* No leaf may lie in another element of an array than the choices before it. */
static bool is_compatible(struct finder *finder, const struct leaf *leaf) {
    for (uint32_t i = 0; i < leaf->membership_count; i++) {
        for (size_t j = 0; j < finder->pinned_count; j++) {
            finder->steps++;
            if (finder->pinned[j].array == leaf->memberships[i].array &&
                finder->pinned[j].element != leaf->memberships[i].element) {
                return false;
            }
        }
    }
    return true;
}

static bool is_pinned(const struct finder *finder, uint32_t array) {
    for (size_t i = 0; i < finder->pinned_count; i++) {
        if (finder->pinned[i].array == array) {
            return true;
        }
    }
    return false;
}

static void pin(struct finder *finder, const struct leaf *leaf) {
    finder->pinned = memory_grow_array(finder->pinned, &finder->pinned_capacity,
                                       finder->pinned_count + leaf->membership_count,
                                       sizeof(*finder->pinned));
    for (uint32_t i = 0; i < leaf->membership_count; i++) {
        if (!is_pinned(finder, leaf->memberships[i].array)) {
            finder->pinned[finder->pinned_count++] = leaf->memberships[i];
        }
    }
}

static bool is_absent(struct finder *finder, const struct field *field) {
    for (uint32_t i = leaves_first(finder->leaves, leaves_path(finder, field)); i != LEAF_NONE;
         i = finder->leaves->items[i].next) {
        finder->steps++;
        if (is_compatible(finder, &finder->leaves->items[i])) {
            return false;
        }
    }
    return true;
}

static bool walk(struct finder *finder, size_t index);

static bool walk_leaf(struct finder *finder, size_t index, uint32_t leaf_index) {
    const struct leaf *leaf = &finder->leaves->items[leaf_index];
    size_t pinned_before = finder->pinned_count;
    finder->steps++;
    if (!is_compatible(finder, leaf)) {
        return false;
    }
    pin(finder, leaf);
    finder->chosen[index] = leaf_index;
    bool is_match = walk(finder, index + 1);
    finder->pinned_count = pinned_before;
    return is_match;
}

static bool walk(struct finder *finder, size_t index) {
    if (index == finder->subrule->field_count) {
        return true;
    }
    if (index > finder->failed_field) {
        finder->failed_field = index;
    }
    const struct field *field = finder->subrule->fields[index];
    for (size_t i = index == 0 ? 0 : finder->ends[index - 1];
         i < finder->ends[index] && finder->steps < finder->step_limit; i++) {
        if (walk_leaf(finder, index, finder->passing[i])) {
            return true;
        }
    }
    if (field->may_be_absent && is_absent(finder, field)) {
        finder->chosen[index] = LEAF_NONE;
        return walk(finder, index + 1);
    }
    return false;
}

/* Lists every field's passing leaves; false at the first field that nothing can satisfy. */
static bool list_all(struct finder *finder) {
    size_t end = 0;
    for (size_t i = 0; i < finder->subrule->field_count; i++) {
        size_t start = end;
        end = list_passing(finder, i, end);
        if (start == end && !finder->subrule->fields[i]->may_be_absent) {
            finder->failed_field = i;
            return false;
        }
    }
    return true;
}

bool finder_search(struct finder *finder, const struct subrule *subrule, const uint32_t *path_map,
                   const struct leaves *leaves, bool *is_match_out, struct error *error) {
    finder->leaves = leaves;
    finder->path_map = path_map;
    finder->subrule = subrule;
    finder->steps = finder->pinned_count = finder->failed_field = 0;
    bool is_match = has_all_leaves(finder) && list_all(finder) && walk(finder, 0);
    if (!is_match && finder->steps >= finder->step_limit) {
        return error_set(error, ERROR_LIMIT,
                         "arrays too large for this rule: over %zu choices to try",
                         finder->step_limit);
    }
    *is_match_out = is_match;
    return true;
}

/* A sub-rule that gave up doesn't keep another from matching. */
bool finder_match(struct finder *finder, const struct pattern *pattern, const uint32_t *path_map,
                  const struct leaves *leaves, bool *is_match_out, struct error *error) {
    bool is_match = false, is_decided = true;
    for (size_t i = 0; i < pattern->subrule_count && !is_match; i++) {
        is_decided &= finder_search(finder, &pattern->subrules[i], path_map, leaves, &is_match,
                                    error);
    }
    *is_match_out = is_match;
    return is_match || is_decided;
}
