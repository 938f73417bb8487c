#include "riposte/base/blob.h"

#include "riposte/base/memory.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

struct blob {
    atomic_size_t references;
    size_t bytes;
    char *data;
};

static struct blob *blob_over(char *data, size_t bytes) {
    struct blob *blob = memory_new(sizeof(*blob));
    atomic_init(&blob->references, 1);
    blob->data = data;
    blob->bytes = bytes;
    return blob;
}

struct blob *blob_new(struct text bytes) {
    return blob_over(text_copy(bytes), bytes.bytes);
}

struct blob *blob_from_buffer(struct buffer *buffer) {
    size_t bytes = 0;
    char *data = buffer_take(buffer, &bytes);
    return blob_over(data, bytes);
}

struct blob *blob_ref(struct blob *blob) {
    if (blob != NULL) {
        atomic_fetch_add_explicit(&blob->references, 1, memory_order_relaxed);
    }
    return blob;
}

void blob_unref(struct blob **blob) {
    struct blob *held = *blob;
    *blob = NULL;
    if (held == NULL) {
        return;
    }
    size_t before = atomic_fetch_sub_explicit(&held->references, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before == 1) {
        free(held->data);
        free(held);
    }
}

struct text blob_text(const struct blob *blob) {
    return blob == NULL ? (struct text){NULL, 0} : (struct text){blob->data, blob->bytes};
}
