#include "desk_entries.h"

#include "riposte/base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 256

struct desk *desk_new(const struct clock *clock, unsigned workers) {
    struct desk *desk = memory_new(sizeof(*desk));
    desk->clock = clock;
    mutex_init(&desk->lock);
    condition_init(&desk->due);
    condition_init(&desk->ready);
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

struct desk_entry **desk_incident_chain(struct desk *desk, const struct ulid *incident)
    REQUIRES(&desk->lock) {
    return &desk->shared.by_incident[text_hash(ulid_text(incident)) % desk->shared.bucket_count];
}

static void index_link(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock) {
    struct desk_entry **chain = id_chain(desk, entry->task.id);
    entry->next_by_id = *chain;
    *chain = entry;
    chain = desk_incident_chain(desk, &entry->task.incident);
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
    link = desk_incident_chain(desk, &entry->task.incident);
    while (*link != entry) {
        link = &(*link)->next_by_incident;
    }
    *link = entry->next_by_incident;
    desk->shared.entry_count--;
}

struct desk_entry *desk_find(struct desk *desk, int64_t id) REQUIRES(&desk->lock) {
    struct desk_entry *entry = *id_chain(desk, id);
    while (entry != NULL && entry->task.id != id) {
        entry = entry->next_by_id;
    }
    return entry;
}

struct desk_entry *desk_next_of(struct desk_entry *entry, const struct ulid *incident) {
    while (entry != NULL && strcmp(entry->task.incident.text, incident->text) != 0) {
        entry = entry->next_by_incident;
    }
    return entry;
}

/* ---- entries ---- */

void desk_drop_ready(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock) {
    if (entry->ready != NULL) {
        desk->shared.ready_count--;
        desk->shared.ready_bytes -= entry->ready_bytes;
        journal_task_free(&entry->ready);
    }
}

void desk_set_due(struct desk *desk, struct desk_entry *entry, int64_t due_unix_ms) {
    entry->task.due_unix_ms = due_unix_ms;
    entry->due_mono_ms = clock_mono_ms(desk->clock) + (due_unix_ms - clock_unix_ms(desk->clock));
}

void desk_put_back(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock) {
    if (entry->is_uncommitted || entry->is_removed || entry->task.is_doomed) {
        return;
    }
    lanes_put(&desk->shared.lanes, entry, clock_mono_ms(desk->clock));
}

void desk_lease_out(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock) {
    assert(entry->place == PLACE_NOWHERE);
    entry->place = PLACE_LEASED;
    entry->lease_until_mono_ms = clock_mono_ms(desk->clock) + JOURNAL_LEASE_MS;
    entry->previous = NULL;
    entry->next = desk->shared.leased;
    if (entry->next != NULL) {
        entry->next->previous = entry;
    }
    desk->shared.leased = entry;
    lanes_occupy(&desk->shared.lanes, entry);
}

void desk_end_lease(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock) {
    assert(entry->place == PLACE_LEASED);
    *(entry->previous != NULL ? &entry->previous->next : &desk->shared.leased) = entry->next;
    if (entry->next != NULL) {
        entry->next->previous = entry->previous;
    }
    entry->previous = entry->next = NULL;
    entry->place = PLACE_NOWHERE;
    lanes_vacate(&desk->shared.lanes, entry);
}

struct desk_entry *desk_new_entry(struct desk *desk, const struct desk_task *task)
    REQUIRES(&desk->lock) {
    struct desk_entry *entry = memory_new(sizeof(*entry));
    entry->task = *task;
    lanes_enter(&desk->shared.lanes, entry, task->lane);
    desk_set_due(desk, entry, task->due_unix_ms);
    index_add(desk, entry);
    desk->shared.respond_count += task->kind == TASK_RESPOND;
    return entry;
}

void desk_free_entry(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock) {
    lanes_take(&desk->shared.lanes, entry);
    if (entry->place == PLACE_LEASED) {
        desk_end_lease(desk, entry);
    }
    desk_drop_ready(desk, entry);
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
            desk_free_entry(desk, desk->shared.by_id[i]);
        }
    }
    lanes_done(&desk->shared.lanes);
    free(desk->shared.by_id);
    free(desk->shared.by_incident);
    free(desk->shared.changes);
    mutex_unlock(&desk->lock);
    condition_done(&desk->due);
    condition_done(&desk->ready);
    mutex_done(&desk->lock);
    free(desk);
}
