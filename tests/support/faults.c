/* Makes the disk fail for a program that is preloaded with it: calls on the files of a journal
 * ("journal.db" is in the name) fail as the control file says, which the test maps, too.
 *
 *     FAULTS_CONTROL=FILE LD_PRELOAD=libfaults.so riposte serve ...
 *
 * Threads:    any; the counters are atomic. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILES 4096

enum kind {
    FAULT_WRITE_EIO,
    FAULT_WRITE_ENOSPC,
    FAULT_WRITE_SHORT, /* half of it, and the next write finds no space */
    FAULT_SYNC,
    FAULT_TRUNCATE,
    FAULT_OPEN,
    FAULT_READ_ONLY, /* whatever changes a file: as after the kernel has given up on the disk */
    FAULT_KINDS,
};

/* What tests/bench/faults.py maps: native 32-bit numbers. */
struct control {
    atomic_uint kinds;    /* bit set of enum kind: which may fail */
    atomic_int left;      /* how many are still to fail */
    atomic_uint percent;  /* of those that may, how many do */
    atomic_uint injected; /* how many did */
    atomic_uint by_kind[FAULT_KINDS];
};

static struct control *control;
static atomic_bool is_journal[FILES];
static _Thread_local bool is_full;
static _Thread_local unsigned chance = 88172645U;

/* The functions that ours stand before. */
static int (*real_open)(const char *path, int flags, ...);
static ssize_t (*real_pwrite)(int file, const void *bytes, size_t count, off_t offset);
static int (*real_sync)(int file);
static int (*real_truncate)(int file, off_t bytes);

static void *find(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) {
        abort();
    }
    return found;
}

__attribute__((constructor)) static void begin(void) {
    *(void **)&real_open = find("open64");
    *(void **)&real_pwrite = find("pwrite64");
    *(void **)&real_sync = find("fdatasync");
    *(void **)&real_truncate = find("ftruncate64");
    const char *path = getenv("FAULTS_CONTROL");
    int file = path != NULL ? real_open(path, O_RDWR | O_CLOEXEC) : -1;
    void *mapped = file < 0
                       ? MAP_FAILED
                       : mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    control = mapped == MAP_FAILED ? NULL : mapped;
    if (file >= 0) {
        close(file);
    }
}

static bool is_ours(int file) {
    return file >= 0 && file < FILES && atomic_load(&is_journal[file]);
}

static bool fails(enum kind kind) {
    if (control == NULL || (atomic_load(&control->kinds) >> kind & 1) == 0) {
        return false;
    }
    chance ^= chance << 13;
    chance ^= chance >> 17;
    chance ^= chance << 5;
    if (chance % 100 >= atomic_load(&control->percent) ||
        atomic_fetch_sub(&control->left, 1) <= 0) {
        return false;
    }
    atomic_fetch_add(&control->injected, 1);
    atomic_fetch_add(&control->by_kind[kind], 1);
    return true;
}

static int fail(int problem) {
    errno = problem;
    return -1;
}

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    bool is_one = strstr(path, "journal.db") != NULL;
    if (is_one && fails(FAULT_OPEN)) {
        return fail(EIO);
    }
    if (is_one && (flags & O_ACCMODE) != O_RDONLY && fails(FAULT_READ_ONLY)) {
        return fail(EROFS);
    }
    int file = real_open(path, flags, mode);
    if (file >= 0 && file < FILES) {
        atomic_store(&is_journal[file], is_one);
    }
    return file;
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off_t offset) {
    if (!is_ours(file)) {
        return real_pwrite(file, bytes, count, offset);
    }
    if (fails(FAULT_READ_ONLY)) {
        return fail(EROFS);
    }
    if (is_full) {
        is_full = false;
        return fail(ENOSPC);
    }
    if (fails(FAULT_WRITE_EIO)) {
        return fail(EIO);
    }
    if (fails(FAULT_WRITE_ENOSPC)) {
        return fail(ENOSPC);
    }
    if (count > 1 && fails(FAULT_WRITE_SHORT)) {
        is_full = true;
        return real_pwrite(file, bytes, count / 2, offset);
    }
    return real_pwrite(file, bytes, count, offset);
}

int fdatasync(int file) {
    return is_ours(file) && fails(FAULT_SYNC) ? fail(EIO) : real_sync(file);
}

int fsync(int file) {
    return fdatasync(file);
}

int ftruncate64(int file, off_t bytes) {
    if (is_ours(file) && fails(FAULT_READ_ONLY)) {
        return fail(EROFS);
    }
    return is_ours(file) && fails(FAULT_TRUNCATE) ? fail(EIO) : real_truncate(file, bytes);
}
