#include "riposte/detect/joiner.h"

#include "riposte/base/memory.h"

#include <stdlib.h>
#include <string.h>

#define FAILURES_MOST ((size_t)1 << 18)

/* A leaf among those a field may choose from. */
struct choice {
    uint32_t leaf;
    uint32_t run_ends_at; /* in run_ends: for each membership, where its run ends */
};

/* Choices in the order of the text. */
struct choices {
    size_t from, to; /* in the joiner's list of all */
};

struct stage {
    struct choices passing; /* leaves that pass the field's tests */
    struct choices all;     /* all leaves of the path: only for a field that may be absent */
};

/* What is known of an array of the event. */
struct array_note {
    uint32_t pinned;     /* its element that was chosen + 1, or 0 */
    uint32_t last_stage; /* the last one that has leaves in it + 1 */
};

/* Stages that failed, by what was pinned. */
struct failures {
    uint64_t *slots; /* two words each: a hash, and another one */
    size_t slot_count, count;
};

struct joiner {
    const struct leaves *leaves;
    const struct subrule *subrule;
    struct stage stages[PATTERN_PATHS];
    struct choice *choices;
    size_t choice_count, choice_capacity;
    uint32_t *run_ends;
    size_t run_end_count, run_end_capacity;
    struct array_note *arrays;
    size_t array_capacity;
    uint32_t *noted; /* the arrays of which something is known */
    size_t noted_count, noted_capacity;
    uint32_t *pinned; /* arrays, in the order they were */
    size_t pinned_count, pinned_capacity;
    struct failures failures;
    size_t steps;
};

struct joiner *joiner_new(void) {
    return memory_new(sizeof(struct joiner));
}

void joiner_free(struct joiner **joiner) {
    if (*joiner == NULL) {
        return;
    }
    free((*joiner)->choices);
    free((*joiner)->run_ends);
    free((*joiner)->arrays);
    free((*joiner)->noted);
    free((*joiner)->pinned);
    free((*joiner)->failures.slots);
    free(*joiner);
    *joiner = NULL;
}

/* ---- preparing ---- */

static const struct leaf *leaf_of(const struct joiner *joiner, size_t choice) {
    return &joiner->leaves->items[joiner->choices[choice].leaf];
}

static void note_arrays(struct joiner *joiner, const struct leaf *leaf, uint32_t stage) {
    for (uint32_t i = 0; i < leaf->membership_count; i++) {
        size_t array = leaf->memberships[i].array, capacity = joiner->array_capacity;
        joiner->arrays = memory_grow_array(joiner->arrays, &joiner->array_capacity, array + 1,
                                           sizeof(*joiner->arrays));
        if (joiner->array_capacity > capacity) {
            memset(joiner->arrays + capacity, 0,
                   (joiner->array_capacity - capacity) * sizeof(*joiner->arrays));
        }
        if (joiner->arrays[array].last_stage == 0) {
            joiner->noted = memory_grow_array(joiner->noted, &joiner->noted_capacity,
                                              joiner->noted_count + 1, sizeof(uint32_t));
            joiner->noted[joiner->noted_count++] = (uint32_t)array;
        }
        joiner->arrays[array].last_stage = stage + 1;
    }
}

static void add_choice(struct joiner *joiner, uint32_t leaf, uint32_t stage) {
    joiner->choices = memory_grow_array(joiner->choices, &joiner->choice_capacity,
                                        joiner->choice_count + 1, sizeof(*joiner->choices));
    size_t count = joiner->leaves->items[leaf].membership_count;
    joiner->run_ends = memory_grow_array(joiner->run_ends, &joiner->run_end_capacity,
                                         joiner->run_end_count + count, sizeof(*joiner->run_ends));
    joiner->choices[joiner->choice_count++] = (struct choice){leaf,
                                                              (uint32_t)joiner->run_end_count};
    joiner->run_end_count += count;
    note_arrays(joiner, &joiner->leaves->items[leaf], stage);
}

/* A run: choices side by side that have the same array at the same level. */
static void find_runs(struct joiner *joiner, struct choices list) {
    for (size_t i = list.to; i > list.from; i--) {
        const struct leaf *leaf = leaf_of(joiner, i - 1);
        const struct leaf *next = i < list.to ? leaf_of(joiner, i) : NULL;
        if (leaf->membership_count == 0) {
            continue; /* perhaps there are no memberships at all */
        }
        uint32_t *ends = joiner->run_ends + joiner->choices[i - 1].run_ends_at;
        for (uint32_t level = 0; level < leaf->membership_count; level++) {
            bool goes_on = next != NULL && level < next->membership_count &&
                           next->memberships[level].array == leaf->memberships[level].array;
            ends[level] = goes_on ? joiner->run_ends[joiner->choices[i].run_ends_at + level]
                                  : (uint32_t)i;
        }
    }
}

static struct choices list_choices(struct joiner *joiner, uint32_t stage, bool must_pass) {
    const struct field *field = joiner->subrule->fields[stage];
    struct choices list = {joiner->choice_count, joiner->choice_count};
    for (uint32_t i = leaves_first(joiner->leaves, field->path); i != LEAF_NONE;
         i = joiner->leaves->items[i].next) {
        const struct leaf *leaf = &joiner->leaves->items[i];
        joiner->steps += field->test_count;
        if (joiner->steps >= JOINER_STEPS) {
            break;
        }
        if (!must_pass || field_passes(field, leaf->type, leaf->text)) {
            add_choice(joiner, i, stage);
        }
    }
    list.to = joiner->choice_count;
    find_runs(joiner, list);
    return list;
}

static void forget_last(struct joiner *joiner) {
    for (size_t i = 0; i < joiner->noted_count; i++) {
        joiner->arrays[joiner->noted[i]] = (struct array_note){0};
    }
    if (joiner->failures.count > 0) {
        memset(joiner->failures.slots, 0, joiner->failures.slot_count * 2 * sizeof(uint64_t));
    }
    joiner->choice_count = joiner->run_end_count = joiner->pinned_count = 0;
    joiner->noted_count = joiner->failures.count = 0;
}

/* False when some field has nothing to choose. */
static bool prepare(struct joiner *joiner) {
    forget_last(joiner);
    for (uint32_t i = 0; i < joiner->subrule->field_count; i++) {
        struct stage *stage = &joiner->stages[i];
        stage->passing = list_choices(joiner, i, true);
        stage->all = (struct choices){0, 0};
        if (joiner->subrule->fields[i]->may_be_absent) {
            stage->all = list_choices(joiner, i, false);
        } else if (stage->passing.from == stage->passing.to) {
            return false;
        }
    }
    return true;
}

/* ---- failures ---- */

static uint64_t mix(uint64_t value) {
    value = (value ^ value >> 31) * 0x9FB21C651E98DF25u;
    return (value ^ value >> 28) * 0xD6E8FEB86659FD93u;
}

/* Of the pinned elements that matter from `stage` on; the order in which they were pinned doesn't.
 */
static void hash_pinned(struct joiner *joiner, uint32_t stage, uint64_t hash[2]) {
    hash[0] = mix(stage + 1);
    hash[1] = mix(hash[0]);
    for (size_t i = 0; i < joiner->pinned_count; i++) {
        const struct array_note *array = &joiner->arrays[joiner->pinned[i]];
        if (array->last_stage > stage) {
            uint64_t pair = (uint64_t)joiner->pinned[i] << 32 | array->pinned;
            hash[0] += mix(pair + 0x9E3779B97F4A7C15u);
            hash[1] += mix(~pair);
        }
    }
    hash[0] |= 1; /* never that of a free slot */
    joiner->steps += joiner->pinned_count;
}

static size_t failure_slot(const struct failures *failures, const uint64_t hash[2]) {
    size_t mask = failures->slot_count - 1, slot = (size_t)(hash[0] >> 20) & mask;
    while (failures->slots[2 * slot] != 0 &&
           (failures->slots[2 * slot] != hash[0] || failures->slots[2 * slot + 1] != hash[1])) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

static bool failed_before(const struct failures *failures, const uint64_t hash[2]) {
    return failures->count > 0 && failures->slots[2 * failure_slot(failures, hash)] != 0;
}

static void grow_failures(struct failures *failures) {
    struct failures old = *failures;
    failures->slot_count = old.slot_count == 0 ? 256 : old.slot_count * 2;
    failures->slots = memory_new_array(failures->slot_count * 2, sizeof(uint64_t));
    for (size_t i = 0; i < old.slot_count; i++) {
        if (old.slots[2 * i] != 0) {
            size_t slot = failure_slot(failures, &old.slots[2 * i]);
            memcpy(&failures->slots[2 * slot], &old.slots[2 * i], 2 * sizeof(uint64_t));
        }
    }
    free(old.slots);
}

static void note_failure(struct failures *failures, const uint64_t hash[2]) {
    if (failures->count == FAILURES_MOST) {
        return;
    }
    if (failures->count * 2 >= failures->slot_count) {
        grow_failures(failures);
    }
    memcpy(&failures->slots[2 * failure_slot(failures, hash)], hash, 2 * sizeof(uint64_t));
    failures->count++;
}

/* ---- searching ---- */

/* The first choice from `at` to `end`, a run of `level`, whose element is `element` or a later one.
 */
static size_t find_element(struct joiner *joiner, size_t at, size_t end, uint32_t level,
                           uint32_t element) {
    while (at < end) {
        size_t middle = (at + end) / 2;
        joiner->steps++;
        if (leaf_of(joiner, middle)->memberships[level].element < element) {
            at = middle + 1;
        } else {
            end = middle;
        }
    }
    return at;
}

/* Where to go on behind a choice that is ruled out; the choice itself when it isn't. */
static size_t jump(struct joiner *joiner, size_t at) {
    const struct leaf *leaf = leaf_of(joiner, at);
    for (uint32_t level = 0; level < leaf->membership_count; level++) {
        struct json_membership membership = leaf->memberships[level];
        uint32_t pinned = joiner->arrays[membership.array].pinned;
        joiner->steps++;
        if (pinned == 0 || pinned - 1 == membership.element) {
            continue;
        }
        size_t end = joiner->run_ends[joiner->choices[at].run_ends_at + level];
        return membership.element > pinned - 1
                   ? end
                   : find_element(joiner, at + 1, end, level, pinned - 1);
    }
    return at;
}

/* The first choice from `at` on that the pinned elements allow, or list.to. */
static size_t next_choice(struct joiner *joiner, struct choices list, size_t at) {
    while (at < list.to) {
        size_t next = jump(joiner, at);
        joiner->steps++;
        if (next == at) {
            return at;
        }
        at = next;
    }
    return at;
}

static void pin(struct joiner *joiner, const struct leaf *leaf) {
    joiner->pinned = memory_grow_array(joiner->pinned, &joiner->pinned_capacity,
                                       joiner->pinned_count + leaf->membership_count,
                                       sizeof(uint32_t));
    for (uint32_t i = 0; i < leaf->membership_count; i++) {
        struct array_note *array = &joiner->arrays[leaf->memberships[i].array];
        if (array->pinned == 0) {
            array->pinned = leaf->memberships[i].element + 1;
            joiner->pinned[joiner->pinned_count++] = leaf->memberships[i].array;
        }
    }
}

static void unpin(struct joiner *joiner, size_t count) {
    while (joiner->pinned_count > count) {
        joiner->arrays[joiner->pinned[--joiner->pinned_count]].pinned = 0;
    }
}

static bool walk(struct joiner *joiner, uint32_t number);

static bool walk_choices(struct joiner *joiner, uint32_t number) {
    struct choices list = joiner->stages[number].passing;
    size_t pinned_before = joiner->pinned_count;
    for (size_t at = next_choice(joiner, list, list.from);
         at < list.to && joiner->steps < JOINER_STEPS; at = next_choice(joiner, list, at + 1)) {
        pin(joiner, leaf_of(joiner, at));
        if (walk(joiner, number + 1)) {
            return true;
        }
        unpin(joiner, pinned_before);
    }
    return false;
}

static bool walk(struct joiner *joiner, uint32_t number) {
    uint64_t hash[2];
    if (number == joiner->subrule->field_count) {
        return true;
    }
    hash_pinned(joiner, number, hash);
    if (failed_before(&joiner->failures, hash)) {
        return false;
    }
    if (walk_choices(joiner, number)) {
        return true;
    }
    struct choices all = joiner->stages[number].all;
    if (joiner->subrule->fields[number]->may_be_absent &&
        next_choice(joiner, all, all.from) == all.to && walk(joiner, number + 1)) {
        return true;
    }
    note_failure(&joiner->failures, hash);
    return false;
}

void joiner_start(struct joiner *joiner) {
    joiner->steps = 0;
}

bool joiner_search(struct joiner *joiner, const struct subrule *subrule,
                   const struct leaves *leaves, bool *is_match_out, struct error *error) {
    joiner->leaves = leaves;
    joiner->subrule = subrule;
    bool is_match = prepare(joiner) && walk(joiner, 0);
    if (!is_match && joiner->steps >= JOINER_STEPS) {
        return error_set(error, ERROR_LIMIT,
                         "arrays too large for this rule: over %d choices to try", JOINER_STEPS);
    }
    *is_match_out = is_match;
    return true;
}
