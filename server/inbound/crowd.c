#include "crowd.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>

struct crowd {
    size_t limit;
    struct mutex lock;
    struct {
        struct visitor *oldest, *newest;
        size_t present; /* in the list or not */
    } shared;           /* with `lock` */
};

struct crowd *crowd_new(size_t limit) {
    struct crowd *crowd = memory_new(sizeof(*crowd));
    crowd->limit = limit;
    mutex_init(&crowd->lock);
    return crowd;
}

void crowd_free(struct crowd **crowd) {
    if (*crowd == NULL) {
        return;
    }
    assert((*crowd)->shared.present == 0);
    mutex_done(&(*crowd)->lock);
    free(*crowd);
    *crowd = NULL;
}

static void take_out(struct crowd *crowd, struct visitor *visitor) REQUIRES(&crowd->lock) {
    if (!visitor->is_waiting) {
        return;
    }
    *(visitor->older != NULL ? &visitor->older->newer : &crowd->shared.oldest) = visitor->newer;
    *(visitor->newer != NULL ? &visitor->newer->older : &crowd->shared.newest) = visitor->older;
    visitor->is_waiting = false;
}

static void put_in(struct crowd *crowd, struct visitor *visitor) REQUIRES(&crowd->lock) {
    struct visitor *newest = crowd->shared.newest;
    visitor->older = newest;
    *(newest != NULL ? &newest->newer : &crowd->shared.oldest) = visitor;
    crowd->shared.newest = visitor;
    visitor->is_waiting = true;
}

/* Under the lock, which its crowd_leave() needs: the descriptor is still its own. */
static bool make_place(struct crowd *crowd) REQUIRES(&crowd->lock) {
    struct visitor *oldest = crowd->shared.oldest;
    if (crowd->shared.present < crowd->limit - crowd->limit / 4 || oldest == NULL) {
        return false;
    }
    take_out(crowd, oldest);
    (void)shutdown(oldest->fd, SHUT_RDWR);
    return true;
}

bool crowd_enter(struct crowd *crowd, struct visitor *visitor, int fd) {
    *visitor = (struct visitor){.fd = fd};
    mutex_lock(&crowd->lock);
    bool is_one_gone = make_place(crowd);
    put_in(crowd, visitor);
    crowd->shared.present++;
    mutex_unlock(&crowd->lock);
    return is_one_gone;
}

void crowd_prove(struct crowd *crowd, struct visitor *visitor) {
    mutex_lock(&crowd->lock);
    take_out(crowd, visitor);
    mutex_unlock(&crowd->lock);
}

void crowd_leave(struct crowd *crowd, struct visitor *visitor) {
    mutex_lock(&crowd->lock);
    take_out(crowd, visitor);
    assert(crowd->shared.present > 0);
    crowd->shared.present--;
    mutex_unlock(&crowd->lock);
}
