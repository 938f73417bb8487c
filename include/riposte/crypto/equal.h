/* Comparisons whose time says nothing about what is compared: for secrets and what is made from
 * them.
 *
 * Threads:    any. */
#ifndef RIPOSTE_CRYPTO_EQUAL_H
#define RIPOSTE_CRYPTO_EQUAL_H

#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>

/* Texts of any lengths: digests of both under a random key of this process are compared, so the
 * time depends on the lengths alone and no position or length at which they differ shows. */
bool crypto_equal(struct text a, struct text b);
/* The same number of bytes on both sides: digests, signatures, fixed-length tokens. */
bool crypto_equal_bytes(const void *a, const void *b, size_t bytes);

#endif
