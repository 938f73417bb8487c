/* Allocation that can't fail: a process that can't have a few hundred bytes can't keep a promise
 * either, so it aborts, and the journal makes good after the restart. What a stranger can make
 * large (bodies, answers, rule sets) is bounded before it is allocated.
 *
 * Ownership:  the caller frees with free() or a scoped(memory_free_at).
 * Threads:    any. */
#ifndef RIPOSTE_BASE_MEMORY_H
#define RIPOSTE_BASE_MEMORY_H

#include <stddef.h>

/* `bytes` zeroed bytes; never NULL, also for 0. */
void *memory_new(size_t bytes);

/* `count` zeroed elements of `element_bytes`; an overflowing product aborts. */
void *memory_new_array(size_t count, size_t element_bytes);

/* Grows or shrinks; new bytes are not cleared. */
void *memory_resize(void *memory, size_t bytes);

/* Makes room for at least `needed` elements: doubles *capacity until it is enough. Returns the
 * (perhaps moved) array. */
void *memory_grow_array(void *array, size_t *capacity, size_t needed, size_t element_bytes);

char *memory_copy_string(const char *string);

/* Overwrites with zeros in a way that the compiler can't remove: for secrets. */
void memory_wipe(void *memory, size_t bytes);

/* Gives what was freed back to the system, which takes milliseconds: for when a rule set went. */
void memory_trim(void);

/* For scoped(): frees *(void **)pointer and sets it to NULL. */
void memory_free_at(void *pointer);

#endif
