/* X.509 certificates with their keys, as PEM: made, read, looked at.
 *
 * Ownership:  what is made or read is appended to the caller's buffers; wipe the key's
 *             (memory_wipe) before buffer_done().
 * Threads:    any.
 * Bounds:     files of at most CERTIFICATE_FILE_MAX_BYTES. */
#ifndef RIPOSTE_CRYPTO_CERTIFICATE_H
#define RIPOSTE_CRYPTO_CERTIFICATE_H

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/clock.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/crypto/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CERTIFICATE_FILE_MAX_BYTES (1u << 20)

/* A self-signed server certificate for an ECDSA P-256 key of its own: CN "riposte", valid from an
 * hour before the clock's time for two years. `names` become its subject alternative names: an IP
 * address as such, everything else as a DNS name. */
MUST_CHECK bool certificate_make(const struct clock *clock, const char *const *names, size_t count,
                                 struct buffer *certificate_pem, struct buffer *key_pem,
                                 struct error *error);

/* Reads both files and checks that they belong together (certificate_check_pair). */
MUST_CHECK bool certificate_read(const char *certificate_path, const char *key_path,
                                 struct buffer *certificate_pem, struct buffer *key_pem,
                                 struct error *error);

/* ERROR_INVALID when either can't be read, or the key is not that of the first certificate. */
MUST_CHECK bool certificate_check_pair(struct text certificate_pem, struct text key_pem,
                                       struct error *error);

struct certificate_facts {
    char fingerprint[SHA256_HEX_BYTES]; /* SHA-256 of the DER form, lower-case digits */
    int64_t not_before_unix_ms, not_after_unix_ms;
};

/* Of the first certificate in the PEM text: the server's own, before its chain. */
MUST_CHECK bool certificate_inspect(struct text certificate_pem,
                                    struct certificate_facts *facts_out, struct error *error);

#endif
