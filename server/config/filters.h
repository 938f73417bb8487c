/* What stands behind "|" in a placeholder, applied to a value.
 *
 * Ownership:  results live in the arena.
 * Threads:    pure. */
#ifndef RIPOSTE_SERVER_CONFIG_FILTERS_H
#define RIPOSTE_SERVER_CONFIG_FILTERS_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/json/tree.h"

#include <stdbool.h>

#define FINGERPRINT_DIGITS 16

/* Applies all of `filters` ("json|urldecode"), from left to right. ERROR_INVALID when one can't
 * work on the value, ERROR_NOT_FOUND when an ARN has no such part. */
MUST_CHECK bool filters_apply(struct text filters, const struct json *value, struct arena *arena,
                              const struct json **value_out, struct error *error);

#endif
