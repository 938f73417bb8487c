/* What the admin API answered, for people and for programs. Private to the folder.
 *
 * Names come from whoever was caught: nothing in them may speak to a terminal.
 *
 * Threads:    main alone. */
#ifndef RIPOSTE_SERVER_CLI_SHOWN_H
#define RIPOSTE_SERVER_CLI_SHOWN_H

#include "riposte/base/buffer.h"
#include "riposte/base/text.h"
#include "riposte/json/tree.h"

#include <stddef.h>

/* Empty when absent. */
struct text shown_member(const struct json *node, const char *name);
/* 0 when absent. */
int64_t shown_number(const struct json *node, const char *name);
bool shown_is_true(const struct json *node, const char *name);

/* Appends `text`, control characters as \u001b, filled up with spaces to `width`. */
void shown_text(struct buffer *out, struct text text, size_t width);
/* Prints it, indented. */
void shown_json(const struct json *node);

#endif
