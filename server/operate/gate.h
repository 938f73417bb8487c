/* Who asks, and may they? Private to the folder.
 *
 * Threads:    the admin listener's, and that of an errand. */
#ifndef RIPOSTE_SERVER_OPERATE_GATE_H
#define RIPOSTE_SERVER_OPERATE_GATE_H

#include "admin_parts.h"

#include "riposte/base/arena.h"
#include "riposte/base/text.h"
#include "riposte/inbound/request.h"

#include <stdbool.h>

/* Makes the metrics known. */
void gate_register(void);

/* Route gates (arg: the admin): 401 without a token that is known (429 when that happens often: as
 * intake, strikes.h), 403 with the wrong role, and for a POST that a page of another origin
 * sends. */
route_gate_fn gate_view;
route_gate_fn gate_operate;

/* Whose token it is, into `arena`. The gate has let it in, but a reload may have come. */
bool gate_who(struct admin *admin, const struct request *request, struct arena *arena,
              struct text *name_out, enum admin_role *role_out);
/* The token's name, which the audit keeps, into `arena`; false after a 401: it may not act (any
 * more). */
bool gate_actor(struct admin *admin, struct request *request, struct arena *arena,
                struct text *actor_out);

#endif
