/* Something that happens once, and one thread that waits for it: what a thread asked of another is
 * done. Cheaper than a mutex and a condition, since whoever is woken has nothing to lock.
 *
 * Ownership:  embedded, on the waiter's stack too: latch_open() no longer needs it once
 *             latch_wait() has returned.
 * Threads:    one opens, one waits; what the first wrote before is seen by the second after. */
#ifndef RIPOSTE_BASE_LATCH_H
#define RIPOSTE_BASE_LATCH_H

#include <semaphore.h>
#include <stdbool.h>

struct latch {
    sem_t semaphore;
};

void latch_init(struct latch *latch);
void latch_done(struct latch *latch);
/* Once. Blocks never. */
void latch_open(struct latch *latch);
/* Once. Returns when the latch is open. */
void latch_wait(struct latch *latch);
/* True: it is open, and latch_wait() was as good as called. */
bool latch_try(struct latch *latch);

#endif
