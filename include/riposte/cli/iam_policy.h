/* The least policy with which the loaded rules and playbooks can do all they may come to do.
 *
 *     Ask, Act                        calls of global services, or with a Region of their own
 *     AskInRegions, ActInRegions      the others, when aws.regions names some
 *     ManagePolicies                  attaching and detaching, only of the policies that are named
 *
 * A playbook names its targets when an event comes in: resources stay "*".
 *
 * Ownership:  lives in the caller's arena.
 * Threads:    pure. */
#ifndef RIPOSTE_CLI_IAM_POLICY_H
#define RIPOSTE_CLI_IAM_POLICY_H

#include "riposte/base/arena.h"
#include "riposte/config/snapshot.h"
#include "riposte/json/tree.h"

/* What a managed policy may have, and the inline policies of a role together; white space doesn't
 * count. Source: IAM user guide, quotas. */
#define IAM_POLICY_MANAGED_CHARACTERS 6144
#define IAM_POLICY_INLINE_CHARACTERS  10240

/* The same snapshot gives the same text: actions are sorted. */
const struct json *iam_policy_make(const struct snapshot *snapshot, struct arena *arena);

#endif
