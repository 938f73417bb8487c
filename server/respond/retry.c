#include "retry.h"

#define FIRST_MS   500
#define LONGEST_MS 60000

int64_t retry_wait_ms(unsigned attempt, uint64_t (*random_fn)(uint64_t bound)) {
    int64_t wait_ms = FIRST_MS;
    for (unsigned i = 1; i < attempt && wait_ms < LONGEST_MS; i++) {
        wait_ms *= 2;
    }
    wait_ms = wait_ms < LONGEST_MS ? wait_ms : LONGEST_MS;
    return wait_ms / 2 + (int64_t)random_fn((uint64_t)(wait_ms / 2 + 1));
}
