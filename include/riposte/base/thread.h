/* A thread with a name, signals blocked (the main thread alone takes them).
 *
 * Ownership:  thread_start() fills an embedded struct; thread_join() ends it, once. */
#ifndef RIPOSTE_BASE_THREAD_H
#define RIPOSTE_BASE_THREAD_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"

#include <pthread.h>
#include <stdbool.h>

typedef void thread_fn(void *arg);

struct thread {
    pthread_t pthread;
    thread_fn *run_fn;
    void *arg;
    bool is_started;
    char name[16];
};

/* `name` is cut to 15 bytes (what the kernel shows). ERROR_SYSTEM when none can be had. The
 * struct must stay where it is until thread_join(). */
MUST_CHECK bool thread_start(struct thread *thread, const char *name, thread_fn *run_fn, void *arg,
                             struct error *error);
/* Waits for its end; nothing if it never started or was joined. */
void thread_join(struct thread *thread);

#endif
