/* Scripts by which shells complete command lines of riposte, made of the table of commands.
 *
 * Threads:    pure. */
#ifndef RIPOSTE_CLI_COMPLETION_H
#define RIPOSTE_CLI_COMPLETION_H

#include "riposte/base/buffer.h"
#include "riposte/cli/command.h"

#include <stddef.h>

/* To be sourced, or as completions/riposte. Where no word fits, bash offers files. */
void completion_bash(const struct command *commands, size_t count, struct buffer *out);
/* As _riposte in a folder of $fpath. */
void completion_zsh(const struct command *commands, size_t count, struct buffer *out);

#endif
