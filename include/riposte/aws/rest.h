/* A playbook's "request", rendered, as the parts of an HTTP request: what REST calls need beside
 * the operation's name.
 *
 *     {"method": "PUT", "path": "/detector/%41", "query": {"policy": "", "tagKeys": ["a", "b"]},
 *      "headers": {"x-amz-account-id": "123456789012"}, "host_prefix": "123456789012.",
 *      "body": {"json": ...} or {"xml": {"root", "namespace", "value"}} or {"raw": "text"}}
 *
 * What a template put into the path must be percent-encoded by then; what is left of other bytes is
 * encoded here, and what could lead elsewhere (dot segments) is refused. A query parameter with an
 * empty value goes out as its bare name.
 *
 * Ownership:  everything is in the caller's arena.
 * Threads:    pure.
 * Bounds:     REST_HEADERS; PROTOCOL_BODY_BYTES.
 * Source:     RULES.md, Playbooks; FACTS.md 5. */
#ifndef RIPOSTE_AWS_REST_H
#define RIPOSTE_AWS_REST_H

#include "riposte/aws/service.h"
#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/json/tree.h"
#include "riposte/outbound/http.h"

#include <stdbool.h>
#include <stddef.h>

#define REST_HEADERS 16

struct aws_rest {
    struct text method, path, query, host_prefix, body;
    struct http_header headers[REST_HEADERS]; /* the request's own, and Content-Type for JSON */
    size_t header_count;
};

/* ERROR_INVALID names the part that is wrong; ERROR_LIMIT: too large. Also good for checking a
 * request whose placeholders have something in their place. */
MUST_CHECK bool aws_rest_read(const struct aws_service *service, const struct json *request,
                              struct arena *arena, struct aws_rest *rest_out, struct error *error);

#endif
