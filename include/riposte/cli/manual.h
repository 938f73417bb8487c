/* The manual pages riposte(1) and riposte.json(5), made of the tables that `riposte help` prints,
 * in the macros of man(7). riposte-rules(5) is made of docs/RULES.md, see cmake/manual.awk.
 *
 * Threads:    pure. */
#ifndef RIPOSTE_CLI_MANUAL_H
#define RIPOSTE_CLI_MANUAL_H

#include "riposte/base/buffer.h"
#include "riposte/cli/command.h"

#include <stddef.h>

void manual_commands(const struct command *commands, size_t count, struct buffer *out);
void manual_settings(struct buffer *out);
/* Text as troff prints it: no character of it is an escape, no line of it a request; ends in a line
 * feed. manual_fill() breaks lines where it likes, manual_append() keeps them. */
void manual_append(struct buffer *out, const char *text);
void manual_fill(struct buffer *out, const char *text);

#endif
