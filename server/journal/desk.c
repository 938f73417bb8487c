#include "desk.h"

#include "desk_entries.h"

#include "riposte/base/memory.h"

#include <assert.h>
#include <stdlib.h>

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
    struct desk_entry *entry = desk_new_entry(desk, task);
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
    struct desk_entry *entry = desk_find(desk, id);
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
    struct desk_entry *entry = desk_find(desk, id);
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
    struct desk_entry *entry = desk_find(desk, id);
    if (entry != NULL && !entry->is_removed && !entry->task.is_doomed) {
        entry->task.is_doomed = true;
        lanes_take(&desk->shared.lanes, entry);
        add_change(desk, CHANGE_DOOM, entry);
    }
    mutex_unlock(&desk->lock);
}

void desk_incident_changed(struct desk *desk, const struct ulid *incident) {
    mutex_lock(&desk->lock);
    struct desk_entry *entry = desk_next_of(*desk_incident_chain(desk, incident), incident);
    for (; entry != NULL; entry = desk_next_of(entry->next_by_incident, incident)) {
        desk_drop_ready(desk, entry);
    }
    mutex_unlock(&desk->lock);
}

static bool is_leased(const struct desk_entry *entry) {
    return entry->place == PLACE_LEASED || entry->is_leased_at_commit;
}

bool desk_is_leased(struct desk *desk, int64_t id) {
    mutex_lock(&desk->lock);
    struct desk_entry *entry = desk_find(desk, id);
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
    struct desk_entry *first = desk_next_of(*desk_incident_chain(desk, incident), incident);
    size_t count = 0;
    for (struct desk_entry *entry = first; entry != NULL;
         entry = desk_next_of(entry->next_by_incident, incident)) {
        count += !entry->is_removed;
    }
    struct desk_view *views = arena_alloc_array(arena, count, sizeof(*views));
    size_t index = 0;
    for (struct desk_entry *entry = first; entry != NULL;
         entry = desk_next_of(entry->next_by_incident, incident)) {
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
        desk_free_entry(desk, entry);
        break;
    case CHANGE_REMOVE:
        entry->is_removed = false;
        desk->shared.respond_count += entry->task.kind == TASK_RESPOND;
        if (entry->place == PLACE_NOWHERE) {
            desk_put_back(desk, entry);
        }
        break;
    case CHANGE_DOOM:
        entry->task.is_doomed = false;
        if (entry->place == PLACE_NOWHERE) {
            desk_put_back(desk, entry);
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

bool desk_offer(struct desk *desk) {
    bool is_any = false;
    mutex_lock(&desk->lock);
    for (size_t i = 0; i < desk->shared.change_count; i++) {
        struct desk_entry *entry = desk->shared.changes[i].entry;
        if (desk->shared.changes[i].kind == CHANGE_ADD && entry->task.kind == TASK_RESPOND &&
            entry->ready != NULL && !entry->is_removed) {
            lanes_put(&desk->shared.lanes, entry, clock_mono_ms(desk->clock));
            is_any = true;
        }
    }
    bool is_awaited = is_any && desk->shared.waiting > 0;
    mutex_unlock(&desk->lock);
    if (is_awaited) {
        desk_wake(desk);
    }
    return is_awaited;
}

/* What was offered has found its place already, unless it was given back meanwhile. */
static void commit_add(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock) {
    bool is_leased = entry->is_leased_at_commit && !entry->is_removed;
    entry->is_uncommitted = false;
    entry->is_leased_at_commit = false;
    if (is_leased) {
        desk_lease_out(desk, entry);
    } else if (entry->place == PLACE_NOWHERE) {
        desk_put_back(desk, entry);
    }
}

static void commit_reschedule(struct desk *desk, const struct change *change)
    REQUIRES(&desk->lock) {
    struct desk_entry *entry = change->entry;
    if (entry->is_removed) {
        return;
    }
    desk_set_due(desk, entry, change->due_unix_ms);
    entry->task.attempt = change->attempt;
    desk_drop_ready(desk, entry);
    if (entry->place == PLACE_LEASED && change->ends_lease) {
        desk_end_lease(desk, entry);
    }
    if (entry->place != PLACE_LEASED) {
        lanes_take(&desk->shared.lanes, entry);
        desk_put_back(desk, entry);
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
            desk_free_entry(desk, change->entry);
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
            desk_drop_ready(desk, entry);
            entry->is_gone_after_reload = true;
        }
    }
    mutex_unlock(&desk->lock);
}

void desk_reload_add(struct desk *desk, const struct desk_task *task) {
    mutex_lock(&desk->lock);
    struct desk_entry *entry = desk_find(desk, task->id);
    if (entry == NULL) {
        entry = desk_new_entry(desk, task);
    }
    entry->is_gone_after_reload = false;
    entry->task.is_doomed = task->is_doomed;
    if (entry->place != PLACE_LEASED) {
        lanes_take(&desk->shared.lanes, entry); /* it may have been given back meanwhile */
        entry->task.attempt = task->attempt;
        desk_set_due(desk, entry, task->due_unix_ms);
        desk_put_back(desk, entry);
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
                desk_free_entry(desk, entry);
            }
        }
    }
    mutex_unlock(&desk->lock);
}
