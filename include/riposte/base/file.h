/* Whole small files.
 *
 * Ownership:  what is read is appended to the caller's buffer; lists and paths are the caller's to
 *             free.
 * Threads:    any.
 * Bounds:     the caller's limit_bytes a file. */
#ifndef RIPOSTE_BASE_FILE_H
#define RIPOSTE_BASE_FILE_H

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends the file's bytes. ERROR_NOT_FOUND when there is none, ERROR_LIMIT over `limit_bytes`,
 * ERROR_SYSTEM otherwise; the text names the path. "-" is standard input. */
MUST_CHECK bool file_read(const char *path, size_t limit_bytes, struct buffer *out,
                          struct error *error);
/* Appends the text as a whole to the file, made when there is none (mode 0640), and to the disk.
 * Nothing of it is there when that fails: ERROR_SYSTEM, the text names the path. Links are not
 * followed. A FIFO is refused. */
MUST_CHECK bool file_append(const char *path, struct text text, struct error *error);
/* The names in `folder` that end in `suffix`, sorted by byte, without "." files; for the caller to
 * free with file_list_free(). */
MUST_CHECK bool file_list(const char *folder, const char *suffix, char ***names_out,
                          size_t *count_out, struct error *error);
void file_list_free(char ***names, size_t count);
/* `folder`/`name`, or `name` alone when it is absolute; for the caller to free(). */
char *file_join(const char *folder, const char *name);
/* The folder of `path` ("." when it has none); for the caller to free(). */
char *file_folder(const char *path);

#endif
