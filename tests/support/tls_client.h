/* A small HTTPS client for tests: raw bytes out, answers in. Trusts every certificate.
 *
 * Ownership:  tls_client_open()/tls_client_close(); an answer is the caller's (http_answer_done).
 * Threads:    a client belongs to one thread.
 * Bounds:     waits at most TLS_CLIENT_WAIT_S for anything. */
#ifndef RIPOSTE_TESTS_TLS_CLIENT_H
#define RIPOSTE_TESTS_TLS_CLIENT_H

#include "riposte/base/buffer.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_CLIENT_WAIT_S 10

struct tls_client;

/* To 127.0.0.1; NULL when refused or the handshake failed. */
struct tls_client *tls_client_open(uint16_t port);
/* `priorities` as GnuTLS writes them; NULL: its default. */
struct tls_client *tls_client_open_with(uint16_t port, const char *priorities);
/* Asks for another handshake on the same connection (TLS 1.2): was there one? */
bool tls_client_renegotiate(struct tls_client *client);
void tls_client_close(struct tls_client **client);
/* Closes the socket without a word. */
void tls_client_abort(struct tls_client **client);
bool tls_client_send(struct tls_client *client, struct text bytes);
bool tls_client_send_string(struct tls_client *client, const char *string);

struct http_answer {
    unsigned status; /* 0: the connection ended before a whole answer came */
    struct buffer head, body;
};
void http_answer_done(struct http_answer *answer);
/* Reads the next answer; 100 Continue is an answer. `has_body` false: of a HEAD request. */
bool tls_client_read(struct tls_client *client, bool has_body, struct http_answer *answer_out);
/* Reads what comes, heads and framing too, until `mark` was in it; the rest is kept. */
bool tls_client_read_until(struct tls_client *client, const char *mark, struct buffer *out);
/* The same of an answer in chunks: without head and framing, which it takes from here on. */
bool tls_client_read_body_until(struct tls_client *client, const char *mark, struct buffer *out);
/* The value of a header of the answer; empty when absent. */
struct text http_answer_header(const struct http_answer *answer, const char *name);
/* Waits for the server to close the connection, throwing away what comes before that. */
bool tls_client_is_closed(struct tls_client *client);

/* Opens, sends one request with these headers (each line with its "\r\n", may be "") and body,
 * reads the answer, closes. False when there was none. */
bool https_request(uint16_t port, const char *method, const char *path, const char *headers,
                   struct text body, struct http_answer *answer_out);

#endif
