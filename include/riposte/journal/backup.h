/* A copy of the store while everything goes on: in slices of about a millisecond between commits,
 * as a read is served, so intake never waits for it. What is committed meanwhile is in the copy: it
 * is the store as it is when the copy is complete.
 *
 * Threads:    any; the caller waits, the journal's thread copies, the caller's syncs.
 * Bounds:     one at a time: ERROR_BUSY. */
#ifndef RIPOSTE_JOURNAL_BACKUP_H
#define RIPOSTE_JOURNAL_BACKUP_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/journal/journal.h"

#include <stdatomic.h>
#include <stdbool.h>

/* `path` must not be there; it is complete and on the disk, or gone, when this returns. One file,
 * which is a journal that can be put in place. *is_called_off true ends it early (ERROR_BUSY). */
MUST_CHECK bool journal_backup(struct journal *journal, const char *path,
                               const atomic_bool *is_called_off, struct error *error);

#endif
