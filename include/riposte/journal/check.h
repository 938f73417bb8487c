/* Is a journal's file whole? Its pages and indexes, its audit chain, and what must hold between its
 * rows: every incident has its event, its rule's definition and its line in the chain; whatever is
 * under way has the task that goes on with it; every effect is owned by those who say so.
 *
 * Ownership:  nothing is kept; the file is not changed.
 * Threads:    any; reads the whole file, so not one that answers somebody.
 * Bounds:     at most CHECK_FINDINGS findings of a kind are told. */
#ifndef RIPOSTE_JOURNAL_CHECK_H
#define RIPOSTE_JOURNAL_CHECK_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/journal/journal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECK_FINDINGS 10

struct journal_checked {
    size_t finding_count; /* 0: it is whole */
    int64_t events, incidents, effects;
    int64_t sequence; /* of the last line of the chain; 0: it has none */
    uint8_t hash[JOURNAL_HASH_BYTES];
};

/* One finding, for people. */
typedef void journal_finding_fn(void *arg, const char *what);

/* ERROR_NOT_FOUND: there is no such file. ERROR_BUSY: a server holds it. ERROR_SYSTEM: it can't be
 * read. What is wrong inside is no error but a finding. */
MUST_CHECK bool journal_check(const char *path, journal_finding_fn *finding_fn, void *arg,
                              struct journal_checked *checked_out, struct error *error);

#endif
