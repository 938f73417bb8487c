/* The order in which tasks come up: a heap of those that are due later, and for each lane a queue a
 * rank of those that are due. A lane in which half the workers are busy is passed over, so that one
 * slow endpoint doesn't hold up the others. Notifications get half the workers together and a
 * quarter a lane: a webhook that hangs holds up neither responses nor other webhooks.
 *
 * A lane whose endpoint gave no answer LANE_FAILURES times in a row rests: it is passed over for a
 * second, then one task tries it; still no answer, and it rests twice as long, up to
 * LANE_REST_MOST_MS. The first answer ends that. A lane without entries forgets its failures, and
 * the empty lane never rests.
 *
 * Ownership:  entries belong to the desk; lanes come and go with their entries.
 * Threads:    one at a time (the desk's lock).
 * Bounds:     put and take O(log tasks), pick O(lanes with due tasks). */
#ifndef RIPOSTE_SERVER_JOURNAL_LANES_H
#define RIPOSTE_SERVER_JOURNAL_LANES_H

#include "desk.h"

#define LANE_BUCKETS 64
#define LANE_RANKS   4

#define LANE_FAILURES     3
#define LANE_REST_MS      1000
#define LANE_REST_MOST_MS 15000

struct lane;

enum desk_place {
    PLACE_NOWHERE, /* uncommitted, removed, doomed */
    PLACE_WAITING,
    PLACE_READY,
    PLACE_LEASED,
};

struct desk_entry {
    struct desk_task task;
    struct lane *lane;
    enum desk_place place;
    bool is_uncommitted, is_removed, is_leased_at_commit, is_gone_after_reload;
    uint64_t fence; /* of the latest lease; 0: none, or none that counts any more */
    int64_t due_mono_ms, lease_until_mono_ms;
    struct journal_task *ready;
    size_t ready_bytes;
    struct desk_entry *next_by_id, *next_by_incident;
    struct desk_entry *previous, *next; /* in a lane's queue or among the leased */
    size_t heap_index;
};

struct lanes {
    struct lane *buckets[LANE_BUCKETS];
    struct lane *due; /* those with a queue that isn't empty */
    struct desk_entry **heap;
    size_t heap_count, heap_capacity;
    unsigned limit, notice_limit;         /* workers a lane */
    unsigned notices_limit, notices_busy; /* notifications in all lanes */
    size_t failing_count;                 /* lanes that rest, or are being tried */
    int64_t now_mono_ms;                  /* of the latest lanes_advance() */
};

void lanes_init(struct lanes *lanes, unsigned workers);
/* When all entries have left. */
void lanes_done(struct lanes *lanes);

/* Gives the entry a lane; entry->task.lane is the lane's own copy of the name from then on. */
void lanes_enter(struct lanes *lanes, struct desk_entry *entry, struct text name);
void lanes_leave(struct lanes *lanes, struct desk_entry *entry);

/* All that have entries, the busiest and fullest first, into `arena`; returns how many. */
size_t lanes_list(const struct lanes *lanes, struct arena *arena, struct journal_lane **list_out);

/* By entry->due_mono_ms. */
void lanes_put(struct lanes *lanes, struct desk_entry *entry, int64_t now_mono_ms);
/* Out of where it is, waiting or ready; elsewhere nothing happens. */
void lanes_take(struct lanes *lanes, struct desk_entry *entry);
/* Those that are due meanwhile become ready, and rests are over. */
void lanes_advance(struct lanes *lanes, int64_t now_mono_ms);
/* When there will be more to pick by itself: a task is due, a lane has rested. False: never. */
bool lanes_next_due(const struct lanes *lanes, int64_t *due_mono_ms_out);

typedef bool lanes_may_fn(void *arg, const struct desk_entry *entry);
/* The first that may be claimed; NULL when there is none. It stays where it is. */
struct desk_entry *lanes_pick(const struct lanes *lanes, lanes_may_fn *may_fn, void *arg);
/* Counts the entry's lane as busy, and no more. */
void lanes_occupy(struct lanes *lanes, struct desk_entry *entry);
void lanes_vacate(struct lanes *lanes, struct desk_entry *entry);
enum lane_change { LANE_AS_BEFORE, LANE_RESTS, LANE_WORKS_AGAIN };
/* The endpoint of the entry's lane has given an answer, or none. */
enum lane_change lanes_report(struct lanes *lanes, const struct desk_entry *entry,
                              bool has_answered, int64_t now_mono_ms);
/* How many are ready, and since when the earliest is. */
size_t lanes_ready(const struct lanes *lanes, int64_t *due_mono_ms_out);

#endif
