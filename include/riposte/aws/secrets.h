/* Secrets Manager's secrets, remembered for a while.
 *
 *     age:   < 5 min       older
 *            in use        asked again; the old value serves on when there is no answer
 *
 * The version before the present one (AWSPREVIOUS) is given for a day after the change, so that
 * both sides of a rotation can be changed one after the other.
 *
 * Ownership:  aws_secrets_new()/aws_secrets_free(), before aws_client_free(); values are wiped.
 * Threads:    any that may block, so not outbound's.
 * Bounds:     AWS_SECRETS_MAX versions; calls go out as class own, in every mode.
 * Source:     Secrets Manager API, GetSecretValue. */
#ifndef RIPOSTE_AWS_SECRETS_H
#define RIPOSTE_AWS_SECRETS_H

#include "riposte/aws/client.h"
#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/clock.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"

#include <stdbool.h>

#define AWS_SECRETS_MAX         64
#define AWS_SECRETS_FRESH_MS    (5 * 60 * 1000)
#define AWS_SECRETS_PREVIOUS_MS (24 * 60 * 60 * 1000)

struct aws_secrets;

struct aws_secrets *aws_secrets_new(struct aws_client *client, const struct clock *clock);
void aws_secrets_free(struct aws_secrets **secrets);

/* The value at `place`, ARN[#KEY]: the secret's text, or the member KEY of the JSON object in it.
 * `is_previous`: of the version before; nothing is appended when there is none or the change is too
 * long ago. ERROR_BUSY: no answer now; ERROR_SYSTEM: refused, or what came is no text or has no
 * such key. No text holds a secret. A secret_fetch_fn; `secrets` is a struct aws_secrets. */
MUST_CHECK bool aws_secrets_fetch(void *secrets, struct text place, bool is_previous,
                                  struct buffer *value_out, struct error *error);

/* All are asked for again when they are needed next. */
void aws_secrets_expire(struct aws_secrets *secrets);

#endif
