/* Which path of the admin listener is whose. Private to the folder.
 *
 * A handler's arg is the admin; it answers now, or an errand does later. A new route is a line in
 * the table of routes.c, a handler here, and a path in the API's description (openapi.json). */
#ifndef RIPOSTE_SERVER_OPERATE_ROUTES_H
#define RIPOSTE_SERVER_OPERATE_ROUTES_H

#include "admin_parts.h"

#define ROUTE_INCIDENTS "/v1/incidents"
#define ROUTE_RULES     "/v1/rules"

/* Fills admin->routes; the table lives as long as the admin. */
void routes_fill(struct admin *admin);

route_fn handle_metrics, handle_health, handle_ready; /* health.c */
route_fn handle_list, handle_show;                    /* incidents.c */
route_fn handle_act;                                  /* act.c */
route_fn handle_stream;                               /* feed.c */
route_fn handle_recent;                               /* events.c */
route_fn handle_status;                               /* status.c */
route_fn handle_plan;                                 /* playground.c */
route_fn handle_rules;                                /* rules.c */
route_fn handle_audit;                                /* audit.c */
route_fn handle_reload;                               /* reload.c */
route_fn handle_backup, handle_orphans;               /* errands.c */
route_fn handle_openapi;                              /* openapi.c */
route_fn handle_drill, handle_last_drill;             /* drill.c */

#endif
