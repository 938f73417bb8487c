/* Reading the `post` and the `append` of a step. */
#ifndef RIPOSTE_SERVER_CONFIG_POST_H
#define RIPOSTE_SERVER_CONFIG_POST_H

#include "form.h"
#include "scope.h"

extern const struct form post_form;

/* NULL when `node` is none. */
const struct post *post_read(const struct reading *reading, const struct scope *scope,
                             const struct json *node);

extern const struct form append_form;

const struct append *append_read(const struct reading *reading, const struct scope *scope,
                                 const struct json *node);

#endif
