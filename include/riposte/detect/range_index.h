/* Which of many ranges of numbers hold a value: a segment tree over the ends of all ranges.
 *
 * Ownership:  range_index_new/free.
 * Threads:    immutable once sealed.
 * Bounds:     a find costs the logarithm of the number of ranges, and one call a tree node that has
 * any. */
#ifndef RIPOSTE_DETECT_RANGE_INDEX_H
#define RIPOSTE_DETECT_RANGE_INDEX_H

#include "riposte/detect/test.h"

#include <stddef.h>
#include <stdint.h>

struct range_index;

struct range_index *range_index_new(void);
void range_index_free(struct range_index **index);
void range_index_add(struct range_index *index, const struct number_range *range, uint32_t atom);
void range_index_seal(struct range_index *index);
size_t range_index_bytes(const struct range_index *index);

/* Calls found_fn with the atoms of the ranges that hold `value`, each once. */
typedef void range_found_fn(void *arg, const uint32_t *atoms, size_t count);
void range_index_find(const struct range_index *index, double value, range_found_fn *found_fn,
                      void *arg);

#endif
