/* Cuts a stream of JSON into records without holding more than one: CloudTrail's log files
 * ({"Records": [...]}), answers of LookupEvents ({"Events": [...]}), arrays, JSON lines, and
 * objects one after another. Broken records are reported with their place and skipped: in JSON
 * lines the next line is read again, elsewhere the next element.
 *
 *     OUTSIDE ──{──▶ OBJECT ──"Records": [──▶ LIST ──{──▶ ELEMENT
 *        ▲ └───[──────────────────────────────▶ │ ▲──────────┘ emitted
 *        └──────────── emitted ┘     REST ◀──]──┘
 *
 * Ownership:  splitter_new/free; a record's text is valid during the call.
 * Threads:    one at a time.
 * Bounds:     holds at most SPLITTER_RECORD_BYTES. */
#ifndef RIPOSTE_CLI_SPLITTER_H
#define RIPOSTE_CLI_SPLITTER_H

#include "riposte/base/text.h"

#include <stddef.h>
#include <stdint.h>

#define SPLITTER_RECORD_BYTES ((size_t)2 * 1024 * 1024)

/* Where a record, or what is wrong, begins. */
struct splitter_place {
    uint64_t line, byte; /* lines from 1, bytes from 0, of what was fed */
};

struct splitter_sink {
    void (*record_fn)(void *arg, struct text record, const struct splitter_place *place);
    void (*problem_fn)(void *arg, const char *what, const struct splitter_place *place);
    void *arg;
};

struct splitter;

struct splitter *splitter_new(const struct splitter_sink *sink);
void splitter_free(struct splitter **splitter);
void splitter_feed(struct splitter *splitter, struct text bytes);
/* The stream is over; the splitter is ready for another. */
void splitter_end(struct splitter *splitter);

#endif
