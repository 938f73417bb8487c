/* A verify task: is a write still there? If not, it is applied again, at most RESPOND_REAPPLIED
 * times; then the incident failed, and a person must look.
 *
 *     ask ─▶ as it should be ─▶ the next of `after`, or over
 *      ▲  └▶ not (any more)  ─▶ applied again, `after` from its start
 *      └──────────────────────────┘
 *
 * Threads:    a worker's. */
#ifndef RIPOSTE_SERVER_RESPOND_VERIFY_H
#define RIPOSTE_SERVER_RESPOND_VERIFY_H

#include "job.h"

void verify(struct job *job);

/* Is what came as it should be? `context`: of the step, with `sent`. If not, `error` says why. */
MUST_CHECK bool verify_looks_right(const struct verify *verify, const struct json *context,
                                   const struct json *answer, struct arena *arena,
                                   struct error *error);

#endif
