/* A database file that is looked at from outside: nothing of it is changed, pages in its log stay
 * there, and nobody else can open it meanwhile.
 *
 * Ownership:  look_open/look_done.
 * Threads:    one at a time. */
#ifndef RIPOSTE_SERVER_JOURNAL_LOOK_H
#define RIPOSTE_SERVER_JOURNAL_LOOK_H

#include "sqlite.h"

struct look {
    struct sqlite sqlite;
    bool had_log; /* before it was opened */
};

/* ERROR_NOT_FOUND; ERROR_BUSY: somebody holds it. A file that is no database is opened all the
 * same: sqlite.store.is_damaged then, and the queries fail. */
MUST_CHECK bool look_open(struct look *look, const char *path, struct error *error);
/* Copes with one that was not opened. */
void look_done(struct look *look);

/* The lines of its audit chain from `first` on, in order; stops when line_fn says false or a page
 * can't be read, which makes it return false. */
typedef bool look_line_fn(void *arg, const struct journal_audit_line *line, struct error *error);
MUST_CHECK bool look_audit(struct look *look, int64_t first, look_line_fn *line_fn, void *arg,
                           struct error *error);

#endif
