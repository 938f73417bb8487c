/* `riposte rules`: rules in force, how often each fired, what their tests say, through the admin
 * API.
 *
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_RULES_H
#define RIPOSTE_CLI_RULES_H

#include "riposte/cli/command.h"

command_fn cli_rules;

#endif
