#include "riposte/detect/ruleset.h"

#include "riposte/base/memory.h"
#include "riposte/detect/number.h"
#include "riposte/detect/pattern.h"
#include "riposte/detect/ruleset_parts.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* "atom `from` does `to`", while the lists grow. */
struct link {
    uint32_t from, to;
};

struct links {
    struct link *items;
    size_t count, capacity;
};

/* A set in the making is a set that nobody else sees yet. */
struct ruleset_builder {
    struct ruleset *set;
    struct atom_table *condition_keys; /* conditions by path and printed tests */
    struct links exclusions;           /* atoms to exclusions */
    struct buffer key;
    size_t steps;
};

static const char *const computed_names[] = {RULESET_COMPUTED};

static bool is_computed(struct text path) {
    struct text name = text_slice(path, 0, text_find_byte(path, '.', 0));
    for (size_t i = 0; i < ARRAY_COUNT(computed_names); i++) {
        if (text_equal_string(name, computed_names[i])) {
            return true;
        }
    }
    return false;
}

/* ---- life ---- */

struct ruleset_builder *ruleset_builder_new(void) {
    static atomic_uint_fast64_t last_serial;
    struct ruleset_builder *builder = memory_new(sizeof(*builder));
    struct ruleset *set = memory_new(sizeof(*set));
    set->serial = atomic_fetch_add(&last_serial, 1) + 1;
    set->arena = arena_new();
    set->paths = json_paths_new();
    set->atom_table = atom_table_new();
    builder->set = set;
    builder->condition_keys = atom_table_new();
    set->limits = RULESET_LIMITS;
    return builder;
}

void ruleset_builder_limit(struct ruleset_builder *builder, const struct ruleset_limits *limits) {
    builder->set->limits = *limits;
}

void ruleset_builder_free(struct ruleset_builder **builder) {
    if (*builder == NULL) {
        return;
    }
    ruleset_free(&(*builder)->set);
    atom_table_free(&(*builder)->condition_keys);
    free((*builder)->exclusions.items);
    buffer_done(&(*builder)->key);
    free(*builder);
    *builder = NULL;
}

/* ---- paths ---- */

/* The plan of `path`, which may just have got its number. */
static struct path_plan *plan_of(struct ruleset *set, uint32_t path) {
    set->plans = memory_grow_array(set->plans, &set->plan_capacity, (size_t)path + 1,
                                   sizeof(*set->plans));
    for (; set->plan_count <= path; set->plan_count++) {
        set->plans[set->plan_count] = (struct path_plan){
            .literals = {ATOM_NONE, ATOM_NONE, ATOM_NONE}};
    }
    return &set->plans[path];
}

void ruleset_add_capture(struct ruleset_builder *builder, struct text path, unsigned flags) {
    struct ruleset *set = builder->set;
    set->captures = memory_grow_array(set->captures, &set->capture_capacity, set->capture_count + 1,
                                      sizeof(*set->captures));
    uint32_t index = json_paths_add(set->paths, path, flags);
    (void)plan_of(set, index);
    set->captures[set->capture_count++] = index;
}

static void add_computed(struct computed_paths *computed, uint32_t path) {
    for (size_t i = 0; i < computed->count; i++) {
        if (computed->items[i] == path) {
            return;
        }
    }
    computed->items = memory_grow_array(computed->items, &computed->capacity, computed->count + 1,
                                        sizeof(*computed->items));
    computed->items[computed->count++] = path;
}

static uint32_t place_marked(struct ruleset *set, struct text path) {
    scoped(buffer_done) struct buffer marked = BUFFER_INIT;
    buffer_append_string(&marked, COMPUTED_MARK);
    buffer_append_text(&marked, path);
    uint32_t index = json_paths_add(set->paths, buffer_text(&marked), 0);
    (void)plan_of(set, index);
    return index;
}

void ruleset_add_computed(struct ruleset_builder *builder, struct text path) {
    struct ruleset *set = builder->set;
    assert(is_computed(path));
    set->members = memory_grow_array(set->members, &set->member_capacity, set->member_count + 1,
                                     sizeof(*set->members));
    set->members[set->member_count++] = place_marked(set, path);
}

static uint32_t place_path(struct ruleset *set, struct text path, bool has_computed) {
    uint32_t index = 0;
    if (has_computed && is_computed(path)) {
        index = place_marked(set, path);
        add_computed(&set->computed, index);
    } else {
        index = json_paths_add(set->paths, path, 0);
    }
    plan_of(set, index)->is_tested = true;
    return index;
}

/* ---- pools ---- */

static uint32_t pool_append(struct ruleset *set, uint32_t number) {
    assert(set->pool_count < UINT32_MAX);
    set->pool = memory_grow_array(set->pool, &set->pool_capacity, set->pool_count + 1,
                                  sizeof(*set->pool));
    set->pool[set->pool_count] = number;
    return (uint32_t)set->pool_count++;
}

static void span_append(struct ruleset *set, struct set_span *span, uint32_t number) {
    uint32_t at = pool_append(set, number);
    span->at = span->count == 0 ? at : span->at;
    assert(span->at + span->count == at);
    span->count++;
}

static void links_add(struct links *links, uint32_t from, uint32_t to) {
    links->items = memory_grow_array(links->items, &links->capacity, links->count + 1,
                                     sizeof(*links->items));
    links->items[links->count++] = (struct link){from, to};
}

static int compare_links(const void *a, const void *b) {
    const struct link *left = a, *right = b;
    int order = (left->from > right->from) - (left->from < right->from);
    return order != 0 ? order : (left->to > right->to) - (left->to < right->to);
}

/* ---- atoms ---- */

#define RANGE_KEY_BYTES (2 * sizeof(double) + 2)

static struct text key_of_range(const struct number_range *range, char *room) {
    memcpy(room, &range->low, sizeof(double));
    memcpy(room + sizeof(double), &range->high, sizeof(double));
    room[2 * sizeof(double)] = range->is_low_open;
    room[2 * sizeof(double) + 1] = range->is_high_open;
    return (struct text){room, RANGE_KEY_BYTES};
}

/* Of the atoms that are a matter of bytes or of ranges: a new one must be told to the path's plan.
 */
static uint32_t add_planned(struct ruleset *set, enum atom_kind kind, uint32_t path,
                            const struct test *test) {
    size_t before = atom_table_count(set->atom_table);
    struct path_plan *plan = plan_of(set, path);
    char range_key[RANGE_KEY_BYTES];
    struct text key = kind == ATOM_RANGE ? key_of_range(&test->range, range_key) : test->text;
    uint32_t atom = atom_table_add(set->atom_table, kind, path, key);
    if (atom < before) {
        return atom;
    }
    if (kind == ATOM_RANGE) {
        plan->ranges = plan->ranges == NULL ? range_index_new() : plan->ranges;
        range_index_add(plan->ranges, &test->range, atom);
    } else {
        plan->automaton = plan->automaton == NULL ? automaton_new() : plan->automaton;
        size_t bytes = automaton_bytes(plan->automaton);
        automaton_add(plan->automaton, test, atom);
        set->memory_bytes += automaton_bytes(plan->automaton) - bytes;
    }
    return atom;
}

static uint32_t add_exact(struct ruleset *set, enum atom_kind kind, uint32_t path,
                          struct text key) {
    struct path_plan *plan = plan_of(set, path);
    size_t before = atom_table_count(set->atom_table);
    uint32_t atom = atom_table_add(set->atom_table, kind, path, key);
    plan->exact_count += atom >= before;
    plan->string_filter |= kind == ATOM_STRING ? ruleset_string_bit(key) : 0;
    plan->has_numbers |= kind == ATOM_NUMBER;
    plan->has_number_texts |= kind == ATOM_NUMBER_TEXT;
    plan->has_ips |= kind == ATOM_IP || kind == ATOM_CIDR;
    return atom;
}

/* A comparable number, by its decimal value. */
static uint32_t add_number(struct ruleset *set, uint32_t path, struct text spelling) {
    struct number number;
    bool is_read = number_read(spelling, &number);
    assert(is_read);
    plan_of(set, path)->number_filter |= ruleset_number_bit(&number);
    return add_exact(set, ATOM_NUMBER, path, (struct text){(const char *)&number, sizeof(number)});
}

static uint32_t add_literal(struct ruleset *set, uint32_t path, enum json_type type) {
    char key = (char)type;
    uint32_t atom = atom_table_add(set->atom_table, ATOM_LITERAL, path, (struct text){&key, 1});
    plan_of(set, path)->literals[type - JSON_NULL] = atom;
    return atom;
}

static uint32_t add_cidr(struct ruleset *set, uint32_t path, const struct ip_range *range) {
    char key[1 + IP_V6_BYTES];
    struct path_plan *plan = plan_of(set, path);
    struct cidr_mask mask = {(uint8_t)range->ip.byte_count, (uint8_t)range->bits};
    bool is_known = false;
    for (size_t i = 0; i < plan->mask_count && !is_known; i++) {
        is_known = memcmp(&plan->masks[i], &mask, sizeof(mask)) == 0;
    }
    if (!is_known) {
        plan->masks = memory_resize(plan->masks, (plan->mask_count + 1) * sizeof(*plan->masks));
        plan->masks[plan->mask_count++] = mask;
    }
    key[0] = (char)range->bits;
    memcpy(key + 1, range->ip.bytes, range->ip.byte_count);
    return add_exact(set, ATOM_CIDR, path, (struct text){key, 1 + range->ip.byte_count});
}

static uint32_t add_atom(struct ruleset *set, uint32_t path, const struct test *test) {
    switch (test->kind) {
    case TEST_LITERAL:
        return add_literal(set, path, test->type);
    case TEST_STRING:
    case TEST_EXACTLY:
        return add_exact(set, ATOM_STRING, path, test->text);
    case TEST_IP:
        return add_exact(set, ATOM_IP, path,
                         (struct text){(const char *)test->ip.bytes, test->ip.byte_count});
    case TEST_NUMBER:
        return add_number(set, path, test->text);
    case TEST_NUMBER_TEXT:
        return add_exact(set, ATOM_NUMBER_TEXT, path, test->text);
    case TEST_RANGE:
        /* "=" is one number */
        return test->range.low < test->range.high ? add_planned(set, ATOM_RANGE, path, test)
                                                  : add_number(set, path, test->range.low_text);
    case TEST_PREFIX:
        return add_planned(set, ATOM_PREFIX, path, test);
    case TEST_SUFFIX:
        return add_planned(set, ATOM_SUFFIX, path, test);
    case TEST_IGNORE_CASE:
        return add_planned(set, ATOM_IGNORE_CASE, path, test);
    case TEST_PREFIX_IGNORE_CASE:
        return add_planned(set, ATOM_PREFIX_IGNORE_CASE, path, test);
    case TEST_SUFFIX_IGNORE_CASE:
        return add_planned(set, ATOM_SUFFIX_IGNORE_CASE, path, test);
    case TEST_WILDCARD:
        return add_planned(set, ATOM_WILDCARD, path, test);
    case TEST_CIDR:
        return add_cidr(set, path, &test->ip_range);
    default:
        assert(false); /* a test that is no atom */
        return ATOM_NONE;
    }
}

/* ---- conditions ---- */

static uint32_t add_exclusion(struct ruleset_builder *builder, uint32_t path,
                              const struct test *test) {
    uint32_t exclusion = (uint32_t)builder->set->exclusion_count++;
    for (size_t i = 0; i < test->list_count; i++) {
        links_add(&builder->exclusions, add_atom(builder->set, path, &test->list[i]), exclusion);
    }
    return exclusion;
}

/* Atoms first and exclusions second: each is one run in the pool. */
static void add_tests(struct ruleset_builder *builder, struct condition *condition) {
    const struct field *field = condition->field;
    struct ruleset *set = builder->set;
    for (size_t i = 0; i < field->test_count; i++) {
        const struct test *test = &field->tests[i];
        condition->has_exists |= test->kind == TEST_EXISTS;
        if (test->kind != TEST_EXISTS && test->kind != TEST_ABSENT &&
            test->kind != TEST_ANYTHING_BUT) {
            span_append(set, &condition->atoms, add_atom(set, field->path, test));
        }
    }
    for (size_t i = 0; i < field->test_count; i++) {
        if (field->tests[i].kind == TEST_ANYTHING_BUT) {
            span_append(set, &condition->exclusions,
                        add_exclusion(builder, field->path, &field->tests[i]));
        }
    }
}

/* The condition of a pattern's field: a new one, or one that says the same. */
static uint32_t add_condition(struct ruleset_builder *builder, const struct field *field,
                              bool has_computed) {
    struct ruleset *set = builder->set;
    uint32_t path = place_path(set, field->path_text, has_computed);
    buffer_clear(&builder->key);
    builder->steps += field->test_count;
    for (size_t i = 0; i < field->test_count; i++) {
        test_print(&field->tests[i], &builder->key);
        buffer_append_char(&builder->key, ',');
    }
    builder->steps += builder->key.bytes;
    uint32_t number = atom_table_add(builder->condition_keys, ATOM_STRING, path,
                                     buffer_text(&builder->key));
    if (number < set->condition_count) {
        return number;
    }
    set->conditions = memory_grow_array(set->conditions, &set->condition_capacity,
                                        set->condition_count + 1, sizeof(*set->conditions));
    struct condition *condition = &set->conditions[set->condition_count++];
    struct field *copy = arena_alloc(set->arena, sizeof(*copy));
    *copy = *field;
    copy->path = path;
    copy->path_text = arena_copy_text(set->arena, field->path_text);
    copy->tests = test_copy(set->arena, field->tests, field->test_count);
    *condition = (struct condition){
        .path = path, .may_be_absent = field->may_be_absent, .field = copy};
    add_tests(builder, condition);
    return number;
}

/* ---- limits ---- */

/* What is in set->memory_bytes before it is built are the automata. */
static size_t used_bytes(const struct ruleset *set) {
    return set->memory_bytes + sizeof(*set) + arena_used_bytes(set->arena) +
           atom_table_bytes(set->atom_table) + set->plan_capacity * sizeof(*set->plans) +
           atom_table_count(set->atom_table) * sizeof(*set->atoms) +
           set->condition_capacity * sizeof(*set->conditions) +
           set->conjunction_capacity * sizeof(*set->conjunctions) +
           set->rule_capacity * sizeof(*set->rules) + set->pool_capacity * sizeof(*set->pool) +
           set->always_capacity * sizeof(*set->always) +
           set->capture_capacity * sizeof(*set->captures) +
           set->member_capacity * sizeof(*set->members);
}

static bool check_bytes(size_t bytes, size_t limit, struct error *error) {
    return bytes <= limit || error_set(error, ERROR_LIMIT,
                                       "the rules need %zu KiB together, over the limit of %zu KiB",
                                       bytes / 1024, limit / 1024);
}

static bool check_limits(const struct ruleset_builder *builder, struct error *error) {
    size_t bytes = used_bytes(builder->set) + atom_table_bytes(builder->condition_keys);
    if (builder->steps > builder->set->limits.build_steps) {
        return error_set(error, ERROR_LIMIT,
                         "the rules take over %zu steps to compile together: fewer values, fewer "
                         "combinations of $or",
                         builder->set->limits.build_steps);
    }
    return check_bytes(bytes, builder->set->limits.bytes, error);
}

/* ---- rules ---- */

static void add_conjunction(struct ruleset *set, const struct subrule *subrule,
                            const uint32_t *conditions, bool is_when) {
    struct conjunction conjunction = {.rule = (uint32_t)set->rule_count, .is_when = is_when};
    for (size_t i = 0; i < subrule->field_count; i++) {
        span_append(set, &conjunction.conditions, conditions[subrule->fields[i]->number]);
    }
    set->conjunctions = memory_grow_array(set->conjunctions, &set->conjunction_capacity,
                                          set->conjunction_count + 1, sizeof(*set->conjunctions));
    set->conjunctions[set->conjunction_count++] = conjunction;
}

static struct set_span add_pattern(struct ruleset_builder *builder, const struct pattern *pattern,
                                   bool is_when) {
    struct ruleset *set = builder->set;
    struct set_span span = {(uint32_t)set->conjunction_count, (uint32_t)pattern->subrule_count};
    uint32_t *conditions = memory_new_array(pattern->field_count, sizeof(*conditions));
    memset(conditions, 0xFF, pattern->field_count * sizeof(*conditions));
    for (size_t i = 0; i < pattern->subrule_count; i++) {
        const struct subrule *subrule = &pattern->subrules[i];
        for (size_t j = 0; j < subrule->field_count; j++) {
            uint32_t *condition = &conditions[subrule->fields[j]->number];
            if (*condition == UINT32_MAX) {
                *condition = add_condition(builder, subrule->fields[j], is_when);
            }
        }
        add_conjunction(set, subrule, conditions, is_when);
        builder->steps += 1 + subrule->field_count;
    }
    free(conditions);
    return span;
}

bool ruleset_add_rule(struct ruleset_builder *builder, const struct json *pattern,
                      const struct json *when, const struct json **culprit_out,
                      struct error *error) {
    struct ruleset *set = builder->set;
    scoped(pattern_free) struct pattern *compiled = NULL;
    scoped(pattern_free) struct pattern *compiled_when = NULL;
    if (!pattern_compile_tree(pattern, &compiled, culprit_out, error)) {
        return error_wrap(error, "pattern");
    }
    if (when != NULL && !pattern_compile_tree(when, &compiled_when, culprit_out, error)) {
        return error_wrap(error, "when");
    }
    struct rule rule = {.pattern = add_pattern(builder, compiled, false),
                        .has_when = compiled_when != NULL};
    if (rule.has_when) {
        rule.when = add_pattern(builder, compiled_when, true);
    }
    set->rules = memory_grow_array(set->rules, &set->rule_capacity, set->rule_count + 1,
                                   sizeof(*set->rules));
    set->rules[set->rule_count++] = rule;
    return check_limits(builder, error);
}

/* ---- building ---- */

/* A guess at how often a text of so many bytes is found in a value. */
static double guess_text(size_t bytes) {
    double guess = 1;
    for (size_t i = 0; i < bytes && i < 16; i++) {
        guess /= 2;
    }
    return guess;
}

static double guess_cidr(unsigned bits) {
    return guess_text(bits / 2);
}

static size_t wildcard_bytes(const struct wildcard *wildcard) {
    size_t bytes = 0;
    for (size_t i = 0; i < wildcard->count; i++) {
        bytes += wildcard->parts[i].bytes;
    }
    return bytes;
}

/* A guess at how often the test holds. Values that are looked up: the more of them rules name at
 * the path, the rarer each. */
static double guess_test(const struct path_plan *plan, const struct test *test) {
    switch (test->kind) {
    case TEST_LITERAL:
        return 0.4;
    case TEST_RANGE:
        return 0.5;
    case TEST_PREFIX:
    case TEST_SUFFIX:
    case TEST_IGNORE_CASE:
    case TEST_PREFIX_IGNORE_CASE:
    case TEST_SUFFIX_IGNORE_CASE:
        return guess_text(test->text.bytes);
    case TEST_WILDCARD:
        return guess_text(wildcard_bytes(&test->wildcard));
    case TEST_CIDR:
        return guess_cidr(test->ip_range.bits);
    case TEST_EXISTS:
    case TEST_ANYTHING_BUT:
        return 0.95;
    case TEST_ABSENT:
        return 2; /* no leaf would ever bring it up */
    default:
        return 1 / ((double)plan->exact_count + 1);
    }
}

static void guess_condition(const struct ruleset *set, struct condition *condition) {
    const struct path_plan *plan = &set->plans[condition->path];
    double guess = 0;
    for (size_t i = 0; i < condition->field->test_count; i++) {
        guess += guess_test(plan, &condition->field->tests[i]);
    }
    bool has_access = !condition->may_be_absent;
    condition->selectivity = has_access && guess > 1 ? 1 : guess;
}

static int compare_selectivity(const void *a, const void *b, void *arg) {
    const struct ruleset *set = arg;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    double x = set->conditions[left].selectivity, y = set->conditions[right].selectivity;
    return x != y ? (x > y) - (x < y) : (left > right) - (left < right);
}

static int compare_field_paths(const void *a, const void *b) {
    const struct field *const *left = a, *const *right = b;
    return subrule_compare_paths((*left)->path_text, (*right)->path_text);
}

/* Orders a conjunction's conditions and links its access to it, or to the rule that it decides. */
static void finish_conjunction(struct ruleset *set, uint32_t number, struct links *accesses,
                               struct links *deciders) {
    struct conjunction *conjunction = &set->conjunctions[number];
    uint32_t *conditions = set->pool + conjunction->conditions.at;
    size_t count = conjunction->conditions.count;
    qsort_r(conditions, count, sizeof(*conditions), compare_selectivity, set);
    conjunction->fields = arena_alloc_array(set->arena, count, sizeof(*conjunction->fields));
    for (size_t i = 0; i < count; i++) {
        struct condition *condition = &set->conditions[conditions[i]];
        conjunction->fields[i] = condition->field;
        set->plans[condition->path].keeps_leaves |= count > 1;
    }
    qsort(conjunction->fields, count, sizeof(*conjunction->fields), compare_field_paths);
    if (conjunction->is_when) {
        return; /* looked at when the pattern matches */
    }
    if (set->conditions[conditions[0]].selectivity > 1) {
        set->always = memory_grow_array(set->always, &set->always_capacity, set->always_count + 1,
                                        sizeof(*set->always));
        set->always[set->always_count++] = number;
        return;
    }
    if (count == 1 && !set->rules[conjunction->rule].has_when) {
        links_add(deciders, conditions[0], conjunction->rule);
    } else {
        links_add(accesses, conditions[0], number);
    }
}

/* Sorts the links and hands out each run to span_fn(from). */
static void spread_links(struct ruleset *set, struct links *links,
                         struct set_span *(*span_fn)(struct ruleset *set, uint32_t from)) {
    if (links->count > 0) {
        qsort(links->items, links->count, sizeof(*links->items), compare_links);
    }
    for (size_t i = 0; i < links->count; i++) {
        bool is_double = i > 0 && compare_links(&links->items[i - 1], &links->items[i]) == 0;
        if (!is_double) {
            span_append(set, span_fn(set, links->items[i].from), links->items[i].to);
        }
    }
    free(links->items);
    *links = (struct links){0};
}

static struct set_span *conjunctions_of(struct ruleset *set, uint32_t condition) {
    return &set->conditions[condition].conjunctions;
}

static struct set_span *rules_of(struct ruleset *set, uint32_t condition) {
    return &set->conditions[condition].rules;
}

static struct set_span *triggers_of(struct ruleset *set, uint32_t atom) {
    return &set->atoms[atom].triggers;
}

static struct set_span *marks_of(struct ruleset *set, uint32_t atom) {
    return &set->atoms[atom].marks;
}

static struct set_span *exclusions_of(struct ruleset *set, uint32_t atom) {
    return &set->atoms[atom].exclusions;
}

static struct set_span *presences_of(struct ruleset *set, uint32_t path) {
    return &set->plans[path].presences;
}

static struct set_span *captures_of(struct ruleset *set, uint32_t path) {
    return &set->plans[path].captures;
}

static void link_captures(struct ruleset *set) {
    struct links captures = {0};
    for (uint32_t i = 0; i < set->capture_count; i++) {
        links_add(&captures, set->captures[i], i);
    }
    spread_links(set, &captures, captures_of);
}

/* What brings each access up: its atoms, or any leaf where it is more than atoms. */
static void link_conditions(struct ruleset *set) {
    struct links triggers = {0}, marks = {0}, presences = {0};
    for (uint32_t i = 0; i < set->condition_count; i++) {
        const struct condition *condition = &set->conditions[i];
        bool is_access = condition->conjunctions.count > 0 || condition->rules.count > 0;
        bool is_any_leaf = condition->has_exists || condition->exclusions.count > 0;
        if (is_access && is_any_leaf) {
            links_add(&presences, condition->path, i);
        }
        for (uint32_t a = 0; a < condition->atoms.count; a++) {
            uint32_t atom = set->pool[condition->atoms.at + a];
            if (is_access && !is_any_leaf) {
                links_add(&triggers, atom, i);
            }
            if (condition->atoms.count > CONDITION_FEW_ATOMS) {
                links_add(&marks, atom, i);
            }
        }
    }
    spread_links(set, &triggers, triggers_of);
    spread_links(set, &marks, marks_of);
    spread_links(set, &presences, presences_of);
}

static void finish_plans(struct ruleset *set) {
    for (size_t i = 0; i < set->plan_count; i++) {
        struct path_plan *plan = &set->plans[i];
        if (plan->automaton != NULL) {
            automaton_seal(plan->automaton);
        }
        if (plan->ranges != NULL) {
            range_index_seal(plan->ranges);
            set->memory_bytes += range_index_bytes(plan->ranges);
        }
    }
}

static int compare_computed(const void *a, const void *b, void *arg) {
    const struct json_paths *paths = arg;
    return text_compare(json_paths_text(paths, *(const uint32_t *)a),
                        json_paths_text(paths, *(const uint32_t *)b));
}

static void sort_computed(struct ruleset *set) {
    if (set->computed.count > 0) {
        qsort_r(set->computed.items, set->computed.count, sizeof(*set->computed.items),
                compare_computed, set->paths);
    }
}

static void finish(struct ruleset_builder *builder) {
    struct ruleset *set = builder->set;
    struct links accesses = {0}, deciders = {0};
    set->atoms = memory_new_array(atom_table_count(set->atom_table), sizeof(*set->atoms));
    for (size_t i = 0; i < set->condition_count; i++) {
        guess_condition(set, &set->conditions[i]);
    }
    for (uint32_t i = 0; i < set->conjunction_count; i++) {
        finish_conjunction(set, i, &accesses, &deciders);
    }
    spread_links(set, &accesses, conjunctions_of);
    spread_links(set, &deciders, rules_of);
    spread_links(set, &builder->exclusions, exclusions_of);
    link_conditions(set);
    link_captures(set);
    finish_plans(set);
    sort_computed(set);
    set->memory_bytes = used_bytes(set);
}

bool ruleset_build(struct ruleset_builder **builder, struct ruleset **set_out,
                   struct error *error) {
    finish(*builder);
    struct ruleset *set = (*builder)->set;
    if (!check_bytes(set->memory_bytes, set->limits.bytes, error)) {
        ruleset_builder_free(builder);
        return false;
    }
    (*builder)->set = NULL;
    ruleset_builder_free(builder);
    *set_out = set;
    return true;
}
