/* HTTPS out: curl_multi, connections kept and shared by all calls, and the gate: a request without
 * a permit that passes permit_check() is refused before a socket is opened.
 *
 *     any thread: http_send ─permit, URL─▶ outbound's thread ─▶ socket ─▶ done_fn
 *
 * What is urgent leaves on the sender's own thread: no other has to be woken for it first.
 *
 * Redirects are not followed. TLS (1.2 or later) is verified unless the request says otherwise;
 * plain http goes to loopback and link-local addresses, elsewhere only when the request allows it.
 * Proxies from the environment are honoured except for loopback, link-local and no_proxy. Nothing
 * is retried but a kept connection that the peer had closed before any byte of the answer came.
 *
 * Ownership:  a request is copied by http_send(); the response belongs to the transfer and is valid
 *             during done_fn. A reply of http_call() is the caller's, to http_reply_free().
 * Threads:    any thread may send (one at a time drives libcurl, without waiting for anybody's
 *             network); done_fn runs on the client's thread and must not block, which
 *             forbids http_call() there.
 * Bounds:     response <= response_limit_bytes (0: HTTP_RESPONSE_BYTES), its headers <=
 *             HTTP_HEADER_BYTES, time <= timeout_ms in all. */
#ifndef RIPOSTE_OUTBOUND_HTTP_H
#define RIPOSTE_OUTBOUND_HTTP_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/outbound/permit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_RESPONSE_BYTES (1024 * 1024)
#define HTTP_HEADER_BYTES   (64 * 1024)
#define HTTP_HEADERS        128

struct http_client;

struct http_options {
    const char *ca_file;        /* NULL: the system's */
    int64_t connect_timeout_ms; /* 0: 3000 */
    const char *user_agent;     /* NULL: "riposte/<version>" */
};

MUST_CHECK bool http_client_new(const struct http_options *options, struct http_client **client_out,
                                struct error *error);
/* Ends: transfers under way fail with ERROR_BUSY, then the thread is joined. */
void http_client_free(struct http_client **client);

struct http_header {
    struct text name, value;
};

struct http_request {
    struct text method, url;
    const struct http_header
        *headers; /* Host and Content-Length are made; "Expect" is never sent */
    size_t header_count;
    struct text body;
    int64_t timeout_ms; /* 0: 10000 */
    size_t response_limit_bytes;
    bool skip_verification; /* own calls to loopback with a self-made certificate only */
    const char *ca_file;    /* for this request; NULL: the client's */
    bool no_proxy;
    bool is_urgent;        /* on a kept connection it has left when http_send() returns */
    bool allow_plain_http; /* to any host: where an operator configured an http:// URL */
};

struct http_response {
    int status;
    struct text body;
    const struct http_header *headers;
    size_t header_count;
    int64_t took_us;
    bool was_kept_connection;
};

/* The value of the first header of that name (case ignored), or the empty text. */
struct text http_response_header(const struct http_response *response, const char *name);

/* `response` is NULL when no answer came; then `error` says why (ERROR_SYSTEM network or TLS,
 * ERROR_LIMIT body too large or timeout, ERROR_BUSY ending) and may_have_arrived whether the
 * request could have reached the peer. */
typedef void http_done_fn(void *arg, const struct http_response *response, bool may_have_arrived,
                          const struct error *error);

/* ERROR_DENIED: no permit; ERROR_INVALID: url. Otherwise done_fn is called exactly once. */
MUST_CHECK bool http_send(struct http_client *client, const struct permit *permit,
                          const struct http_request *request, http_done_fn *done_fn, void *arg,
                          struct error *error);

/* Sends and waits. False, with *may_have_arrived_out (may be NULL) as in http_done_fn, when no
 * answer came or nothing was sent. */
struct http_reply {
    struct http_response response;
    struct arena *arena;
};
void http_reply_free(struct http_reply **reply);
MUST_CHECK bool http_call(struct http_client *client, const struct permit *permit,
                          const struct http_request *request, struct http_reply **reply_out,
                          bool *may_have_arrived_out, struct error *error);

/* Opens a connection to the URL's host with a GET of "/", whatever that answers, so that the first
 * call finds it open (libcurl pools only connections that carried a request). Same gate. */
MUST_CHECK bool http_warm(struct http_client *client, const struct permit *permit, struct text url,
                          struct error *error);

/* Requests handed to sockets since the start, warming ones included: observe's proof. */
uint64_t http_sent_requests(const struct http_client *client);

#endif
