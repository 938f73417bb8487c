#include "riposte/base/memory.h"

#include <assert.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *memory) {
    if (memory == NULL) {
        fputs("riposte: out of memory\n", stderr);
        abort();
    }
    return memory;
}

static size_t product(size_t count, size_t element_bytes) {
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, element_bytes, &bytes)) {
        check(NULL);
    }
    return bytes;
}

void *memory_new(size_t bytes) {
    return check(calloc(1, bytes > 0 ? bytes : 1));
}

void *memory_new_array(size_t count, size_t element_bytes) {
    return memory_new(product(count, element_bytes));
}

void *memory_resize(void *memory, size_t bytes) {
    return check(realloc(memory, bytes > 0 ? bytes : 1));
}

void *memory_grow_array(void *array, size_t *capacity, size_t needed, size_t element_bytes) {
    if (needed <= *capacity) {
        return array;
    }
    size_t grown = *capacity > 0 ? *capacity : 8;
    while (grown < needed) {
        grown = product(grown, 2);
    }
    array = memory_resize(array, product(grown, element_bytes));
    *capacity = grown;
    return array;
}

char *memory_copy_string(const char *string) {
    return check(strdup(string));
}

void memory_wipe(void *memory, size_t bytes) {
    if (bytes > 0) {
        explicit_bzero(memory, bytes);
    }
}

void memory_trim(void) {
    (void)malloc_trim(0);
}

void memory_free_at(void *pointer) {
    void *memory = NULL;
    memcpy(&memory, pointer, sizeof(memory));
    free(memory);
    memory = NULL;
    memcpy(pointer, &memory, sizeof(memory));
}
