/* Which handler a request goes to: a table, looked up by path, then method.
 *
 * Ownership:  the table is the caller's, usually static.
 * Threads:    pure. */
#ifndef RIPOSTE_INBOUND_ROUTE_H
#define RIPOSTE_INBOUND_ROUTE_H

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct request;

/* Must end in request_answer(), now or later. */
typedef void route_fn(void *arg, struct request *request);
/* Looks at the headers before the body comes. False: it has answered, and the body is thrown away
 * (a large one not even read: the connection is closed after the answer). */
typedef bool route_gate_fn(void *arg, struct request *request);

struct route {
    const char *method;      /* "GET" also serves HEAD */
    const char *path;        /* exact; one ending in '*' is a prefix */
    size_t body_limit_bytes; /* 413 beyond; 0: no body expected (what comes is thrown away) */
    route_gate_fn *gate_fn;  /* may be NULL */
    route_fn *handle_fn;
    void *arg;
};

/* The first route whose path fits; an exact path goes before a prefix. NULL when none fits, and
 * *is_path_known_out says whether another method would (405) or not (404). */
const struct route *route_find(const struct route *routes, size_t count, struct text method,
                               struct text path, bool *is_path_known_out);
/* What the `Allow` of a 405 says: "GET, HEAD, POST". */
void route_allow(const struct route *routes, size_t count, struct text path, struct buffer *out);

#endif
