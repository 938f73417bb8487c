/* An answer that goes on: parts are pushed as they come about and sent as the client takes them,
 * by the listener's own thread; in between the connection is suspended.
 *
 *     stream_begin ──▶ open ──▶ closed      stream_end(), a reader too slow, the client gone
 *
 * Ownership:  stream_begin() answers the request and gives its caller a stream, which it owes one
 *             stream_end(): until then the request counts as not answered (listener_pending()).
 * Threads:    one at a time over a stream, but any.
 * Bounds:     STREAM_HELD_BYTES that the client has not taken: beyond, it is disconnected. Of a
 *             suspended connection nobody hears that its client closed it: ask stream_is_heard().
 *             One that is gone without a word shows when something is sent: push now and then.
 * Source:     FACTS.md 11 (what bites in libmicrohttpd). */
#ifndef RIPOSTE_INBOUND_STREAM_H
#define RIPOSTE_INBOUND_STREAM_H

#include "riposte/base/attributes.h"
#include "riposte/base/text.h"
#include "riposte/inbound/request.h"

#include <stdbool.h>
#include <stddef.h>

#define STREAM_HELD_BYTES (256u * 1024)

struct stream;

/* 200 with this content type, never to be cached; in place of request_answer(). */
struct stream *stream_begin(struct request *request, const char *content_type);
/* Copies `part`. False: the client is gone, or too slow and disconnected; end it. */
MUST_CHECK bool stream_push(struct stream *stream, struct text part);
/* Bytes that the client has not taken yet: who has much to say waits until they are few. */
size_t stream_unsent(struct stream *stream);
/* False: the client is gone, or has closed its side; end it. */
bool stream_is_heard(struct stream *stream);
/* What was pushed is sent, then the answer is over. */
void stream_end(struct stream **stream);

#endif
