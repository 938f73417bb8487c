#include "riposte/inbound/authenticate.h"

#include "riposte/base/memory.h"
#include "riposte/crypto/equal.h"
#include "riposte/crypto/sha256.h"

#include <assert.h>
#include <stdlib.h>

struct entry {
    uint8_t digest[SHA256_BYTES];
    struct text name;
    unsigned role;
};

struct authenticator {
    struct entry *entries;
    size_t count, capacity;
};

struct authenticator *authenticator_new(void) {
    return memory_new(sizeof(struct authenticator));
}

bool authenticator_add(struct authenticator *authenticator, struct text name, struct text secret,
                       unsigned role) {
    if (secret.bytes < AUTHENTICATE_BYTES) {
        return false;
    }
    authenticator->entries = memory_grow_array(authenticator->entries, &authenticator->capacity,
                                               authenticator->count + 1, sizeof(struct entry));
    struct entry *entry = &authenticator->entries[authenticator->count++];
    *entry = (struct entry){.name = {text_copy(name), name.bytes}, .role = role};
    sha256(secret, entry->digest);
    return true;
}

size_t authenticator_count(const struct authenticator *authenticator) {
    return authenticator->count;
}

void authenticator_free(struct authenticator **authenticator) {
    struct authenticator *old = *authenticator;
    *authenticator = NULL;
    if (old == NULL) {
        return;
    }
    for (size_t i = 0; i < old->count; i++) {
        free((char *)old->entries[i].name.data);
    }
    memory_wipe(old->entries, old->count * sizeof(struct entry));
    free(old->entries);
    free(old);
}

/* Digests make all comparisons equally long, and every entry is compared: the time says neither
 * which secret came close nor how many there are of which length. */
bool authenticator_accepts_digest(const struct authenticator *authenticator,
                                  const uint8_t digest[SHA256_BYTES], size_t *index_out) {
    size_t index = 0;
    size_t match_count = 0;
    for (size_t i = 0; i < authenticator->count; i++) {
        const struct entry *entry = &authenticator->entries[i];
        size_t is_match = (size_t)crypto_equal_bytes(digest, entry->digest, SHA256_BYTES);
        size_t is_first = is_match & (size_t)(match_count == 0);
        index |= i & (0 - is_first);
        match_count += is_match;
    }
    if (match_count == 0) {
        return false;
    }
    *index_out = index;
    return true;
}

bool authenticator_accepts(const struct authenticator *authenticator, struct text candidate,
                           size_t *index_out) {
    uint8_t digest[SHA256_BYTES];
    sha256(candidate, digest);
    bool is_accepted = authenticator_accepts_digest(authenticator, digest, index_out);
    return is_accepted && candidate.bytes > 0;
}

struct text authenticator_name(const struct authenticator *authenticator, size_t index) {
    assert(index < authenticator->count);
    return authenticator->entries[index].name;
}

unsigned authenticator_role(const struct authenticator *authenticator, size_t index) {
    assert(index < authenticator->count);
    return authenticator->entries[index].role;
}
