#include "desk.h"

#include "lanes.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 256

enum change_kind { CHANGE_ADD, CHANGE_REMOVE, CHANGE_RESCHEDULE, CHANGE_DOOM };

struct change {
    enum change_kind kind;
    struct desk_entry *entry;
    int64_t due_unix_ms;
    unsigned attempt;
    bool ends_lease;
};

struct desk {
    const struct clock *clock;
    struct mutex lock;
    struct condition changed;
    struct {
        struct desk_entry **by_id, **by_incident; /* chains */
        size_t bucket_count, entry_count;
        struct lanes lanes;
        struct desk_entry *leased;
        uint64_t last_fence;
        size_t respond_count, ready_count, ready_bytes;
        unsigned waiting; /* workers */
        bool is_stopped, is_paused;
        struct change *changes; /* since the last commit */
        size_t change_count, change_capacity;
    } shared; /* under the lock */
};

struct desk *desk_new(const struct clock *clock, unsigned workers) {
    struct desk *desk = memory_new(sizeof(*desk));
    desk->clock = clock;
    mutex_init(&desk->lock);
    condition_init(&desk->changed);
    mutex_lock(&desk->lock);
    lanes_init(&desk->shared.lanes, workers);
    desk->shared.bucket_count = FIRST_BUCKETS;
    desk->shared.by_id = memory_new_array(FIRST_BUCKETS, sizeof(struct desk_entry *));
    desk->shared.by_incident = memory_new_array(FIRST_BUCKETS, sizeof(struct desk_entry *));
    mutex_unlock(&desk->lock);
    return desk;
}

/* ---- the two indices ---- */

static struct desk_entry **id_chain(struct desk *desk, int64_t id) REQUIRES(&desk->lock) {
    return &desk->shared.by_id[(uint64_t)id % desk->shared.bucket_count];
}

static struct desk_entry **incident_chain(struct desk *desk, const struct ulid *incident)
    REQUIRES(&desk->lock) {
    return &desk->shared.by_incident[text_hash(ulid_text(incident)) % desk->shared.bucket_count];
}

static void index_link(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock) {
    struct desk_entry **chain = id_chain(desk, entry->task.id);
    entry->next_by_id = *chain;
    *chain = entry;
    chain = incident_chain(desk, &entry->task.incident);
    entry->next_by_incident = *chain;
    *chain = entry;
}

static void index_grow(struct desk *desk) REQUIRES(&desk->lock) {
    size_t old_count = desk->shared.bucket_count;
    struct desk_entry **old = desk->shared.by_id;
    free(desk->shared.by_incident);
    desk->shared.bucket_count = old_count * 4;
    desk->shared.by_id = memory_new_array(old_count * 4, sizeof(struct desk_entry *));
    desk->shared.by_incident = memory_new_array(old_count * 4, sizeof(struct desk_entry *));
    for (size_t i = 0; i < old_count; i++) {
        for (struct desk_entry *entry = old[i], *next; entry != NULL; entry = next) {
            next = entry->next_by_id;
            index_link(desk, entry);
        }
    }
    free(old);
}

static void index_add(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock) {
    if (desk->shared.entry_count++ >= desk->shared.bucket_count) {
        index_grow(desk);
    }
    index_link(desk, entry);
}

static void index_remove(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock) {
    struct desk_entry **link = id_chain(desk, entry->task.id);
    while (*link != entry) {
        link = &(*link)->next_by_id;
    }
    *link = entry->next_by_id;
    link = incident_chain(desk, &entry->task.incident);
    while (*link != entry) {
        link = &(*link)->next_by_incident;
    }
    *link = entry->next_by_incident;
    desk->shared.entry_count--;
}

static struct desk_entry *find(struct desk *desk, int64_t id) REQUIRES(&desk->lock) {
    struct desk_entry *entry = *id_chain(desk, id);
    while (entry != NULL && entry->task.id != id) {
        entry = entry->next_by_id;
    }
    return entry;
}

/* The next entry of the incident from `entry` on. */
static struct desk_entry *next_of(struct desk_entry *entry, const struct ulid *incident) {
    while (entry != NULL && strcmp(entry->task.incident.text, incident->text) != 0) {
        entry = entry->next_by_incident;
    }
    return entry;
}

/* ---- entries ---- */

static void drop_ready(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock) {
    if (entry->ready != NULL) {
        desk->shared.ready_count--;
        desk->shared.ready_bytes -= entry->ready_bytes;
        journal_task_free(&entry->ready);
    }
}

/* A wall-clock time as a time of the monotonic clock: what happens to the wall clock later doesn't
 * move it. */
static void set_due(struct desk *desk, struct desk_entry *entry, int64_t due_unix_ms) {
    entry->task.due_unix_ms = due_unix_ms;
    entry->due_mono_ms = clock_mono_ms(desk->clock) + (due_unix_ms - clock_unix_ms(desk->clock));
}

static void put_back(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock) {
    if (entry->is_uncommitted || entry->is_removed || entry->task.is_doomed) {
        return;
    }
    lanes_put(&desk->shared.lanes, entry, clock_mono_ms(desk->clock));
    condition_signal(&desk->changed);
}

static void lease(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock) {
    assert(entry->place == PLACE_NOWHERE);
    entry->place = PLACE_LEASED;
    entry->lease_until_mono_ms = clock_mono_ms(desk->clock) + JOURNAL_LEASE_MS;
    entry->previous = NULL;
    entry->next = desk->shared.leased;
    if (entry->next != NULL) {
        entry->next->previous = entry;
    }
    desk->shared.leased = entry;
    lanes_occupy(entry);
}

static void end_lease(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock) {
    assert(entry->place == PLACE_LEASED);
    *(entry->previous != NULL ? &entry->previous->next : &desk->shared.leased) = entry->next;
    if (entry->next != NULL) {
        entry->next->previous = entry->previous;
    }
    entry->previous = entry->next = NULL;
    entry->place = PLACE_NOWHERE;
    lanes_vacate(entry);
    condition_signal(&desk->changed); /* a lane or an undo may be free now */
}

static struct desk_entry *add_entry(struct desk *desk, const struct desk_task *task)
    REQUIRES(&desk->lock) {
    struct desk_entry *entry = memory_new(sizeof(*entry));
    entry->task = *task;
    lanes_enter(&desk->shared.lanes, entry, task->lane);
    set_due(desk, entry, task->due_unix_ms);
    index_add(desk, entry);
    desk->shared.respond_count += task->kind == TASK_RESPOND;
    return entry;
}

static void free_entry(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock) {
    lanes_take(&desk->shared.lanes, entry);
    if (entry->place == PLACE_LEASED) {
        end_lease(desk, entry);
    }
    drop_ready(desk, entry);
    index_remove(desk, entry);
    lanes_leave(&desk->shared.lanes, entry);
    free(entry);
}

void desk_free(struct desk **desk_at) {
    struct desk *desk = *desk_at;
    *desk_at = NULL;
    if (desk == NULL) {
        return;
    }
    mutex_lock(&desk->lock);
    for (size_t i = 0; i < desk->shared.bucket_count; i++) {
        while (desk->shared.by_id[i] != NULL) {
            free_entry(desk, desk->shared.by_id[i]);
        }
    }
    lanes_done(&desk->shared.lanes);
    free(desk->shared.by_id);
    free(desk->shared.by_incident);
    free(desk->shared.changes);
    mutex_unlock(&desk->lock);
    condition_done(&desk->changed);
    mutex_done(&desk->lock);
    free(desk);
}

/* ---- changes ---- */

static struct change *add_change(struct desk *desk, enum change_kind kind, struct desk_entry *entry)
    REQUIRES(&desk->lock) {
    desk->shared.changes = memory_grow_array(desk->shared.changes, &desk->shared.change_capacity,
                                             desk->shared.change_count + 1, sizeof(struct change));
    struct change *change = &desk->shared.changes[desk->shared.change_count++];
    *change = (struct change){.kind = kind, .entry = entry};
    return change;
}

bool desk_has_room(struct desk *desk, size_t body_bytes) {
    mutex_lock(&desk->lock);
    bool has_room = desk->shared.ready_count < DESK_READY_TASKS &&
                    desk->shared.ready_bytes + body_bytes <= DESK_READY_BYTES;
    mutex_unlock(&desk->lock);
    return has_room;
}

static struct desk_entry *add_uncommitted(struct desk *desk, const struct desk_task *task)
    REQUIRES(&desk->lock) {
    struct desk_entry *entry = add_entry(desk, task);
    entry->is_uncommitted = true;
    add_change(desk, CHANGE_ADD, entry);
    return entry;
}

void desk_add(struct desk *desk, const struct desk_task *task, struct journal_task *ready) {
    mutex_lock(&desk->lock);
    struct desk_entry *entry = add_uncommitted(desk, task);
    if (ready != NULL) {
        entry->ready = ready;
        entry->ready_bytes = blob_text(ready->event).bytes;
        desk->shared.ready_count++;
        desk->shared.ready_bytes += entry->ready_bytes;
    }
    mutex_unlock(&desk->lock);
}

uint64_t desk_add_leased(struct desk *desk, const struct desk_task *task) {
    mutex_lock(&desk->lock);
    struct desk_entry *entry = add_uncommitted(desk, task);
    entry->is_leased_at_commit = true;
    entry->fence = ++desk->shared.last_fence;
    uint64_t fence = entry->fence;
    mutex_unlock(&desk->lock);
    return fence;
}

void desk_remove(struct desk *desk, int64_t id) {
    mutex_lock(&desk->lock);
    struct desk_entry *entry = find(desk, id);
    if (entry != NULL && !entry->is_removed) {
        entry->is_removed = true;
        lanes_take(&desk->shared.lanes, entry);
        desk->shared.respond_count -= entry->task.kind == TASK_RESPOND;
        add_change(desk, CHANGE_REMOVE, entry);
    }
    mutex_unlock(&desk->lock);
}

void desk_reschedule(struct desk *desk, int64_t id, int64_t due_unix_ms, unsigned attempt,
                     bool ends_lease) {
    mutex_lock(&desk->lock);
    struct desk_entry *entry = find(desk, id);
    if (entry != NULL && !entry->is_removed) {
        struct change *change = add_change(desk, CHANGE_RESCHEDULE, entry);
        change->due_unix_ms = due_unix_ms;
        change->attempt = attempt;
        change->ends_lease = ends_lease;
    }
    mutex_unlock(&desk->lock);
}

void desk_doom(struct desk *desk, int64_t id) {
    mutex_lock(&desk->lock);
    struct desk_entry *entry = find(desk, id);
    if (entry != NULL && !entry->is_removed && !entry->task.is_doomed) {
        entry->task.is_doomed = true;
        lanes_take(&desk->shared.lanes, entry);
        add_change(desk, CHANGE_DOOM, entry);
    }
    mutex_unlock(&desk->lock);
}

void desk_incident_changed(struct desk *desk, const struct ulid *incident) {
    mutex_lock(&desk->lock);
    struct desk_entry *entry = next_of(*incident_chain(desk, incident), incident);
    for (; entry != NULL; entry = next_of(entry->next_by_incident, incident)) {
        drop_ready(desk, entry);
    }
    mutex_unlock(&desk->lock);
}

static bool is_leased(const struct desk_entry *entry) {
    return entry->place == PLACE_LEASED || entry->is_leased_at_commit;
}

bool desk_is_leased(struct desk *desk, int64_t id) {
    mutex_lock(&desk->lock);
    struct desk_entry *entry = find(desk, id);
    bool is_held = entry != NULL && is_leased(entry);
    mutex_unlock(&desk->lock);
    return is_held;
}

static int compare_views(const void *a, const void *b) {
    int64_t left = ((const struct desk_view *)a)->task.id;
    int64_t right = ((const struct desk_view *)b)->task.id;
    return (left > right) - (left < right);
}

size_t desk_tasks_of(struct desk *desk, const struct ulid *incident, struct arena *arena,
                     struct desk_view **views_out) {
    mutex_lock(&desk->lock);
    struct desk_entry *first = next_of(*incident_chain(desk, incident), incident);
    size_t count = 0;
    for (struct desk_entry *entry = first; entry != NULL;
         entry = next_of(entry->next_by_incident, incident)) {
        count += !entry->is_removed;
    }
    struct desk_view *views = arena_alloc_array(arena, count, sizeof(*views));
    size_t index = 0;
    for (struct desk_entry *entry = first; entry != NULL;
         entry = next_of(entry->next_by_incident, incident)) {
        if (!entry->is_removed) {
            views[index].task = entry->task;
            views[index].task.lane = arena_copy_text(arena, entry->task.lane);
            views[index].is_leased = is_leased(entry);
            index++;
        }
    }
    mutex_unlock(&desk->lock);
    qsort(views, count, sizeof(*views), compare_views);
    *views_out = views;
    return count;
}

size_t desk_respond_count(struct desk *desk) {
    mutex_lock(&desk->lock);
    size_t count = desk->shared.respond_count;
    mutex_unlock(&desk->lock);
    return count;
}

size_t desk_mark(struct desk *desk) {
    mutex_lock(&desk->lock);
    size_t mark = desk->shared.change_count;
    mutex_unlock(&desk->lock);
    return mark;
}

static void revert_change(struct desk *desk, const struct change *change) REQUIRES(&desk->lock) {
    struct desk_entry *entry = change->entry;
    switch (change->kind) {
    case CHANGE_ADD:
        desk->shared.respond_count -= entry->task.kind == TASK_RESPOND;
        free_entry(desk, entry);
        break;
    case CHANGE_REMOVE:
        entry->is_removed = false;
        desk->shared.respond_count += entry->task.kind == TASK_RESPOND;
        if (entry->place == PLACE_NOWHERE) {
            put_back(desk, entry);
        }
        break;
    case CHANGE_DOOM:
        entry->task.is_doomed = false;
        if (entry->place == PLACE_NOWHERE) {
            put_back(desk, entry);
        }
        break;
    case CHANGE_RESCHEDULE:
        break;
    }
}

void desk_revert(struct desk *desk, size_t mark) {
    mutex_lock(&desk->lock);
    while (desk->shared.change_count > mark) {
        struct change change = desk->shared.changes[--desk->shared.change_count];
        revert_change(desk, &change);
    }
    mutex_unlock(&desk->lock);
}

static void commit_add(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock) {
    bool is_leased = entry->is_leased_at_commit && !entry->is_removed;
    entry->is_uncommitted = false;
    entry->is_leased_at_commit = false;
    if (is_leased) {
        lease(desk, entry);
    } else {
        put_back(desk, entry);
    }
}

static void commit_reschedule(struct desk *desk, const struct change *change)
    REQUIRES(&desk->lock) {
    struct desk_entry *entry = change->entry;
    if (entry->is_removed) {
        return;
    }
    set_due(desk, entry, change->due_unix_ms);
    entry->task.attempt = change->attempt;
    drop_ready(desk, entry);
    if (entry->place == PLACE_LEASED && change->ends_lease) {
        end_lease(desk, entry);
    }
    if (entry->place != PLACE_LEASED) {
        lanes_take(&desk->shared.lanes, entry);
        put_back(desk, entry);
    }
}

void desk_commit(struct desk *desk) {
    mutex_lock(&desk->lock);
    for (size_t i = 0; i < desk->shared.change_count; i++) {
        const struct change *change = &desk->shared.changes[i];
        switch (change->kind) {
        case CHANGE_ADD:
            commit_add(desk, change->entry);
            break;
        case CHANGE_REMOVE:
            free_entry(desk, change->entry);
            break;
        case CHANGE_RESCHEDULE:
            commit_reschedule(desk, change);
            break;
        case CHANGE_DOOM:
            break;
        }
    }
    desk->shared.change_count = 0;
    mutex_unlock(&desk->lock);
}

/* ---- reload ---- */

void desk_reload_begin(struct desk *desk) {
    mutex_lock(&desk->lock);
    assert(desk->shared.change_count == 0);
    for (size_t i = 0; i < desk->shared.bucket_count; i++) {
        for (struct desk_entry *entry = desk->shared.by_id[i]; entry != NULL;
             entry = entry->next_by_id) {
            lanes_take(&desk->shared.lanes, entry);
            drop_ready(desk, entry);
            entry->is_gone_after_reload = true;
        }
    }
    mutex_unlock(&desk->lock);
}

void desk_reload_add(struct desk *desk, const struct desk_task *task) {
    mutex_lock(&desk->lock);
    struct desk_entry *entry = find(desk, task->id);
    if (entry == NULL) {
        entry = add_entry(desk, task);
    }
    entry->is_gone_after_reload = false;
    entry->task.is_doomed = task->is_doomed;
    if (entry->place != PLACE_LEASED) {
        entry->task.attempt = task->attempt;
        set_due(desk, entry, task->due_unix_ms);
        put_back(desk, entry);
    }
    mutex_unlock(&desk->lock);
}

void desk_reload_end(struct desk *desk) {
    mutex_lock(&desk->lock);
    for (size_t i = 0; i < desk->shared.bucket_count; i++) {
        for (struct desk_entry *entry = desk->shared.by_id[i], *next; entry != NULL; entry = next) {
            next = entry->next_by_id;
            if (entry->is_gone_after_reload) {
                desk->shared.respond_count -= entry->task.kind == TASK_RESPOND;
                free_entry(desk, entry);
            }
        }
    }
    mutex_unlock(&desk->lock);
}

/* ---- leases ---- */

/* An undo waits until nobody works on its incident any more. */
static bool may_claim(void *arg, const struct desk_entry *entry) NO_THREAD_SAFETY_ANALYSIS {
    struct desk *desk = arg;
    if (entry->task.kind != TASK_UNDO) {
        return true;
    }
    for (const struct desk_entry *held = desk->shared.leased; held != NULL; held = held->next) {
        if (strcmp(held->task.incident.text, entry->task.incident.text) == 0) {
            return false;
        }
    }
    return true;
}

static void end_expired_leases(struct desk *desk, int64_t now_mono_ms) REQUIRES(&desk->lock) {
    for (struct desk_entry *entry = desk->shared.leased, *next; entry != NULL; entry = next) {
        next = entry->next;
        if (entry->lease_until_mono_ms <= now_mono_ms) {
            end_lease(desk, entry);
            put_back(desk, entry);
        }
    }
}

/* Whoever held a task of this incident when its lease ran out comes too late now. */
static void invalidate_others(struct desk *desk, const struct desk_entry *undo)
    REQUIRES(&desk->lock) {
    const struct ulid *incident = &undo->task.incident;
    struct desk_entry *entry = next_of(*incident_chain(desk, incident), incident);
    for (; entry != NULL; entry = next_of(entry->next_by_incident, incident)) {
        if (entry != undo) {
            entry->fence = 0;
        }
    }
}

static void hand_over(struct desk *desk, struct desk_entry *entry, struct desk_lease *lease_out)
    REQUIRES(&desk->lock) {
    lanes_take(&desk->shared.lanes, entry);
    lease(desk, entry);
    entry->fence = ++desk->shared.last_fence;
    if (entry->task.kind == TASK_UNDO) {
        invalidate_others(desk, entry);
    }
    *lease_out = (struct desk_lease){.id = entry->task.id, .fence = entry->fence};
    if (entry->ready != NULL) {
        lease_out->ready = entry->ready;
        lease_out->ready->id = entry->task.id;
        lease_out->ready->fence = entry->fence;
        desk->shared.ready_count--;
        desk->shared.ready_bytes -= entry->ready_bytes;
        entry->ready = NULL;
    }
}

static bool try_claim(struct desk *desk, struct desk_lease *lease_out) REQUIRES(&desk->lock) {
    if (desk->shared.is_paused) {
        return false;
    }
    int64_t now_mono_ms = clock_mono_ms(desk->clock);
    end_expired_leases(desk, now_mono_ms);
    lanes_advance(&desk->shared.lanes, now_mono_ms);
    struct desk_entry *entry = lanes_pick(&desk->shared.lanes, may_claim, desk);
    if (entry == NULL) {
        return false;
    }
    hand_over(desk, entry, lease_out);
    if (desk->shared.waiting > 0 && lanes_pick(&desk->shared.lanes, may_claim, desk) != NULL) {
        condition_signal(&desk->changed); /* one signal may have stood for several tasks */
    }
    return true;
}

/* Until the next task is due or the next lease runs out; at most `most_ms`. */
static int64_t time_to_wait(struct desk *desk, int64_t most_ms) REQUIRES(&desk->lock) {
    if (desk->shared.is_paused) {
        return most_ms;
    }
    int64_t now_mono_ms = clock_mono_ms(desk->clock);
    int64_t until_mono_ms = now_mono_ms + most_ms;
    int64_t due_mono_ms = 0;
    if (lanes_next_due(&desk->shared.lanes, &due_mono_ms) && due_mono_ms < until_mono_ms) {
        until_mono_ms = due_mono_ms;
    }
    for (const struct desk_entry *held = desk->shared.leased; held != NULL; held = held->next) {
        if (held->lease_until_mono_ms < until_mono_ms) {
            until_mono_ms = held->lease_until_mono_ms;
        }
    }
    int64_t wait_ms = until_mono_ms - now_mono_ms;
    return wait_ms > 1 ? wait_ms : 1;
}

bool desk_claim(struct desk *desk, int64_t wait_ms, struct desk_lease *lease_out) {
    int64_t until_mono_ms = clock_mono_ms(&clock_system) + wait_ms;
    bool is_claimed = false;
    mutex_lock(&desk->lock);
    while (!desk->shared.is_stopped) {
        is_claimed = try_claim(desk, lease_out);
        int64_t left_ms = until_mono_ms - clock_mono_ms(&clock_system);
        if (is_claimed || wait_ms <= 0 || left_ms <= 0) {
            break;
        }
        desk->shared.waiting++;
        condition_wait_ms(&desk->changed, &desk->lock, time_to_wait(desk, left_ms));
        desk->shared.waiting--;
    }
    mutex_unlock(&desk->lock);
    return is_claimed;
}

bool desk_renew(struct desk *desk, int64_t id, uint64_t fence, struct desk_task *task_out) {
    mutex_lock(&desk->lock);
    struct desk_entry *entry = find(desk, id);
    bool is_valid = entry != NULL && !entry->is_removed && !entry->is_uncommitted && fence != 0 &&
                    entry->fence == fence;
    if (is_valid) {
        if (entry->place == PLACE_LEASED) {
            entry->lease_until_mono_ms = clock_mono_ms(desk->clock) + JOURNAL_LEASE_MS;
        } else { /* it ran out, but nobody has claimed the task since */
            lanes_take(&desk->shared.lanes, entry);
            lease(desk, entry);
        }
        *task_out = entry->task;
    }
    mutex_unlock(&desk->lock);
    return is_valid;
}

void desk_give_back(struct desk *desk, int64_t id, uint64_t fence, int64_t wait_ms) {
    mutex_lock(&desk->lock);
    struct desk_entry *entry = find(desk, id);
    if (entry != NULL && entry->fence == fence && entry->place == PLACE_LEASED) {
        entry->fence = 0;
        end_lease(desk, entry);
        if (wait_ms > 0) {
            set_due(desk, entry, clock_unix_ms(desk->clock) + wait_ms);
        }
        put_back(desk, entry);
    }
    mutex_unlock(&desk->lock);
}

void desk_stop_claims(struct desk *desk) {
    mutex_lock(&desk->lock);
    desk->shared.is_stopped = true;
    condition_broadcast(&desk->changed);
    mutex_unlock(&desk->lock);
}

void desk_pause(struct desk *desk, bool is_paused) {
    mutex_lock(&desk->lock);
    desk->shared.is_paused = is_paused;
    condition_broadcast(&desk->changed);
    mutex_unlock(&desk->lock);
}

int64_t desk_oldest_due_ms(struct desk *desk) {
    mutex_lock(&desk->lock);
    int64_t now_mono_ms = clock_mono_ms(desk->clock);
    int64_t due_mono_ms = 0;
    lanes_advance(&desk->shared.lanes, now_mono_ms);
    bool is_any = lanes_oldest_ready(&desk->shared.lanes, &due_mono_ms);
    mutex_unlock(&desk->lock);
    return is_any && due_mono_ms < now_mono_ms ? now_mono_ms - due_mono_ms : 0;
}
