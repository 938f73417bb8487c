#include "riposte/base/file.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES  65536
#define APPEND_MODE 0640

static void close_at(int *fd) {
    if (*fd >= 0) {
        close(*fd);
    }
}

static bool set_path_error(const char *path, int errno_value, struct error *error) {
    error_set_errno(error, errno_value, "%s", path);
    if (errno_value == ENOENT || errno_value == ENOTDIR) {
        error->code = ERROR_NOT_FOUND;
    }
    return false;
}

/* Reads to the end; the bytes of a file that turns out too long are dropped by the caller. */
static bool read_all(int fd, const char *path, size_t limit_bytes, struct buffer *out,
                     struct error *error) {
    size_t bytes_before = out->bytes;
    for (;;) {
        ssize_t got = read(fd, buffer_reserve(out, READ_BYTES), READ_BYTES);
        if (got == 0) {
            return true;
        }
        if (got < 0 && errno != EINTR) {
            return error_set_errno(error, errno, "%s", path);
        }
        buffer_added(out, got > 0 ? (size_t)got : 0);
        if (out->is_overfull || out->bytes - bytes_before > limit_bytes) {
            return error_set(error, ERROR_LIMIT, "%s: over %zu bytes", path, limit_bytes);
        }
    }
}

bool file_read(const char *path, size_t limit_bytes, struct buffer *out, struct error *error) {
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "standard input" : path;
    size_t bytes_before = out->bytes;
    scoped(close_at) int opened_fd = is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (!is_stdin && opened_fd < 0) {
        return set_path_error(path, errno, error);
    }
    if (!read_all(is_stdin ? STDIN_FILENO : opened_fd, name, limit_bytes, out, error)) {
        buffer_truncate(out, bytes_before);
        return false;
    }
    return true;
}

static void close_folder(DIR **folder) {
    if (*folder != NULL) {
        closedir(*folder);
    }
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
    char **names;
    size_t count, capacity;
};

static void names_done(struct names *list) {
    file_list_free(&list->names, list->count);
}

static void names_add(struct names *list, const char *name) {
    list->names = memory_grow_array(list->names, &list->capacity, list->count + 1,
                                    sizeof(*list->names));
    list->names[list->count++] = memory_copy_string(name);
}

bool file_list(const char *folder, const char *suffix, char ***names_out, size_t *count_out,
               struct error *error) {
    scoped(close_folder) DIR *open_folder = opendir(folder);
    if (open_folder == NULL) {
        return set_path_error(folder, errno, error);
    }
    scoped(names_done) struct names list = {0};
    errno = 0;
    for (struct dirent *entry; (entry = readdir(open_folder)) != NULL; errno = 0) {
        if (entry->d_name[0] != '.' && text_ends_with(text_of(entry->d_name), text_of(suffix))) {
            names_add(&list, entry->d_name);
        }
    }
    if (errno != 0) {
        return set_path_error(folder, errno, error);
    }
    if (list.count > 1) {
        qsort(list.names, list.count, sizeof(*list.names), compare_names);
    }
    *names_out = list.names;
    *count_out = list.count;
    list = (struct names){0};
    return true;
}

void file_list_free(char ***names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free((*names)[i]);
    }
    free(*names);
    *names = NULL;
}

char *file_join(const char *folder, const char *name) {
    if (name[0] == '/' || folder[0] == '\0') {
        return memory_copy_string(name);
    }
    size_t folder_bytes = strlen(folder);
    bool has_slash = folder[folder_bytes - 1] == '/';
    struct buffer joined = BUFFER_INIT;
    buffer_append_string(&joined, folder);
    buffer_append_string(&joined, has_slash ? "" : "/");
    buffer_append_string(&joined, name);
    size_t bytes = 0;
    return buffer_take(&joined, &bytes);
}

char *file_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return memory_copy_string(".");
    }
    size_t bytes = slash == path ? 1 : (size_t)(slash - path);
    return text_copy((struct text){path, bytes});
}

/* ---- appending ---- */

/* What can't be written as a whole is taken off again: no reader meets half a line. */
static bool write_whole(int fd, const char *path, struct text text, off_t bytes_before,
                        struct error *error) {
    ssize_t written = write(fd, text.data, text.bytes);
    if (written == (ssize_t)text.bytes && fdatasync(fd) == 0) {
        return true;
    }
    int problem = written >= 0 && (size_t)written < text.bytes ? ENOSPC : errno;
    if (written > 0 && ftruncate(fd, bytes_before) != 0) {
        return error_set_errno(error, errno, "%s: half a line could not be taken off", path);
    }
    return error_set_errno(error, problem, "%s", path);
}

bool file_append(const char *path, struct text text, struct error *error) {
    static struct mutex lock = MUTEX_INIT;
    struct stat facts;
    scoped(close_at) int fd = open(
        path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, APPEND_MODE);
    if (fd < 0 || fstat(fd, &facts) != 0) {
        return error_set_errno(error, errno, "%s", path);
    }
    if (!S_ISREG(facts.st_mode)) {
        return error_set(error, ERROR_SYSTEM, "%s is no file", path);
    }
    mutex_lock(&lock);
    bool is_done = fstat(fd, &facts) == 0 && write_whole(fd, path, text, facts.st_size, error);
    mutex_unlock(&lock);
    return is_done;
}
