#include "routes.h"

#include "console.h"
#include "gate.h"

#include "riposte/base/memory.h"

#define PLAN_BYTES (1024u * 1024)

static const struct {
    const char *method, *path;
    size_t body_limit_bytes;
    route_gate_fn *gate_fn;
    route_fn *handle_fn;
} table[] = {
    {"GET", "/metrics", 0, gate_view, handle_metrics},
    {"GET", ROUTE_INCIDENTS, 0, gate_view, handle_list},
    {"GET", ROUTE_INCIDENTS "/*", 0, gate_view, handle_show},
    {"POST", ROUTE_INCIDENTS "/*", BODY_BYTES, gate_operate, handle_act},
    {"GET", "/v1/stream", 0, gate_view, handle_stream},
    {"GET", "/v1/events/recent", 0, gate_view, handle_recent},
    {"GET", "/v1/openapi.json", 0, gate_view, handle_openapi},
    {"GET", "/v1/status", 0, gate_view, handle_status},
    {"GET", ROUTE_RULES, 0, gate_view, handle_rules},
    {"GET", ROUTE_RULES "/*", 0, gate_view, handle_rules},
    {"POST", "/v1/plan", PLAN_BYTES, gate_view, handle_plan},
    {"GET", "/v1/audit", 0, gate_view, handle_audit},
    {"POST", "/v1/reload", BODY_BYTES, gate_operate, handle_reload},
    {"POST", "/v1/journal/backup", BODY_BYTES, gate_operate, handle_backup},
    {"POST", "/v1/orphans", BODY_BYTES, gate_operate, handle_orphans},
    {"POST", "/v1/drill", BODY_BYTES, gate_operate, handle_drill},
    {"GET", "/v1/drill", 0, gate_view, handle_last_drill},
    {"GET", "/", 0, gate_console, console_list},
    {"GET", CONSOLE_INCIDENTS "*", 0, gate_console, console_incident},
    {"POST", CONSOLE_INCIDENTS "*", CONSOLE_FORM_BYTES, gate_console_form, console_act},
    {"GET", "/timeline", 0, gate_console, console_times},
    {"GET", CONSOLE_RULES, 0, gate_console, console_rules},
    {"GET", CONSOLE_RULES "/*", 0, gate_console, console_rules},
    {"GET", "/playground", 0, gate_console, console_try_page},
    {"POST", "/playground", CONSOLE_TRY_BYTES, gate_console_form, console_try},
    {"GET", "/health", 0, gate_console, console_health},
    {"GET", "/stream", 0, gate_console, console_stream},
    {"GET", "/login", 0, NULL, console_login_page},
    {"POST", "/login", CONSOLE_FORM_BYTES, NULL, console_login},
    {"POST", "/logout", CONSOLE_FORM_BYTES, gate_console_form, console_logout},
    {"GET", "/console.css", 0, NULL, console_style},
    {"GET", "/console.js", 0, NULL, console_script},
    {"GET", "/console.svg", 0, NULL, console_icon},
    {"GET", "/healthz", 0, NULL, handle_health},
    {"GET", "/readyz", 0, NULL, handle_ready},
};

void routes_fill(struct admin *admin) {
    admin->route_count = ARRAY_COUNT(table);
    admin->routes = memory_new_array(admin->route_count, sizeof(*admin->routes));
    for (size_t i = 0; i < admin->route_count; i++) {
        admin->routes[i] = (struct route){table[i].method,           table[i].path,
                                          table[i].body_limit_bytes, table[i].gate_fn,
                                          table[i].handle_fn,        admin};
    }
}
