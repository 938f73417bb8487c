/* What rules and playbooks have in common: a call with its parameters, and the members that several
 * kinds of step take. */
#ifndef RIPOSTE_SERVER_CONFIG_CALL_H
#define RIPOSTE_SERVER_CONFIG_CALL_H

#include "form.h"
#include "scope.h"

/* "call" and "with" or "request" of `object`. */
struct call_template call_read(const struct reading *reading, const struct scope *scope,
                               const struct json *object);
/* The same for a call that may only ask: a write is a finding. `what`: "a \"verify\"". */
struct call_template call_read_question(const struct reading *reading, const struct scope *scope,
                                        const struct json *object, const char *what);
/* An "edit": the step's call and the one that takes it back. NULL when something was wrong. */
const struct edit *call_read_edit(const struct reading *reading, const struct scope *scope,
                                  const struct json *node, struct call_template *call_out,
                                  struct call_template *undo_out);
/* A member that is a template's text; empty when it isn't there. */
struct text call_read_template(const struct reading *reading, const struct scope *scope,
                               const struct json *object, const char *name);
/* The call as another role (a template); an empty one changes nothing. */
void call_as(const struct reading *reading, struct text role, struct call_template *call);
/* "matches", a pattern over the answer; NULL when it isn't there. */
const struct json *call_read_matches(const struct reading *reading, const struct scope *scope,
                                     const struct json *object);

#endif
