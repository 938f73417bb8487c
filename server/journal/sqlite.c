#include "sqlite.h"

#include "riposte/base/buffer.h"
#include "riposte/base/memory.h"
#include "riposte/observe/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECKPOINT_PAGES  1000       /* moved home when nobody waits ... */
#define CHECKPOINT_MAX    4000       /* ... and now, whoever waits */
#define QUICK_CHECK_BYTES (16 << 20) /* larger files would hold up the start */

static const struct log_context log_as = {.component = "journal"};

/* ---- errors ---- */

static enum error_code code_of(int code) {
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERROR_BUSY;
    case SQLITE_TOOBIG:
        return ERROR_LIMIT;
    case SQLITE_CONSTRAINT:
    case SQLITE_NOTADB:
        return ERROR_INVALID;
    default:
        return ERROR_SYSTEM;
    }
}

/* After these the connection can't be trusted with the rest of the transaction. */
static bool ends_transaction(int code) {
    switch (code & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CORRUPT:
    case SQLITE_NOMEM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB:
        return true;
    default:
        return false;
    }
}

static bool is_damage(int code) {
    return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

bool sqlite_failed(struct sqlite *sqlite, int code, struct error *error) {
    sqlite->store.is_lost = sqlite->store.is_lost || ends_transaction(code);
    sqlite->store.is_damaged = sqlite->store.is_damaged || is_damage(code);
    if (sqlite->db == NULL) {
        return error_set(error, ERROR_SYSTEM, "the database is not open");
    }
    int system_errno = sqlite3_system_errno(sqlite->db);
    return error_set(error, code_of(code), "%s (SQLite %d%s%s)", sqlite3_errmsg(sqlite->db), code,
                     system_errno != 0 ? ", " : "",
                     system_errno != 0 ? strerrordesc_np(system_errno) : "");
}

/* ---- statements ---- */

struct query query_start(struct sqlite *sqlite, const char *text) {
    struct query query = {.sqlite = sqlite, .next_parameter = 1};
    if (sqlite->db == NULL) {
        return query;
    }
    size_t slot = 0;
    while (sqlite->statements[slot].text != text && sqlite->statements[slot].text != NULL) {
        slot++;
        assert(slot < SQLITE_STATEMENTS);
    }
    if (sqlite->statements[slot].prepared == NULL) {
        sqlite->statements[slot].text = text;
        sqlite3_prepare_v3(sqlite->db, text, -1, SQLITE_PREPARE_PERSISTENT,
                           &sqlite->statements[slot].prepared, NULL);
    }
    query.statement = sqlite->statements[slot].prepared;
    return query;
}

void query_done(struct query *query) {
    if (query->statement != NULL) {
        sqlite3_reset(query->statement);
    }
}

void query_bind_text(struct query *query, struct text text) {
    sqlite3_bind_text64(query->statement, query->next_parameter++,
                        text.data != NULL ? text.data : "", text.bytes, SQLITE_STATIC, SQLITE_UTF8);
}

void query_bind_bytes(struct query *query, struct text bytes) {
    sqlite3_bind_blob64(query->statement, query->next_parameter++,
                        bytes.data != NULL ? bytes.data : "", bytes.bytes, SQLITE_STATIC);
}

void query_bind_number(struct query *query, int64_t number) {
    sqlite3_bind_int64(query->statement, query->next_parameter++, number);
}

bool query_step(struct query *query, bool *is_row_out, struct error *error) {
    int code = query->statement != NULL    ? sqlite3_step(query->statement)
               : query->sqlite->db != NULL ? sqlite3_extended_errcode(query->sqlite->db)
                                           : SQLITE_CANTOPEN;
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return sqlite_failed(query->sqlite, code, error);
    }
    query->next_column = 0;
    *is_row_out = code == SQLITE_ROW;
    return true;
}

bool query_run(struct query *query, struct error *error) {
    bool is_row = false;
    return query_step(query, &is_row, error);
}

struct text query_text(struct query *query, struct arena *arena) {
    int column = query->next_column++;
    const char *data = (const char *)sqlite3_column_text(query->statement, column);
    size_t bytes = (size_t)sqlite3_column_bytes(query->statement, column);
    return arena_copy_text(arena, (struct text){data, data != NULL ? bytes : 0});
}

int64_t query_number(struct query *query) {
    return sqlite3_column_int64(query->statement, query->next_column++);
}

struct ulid query_ulid(struct query *query) {
    struct ulid ulid = {{0}};
    int column = query->next_column++;
    const unsigned char *data = sqlite3_column_text(query->statement, column);
    if (sqlite3_column_bytes(query->statement, column) == ULID_TEXT_BYTES) {
        memcpy(ulid.text, data, ULID_TEXT_BYTES);
    }
    return ulid;
}

struct blob *query_blob(struct query *query) {
    int column = query->next_column++;
    const char *data = sqlite3_column_blob(query->statement, column);
    size_t bytes = (size_t)sqlite3_column_bytes(query->statement, column);
    return blob_new((struct text){data, bytes});
}

void query_bytes(struct query *query, void *out, size_t bytes) {
    int column = query->next_column++;
    const void *data = sqlite3_column_blob(query->statement, column);
    memset(out, 0, bytes);
    if (data != NULL && (size_t)sqlite3_column_bytes(query->statement, column) == bytes) {
        memcpy(out, data, bytes);
    }
}

bool sqlite_run(struct sqlite *sqlite, const char *text, struct error *error) {
    int code = sqlite3_exec(sqlite->db, text, NULL, NULL, NULL);
    return code == SQLITE_OK || sqlite_failed(sqlite, code, error);
}

bool sqlite_number(struct sqlite *sqlite, const char *text, int64_t *number_out,
                   struct error *error) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(sqlite->db, text, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        *number_out = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    }
    bool is_ok = code == SQLITE_ROW || code == SQLITE_DONE || sqlite_failed(sqlite, code, error);
    sqlite3_finalize(statement);
    return is_ok;
}

/* ---- transactions ---- */

static bool run_kept(struct store *store, const char *text, struct error *error) {
    struct query query = query_start(sqlite_of(store), text);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static bool begin(struct store *store, struct error *error) {
    store->is_lost = false;
    return run_kept(store, "BEGIN IMMEDIATE", error);
}

static bool commit(struct store *store, struct error *error) {
    bool is_ok = run_kept(store, "COMMIT", error);
    store->is_lost = store->is_lost || !is_ok;
    return is_ok;
}

static void rollback(struct store *store) {
    struct sqlite *sqlite = sqlite_of(store);
    struct error ignored = {0};
    if (sqlite->db != NULL && sqlite3_get_autocommit(sqlite->db) == 0) {
        (void)!run_kept(store, "ROLLBACK", &ignored);
    }
}

static bool savepoint(struct store *store, struct error *error) {
    return run_kept(store, "SAVEPOINT request", error);
}

static bool savepoint_release(struct store *store, struct error *error) {
    return run_kept(store, "RELEASE request", error);
}

static bool savepoint_rollback(struct store *store, struct error *error) {
    return run_kept(store, "ROLLBACK TO request", error) &&
           run_kept(store, "RELEASE request", error);
}

static bool touch(struct store *store, int64_t unix_ms, struct error *error) {
    struct query query = query_start(sqlite_of(store),
                                     "INSERT INTO meta (name, value) VALUES ('touched', ?)"
                                     " ON CONFLICT (name) DO UPDATE SET value = excluded.value");
    query_bind_number(&query, unix_ms);
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static int note_wal_pages(void *arg, sqlite3 *db, const char *name, int pages) {
    (void)db;
    (void)name;
    ((struct sqlite *)arg)->wal_pages = pages;
    return SQLITE_OK;
}

/* Instead of SQLite's own checkpoints, which would delay the answer to a commit. One that fails
 * leaves the pages where they are; if the disk is at fault, the next commit says so. */
static void tidy(struct store *store, bool is_idle) {
    struct sqlite *sqlite = sqlite_of(store);
    if (sqlite->db != NULL && sqlite->wal_pages >= (is_idle ? CHECKPOINT_PAGES : CHECKPOINT_MAX)) {
        sqlite->wal_pages = 0;
        sqlite3_wal_checkpoint_v2(sqlite->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
}

/* ---- opening and closing ---- */

void sqlite_disconnect(struct sqlite *sqlite) {
    sqlite_backup_end(sqlite);
    for (size_t i = 0; i < SQLITE_STATEMENTS; i++) {
        sqlite3_finalize(sqlite->statements[i].prepared);
        sqlite->statements[i].prepared = NULL;
    }
    sqlite3_close_v2(sqlite->db);
    sqlite->db = NULL;
}

static void close_store(struct store *store) {
    struct sqlite *sqlite = sqlite_of(store);
    sqlite_disconnect(sqlite);
    free(sqlite->path);
    free(sqlite);
}

/* Made by us, so that nobody else may read it; SQLite gives its other files the same mode. */
static bool make_file(const char *path, struct error *error) {
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) {
        return error_set_errno(error, errno, "can't open it");
    }
    close(file);
    return true;
}

bool sqlite_connect(struct sqlite *sqlite, struct error *error) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(sqlite->path, &sqlite->db, flags, sqlite_vfs());
    if (code != SQLITE_OK) {
        return sqlite_failed(sqlite, code, error);
    }
    sqlite3_busy_timeout(sqlite->db, 0);
    sqlite3_db_config(sqlite->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(sqlite->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* Before anything is read: the lock is then held from the first read on, and WAL needs no
     * shared memory. */
    return sqlite_run(sqlite, "PRAGMA locking_mode = EXCLUSIVE", error);
}

static bool configure(struct sqlite *sqlite, bool is_new, struct error *error) {
    if (is_new && !sqlite_run(sqlite, "PRAGMA auto_vacuum = INCREMENTAL", error)) {
        return false;
    }
    sqlite3_wal_hook(sqlite->db, note_wal_pages, sqlite);
    return sqlite_run(sqlite,
                      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                      "PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON",
                      error);
}

bool sqlite_quick_check(struct sqlite *sqlite, struct error *error) {
    bool is_good = false;
    struct query query = query_start(sqlite, "PRAGMA quick_check(1)");
    bool is_read = query_step(&query, &is_good, error);
    if (is_read && is_good) {
        const char *found = (const char *)sqlite3_column_text(query.statement, 0);
        is_good = strcmp(found, "ok") == 0 || error_set(error, ERROR_SYSTEM, "%s", found);
        sqlite->store.is_damaged = sqlite->store.is_damaged || !is_good;
    }
    query_done(&query);
    return is_read && is_good;
}

/* Damage found now is better than damage found in the middle of an attack. Where some was met, all
 * is looked at. */
static bool check(struct sqlite *sqlite, struct error *error) {
    int64_t pages = 0;
    int64_t page_bytes = 0;
    if (!sqlite_number(sqlite, "PRAGMA page_count", &pages, error) ||
        !sqlite_number(sqlite, "PRAGMA page_size", &page_bytes, error)) {
        return false;
    }
    return (pages * page_bytes > QUICK_CHECK_BYTES && !sqlite->store.is_damaged) ||
           sqlite_quick_check(sqlite, error);
}

static bool read_last_ids(struct sqlite *sqlite, struct error *error) {
    const struct {
        const char *text;
        int64_t *last;
    } ids[] = {
        {"SELECT max(id) FROM event", &sqlite->last_event_id},
        {"SELECT max(id) FROM task", &sqlite->last_task_id},
        {"SELECT max(id) FROM call", &sqlite->last_call_id},
        {"SELECT max(id) FROM effect", &sqlite->last_effect_id},
    };
    for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
        int64_t last = 0;
        if (!sqlite_number(sqlite, ids[i].text, &last, error)) {
            return false;
        }
        *ids[i].last = last > *ids[i].last ? last : *ids[i].last;
    }
    return true;
}

static bool set_up(struct sqlite *sqlite, struct error *error) {
    bool is_new = false;
    return sqlite_connect(sqlite, error) && sqlite_check_identity(sqlite, &is_new, error) &&
           configure(sqlite, is_new, error) && (is_new || check(sqlite, error)) &&
           sqlite_migrate(sqlite, error) && read_last_ids(sqlite, error);
}

static bool say_damaged(const struct sqlite *sqlite, struct error *error) {
    return error_wrap(error,
                      "%s is damaged ('riposte journal renew' sets it aside and begins a new one)",
                      sqlite->path);
}

/* A file beside the database, for the next start: it then looks at all of it, however large. */
static void suspect_path(const struct sqlite *sqlite, struct buffer *path) {
    buffer_append_format(path, "%s-suspect", sqlite->path);
}

static void note_suspect(const struct sqlite *sqlite) {
    scoped(buffer_done) struct buffer path = BUFFER_INIT;
    suspect_path(sqlite, &path);
    int file = open(buffer_string(&path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file >= 0) {
        close(file);
    }
}

static bool is_suspect(const struct sqlite *sqlite) {
    scoped(buffer_done) struct buffer path = BUFFER_INIT;
    suspect_path(sqlite, &path);
    return access(buffer_string(&path), F_OK) == 0;
}

/* All of it was looked at and is whole. */
static void clear_suspect(struct sqlite *sqlite) {
    scoped(buffer_done) struct buffer path = BUFFER_INIT;
    suspect_path(sqlite, &path);
    unlink(buffer_string(&path));
    sqlite->store.is_damaged = false;
}

/* Damage stays until somebody has looked: the connection is left for reads of what is whole. */
static bool keep_damage(struct sqlite *sqlite, struct error *error) {
    if (sqlite->damage.code == ERROR_NONE) {
        say_damaged(sqlite, error);
        sqlite->damage = *error;
        note_suspect(sqlite);
        log_error(&log_as, "%s", error->text);
    }
    *error = sqlite->damage;
    return false;
}

/* Pages of a commit whose fsync failed may be in the system's cache and not on the disk. They are
 * written home and synced anew before anything builds on them. */
static bool reopen(struct store *store, struct error *error) {
    struct sqlite *sqlite = sqlite_of(store);
    if (sqlite->damage.code != ERROR_NONE) {
        return keep_damage(sqlite, error);
    }
    if (sqlite->db != NULL) {
        sqlite3_db_config(sqlite->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
    sqlite_disconnect(sqlite);
    bool is_open = set_up(sqlite, error);
    if (!is_open && store->is_damaged) {
        return keep_damage(sqlite, error);
    }
    store->is_damaged = false;
    if (is_open) {
        int code = sqlite3_wal_checkpoint_v2(sqlite->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                             NULL);
        is_open = code == SQLITE_OK || sqlite_failed(sqlite, code, error);
    }
    store->is_lost = false;
    return is_open;
}

static bool take_lock(struct sqlite *sqlite, struct error *error) {
    struct store *store = &sqlite->store;
    if (begin(store, error) && touch(store, clock_unix_ms(sqlite->clock), error) &&
        commit(store, error)) {
        return true;
    }
    rollback(store);
    return false;
}

static void close_half(struct sqlite **sqlite) {
    if (*sqlite != NULL) {
        close_store(&(*sqlite)->store);
        *sqlite = NULL;
    }
}

bool store_open_sqlite(const char *path, const struct clock *clock, struct store **store_out,
                       struct error *error) {
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* a lock an allocation, for numbers nobody reads */
    scoped(close_half) struct sqlite *sqlite = memory_new(sizeof(*sqlite));
    sqlite->path = memory_copy_string(path);
    sqlite->clock = clock;
    sqlite->store = (struct store){
        .close = close_store,
        .reopen = reopen,
        .begin = begin,
        .commit = commit,
        .rollback = rollback,
        .savepoint = savepoint,
        .savepoint_release = savepoint_release,
        .savepoint_rollback = savepoint_rollback,
        .touch = touch,
        .tidy = tidy,
    };
    sqlite_fill_events(&sqlite->store);
    sqlite_fill_calls(&sqlite->store);
    sqlite_fill_backup(&sqlite->store);
    sqlite->store.is_damaged = is_suspect(sqlite);
    if (!make_file(path, error) || !set_up(sqlite, error) || !take_lock(sqlite, error)) {
        return error->code == ERROR_BUSY
                   ? error_set(error, ERROR_BUSY, "another server holds %s", path)
               : sqlite->store.is_damaged ? say_damaged(sqlite, error)
                                          : error_wrap(error, "%s", path);
    }
    if (sqlite->store.is_damaged) {
        clear_suspect(sqlite);
    }
    *store_out = &sqlite->store;
    sqlite = NULL;
    return true;
}
