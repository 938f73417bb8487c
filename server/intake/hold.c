#include "hold.h"

#include "riposte/base/clock.h"
#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/base/thread.h"
#include "riposte/observe/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024
#define IDLE_MS 60000

struct hold_incident {
    struct ulid id;
    struct hold *hold;
    bool is_settled;
    struct hold_incident *next; /* in its bucket */
};

struct holds {
    struct thread thread;
    struct mutex lock;
    struct condition changed;
    struct {
        struct hold_incident *buckets[BUCKETS];
        struct hold *first, *last; /* committed ones */
        size_t count;              /* with those that are not */
        bool is_started, is_released, is_ending;
    } shared; /* with `lock` */
};

/* ---- incidents ---- */

static struct hold_incident **bucket_of(struct holds *holds, const struct ulid *id)
    REQUIRES(&holds->lock) {
    return &holds->shared.buckets[text_hash(ulid_text(id)) % BUCKETS];
}

static void unlink_incident(struct holds *holds, struct hold_incident *incident)
    REQUIRES(&holds->lock) {
    struct hold_incident **link = bucket_of(holds, &incident->id);
    while (*link != incident) {
        link = &(*link)->next;
    }
    *link = incident->next;
    incident->is_settled = true;
    incident->hold->left--;
}

/* It is over for the table. */
static void forget(struct holds *holds, struct hold *hold) REQUIRES(&holds->lock) {
    holds->shared.count--;
    for (size_t i = 0; i < hold->count; i++) {
        if (!hold->incidents[i].is_settled) {
            unlink_incident(holds, &hold->incidents[i]);
        }
    }
}

static struct hold_incident *find_incident(struct holds *holds, const struct ulid *id)
    REQUIRES(&holds->lock) {
    struct hold_incident *incident = *bucket_of(holds, id);
    while (incident != NULL && strcmp(incident->id.text, id->text) != 0) {
        incident = incident->next;
    }
    return incident;
}

/* ---- those that were committed ---- */

static void link_hold(struct holds *holds, struct hold *hold) REQUIRES(&holds->lock) {
    struct hold *before = holds->shared.last; /* nearly always the right place */
    while (before != NULL && before->until_mono_ms > hold->until_mono_ms) {
        before = before->previous;
    }
    hold->previous = before;
    hold->next = before != NULL ? before->next : holds->shared.first;
    *(before != NULL ? &before->next : &holds->shared.first) = hold;
    *(hold->next != NULL ? &hold->next->previous : &holds->shared.last) = hold;
}

static void unlink_hold(struct holds *holds, struct hold *hold) REQUIRES(&holds->lock) {
    *(hold->previous != NULL ? &hold->previous->next : &holds->shared.first) = hold->next;
    *(hold->next != NULL ? &hold->next->previous : &holds->shared.last) = hold->previous;
}

/* The first that is late by now, taken out; NULL: none is. */
static struct hold *take_late(struct holds *holds, int64_t now_mono_ms) REQUIRES(&holds->lock) {
    struct hold *hold = holds->shared.first;
    if (hold == NULL || (!holds->shared.is_released && hold->until_mono_ms > now_mono_ms)) {
        return NULL;
    }
    unlink_hold(holds, hold);
    forget(holds, hold);
    return hold;
}

static void answer_late(struct holds *holds) {
    struct hold *hold = NULL;
    do {
        mutex_lock(&holds->lock);
        hold = take_late(holds, clock_mono_ms(&clock_system));
        mutex_unlock(&holds->lock);
        if (hold != NULL) {
            hold->answer_fn(hold->arg, true);
        }
    } while (hold != NULL);
}

/* Until the soonest is late, or there is a sooner one. False: it is over. */
static bool wait_for_late(struct holds *holds) {
    mutex_lock(&holds->lock);
    bool goes_on = !holds->shared.is_ending;
    const struct hold *first = holds->shared.first;
    int64_t wait_ms = first != NULL ? first->until_mono_ms - clock_mono_ms(&clock_system) : IDLE_MS;
    if (goes_on && wait_ms > 0) {
        condition_wait_ms(&holds->changed, &holds->lock, wait_ms);
    }
    mutex_unlock(&holds->lock);
    return goes_on;
}

static void serve(void *arg) {
    struct holds *holds = arg;
    while (wait_for_late(holds)) {
        answer_late(holds);
    }
}

/* ---- a hold ---- */

/* Only a server that is told to hold answers has the thread. */
static bool may_hold(struct holds *holds) REQUIRES(&holds->lock) {
    struct error error = {0};
    if (!holds->shared.is_released && !holds->shared.is_started) {
        holds->shared.is_started = thread_start(&holds->thread, "hold", serve, holds, &error);
        if (!holds->shared.is_started) {
            log_warn(&(struct log_context){.component = "intake"},
                     "answers as soon as an event is journaled, not when its response is done: %s",
                     error.text);
        }
    }
    return holds->shared.is_started && !holds->shared.is_released &&
           holds->shared.count < HOLDS_MOST;
}

struct hold *hold_new(struct holds *holds, size_t most, int64_t until_mono_ms,
                      hold_answer_fn *answer_fn, void *arg, struct arena *arena) {
    mutex_lock(&holds->lock);
    bool may = may_hold(holds);
    holds->shared.count += may;
    mutex_unlock(&holds->lock);
    if (!may) {
        return NULL;
    }
    struct hold *hold = arena_alloc(arena, sizeof(*hold));
    *hold = (struct hold){.incidents = arena_alloc_array(arena, most, sizeof(*hold->incidents)),
                          .until_mono_ms = until_mono_ms,
                          .answer_fn = answer_fn,
                          .arg = arg};
    return hold;
}

void hold_add(struct holds *holds, struct hold *hold, const struct ulid *id) {
    struct hold_incident *incident = &hold->incidents[hold->count++];
    mutex_lock(&holds->lock);
    struct hold_incident **bucket = bucket_of(holds, id);
    *incident = (struct hold_incident){.id = *id, .hold = hold, .next = *bucket};
    *bucket = incident;
    hold->left++;
    mutex_unlock(&holds->lock);
}

void holds_settle(struct holds *holds, const struct ulid *id) {
    struct hold *hold = NULL;
    mutex_lock(&holds->lock);
    struct hold_incident *incident = find_incident(holds, id);
    if (incident != NULL) {
        unlink_incident(holds, incident);
        if (incident->hold->left == 0 && incident->hold->is_committed) {
            hold = incident->hold;
            unlink_hold(holds, hold);
            forget(holds, hold);
        }
    }
    mutex_unlock(&holds->lock);
    if (hold != NULL) {
        hold->answer_fn(hold->arg, false);
    }
}

bool hold_commit(struct holds *holds, struct hold *hold) {
    mutex_lock(&holds->lock);
    bool is_settled = hold->left == 0;
    bool must_wait = !is_settled && !holds->shared.is_released;
    if (must_wait) {
        hold->is_committed = true;
        link_hold(holds, hold);
        if (holds->shared.first == hold) { /* under the lock: without it all may be gone soon */
            condition_signal(&holds->changed);
        }
    } else {
        forget(holds, hold);
    }
    mutex_unlock(&holds->lock);
    return !must_wait;
}

void hold_cancel(struct holds *holds, struct hold *hold) {
    mutex_lock(&holds->lock);
    forget(holds, hold);
    mutex_unlock(&holds->lock);
}

/* ---- life ---- */

void holds_release(struct holds *holds) {
    mutex_lock(&holds->lock);
    holds->shared.is_released = true;
    mutex_unlock(&holds->lock);
    answer_late(holds);
}

struct holds *holds_new(void) {
    struct holds *holds = memory_new(sizeof(*holds));
    mutex_init(&holds->lock);
    condition_init(&holds->changed);
    return holds;
}

void holds_free(struct holds **holds_at) {
    struct holds *holds = *holds_at;
    *holds_at = NULL;
    mutex_lock(&holds->lock);
    assert(holds->shared.first == NULL && holds->shared.count == 0);
    holds->shared.is_ending = true;
    condition_signal(&holds->changed);
    mutex_unlock(&holds->lock);
    thread_join(&holds->thread);
    condition_done(&holds->changed);
    mutex_done(&holds->lock);
    free(holds);
}
