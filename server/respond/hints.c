#include "hints.h"

void hints_init(struct hints *hints) {
    *hints = (struct hints){0};
    mutex_init(&hints->lock);
}

void hints_done(struct hints *hints) {
    mutex_done(&hints->lock);
}

static uint64_t hash_of(struct text rule, struct text subject) {
    return text_hash(rule) * 31 + text_hash(subject);
}

void hints_note(struct hints *hints, struct text rule, struct text subject, int64_t unix_ms) {
    uint64_t hash = hash_of(rule, subject);
    mutex_lock(&hints->lock);
    hints->shared.kept[hash % HINTS_KEPT].hash = hash;
    hints->shared.kept[hash % HINTS_KEPT].unix_ms = unix_ms;
    mutex_unlock(&hints->lock);
}

bool hints_has(struct hints *hints, struct text rule, struct text subject, int64_t since_unix_ms) {
    uint64_t hash = hash_of(rule, subject);
    mutex_lock(&hints->lock);
    bool has = hints->shared.kept[hash % HINTS_KEPT].hash == hash &&
               hints->shared.kept[hash % HINTS_KEPT].unix_ms >= since_unix_ms;
    mutex_unlock(&hints->lock);
    return has;
}
