/* Memory that is freed all at once: one arena an event, a document, a plan.
 *
 * Ownership:  arena_new()/arena_free(); what it hands out lives until arena_reset() or
 *             arena_free().
 * Threads:    one at a time.
 * Bounds:     blocks of at least ARENA_BLOCK_BYTES; a larger request gets a block of its own. */
#ifndef RIPOSTE_BASE_ARENA_H
#define RIPOSTE_BASE_ARENA_H

#include "riposte/base/attributes.h"
#include "riposte/base/text.h"

#include <stddef.h>

#define ARENA_BLOCK_BYTES 4096

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena **arena);
/* Forgets everything handed out; keeps the largest block for the next use. */
void arena_reset(struct arena *arena);
/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t bytes);
void *arena_alloc_array(struct arena *arena, size_t count, size_t element_bytes);
/* A copy that is followed by a NUL. */
struct text arena_copy_text(struct arena *arena, struct text text);
struct text arena_format(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
/* Bytes handed out since the last reset. */
size_t arena_used_bytes(const struct arena *arena);

#endif
