#include "riposte/detect/automaton.h"

#include "riposte/base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* When an atom of a place is found. */
enum nfa_accept {
    ACCEPT_NEVER,
    ACCEPT_EARLY, /* as soon as it is reached, whatever follows */
    ACCEPT_END,   /* when the value ends there */
};

/* A place in a text. Places are numbered text by text, in the order of the text. */
struct place {
    uint32_t edge_at, edge_count;
    uint32_t atom;
    enum nfa_accept accept;
    bool loops; /* a star: any byte leads back here */
};

struct edge {
    uint32_t from, to;
    uint16_t byte; /* its class, once sealed */
};

struct nfa {
    struct place *places;
    size_t place_count, place_capacity;
    struct edge *edges;
    size_t edge_count, edge_capacity;
    uint32_t *starts;
    size_t start_count, start_capacity;
    /* Bytes that no edge tells apart have one class; 0: those on no edge. */
    uint16_t classes[256];
    size_t class_count;
};

struct automaton {
    struct nfa forward, backward;
};

/* ---- building ---- */

struct automaton *automaton_new(void) {
    return memory_new(sizeof(struct automaton));
}

static void nfa_done(struct nfa *nfa) {
    free(nfa->places);
    free(nfa->edges);
    free(nfa->starts);
}

void automaton_free(struct automaton **automaton) {
    if (*automaton == NULL) {
        return;
    }
    nfa_done(&(*automaton)->forward);
    nfa_done(&(*automaton)->backward);
    free(*automaton);
    *automaton = NULL;
}

static uint32_t add_place(struct nfa *nfa, uint32_t atom) {
    nfa->places = memory_grow_array(nfa->places, &nfa->place_capacity, nfa->place_count + 1,
                                    sizeof(*nfa->places));
    nfa->places[nfa->place_count] = (struct place){.atom = atom};
    return (uint32_t)nfa->place_count++;
}

static void add_edge(struct nfa *nfa, uint32_t from, char byte, uint32_t to) {
    nfa->edges = memory_grow_array(nfa->edges, &nfa->edge_capacity, nfa->edge_count + 1,
                                   sizeof(*nfa->edges));
    nfa->edges[nfa->edge_count++] = (struct edge){from, to, (unsigned char)byte};
}

static uint32_t add_start(struct nfa *nfa, uint32_t atom) {
    nfa->starts = memory_grow_array(nfa->starts, &nfa->start_capacity, nfa->start_count + 1,
                                    sizeof(*nfa->starts));
    uint32_t place = add_place(nfa, atom);
    nfa->starts[nfa->start_count++] = place;
    return place;
}

/* The byte read `index`-th. */
static char byte_at(struct text text, size_t index, bool is_backward) {
    return text.data[is_backward ? text.bytes - 1 - index : index];
}

/* From `place` along the bytes of `text`; returns where they end. */
static uint32_t add_bytes(struct nfa *nfa, uint32_t place, struct text text, bool is_backward,
                          uint32_t atom) {
    for (size_t i = 0; i < text.bytes; i++) {
        uint32_t next = add_place(nfa, atom);
        add_edge(nfa, place, byte_at(text, i, is_backward), next);
        place = next;
    }
    return place;
}

/* Either form of one character leads to `to`. */
static void add_form(struct nfa *nfa, uint32_t from, struct text form, bool is_backward,
                     uint32_t atom, uint32_t to) {
    struct text head = is_backward ? text_slice(form, 1, form.bytes)
                                   : text_slice(form, 0, form.bytes - 1);
    uint32_t place = add_bytes(nfa, from, head, is_backward, atom);
    add_edge(nfa, place, byte_at(form, form.bytes - 1, is_backward), to);
}

static uint32_t add_steps(struct nfa *nfa, uint32_t place, const struct test *test,
                          bool is_backward, uint32_t atom) {
    for (size_t i = 0; i < test->step_count; i++) {
        const struct case_step *step = &test->steps[is_backward ? test->step_count - 1 - i : i];
        if (text_equal(step->lower, step->upper)) {
            place = add_bytes(nfa, place, step->lower, is_backward, atom);
            continue;
        }
        uint32_t next = add_place(nfa, atom);
        add_form(nfa, place, step->lower, is_backward, atom, next);
        add_form(nfa, place, step->upper, is_backward, atom, next);
        place = next;
    }
    return place;
}

static void add_wildcard(struct nfa *nfa, const struct wildcard *wildcard, uint32_t atom) {
    uint32_t place = add_bytes(nfa, add_start(nfa, atom), wildcard->parts[0], false, atom);
    for (size_t i = 1; i < wildcard->count; i++) {
        bool is_last = i + 1 == wildcard->count;
        if (is_last && wildcard->parts[i].bytes == 0) {
            nfa->places[place].accept = ACCEPT_EARLY; /* a star at the end takes the rest */
            return;
        }
        nfa->places[place].loops = true;
        place = add_bytes(nfa, place, wildcard->parts[i], false, atom);
    }
    nfa->places[place].accept = ACCEPT_END;
}

void automaton_add(struct automaton *automaton, const struct test *test, uint32_t atom) {
    bool is_backward = test->kind == TEST_SUFFIX || test->kind == TEST_SUFFIX_IGNORE_CASE;
    struct nfa *nfa = is_backward ? &automaton->backward : &automaton->forward;
    uint32_t end = 0;
    switch (test->kind) {
    case TEST_WILDCARD:
        add_wildcard(nfa, &test->wildcard, atom);
        return;
    case TEST_PREFIX:
    case TEST_SUFFIX:
        end = add_bytes(nfa, add_start(nfa, atom), test->text, is_backward, atom);
        break;
    case TEST_IGNORE_CASE:
    case TEST_PREFIX_IGNORE_CASE:
    case TEST_SUFFIX_IGNORE_CASE:
        end = add_steps(nfa, add_start(nfa, atom), test, is_backward, atom);
        break;
    default:
        assert(false); /* a test that is no matter of bytes */
    }
    nfa->places[end].accept = test->kind == TEST_IGNORE_CASE ? ACCEPT_END : ACCEPT_EARLY;
}

static int compare_edges(const void *a, const void *b) {
    const struct edge *left = a, *right = b;
    return (left->from > right->from) - (left->from < right->from);
}

static void nfa_seal(struct nfa *nfa) {
    nfa->class_count = 1;
    if (nfa->edge_count > 0) {
        qsort(nfa->edges, nfa->edge_count, sizeof(*nfa->edges), compare_edges);
    }
    for (size_t i = 0; i < nfa->edge_count; i++) {
        struct edge *edge = &nfa->edges[i];
        struct place *from = &nfa->places[edge->from];
        if (nfa->classes[edge->byte] == 0) {
            nfa->classes[edge->byte] = (uint16_t)nfa->class_count++;
        }
        edge->byte = nfa->classes[edge->byte];
        from->edge_at = from->edge_count == 0 ? (uint32_t)i : from->edge_at;
        from->edge_count++;
    }
}

void automaton_seal(struct automaton *automaton) {
    nfa_seal(&automaton->forward);
    nfa_seal(&automaton->backward);
}

static size_t nfa_bytes(const struct nfa *nfa) {
    return nfa->place_capacity * sizeof(*nfa->places) + nfa->edge_capacity * sizeof(*nfa->edges) +
           nfa->start_capacity * sizeof(*nfa->starts);
}

size_t automaton_bytes(const struct automaton *automaton) {
    return sizeof(*automaton) + nfa_bytes(&automaton->forward) + nfa_bytes(&automaton->backward);
}

/* ---- the deterministic states ---- */

#define STATE_UNKNOWN 0
#define STATE_DEAD    1
#define STATE_START   2
/* In a transition: the state it leads to finds something early. */
#define FINDS 0x80000000u

/* A list of numbers in the pool. */
struct span {
    uint32_t at, count;
};

struct state {
    struct span places, early, end; /* sorted places; atoms */
    uint64_t hash;
};

struct dfa {
    struct state *states;
    size_t state_count, state_capacity;
    uint32_t *transitions; /* class_count a state */
    size_t transition_capacity;
    uint32_t *pool;
    size_t pool_count, pool_capacity;
    uint32_t *slots; /* states by the hash of their places */
    size_t slot_count;
    uint32_t *work; /* the places of a state in the making */
    size_t work_count, work_capacity;
    uint32_t *kept; /* the same, while all states are forgotten */
    size_t kept_capacity;
};

struct automaton_cache {
    struct dfa forward, backward;
};

#define FIRST_SLOTS 64

static size_t dfa_bytes(const struct dfa *dfa, const struct nfa *nfa) {
    return dfa->state_count * (sizeof(struct state) + nfa->class_count * sizeof(uint32_t)) +
           dfa->pool_count * sizeof(uint32_t);
}

static void put_work(struct dfa *dfa, uint32_t place) {
    dfa->work = memory_grow_array(dfa->work, &dfa->work_capacity, dfa->work_count + 1,
                                  sizeof(*dfa->work));
    dfa->work[dfa->work_count++] = place;
}

static int compare_numbers(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* Nearly sorted and mostly short: what stepping a sorted list gives. */
static void sort_work(struct dfa *dfa) {
    bool is_sorted = true;
    for (size_t i = 1; i < dfa->work_count && is_sorted; i++) {
        is_sorted = dfa->work[i - 1] <= dfa->work[i];
    }
    if (!is_sorted) {
        qsort(dfa->work, dfa->work_count, sizeof(*dfa->work), compare_numbers);
    }
}

/* Sorted, each place once, and of each text nothing before its furthest star: whatever an earlier
 * place can still reach, that star can reach too. */
static void reduce_work(struct dfa *dfa, const struct nfa *nfa) {
    size_t kept = dfa->work_count;
    uint32_t done_atom = 0;
    bool is_done = false;
    sort_work(dfa);
    for (size_t i = dfa->work_count; i > 0; i--) {
        uint32_t number = dfa->work[i - 1];
        const struct place *place = &nfa->places[number];
        bool is_double = kept < dfa->work_count && dfa->work[kept] == number;
        if (is_double || (is_done && place->atom == done_atom)) {
            continue;
        }
        is_done = place->loops || place->accept == ACCEPT_EARLY;
        done_atom = place->atom;
        dfa->work[--kept] = number;
    }
    memmove(dfa->work, dfa->work + kept, (dfa->work_count - kept) * sizeof(*dfa->work));
    dfa->work_count -= kept;
}

static uint64_t hash_work(const struct dfa *dfa) {
    uint64_t hash = 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < dfa->work_count; i++) {
        hash = (hash ^ dfa->work[i]) * 0x9FB21C651E98DF25u;
        hash ^= hash >> 29;
    }
    return hash;
}

static bool is_work(const struct dfa *dfa, const struct state *state, uint64_t hash) {
    return state->hash == hash && state->places.count == dfa->work_count &&
           memcmp(dfa->pool + state->places.at, dfa->work, dfa->work_count * sizeof(*dfa->work)) ==
               0;
}

static struct span pool_append(struct dfa *dfa, const uint32_t *numbers, size_t count) {
    struct span span = {(uint32_t)dfa->pool_count, (uint32_t)count};
    dfa->pool = memory_grow_array(dfa->pool, &dfa->pool_capacity, dfa->pool_count + count,
                                  sizeof(*dfa->pool));
    if (count > 0) {
        memcpy(dfa->pool + dfa->pool_count, numbers, count * sizeof(*numbers));
    }
    dfa->pool_count += count;
    return span;
}

static struct span pool_accepted(struct dfa *dfa, const struct nfa *nfa, enum nfa_accept accept) {
    struct span span = {(uint32_t)dfa->pool_count, 0};
    for (size_t i = 0; i < dfa->work_count; i++) {
        const struct place *place = &nfa->places[dfa->work[i]];
        if (place->accept == accept) {
            (void)pool_append(dfa, &place->atom, 1);
            span.count++;
        }
    }
    return span;
}

static void insert_slot(struct dfa *dfa, uint32_t state) {
    size_t mask = dfa->slot_count - 1, slot = (size_t)dfa->states[state].hash & mask;
    while (dfa->slots[slot] != 0) {
        slot = (slot + 1) & mask;
    }
    dfa->slots[slot] = state;
}

static void grow_slots(struct dfa *dfa) {
    dfa->slot_count *= 2;
    free(dfa->slots);
    dfa->slots = memory_new_array(dfa->slot_count, sizeof(*dfa->slots));
    for (uint32_t i = STATE_DEAD; i < dfa->state_count; i++) {
        insert_slot(dfa, i);
    }
}

static uint32_t add_state(struct dfa *dfa, const struct nfa *nfa, uint64_t hash) {
    dfa->states = memory_grow_array(dfa->states, &dfa->state_capacity, dfa->state_count + 1,
                                    sizeof(*dfa->states));
    dfa->transitions = memory_grow_array(dfa->transitions, &dfa->transition_capacity,
                                         (dfa->state_count + 1) * nfa->class_count,
                                         sizeof(*dfa->transitions));
    uint32_t number = (uint32_t)dfa->state_count++;
    memset(dfa->transitions + number * nfa->class_count, 0,
           nfa->class_count * sizeof(*dfa->transitions));
    struct state state = {.hash = hash};
    state.places = pool_append(dfa, dfa->work, dfa->work_count);
    state.early = pool_accepted(dfa, nfa, ACCEPT_EARLY);
    state.end = pool_accepted(dfa, nfa, ACCEPT_END);
    dfa->states[number] = state;
    if (dfa->state_count * 2 > dfa->slot_count) {
        grow_slots(dfa);
    } else if (number >= STATE_DEAD) {
        insert_slot(dfa, number);
    }
    return number;
}

/* The state with the places at work. */
static uint32_t find_state(struct dfa *dfa, const struct nfa *nfa) {
    uint64_t hash = hash_work(dfa);
    size_t mask = dfa->slot_count - 1;
    for (size_t slot = (size_t)hash & mask; dfa->slots[slot] != 0; slot = (slot + 1) & mask) {
        if (is_work(dfa, &dfa->states[dfa->slots[slot]], hash)) {
            return dfa->slots[slot];
        }
    }
    return add_state(dfa, nfa, hash);
}

/* The states that are always there: none yet, nothing left, the beginning. */
static void add_first_states(struct dfa *dfa, const struct nfa *nfa) {
    dfa->state_count = dfa->pool_count = dfa->work_count = 0;
    memset(dfa->slots, 0, dfa->slot_count * sizeof(*dfa->slots));
    (void)add_state(dfa, nfa, 0);
    (void)add_state(dfa, nfa, hash_work(dfa));
    for (size_t i = 0; i < nfa->start_count; i++) {
        put_work(dfa, nfa->starts[i]);
    }
    reduce_work(dfa, nfa);
    /* Without any text there is no beginning but the dead state, which is never run. */
    (void)add_state(dfa, nfa, hash_work(dfa));
    dfa->work_count = 0;
}

static void dfa_init(struct dfa *dfa, const struct nfa *nfa) {
    dfa->work_capacity = dfa->kept_capacity = FIRST_SLOTS;
    dfa->work = memory_new_array(FIRST_SLOTS, sizeof(*dfa->work));
    dfa->kept = memory_new_array(FIRST_SLOTS, sizeof(*dfa->kept));
    dfa->pool_capacity = FIRST_SLOTS;
    dfa->pool = memory_new_array(FIRST_SLOTS, sizeof(*dfa->pool));
    dfa->slot_count = FIRST_SLOTS;
    dfa->slots = memory_new_array(dfa->slot_count, sizeof(*dfa->slots));
    add_first_states(dfa, nfa);
}

static void dfa_done(struct dfa *dfa) {
    free(dfa->states);
    free(dfa->transitions);
    free(dfa->pool);
    free(dfa->slots);
    free(dfa->work);
    free(dfa->kept);
}

static void step_into_work(struct dfa *dfa, const struct nfa *nfa, struct span places,
                           uint16_t class) {
    dfa->work_count = 0;
    for (uint32_t i = 0; i < places.count; i++) {
        uint32_t number = dfa->pool[places.at + i];
        const struct place *place = &nfa->places[number];
        if (place->loops) {
            put_work(dfa, number);
        }
        for (uint32_t e = place->edge_at; e < place->edge_at + place->edge_count; e++) {
            if (nfa->edges[e].byte == class) {
                put_work(dfa, nfa->edges[e].to);
            }
        }
    }
    reduce_work(dfa, nfa);
}

/* Forgets all states, but not the places at work. */
static void start_anew(struct dfa *dfa, const struct nfa *nfa) {
    size_t count = dfa->work_count, bytes = count * sizeof(*dfa->work);
    dfa->kept = memory_grow_array(dfa->kept, &dfa->kept_capacity, count, sizeof(*dfa->kept));
    memcpy(dfa->kept, dfa->work, bytes);
    add_first_states(dfa, nfa);
    memcpy(dfa->work, dfa->kept, bytes);
    dfa->work_count = count;
}

/* Makes the state that `class` leads to from `from`; all states are forgotten first when they take
 * too much room (what is at work survives). */
static uint32_t make_transition(struct dfa *dfa, const struct nfa *nfa, uint32_t from,
                                uint16_t class) {
    step_into_work(dfa, nfa, dfa->states[from].places, class);
    bool is_full = dfa_bytes(dfa, nfa) > AUTOMATON_CACHE_BYTES;
    if (is_full) {
        start_anew(dfa, nfa);
    }
    uint32_t to = find_state(dfa, nfa);
    to |= dfa->states[to].early.count > 0 ? FINDS : 0;
    if (!is_full) {
        dfa->transitions[from * nfa->class_count + class] = to;
    }
    return to;
}

/* ---- running ---- */

struct run {
    automaton_found_fn *found_fn;
    void *arg;
    size_t *steps, step_limit;
};

/* False when that was enough. */
static bool take_steps(const struct run *run, size_t count) {
    *run->steps += count;
    return *run->steps <= run->step_limit;
}

static bool report(const struct dfa *dfa, struct span atoms, const struct run *run) {
    if (atoms.count > 0) {
        run->found_fn(run->arg, dfa->pool + atoms.at, atoms.count);
    }
    return take_steps(run, atoms.count);
}

/* Inlined twice, so that the direction costs nothing. */
static inline __attribute__((always_inline)) void walk(const struct nfa *nfa, struct dfa *dfa,
                                                       struct text value, bool is_backward,
                                                       const struct run *run) {
    uint32_t state = STATE_START;
    (void)report(dfa, dfa->states[state].early, run);
    for (size_t i = 0; i < value.bytes; i++) {
        uint16_t class = nfa->classes[(unsigned char)byte_at(value, i, is_backward)];
        uint32_t next = dfa->transitions[state * nfa->class_count + class];
        if (next == STATE_UNKNOWN) {
            if (!take_steps(run, dfa->states[state].places.count)) {
                return;
            }
            next = make_transition(dfa, nfa, state, class);
        }
        state = next & ~FINDS;
        if (state == STATE_DEAD) {
            return;
        }
        if ((next & FINDS) != 0 && !report(dfa, dfa->states[state].early, run)) {
            return;
        }
    }
    (void)report(dfa, dfa->states[state].end, run);
}

struct automaton_cache *automaton_cache_new(const struct automaton *automaton) {
    struct automaton_cache *cache = memory_new(sizeof(*cache));
    dfa_init(&cache->forward, &automaton->forward);
    dfa_init(&cache->backward, &automaton->backward);
    return cache;
}

void automaton_cache_free(struct automaton_cache **cache) {
    if (*cache == NULL) {
        return;
    }
    dfa_done(&(*cache)->forward);
    dfa_done(&(*cache)->backward);
    free(*cache);
    *cache = NULL;
}

void automaton_run(const struct automaton *automaton, struct automaton_cache *cache,
                   struct text value, automaton_found_fn *found_fn, void *arg, size_t *steps,
                   size_t step_limit) {
    const struct run run = {found_fn, arg, steps, step_limit};
    if (automaton->forward.start_count > 0) {
        walk(&automaton->forward, &cache->forward, value, false, &run);
    }
    if (automaton->backward.start_count > 0) {
        walk(&automaton->backward, &cache->backward, value, true, &run);
    }
}
