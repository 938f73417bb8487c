/* What a rule set consists of, for the files of this folder.
 *
 * Every rule is a list of conjunctions (a pattern's sub-rules), every conjunction a list of
 * conditions (a path and its tests; rules that say the same share one), every condition a set of
 * atoms (elementary tests that are looked up, not tried) and exclusions (anything-but). While an
 * event is scanned each leaf marks the atoms that it passes. A conjunction is looked at only when
 * its most selective condition, its access, was marked: so rules that don't apply cost nothing.
 *
 * Ownership:  all in the set, immutable once built; what a match marks is in the scratch.
 * Threads:    as ruleset.h. */
#ifndef RIPOSTE_DETECT_RULESET_PARTS_H
#define RIPOSTE_DETECT_RULESET_PARTS_H

#include "riposte/base/arena.h"
#include "riposte/detect/atom_table.h"
#include "riposte/detect/automaton.h"
#include "riposte/detect/joiner.h"
#include "riposte/detect/leaves.h"
#include "riposte/detect/number.h"
#include "riposte/detect/range_index.h"
#include "riposte/detect/ruleset.h"
#include "riposte/detect/subrule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begins the path of a computed member: no UTF-8 text holds it. */
#define COMPUTED_MARK "\xFF"

/* A condition of more atoms is marked itself when one of them is, instead of asking them all. */
#define CONDITION_FEW_ATOMS 8

/* Numbers in one of the set's pools, from `at` on. */
struct set_span {
    uint32_t at, count;
};

/* What to do when a leaf passes the atom. All of the pool of numbers. */
struct atom {
    struct set_span triggers;   /* conditions that are an access */
    struct set_span marks;      /* conditions of many atoms */
    struct set_span exclusions; /* anything-buts that list it */
};

struct condition {
    uint32_t path;
    bool has_exists, may_be_absent;
    struct set_span atoms, exclusions;
    /* Those whose access it is. Conjunctions of nothing else are only in `rules`, unless their rule
     * has a `when`. */
    struct set_span conjunctions, rules;
    double selectivity;        /* a guess at how often it holds; over 1: no access */
    const struct field *field; /* its path is one of the set's; its text that of the pattern */
};

struct conjunction {
    uint32_t rule;
    struct set_span conditions;  /* most selective first */
    const struct field **fields; /* in path order, for the joiner */
    bool is_when;
};

struct rule {
    struct set_span pattern, when; /* conjunctions */
    bool has_when;
};

/* A mask of CIDR ranges. */
struct cidr_mask {
    uint8_t byte_count, bits;
};

/* How the leaves of a path are tested. */
struct path_plan {
    struct automaton *automaton; /* or NULL */
    struct range_index *ranges;  /* or NULL */
    struct cidr_mask *masks;
    size_t mask_count;
    uint32_t literals[3];      /* atoms of null, false, true */
    struct set_span presences; /* conditions that any leaf makes worth a look */
    struct set_span captures;  /* indices */
    /* A bit for some hash of each string and number: what has none is not looked up. */
    uint64_t string_filter, number_filter;
    uint32_t exact_count; /* strings, numbers and addresses that are looked up */
    bool has_numbers, has_number_texts, has_ips;
    bool is_tested;    /* some rule names it (else it is only captured) */
    bool keeps_leaves; /* array consistency may ask for them */
};

static inline uint64_t ruleset_string_bit(struct text text) {
    unsigned ends = text.bytes == 0 ? 0
                                    : (unsigned char)text.data[0] * 7u +
                                          (unsigned char)text.data[text.bytes - 1] * 13u;
    return (uint64_t)1 << ((text.bytes * 29u + ends) & 63);
}

static inline uint64_t ruleset_number_bit(const struct number *number) {
    return (uint64_t)1 << ((number->digits * 0x9E3779B97F4A7C15u) >> 58);
}

/* The paths of computed members, sorted by text. */
struct computed_paths {
    uint32_t *items;
    size_t count, capacity;
};

struct ruleset {
    uint64_t serial; /* no two sets of a process have the same */
    struct ruleset_limits limits;
    struct arena *arena;
    struct json_paths *paths;
    struct path_plan *plans;
    size_t plan_count, plan_capacity;
    struct atom_table *atom_table;
    struct atom *atoms;
    struct condition *conditions;
    size_t condition_count, condition_capacity;
    size_t exclusion_count;
    struct conjunction *conjunctions;
    size_t conjunction_count, conjunction_capacity;
    struct rule *rules;
    size_t rule_count, rule_capacity;
    uint32_t *pool;
    size_t pool_count, pool_capacity;
    uint32_t *always; /* conjunctions without an access */
    size_t always_count, always_capacity;
    uint32_t *captures; /* their paths */
    size_t capture_count, capture_capacity;
    struct computed_paths computed; /* that a `when` names */
    uint32_t *members;              /* the paths of computed members given by index */
    size_t member_count, member_capacity;
    size_t memory_bytes;
};

/* The path of a computed member, or LEAF_NONE when no `when` names it. `marked` begins with the
 * mark. */
uint32_t ruleset_find_computed(const struct ruleset *set, struct text marked);

#endif
