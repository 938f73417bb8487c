/* What lies between a TLS session and its socket. It can hold back a record until the next one
 * comes, so that the head and the body of an answer, which libmicrohttpd sends one by one, leave
 * together. And it knows when a request must have come: libmicrohttpd waits for ever for who sends
 * a byte now and then. Private to the folder.
 *
 * Ownership:  transport_attach/transport_free; it must outlive the session's last record.
 * Threads:    the connection's thread.
 * Bounds:     a record over TRANSPORT_HELD_BYTES is not held. */
#ifndef RIPOSTE_SERVER_INBOUND_TRANSPORT_H
#define RIPOSTE_SERVER_INBOUND_TRANSPORT_H

#include <stdint.h>

#define TRANSPORT_HELD_BYTES 512

struct transport;

/* `session` is a gnutls_session_t. */
struct transport *transport_attach(void *session, int fd);
void transport_free(struct transport **transport);
/* What is read after `until_mono_ms` ends the connection. */
void transport_expect(struct transport *transport, int64_t until_mono_ms);
/* Nothing is expected now; the first byte that comes begins a request, which must be there within
 * `within_ms` then. */
void transport_rest(struct transport *transport, int64_t within_ms);
/* The next record waits for the one after it. Only when that is certain to come. */
void transport_hold(struct transport *transport);

#endif
