#include "riposte/base/latch.h"

#include <assert.h>
#include <errno.h>

void latch_init(struct latch *latch) {
    int failed = sem_init(&latch->semaphore, 0, 0);
    assert(failed == 0);
}

void latch_done(struct latch *latch) {
    int failed = sem_destroy(&latch->semaphore);
    assert(failed == 0);
}

void latch_open(struct latch *latch) {
    int failed = sem_post(&latch->semaphore);
    assert(failed == 0);
}

void latch_wait(struct latch *latch) {
    while (sem_wait(&latch->semaphore) != 0) {
        assert(errno == EINTR);
    }
}

bool latch_try(struct latch *latch) {
    int failed = sem_trywait(&latch->semaphore);
    assert(failed == 0 || errno == EAGAIN || errno == EINTR);
    return failed == 0;
}
