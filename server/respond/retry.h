/* When to try again: each wait doubles, with jitter so that many don't come back at once.
 *
 * Threads:    pure, but for the randomness passed in. */
#ifndef RIPOSTE_SERVER_RESPOND_RETRY_H
#define RIPOSTE_SERVER_RESPOND_RETRY_H

#include <stdint.h>

/* The wait before attempt number `attempt` (1 is the first repetition), between half of it and all
 * of it: 500 ms, 1 s, 2 s, ... 60 s. */
int64_t retry_wait_ms(unsigned attempt, uint64_t (*random_fn)(uint64_t bound));

#endif
