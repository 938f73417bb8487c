/* The admin listener's routes: /metrics, /v1/incidents, /v1/events/recent, /v1/rules, and an
 * operator's undo.
 *
 * Every route but /healthz and /readyz wants "Authorization: Bearer TOKEN"; a token has a name (the
 * actor in the audit) and a role: view may read, operate may act.
 *
 * Ownership:  admin_new/admin_free; free it after the listener that uses its routes has stopped.
 * Threads:    its handlers run on the admin listener's one thread, which may wait for the journal.
 * Source:     DESIGN.md, HTTP. */
#ifndef RIPOSTE_OPERATE_ADMIN_H
#define RIPOSTE_OPERATE_ADMIN_H

#include "riposte/base/attributes.h"
#include "riposte/base/clock.h"
#include "riposte/base/error.h"
#include "riposte/config/snapshot.h"
#include "riposte/inbound/route.h"
#include "riposte/journal/journal.h"
#include "riposte/observe/recent.h"

#include <stdbool.h>
#include <stddef.h>

struct admin;

struct admin_options {
    struct journal *journal;
    struct recent *recent;
    const struct clock *clock;
};

struct admin *admin_new(const struct admin_options *options);
void admin_free(struct admin **admin);

/* Takes a snapshot (by reference) and resolves its tokens. *has_token_out false: none is set, and
 * there must be no admin listener. ERROR_INVALID: a token that is set is too short, or two have one
 * name. */
MUST_CHECK bool admin_adopt(struct admin *admin, struct snapshot *snapshot, bool *has_token_out,
                            struct error *error);

const struct route *admin_routes(struct admin *admin, size_t *count_out);

#endif
