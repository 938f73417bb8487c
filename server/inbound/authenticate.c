#include "riposte/inbound/authenticate.h"

#include "riposte/base/buffer.h"
#include "riposte/base/memory.h"
#include "riposte/crypto/equal.h"
#include "riposte/crypto/sha256.h"

#include <assert.h>
#include <stdlib.h>

struct entry {
    uint8_t digest[SHA256_BYTES];
    struct text name;
    unsigned role;
    bool is_usable;
};

struct authenticator {
    struct entry *entries;
    size_t count;
};

static void entry_fill(struct entry *entry, const struct accepted_secret *secret) {
    entry->name = (struct text){text_copy(secret->name), secret->name.bytes};
    entry->role = secret->role;
    entry->is_usable = secret->secret.bytes >= AUTHENTICATE_BYTES;
    sha256(secret->secret, entry->digest);
}

static bool fail_unusable(const struct authenticator *authenticator, struct error *error) {
    struct buffer names = BUFFER_INIT;
    for (size_t i = 0; i < authenticator->count; i++) {
        buffer_append_format(&names, "%s%.*s", i == 0 ? "" : ", ",
                             TEXT_ARG(authenticator->entries[i].name));
    }
    error_set(error, ERROR_INVALID, "no secret of at least %d characters%s%s", AUTHENTICATE_BYTES,
              authenticator->count == 0 ? "" : "; too short: ", buffer_string(&names));
    buffer_done(&names);
    return false;
}

bool authenticator_new(const struct accepted_secret *secrets, size_t count,
                       struct authenticator **authenticator_out, struct error *error) {
    scoped(authenticator_free) struct authenticator *authenticator = memory_new(
        sizeof(*authenticator));
    authenticator->entries = memory_new_array(count, sizeof(struct entry));
    authenticator->count = count;
    size_t usable_count = 0;
    for (size_t i = 0; i < count; i++) {
        entry_fill(&authenticator->entries[i], &secrets[i]);
        usable_count += authenticator->entries[i].is_usable;
    }
    if (usable_count == 0) {
        return fail_unusable(authenticator, error);
    }
    *authenticator_out = authenticator;
    authenticator = NULL;
    return true;
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
bool authenticator_accepts(const struct authenticator *authenticator, struct text candidate,
                           size_t *index_out) {
    uint8_t digest[SHA256_BYTES];
    sha256(candidate, digest);
    size_t index = 0;
    size_t match_count = 0;
    for (size_t i = 0; i < authenticator->count; i++) {
        const struct entry *entry = &authenticator->entries[i];
        size_t is_match = (size_t)crypto_equal_bytes(digest, entry->digest, sizeof(digest)) &
                          (size_t)entry->is_usable;
        size_t is_first = is_match & (size_t)(match_count == 0);
        index |= i & (0 - is_first);
        match_count += is_match;
    }
    if (match_count == 0 || candidate.bytes == 0) {
        return false;
    }
    *index_out = index;
    return true;
}

struct text authenticator_name(const struct authenticator *authenticator, size_t index) {
    assert(index < authenticator->count);
    return authenticator->entries[index].name;
}

unsigned authenticator_role(const struct authenticator *authenticator, size_t index) {
    assert(index < authenticator->count);
    return authenticator->entries[index].role;
}
