/* Work that takes longer than the admin listener's thread may stand still: one at a time, on a
 * thread of its own, which answers the request.
 *
 * Ownership:  embedded; errand_init/errand_done.
 * Threads:    errand_start and errand_rest: one at a time. */
#ifndef RIPOSTE_SERVER_OPERATE_ERRAND_H
#define RIPOSTE_SERVER_OPERATE_ERRAND_H

#include "riposte/base/attributes.h"
#include "riposte/base/thread.h"

#include <stdatomic.h>
#include <stdbool.h>

struct errand {
    const char *what;
    struct thread thread;
    thread_fn *run_fn;
    void *arg;
    bool has_ended; /* the errand's own */
    atomic_bool is_busy;
    atomic_bool is_called_off; /* whoever runs looks at it now and then, and ends early */
};

/* `what`: of one that is under way, as whoever must wait is told. */
void errand_init(struct errand *errand, const char *what);
/* ERROR_BUSY: another one is under way, or it is called off. */
MUST_CHECK bool errand_start(struct errand *errand, thread_fn *run_fn, void *arg,
                             struct error *error);
/* By whoever runs, before the answer: who has it may ask for the next errand at once. When it is
 * left out, the errand ends with its thread. */
void errand_end(struct errand *errand);
/* Calls off what is under way, waits for it, and starts none any more. */
void errand_rest(struct errand *errand);

#endif
