/* A call as the HTTP request that AWS takes, and its signature: five protocols in, one shape out.
 *
 *     query, EC2   POST /   Action=...&Version=...                 protocol.h
 *     JSON         POST /   X-Amz-Target, compact JSON             protocol.h
 *     REST         the call's own method, path, query, body        rest.h
 *
 * Buckets whose name can be a label stand in the host name, as botocore has it; others, and all at
 * a configured endpoint, in the path.
 *
 * Ownership:  everything is in the caller's arena.
 * Threads:    pure, but for the environment.
 * Source:     FACTS.md 4.2, 5, 6. */
#ifndef RIPOSTE_AWS_REQUEST_H
#define RIPOSTE_AWS_REQUEST_H

#include "riposte/aws/client.h"
#include "riposte/aws/credentials.h"
#include "riposte/aws/environment.h"
#include "riposte/aws/rest.h"
#include "riposte/aws/service.h"
#include "riposte/aws/sigv4.h"
#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Those of a REST call, the protocol's own, and the signature's three. */
#define AWS_REQUEST_HEADERS (REST_HEADERS + 8)

struct aws_request {
    const struct aws_service *service;
    struct text method, url, authority, path, query, body;
    struct text signing_region;
    struct http_header headers[AWS_REQUEST_HEADERS]; /* before signing */
    size_t header_count;
    bool is_endpoint_configured; /* then it may be http:// */
};

/* ERROR_INVALID: what is wrong with the call; ERROR_LIMIT: too large. */
MUST_CHECK bool aws_request_make(const struct aws_environment *environment, struct text configured,
                                 const struct aws_call *call, struct arena *arena,
                                 struct aws_request *request_out, struct error *error);

/* The headers to send, Host left out; returns how many. `cache` may be NULL. */
size_t aws_request_sign(const struct aws_request *request,
                        const struct aws_credentials *credentials, int64_t signed_unix_ms,
                        struct sigv4_cache *cache, struct arena *arena,
                        struct http_header headers_out[AWS_REQUEST_HEADERS]);

#endif
