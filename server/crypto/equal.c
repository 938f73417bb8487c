#include "riposte/crypto/equal.h"

#include "riposte/crypto/hmac.h"
#include "riposte/crypto/random.h"

#include <gnutls/gnutls.h>
#include <pthread.h>

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static uint8_t key[HMAC_SHA256_BYTES];

static void make_key(void) {
    random_bytes(key, sizeof(key));
}

bool crypto_equal(struct text a, struct text b) {
    pthread_once(&key_once, make_key);
    struct text key_text = {(const char *)key, sizeof(key)};
    uint8_t digest_a[HMAC_SHA256_BYTES];
    uint8_t digest_b[HMAC_SHA256_BYTES];
    hmac_sha256(key_text, a, digest_a);
    hmac_sha256(key_text, b, digest_b);
    return crypto_equal_bytes(digest_a, digest_b, sizeof(digest_a));
}

bool crypto_equal_bytes(const void *a, const void *b, size_t bytes) {
    return gnutls_memcmp(a, b, bytes) == 0;
}
