/* Options of a subcommand, over getopt_long().
 *
 * Ownership:  values point into argv.
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_OPTIONS_H
#define RIPOSTE_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define CLI_OPTIONS_MAX 24

/* Where riposte looks for its settings when -c names nothing. */
#define CLI_SETTINGS_DEFAULT "/etc/riposte/riposte.json"

struct cli_option {
    const char *name;   /* without the dashes */
    char letter;        /* 0: none */
    const char **value; /* takes a value; or */
    bool *is_set;       /* takes none */
};

/* Options may stand anywhere; "--" ends them. Returns the index of the first operand (argv is
 * reordered), or -1 after saying on stderr what is wrong. */
int cli_options(int argc, char **argv, const struct cli_option *options, size_t count);

/* The process's environment: an environment_fn. */
const char *cli_environment(void *arg, const char *name);

/* Prints "riposte NAME: what" on stderr; returns EXIT_INVALID. */
int cli_fail(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
