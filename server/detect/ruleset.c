#include "riposte/detect/ruleset.h"

#include "riposte/base/memory.h"
#include "riposte/detect/finder.h"
#include "riposte/detect/leaves.h"
#include "riposte/detect/pattern.h"
#include "riposte/detect/subrule.h"

#include <stdlib.h>
#include <string.h>

/* Begins the path of a computed member: no UTF-8 text holds it. */
#define COMPUTED_MARK "\xFF"

/* A pattern and where its paths are in the set's. */
struct placed_pattern {
    struct pattern *pattern;
    uint32_t *path_map;
};

struct rule {
    struct placed_pattern pattern, when; /* when.pattern may be NULL */
};

/* The paths of computed members, sorted by text. */
struct computed_paths {
    uint32_t *items;
    size_t count, capacity;
};

struct ruleset {
    struct json_paths *paths;
    struct rule *rules;
    size_t rule_count, rule_capacity;
    uint32_t *captures; /* their paths */
    size_t capture_count, capture_capacity;
    struct computed_paths computed;
    size_t memory_bytes;
};

/* A set in the making is a set that nobody else sees yet. */
struct ruleset_builder {
    struct ruleset *set;
};

struct match_scratch {
    struct json_scratch *scan;
    struct leaves leaves;
    struct finder finder;
    struct buffer path; /* of a computed member, with its mark */
    struct json_capture *captures;
    size_t *unescaped_at; /* where in `unescaped` a capture's text begins */
    size_t capture_capacity, unescaped_at_capacity;
    struct buffer unescaped;
    uint32_t *matches;
    size_t match_capacity, match_count;
};

struct leaf_sink {
    const struct ruleset *set;
    struct match_scratch *scratch;
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

static void placed_done(struct placed_pattern *placed) {
    pattern_free(&placed->pattern);
    free(placed->path_map);
    placed->path_map = NULL;
}

void ruleset_free(struct ruleset **set) {
    if (*set == NULL) {
        return;
    }
    for (size_t i = 0; i < (*set)->rule_count; i++) {
        placed_done(&(*set)->rules[i].pattern);
        placed_done(&(*set)->rules[i].when);
    }
    json_paths_free(&(*set)->paths);
    free((*set)->rules);
    free((*set)->captures);
    free((*set)->computed.items);
    free(*set);
    *set = NULL;
}

struct ruleset_builder *ruleset_builder_new(void) {
    struct ruleset_builder *builder = memory_new(sizeof(*builder));
    builder->set = memory_new(sizeof(*builder->set));
    builder->set->paths = json_paths_new();
    return builder;
}

void ruleset_builder_free(struct ruleset_builder **builder) {
    if (*builder == NULL) {
        return;
    }
    ruleset_free(&(*builder)->set);
    free(*builder);
    *builder = NULL;
}

void ruleset_add_capture(struct ruleset_builder *builder, struct text path, unsigned flags) {
    struct ruleset *set = builder->set;
    set->captures = memory_grow_array(set->captures, &set->capture_capacity, set->capture_count + 1,
                                      sizeof(*set->captures));
    set->captures[set->capture_count++] = json_paths_add(set->paths, path, flags);
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

static uint32_t place_path(struct ruleset *set, struct text path, bool has_computed) {
    scoped(buffer_done) struct buffer marked = BUFFER_INIT;
    if (!has_computed || !is_computed(path)) {
        return json_paths_add(set->paths, path, 0);
    }
    buffer_append_string(&marked, COMPUTED_MARK);
    buffer_append_text(&marked, path);
    uint32_t index = json_paths_add(set->paths, buffer_text(&marked), 0);
    add_computed(&set->computed, index);
    return index;
}

/* Gives the pattern's paths their place in the set. */
static struct placed_pattern place(struct ruleset *set, struct pattern *pattern,
                                   bool has_computed) {
    size_t count = json_paths_count(pattern->paths);
    uint32_t *path_map = memory_new_array(count, sizeof(*path_map));
    for (uint32_t i = 0; i < count; i++) {
        path_map[i] = place_path(set, json_paths_text(pattern->paths, i), has_computed);
    }
    set->memory_bytes += arena_used_bytes(pattern->arena) + count * sizeof(*path_map);
    return (struct placed_pattern){pattern, path_map};
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
    set->rules = memory_grow_array(set->rules, &set->rule_capacity, set->rule_count + 1,
                                   sizeof(*set->rules));
    struct rule *rule = &set->rules[set->rule_count++];
    *rule = (struct rule){.pattern = place(set, compiled, false)};
    compiled = NULL;
    if (compiled_when != NULL) {
        rule->when = place(set, compiled_when, true);
        compiled_when = NULL;
    }
    return true;
}

static int compare_computed(const void *a, const void *b, void *arg) {
    const struct json_paths *paths = arg;
    return text_compare(json_paths_text(paths, *(const uint32_t *)a),
                        json_paths_text(paths, *(const uint32_t *)b));
}

bool ruleset_build(struct ruleset_builder **builder, struct ruleset **set_out,
                   struct error *error) {
    struct ruleset *set = (*builder)->set;
    (void)error;
    if (set->computed.count > 0) {
        qsort_r(set->computed.items, set->computed.count, sizeof(*set->computed.items),
                compare_computed, set->paths);
    }
    set->memory_bytes += sizeof(*set) + set->rule_count * sizeof(*set->rules) +
                         set->capture_count * sizeof(*set->captures);
    (*builder)->set = NULL;
    ruleset_builder_free(builder);
    *set_out = set;
    return true;
}

size_t ruleset_rule_count(const struct ruleset *set) {
    return set->rule_count;
}

size_t ruleset_memory_bytes(const struct ruleset *set) {
    return set->memory_bytes;
}

struct match_scratch *match_scratch_new(void) {
    struct match_scratch *scratch = memory_new(sizeof(*scratch));
    scratch->scan = json_scratch_new();
    leaves_init(&scratch->leaves);
    finder_init(&scratch->finder);
    return scratch;
}

void match_scratch_free(struct match_scratch **scratch) {
    if (*scratch == NULL) {
        return;
    }
    json_scratch_free(&(*scratch)->scan);
    leaves_done(&(*scratch)->leaves);
    finder_done(&(*scratch)->finder);
    buffer_done(&(*scratch)->path);
    buffer_done(&(*scratch)->unescaped);
    free((*scratch)->captures);
    free((*scratch)->unescaped_at);
    free((*scratch)->matches);
    free(*scratch);
    *scratch = NULL;
}

static uint32_t find_computed(const struct ruleset *set, struct text marked) {
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

void leaf_sink_add(struct leaf_sink *sink, struct text path, enum json_type type,
                   struct text text) {
    struct buffer *marked = &sink->scratch->path;
    buffer_clear(marked);
    buffer_append_string(marked, COMPUTED_MARK);
    buffer_append_text(marked, path);
    uint32_t index = find_computed(sink->set, buffer_text(marked));
    if (index != LEAF_NONE) {
        leaves_add(&sink->scratch->leaves, index, type, text, NULL, 0);
    }
}

/* The first value at a captured path is the capture. */
static void capture(struct match_scratch *scratch, size_t index, const struct json_leaf *leaf) {
    struct json_capture *out = &scratch->captures[index];
    if (out->is_present) {
        return;
    }
    *out = (struct json_capture){true, leaf->type, leaf->raw, leaf->offset};
    scratch->unescaped_at[index] = SIZE_MAX;
    if (leaf->has_escapes) {
        scratch->unescaped_at[index] = scratch->unescaped.bytes;
        json_unescape(leaf->raw, &scratch->unescaped);
        out->text.bytes = scratch->unescaped.bytes - scratch->unescaped_at[index];
    }
}

static bool take_leaf(void *arg, const struct json_leaf *leaf, struct error *error) {
    struct leaf_sink *sink = arg;
    (void)error;
    for (size_t i = 0; i < sink->set->capture_count; i++) {
        if (sink->set->captures[i] == leaf->path) {
            capture(sink->scratch, i, leaf);
        }
    }
    leaves_add_raw(&sink->scratch->leaves, leaf);
    return true;
}

static void reset_scratch(struct match_scratch *scratch, const struct ruleset *set) {
    leaves_reset(&scratch->leaves, json_paths_count(set->paths));
    scratch->captures = memory_grow_array(scratch->captures, &scratch->capture_capacity,
                                          set->capture_count, sizeof(*scratch->captures));
    scratch->unescaped_at = memory_grow_array(scratch->unescaped_at,
                                              &scratch->unescaped_at_capacity, set->capture_count,
                                              sizeof(*scratch->unescaped_at));
    if (set->capture_count > 0) {
        memset(scratch->captures, 0, set->capture_count * sizeof(*scratch->captures));
    }
    buffer_clear(&scratch->unescaped);
    scratch->match_count = 0;
}

/* The unescaped texts no longer move. */
static void settle_captures(struct match_scratch *scratch, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct json_capture *each = &scratch->captures[i];
        if (each->is_present && scratch->unescaped_at[i] != SIZE_MAX && each->text.bytes > 0) {
            each->text.data = scratch->unescaped.data + scratch->unescaped_at[i];
        }
    }
}

static bool rule_matches(const struct rule *rule, struct match_scratch *scratch, bool *is_match_out,
                         struct error *error) {
    const struct placed_pattern *when = &rule->when;
    if (!finder_match(&scratch->finder, rule->pattern.pattern, rule->pattern.path_map,
                      &scratch->leaves, is_match_out, error)) {
        return false;
    }
    return !*is_match_out || when->pattern == NULL ||
           finder_match(&scratch->finder, when->pattern, when->path_map, &scratch->leaves,
                        is_match_out, error);
}

static bool match_rules(const struct ruleset *set, struct match_scratch *scratch,
                        struct error *error) {
    for (uint32_t i = 0; i < set->rule_count; i++) {
        bool is_match = false;
        if (!rule_matches(&set->rules[i], scratch, &is_match, error)) {
            return false;
        }
        if (is_match) {
            scratch->matches = memory_grow_array(scratch->matches, &scratch->match_capacity,
                                                 scratch->match_count + 1,
                                                 sizeof(*scratch->matches));
            scratch->matches[scratch->match_count++] = i;
        }
    }
    return true;
}

bool ruleset_match(const struct ruleset *set, struct match_scratch *scratch, struct text event,
                   leaves_fn *computed_fn, void *arg, struct ruleset_matches *matches_out,
                   struct error *error) {
    struct leaf_sink sink = {set, scratch};
    reset_scratch(scratch, set);
    if (!json_scan(set->paths, scratch->scan, event, take_leaf, &sink, error)) {
        return false;
    }
    settle_captures(scratch, set->capture_count);
    if (computed_fn != NULL && !computed_fn(arg, scratch->captures, &sink, error)) {
        return false;
    }
    leaves_settle(&scratch->leaves);
    if (!match_rules(set, scratch, error)) {
        return false;
    }
    *matches_out = (struct ruleset_matches){scratch->matches, scratch->match_count};
    return true;
}
