/* help and version.
 *
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_HELP_H
#define RIPOSTE_CLI_HELP_H

#include "riposte/cli/command.h"

#include <stddef.h>

/* `riposte help [COMMAND|settings]` over the table of commands. */
int cli_help(const struct command *commands, size_t count, int argc, char **argv);
int cli_version(int argc, char **argv);

#endif
