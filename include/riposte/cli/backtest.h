/* What the rules would have done about the past: reads CloudTrail's log files and says, per rule
 * and principal, how often, when and what, and whom to look at before anyone enforces.
 *
 * Files ("-": standard input) and folders with all that is in them, gzip or not; one record is in
 * memory at a time. What can't be read is told on stderr with its place, and skipped.
 *
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_BACKTEST_H
#define RIPOSTE_CLI_BACKTEST_H

/* A command_fn. Exit status: 0 read, 2 usage, or the settings are invalid. */
int cli_backtest(int argc, char **argv);

#endif
