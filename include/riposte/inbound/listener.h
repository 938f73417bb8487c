/* An HTTPS listener: TLS, routes, limits. Knows no events.
 *
 * A route's handler is called once the whole body is there, on one of the listener's threads, and
 * either answers at once or keeps the request and answers later from any thread: meanwhile the
 * connection is suspended and no thread waits.
 *
 *     start ──▶ drain ──▶ quiesce ──▶ (everything that is pending is answered) ──▶ stop
 *
 * What is wrong with a request before a handler sees it is answered here: bad framing 400, unknown
 * path 404, method 405, body 413, headers 431, too many bodies in memory or draining 503. A body
 * that is not wanted is read and thrown away before the answer: a client that is still sending when
 * the connection is closed loses the answer. One that asks first (Expect: 100-continue) or says
 * that it has more than LISTENER_DISCARD_BYTES is answered at once.
 *
 * The certificate is the one of served_certificate_set(), which must have been called.
 *
 * Ownership:  listener_stop() frees it.
 * Threads:    handlers run on up to `threads` threads at once. start to stop: one thread.
 * Bounds:     limits below. Headers over LISTENER_HEADER_BYTES: 431. A connection without traffic
 *             for idle_ms is closed; one that no gate has let in yet, after request_ms, and when
 *             three quarters of all connections are taken the oldest of those gives way to a new
 *             one. A head or a body that takes longer than request_ms ends its connection. Of a
 *             body that nobody wants at most LISTENER_DISCARD_BYTES are read before that.
 * Source:     FACTS.md 1.2 (what EventBridge sends), 11 (what bites in libmicrohttpd). */
#ifndef RIPOSTE_INBOUND_LISTENER_H
#define RIPOSTE_INBOUND_LISTENER_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/inbound/request.h"
#include "riposte/inbound/route.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LISTENER_HEADER_BYTES  (16u * 1024)
#define LISTENER_DISCARD_BYTES (8u * 1024 * 1024)

struct listener;

struct listener_limits {
    unsigned threads;                 /* that serve it */
    unsigned connections;             /* in all */
    unsigned connections_per_address; /* 0: no limit of its own */
    unsigned request_ms;              /* for the handshake and a request's head, then for its body;
                                         0: as idle_ms */
    size_t memory_bytes;              /* bodies held by all requests together: 503 beyond */
    unsigned idle_ms;                 /* rounded up to whole seconds; an ALB in front keeps its
                                         connections for 60 s and wants more here */
};

struct listener_options {
    const char *name; /* "intake", "admin": for logs, metrics and thread names */
    const char *address;
    uint16_t port;              /* 0: the kernel chooses, listener_port() tells */
    bool has_socket;            /* one that listens already: address and port are not looked at */
    int socket;                 /* a copy is made of it */
    const struct route *routes; /* must outlive the listener */
    size_t route_count;
    struct listener_limits limits;
};

MUST_CHECK bool listener_start(const struct listener_options *options,
                               struct listener **listener_out, struct error *error);
uint16_t listener_port(const struct listener *listener);
/* New requests get 503 with Retry-After from now on. */
void listener_drain(struct listener *listener);
/* Takes no connection any more (on a socket from outside they wait for its next server); requests
 * under way go on. First step of stopping. */
void listener_quiesce(struct listener *listener);
/* Requests that were handed to a handler and aren't answered. */
size_t listener_pending(const struct listener *listener);
/* Waits for answers that are on their way to clients (at most 2 s), stops and frees. All requests
 * must have been answered: assert. */
void listener_stop(struct listener **listener);

#endif
