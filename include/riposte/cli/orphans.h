/* `riposte orphans`: denies that no incident knows, through the admin API.
 *
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_ORPHANS_H
#define RIPOSTE_CLI_ORPHANS_H

#include "riposte/cli/command.h"

command_fn cli_orphans;

#endif
