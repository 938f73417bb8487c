/* Denies of ours that no incident in the journal knows: it was lost, or begun anew.
 *
 * Ours are the inline policies of users and roles whose names begin "riposte-" and that hold a
 * statement with a Sid "Riposte" and an incident's id. One is known when an effect in the journal
 * has an inverse that deletes it. In all accounts that the settings name, and our own, IAM is asked
 * for all its users and roles, a page a call (iam:GetAccountAuthorizationDetails).
 *
 *     find ─▶ adopt: an incident, with the id it had, that is done and owns the deny
 *                └─▶ release: the same, and its undo, as an operator's
 *
 * What leaves has an operator's word (AUTHORITY_RELEASE), in every mode.
 *
 * Ownership:  lists live in the caller's arena.
 * Threads:    any but a worker's; waits for AWS.
 * Bounds:     ORPHANS_MAX at once. */
#ifndef RIPOSTE_RESPOND_ORPHANS_H
#define RIPOSTE_RESPOND_ORPHANS_H

#include "riposte/respond/respond.h"

#include <stdatomic.h>

#define ORPHANS_MAX 1000

enum orphans_action { ORPHANS_LIST, ORPHANS_ADOPT, ORPHANS_RELEASE };

/* Appends {"accounts":COUNT,"orphans":[{account kind name policy incident}],"failed":[{account
 * error}]}; what was done to one is in its "result": "adopted", "to be released", or why not.
 * `only`: ids of incidents, with commas between; empty: all. An error when it isn't
 * known who we are. */
MUST_CHECK bool respond_orphans(struct respond *respond, enum orphans_action action,
                                struct text only, struct text actor,
                                const atomic_bool *is_called_off, struct buffer *answer,
                                struct error *error);

#endif
