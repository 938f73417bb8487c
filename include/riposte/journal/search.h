/* Looking through all incidents: lists by what they are about, and how many there are. The journal
 * is asked slice by slice, so that nobody waits long for a commit meanwhile.
 *
 * Ownership:  what is found lives in the caller's arena.
 * Threads:    any; the caller waits.
 * Bounds:     a slice looks at SEARCH_SLICE incidents (about a millisecond); one search at most at
 *             SEARCH_SLICES of them, then it says where to go on. */
#ifndef RIPOSTE_JOURNAL_SEARCH_H
#define RIPOSTE_JOURNAL_SEARCH_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/journal/journal.h"

#include <stddef.h>
#include <stdint.h>

#define SEARCH_SLICE  4096
#define SEARCH_SLICES 64

/* What an incident must be; empty or 0: anything. */
struct journal_filter {
    uint32_t states; /* a bit set */
    struct text rule, severity, account;
    struct text principal;                /* its id or its name */
    int64_t since_unix_ms, until_unix_ms; /* made then (by their ids): since <= t < until */
};

/* The newest first, older than `before` (none: from the newest), at most `limit`, without plans.
 * *next_out (may be NULL) is the `before` of the next page, and none when that was all: new
 * incidents move nothing. A page may hold less, even nothing, and have a next one. */
MUST_CHECK bool journal_find_incidents(struct journal *journal, const struct ulid *before,
                                       const struct journal_filter *filter, size_t limit,
                                       struct arena *arena, struct journal_incident **incidents_out,
                                       size_t *count_out, struct ulid *next_out,
                                       struct error *error);

struct journal_rule_count {
    struct text rule;
    uint64_t incidents;
    int64_t latest_unix_ms; /* when the last one was made */
};

struct journal_census {
    uint64_t incidents, by_state[INCIDENT_STATES];
    struct journal_rule_count *rules; /* that have any, in no order */
    size_t rule_count;
};
/* Of all incidents that are kept. Looks at every one: not often. */
MUST_CHECK bool journal_take_census(struct journal *journal, struct arena *arena,
                                    struct journal_census *census_out, struct error *error);

#endif
