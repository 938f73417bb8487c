/* `riposte status`: how the server is, once or again and again, through the admin API.
 *
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_STATUS_H
#define RIPOSTE_CLI_STATUS_H

#include "riposte/cli/command.h"

command_fn cli_status;

#endif
