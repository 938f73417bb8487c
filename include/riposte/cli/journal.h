/* `riposte journal check|backup|renew`: the store itself.
 *
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_JOURNAL_H
#define RIPOSTE_CLI_JOURNAL_H

#include "riposte/cli/command.h"

command_fn cli_journal;

#endif
