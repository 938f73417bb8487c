/* `riposte events`: the last events that came in, also those that matched nothing, through the
 * admin API.
 *
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_EVENTS_H
#define RIPOSTE_CLI_EVENTS_H

#include "riposte/cli/command.h"

command_fn cli_events;

#endif
