/* A peer on loopback for tests of what calls out: an HTTP/1.1 server, plain or TLS with a
 * certificate of its own, that answers with what the test says.
 *
 * Ownership:  stand_in_start()/stand_in_stop(), which also ends its connections.
 * Threads:    one a connection; answer_fn runs on them, one at a time. What it touches is the
 * test's to read when the answer has come. Bounds:     requests of at most 4 MiB; port chosen by
 * the kernel. */
#ifndef RIPOSTE_TESTS_STAND_IN_H
#define RIPOSTE_TESTS_STAND_IN_H

#include "riposte/base/buffer.h"
#include "riposte/base/text.h"

#include <stdbool.h>

struct stand_in;

struct stand_in_exchange {
    struct text head, body; /* of the request; head: request line and headers */
    int connection;         /* the how-manieth, from 1 */
    int request;            /* of all, from 1 */
    struct buffer *answer;  /* head and body, as they go out; nothing: the caller waits */
    bool close_after;       /* ends the connection behind the answer */
};
typedef void stand_in_fn(void *arg, struct stand_in_exchange *exchange);

struct stand_in *stand_in_start(bool is_tls, stand_in_fn *answer_fn, void *arg);
void stand_in_stop(struct stand_in **stand_in);

/* "https://localhost:40123" or "http://...". */
const char *stand_in_origin(const struct stand_in *stand_in);
/* A file with the certificate, to trust it; gone after stand_in_stop(). */
const char *stand_in_ca_file(const struct stand_in *stand_in);
int stand_in_requests(const struct stand_in *stand_in);
int stand_in_connections(const struct stand_in *stand_in);
/* Closes the connections that are open now, as a peer does with idle ones; waits until they are. */
void stand_in_drop_connections(struct stand_in *stand_in);

/* A whole answer with its Content-Length. `headers`: "" or lines that end in \r\n. */
void stand_in_answer(struct stand_in_exchange *exchange, int status, const char *headers,
                     struct text body);
/* The value of a request's header, or the empty text. */
struct text stand_in_header(const struct stand_in_exchange *exchange, const char *name);

#endif
