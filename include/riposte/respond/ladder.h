/* The ladder of a role: sessions are many, and whoever holds a role opens another. A `first_of`
 * with `ladder` is climbed by all who give it the same holder: one who offends while another is
 * contained by it is contained by a link of its own, and the ladder goes on besides.
 *
 *     one    deny-session                            an escape of one: revoke-sessions, deny-role
 *     two    deny-session and revoke-sessions
 *     three  deny-session and, got in although that stood, the link behind it, if there is one
 *
 * Ownership:  texts live in the caller's arena.
 * Threads:    pure.
 * Source:     RULES.md, Playbooks. */
#ifndef RIPOSTE_RESPOND_LADDER_H
#define RIPOSTE_RESPOND_LADDER_H

#include "riposte/base/arena.h"
#include "riposte/base/text.h"
#include "riposte/config/playbook.h"
#include "riposte/journal/journal.h"
#include "riposte/json/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whose ladder the playbook climbs for this context: "<account>/<role's unique id>". False: no
 * link of it is for this principal, or it has none. */
bool ladder_holder(const struct playbook *playbook, const struct json *context, struct arena *arena,
                   struct text *holder_out);

/* The link that is to be taken beside the principal's own, for an event of then. `effects`: what
 * contains any of the holder (journal_read_kin()). 0: none. */
size_t ladder_link(const struct step *chain, struct text principal_id,
                   const struct journal_effect *effects, size_t count, int64_t event_unix_ms);

#endif
