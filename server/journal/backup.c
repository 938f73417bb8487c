#include "riposte/journal/backup.h"

#include "request.h"

#include "riposte/base/file.h"
#include "riposte/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct backup {
    const char *path;
    bool is_complete;
};

static bool run_start(struct ledger *ledger, void *arg, struct error *error) {
    const struct backup *backup = arg;
    return ledger->store->backup_start(ledger->store, backup->path, error);
}

static bool run_step(struct ledger *ledger, void *arg, struct error *error) {
    struct backup *backup = arg;
    return ledger->store->backup_step(ledger->store, &backup->is_complete, error);
}

static bool run_stop(struct ledger *ledger, void *arg, struct error *error) {
    (void)arg;
    (void)error;
    ledger->store->backup_stop(ledger->store);
    return true;
}

static bool make_file(const char *path, struct error *error) {
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        return error_set_errno(error, errno, "%s", path);
    }
    close(file);
    return true;
}

static bool sync_path(const char *path, int flags, struct error *error) {
    int file = open(path, flags | O_CLOEXEC);
    bool is_synced = file >= 0 && fsync(file) == 0;
    int problem = errno;
    if (file >= 0) {
        close(file);
    }
    return is_synced || error_set_errno(error, problem, "syncing %s", path);
}

static bool copy(struct journal *journal, struct backup *backup, const atomic_bool *is_called_off,
                 struct error *error) {
    if (!journal_ask(journal, REQUEST_READ, run_start, backup, 0, error)) {
        return false;
    }
    bool is_ok = true;
    while (is_ok && !backup->is_complete) {
        is_ok = is_called_off != NULL && atomic_load(is_called_off)
                    ? error_set(error, ERROR_BUSY, "called off: the server stops")
                    : journal_ask(journal, REQUEST_READ, run_step, backup, 0, error);
    }
    struct error ignored = {0};
    (void)!journal_ask(journal, REQUEST_READ, run_stop, backup, 0, &ignored);
    return is_ok;
}

bool journal_backup(struct journal *journal, const char *path, const atomic_bool *is_called_off,
                    struct error *error) {
    struct backup backup = {.path = path};
    scoped(memory_free_at) char *folder = file_folder(path);
    if (!make_file(path, error)) {
        return error_wrap(error, "backup");
    }
    if (!copy(journal, &backup, is_called_off, error) || !store_settle_copy(path, error) ||
        !sync_path(path, O_RDWR, error) || !sync_path(folder, O_RDONLY | O_DIRECTORY, error)) {
        unlink(path);
        return error_wrap(error, "backup");
    }
    return true;
}
