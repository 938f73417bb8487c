#include "riposte/detect/ruleset_parts.h"

#include "riposte/base/memory.h"
#include "riposte/detect/number.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* How many leaves of an event an exclusion's list accepted. */
struct excluded {
    uint64_t event, leaf;
    uint32_t count;
};

struct match_scratch {
    struct json_scratch *scan;
    struct leaves leaves; /* those of the event are only counted */
    /* For the joiner, when it is needed at all: the same event scanned again. */
    struct text text;
    struct leaves kept;
    uint64_t kept_event;
    struct joiner *joiner;
    uint64_t serial; /* of the set that the rest is for */
    /* Marks: the event in which it was marked. */
    uint64_t event, *atom_marks, *condition_marks, *trigger_marks;
    struct excluded *excluded;
    uint64_t leaf;                   /* numbers the leaves of all events */
    size_t steps;                    /* of the event, towards limits.match_steps */
    struct automaton_cache **caches; /* by path */
    size_t cache_count;
    uint32_t *triggered; /* conditions */
    size_t triggered_count;
    uint64_t *rule_bits;
    size_t first_word, words_end;  /* of rule_bits, that may be set */
    struct buffer path, unescaped; /* of a computed member, with its mark; of the leaf at hand */
    struct json_capture *captures;
    size_t *captured_at; /* where in `captured` an unescaped capture begins */
    size_t capture_capacity, captured_at_capacity;
    struct buffer captured;
    uint32_t *matches;
    size_t match_count;
};

struct leaf_sink {
    const struct ruleset *set;
    struct match_scratch *scratch;
    uint32_t path; /* of the leaf at hand */
    struct number number;
    struct text spelling; /* of that number */
};

/* ---- life ---- */

struct match_scratch *match_scratch_new(void) {
    struct match_scratch *scratch = memory_new(sizeof(*scratch));
    scratch->scan = json_scratch_new();
    leaves_init(&scratch->leaves);
    leaves_init(&scratch->kept);
    scratch->joiner = joiner_new();
    return scratch;
}

static void forget_set(struct match_scratch *scratch) {
    for (size_t i = 0; i < scratch->cache_count; i++) {
        automaton_cache_free(&scratch->caches[i]);
    }
    free(scratch->caches);
    free(scratch->atom_marks);
    free(scratch->condition_marks);
    free(scratch->trigger_marks);
    free(scratch->excluded);
    free(scratch->triggered);
    free(scratch->rule_bits);
    free(scratch->matches);
}

void match_scratch_free(struct match_scratch **scratch) {
    if (*scratch == NULL) {
        return;
    }
    forget_set(*scratch);
    json_scratch_free(&(*scratch)->scan);
    leaves_done(&(*scratch)->leaves);
    leaves_done(&(*scratch)->kept);
    joiner_free(&(*scratch)->joiner);
    buffer_done(&(*scratch)->path);
    buffer_done(&(*scratch)->unescaped);
    buffer_done(&(*scratch)->captured);
    free((*scratch)->captures);
    free((*scratch)->captured_at);
    free(*scratch);
    *scratch = NULL;
}

/* Another set than last time. */
static void adopt_set(struct match_scratch *scratch, const struct ruleset *set) {
    size_t atom_count = atom_table_count(set->atom_table);
    forget_set(scratch);
    scratch->serial = set->serial;
    scratch->cache_count = set->plan_count;
    scratch->caches = memory_new_array(set->plan_count, sizeof(struct automaton_cache *));
    scratch->atom_marks = memory_new_array(atom_count, sizeof(uint64_t));
    scratch->condition_marks = memory_new_array(set->condition_count, sizeof(uint64_t));
    scratch->trigger_marks = memory_new_array(set->condition_count, sizeof(uint64_t));
    scratch->excluded = memory_new_array(set->exclusion_count, sizeof(struct excluded));
    scratch->triggered = memory_new_array(set->condition_count, sizeof(uint32_t));
    scratch->rule_bits = memory_new_array(set->rule_count / 64 + 1, sizeof(uint64_t));
    scratch->matches = memory_new_array(set->rule_count, sizeof(uint32_t));
    scratch->first_word = scratch->words_end = 0;
    for (size_t i = 0; i < set->plan_count; i++) {
        if (set->plans[i].automaton != NULL) {
            scratch->caches[i] = automaton_cache_new(set->plans[i].automaton);
        }
    }
}

static void reset_scratch(struct match_scratch *scratch, const struct ruleset *set) {
    if (scratch->serial != set->serial) {
        adopt_set(scratch, set);
    }
    scratch->event++;
    scratch->steps = 0;
    joiner_start(scratch->joiner);
    scratch->triggered_count = scratch->match_count = 0;
    /* Only words from the first to the last that was written are not zero. */
    if (scratch->first_word < scratch->words_end) {
        memset(scratch->rule_bits + scratch->first_word, 0,
               (scratch->words_end - scratch->first_word) * sizeof(*scratch->rule_bits));
    }
    scratch->first_word = SIZE_MAX;
    scratch->words_end = 0;
    leaves_reset(&scratch->leaves, set->plan_count);
    scratch->captures = memory_grow_array(scratch->captures, &scratch->capture_capacity,
                                          set->capture_count, sizeof(*scratch->captures));
    scratch->captured_at = memory_grow_array(scratch->captured_at, &scratch->captured_at_capacity,
                                             set->capture_count, sizeof(*scratch->captured_at));
    if (set->capture_count > 0) {
        memset(scratch->captures, 0, set->capture_count * sizeof(*scratch->captures));
    }
    buffer_clear(&scratch->captured);
}

/* ---- marking what a leaf passes ---- */

static void trigger(struct match_scratch *scratch, uint32_t condition) {
    if (scratch->trigger_marks[condition] != scratch->event) {
        scratch->trigger_marks[condition] = scratch->event;
        scratch->triggered[scratch->triggered_count++] = condition;
    }
}

/* The list of an anything-but accepts the leaf at hand (which counts once). */
static void exclude(struct match_scratch *scratch, uint32_t exclusion) {
    struct excluded *excluded = &scratch->excluded[exclusion];
    if (excluded->event != scratch->event) {
        *excluded = (struct excluded){.event = scratch->event};
    }
    if (excluded->leaf != scratch->leaf) {
        excluded->leaf = scratch->leaf;
        excluded->count++;
    }
}

static void mark_atom(const struct ruleset *set, struct match_scratch *scratch, uint32_t number) {
    const struct atom *atom = &set->atoms[number];
    scratch->steps += 1 + (size_t)atom->exclusions.count;
    for (uint32_t i = 0; i < atom->exclusions.count; i++) {
        exclude(scratch, set->pool[atom->exclusions.at + i]);
    }
    if (scratch->atom_marks[number] == scratch->event) {
        return;
    }
    scratch->atom_marks[number] = scratch->event;
    for (uint32_t i = 0; i < atom->marks.count; i++) {
        scratch->condition_marks[set->pool[atom->marks.at + i]] = scratch->event;
    }
    for (uint32_t i = 0; i < atom->triggers.count; i++) {
        trigger(scratch, set->pool[atom->triggers.at + i]);
    }
}

static void mark_atoms(void *arg, const uint32_t *atoms, size_t count) {
    const struct leaf_sink *sink = arg;
    for (size_t i = 0; i < count; i++) {
        mark_atom(sink->set, sink->scratch, atoms[i]);
    }
}

static void mark_key(struct leaf_sink *sink, enum atom_kind kind, const void *key, size_t bytes) {
    uint32_t atom = atom_table_find(sink->set->atom_table, kind, sink->path,
                                    (struct text){key, bytes});
    if (atom != ATOM_NONE) {
        mark_atom(sink->set, sink->scratch, atom);
    }
}

static void mark_ip(struct leaf_sink *sink, const struct path_plan *plan, struct text text) {
    struct ip_range probe;
    struct ip ip;
    char key[1 + IP_V6_BYTES];
    if (!ip_parse(text, &ip)) {
        return;
    }
    mark_key(sink, ATOM_IP, ip.bytes, ip.byte_count);
    for (size_t i = 0; i < plan->mask_count; i++) {
        if (plan->masks[i].byte_count != ip.byte_count) {
            continue;
        }
        probe = (struct ip_range){ip, plan->masks[i].bits};
        ip_range_clear_host(&probe);
        key[0] = (char)probe.bits;
        memcpy(key + 1, probe.ip.bytes, ip.byte_count);
        mark_key(sink, ATOM_CIDR, key, 1 + ip.byte_count);
    }
}

static void mark_string(struct leaf_sink *sink, const struct path_plan *plan, struct text text) {
    if ((plan->string_filter & ruleset_string_bit(text)) != 0) {
        mark_key(sink, ATOM_STRING, text.data, text.bytes);
    }
    if (plan->automaton != NULL) {
        automaton_run(plan->automaton, sink->scratch->caches[sink->path], text, mark_atoms, sink,
                      &sink->scratch->steps, sink->set->limits.match_steps);
    }
    if (plan->has_ips) {
        mark_ip(sink, plan, text);
    }
}

/* Ranges that hold the nearest double; whether the number is comparable at all is asked when one of
 * them is not marked yet. */
static void mark_ranges(void *arg, const uint32_t *atoms, size_t count) {
    struct leaf_sink *sink = arg;
    for (size_t i = 0; i < count; i++) {
        sink->scratch->steps++;
        if (sink->scratch->atom_marks[atoms[i]] == sink->scratch->event) {
            continue;
        }
        if (!number_is_comparable(&sink->number, sink->spelling)) {
            return;
        }
        mark_atom(sink->set, sink->scratch, atoms[i]);
    }
}

static void mark_number(struct leaf_sink *sink, const struct path_plan *plan, struct text text) {
    if (plan->has_number_texts) {
        mark_key(sink, ATOM_NUMBER_TEXT, text.data, text.bytes);
    }
    if ((!plan->has_numbers && plan->ranges == NULL) || !number_read(text, &sink->number)) {
        return;
    }
    if ((plan->number_filter & ruleset_number_bit(&sink->number)) != 0) {
        mark_key(sink, ATOM_NUMBER, &sink->number, sizeof(sink->number));
    }
    if (plan->ranges != NULL) {
        sink->spelling = text;
        range_index_find(plan->ranges, number_nearest(&sink->number, text), mark_ranges, sink);
    }
}

/* `text`: a string unescaped, a number as spelled. */
static void mark_leaf(struct leaf_sink *sink, uint32_t path, enum json_type type,
                      struct text text) {
    const struct path_plan *plan = &sink->set->plans[path];
    sink->path = path;
    sink->scratch->leaf++;
    sink->scratch->steps += plan->presences.count;
    for (uint32_t i = 0; i < plan->presences.count; i++) {
        trigger(sink->scratch, sink->set->pool[plan->presences.at + i]);
    }
    if (type == JSON_STRING) {
        mark_string(sink, plan, text);
    } else if (type == JSON_NUMBER) {
        mark_number(sink, plan, text);
    } else if (plan->literals[type] != ATOM_NONE) {
        mark_atom(sink->set, sink->scratch, plan->literals[type]);
    }
}

static bool is_bounded(const struct leaf_sink *sink, struct error *error) {
    size_t limit = sink->set->limits.match_steps;
    return sink->scratch->steps <= limit ||
           error_set(error, ERROR_LIMIT,
                     "over %zu steps to compare the event's values with the rules", limit);
}

/* ---- leaves of the event and computed ones ---- */

/* The first value at a captured path is the capture. */
static void capture(struct match_scratch *scratch, size_t index, const struct json_leaf *leaf) {
    struct json_capture *out = &scratch->captures[index];
    if (out->is_present) {
        return;
    }
    *out = (struct json_capture){true, leaf->type, leaf->raw, leaf->offset};
    scratch->captured_at[index] = SIZE_MAX;
    if (leaf->has_escapes) {
        scratch->captured_at[index] = scratch->captured.bytes;
        json_unescape(leaf->raw, &scratch->captured);
        out->text.bytes = scratch->captured.bytes - scratch->captured_at[index];
    }
}

static struct text text_of_leaf(struct match_scratch *scratch, const struct json_leaf *leaf) {
    if (!leaf->has_escapes) {
        return leaf->raw;
    }
    buffer_clear(&scratch->unescaped);
    json_unescape(leaf->raw, &scratch->unescaped);
    return buffer_text(&scratch->unescaped);
}

static bool take_leaf(void *arg, const struct json_leaf *leaf, struct error *error) {
    struct leaf_sink *sink = arg;
    const struct path_plan *plan = &sink->set->plans[leaf->path];
    for (uint32_t i = 0; i < plan->captures.count; i++) {
        capture(sink->scratch, sink->set->pool[plan->captures.at + i], leaf);
    }
    if (plan->is_tested && leaf->type != JSON_ARRAY && leaf->type != JSON_OBJECT) {
        (void)leaves_count(&sink->scratch->leaves, leaf->path, leaf->membership_count > 0);
        mark_leaf(sink, leaf->path, leaf->type, text_of_leaf(sink->scratch, leaf));
    }
    return is_bounded(sink, error);
}

static void add_leaf(struct leaf_sink *sink, uint32_t path, enum json_type type, struct text text) {
    if (type != JSON_ARRAY && type != JSON_OBJECT) {
        leaves_add(&sink->scratch->leaves, path, type, text, NULL, 0);
        mark_leaf(sink, path, type, text);
    }
}

void leaf_sink_add(struct leaf_sink *sink, struct text path, enum json_type type,
                   struct text text) {
    struct buffer *marked = &sink->scratch->path;
    buffer_clear(marked);
    buffer_append_string(marked, COMPUTED_MARK);
    buffer_append_text(marked, path);
    uint32_t index = ruleset_find_computed(sink->set, buffer_text(marked));
    if (index != LEAF_NONE) {
        add_leaf(sink, index, type, text);
    }
}

void leaf_sink_put(struct leaf_sink *sink, size_t computed, enum json_type type, struct text text) {
    assert(computed < sink->set->member_count);
    uint32_t index = sink->set->members[computed];
    if (sink->set->plans[index].is_tested) {
        add_leaf(sink, index, type, text);
    }
}

/* The unescaped texts no longer move. */
static void settle_captures(struct match_scratch *scratch, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct json_capture *each = &scratch->captures[i];
        if (each->is_present && scratch->captured_at[i] != SIZE_MAX && each->text.bytes > 0) {
            each->text.data = scratch->captured.data + scratch->captured_at[i];
        }
    }
}

/* ---- verdicts ---- */

enum holding {
    HOLDS_NOT,
    HOLDS,
    /* Only if the choices before it leave none of its leaves: a matter for the joiner. */
    HOLDS_PERHAPS,
};

static bool some_atom_is_marked(const struct ruleset *set, const struct match_scratch *scratch,
                                const struct condition *condition) {
    for (uint32_t i = 0; i < condition->atoms.count; i++) {
        if (scratch->atom_marks[set->pool[condition->atoms.at + i]] == scratch->event) {
            return true;
        }
    }
    return false;
}

/* Does a leaf escape some anything-but? */
static bool some_leaf_escapes(const struct ruleset *set, const struct match_scratch *scratch,
                              const struct condition *condition, uint32_t leaf_count) {
    for (uint32_t i = 0; i < condition->exclusions.count; i++) {
        uint32_t exclusion = set->pool[condition->exclusions.at + i];
        const struct excluded *excluded = &scratch->excluded[exclusion];
        if (excluded->event != scratch->event || excluded->count < leaf_count) {
            return true;
        }
    }
    return false;
}

static bool condition_is_marked(const struct ruleset *set, const struct match_scratch *scratch,
                                uint32_t number) {
    const struct condition *condition = &set->conditions[number];
    return condition->atoms.count > CONDITION_FEW_ATOMS
               ? scratch->condition_marks[number] == scratch->event
               : some_atom_is_marked(set, scratch, condition);
}

static enum holding condition_holds(const struct ruleset *set, const struct match_scratch *scratch,
                                    uint32_t number, bool *has_memberships_out) {
    const struct condition *condition = &set->conditions[number];
    const struct leaf_list *list = &scratch->leaves.lists[condition->path];
    *has_memberships_out = false;
    if (list->event != scratch->leaves.event) {
        return condition->may_be_absent ? HOLDS : HOLDS_NOT;
    }
    *has_memberships_out = list->has_memberships;
    if (condition->has_exists || condition_is_marked(set, scratch, number) ||
        some_leaf_escapes(set, scratch, condition, list->count)) {
        return HOLDS;
    }
    return condition->may_be_absent && list->has_memberships ? HOLDS_PERHAPS : HOLDS_NOT;
}

static bool keep_leaf(void *arg, const struct json_leaf *leaf, struct error *error) {
    struct leaf_sink *sink = arg;
    (void)error;
    if (sink->set->plans[leaf->path].keeps_leaves) {
        leaves_add_raw(&sink->scratch->kept, leaf);
    }
    return true;
}

/* All leaves that a joiner may ask for, the computed ones too. */
static bool keep_leaves(const struct ruleset *set, struct match_scratch *scratch,
                        struct error *error) {
    struct leaf_sink sink = {.set = set, .scratch = scratch};
    if (scratch->kept_event == scratch->event) {
        return true;
    }
    leaves_reset(&scratch->kept, set->plan_count);
    if (!json_scan(set->paths, scratch->scan, scratch->text, keep_leaf, &sink, error)) {
        return false;
    }
    for (size_t i = 0; i < scratch->leaves.count; i++) {
        const struct leaf *leaf = &scratch->leaves.items[i];
        leaves_add(&scratch->kept, leaf->path, leaf->type, leaf->text, NULL, 0);
    }
    if (!leaves_settle(&scratch->kept, error)) {
        return false;
    }
    scratch->kept_event = scratch->event;
    return true;
}

/* With leaves in arrays at two paths or more it matters which elements they lie in. */
static bool search(const struct ruleset *set, const struct conjunction *conjunction,
                   struct match_scratch *scratch, bool *is_match_out, struct error *error) {
    struct subrule subrule = {conjunction->fields, conjunction->conditions.count};
    return keep_leaves(set, scratch, error) &&
           joiner_search(scratch->joiner, &subrule, &scratch->kept, is_match_out, error);
}

/* The first `held` conditions are known to hold, `in_arrays` of them by leaves in arrays. */
static bool conjunction_matches(const struct ruleset *set, struct match_scratch *scratch,
                                uint32_t number, uint32_t held, size_t in_arrays,
                                bool *is_match_out, struct error *error) {
    const struct conjunction *conjunction = &set->conjunctions[number];
    bool is_uncertain = false;
    *is_match_out = false;
    for (uint32_t i = held; i < conjunction->conditions.count; i++) {
        bool has_memberships = false;
        enum holding holding = condition_holds(
            set, scratch, set->pool[conjunction->conditions.at + i], &has_memberships);
        if (holding == HOLDS_NOT) {
            return true;
        }
        is_uncertain |= holding == HOLDS_PERHAPS;
        in_arrays += has_memberships;
    }
    if (in_arrays > 1) {
        return search(set, conjunction, scratch, is_match_out, error);
    }
    *is_match_out = !is_uncertain;
    return true;
}

static bool when_matches(const struct ruleset *set, struct match_scratch *scratch,
                         const struct rule *rule, bool *is_match_out, struct error *error) {
    *is_match_out = !rule->has_when;
    for (uint32_t i = 0; i < rule->when.count && !*is_match_out; i++) {
        if (!conjunction_matches(set, scratch, rule->when.at + i, 0, 0, is_match_out, error)) {
            return false;
        }
    }
    return true;
}

/* Without a branch, as nobody could foresee it. */
static inline void mark_rule(struct match_scratch *scratch, uint32_t rule, bool is_match) {
    size_t word = rule / 64;
    scratch->rule_bits[word] |= (uint64_t)is_match << rule % 64;
    scratch->first_word = word < scratch->first_word ? word : scratch->first_word;
    scratch->words_end = word < scratch->words_end ? scratch->words_end : word + 1;
}

/* Looks at a conjunction and marks its rule when all is well. */
static bool try_conjunction(const struct ruleset *set, struct match_scratch *scratch,
                            uint32_t number, uint32_t held, size_t in_arrays, struct error *error) {
    uint32_t rule = set->conjunctions[number].rule;
    bool is_match = false;
    if ((scratch->rule_bits[rule / 64] >> rule % 64 & 1) != 0) {
        return true;
    }
    if (!conjunction_matches(set, scratch, number, held, in_arrays, &is_match, error)) {
        return false;
    }
    if (is_match && !when_matches(set, scratch, &set->rules[rule], &is_match, error)) {
        return false;
    }
    if (is_match) {
        mark_rule(scratch, rule, true);
    }
    return true;
}

/* A condition that some leaf brought up. What only atoms bring up holds. */
static bool access_holds(const struct ruleset *set, const struct match_scratch *scratch,
                         uint32_t number) {
    const struct condition *condition = &set->conditions[number];
    uint32_t leaf_count = scratch->leaves.lists[condition->path].count;
    return condition->exclusions.count == 0 || condition->has_exists ||
           some_leaf_escapes(set, scratch, condition, leaf_count) ||
           condition_is_marked(set, scratch, number);
}

/* The rules and conjunctions whose access, and so first condition, it is. */
static bool try_access(const struct ruleset *set, struct match_scratch *scratch, uint32_t number,
                       struct error *error) {
    const struct condition *condition = &set->conditions[number];
    bool holds = access_holds(set, scratch, number);
    for (uint32_t i = 0; i < condition->rules.count; i++) {
        mark_rule(scratch, set->pool[condition->rules.at + i], holds);
    }
    uint32_t count = holds ? condition->conjunctions.count : 0;
    bool is_in_array = scratch->leaves.lists[condition->path].has_memberships;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t conjunction = set->pool[condition->conjunctions.at + i];
        if (!try_conjunction(set, scratch, conjunction, 1, is_in_array, error)) {
            return false;
        }
    }
    return true;
}

static bool try_all(const struct ruleset *set, struct match_scratch *scratch, struct error *error) {
    for (size_t i = 0; i < set->always_count; i++) {
        if (!try_conjunction(set, scratch, set->always[i], 0, 0, error)) {
            return false;
        }
    }
    for (size_t i = 0; i < scratch->triggered_count; i++) {
        if (!try_access(set, scratch, scratch->triggered[i], error)) {
            return false;
        }
    }
    return true;
}

static void list_matches(struct match_scratch *scratch) {
    for (size_t word = scratch->first_word; word < scratch->words_end; word++) {
        for (uint64_t bits = scratch->rule_bits[word]; bits != 0; bits &= bits - 1) {
            scratch->matches[scratch->match_count++] = (uint32_t)(word * 64) +
                                                       (uint32_t)__builtin_ctzll(bits);
        }
    }
}

bool ruleset_match(const struct ruleset *set, struct match_scratch *scratch, struct text event,
                   leaves_fn *computed_fn, void *arg, struct ruleset_matches *matches_out,
                   struct error *error) {
    struct leaf_sink sink = {.set = set, .scratch = scratch};
    reset_scratch(scratch, set);
    scratch->text = event;
    if (!json_scan(set->paths, scratch->scan, event, take_leaf, &sink, error)) {
        return false;
    }
    settle_captures(scratch, set->capture_count);
    if (computed_fn != NULL && !computed_fn(arg, scratch->captures, &sink, error)) {
        return false;
    }
    if (!is_bounded(&sink, error) || !try_all(set, scratch, error)) {
        return false;
    }
    list_matches(scratch);
    *matches_out = (struct ruleset_matches){scratch->matches, scratch->match_count};
    return true;
}
