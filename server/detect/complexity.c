#include "riposte/detect/complexity.h"

#include "riposte/base/memory.h"
#include "riposte/detect/wildcard.h"

#include <stdlib.h>
#include <string.h>

/* The end of a beginning of some wildcard: "a", "a*" and "a*b" are those of "a*b". Numbered
 * wildcard by wildcard, so that the next one of the same wildcard is the next number. */
struct place {
    unsigned char byte; /* that leads here */
    bool is_star;       /* any byte stays here, and the beginning before it is one already */
    bool is_first;      /* of its wildcard */
};

/* Sets of places, each behind its length, one after the other; those from `next` on are still to be
 * followed. */
struct search {
    struct arena *arena;
    struct place *places;
    size_t place_count, place_capacity;
    struct text *sources;
    size_t source_count, source_capacity;
    bool is_used[256]; /* bytes that lead anywhere; all others do the same */
    uint32_t *pool;
    size_t pool_count, pool_capacity, next;
    size_t *slots; /* by hash: where in the pool, + 1 */
    size_t slot_count, set_count;
    uint64_t *marks; /* by place: the set it was last put into */
    uint64_t mark;
    size_t steps;
    uint32_t most;
};

/* ---- places ---- */

static void add_place(struct search *search, struct place place) {
    search->places = memory_grow_array(search->places, &search->place_capacity,
                                       search->place_count + 1, sizeof(*search->places));
    search->places[search->place_count++] = place;
    search->is_used[place.byte] |= !place.is_star;
}

static void add_wildcard(struct search *search, struct text source) {
    struct wildcard wildcard;
    const char *reason = NULL;
    size_t at = 0, first = search->place_count;
    if (!wildcard_parse(search->arena, source, &wildcard, &reason, &at)) {
        return; /* the pattern compiled: not one */
    }
    for (size_t part = 0; part < wildcard.count; part++) {
        if (part > 0) {
            add_place(search, (struct place){.is_star = true});
        }
        for (size_t i = 0; i < wildcard.parts[part].bytes; i++) {
            add_place(search, (struct place){.byte = (unsigned char)wildcard.parts[part].data[i]});
        }
    }
    if (search->place_count > first) {
        search->places[first].is_first = true;
    }
}

/* ---- sets ---- */

/* The set in the making begins behind the pool's end and the room for its length. */
static void put(struct search *search, size_t *count, size_t place) {
    if (search->marks[place] == search->mark) {
        return;
    }
    search->marks[place] = search->mark;
    search->pool = memory_grow_array(search->pool, &search->pool_capacity,
                                     search->pool_count + *count + 2, sizeof(*search->pool));
    search->pool[search->pool_count + ++*count] = (uint32_t)place;
}

/* `place` is reached, and with it a star behind it. */
static void reach(struct search *search, size_t *count, size_t place) {
    put(search, count, place);
    bool has_star = place + 1 < search->place_count && search->places[place + 1].is_star &&
                    !search->places[place + 1].is_first;
    if (has_star) {
        put(search, count, place + 1);
    }
}

static int compare_places(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static struct text set_text(const struct search *search, size_t at) {
    size_t count = search->pool[at] + (size_t)1;
    return (struct text){(const char *)(search->pool + at), count * sizeof(*search->pool)};
}

static void grow_slots(struct search *search) {
    search->slot_count *= 2;
    free(search->slots);
    search->slots = memory_new_array(search->slot_count, sizeof(*search->slots));
    for (size_t at = 0; at < search->pool_count; at += search->pool[at] + (size_t)1) {
        size_t slot = text_hash(set_text(search, at)) % search->slot_count;
        while (search->slots[slot] != 0) {
            slot = (slot + 1) % search->slot_count;
        }
        search->slots[slot] = at + 1;
    }
}

/* Keeps the set in the making, unless it is known. */
static void keep(struct search *search, size_t count) {
    size_t at = search->pool_count;
    search->most = count > search->most ? (uint32_t)count : search->most;
    search->pool[at] = (uint32_t)count;
    qsort(search->pool + at + 1, count, sizeof(*search->pool), compare_places);
    size_t slot = text_hash(set_text(search, at)) % search->slot_count;
    for (; search->slots[slot] != 0; slot = (slot + 1) % search->slot_count) {
        if (text_equal(set_text(search, search->slots[slot] - 1), set_text(search, at))) {
            return;
        }
    }
    search->slots[slot] = at + 1;
    search->pool_count += count + 1;
    if (++search->set_count * 2 > search->slot_count) {
        grow_slots(search);
    }
}

/* ---- the search ---- */

/* Where `byte` leads from the beginning of all wildcards. */
static void start(struct search *search, size_t *count, unsigned char byte) {
    for (size_t place = 0; place < search->place_count; place++) {
        const struct place *first = &search->places[place];
        if (!first->is_first) {
            continue;
        }
        if (!first->is_star) {
            if (first->byte == byte) {
                reach(search, count, place);
            }
            continue;
        }
        put(search, count, place);
        bool is_next = place + 1 < search->place_count && !search->places[place + 1].is_first &&
                       search->places[place + 1].byte == byte;
        if (is_next) {
            reach(search, count, place + 1);
        }
    }
}

static void follow(struct search *search, size_t from, size_t *count, unsigned char byte) {
    search->steps += search->pool[from] + (size_t)1;
    for (size_t i = 1; i <= search->pool[from]; i++) {
        size_t place = search->pool[from + i], next = place + 1;
        if (search->places[place].is_star) {
            put(search, count, place);
        }
        bool is_next = next < search->place_count && !search->places[next].is_first &&
                       !search->places[next].is_star && search->places[next].byte == byte;
        if (is_next) {
            reach(search, count, next);
        }
    }
}

/* `from`: a set, or SIZE_MAX for the beginning. */
static void follow_bytes(struct search *search, size_t from) {
    bool is_other_done = false; /* one byte that leads nowhere stands for all */
    for (unsigned byte = 0; byte < 256; byte++) {
        if (!search->is_used[byte] && is_other_done) {
            continue;
        }
        is_other_done |= !search->is_used[byte];
        size_t count = 0;
        search->mark++;
        search->pool = memory_grow_array(search->pool, &search->pool_capacity,
                                         search->pool_count + 1, sizeof(*search->pool));
        if (from == SIZE_MAX) {
            start(search, &count, (unsigned char)byte);
        } else {
            follow(search, from, &count, (unsigned char)byte);
        }
        keep(search, count);
    }
}

/* True: all was looked at. */
static bool explore(struct search *search) {
    search->slot_count = 64;
    search->slots = memory_new_array(search->slot_count, sizeof(*search->slots));
    search->marks = memory_new_array(search->place_count, sizeof(*search->marks));
    follow_bytes(search, SIZE_MAX);
    while (search->next < search->pool_count && search->steps < COMPLEXITY_STEPS) {
        size_t from = search->next;
        search->next += search->pool[from] + (size_t)1;
        follow_bytes(search, from);
    }
    bool is_all = search->next == search->pool_count;
    return is_all;
}

static void search_done(struct search *search) {
    arena_free(&search->arena);
    free(search->sources);
    free(search->slots);
    free(search->marks);
    free(search->pool);
    free(search->places);
}

/* ---- patterns ---- */

static void add_source(struct search *search, const struct json *node) {
    if (!json_is_string(node)) {
        return;
    }
    search->sources = memory_grow_array(search->sources, &search->source_capacity,
                                        search->source_count + 1, sizeof(*search->sources));
    search->sources[search->source_count++] = json_text(node);
}

static int compare_sources(const void *a, const void *b) {
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

/* Each wildcard once. */
static void add_distinct(struct search *search) {
    if (search->source_count > 0) {
        qsort(search->sources, search->source_count, sizeof(*search->sources), compare_sources);
    }
    for (size_t i = 0; i < search->source_count; i++) {
        if (i == 0 || !text_equal(search->sources[i - 1], search->sources[i])) {
            add_wildcard(search, search->sources[i]);
        }
    }
}

/* An element of a field's array; a branch of $or has neither member as a string or an object. */
static void add_element(struct search *search, const struct json *element) {
    if (!json_is_object(element)) {
        return;
    }
    const struct json *wildcard = json_member(element, "wildcard");
    const struct json *but = json_member(element, "anything-but");
    const struct json *not = json_is_object(but) ? json_member(but, "wildcard") : NULL;
    add_source(search, wildcard);
    add_source(search, not );
    const struct json *child = json_is_array(not ) ? json_first(not ) : NULL;
    for (; child != NULL; child = json_next(child)) {
        add_source(search, child);
    }
}

static void measure_field(const struct json *field, struct complexity *worst) {
    scoped(search_done) struct search search = {.arena = arena_new()};
    for (const struct json *child = json_first(field); child != NULL; child = json_next(child)) {
        add_element(&search, child);
    }
    add_distinct(&search);
    bool is_exact = search.place_count == 0 || explore(&search);
    if (search.most > worst->most || !is_exact) {
        *worst = (struct complexity){search.most, is_exact, field};
    }
}

void complexity_measure(const struct json *pattern, struct complexity *complexity_out) {
    struct complexity worst = {.is_exact = true};
    const struct json *node = pattern;
    /* In the order of the text, without recursion: patterns may be deep. */
    while (node != NULL) {
        if (json_is_array(node)) {
            measure_field(node, &worst);
        }
        const struct json *next = json_count(node) > 0 ? json_first(node) : NULL;
        while (next == NULL && node != pattern) {
            next = json_next(node);
            node = next == NULL ? json_parent(node) : node;
        }
        node = next;
    }
    *complexity_out = worst;
}
