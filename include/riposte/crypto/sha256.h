/* SHA-256.
 *
 * Threads:    any; pure.
 * Source:     FIPS 180-4. */
#ifndef RIPOSTE_CRYPTO_SHA256_H
#define RIPOSTE_CRYPTO_SHA256_H

#include "riposte/base/text.h"

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES     32
#define SHA256_HEX_BYTES (2 * SHA256_BYTES + 1)

void sha256(struct text bytes, uint8_t out[SHA256_BYTES]);
/* Of the parts one after the other, without joining them. */
void sha256_parts(const struct text *parts, size_t count, uint8_t out[SHA256_BYTES]);
/* As lower-case digits and a NUL. */
void sha256_hex(struct text bytes, char out[SHA256_HEX_BYTES]);

#endif
