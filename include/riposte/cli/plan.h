/* Which rules match an event, why, and every call that would be made, in order, with its inverse.
 * Sends nothing.
 *
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_PLAN_H
#define RIPOSTE_CLI_PLAN_H

/* A command_fn. */
int cli_plan(int argc, char **argv);

#endif
