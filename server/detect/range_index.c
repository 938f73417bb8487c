#include "riposte/detect/range_index.h"

#include "riposte/base/memory.h"

#include <math.h>
#include <stdlib.h>

struct entry {
    struct number_range range;
    uint32_t atom;
};

/* A node of the tree and an atom that holds for all of it. */
struct holding {
    size_t node;
    uint32_t atom;
};

/* The ends cut the numbers into slots: 2i + 1 is exactly ends[i], 2i lies before it. Slot s is leaf
 * slot_count + s of a tree in which node n has the children 2n and 2n + 1. */
struct range_index {
    struct entry *entries;
    size_t entry_count, entry_capacity;
    double *ends;
    size_t end_count, slot_count;
    struct holding *holdings;
    size_t holding_count, holding_capacity;
    uint32_t *atoms; /* by node: from starts[node] to starts[node + 1] */
    uint32_t *starts;
};

struct range_index *range_index_new(void) {
    return memory_new(sizeof(struct range_index));
}

void range_index_free(struct range_index **index) {
    if (*index == NULL) {
        return;
    }
    free((*index)->entries);
    free((*index)->ends);
    free((*index)->holdings);
    free((*index)->atoms);
    free((*index)->starts);
    free(*index);
    *index = NULL;
}

void range_index_add(struct range_index *index, const struct number_range *range, uint32_t atom) {
    index->entries = memory_grow_array(index->entries, &index->entry_capacity,
                                       index->entry_count + 1, sizeof(*index->entries));
    index->entries[index->entry_count++] = (struct entry){*range, atom};
}

static int compare_doubles(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void collect_ends(struct range_index *index) {
    size_t count = 0, kept = 0;
    index->ends = memory_new_array(2 * index->entry_count, sizeof(*index->ends));
    for (size_t i = 0; i < index->entry_count; i++) {
        const struct number_range *range = &index->entries[i].range;
        if (!isinf(range->low)) {
            index->ends[count++] = range->low;
        }
        if (!isinf(range->high)) {
            index->ends[count++] = range->high;
        }
    }
    if (count > 0) {
        qsort(index->ends, count, sizeof(*index->ends), compare_doubles);
    }
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || index->ends[kept - 1] < index->ends[i]) {
            index->ends[kept++] = index->ends[i];
        }
    }
    index->end_count = kept;
    index->slot_count = 2 * kept + 1;
}

static size_t slot_of(const struct range_index *index, double value) {
    size_t low = 0, high = index->end_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (index->ends[middle] < value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool is_end = low < index->end_count && !(index->ends[low] > value);
    return 2 * low + is_end;
}

static void add_holding(struct range_index *index, size_t node, uint32_t atom) {
    index->holdings = memory_grow_array(index->holdings, &index->holding_capacity,
                                        index->holding_count + 1, sizeof(*index->holdings));
    index->holdings[index->holding_count++] = (struct holding){node, atom};
}

/* The few nodes that together are the range. */
static void hold_range(struct range_index *index, const struct entry *entry) {
    const struct number_range *range = &entry->range;
    size_t low = isinf(range->low) ? 0 : slot_of(index, range->low) + range->is_low_open;
    size_t high = isinf(range->high) ? index->slot_count
                                     : slot_of(index, range->high) + !range->is_high_open;
    low += index->slot_count;
    high += index->slot_count;
    for (; low < high; low /= 2, high /= 2) {
        if (low % 2 == 1) {
            add_holding(index, low++, entry->atom);
        }
        if (high % 2 == 1) {
            add_holding(index, --high, entry->atom);
        }
    }
}

void range_index_seal(struct range_index *index) {
    collect_ends(index);
    for (size_t i = 0; i < index->entry_count; i++) {
        hold_range(index, &index->entries[i]);
    }
    size_t node_count = 2 * index->slot_count;
    index->starts = memory_new_array(node_count + 2, sizeof(*index->starts));
    index->atoms = memory_new_array(index->holding_count, sizeof(*index->atoms));
    for (size_t i = 0; i < index->holding_count; i++) {
        index->starts[index->holdings[i].node + 2]++;
    }
    for (size_t node = 2; node < node_count + 2; node++) {
        index->starts[node] += index->starts[node - 1];
    }
    for (size_t i = 0; i < index->holding_count; i++) {
        index->atoms[index->starts[index->holdings[i].node + 1]++] = index->holdings[i].atom;
    }
    free(index->holdings);
    index->holdings = NULL;
    free(index->entries);
    index->entries = NULL;
}

size_t range_index_bytes(const struct range_index *index) {
    return sizeof(*index) + index->end_count * sizeof(*index->ends) +
           2 * index->slot_count * sizeof(*index->starts) +
           index->holding_count * sizeof(*index->atoms);
}

void range_index_find(const struct range_index *index, double value, range_found_fn *found_fn,
                      void *arg) {
    for (size_t node = slot_of(index, value) + index->slot_count; node >= 1; node /= 2) {
        size_t start = index->starts[node], end = index->starts[node + 1];
        if (start < end) {
            found_fn(arg, index->atoms + start, end - start);
        }
    }
}
