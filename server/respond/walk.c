#include "walk.h"

#include <string.h>

struct text walk_key(struct walk *walk, const struct occasion *occasion, struct text suffix) {
    return arena_format(walk->arena, "%.*s%.*s%s%.*s%.*s", TEXT_ARG(walk->prefix),
                        TEXT_ARG(occasion->step->name), occasion->number.bytes > 0 ? "/" : "",
                        TEXT_ARG(occasion->number), TEXT_ARG(suffix));
}

struct plan_note *walk_note(struct walk *walk, const struct occasion *occasion,
                            struct text reason) {
    if (walk->note_count == walk->note_capacity) {
        size_t capacity = walk->note_capacity == 0 ? 8 : 2 * walk->note_capacity;
        struct plan_note *notes = arena_alloc_array(walk->arena, capacity, sizeof(*notes));
        if (walk->note_count > 0) {
            memcpy(notes, walk->notes, walk->note_count * sizeof(*notes));
        }
        walk->notes = notes;
        walk->note_capacity = capacity;
    }
    struct plan_note *last = &walk->notes[walk->note_count++];
    *last = (struct plan_note){.step = occasion->step,
                               .key = walk_key(walk, occasion, TEXT("")),
                               .reason = arena_copy_text(walk->arena, reason)};
    return last;
}

enum step_result walk_skip(struct walk *walk, const struct occasion *occasion, struct text reason) {
    walk_note(walk, occasion, reason);
    return STEP_SKIPPED;
}

enum step_result walk_fail(struct walk *walk, const struct occasion *occasion, struct text reason) {
    walk_note(walk, occasion, reason)->is_failure = true;
    return STEP_FAILED;
}

enum step_result walk_end(struct walk *walk, enum plan_kind kind, struct text reason) {
    walk->action->kind = kind;
    walk->action->reason = reason;
    return STEP_STOP;
}

bool walk_is_key(const struct walk *walk, struct text key, const struct occasion *occasion,
                 struct text suffix) {
    struct text parts[] = {walk->prefix, occasion->step->name,
                           occasion->number.bytes > 0 ? TEXT("/") : TEXT(""), occasion->number,
                           suffix};
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if (!text_starts_with(key, parts[i])) {
            return false;
        }
        key = text_slice(key, parts[i].bytes, key.bytes);
    }
    return key.bytes == 0;
}

const struct plan_record *walk_record(struct walk *walk, const struct occasion *occasion,
                                      struct text suffix) {
    const struct plan_input *input = walk->input;
    for (size_t i = 0; i < input->record_count; i++) {
        size_t at = (walk->next_record + i) % input->record_count;
        if (walk_is_key(walk, input->records[at].key, occasion, suffix)) {
            walk->next_record = at;
            return &input->records[at];
        }
    }
    return NULL;
}
