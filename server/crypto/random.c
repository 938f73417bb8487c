#include "riposte/crypto/random.h"

#include <assert.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>

void random_bytes(void *out, size_t bytes) {
    if (bytes > 0 && gnutls_rnd(GNUTLS_RND_RANDOM, out, bytes) != 0) {
        fputs("riposte: no randomness\n", stderr);
        abort();
    }
}

uint64_t random_below(uint64_t bound) {
    assert(bound > 0);
    /* The remainder of 2^64: values below it would make small results likelier. */
    uint64_t unfair = (UINT64_MAX - bound + 1) % bound;
    uint64_t value = 0;
    do {
        random_bytes(&value, sizeof(value));
    } while (value < unfair);
    return value % bound;
}

struct ulid random_ulid(int64_t unix_ms) {
    uint8_t random[ULID_RANDOM_BYTES];
    random_bytes(random, sizeof(random));
    return ulid_make(unix_ms, random);
}
