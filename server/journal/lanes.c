#include "lanes.h"

#include "riposte/base/memory.h"

#include <assert.h>
#include <stdlib.h>

struct queue {
    struct desk_entry *first, *last;
};

struct lane {
    char *name;
    size_t name_bytes;
    unsigned busy, failures;              /* failures: answers that didn't come, in a row */
    int64_t rest_ms, rests_until_mono_ms; /* when failures >= LANE_FAILURES */
    size_t entry_count, ready_count;
    struct queue queues[LANE_RANKS];
    struct lane *next;                    /* in its bucket */
    struct lane *previous_due, *next_due; /* when ready_count > 0 */
};

/* What was begun comes before what is new, except that new events come before what only restores.
 */
static unsigned rank_of(const struct desk_task *task) {
    if (task->kind == TASK_RESPOND) {
        return 1;
    }
    return task->priority == PRIORITY_CONTAIN ? 0 : (unsigned)task->priority + 1;
}

#define RANK_NOTIFY (LANE_RANKS - 1)

static unsigned at_least_one(unsigned count) {
    return count > 0 ? count : 1;
}

void lanes_init(struct lanes *lanes, unsigned workers) {
    *lanes = (struct lanes){.limit = at_least_one(workers / 2),
                            .notice_limit = at_least_one(workers / 4),
                            .notices_limit = at_least_one(workers / 2)};
}

void lanes_done(struct lanes *lanes) {
    for (size_t i = 0; i < LANE_BUCKETS; i++) {
        assert(lanes->buckets[i] == NULL);
    }
    free(lanes->heap);
}

/* ---- lanes ---- */

static bool is_failing(const struct lane *lane) {
    return lane->failures >= LANE_FAILURES;
}

static struct lane **find_lane(struct lanes *lanes, struct text name) {
    struct lane **link = &lanes->buckets[text_hash(name) % LANE_BUCKETS];
    while (*link != NULL && !text_equal((struct text){(*link)->name, (*link)->name_bytes}, name)) {
        link = &(*link)->next;
    }
    return link;
}

void lanes_enter(struct lanes *lanes, struct desk_entry *entry, struct text name) {
    struct lane **link = find_lane(lanes, name);
    if (*link == NULL) {
        *link = memory_new(sizeof(struct lane));
        (*link)->name = text_copy(name);
        (*link)->name_bytes = name.bytes;
    }
    entry->lane = *link;
    entry->lane->entry_count++;
    entry->task.lane = (struct text){entry->lane->name, entry->lane->name_bytes};
}

void lanes_leave(struct lanes *lanes, struct desk_entry *entry) {
    struct lane *lane = entry->lane;
    entry->lane = NULL;
    if (--lane->entry_count > 0) {
        return;
    }
    assert(lane->busy == 0 && lane->ready_count == 0);
    lanes->failing_count -= is_failing(lane);
    struct lane **link = find_lane(lanes, (struct text){lane->name, lane->name_bytes});
    *link = lane->next;
    free(lane->name);
    free(lane);
}

void lanes_occupy(struct lanes *lanes, struct desk_entry *entry) {
    entry->lane->busy++;
    lanes->notices_busy += rank_of(&entry->task) == RANK_NOTIFY;
}

void lanes_vacate(struct lanes *lanes, struct desk_entry *entry) {
    assert(entry->lane->busy > 0);
    entry->lane->busy--;
    lanes->notices_busy -= rank_of(&entry->task) == RANK_NOTIFY;
}

/* ---- what is due later: a binary heap ---- */

static void heap_set(struct lanes *lanes, size_t index, struct desk_entry *entry) {
    lanes->heap[index] = entry;
    entry->heap_index = index;
}

static void sift_up(struct lanes *lanes, size_t index) {
    struct desk_entry *entry = lanes->heap[index];
    while (index > 0) {
        struct desk_entry *parent = lanes->heap[(index - 1) / 2];
        if (parent->due_mono_ms <= entry->due_mono_ms) {
            break;
        }
        heap_set(lanes, index, parent);
        index = (index - 1) / 2;
    }
    heap_set(lanes, index, entry);
}

static void sift_down(struct lanes *lanes, size_t index) {
    struct desk_entry *entry = lanes->heap[index];
    for (;;) {
        size_t child = 2 * index + 1;
        if (child + 1 < lanes->heap_count &&
            lanes->heap[child + 1]->due_mono_ms < lanes->heap[child]->due_mono_ms) {
            child++;
        }
        if (child >= lanes->heap_count || lanes->heap[child]->due_mono_ms >= entry->due_mono_ms) {
            break;
        }
        heap_set(lanes, index, lanes->heap[child]);
        index = child;
    }
    heap_set(lanes, index, entry);
}

static void heap_push(struct lanes *lanes, struct desk_entry *entry) {
    lanes->heap = memory_grow_array(lanes->heap, &lanes->heap_capacity, lanes->heap_count + 1,
                                    sizeof(struct desk_entry *));
    heap_set(lanes, lanes->heap_count, entry);
    lanes->heap_count++;
    sift_up(lanes, lanes->heap_count - 1);
    entry->place = PLACE_WAITING;
}

static void heap_remove(struct lanes *lanes, struct desk_entry *entry) {
    size_t index = entry->heap_index;
    struct desk_entry *last = lanes->heap[--lanes->heap_count];
    if (last != entry) {
        heap_set(lanes, index, last);
        sift_up(lanes, index);
        sift_down(lanes, last->heap_index);
    }
    entry->place = PLACE_NOWHERE;
}

/* ---- what is due: queues ---- */

static void link_due_lane(struct lanes *lanes, struct lane *lane) {
    lane->previous_due = NULL;
    lane->next_due = lanes->due;
    if (lanes->due != NULL) {
        lanes->due->previous_due = lane;
    }
    lanes->due = lane;
}

static void unlink_due_lane(struct lanes *lanes, struct lane *lane) {
    if (lane->previous_due != NULL) {
        lane->previous_due->next_due = lane->next_due;
    } else {
        lanes->due = lane->next_due;
    }
    if (lane->next_due != NULL) {
        lane->next_due->previous_due = lane->previous_due;
    }
}

/* Behind the last that is due no later: nearly always at the end. */
static void queue_insert(struct queue *queue, struct desk_entry *entry) {
    struct desk_entry *before = queue->last;
    while (before != NULL && before->due_mono_ms > entry->due_mono_ms) {
        before = before->previous;
    }
    entry->previous = before;
    entry->next = before != NULL ? before->next : queue->first;
    *(before != NULL ? &before->next : &queue->first) = entry;
    *(entry->next != NULL ? &entry->next->previous : &queue->last) = entry;
}

static void queue_remove(struct queue *queue, struct desk_entry *entry) {
    *(entry->previous != NULL ? &entry->previous->next : &queue->first) = entry->next;
    *(entry->next != NULL ? &entry->next->previous : &queue->last) = entry->previous;
    entry->previous = entry->next = NULL;
}

static void make_ready(struct lanes *lanes, struct desk_entry *entry) {
    struct lane *lane = entry->lane;
    queue_insert(&lane->queues[rank_of(&entry->task)], entry);
    if (lane->ready_count++ == 0) {
        link_due_lane(lanes, lane);
    }
    entry->place = PLACE_READY;
}

static void make_unready(struct lanes *lanes, struct desk_entry *entry) {
    struct lane *lane = entry->lane;
    queue_remove(&lane->queues[rank_of(&entry->task)], entry);
    if (--lane->ready_count == 0) {
        unlink_due_lane(lanes, lane);
    }
    entry->place = PLACE_NOWHERE;
}

void lanes_put(struct lanes *lanes, struct desk_entry *entry, int64_t now_mono_ms) {
    assert(entry->place == PLACE_NOWHERE);
    if (entry->due_mono_ms > now_mono_ms) {
        heap_push(lanes, entry);
    } else {
        make_ready(lanes, entry);
    }
}

void lanes_take(struct lanes *lanes, struct desk_entry *entry) {
    if (entry->place == PLACE_WAITING) {
        heap_remove(lanes, entry);
    } else if (entry->place == PLACE_READY) {
        make_unready(lanes, entry);
    }
}

void lanes_advance(struct lanes *lanes, int64_t now_mono_ms) {
    lanes->now_mono_ms = now_mono_ms;
    while (lanes->heap_count > 0 && lanes->heap[0]->due_mono_ms <= now_mono_ms) {
        struct desk_entry *entry = lanes->heap[0];
        heap_remove(lanes, entry);
        make_ready(lanes, entry);
    }
}

/* ---- endpoints that don't answer ---- */

static bool is_resting(const struct lanes *lanes, const struct lane *lane) {
    return is_failing(lane) && lane->rests_until_mono_ms > lanes->now_mono_ms;
}

enum lane_change lanes_report(struct lanes *lanes, const struct desk_entry *entry,
                              bool has_answered, int64_t now_mono_ms) {
    struct lane *lane = entry->lane;
    lanes->now_mono_ms = now_mono_ms;
    if (has_answered) {
        bool was_failing = is_failing(lane);
        lane->failures = 0;
        lanes->failing_count -= was_failing;
        return was_failing ? LANE_WORKS_AGAIN : LANE_AS_BEFORE;
    }
    /* Those under way when the rest began say nothing new. */
    if (lane->name_bytes == 0 || is_resting(lanes, lane) || ++lane->failures < LANE_FAILURES) {
        return LANE_AS_BEFORE;
    }
    bool is_first = lane->failures == LANE_FAILURES;
    lanes->failing_count += is_first;
    int64_t longer_ms = is_first ? LANE_REST_MS : 2 * lane->rest_ms;
    lane->rest_ms = longer_ms < LANE_REST_MOST_MS ? longer_ms : LANE_REST_MOST_MS;
    lane->rests_until_mono_ms = now_mono_ms + lane->rest_ms;
    return is_first ? LANE_RESTS : LANE_AS_BEFORE;
}

bool lanes_next_due(const struct lanes *lanes, int64_t *due_mono_ms_out) {
    bool is_any = lanes->heap_count > 0;
    *due_mono_ms_out = is_any ? lanes->heap[0]->due_mono_ms : 0;
    for (const struct lane *lane = lanes->due; lane != NULL; lane = lane->next_due) {
        if (is_resting(lanes, lane) && (!is_any || lane->rests_until_mono_ms < *due_mono_ms_out)) {
            *due_mono_ms_out = lane->rests_until_mono_ms;
            is_any = true;
        }
    }
    return is_any;
}

static bool is_full(const struct lanes *lanes, const struct lane *lane, unsigned rank) {
    if (is_failing(lane)) {
        return lane->busy > 0 || is_resting(lanes, lane);
    }
    return lane->name_bytes > 0 &&
           lane->busy >= (rank == RANK_NOTIFY ? lanes->notice_limit : lanes->limit);
}

static bool is_before(const struct desk_entry *a, const struct desk_entry *b) {
    return a->due_mono_ms < b->due_mono_ms ||
           (a->due_mono_ms == b->due_mono_ms && a->task.id < b->task.id);
}

static struct desk_entry *first_allowed(const struct queue *queue, lanes_may_fn *may_fn,
                                        void *arg) {
    struct desk_entry *entry = queue->first;
    while (entry != NULL && !may_fn(arg, entry)) {
        entry = entry->next;
    }
    return entry;
}

struct desk_entry *lanes_pick(const struct lanes *lanes, lanes_may_fn *may_fn, void *arg) {
    bool is_crowded = lanes->notices_busy >= lanes->notices_limit;
    for (unsigned rank = 0; rank < (is_crowded ? RANK_NOTIFY : LANE_RANKS); rank++) {
        struct desk_entry *best = NULL;
        for (const struct lane *lane = lanes->due; lane != NULL; lane = lane->next_due) {
            struct desk_entry *entry = is_full(lanes, lane, rank)
                                           ? NULL
                                           : first_allowed(&lane->queues[rank], may_fn, arg);
            if (entry != NULL && (best == NULL || is_before(entry, best))) {
                best = entry;
            }
        }
        if (best != NULL) {
            return best;
        }
    }
    return NULL;
}

size_t lanes_ready(const struct lanes *lanes, int64_t *due_mono_ms_out) {
    size_t count = 0;
    bool is_any = false;
    for (const struct lane *lane = lanes->due; lane != NULL; lane = lane->next_due) {
        count += lane->ready_count;
        for (unsigned rank = 0; rank < LANE_RANKS; rank++) {
            const struct desk_entry *entry = lane->queues[rank].first;
            if (entry != NULL && (!is_any || entry->due_mono_ms < *due_mono_ms_out)) {
                *due_mono_ms_out = entry->due_mono_ms;
                is_any = true;
            }
        }
    }
    return count;
}

/* ---- what there is ---- */

static int compare_lanes(const void *a, const void *b) {
    const struct journal_lane *left = a;
    const struct journal_lane *right = b;
    if (left->busy != right->busy) {
        return left->busy > right->busy ? -1 : 1;
    }
    return (left->tasks < right->tasks) - (left->tasks > right->tasks);
}

size_t lanes_list(const struct lanes *lanes, struct arena *arena, struct journal_lane **list_out) {
    size_t count = 0;
    for (size_t i = 0; i < LANE_BUCKETS; i++) {
        for (const struct lane *lane = lanes->buckets[i]; lane != NULL; lane = lane->next) {
            count++;
        }
    }
    struct journal_lane *list = arena_alloc_array(arena, count + 1, sizeof(*list));
    size_t at = 0;
    for (size_t i = 0; i < LANE_BUCKETS; i++) {
        for (const struct lane *lane = lanes->buckets[i]; lane != NULL; lane = lane->next) {
            struct text name = {lane->name, lane->name_bytes};
            list[at++] = (struct journal_lane){.name = arena_copy_text(arena, name),
                                               .tasks = lane->entry_count,
                                               .due = lane->ready_count,
                                               .busy = lane->busy,
                                               .is_failing = is_failing(lane)};
        }
    }
    qsort(list, count, sizeof(*list), compare_lanes);
    *list_out = list;
    return count;
}
