#include "riposte/base/mutex.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

void mutex_init(struct mutex *mutex) {
    int failed = pthread_mutex_init(&mutex->pthread, NULL);
    assert(failed == 0);
}

void mutex_done(struct mutex *mutex) {
    int failed = pthread_mutex_destroy(&mutex->pthread);
    assert(failed == 0);
}

void mutex_lock(struct mutex *mutex) NO_THREAD_SAFETY_ANALYSIS {
    int failed = pthread_mutex_lock(&mutex->pthread);
    assert(failed == 0);
}

void mutex_unlock(struct mutex *mutex) NO_THREAD_SAFETY_ANALYSIS {
    int failed = pthread_mutex_unlock(&mutex->pthread);
    assert(failed == 0);
}

void condition_init(struct condition *condition) {
    pthread_condattr_t attributes;
    int failed = pthread_condattr_init(&attributes);
    assert(failed == 0);
    /* Waits must not grow or shrink when somebody sets the wall clock. */
    failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    assert(failed == 0);
    failed = pthread_cond_init(&condition->pthread, &attributes);
    assert(failed == 0);
    pthread_condattr_destroy(&attributes);
}

void condition_done(struct condition *condition) {
    int failed = pthread_cond_destroy(&condition->pthread);
    assert(failed == 0);
}

void condition_signal(struct condition *condition) {
    pthread_cond_signal(&condition->pthread);
}

void condition_broadcast(struct condition *condition) {
    pthread_cond_broadcast(&condition->pthread);
}

void condition_wait(struct condition *condition, struct mutex *mutex) {
    int failed = pthread_cond_wait(&condition->pthread, &mutex->pthread);
    assert(failed == 0);
}

bool condition_wait_ms(struct condition *condition, struct mutex *mutex, int64_t wait_ms) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    if (wait_ms > 0) {
        until.tv_sec += (time_t)(wait_ms / 1000);
        until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
    }
    int failed = pthread_cond_timedwait(&condition->pthread, &mutex->pthread, &until);
    assert(failed == 0 || failed == ETIMEDOUT);
    return failed == 0;
}
