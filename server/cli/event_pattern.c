#include "riposte/cli/event_pattern.h"

#include "event_need.h"

#include "riposte/base/memory.h"
#include "riposte/detect/pattern.h"
#include "riposte/json/writer.h"

#include <stdlib.h>
#include <string.h>

/* A pattern of EventBridge while it is filled: alternatives, and whom they serve. */
struct bin {
    bool takes_reads;
    const struct json *pattern;
    const struct rule **rules;
    size_t rule_count, rule_capacity;
};

struct packing {
    struct arena *arena;
    struct bin *bins;
    size_t count, capacity;
};

/* ---- limits ---- */

static size_t combinations(const struct json *object) {
    size_t product = 1;
    for (const struct json *member = json_first(object); member != NULL;
         member = json_next(member)) {
        size_t factor = json_is_object(member) ? combinations(member) : 1;
        if (json_is_array(member) && text_equal(json_key(member), TEXT("$or"))) {
            factor = 0;
            for (const struct json *branch = json_first(member); branch != NULL;
                 branch = json_next(branch)) {
                factor += json_is_object(branch) ? combinations(branch) : 1;
            }
        }
        product = factor > EVENT_PATTERN_COMBINATIONS ? factor : product * factor;
        if (product > EVENT_PATTERN_COMBINATIONS) {
            return product;
        }
    }
    return product;
}

static size_t characters(const struct json *pattern) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    json_write(&text, pattern);
    return text.bytes; /* of UTF-8: never fewer than characters */
}

static bool fits(const struct json *pattern) {
    struct pattern *compiled = NULL;
    struct error error = {0};
    bool is_good = characters(pattern) <= EVENT_PATTERN_CHARACTERS &&
                   combinations(pattern) <= EVENT_PATTERN_COMBINATIONS &&
                   pattern_compile_tree(pattern, &compiled, NULL, &error);
    pattern_free(&compiled);
    return is_good;
}

/* ---- patterns ---- */

static void add_values(struct arena *arena, struct json *object, const char *name,
                       const struct value_set *set) {
    if (set->is_any || set->count == 0) {
        return;
    }
    struct json *array = json_new_array(arena);
    for (size_t i = 0; i < set->count; i++) {
        json_add_element(array, json_copy(arena, set->items[i]));
    }
    json_add_member(arena, object, text_of(name), array);
}

static void add_absent(struct arena *arena, struct json *object, const char *name) {
    struct json *exists = json_new_object(arena);
    struct json *array = json_new_array(arena);
    json_add_member(arena, exists, TEXT("exists"), json_new_literal(arena, JSON_FALSE));
    json_add_element(array, exists);
    json_add_member(arena, object, text_of(name), array);
}

/* The three places of a need, as a pattern. */
static const struct json *pattern_of(const struct event_need *need, struct arena *arena) {
    struct json *pattern = json_new_object(arena);
    struct json *detail = json_new_object(arena);
    add_values(arena, pattern, "source", &need->sources);
    add_values(arena, pattern, "detail-type", &need->types);
    add_values(arena, detail, "eventName", &need->names);
    if (need->is_success_only) {
        add_absent(arena, detail, "errorCode");
    }
    if (json_count(detail) > 0) {
        json_add_member(arena, pattern, TEXT("detail"), detail);
    }
    return pattern;
}

/* Every event has a source. */
static const struct json *everything(struct arena *arena) {
    const struct json *pattern = NULL;
    struct error error = {0};
    return json_parse(TEXT("{\"source\": [{\"exists\": true}]}"), 0, arena, &pattern, NULL, &error)
               ? pattern
               : NULL;
}

/* The rule's own pattern, or as much of it as fits. */
static const struct json *whole_of(const struct event_need *need, struct arena *arena) {
    if (fits(need->rule->pattern)) {
        return need->rule->pattern;
    }
    struct event_need less = *need;
    const struct json *pattern = pattern_of(&less, arena);
    if (json_count(pattern) > 0 && fits(pattern)) {
        return pattern;
    }
    less.names = less.types = (struct value_set){.is_any = true};
    pattern = pattern_of(&less, arena);
    return json_count(pattern) > 0 && fits(pattern) ? pattern : everything(arena);
}

/* ---- bins ---- */

static void serve(struct bin *bin, const struct rule *rule) {
    for (size_t i = 0; i < bin->rule_count; i++) {
        if (bin->rules[i] == rule) {
            return;
        }
    }
    bin->rules = memory_grow_array(bin->rules, &bin->rule_capacity, bin->rule_count + 1,
                                   sizeof(*bin->rules));
    bin->rules[bin->rule_count++] = rule;
}

static struct bin *new_bin(struct packing *packing, bool takes_reads, const struct json *pattern) {
    packing->bins = memory_grow_array(packing->bins, &packing->capacity, packing->count + 1,
                                      sizeof(*packing->bins));
    struct bin *bin = &packing->bins[packing->count++];
    *bin = (struct bin){.takes_reads = takes_reads, .pattern = pattern};
    return bin;
}

/* The alternatives of a pattern that this file made, else the pattern itself. */
static void add_branches(struct arena *arena, struct json *branches, const struct json *pattern) {
    const struct json *inner = json_count(pattern) == 1 ? json_member(pattern, "$or") : NULL;
    for (const struct json *branch = json_first(inner); branch != NULL;
         branch = json_next(branch)) {
        json_add_element(branches, json_share(arena, branch));
    }
    if (inner == NULL) {
        json_add_element(branches, json_share(arena, pattern));
    }
}

static const struct json *either(struct arena *arena, const struct json *a, const struct json *b) {
    if (json_equal(a, b)) {
        return a;
    }
    struct json *branches = json_new_array(arena);
    struct json *pattern = json_new_object(arena);
    add_branches(arena, branches, a);
    add_branches(arena, branches, b);
    json_add_member(arena, pattern, TEXT("$or"), branches);
    return pattern;
}

/* Into the first bin of that state in which there is room, else into a new one. */
static void pack_whole(struct packing *packing, const struct event_need *need) {
    const struct json *pattern = whole_of(need, packing->arena);
    for (size_t i = 0; i < packing->count; i++) {
        struct bin *bin = &packing->bins[i];
        const struct json *both = bin->takes_reads == need->takes_reads
                                      ? either(packing->arena, bin->pattern, pattern)
                                      : NULL;
        if (both != NULL && fits(both)) {
            bin->pattern = both;
            serve(bin, need->rule);
            return;
        }
    }
    serve(new_bin(packing, need->takes_reads, pattern), need->rule);
}

static int compare_needs(const void *a, const void *b) {
    const struct event_need *left = a, *right = b;
    struct text left_source = json_text(left->sources.count > 0 ? left->sources.items[0] : NULL);
    struct text right_source = json_text(right->sources.count > 0 ? right->sources.items[0] : NULL);
    int order = text_compare(left_source, right_source);
    return order != 0 ? order : text_compare(left->rule->name, right->rule->name);
}

/* What `bin` would need with `more` in it. */
static struct event_need merge(const struct event_need *bin, const struct event_need *more,
                               struct arena *arena) {
    struct event_need both = {.rule = more->rule,
                              .is_success_only = bin->is_success_only && more->is_success_only};
    value_set_join(&both.sources, &bin->sources, arena);
    value_set_join(&both.sources, &more->sources, arena);
    value_set_join(&both.types, &bin->types, arena);
    value_set_join(&both.types, &more->types, arena);
    value_set_join(&both.names, &bin->names, arena);
    value_set_join(&both.names, &more->names, arena);
    return both;
}

/* Name by name, so that a rule may be served by two patterns when one has no room for all. */
static void pack_narrow(struct packing *packing, const struct event_need *needs, size_t count) {
    struct event_need open = {0};
    struct bin *bin = NULL;
    for (size_t i = 0; i < count; i++) {
        for (size_t n = 0; n < needs[i].names.count; n++) {
            struct event_need one = needs[i];
            one.names = (struct value_set){0};
            value_set_add(&one.names, needs[i].names.items[n], packing->arena);
            struct event_need both = bin == NULL ? one : merge(&open, &one, packing->arena);
            if (bin == NULL || !fits(pattern_of(&both, packing->arena))) {
                both = one;
                bin = new_bin(packing, false, NULL);
            }
            open = both;
            bin->pattern = pattern_of(&open, packing->arena);
            if (!fits(bin->pattern)) {
                bin->pattern = whole_of(&one, packing->arena);
            }
            serve(bin, needs[i].rule);
        }
    }
}

static void pack(struct packing *packing, const struct snapshot *snapshot) {
    size_t count = snapshot->rule_count, narrow_count = 0;
    struct event_need *narrow = arena_alloc_array(packing->arena, count, sizeof(*narrow));
    struct event_need *whole = arena_alloc_array(packing->arena, count, sizeof(*whole));
    for (size_t i = 0; i < count; i++) {
        struct event_need need = event_need_of(snapshot->definitions[i]->rule, packing->arena);
        if (need.keeps_pattern) {
            whole[i - narrow_count] = need;
        } else {
            narrow[narrow_count++] = need;
        }
    }
    if (count > 0) {
        qsort(narrow, narrow_count, sizeof(*narrow), compare_needs);
        qsort(whole, count - narrow_count, sizeof(*whole), compare_needs);
    }
    pack_narrow(packing, narrow, narrow_count);
    for (size_t i = 0; i < count - narrow_count; i++) {
        pack_whole(packing, &whole[i]);
    }
}

/* ---- what comes out ---- */

static int compare_texts(const void *a, const void *b) {
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

static struct event_pattern finish(const struct bin *bin, size_t number, struct arena *arena) {
    struct text *names = arena_alloc_array(arena, bin->rule_count, sizeof(*names));
    for (size_t i = 0; i < bin->rule_count; i++) {
        names[i] = bin->rules[i]->name;
    }
    if (bin->rule_count > 0) {
        qsort(names, bin->rule_count, sizeof(*names), compare_texts);
    }
    return (struct event_pattern){
        .name = arena_format(arena, "riposte-%s%zu", bin->takes_reads ? "reads-" : "", number),
        .takes_reads = bin->takes_reads,
        .pattern = bin->pattern,
        .rules = names,
        .rule_count = bin->rule_count};
}

/* Theirs are no rules of the files, but must come all the same. */
static void pack_canaries(struct packing *packing, const struct snapshot *snapshot) {
    const struct settings *settings = snapshot->settings;
    for (size_t i = 0; i < settings->canary.count; i++) {
        struct rule *rule = arena_alloc(packing->arena, sizeof(*rule));
        *rule = (struct rule){
            .name = TEXT("riposte-canary"),
            .pattern = canary_pattern(&settings->canary.items[i], packing->arena)};
        const struct event_need need = {.rule = rule};
        pack_whole(packing, &need);
    }
}

struct event_patterns event_patterns_make(const struct snapshot *snapshot, struct arena *arena) {
    struct packing packing = {.arena = arena};
    pack(&packing, snapshot);
    pack_canaries(&packing, snapshot);
    struct event_pattern *items = arena_alloc_array(arena, packing.count, sizeof(*items));
    size_t numbers[2] = {0};
    for (size_t i = 0; i < packing.count; i++) {
        struct bin *bin = &packing.bins[i];
        items[i] = finish(bin, ++numbers[bin->takes_reads], arena);
        free(bin->rules);
    }
    free(packing.bins);
    return (struct event_patterns){items, packing.count};
}

const char *event_pattern_state(const struct event_pattern *pattern) {
    return pattern->takes_reads ? "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" : "ENABLED";
}

const struct json *event_patterns_to_json(const struct event_patterns *patterns,
                                          struct arena *arena) {
    struct json *all = json_new_array(arena);
    for (size_t i = 0; i < patterns->count; i++) {
        const struct event_pattern *pattern = &patterns->items[i];
        struct json *object = json_new_object(arena);
        struct json *rules = json_new_array(arena);
        for (size_t r = 0; r < pattern->rule_count; r++) {
            json_add_element(rules, json_new_string(arena, pattern->rules[r]));
        }
        json_add_text(arena, object, "name", pattern->name);
        json_add_text(arena, object, "state", text_of(event_pattern_state(pattern)));
        json_add_member(arena, object, TEXT("characters"),
                        json_new_integer(arena, (int64_t)characters(pattern->pattern)));
        json_add_member(arena, object, TEXT("rules"), rules);
        json_add_member(arena, object, TEXT("pattern"), json_share(arena, pattern->pattern));
        json_add_element(all, object);
    }
    return all;
}
