/* All prefixes, suffixes, wildcards and ignore-case texts that rules hold against one path, run
 * over a value at once: two nondeterministic automata (one reads forward, one, for suffixes,
 * backward) made deterministic while they run, so that a byte costs one load however many texts
 * there are.
 *
 * Ownership:  an automaton is built, sealed and then immutable; the deterministic states live in a
 *             cache that belongs to one thread's scratch.
 * Bounds:     a cache holds at most about AUTOMATON_CACHE_BYTES: when that is used up it starts
 *             anew. At worst a byte costs one look at each place in all texts of the path. */
#ifndef RIPOSTE_DETECT_AUTOMATON_H
#define RIPOSTE_DETECT_AUTOMATON_H

#include "riposte/base/text.h"
#include "riposte/detect/test.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUTOMATON_CACHE_BYTES ((size_t)4 * 1024 * 1024)

struct automaton;
struct automaton_cache;

struct automaton *automaton_new(void);
void automaton_free(struct automaton **automaton);
/* Kinds TEST_PREFIX to TEST_WILDCARD. */
void automaton_add(struct automaton *automaton, const struct test *test, uint32_t atom);
void automaton_seal(struct automaton *automaton);
size_t automaton_bytes(const struct automaton *automaton);

struct automaton_cache *automaton_cache_new(const struct automaton *automaton);
void automaton_cache_free(struct automaton_cache **cache);

/* Calls found_fn for every atom that `value` passes (perhaps more than once). Adds what it did to
 * *steps, and stops when that is over `step_limit`. */
typedef void automaton_found_fn(void *arg, const uint32_t *atoms, size_t count);
void automaton_run(const struct automaton *automaton, struct automaton_cache *cache,
                   struct text value, automaton_found_fn *found_fn, void *arg, size_t *steps,
                   size_t step_limit);

#endif
