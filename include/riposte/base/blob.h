/* Immutable bytes with a reference count: a body goes from intake to the journal to a worker
 * without a copy.
 *
 * Ownership:  whoever holds a reference gives it back with blob_unref(); the last frees.
 * Threads:    any; the count is atomic, the bytes never change. */
#ifndef RIPOSTE_BASE_BLOB_H
#define RIPOSTE_BASE_BLOB_H

#include "riposte/base/buffer.h"
#include "riposte/base/text.h"

struct blob;

/* Copies. One reference, the caller's. */
struct blob *blob_new(struct text bytes);
/* Takes the bytes over; `buffer` is empty afterwards. */
struct blob *blob_from_buffer(struct buffer *buffer);
/* One more reference; NULL gives NULL. */
struct blob *blob_ref(struct blob *blob);
/* Gives *blob back and sets it to NULL; NULL inside is fine. */
void blob_unref(struct blob **blob);
/* Valid while a reference is held; the empty view for NULL. Followed by a NUL. */
struct text blob_text(const struct blob *blob);

#endif
