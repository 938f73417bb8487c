/* Secrets of callers: which are accepted, compared in constant time.
 *
 * Ownership:  keeps digests of the secrets, never the secrets.
 * Threads:    immutable once shared; replaced whole on reload.
 * Bounds:     a secret shorter than AUTHENTICATE_BYTES is not accepted at all. */
#ifndef RIPOSTE_INBOUND_AUTHENTICATE_H
#define RIPOSTE_INBOUND_AUTHENTICATE_H

#include "riposte/base/attributes.h"
#include "riposte/base/text.h"
#include "riposte/crypto/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUTHENTICATE_BYTES 16

struct authenticator;

/* Accepts nobody yet. */
struct authenticator *authenticator_new(void);
void authenticator_free(struct authenticator **authenticator);
/* One more secret, of whom `name` says ("eventbridge", "oncall"); `role` is the caller's own
 * number. False: it is too short, and not accepted. Before the authenticator is shared. */
MUST_CHECK bool authenticator_add(struct authenticator *authenticator, struct text name,
                                  struct text secret, unsigned role);
size_t authenticator_count(const struct authenticator *authenticator);
/* Looks at every secret, whatever matches. An empty candidate never does. *index_out: the
 * how-manieth that was added. */
bool authenticator_accepts(const struct authenticator *authenticator, struct text candidate,
                           size_t *index_out);
/* The same for who knows a secret's SHA-256 alone: it was accepted before, is it still? */
bool authenticator_accepts_digest(const struct authenticator *authenticator,
                                  const uint8_t digest[SHA256_BYTES], size_t *index_out);
/* Name and role of one. */
struct text authenticator_name(const struct authenticator *authenticator, size_t index);
unsigned authenticator_role(const struct authenticator *authenticator, size_t index);

#endif
