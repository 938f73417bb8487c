/* Asks the local server's /readyz: for a container without a shell.
 *
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_HEALTH_H
#define RIPOSTE_CLI_HEALTH_H

/* A command_fn. */
int cli_health(int argc, char **argv);

#endif
