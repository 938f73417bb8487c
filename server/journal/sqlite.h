/* The embedded store: one connection that holds the file, with its statements.
 *
 *     sqlite.c          open, transactions, errors
 *     sqlite_wal.c      a commit's pages in one write
 *     sqlite_schema.c   tables, migrations
 *     sqlite_events.c   events, definitions, incidents, tasks, retention
 *     sqlite_calls.c    calls, effects, limits, audit, keys
 *     sqlite_backup.c   a copy, step by step
 *
 * Threads:    one at a time. */
#ifndef RIPOSTE_SERVER_JOURNAL_SQLITE_H
#define RIPOSTE_SERVER_JOURNAL_SQLITE_H

#include "store.h"

#include <sqlite3.h>

#define SQLITE_STATEMENTS 64

struct sqlite {
    struct store store; /* first: what the journal sees */
    char *path;
    const struct clock *clock;
    sqlite3 *db; /* NULL: could not be opened again */
    struct {
        const char *text; /* a literal: its address is the key */
        sqlite3_stmt *prepared;
    } statements[SQLITE_STATEMENTS];
    struct error damage; /* once it was met and the check that followed found it, too */
    int64_t last_event_id, last_task_id, last_call_id, last_effect_id;
    int wal_pages;
    sqlite3 *copy; /* of a backup under way */
    sqlite3_backup *backup;
};

/* A statement that is being used: bound in order, stepped, its columns read in order. */
struct query {
    struct sqlite *sqlite;
    sqlite3_stmt *statement; /* NULL: it could not be prepared; the steps then fail */
    int next_parameter, next_column;
};

/* `text` is a literal; it is prepared once and kept. query_done() when finished. */
struct query query_start(struct sqlite *sqlite, const char *text);
void query_done(struct query *query);
void query_bind_text(struct query *query, struct text text);
/* Valid until query_done(). */
void query_bind_bytes(struct query *query, struct text bytes);
void query_bind_number(struct query *query, int64_t number);
/* To the end; for statements without rows. */
MUST_CHECK bool query_run(struct query *query, struct error *error);
/* To the next row; *is_row_out false: there is none any more. */
MUST_CHECK bool query_step(struct query *query, bool *is_row_out, struct error *error);
struct text query_text(struct query *query, struct arena *arena);
int64_t query_number(struct query *query);
struct ulid query_ulid(struct query *query);
struct blob *query_blob(struct query *query);
void query_bytes(struct query *query, void *out, size_t bytes); /* zeros when they aren't so many */

/* Statements without parameters and rows, several in a text. */
MUST_CHECK bool sqlite_run(struct sqlite *sqlite, const char *text, struct error *error);
/* The first column of the first row; 0 when there is none. */
MUST_CHECK bool sqlite_number(struct sqlite *sqlite, const char *text, int64_t *number_out,
                              struct error *error);
/* Fills in `error` from the connection and notices when the transaction is lost. Returns false. */
bool sqlite_failed(struct sqlite *sqlite, int code, struct error *error);

/* The name of the VFS for the journal's file: the system's, but the many small writes of a commit
 * to the write-ahead log (two for each page) are gathered up to its sync. */
const char *sqlite_vfs(void);

/* The file at `path`, with its lock from the first read on. */
MUST_CHECK bool sqlite_connect(struct sqlite *sqlite, struct error *error);
void sqlite_disconnect(struct sqlite *sqlite);
/* Are all pages and rows in order? Reads the whole file. */
MUST_CHECK bool sqlite_quick_check(struct sqlite *sqlite, struct error *error);

/* An empty file gets the schema, an older one is brought forward, in one transaction. ERROR_INVALID
 * for a newer one and for what is no journal. */
MUST_CHECK bool sqlite_check_identity(struct sqlite *sqlite, bool *is_new_out, struct error *error);
MUST_CHECK bool sqlite_migrate(struct sqlite *sqlite, struct error *error);

void sqlite_fill_events(struct store *store);
void sqlite_fill_calls(struct store *store);
void sqlite_fill_backup(struct store *store);
/* Also one that is not complete; nothing when there is none. */
void sqlite_backup_end(struct sqlite *sqlite);

static inline struct sqlite *sqlite_of(struct store *store) {
    return (struct sqlite *)(void *)store;
}

#endif
