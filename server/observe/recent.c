#include "riposte/observe/recent.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct mutex lock;
    struct {
        struct recent_event event; /* number 0: none yet */
    } shared;
};

struct recent {
    size_t capacity;
    atomic_uint_fast64_t last_number;
    struct entry entries[];
};

struct recent *recent_new(size_t capacity) {
    assert(capacity > 0);
    struct recent *recent = memory_new(sizeof(*recent) + capacity * sizeof(struct entry));
    recent->capacity = capacity;
    for (size_t i = 0; i < capacity; i++) {
        mutex_init(&recent->entries[i].lock);
    }
    return recent;
}

void recent_free(struct recent **recent) {
    if (*recent == NULL) {
        return;
    }
    for (size_t i = 0; i < (*recent)->capacity; i++) {
        mutex_done(&(*recent)->entries[i].lock);
    }
    free(*recent);
    *recent = NULL;
}

static void copy_cut(struct text text, char *out, size_t capacity) {
    struct text fitting = text_cut(text, capacity - 1);
    if (fitting.bytes > 0) {
        memcpy(out, fitting.data, fitting.bytes);
    }
    out[fitting.bytes] = '\0';
}

static void copy_rules(const struct recent_note *note, char out[RECENT_RULES_BYTES]) {
    size_t used = 0;
    for (size_t i = 0; i < note->rule_count; i++) {
        struct text name = note->rules[i];
        size_t separator = used > 0 ? 1 : 0;
        if (name.bytes == 0 || name.bytes + separator >= RECENT_RULES_BYTES - used) {
            continue;
        }
        memcpy(out + used, ",", separator);
        memcpy(out + used + separator, name.data, name.bytes);
        used += separator + name.bytes;
    }
    out[used] = '\0';
}

static void fill_event(const struct recent_note *note, uint64_t number,
                       struct recent_event *event) {
    event->number = number;
    event->received_unix_ms = note->received_unix_ms;
    copy_cut(note->key, event->key, sizeof(event->key));
    copy_cut(note->source, event->source, sizeof(event->source));
    copy_cut(note->detail_type, event->detail_type, sizeof(event->detail_type));
    copy_cut(note->account, event->account, sizeof(event->account));
    copy_cut(note->region, event->region, sizeof(event->region));
    copy_cut(note->event_name, event->event_name, sizeof(event->event_name));
    copy_cut(note->outcome, event->outcome, sizeof(event->outcome));
    copy_rules(note, event->rules);
    event->rule_count = note->rule_count;
}

static struct entry *entry_of(struct recent *recent, uint64_t number) {
    return &recent->entries[number % recent->capacity];
}

void recent_add(struct recent *recent, const struct recent_note *note) {
    uint64_t number = atomic_fetch_add(&recent->last_number, 1) + 1;
    struct entry *entry = entry_of(recent, number);
    mutex_lock(&entry->lock);
    /* A thread that stood still for a whole round must not overwrite what is newer. */
    if (entry->shared.event.number < number) {
        fill_event(note, number, &entry->shared.event);
    }
    mutex_unlock(&entry->lock);
}

size_t recent_copy(struct recent *recent, struct recent_event *events_out, size_t limit) {
    uint64_t last = atomic_load(&recent->last_number);
    size_t count = 0;
    for (size_t back = 0; back < recent->capacity && back < last && count < limit; back++) {
        uint64_t number = last - back;
        struct entry *entry = entry_of(recent, number);
        mutex_lock(&entry->lock);
        /* Not yet written, or overwritten meanwhile: not one of these. */
        if (entry->shared.event.number == number) {
            events_out[count++] = entry->shared.event;
        }
        mutex_unlock(&entry->lock);
    }
    return count;
}
