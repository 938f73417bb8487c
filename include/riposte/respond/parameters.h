/* A call's parameters on their way from a playbook to AWS, and what its answers are held against.
 *
 * Ownership:  results live in the caller's arena.
 * Threads:    pure.
 * Source:     RULES.md, Playbooks. */
#ifndef RIPOSTE_RESPOND_PARAMETERS_H
#define RIPOSTE_RESPOND_PARAMETERS_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/config/playbook.h"
#include "riposte/json/tree.h"

#include <stdbool.h>

/* `with` with placeholders filled; NULL gives {}. Of a REST call's request and of an edit see
 * playbook.h: what they give is marked alike. */
MUST_CHECK bool plan_parameters(const struct call_template *call, const struct json *context,
                                struct arena *arena, const struct json **parameters_out,
                                struct error *error);
/* The request that such parameters are, or the edit; NULL: neither. */
const struct json *plan_request(const struct json *parameters);
const struct json *plan_edit(const struct json *parameters);
/* What stands there beside the role that the call is made as; *role_out: the role, or empty. */
const struct json *plan_as(const struct json *parameters, struct text *role_out);
/* Is a value that begins with "riposte-" sent under a name? Then what was found there before is not
 * ours to restore: an attacker may have planted it. */
bool plan_names_our_own(const struct json *parameters);
/* The reverse of plan_as(). */
const struct json *plan_made_as(const struct json *parameters, struct text role,
                                struct arena *arena);
/* As the client wants it: each {"$json": value} becomes the value's JSON text. */
const struct json *plan_wire(const struct json *parameters, struct arena *arena);
/* As the step means it (`${sent...}`): each {"$json": value} becomes the value; of a REST call the
 * request. */
const struct json *plan_sent(const struct json *parameters, struct arena *arena);

/* Fills the placeholders of `matches`, compiles it and tries it. ERROR_INVALID, ERROR_NOT_FOUND:
 * it can't be decided. */
MUST_CHECK bool plan_matches(const struct json *matches, const struct json *context,
                             const struct json *answer, struct arena *arena, bool *is_match_out,
                             struct error *error);
/* Why an answer doesn't match, in one line: what came in the first field that fails, what was
 * wanted. */
struct text plan_mismatch(const struct json *matches, const struct json *context,
                          const struct json *answer, struct arena *arena);
bool plan_tolerates(const struct texts *tolerate, struct text error_code);

#endif
