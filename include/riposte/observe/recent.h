/* The last events that came in, also those that matched nothing: for "does anything arrive at all,
 * and why did it not match?".
 *
 * Ownership:  recent_new()/recent_free(); what is added is copied, what is read is a copy.
 * Threads:    any. Two threads meet only at the same entry; adding allocates nothing.
 * Bounds:     the given number of entries, the oldest is overwritten; texts are cut to the sizes
 *             below, at a character's boundary. */
#ifndef RIPOSTE_OBSERVE_RECENT_H
#define RIPOSTE_OBSERVE_RECENT_H

#include "riposte/base/text.h"

#include <stddef.h>
#include <stdint.h>

#define RECENT_CAPACITY    256 /* what the server keeps */
#define RECENT_RULES_BYTES 256

struct recent;

/* What to remember of an event. */
struct recent_note {
    int64_t received_unix_ms;
    struct text key, source, detail_type, account, region, event_name;
    struct text outcome; /* "no-match", "matched", "known", ... */
    const struct text *rules;
    size_t rule_count;
};

struct recent_event {
    uint64_t number; /* counts from 1: tells a poller where it was */
    int64_t received_unix_ms;
    char key[80], source[64], detail_type[96], account[16], region[32], event_name[96];
    char outcome[24];
    char rules[RECENT_RULES_BYTES]; /* names with ',' between; only whole names */
    size_t rule_count;              /* of all, also those that did not fit */
};

struct recent *recent_new(size_t capacity);
void recent_free(struct recent **recent);
void recent_add(struct recent *recent, const struct recent_note *note);
/* Copies at most `limit` entries, the newest first; returns how many. */
size_t recent_copy(struct recent *recent, struct recent_event *events_out, size_t limit);

#endif
