/* The id that ties together what one request caused, here and elsewhere: 32 hexadecimal digits, as
 * OpenTelemetry has them. It comes with a request, goes into the log and the journal, and leaves
 * with every call out.
 *
 *     traceparent: 00-<32 digits>-<16 digits>-<2 digits>
 *     X-Amzn-Trace-Id: Root=1-<8 digits>-<24 digits>;Parent=<16 digits>;Sampled=1
 *
 * A stranger may have written it: what has not exactly that form is as if it weren't there.
 *
 * Threads:    pure.
 * Source:     W3C Trace Context, 3.2; AWS X-Ray developer guide, Tracing header. */
#ifndef RIPOSTE_OBSERVE_TRACE_H
#define RIPOSTE_OBSERVE_TRACE_H

#include "riposte/base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define TRACE_ID_BYTES 16
#define TRACE_DIGITS   32
/* Of a traceparent, with its NUL. */
#define TRACE_PARENT_BYTES 56

/* Empty: none. */
struct trace {
    char text[TRACE_DIGITS + 1];
};

struct text trace_text(const struct trace *trace);
/* False, and *trace_out untouched: it is none. */
bool trace_from_parent(struct text traceparent, struct trace *trace_out);
bool trace_from_amazon(struct text header, struct trace *trace_out);
/* A stored one. */
bool trace_from_text(struct text digits, struct trace *trace_out);
/* A new one, of random bytes; all of them 0 is none. */
struct trace trace_make(const uint8_t random[TRACE_ID_BYTES]);
/* The header of a call out, sampled; `span`: random. */
void trace_parent(const struct trace *trace, uint64_t span, char out[TRACE_PARENT_BYTES]);

#endif
