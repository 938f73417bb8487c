/* `riposte match`: does this pattern match this event, and why?
 *
 * argv[0] is "match". Exit status: 0 match, 1 no match, 2 invalid; with --vectors FILE 0 when every
 * line was read. */
#ifndef RIPOSTE_CLI_MATCH_H
#define RIPOSTE_CLI_MATCH_H

int cli_match(int argc, char **argv);

#endif
