#include "riposte/crypto/hmac.h"

#include <assert.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

void hmac_sha256(struct text key, struct text bytes, uint8_t out[HMAC_SHA256_BYTES]) {
    const char *key_data = key.bytes > 0 ? key.data : "";
    int failed = gnutls_hmac_fast(GNUTLS_MAC_SHA256, key_data, key.bytes, bytes.data, bytes.bytes,
                                  out);
    assert(failed == 0);
}
