/* Roles in other accounts: whom to become there, how to ask for it, and a keyring for each role
 * that is in use, so that a slow or refusing one holds up no other.
 *
 * Ownership:  aws_roles_new()/aws_roles_free(); keyrings that are found belong to the table.
 * Threads:    any; a thread a role, from its first use on.
 * Bounds:     AWS_ROLES_MAX roles.
 * Source:     STS API, AssumeRole. */
#ifndef RIPOSTE_AWS_ROLE_H
#define RIPOSTE_AWS_ROLE_H

#include "riposte/aws/client.h"
#include "riposte/aws/credentials.h"
#include "riposte/aws/keyring.h"
#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/clock.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/json/tree.h"
#include "riposte/outbound/permit.h"

#include <stdbool.h>

#define AWS_ROLES_MAX 1024

/* "${partition}" and "${account}" of the template filled in; ERROR_INVALID: an account that is
 * none, or what comes out is no ARN of a role. */
MUST_CHECK bool aws_role_arn(struct text template, struct text partition, struct text account,
                             struct arena *arena, struct text *role_out, struct error *error);
/* The account in the ARN of a role; empty when it is none. */
struct text aws_role_account(struct text role);
/* The parameters of sts:AssumeRole. */
const struct json *aws_role_parameters(const struct aws_role_options *options, struct text role,
                                       struct arena *arena);

/* Fetches credentials of `role`; may block. */
typedef bool aws_assume_fn(void *arg, struct text role, const struct permit *permit,
                           struct aws_credentials **credentials_out, struct error *error);

struct aws_roles;

struct aws_roles_options {
    const struct clock *clock;
    aws_assume_fn *assume_fn;
    void *assume_arg;
    aws_key_fn *key_fn; /* may be NULL */
    void *key_arg;
};

struct aws_roles *aws_roles_new(const struct aws_roles_options *options);
/* From now on whoever waits, or would, gets ERROR_BUSY. */
void aws_roles_stop(struct aws_roles *roles);
/* Stops; waits for fetches under way. */
void aws_roles_free(struct aws_roles **roles);
/* The keyring of `role`, made when there is none yet. ERROR_LIMIT: too many; ERROR_BUSY: stopped;
 * ERROR_SYSTEM: no thread. */
MUST_CHECK bool aws_roles_find(struct aws_roles *roles, struct text role,
                               struct aws_keyring **keyring_out, struct error *error);

#endif
