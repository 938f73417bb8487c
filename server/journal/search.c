#include "riposte/journal/search.h"

#include "request.h"

#include "riposte/base/memory.h"

struct search {
    const struct journal_filter *filter;
    struct ulid before; /* moves on */
    size_t limit;
    struct arena *arena;
    struct journal_incident *incidents; /* of one slice */
    size_t count;
    store_census_fn *census_fn;
    void *census_arg;
};

static bool run_find(struct ledger *ledger, void *arg, struct error *error) {
    struct search *search = arg;
    return ledger->store->incident_search(ledger->store, &search->before, search->filter,
                                          SEARCH_SLICE, search->limit, search->arena,
                                          &search->incidents, &search->count, error);
}

bool journal_find_incidents(struct journal *journal, const struct ulid *before,
                            const struct journal_filter *filter, size_t limit, struct arena *arena,
                            struct journal_incident **incidents_out, size_t *count_out,
                            struct ulid *next_out, struct error *error) {
    struct search search = {.filter = filter, .arena = arena, .limit = limit};
    struct journal_incident *found = arena_alloc_array(arena, limit, sizeof(*found));
    size_t count = 0;
    bool is_more = true;
    search.before = before != NULL ? *before : (struct ulid){0};
    for (size_t slice = 0; slice < SEARCH_SLICES && is_more && count < limit; slice++) {
        search.limit = limit - count;
        if (!journal_ask(journal, REQUEST_READ, run_find, &search, 0, error)) {
            return error_wrap(error, "listing incidents");
        }
        for (size_t i = 0; i < search.count; i++) {
            found[count++] = search.incidents[i];
        }
        is_more = !ulid_is_none(&search.before);
    }
    *incidents_out = found;
    *count_out = count;
    if (next_out != NULL) {
        *next_out = search.before;
    }
    return true;
}

/* ---- how many ---- */

struct census {
    struct journal_census counted;
    size_t capacity;
};

static struct journal_rule_count *rule_of(struct census *census, struct text rule,
                                          struct arena *arena) {
    struct journal_census *counted = &census->counted;
    for (size_t i = 0; i < counted->rule_count; i++) {
        if (text_equal(counted->rules[i].rule, rule)) {
            return &counted->rules[i];
        }
    }
    counted->rules = memory_grow_array(counted->rules, &census->capacity, counted->rule_count + 1,
                                       sizeof(*counted->rules));
    struct journal_rule_count *added = &counted->rules[counted->rule_count++];
    *added = (struct journal_rule_count){.rule = arena_copy_text(arena, rule)};
    return added;
}

struct counting {
    struct census *census;
    struct arena *arena;
};

static void count_some(void *arg, struct text rule, enum incident_state state, uint64_t count,
                       const struct ulid *latest) {
    const struct counting *counting = arg;
    struct journal_rule_count *of_rule = rule_of(counting->census, rule, counting->arena);
    int64_t latest_unix_ms = ulid_unix_ms(latest);
    counting->census->counted.incidents += count;
    counting->census->counted.by_state[state] += count;
    of_rule->incidents += count;
    of_rule->latest_unix_ms = latest_unix_ms > of_rule->latest_unix_ms ? latest_unix_ms
                                                                       : of_rule->latest_unix_ms;
}

static bool run_census(struct ledger *ledger, void *arg, struct error *error) {
    struct search *search = arg;
    return ledger->store->incident_census(ledger->store, &search->before, SEARCH_SLICE,
                                          search->census_fn, search->census_arg, error);
}

bool journal_take_census(struct journal *journal, struct arena *arena,
                         struct journal_census *census_out, struct error *error) {
    struct census census = {0};
    struct counting counting = {&census, arena};
    struct search search = {.census_fn = count_some, .census_arg = &counting};
    bool is_ok = false;
    do {
        is_ok = journal_ask(journal, REQUEST_READ, run_census, &search, 0, error);
    } while (is_ok && !ulid_is_none(&search.before));
    struct journal_rule_count *rules = census.counted.rules;
    if (is_ok) {
        *census_out = census.counted;
        census_out->rules = arena_alloc_array(arena, census.counted.rule_count, sizeof(*rules));
        for (size_t i = 0; i < census.counted.rule_count; i++) {
            census_out->rules[i] = rules[i];
        }
    }
    memory_free_at(&rules);
    return is_ok || error_wrap(error, "counting incidents");
}
