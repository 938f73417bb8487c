#include "riposte/inbound/strikes.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NETWORK_BYTES 8 /* of an IPv6 address */

/* A bucket that empties by itself: `until` is when it will be empty. */
struct bucket {
    uint64_t address;
    int64_t until_mono_ms;
};

struct strikes {
    struct mutex lock;
    struct {
        struct bucket buckets[STRIKES_ADDRESSES];
    } shared; /* with `lock` */
};

struct strikes *strikes_new(void) {
    struct strikes *strikes = memory_new(sizeof(*strikes));
    mutex_init(&strikes->lock);
    return strikes;
}

void strikes_free(struct strikes **strikes) {
    if (*strikes == NULL) {
        return;
    }
    mutex_done(&(*strikes)->lock);
    free(*strikes);
    *strikes = NULL;
}

/* The address, or of a long one the network that one customer gets. */
static uint64_t number_of(struct text address) {
    char text[INET6_ADDRSTRLEN];
    unsigned char binary[sizeof(struct in6_addr)] = {0};
    snprintf(text, sizeof(text), "%.*s", TEXT_ARG(address));
    if (inet_pton(AF_INET, text, binary) != 1) {
        (void)inet_pton(AF_INET6, text, binary);
    }
    uint64_t number = 0;
    _Static_assert(sizeof(number) == NETWORK_BYTES, "");
    memcpy(&number, binary, sizeof(number));
    return number;
}

static struct bucket *bucket_of(struct strikes *strikes, uint64_t address) {
    uint64_t spread = address * UINT64_C(0x9E3779B97F4A7C15);
    return &strikes->shared.buckets[(spread >> 32) % STRIKES_ADDRESSES];
}

bool strikes_add(struct strikes *strikes, struct text address, int64_t now_mono_ms) {
    uint64_t number = number_of(address);
    mutex_lock(&strikes->lock);
    struct bucket *bucket = bucket_of(strikes, number);
    if (bucket->address != number || bucket->until_mono_ms < now_mono_ms) {
        *bucket = (struct bucket){number, now_mono_ms};
    }
    int64_t next_ms = bucket->until_mono_ms + STRIKES_REFILL_MS;
    bool is_too_many = next_ms - now_mono_ms > (int64_t)STRIKES_BURST * STRIKES_REFILL_MS;
    if (!is_too_many) {
        bucket->until_mono_ms = next_ms;
    }
    mutex_unlock(&strikes->lock);
    return is_too_many;
}
