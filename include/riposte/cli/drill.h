/* `riposte drill`: does the whole chain work, and how long does each leg take?
 *
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_DRILL_H
#define RIPOSTE_CLI_DRILL_H

/* Exit 0: every leg, 1: it broke, 2: the command line or a file is wrong. */
int cli_drill(int argc, char **argv);

#endif
