#include "sqlite.h"

#include "riposte/base/memory.h"

#define STEP_PAGES 16
#define STEP_US    1000

/* Nothing of it is synced while the journal's thread writes it; it is when it is complete. */
static bool open_copy(const char *path, sqlite3 **copy_out, struct error *error) {
    sqlite3 *copy = NULL;
    int code = sqlite3_open_v2(path, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_exec(copy, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF", NULL, NULL,
                            NULL);
    }
    if (code != SQLITE_OK) {
        error_set(error, ERROR_SYSTEM, "%s: %s", path, sqlite3_errmsg(copy));
        sqlite3_close(copy);
        return false;
    }
    *copy_out = copy;
    return true;
}

static bool copy_failed(const struct sqlite *sqlite, int code, struct error *error) {
    return error_set(error, ERROR_SYSTEM, "%s (SQLite %d)", sqlite3_errmsg(sqlite->copy), code);
}

void sqlite_backup_end(struct sqlite *sqlite) {
    sqlite3_backup_finish(sqlite->backup);
    sqlite3_close(sqlite->copy);
    sqlite->backup = NULL;
    sqlite->copy = NULL;
}

static bool backup_start(struct store *store, const char *path, struct error *error) {
    struct sqlite *sqlite = sqlite_of(store);
    if (sqlite->backup != NULL) {
        return error_set(error, ERROR_BUSY, "another is being made");
    }
    if (sqlite->db == NULL) {
        return error_set(error, ERROR_SYSTEM, "the database is not open");
    }
    if (!open_copy(path, &sqlite->copy, error)) {
        return false;
    }
    sqlite->backup = sqlite3_backup_init(sqlite->copy, "main", sqlite->db, "main");
    if (sqlite->backup == NULL) {
        copy_failed(sqlite, sqlite3_errcode(sqlite->copy), error);
        sqlite_backup_end(sqlite);
        return false;
    }
    return true;
}

static bool backup_step(struct store *store, bool *is_complete_out, struct error *error) {
    struct sqlite *sqlite = sqlite_of(store);
    if (sqlite->backup == NULL) {
        return error_set(error, ERROR_SYSTEM, "the database was opened anew meanwhile");
    }
    int64_t until_us = clock_mono_us(&clock_system) + STEP_US;
    int code = SQLITE_OK;
    while (code == SQLITE_OK && clock_mono_us(&clock_system) < until_us) {
        code = sqlite3_backup_step(sqlite->backup, STEP_PAGES);
    }
    *is_complete_out = code == SQLITE_DONE;
    return code == SQLITE_OK || code == SQLITE_DONE || copy_failed(sqlite, code, error);
}

static void backup_stop(struct store *store) {
    sqlite_backup_end(sqlite_of(store));
}

bool store_settle_copy(const char *path, struct error *error) {
    sqlite3 *copy = NULL;
    int code = sqlite3_open_v2(path, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_exec(copy, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE",
                            NULL, NULL, NULL);
    }
    bool is_ok = code == SQLITE_OK ||
                 error_set(error, ERROR_SYSTEM, "%s: %s", path, sqlite3_errmsg(copy));
    sqlite3_close(copy);
    return is_ok;
}

void sqlite_fill_backup(struct store *store) {
    store->backup_start = backup_start;
    store->backup_step = backup_step;
    store->backup_stop = backup_stop;
}
