#include "riposte/base/arena.h"

#include "riposte/base/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct block {
    struct block *next;
    size_t capacity, used;
    _Alignas(max_align_t) char data[];
};

struct arena {
    struct block *blocks; /* the first is the one in use */
    size_t used_bytes;
};

struct arena *arena_new(void) {
    return memory_new(sizeof(struct arena));
}

static void free_blocks(struct block *block) {
    while (block != NULL) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_free(struct arena **arena) {
    if (*arena != NULL) {
        free_blocks((*arena)->blocks);
        free(*arena);
        *arena = NULL;
    }
}

void arena_reset(struct arena *arena) {
    struct block *largest = NULL;
    struct block *block = arena->blocks;
    while (block != NULL) {
        struct block *next = block->next;
        block->next = NULL;
        if (largest == NULL || block->capacity > largest->capacity) {
            free(largest);
            largest = block;
        } else {
            free(block);
        }
        block = next;
    }
    if (largest != NULL) {
        largest->used = 0;
    }
    arena->blocks = largest;
    arena->used_bytes = 0;
}

static struct block *block_new(size_t capacity) {
    assert(capacity < SIZE_MAX - sizeof(struct block));
    struct block *block = memory_resize(NULL, sizeof(struct block) + capacity);
    *block = (struct block){.capacity = capacity};
    return block;
}

/* A block with room for `bytes`. A large request goes behind the block in use, which keeps
 * filling up. */
static struct block *block_with_room(struct arena *arena, size_t bytes) {
    struct block *current = arena->blocks;
    if (current != NULL && bytes <= current->capacity - current->used) {
        return current;
    }
    bool is_large = bytes > ARENA_BLOCK_BYTES / 2;
    struct block *block = block_new(bytes > ARENA_BLOCK_BYTES ? bytes : ARENA_BLOCK_BYTES);
    if (is_large && current != NULL) {
        block->next = current->next;
        current->next = block;
    } else {
        block->next = current;
        arena->blocks = block;
    }
    return block;
}

void *arena_alloc(struct arena *arena, size_t bytes) {
    const size_t alignment = _Alignof(max_align_t);
    assert(bytes < SIZE_MAX / 2);
    size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    rounded = rounded > 0 ? rounded : alignment;
    struct block *block = block_with_room(arena, rounded);
    void *memory = block->data + block->used;
    block->used += rounded;
    arena->used_bytes += rounded;
    return memset(memory, 0, rounded);
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t element_bytes) {
    size_t bytes = 0;
    bool is_too_much = __builtin_mul_overflow(count, element_bytes, &bytes);
    assert(!is_too_much);
    return arena_alloc(arena, bytes);
}

struct text arena_copy_text(struct arena *arena, struct text text) {
    char *copy = arena_alloc(arena, text.bytes + 1);
    if (text.bytes > 0) {
        memcpy(copy, text.data, text.bytes);
    }
    return (struct text){copy, text.bytes};
}

struct text arena_format(struct arena *arena, const char *format, ...) {
    va_list arguments;
    va_list again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    assert(length >= 0);
    char *out = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(out, (size_t)length + 1, format, again);
    va_end(again);
    va_end(arguments);
    return (struct text){out, (size_t)length};
}

size_t arena_used_bytes(const struct arena *arena) {
    return arena->used_bytes;
}
