/* `riposte bench`: how many events a second one core scans and matches against a set of rules.
 *
 * argv[0] is "bench". Exit status: 0 measured, 2 usage or invalid input. */
#ifndef RIPOSTE_CLI_BENCH_H
#define RIPOSTE_CLI_BENCH_H

int cli_bench(int argc, char **argv);

#endif
