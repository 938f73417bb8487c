/* `riposte audit`: the hash chain of everything that was decided, done, or left alone, verified or
 * exported.
 *
 * Threads:    main alone.
 * Source:     journal.h, journal_audit_hash(): the shape of the chain. */
#ifndef RIPOSTE_CLI_AUDIT_H
#define RIPOSTE_CLI_AUDIT_H

/* A command_fn. 0: intact, or exported; 1: broken, or unreadable. */
int cli_audit(int argc, char **argv);

#endif
