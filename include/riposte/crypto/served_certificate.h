/* The certificate that this process's TLS listeners present: one for all of them, replaced while
 * they run.
 *
 * Ownership:  the module's own. What was replaced is kept for the life of the process, since a
 *             handshake under way may still hold it; certificates change a few times a year.
 * Threads:    any.
 * Bounds:     a chain of at most SERVED_CERTIFICATE_CHAIN certificates. */
#ifndef RIPOSTE_CRYPTO_SERVED_CERTIFICATE_H
#define RIPOSTE_CRYPTO_SERVED_CERTIFICATE_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define SERVED_CERTIFICATE_CHAIN 8

/* Handshakes that begin from now on get this one. ERROR_INVALID when it can't be read, or the key
 * is not its own: what was served before is served on. The same again changes nothing. */
MUST_CHECK bool served_certificate_set(struct text certificate_pem, struct text key_pem,
                                       struct error *error);

/* When it ends, unix ms; 0: none is served. */
int64_t served_certificate_expiry(void);

/* A gnutls_certificate_retrieve_function2, as libmicrohttpd takes one. */
typedef void served_certificate_fn(void);
served_certificate_fn *served_certificate_callback(void);

#endif
