/* What would have been done about past events, had the rules been in force: each event is matched
 * and played through as it comes, and kept as a few numbers; at the end these are put in the order
 * of their time, and thresholds, cooldowns, joins and limits decided as the journal would.
 *
 * As `plan` does it: the account is ours, AWS confirms whatever is asked, the clock stands at the
 * event's time, every rule is in enforce. Sessions of one role count as one principal here.
 *
 * Ownership:  history_new/free; what history_decide() gives lives in the history.
 * Threads:    one at a time.
 * Bounds:     HISTORY_MATCHES are kept (72 bytes each, and each name once), the rest counted. */
#ifndef RIPOSTE_CLI_HISTORY_H
#define RIPOSTE_CLI_HISTORY_H

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/config/snapshot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_MATCHES 1000000

struct history;

struct history *history_new(const struct snapshot *snapshot);
void history_free(struct history **history);
/* One event. ERROR_INVALID: it is none. */
MUST_CHECK bool history_add(struct history *history, struct text event, struct error *error);

/* Something said of matches, and how often. */
struct history_count {
    struct text what; /* "iam:PutUserPolicy"; a reason */
    size_t count;
};

struct history_counts {
    struct history_count *items; /* in the order in which they came up */
    size_t count, capacity;
};

struct history_principal {
    struct text id, name, arn, kind;
    struct text automation;   /* why it looks like no person; empty: it doesn't */
    size_t events, contained; /* over all rules; contained: incidents that write against it */
};

/* One rule and one principal. */
struct history_tally {
    const struct rule *rule;
    const struct history_principal *principal;
    size_t events, incidents, joined, held, suppressed, contained, unconfirmed;
    int64_t first_unix_ms, last_unix_ms;
    struct history_counts calls;   /* writes */
    struct history_counts reasons; /* of what was held, suppressed, or failed */
};

struct history_result {
    size_t events, matched_events;       /* known events twice count once */
    size_t not_kept;                     /* matches beyond HISTORY_MATCHES */
    int64_t first_unix_ms, last_unix_ms; /* of matches */
    /* Whom to look at first: who would be contained, automation before people, then by events. */
    const struct history_principal *const *principals;
    size_t principal_count;
    const struct history_tally *const *tallies; /* by rule, the busiest first */
    size_t tally_count;
};

/* Once, at the end. */
const struct history_result *history_decide(struct history *history);

/* For people. */
void history_print(const struct history_result *result, struct buffer *out);
struct json *history_to_json(const struct history_result *result, struct arena *arena);

#endif
