/* What AWS will surely refuse, told before a call is sent: names and policy documents of IAM. A
 * playbook's next link is tried at once, without a round trip.
 *
 * Threads:    pure.
 * Source:     FACTS.md 7.2 (quotas; white space doesn't count), IAM API Reference (names). Only
 * what no quota increase lifts: what else an account holds, AWS alone knows. */
#ifndef RIPOSTE_AWS_QUOTA_H
#define RIPOSTE_AWS_QUOTA_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/json/tree.h"

#include <stdbool.h>

/* `parameters` as the client takes them: a policy document is a string. ERROR_LIMIT: too long;
 * ERROR_INVALID: characters that IAM doesn't take. The error names parameter, size and limit. */
MUST_CHECK bool aws_quota_check(struct text service, struct text operation,
                                const struct json *parameters, struct error *error);

#endif
