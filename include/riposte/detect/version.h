/* Which release of the matcher this is: of the library libriposte-detect when it is linked on its
 * own, else of the server.
 *
 * Threads:    any; pure. */
#ifndef RIPOSTE_DETECT_VERSION_H
#define RIPOSTE_DETECT_VERSION_H

/* "0.1.0". Its first number changes when a program must be compiled anew. */
const char *riposte_detect_version(void);

#endif
