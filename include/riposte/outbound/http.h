/* HTTPS out: one thread with curl_multi, connections kept and shared by all calls, and the gate: a
 * request without a permit that passes permit_check() is refused before a socket is opened.
 *
 * Ownership:  a request is copied by http_send(); the response belongs to the transfer and is valid
 * during done_fn. Threads:    any thread may send; done_fn runs on the client's thread and must not
 * block. http_call() waits. Bounds:     response <= response_limit_bytes (0: HTTP_RESPONSE_BYTES),
 * time <= timeout_ms in all. Redirects are not followed. TLS is verified unless options say
 * otherwise; proxies from the environment are honoured except for loopback, link-local and when
 * no_proxy is set. Nothing is retried here but a kept connection that the peer had closed before
 * any byte of the answer came. */
#ifndef RIPOSTE_OUTBOUND_HTTP_H
#define RIPOSTE_OUTBOUND_HTTP_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/outbound/permit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_RESPONSE_BYTES (1024 * 1024)

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

/* Opens a connection to the URL's host, so that the first call finds it warm. Same gate. */
MUST_CHECK bool http_warm(struct http_client *client, const struct permit *permit, struct text url,
                          struct error *error);

/* Bytes handed to sockets since the start: observe's proof. */
uint64_t http_sent_requests(const struct http_client *client);

#endif
