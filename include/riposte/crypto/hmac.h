/* HMAC with SHA-256.
 *
 * Threads:    any; pure.
 * Source:     RFC 2104, RFC 4231. */
#ifndef RIPOSTE_CRYPTO_HMAC_H
#define RIPOSTE_CRYPTO_HMAC_H

#include "riposte/base/text.h"

#include <stdint.h>

#define HMAC_SHA256_BYTES 32

/* The key may have any length, also none. `out` may be the key's own bytes. */
void hmac_sha256(struct text key, struct text bytes, uint8_t out[HMAC_SHA256_BYTES]);

#endif
