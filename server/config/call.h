/* What rules and playbooks have in common: a call with its parameters, and the members that several
 * kinds of step take. */
#ifndef RIPOSTE_SERVER_CONFIG_CALL_H
#define RIPOSTE_SERVER_CONFIG_CALL_H

#include "form.h"
#include "scope.h"

/* "call" and "with" of `object`. */
struct call_template call_read(const struct reading *reading, const struct scope *scope,
                               const struct json *object);
/* The same for a call that may only ask: a write is a finding. `what`: "a \"verify\"". */
struct call_template call_read_question(const struct reading *reading, const struct scope *scope,
                                        const struct json *object, const char *what);
/* A member that is a template's text; empty when it isn't there. */
struct text call_read_template(const struct reading *reading, const struct scope *scope,
                               const struct json *object, const char *name);
/* "matches", a pattern over the answer; NULL when it isn't there. */
const struct json *call_read_matches(const struct reading *reading, const struct scope *scope,
                                     const struct json *object);

#endif
