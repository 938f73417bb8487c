#include "riposte/detect/ruleset_parts.h"

#include <stdlib.h>

static void plan_done(struct path_plan *plan) {
    automaton_free(&plan->automaton);
    range_index_free(&plan->ranges);
    free(plan->masks);
}

void ruleset_free(struct ruleset **set) {
    if (*set == NULL) {
        return;
    }
    for (size_t i = 0; i < (*set)->plan_count; i++) {
        plan_done(&(*set)->plans[i]);
    }
    arena_free(&(*set)->arena);
    json_paths_free(&(*set)->paths);
    atom_table_free(&(*set)->atom_table);
    free((*set)->plans);
    free((*set)->atoms);
    free((*set)->conditions);
    free((*set)->conjunctions);
    free((*set)->rules);
    free((*set)->pool);
    free((*set)->always);
    free((*set)->captures);
    free((*set)->computed.items);
    free((*set)->members);
    free(*set);
    *set = NULL;
}

size_t ruleset_rule_count(const struct ruleset *set) {
    return set->rule_count;
}

size_t ruleset_memory_bytes(const struct ruleset *set) {
    return set->memory_bytes;
}

uint32_t ruleset_find_computed(const struct ruleset *set, struct text marked) {
    size_t low = 0, high = set->computed.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        uint32_t path = set->computed.items[middle];
        int order = text_compare(marked, json_paths_text(set->paths, path));
        if (order == 0) {
            return path;
        }
        low = order > 0 ? middle + 1 : low;
        high = order < 0 ? middle : high;
    }
    return LEAF_NONE;
}
