#include "sqlite.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

/* SQLite's own VFS takes less than 128 KiB at a time. */
#define WAL_GATHER_BYTES (64 * 1024)

/* A write-ahead log. What is gathered stands at `at` and reaches the file before anything else is
 * done with it, so that nobody sees a difference but in the number of writes. */
struct wal {
    sqlite3_file public; /* first: what SQLite sees */
    sqlite3_int64 at;
    int bytes;
    char *gathered;
    sqlite3_file *file; /* the system's, behind this struct */
};

static sqlite3_vfs *system_vfs;

static struct wal *wal_of(sqlite3_file *file) {
    return (struct wal *)(void *)file;
}

/* What could not be written is forgotten: the transaction is lost with it. */
static int flush(struct wal *wal) {
    int bytes = wal->bytes;
    wal->bytes = 0;
    return bytes == 0 ? SQLITE_OK
                      : wal->file->pMethods->xWrite(wal->file, wal->gathered, bytes, wal->at);
}

static int wal_write(sqlite3_file *file, const void *data, int bytes, sqlite3_int64 at) {
    struct wal *wal = wal_of(file);
    bool follows = wal->bytes > 0 && at == wal->at + wal->bytes;
    if (!follows || bytes > WAL_GATHER_BYTES - wal->bytes) {
        int code = flush(wal);
        if (code != SQLITE_OK) {
            return code;
        }
    }
    if (bytes > WAL_GATHER_BYTES) {
        return wal->file->pMethods->xWrite(wal->file, data, bytes, at);
    }
    wal->at = wal->bytes > 0 ? wal->at : at;
    memcpy(wal->gathered + wal->bytes, data, (size_t)bytes);
    wal->bytes += bytes;
    return SQLITE_OK;
}

static int wal_read(sqlite3_file *file, void *out, int bytes, sqlite3_int64 at) {
    int code = flush(wal_of(file));
    return code != SQLITE_OK
               ? code
               : wal_of(file)->file->pMethods->xRead(wal_of(file)->file, out, bytes, at);
}

static int wal_truncate(sqlite3_file *file, sqlite3_int64 size) {
    int code = flush(wal_of(file));
    return code != SQLITE_OK ? code
                             : wal_of(file)->file->pMethods->xTruncate(wal_of(file)->file, size);
}

static int wal_sync(sqlite3_file *file, int flags) {
    int code = flush(wal_of(file));
    return code != SQLITE_OK ? code
                             : wal_of(file)->file->pMethods->xSync(wal_of(file)->file, flags);
}

static int wal_size(sqlite3_file *file, sqlite3_int64 *size_out) {
    int code = flush(wal_of(file));
    return code != SQLITE_OK
               ? code
               : wal_of(file)->file->pMethods->xFileSize(wal_of(file)->file, size_out);
}

static int wal_close(sqlite3_file *file) {
    struct wal *wal = wal_of(file);
    int flushed = flush(wal);
    int closed = wal->file->pMethods->xClose(wal->file);
    sqlite3_free(wal->gathered);
    wal->gathered = NULL;
    return flushed != SQLITE_OK ? flushed : closed;
}

static int wal_lock(sqlite3_file *file, int kind) {
    return wal_of(file)->file->pMethods->xLock(wal_of(file)->file, kind);
}

static int wal_unlock(sqlite3_file *file, int kind) {
    return wal_of(file)->file->pMethods->xUnlock(wal_of(file)->file, kind);
}

static int wal_check_lock(sqlite3_file *file, int *is_reserved_out) {
    return wal_of(file)->file->pMethods->xCheckReservedLock(wal_of(file)->file, is_reserved_out);
}

static int wal_control(sqlite3_file *file, int operation, void *arg) {
    return wal_of(file)->file->pMethods->xFileControl(wal_of(file)->file, operation, arg);
}

static int wal_sector(sqlite3_file *file) {
    return wal_of(file)->file->pMethods->xSectorSize(wal_of(file)->file);
}

static int wal_character(sqlite3_file *file) {
    return wal_of(file)->file->pMethods->xDeviceCharacteristics(wal_of(file)->file);
}

/* Version 1: shared memory and maps are of the database's own file. */
static const sqlite3_io_methods wal_methods = {
    .iVersion = 1,
    .xClose = wal_close,
    .xRead = wal_read,
    .xWrite = wal_write,
    .xTruncate = wal_truncate,
    .xSync = wal_sync,
    .xFileSize = wal_size,
    .xLock = wal_lock,
    .xUnlock = wal_unlock,
    .xCheckReservedLock = wal_check_lock,
    .xFileControl = wal_control,
    .xSectorSize = wal_sector,
    .xDeviceCharacteristics = wal_character,
};

static int open_wal(const char *name, struct wal *wal, int flags, int *flags_out) {
    memset(wal, 0, sizeof(*wal)); /* without methods: SQLite closes nothing */
    wal->file = (sqlite3_file *)(void *)(wal + 1);
    wal->gathered = sqlite3_malloc(WAL_GATHER_BYTES);
    if (wal->gathered == NULL) {
        return SQLITE_NOMEM;
    }
    int code = system_vfs->xOpen(system_vfs, name, wal->file, flags, flags_out);
    if (code != SQLITE_OK) {
        sqlite3_free(wal->gathered);
        return code;
    }
    wal->public.pMethods = &wal_methods;
    return SQLITE_OK;
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *flags_out) {
    (void)vfs;
    return (flags & SQLITE_OPEN_WAL) != 0
               ? open_wal(name, wal_of(file), flags, flags_out)
               : system_vfs->xOpen(system_vfs, name, file, flags, flags_out);
}

static sqlite3_vfs our_vfs;
static pthread_once_t is_registered = PTHREAD_ONCE_INIT;

/* All but the opening is the system's. */
static void register_vfs(void) {
    sqlite3_initialize();
    system_vfs = sqlite3_vfs_find(NULL);
    assert(system_vfs != NULL);
    our_vfs = *system_vfs;
    our_vfs.pNext = NULL;
    our_vfs.zName = "riposte";
    our_vfs.szOsFile += (int)sizeof(struct wal);
    our_vfs.xOpen = open_file;
    int code = sqlite3_vfs_register(&our_vfs, 0);
    assert(code == SQLITE_OK);
}

const char *sqlite_vfs(void) {
    pthread_once(&is_registered, register_vfs);
    return our_vfs.zName;
}
