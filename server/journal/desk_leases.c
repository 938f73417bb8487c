#include "desk_entries.h"

#include "riposte/observe/log.h"

#include <string.h>

/* An undo waits until nobody works on its incident any more, but tells of it. */
static bool may_claim(void *arg, const struct desk_entry *entry) NO_THREAD_SAFETY_ANALYSIS {
    struct desk *desk = arg;
    if (entry->task.kind != TASK_UNDO) {
        return true;
    }
    for (const struct desk_entry *held = desk->shared.leased; held != NULL; held = held->next) {
        if (held->task.kind != TASK_NOTIFY &&
            strcmp(held->task.incident.text, entry->task.incident.text) == 0) {
            return false;
        }
    }
    return true;
}

static void end_expired_leases(struct desk *desk, int64_t now_mono_ms) REQUIRES(&desk->lock) {
    for (struct desk_entry *entry = desk->shared.leased, *next; entry != NULL; entry = next) {
        next = entry->next;
        if (entry->lease_until_mono_ms <= now_mono_ms) {
            desk_end_lease(desk, entry);
            desk_put_back(desk, entry);
        }
    }
}

/* Whoever held a task of this incident when its lease ran out comes too late now. */
static void invalidate_others(struct desk *desk, const struct desk_entry *undo)
    REQUIRES(&desk->lock) {
    const struct ulid *incident = &undo->task.incident;
    struct desk_entry *entry = desk_next_of(*desk_incident_chain(desk, incident), incident);
    for (; entry != NULL; entry = desk_next_of(entry->next_by_incident, incident)) {
        if (entry != undo && entry->task.kind != TASK_NOTIFY) {
            entry->fence = 0;
        }
    }
}

static void hand_over(struct desk *desk, struct desk_entry *entry, struct desk_lease *lease_out)
    REQUIRES(&desk->lock) {
    lanes_take(&desk->shared.lanes, entry);
    desk_lease_out(desk, entry);
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

/* Whom to wake for what can be claimed now; else the timekeeper, when it would oversleep; else
 * NULL.
 */
static struct condition *whom_to_wake(struct desk *desk) REQUIRES(&desk->lock) {
    int64_t due_mono_ms = 0;
    if (desk->shared.waiting == 0 || desk->shared.is_paused) {
        return NULL;
    }
    bool is_alone = desk->shared.has_timekeeper && desk->shared.waiting == 1;
    if (lanes_pick(&desk->shared.lanes, may_claim, desk) != NULL) {
        return is_alone ? &desk->due : &desk->ready;
    }
    if (!desk->shared.has_timekeeper) {
        return &desk->ready; /* it will keep the time */
    }
    bool oversleeps = lanes_next_due(&desk->shared.lanes, &due_mono_ms) &&
                      due_mono_ms < desk->shared.kept_until_mono_ms;
    return oversleeps ? &desk->due : NULL;
}

/* Not under the lock: whoever is woken wants it first of all. */
static void unlock_and_wake(struct desk *desk) RELEASE(&desk->lock) {
    struct condition *condition = whom_to_wake(desk);
    mutex_unlock(&desk->lock);
    if (condition != NULL) {
        condition_signal(condition);
    }
}

void desk_wake(struct desk *desk) {
    mutex_lock(&desk->lock);
    unlock_and_wake(desk);
}

static void wait_for_task(struct desk *desk, int64_t most_ms) REQUIRES(&desk->lock) {
    desk->shared.waiting++;
    if (desk->shared.has_timekeeper) {
        condition_wait_ms(&desk->ready, &desk->lock, most_ms);
    } else {
        int64_t wait_ms = time_to_wait(desk, most_ms);
        desk->shared.has_timekeeper = true;
        desk->shared.kept_until_mono_ms = clock_mono_ms(desk->clock) + wait_ms;
        condition_wait_ms(&desk->due, &desk->lock, wait_ms);
        desk->shared.has_timekeeper = false;
    }
    desk->shared.waiting--;
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
        wait_for_task(desk, left_ms);
    }
    /* One signal may have stood for several tasks, and somebody has to keep the time. */
    unlock_and_wake(desk);
    return is_claimed;
}

bool desk_renew(struct desk *desk, int64_t id, uint64_t fence, struct desk_task *task_out) {
    mutex_lock(&desk->lock);
    struct desk_entry *entry = desk_find(desk, id);
    bool is_valid = entry != NULL && !entry->is_removed && fence != 0 && entry->fence == fence;
    if (is_valid) {
        if (entry->place == PLACE_LEASED) {
            entry->lease_until_mono_ms = clock_mono_ms(desk->clock) + JOURNAL_LEASE_MS;
        } else { /* it ran out, but nobody has claimed the task since */
            lanes_take(&desk->shared.lanes, entry);
            desk_lease_out(desk, entry);
        }
        *task_out = entry->task;
    }
    mutex_unlock(&desk->lock);
    return is_valid;
}

void desk_give_back(struct desk *desk, int64_t id, uint64_t fence, int64_t wait_ms) {
    mutex_lock(&desk->lock);
    struct desk_entry *entry = desk_find(desk, id);
    if (entry != NULL && entry->fence == fence && entry->place == PLACE_LEASED) {
        entry->fence = 0;
        desk_end_lease(desk, entry);
        if (wait_ms > 0) {
            desk_set_due(desk, entry, clock_unix_ms(desk->clock) + wait_ms);
        }
        desk_put_back(desk, entry);
    }
    unlock_and_wake(desk);
}

static void log_change(enum lane_change change, struct text lane) {
    const struct log_context context = {.component = "journal", LOG_FIELDS(log_text("lane", lane))};
    if (change == LANE_RESTS) {
        log_warn(&context, "no answer %d times in a row: its tasks wait, one tries now and then",
                 LANE_FAILURES);
    } else if (change == LANE_WORKS_AGAIN) {
        log_info(&context, "answers again");
    }
}

void desk_report(struct desk *desk, const struct journal_task *task, bool has_answered) {
    enum lane_change change = LANE_AS_BEFORE;
    mutex_lock(&desk->lock);
    const struct desk_entry *entry = desk_find(desk, task->id);
    if (entry != NULL) {
        change = lanes_report(&desk->shared.lanes, entry, has_answered, clock_mono_ms(desk->clock));
    }
    if (change == LANE_AS_BEFORE) {
        mutex_unlock(&desk->lock);
        return;
    }
    unlock_and_wake(desk);
    log_change(change, task->lane);
}

void desk_stop_claims(struct desk *desk) {
    mutex_lock(&desk->lock);
    desk->shared.is_stopped = true;
    condition_broadcast(&desk->due);
    condition_broadcast(&desk->ready);
    mutex_unlock(&desk->lock);
}

void desk_pause(struct desk *desk, bool is_paused) {
    mutex_lock(&desk->lock);
    desk->shared.is_paused = is_paused;
    condition_broadcast(&desk->due);
    condition_broadcast(&desk->ready);
    mutex_unlock(&desk->lock);
}

struct desk_numbers desk_numbers(struct desk *desk) {
    mutex_lock(&desk->lock);
    int64_t now_mono_ms = clock_mono_ms(desk->clock);
    int64_t due_mono_ms = 0;
    lanes_advance(&desk->shared.lanes, now_mono_ms);
    struct desk_numbers numbers = {.open = desk->shared.entry_count,
                                   .due = lanes_ready(&desk->shared.lanes, &due_mono_ms),
                                   .failing_lanes = desk->shared.lanes.failing_count};
    mutex_unlock(&desk->lock);
    bool is_late = numbers.due > 0 && due_mono_ms < now_mono_ms;
    numbers.oldest_due_ms = is_late ? now_mono_ms - due_mono_ms : 0;
    return numbers;
}

size_t desk_lanes(struct desk *desk, struct arena *arena, struct journal_lane **lanes_out) {
    mutex_lock(&desk->lock);
    lanes_advance(&desk->shared.lanes, clock_mono_ms(desk->clock));
    size_t count = lanes_list(&desk->shared.lanes, arena, lanes_out);
    mutex_unlock(&desk->lock);
    return count;
}
