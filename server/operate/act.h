/* What an operator may do to an incident: approve, dismiss, undo. Private to the folder.
 *
 * Ownership:  the incident's texts live in the arena.
 * Threads:    the admin listener's. */
#ifndef RIPOSTE_SERVER_OPERATE_ACT_H
#define RIPOSTE_SERVER_OPERATE_ACT_H

#include "admin_parts.h"

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"

#include <stdbool.h>

/* How far it goes. */
struct act_options {
    bool with_resources;       /* an undo, of what was done to resources too */
    bool overrides_protection; /* an approval, although the principal is protected */
};

struct act;

/* By its verb; NULL: there is none of that name. */
const struct act *act_find(struct text verb);
/* Does it, or finds it done or under way (*is_new_out false); *incident_out is how the incident is
 * then. What is new is logged. ERROR_INVALID: its state doesn't allow it. */
MUST_CHECK bool act_do(struct admin *admin, const struct act *act, const struct ulid *id,
                       struct text actor, const struct act_options *options, struct arena *arena,
                       struct journal_incident *incident_out, bool *is_new_out,
                       struct error *error);

#endif
