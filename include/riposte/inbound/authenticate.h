/* Secrets of callers: which are accepted, compared in constant time.
 *
 * Ownership:  keeps digests of the secrets, never the secrets.
 * Threads:    immutable; replaced whole on reload.
 * Bounds:     a secret shorter than AUTHENTICATE_BYTES is not accepted at all. */
#ifndef RIPOSTE_INBOUND_AUTHENTICATE_H
#define RIPOSTE_INBOUND_AUTHENTICATE_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>

#define AUTHENTICATE_BYTES 16

struct authenticator;

/* Each accepted secret with the name of who holds it ("eventbridge", "oncall"). ERROR_INVALID when
 * none is long enough, naming which entries are too short (never their text). */
struct accepted_secret {
    struct text name, secret;
    unsigned role; /* the caller's own number */
};
MUST_CHECK bool authenticator_new(const struct accepted_secret *secrets, size_t count,
                                  struct authenticator **authenticator_out, struct error *error);
void authenticator_free(struct authenticator **authenticator);
/* Looks at every secret, whatever matches. An empty candidate never does. *index_out: which of
 * `secrets`. */
bool authenticator_accepts(const struct authenticator *authenticator, struct text candidate,
                           size_t *index_out);
/* Name and role of one. */
struct text authenticator_name(const struct authenticator *authenticator, size_t index);
unsigned authenticator_role(const struct authenticator *authenticator, size_t index);

#endif
