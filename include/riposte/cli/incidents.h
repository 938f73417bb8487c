/* Lists, shows, approves, dismisses and undoes incidents through the admin API.
 *
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_INCIDENTS_H
#define RIPOSTE_CLI_INCIDENTS_H

/* A command_fn. */
int cli_incidents(int argc, char **argv);

#endif
