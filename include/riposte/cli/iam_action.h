/* What a call needs to be allowed: the names of IAM actions, which are mostly, but not always,
 * those of the operations.
 *
 * Ownership:  names live in the caller's arena.
 * Threads:    pure.
 * Source:     Service Authorization Reference; the tables are what differs there from botocore's
 *             operation names. */
#ifndef RIPOSTE_CLI_IAM_ACTION_H
#define RIPOSTE_CLI_IAM_ACTION_H

#include "riposte/base/arena.h"
#include "riposte/config/playbook.h"
#include "riposte/config/settings.h"

/* The actions ("s3:GetLifecycleConfiguration") of the call, its own first; with roles and tags
 * among its parameters also those that hand them over. */
struct texts iam_actions(const struct call_template *call, struct arena *arena);

#endif
