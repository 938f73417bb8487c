/* One "${...}" of a template's text, taken apart:
 *
 *     "${" path { "|" filter } [ ":-" default ] "}"
 *
 * The default is a template's text itself and may hold placeholders. "$${" is no placeholder but
 * spells "${".
 *
 * Ownership:  texts point into the template's text.
 * Threads:    pure.
 * Bounds:     defaults nest PLACEHOLDER_DEPTH deep. */
#ifndef RIPOSTE_SERVER_CONFIG_PLACEHOLDER_H
#define RIPOSTE_SERVER_CONFIG_PLACEHOLDER_H

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>

#define PLACEHOLDER_DEPTH 8

struct placeholder {
    struct text path;
    struct text filters; /* "json|urldecode"; may be empty */
    bool has_default;
    struct text fallback;
    size_t start, end; /* of the "$", and behind the "}" */
};

enum filter {
    FILTER_JSON,
    FILTER_URLDECODE,
    FILTER_ARN_ACCOUNT,
    FILTER_ARN_REGION,
    FILTER_ARN_NAME,
    FILTER_FINGERPRINT,
    FILTER_LINE,
    FILTER_COUNT,
};

/* Cuts the first filter off *filters; false when there is none left. Only for what
 * placeholder_next() let pass. */
bool filter_next(struct text *filters, enum filter *filter_out);

/* The first placeholder from `from` on; `start` is text.bytes when there is none. ERROR_INVALID
 * when one is malformed, its default included. */
MUST_CHECK bool placeholder_next(struct text text, size_t from, struct placeholder *placeholder_out,
                                 struct error *error);

/* A line a filter: its name, what it does. */
void filters_help(struct buffer *out);

#endif
