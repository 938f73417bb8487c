/* Templates: JSON values whose strings may hold placeholders, filled from a context. Substitution
 * happens in the parsed tree, never in text, so nothing in an event can change a request's
 * structure.
 *
 *     ${path}  ${path|filter|filter}  ${path:-default}  ${path|filter:-default}
 *     filters: json (parse a string), urldecode, arn.account, arn.region, arn.name,
 *              fingerprint (the first 16 hexadecimal digits of the SHA-256)
 *
 * A string that is exactly one placeholder keeps the value's JSON type; inside longer text a
 * string, number or literal is inserted as written. "$${" stands for "${". Paths as json_find():
 * "detail.items[*].id". A default is a template itself and may hold placeholders; it stands in for
 * a path that leads nowhere (null is a value), and for a part that an ARN doesn't have. arn.name
 * of what is no ARN is the text itself: many APIs take a name or an ARN.
 *
 * Ownership:  results live in the arena, and share the values of the context and the template.
 * Threads:    pure.
 * Source:     RULES.md, The context. */
#ifndef RIPOSTE_CONFIG_TEMPLATE_H
#define RIPOSTE_CONFIG_TEMPLATE_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/json/tree.h"

#include <stdbool.h>

/* Is every placeholder in `node` well formed? ERROR_INVALID says what, *culprit_out (may be NULL)
 * is where. */
MUST_CHECK bool template_check(const struct json *node, const struct json **culprit_out,
                               struct error *error);

/* ERROR_NOT_FOUND: "${path}: not in the context"; ERROR_INVALID: the path occurs twice, or a filter
 * can't work on the value. A path with [*] outside `each` gives an array. */
MUST_CHECK bool template_render(const struct json *node, const struct json *context,
                                struct arena *arena, const struct json **value_out,
                                struct error *error);

/* The same for a text that must become a string (or number, as written). */
MUST_CHECK bool template_render_text(struct text text, const struct json *context,
                                     struct arena *arena, struct text *value_out,
                                     struct error *error);

/* The same for the path of a URL: what placeholders give is percent-encoded, "/" too, so that none
 * can lead to another resource. ERROR_INVALID: one gives an empty text. */
MUST_CHECK bool template_render_path(struct text text, const struct json *context,
                                     struct arena *arena, struct text *value_out,
                                     struct error *error);

/* For `each`: all values at the placeholder's path, an array's elements one by one. */
MUST_CHECK bool template_render_each(struct text text, const struct json *context,
                                     struct arena *arena, const struct json **array_out,
                                     struct error *error);

/* Calls path_fn for each placeholder's path in `node`: what a step depends on
 * ("steps.who.User.UserId"). */
typedef void template_path_fn(void *arg, struct text path);
void template_each_path(const struct json *node, template_path_fn *path_fn, void *arg);

/* What a template may name, and its filters, for people (names.c). */
void template_help(struct buffer *out);

#endif
