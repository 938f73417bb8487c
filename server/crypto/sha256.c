#include "riposte/crypto/sha256.h"

#include "riposte/base/hex.h"

#include <assert.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

_Static_assert(SHA256_BYTES == 32, "the contract's arrays have this size");

void sha256(struct text bytes, uint8_t out[SHA256_BYTES]) {
    int failed = gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes.data, bytes.bytes, out);
    assert(failed == 0);
}

void sha256_parts(const struct text *parts, size_t count, uint8_t out[SHA256_BYTES]) {
    gnutls_hash_hd_t hash = NULL;
    int failed = gnutls_hash_init(&hash, GNUTLS_DIG_SHA256);
    assert(failed == 0);
    for (size_t i = 0; i < count; i++) {
        failed = gnutls_hash(hash, parts[i].data, parts[i].bytes);
        assert(failed == 0);
    }
    gnutls_hash_deinit(hash, out);
}

void sha256_hex(struct text bytes, char out[SHA256_HEX_BYTES]) {
    uint8_t digest[SHA256_BYTES];
    sha256(bytes, digest);
    hex_encode(digest, sizeof(digest), out);
}
