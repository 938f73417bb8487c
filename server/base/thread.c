#include "riposte/base/thread.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>

static void *run(void *arg) {
    struct thread *thread = arg;
    pthread_setname_np(pthread_self(), thread->name);
    thread->run_fn(thread->arg);
    return NULL;
}

bool thread_start(struct thread *thread, const char *name, thread_fn *run_fn, void *arg,
                  struct error *error) {
    *thread = (struct thread){.run_fn = run_fn, .arg = arg};
    snprintf(thread->name, sizeof(thread->name), "%.15s", name);

    /* Blocked here and inherited there: a signal can't slip in before the new thread blocks. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread->pthread, NULL, run, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    if (failed != 0) {
        return error_set_errno(error, failed, "can't start the thread %s", name);
    }
    thread->is_started = true;
    return true;
}

void thread_join(struct thread *thread) {
    if (thread->is_started) {
        pthread_join(thread->pthread, NULL);
        thread->is_started = false;
    }
}
