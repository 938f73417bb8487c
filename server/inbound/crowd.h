/* The connections of a listener that have not shown yet that they are wanted, oldest first. When
 * most of the room is taken, the oldest of them makes place for the newest: whoever opens
 * connections and says nothing only takes place from themselves.
 *
 * Ownership:  crowd_new/crowd_free, when all have left.
 * Threads:    any; a visitor's own calls on its connection's thread.
 * Bounds:     `limit` connections, of which a quarter is kept for who is wanted. */
#ifndef RIPOSTE_SERVER_INBOUND_CROWD_H
#define RIPOSTE_SERVER_INBOUND_CROWD_H

#include <stdbool.h>
#include <stddef.h>

struct crowd;

struct visitor {
    struct visitor *older, *newer;
    int fd;
    bool is_waiting; /* in the list: neither proven nor shut down */
    bool is_welcome; /* its connection's: it was proven */
};

struct crowd *crowd_new(size_t limit);
void crowd_free(struct crowd **crowd);
/* True: the oldest had to go (its socket is shut down, its own thread closes it). */
bool crowd_enter(struct crowd *crowd, struct visitor *visitor, int fd);
/* It has authenticated. */
void crowd_prove(struct crowd *crowd, struct visitor *visitor);
/* Before its socket is closed. */
void crowd_leave(struct crowd *crowd, struct visitor *visitor);

#endif
