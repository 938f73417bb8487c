/* Is every path in our files one that can exist where it stands? A misspelt path would otherwise
 * never match, or fail a step in the middle of an incident.
 *
 * Threads:    pure. */
#ifndef RIPOSTE_SERVER_CONFIG_SCOPE_H
#define RIPOSTE_SERVER_CONFIG_SCOPE_H

#include "form.h"
#include "names.h"

struct scope {
    unsigned places;          /* enum name_place */
    const struct text *steps; /* the names of earlier steps, with NAME_STEPS */
    size_t step_count;
};

/* A template: malformed placeholders and paths that can't be. */
void scope_check_template(const struct reading *reading, const struct scope *scope,
                          const struct json *node);
/* A pattern over the context: must compile, its paths must be possible, and it holds no
 * placeholders. Gives the compiled pattern (NULL when something was wrong). */
struct pattern *scope_check_when(const struct reading *reading, const struct scope *scope,
                                 const struct json *node);
/* A pattern over an answer, which may hold placeholders: could it compile once they are filled? */
void scope_check_matches(const struct reading *reading, const struct scope *scope,
                         const struct json *node);
/* Every ${vars.x} without a default must be in `vars`. */
void scope_check_vars(const struct reading *reading, const struct json *node,
                      const struct json *vars);

#endif
