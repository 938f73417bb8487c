/* Validates settings, rules and playbooks, and runs every rule's tests: all findings,
 * "file:line:column: what".
 *
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_CHECK_H
#define RIPOSTE_CLI_CHECK_H

/* A command_fn. */
int cli_check(int argc, char **argv);

#endif
