/* A mutex and a condition that clang's -Wthread-safety understands.
 *
 * Ownership:  embedded; init/done.
 * Threads:    any. No callback, I/O or logging while one is held. */
#ifndef RIPOSTE_BASE_MUTEX_H
#define RIPOSTE_BASE_MUTEX_H

#include "riposte/base/attributes.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct CAPABILITY("mutex") mutex {
    pthread_mutex_t pthread;
};

struct condition {
    pthread_cond_t pthread;
};

/* A static one, ready without mutex_init(). */
#define MUTEX_INIT \
    { PTHREAD_MUTEX_INITIALIZER }

void mutex_init(struct mutex *mutex);
void mutex_done(struct mutex *mutex);
void mutex_lock(struct mutex *mutex) ACQUIRE(mutex);
void mutex_unlock(struct mutex *mutex) RELEASE(mutex);

void condition_init(struct condition *condition);
void condition_done(struct condition *condition);
void condition_signal(struct condition *condition);
void condition_broadcast(struct condition *condition);
void condition_wait(struct condition *condition, struct mutex *mutex) REQUIRES(mutex);
/* Waits at most `wait_ms` on the monotonic clock; false when that time passed. May wake early
 * for no reason, as condition_wait() may: ask again for what you wait for. */
bool condition_wait_ms(struct condition *condition, struct mutex *mutex, int64_t wait_ms)
    REQUIRES(mutex);

#endif
