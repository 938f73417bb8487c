/* A subcommand: what server/main.c lists and `riposte help` prints.
 *
 * Ownership:  static tables.
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_COMMAND_H
#define RIPOSTE_CLI_COMMAND_H

#include <stddef.h>

/* argv[0] is the subcommand's name; returns the exit code. */
typedef int command_fn(int argc, char **argv);

struct command {
    const char *name;
    command_fn *run_fn;
    const char *arguments; /* "EVENT... [--url URL]" */
    const char *summary;   /* one line */
    const char *details;   /* more for `help NAME`; may be NULL */
};

/* Exit codes beyond a command's own. */
#define EXIT_GOOD    0
#define EXIT_NO      1 /* findings, no match, not ready, refused */
#define EXIT_INVALID 2 /* the command line or a file could not be read */

#endif
