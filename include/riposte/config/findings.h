/* All that is wrong with the files, not only the first: what `riposte check` prints.
 *
 * Ownership:  findings own copies of what they hold.
 * Threads:    one at a time.
 * Bounds:     FINDINGS_MAX are kept, the rest counted. */
#ifndef RIPOSTE_CONFIG_FINDINGS_H
#define RIPOSTE_CONFIG_FINDINGS_H

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/text.h"
#include "riposte/json/tree.h"

#include <stdbool.h>
#include <stddef.h>

#define FINDINGS_MAX 200

struct findings;

/* A file that is being read: where its nodes are. */
struct source {
    const char *file; /* as the user named it */
    struct text text;
};

struct findings *findings_new(void);
void findings_free(struct findings **findings);
/* "file:line:column: what" for `node` (NULL: the file's start); says what to do where it can. */
void findings_add(struct findings *findings, const struct source *source, const struct json *node,
                  const char *format, ...) PRINTF_LIKE(4, 5);
/* The same for a byte offset. */
void findings_add_at(struct findings *findings, const struct source *source, size_t offset,
                     const char *format, ...) PRINTF_LIKE(4, 5);
/* Worth saying, but loads all the same. */
void findings_warn(struct findings *findings, const struct source *source, const struct json *node,
                   const char *format, ...) PRINTF_LIKE(4, 5);
size_t findings_errors(const struct findings *findings);
size_t findings_warnings(const struct findings *findings);
/* A line each, "file:line:column: what" or "file:line:column: warning: what", by file and place. */
void findings_print(const struct findings *findings, struct buffer *out);

#endif
