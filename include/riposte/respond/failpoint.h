/* Places at which a test may kill the process: before and after each commit and each call. The
 * environment says where, RIPOSTE_FAILPOINT=NAME:COUNT: the COUNT-th time NAME is reached the
 * process ends at once with status 137, as kill -9 would end it; "any" is every place. Works only
 * in builds with RIPOSTE_FAILPOINTS defined (those with tests); elsewhere a call is an empty
 * function.
 *
 *     before-admit after-admit before-call after-call before-write after-write
 *
 * Threads:    any. */
#ifndef RIPOSTE_RESPOND_FAILPOINT_H
#define RIPOSTE_RESPOND_FAILPOINT_H

void failpoint(const char *name);

#endif
