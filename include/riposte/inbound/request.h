/* One request in the hands of a gate or a handler, and its one answer.
 *
 *     reading ──▶ handled ──▶ suspended        handled: a handler has it, on the listener's thread
 *        │           │            │            suspended: it returned without an answer
 *        └───────────┴────────────┴──▶ answered
 *
 * Ownership:  a request belongs to its listener. A gate that says false, and every handler, owes
 *             exactly one request_answer(), after which the request is gone. The body is a blob:
 *             take a reference to keep it.
 * Threads:    whoever holds the request; request_answer() from any thread, also while the handler
 *             still runs on another.
 * Bounds:     texts are valid until request_answer(). */
#ifndef RIPOSTE_INBOUND_REQUEST_H
#define RIPOSTE_INBOUND_REQUEST_H

#include "riposte/base/blob.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request;

struct text request_method(const struct request *request);
/* Percent-decoded, without the query. */
struct text request_path(const struct request *request);
/* The value; name in any case. Empty when absent, empty, or there more than once:
 * request_header_count() tells them apart. */
struct text request_header(const struct request *request, const char *name);
size_t request_header_count(const struct request *request, const char *name);
/* Percent-decoded; empty when absent or without a value. */
struct text request_query(const struct request *request, const char *name);
/* The client's address as text, without the port. */
struct text request_peer(struct request *request);
/* NULL when there was none. */
struct blob *request_body(const struct request *request);
/* When its first line was read, monotonic us: for the reaction histogram. */
int64_t request_began_mono_us(const struct request *request);

struct answer_header {
    const char *name, *value; /* without line breaks */
};

struct answer {
    unsigned status;
    const char *content_type;            /* NULL: application/json */
    struct text body;                    /* copied */
    unsigned retry_after_s;              /* 0: no such header */
    const char *allow;                   /* of a 405 */
    const char *challenge;               /* WWW-Authenticate, of a 401 */
    struct text location;                /* empty: none */
    bool is_last;                        /* the connection is closed after it */
    const struct answer_header *headers; /* more of them */
    size_t header_count;
};
void request_answer(struct request *request, const struct answer *answer);
/* {"error": what} with the status. */
void request_answer_error(struct request *request, unsigned status, const char *what);
/* The same with Retry-After. */
void request_answer_busy(struct request *request, unsigned status, const char *what,
                         unsigned retry_after_s);

#endif
