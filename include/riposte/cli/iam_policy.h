/* The least policies with which the loaded rules and playbooks can do all they may come to do: one
 * of the role that the server runs as, one of the role that it becomes in another account. A call
 * counts where its step says that it is made; one that says nothing, everywhere.
 *
 *     Ask, Act                        calls of global services, or with a Region of their own
 *     AskInRegions, ActInRegions      the others, when aws.regions names some
 *     ActInOrganization               in another account: what acts on the organization's
 *     ManagePolicies                  attaching and detaching, only of the policies that are named
 *     BecomeRoles                     ours: the roles of other accounts; of any account of the
 *                                     organization, when that says which
 *
 * In another account what acts is bound to the resources of that account.
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

#include <stdbool.h>

/* What a managed policy may have, and the inline policies of a role together; white space doesn't
 * count. Source: IAM user guide, quotas. */
#define IAM_POLICY_MANAGED_CHARACTERS 6144
#define IAM_POLICY_INLINE_CHARACTERS  10240

/* Whose policy. */
struct iam_policy_role {
    bool is_member;      /* of the role in another account; else of our own */
    struct text account; /* which other; empty: one policy that does for each of them */
};

/* The same snapshot gives the same text: actions are sorted. */
const struct json *iam_policy_make(const struct snapshot *snapshot,
                                   const struct iam_policy_role *role, struct arena *arena);

#endif
