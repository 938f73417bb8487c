/* What others need to know of the files that are loaded: the least policy of the task's role, the
 * EventBridge patterns that deliver the events, JSON Schemas of the files. JSON on stdout, the same
 * each time.
 *
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_EXPORT_H
#define RIPOSTE_CLI_EXPORT_H

/* A command_fn. Exit status: 0 printed, 2 invalid. */
int cli_export(int argc, char **argv);

#endif
