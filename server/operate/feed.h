/* Tells whoever listens what becomes of incidents: the audit chain, read on as it grows. One thread
 * for all listeners, which looks a few times a second while there are any.
 *
 *     GET /v1/stream          text/event-stream
 *     retry: 2000
 *     event: ready            data: {"sequence"}: from here on
 *     event: incident         data: {"sequence","time","change","actor","id","incident":{...}}
 *     event: note             data: {"sequence","time","change","actor"}: of the server itself
 *     event: reset            data: {"sequence"}: too much happened meanwhile: list anew
 *     : alive                 when there was nothing else for a while
 *
 * `id` is the sequence of the chain's line, so Last-Event-ID (or ?after=) goes on behind it, also
 * after a restart. `change` is the name of the audit line: a state, or what was done. Of an
 * incident that changed several times within one look the latest is told. One that is gone
 * ("forgotten") has no "incident".
 *
 * Ownership:  feed_new/feed_free.
 * Threads:    feed_add(): one at a time (the listener's thread); the others from any.
 * Bounds:     FEED_LISTENERS; one that is FEED_BACKLOG lines behind is told to list anew; one that
 *             takes nothing is told nothing more, and disconnected (listener.h). */
#ifndef RIPOSTE_SERVER_OPERATE_FEED_H
#define RIPOSTE_SERVER_OPERATE_FEED_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/inbound/request.h"
#include "riposte/journal/journal.h"

#include <stdint.h>

#define FEED_LISTENERS 16
#define FEED_BACKLOG   5000
#define FEED_LINES     256          /* read at once */
#define FEED_BYTES     (64u * 1024) /* a page ends when it has so many; the next waits for its end */
#define FEED_LOOK_MS   100
#define FEED_ALIVE_MS  15000
#define FEED_NOW       (-1)

struct feed;

struct feed *feed_new(struct journal *journal);
void feed_free(struct feed **feed);

/* Answers the request with what comes behind `after` (FEED_NOW: from now on). ERROR_BUSY: there are
 * enough of them, or it stops; the request is not answered then. */
MUST_CHECK bool feed_add(struct feed *feed, struct request *request, int64_t after,
                         struct error *error);
/* How many listen. */
size_t feed_listeners(struct feed *feed);
/* Ends them all: they come again, and show their tokens. */
void feed_drop(struct feed *feed);
/* Ends them all, and takes none any more. */
void feed_rest(struct feed *feed);

#endif
