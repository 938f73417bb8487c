/* `riposte reload`: asks the running server to read its files anew.
 *
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_RELOAD_H
#define RIPOSTE_CLI_RELOAD_H

/* A command_fn. 0: the new files are in force, 1: the old ones still are (why: on stderr). */
int cli_reload(int argc, char **argv);

#endif
