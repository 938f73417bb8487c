/* An event's captures as a rule set hands them over: the first value at each path, unescaped.
 *
 * Ownership:  the texts live in the arena. */
#ifndef RIPOSTE_TESTS_CAPTURING_H
#define RIPOSTE_TESTS_CAPTURING_H

#include "riposte/base/arena.h"
#include "riposte/event/captures.h"
#include "riposte/json/scanner.h"

#include <string.h>

struct capturing {
    struct arena *arena;
    struct json_capture captures[EVENT_CAPTURE_COUNT];
};

static inline bool capturing_take(void *arg, const struct json_leaf *leaf, struct error *error) {
    (void)error;
    struct capturing *capturing = arg;
    struct json_capture *capture = &capturing->captures[leaf->path];
    if (capture->is_present) {
        return true;
    }
    struct text text = leaf->raw;
    if (leaf->has_escapes) {
        struct buffer unescaped = BUFFER_INIT;
        json_unescape(leaf->raw, &unescaped);
        text = arena_copy_text(capturing->arena, buffer_text(&unescaped));
        buffer_done(&unescaped);
    }
    *capture = (struct json_capture){true, leaf->type, text, leaf->offset};
    return true;
}

/* Fills capturing->captures from `event`, whose bytes must outlive them. */
static inline bool capturing_scan(struct capturing *capturing, struct text event,
                                  struct error *error) {
    memset(capturing->captures, 0, sizeof(capturing->captures));
    struct json_paths *paths = json_paths_new();
    struct json_scratch *scratch = json_scratch_new();
    for (size_t i = 0; i < EVENT_CAPTURE_COUNT; i++) {
        json_paths_add(paths, event_capture_paths[i].path, event_capture_paths[i].flags);
    }
    bool is_ok = json_scan(paths, scratch, event, capturing_take, capturing, error);
    json_scratch_free(&scratch);
    json_paths_free(&paths);
    return is_ok;
}

#endif
