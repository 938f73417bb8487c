/* The desk from inside: what desk.c (changes), desk_entries.c (what there is) and desk_leases.c
 * (who holds it) share.
 *
 * Ownership:  entries belong to the desk.
 * Threads:    whoever holds the lock. */
#ifndef RIPOSTE_SERVER_JOURNAL_DESK_ENTRIES_H
#define RIPOSTE_SERVER_JOURNAL_DESK_ENTRIES_H

#include "desk.h"
#include "lanes.h"

#include "riposte/base/mutex.h"

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
    /* Workers that wait: one keeps the time until something is due, the others sleep through it. */
    struct condition due, ready;
    struct {
        struct desk_entry **by_id, **by_incident; /* chains */
        size_t bucket_count, entry_count;
        struct lanes lanes;
        struct desk_entry *leased;
        uint64_t last_fence;
        size_t respond_count, ready_count, ready_bytes;
        unsigned waiting; /* workers, the one that keeps the time included */
        bool has_timekeeper;
        int64_t kept_until_mono_ms; /* when it wakes by itself */
        bool is_stopped, is_paused;
        struct change *changes; /* since the last commit */
        size_t change_count, change_capacity;
    } shared; /* under the lock */
};

struct desk_entry *desk_find(struct desk *desk, int64_t id) REQUIRES(&desk->lock);
/* Where the entries of an incident, and of others, begin. */
struct desk_entry **desk_incident_chain(struct desk *desk, const struct ulid *incident)
    REQUIRES(&desk->lock);
/* The next entry of the incident from `entry` on. */
struct desk_entry *desk_next_of(struct desk_entry *entry, const struct ulid *incident);

struct desk_entry *desk_new_entry(struct desk *desk, const struct desk_task *task)
    REQUIRES(&desk->lock);
void desk_free_entry(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock);
void desk_drop_ready(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock);
/* A wall-clock time as a time of the monotonic clock: what happens to the wall clock later doesn't
 * move it. */
void desk_set_due(struct desk *desk, struct desk_entry *entry, int64_t due_unix_ms);
/* Among those that wait or are due, unless it may not be claimed. */
void desk_put_back(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock);
void desk_lease_out(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock);
void desk_end_lease(struct desk *desk, struct desk_entry *entry) REQUIRES(&desk->lock);

#endif
