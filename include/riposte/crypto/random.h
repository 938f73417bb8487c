/* Random bytes fit for keys. There is no error: a process without randomness aborts, because
 * everything it would go on to do could be guessed.
 *
 * Threads:    any. */
#ifndef RIPOSTE_CRYPTO_RANDOM_H
#define RIPOSTE_CRYPTO_RANDOM_H

#include "riposte/base/ulid.h"

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *out, size_t bytes);
/* Evenly spread over 0 .. bound - 1; `bound` > 0. For jitter. */
uint64_t random_below(uint64_t bound);
/* A new identifier at the caller's time. */
struct ulid random_ulid(int64_t unix_ms);

#endif
