/* The events of one request: which rules they fire, and what the journal and the answer say about
 * them. Private to the folder.
 *
 * Ownership:  a batch and all it points to live in the arena it was read into, or in the body.
 * Threads:    one. */
#ifndef RIPOSTE_SERVER_INTAKE_BATCH_H
#define RIPOSTE_SERVER_INTAKE_BATCH_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/detect/ruleset.h"
#include "riposte/event/envelope.h"
#include "riposte/event/principal.h"
#include "riposte/intake/decode.h"
#include "riposte/journal/journal.h"
#include "riposte/observe/canary.h"
#include "riposte/observe/drill.h"
#include "setup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct batch_event {
    struct text text;
    struct envelope envelope;
    struct principal principal;
    const uint32_t *rules; /* that fire */
    size_t rule_count;
    struct journal_new_incident *incidents; /* one a rule */
    bool is_drill, is_canary;
};

/* What a request is judged by. */
struct batch_terms {
    const struct setup *setup;
    struct drill *drill;       /* may be NULL */
    struct canaries *canaries; /* likewise */
    int64_t received_unix_ms;
};

struct batch {
    struct batch_event *events;
    size_t count, match_count; /* match_count: events that fire a rule */
    bool is_array;
    int64_t received_unix_ms;
    struct trace trace; /* of all of them: whoever sent them gave one */
};

/* Matches every event. ERROR_INVALID and ERROR_LIMIT say what is wrong where, in an array with the
 * event's index in front. */
MUST_CHECK bool batch_read(const struct batch_terms *terms, const struct decoded *decoded,
                           struct match_scratch *scratch, struct arena *arena,
                           struct batch *batch_out, struct error *error);

/* What the journal is asked to store: one of match_count, in the order of the events that fire.
 * `body` is the whole request's, for a batch that is no array. The caller gives the blobs back
 * (batch_release) once the journal has them. */
struct journal_new_event *batch_to_journal(const struct batch *batch, struct blob *body,
                                           struct arena *arena);
void batch_release(struct journal_new_event *events, size_t count);

#endif
