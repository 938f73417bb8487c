/* Preloaded into the server, it writes down what the journal's files held before each change since
 * their last sync, in FILE.unsynced: a test that has killed the process can take these changes
 * back, all or some, as a power cut does.
 *
 *     record: offset, bytes of old contents that follow, size of the file before; native int64
 *
 * Threads:    any; one at a time per file, as SQLite writes. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES      4096
#define PAGE_BYTES 4096

static atomic_int notes[FILES]; /* the descriptor of FILE.unsynced, plus one; 0: not ours */

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
}

static int notes_of(int file) {
    return file >= 0 && file < FILES ? atomic_load(&notes[file]) - 1 : -1;
}

static void must_write(int file, const void *bytes, size_t count) {
    if (write(file, bytes, count) != (ssize_t)count) {
        abort();
    }
}

/* What stands in [offset, offset + count) of a file of `size` bytes goes to the notes. */
static void note_piece(int file, off_t offset, size_t count, off_t size) {
    size_t old = size <= offset                 ? 0
                 : size - offset < (off_t)count ? (size_t)(size - offset)
                                                : count;
    int64_t header[3] = {offset, (int64_t)old, size};
    char *record = malloc(sizeof(header) + old);
    memcpy(record, header, sizeof(header));
    if (pread(file, record + sizeof(header), old, offset) != (ssize_t)old) {
        abort();
    }
    must_write(notes_of(file), record, sizeof(header) + old);
    free(record);
}

/* A page of the file at a time: of a larger write each may reach the disk or not. */
static void note(int file, off_t offset, size_t count) {
    struct stat before;
    if (fstat(file, &before) != 0) {
        abort();
    }
    off_t end = offset + (off_t)count;
    while (offset < end) {
        off_t page_end = (offset / PAGE_BYTES + 1) * PAGE_BYTES;
        off_t piece_end = page_end < end ? page_end : end;
        note_piece(file, offset, (size_t)(piece_end - offset),
                   offset > before.st_size ? offset : before.st_size);
        offset = piece_end;
    }
}

static bool is_database(const char *path) {
    size_t bytes = strlen(path);
    bool is_main = bytes >= 10 && strcmp(path + bytes - 10, "journal.db") == 0;
    return is_main || (bytes >= 14 && strcmp(path + bytes - 14, "journal.db-wal") == 0);
}

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    int file = real_open(path, flags, mode);
    if (file < 0 || file >= FILES) {
        return file;
    }
    int old = atomic_exchange(&notes[file], 0) - 1;
    if (old >= 0) {
        close(old);
    }
    if (is_database(path) && (flags & O_ACCMODE) != O_RDONLY) {
        char name[4096];
        snprintf(name, sizeof(name), "%s.unsynced", path);
        int at = real_open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (at < 0) {
            abort();
        }
        atomic_store(&notes[file], at + 1);
    }
    return file;
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off_t offset) {
    if (notes_of(file) >= 0) {
        note(file, offset, count);
    }
    return real_pwrite(file, bytes, count, offset);
}

int ftruncate64(int file, off_t bytes) {
    struct stat before;
    if (notes_of(file) >= 0 && fstat(file, &before) == 0 && before.st_size > bytes) {
        note(file, bytes, (size_t)(before.st_size - bytes));
    }
    return real_truncate(file, bytes);
}

int fdatasync(int file) {
    int result = real_sync(file);
    if (result == 0 && notes_of(file) >= 0) {
        return real_truncate(notes_of(file), 0);
    }
    return result;
}

int fsync(int file) {
    return fdatasync(file);
}
