/* An HTTPS listener: TLS, routes, limits. Knows no events.
 *
 * A route's handler is called once the whole body is there, on one of the listener's threads, and
 * either answers at once or keeps the request and answers later from any thread: meanwhile the
 * connection is suspended and no thread waits.
 *
 * Ownership:  a request belongs to the listener; a handler that didn't answer owes exactly one
 * request_answer(), after which the request is gone. The body is a blob: take a reference to keep
 * it. Threads:    handlers run on up to `threads` threads at once; request_answer() may be called
 * from any. Bounds:     limits below. Headers over 16 KiB: 431. Slow or idle connections are closed
 * after idle_ms. Source:     FACTS.md 1.2 (what EventBridge sends), 11 (what bites in
 * libmicrohttpd). */
#ifndef RIPOSTE_INBOUND_LISTENER_H
#define RIPOSTE_INBOUND_LISTENER_H

#include "riposte/base/attributes.h"
#include "riposte/base/blob.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct listener;
struct request;

/* Must end in request_answer(), now or later. */
typedef void route_fn(void *arg, struct request *request);
/* Looks at the headers before the body comes; false: it has answered and the body is thrown away.
 */
typedef bool route_gate_fn(void *arg, struct request *request);

struct route {
    const char *method;      /* "GET" also serves HEAD */
    const char *path;        /* exact; one ending in '*' is a prefix */
    size_t body_limit_bytes; /* 413 beyond; 0: no body expected (what comes is thrown away) */
    route_gate_fn *gate_fn;  /* may be NULL */
    route_fn *handle_fn;
    void *arg;
};

struct listener_limits {
    unsigned threads;                 /* epoll threads */
    unsigned connections;             /* in all */
    unsigned connections_per_address; /* 0: no limit of its own */
    size_t memory_bytes;              /* bodies held by all requests together: 503 beyond */
    unsigned idle_ms;
};

struct listener_options {
    const char *name; /* "intake", "admin": for logs, metrics and thread names */
    const char *address;
    uint16_t port; /* 0: the kernel chooses, listener_port() tells */
    struct text certificate_pem, key_pem;
    const struct route *routes; /* must outlive the listener */
    size_t route_count;
    struct listener_limits limits;
};

MUST_CHECK bool listener_start(const struct listener_options *options,
                               struct listener **listener_out, struct error *error);
uint16_t listener_port(const struct listener *listener);
/* New requests get 503 with Retry-After from now on. */
void listener_drain(struct listener *listener);
/* Takes no connection any more; requests under way go on. First step of stopping. */
void listener_quiesce(struct listener *listener);
/* Requests that were handed to a handler and aren't answered. */
size_t listener_pending(const struct listener *listener);
/* Stops and frees. All requests must have been answered: assert. */
void listener_stop(struct listener **listener);

struct text request_method(const struct request *request);
struct text request_path(const struct request *request);
/* Empty when absent; name in any case. A header that occurs twice gives the empty text for has_one
 * false. */
struct text request_header(const struct request *request, const char *name);
size_t request_header_count(const struct request *request, const char *name);
struct text request_query(const struct request *request, const char *name);
struct text request_peer(const struct request *request);
/* NULL when there was none. */
struct blob *request_body(const struct request *request);
/* When its first byte was read, monotonic us: for the reaction histogram. */
int64_t request_began_mono_us(const struct request *request);

struct answer {
    unsigned status;
    const char *content_type; /* NULL: application/json */
    struct text body;         /* copied */
    unsigned retry_after_s;   /* 0: no such header */
    const char *allow;        /* of a 405 */
    struct text location;     /* empty: none */
};
void request_answer(struct request *request, const struct answer *answer);
/* {"error": what} with the status. */
void request_answer_error(struct request *request, unsigned status, const char *what);

#endif
