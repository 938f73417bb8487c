/* Who our credentials are, as STS said it, remembered for the access key that asked.
 *
 * Ownership:  aws_identities_new()/aws_identities_free().
 * Threads:    any; while one asks STS, the others wait for what it hears. */
#ifndef RIPOSTE_AWS_IDENTITY_H
#define RIPOSTE_AWS_IDENTITY_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/json/tree.h"

#include <stdbool.h>

struct aws_identity {
    char account[16], partition[16];
    char arn[256];       /* of the caller, as STS says it */
    char unique_id[160]; /* AROA...:session, AIDA... */
};

/* From the answer to sts:GetCallerIdentity; ERROR_INVALID when a member is missing or too long. */
MUST_CHECK bool aws_identity_read(const struct json *body, struct aws_identity *identity_out,
                                  struct error *error);

struct aws_identities;

struct aws_identities *aws_identities_new(void);
void aws_identities_free(struct aws_identities **identities);
/* True: *identity_out is whose `key_id` is. False: the caller is to ask, and then to call
 * aws_identities_remember(); until then other callers of this wait. */
MUST_CHECK bool aws_identities_recall(struct aws_identities *identities, struct text key_id,
                                      struct aws_identity *identity_out);
/* What was heard; `identity` NULL: nothing, somebody else may ask. */
void aws_identities_remember(struct aws_identities *identities, struct text key_id,
                             const struct aws_identity *identity);
/* What somebody heard without having recalled before; nobody's turn to ask ends by it. */
void aws_identities_learn(struct aws_identities *identities, struct text key_id,
                          const struct aws_identity *identity);
/* The latest that is known, whosever key it was: account and partition stay. False: none yet. */
MUST_CHECK bool aws_identities_latest(struct aws_identities *identities,
                                      struct aws_identity *identity_out);

#endif
