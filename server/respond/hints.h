/* Whom this process responded to lately: whether the next event of the same rule and subject will
 * probably join, so that nothing is asked ahead of the decision. Only a hint: the journal decides.
 *
 * Ownership:  embedded.
 * Threads:    any.
 * Bounds:     HINTS_KEPT of them; a newer one with the same place takes it over. */
#ifndef RIPOSTE_SERVER_RESPOND_HINTS_H
#define RIPOSTE_SERVER_RESPOND_HINTS_H

#include "riposte/base/mutex.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define HINTS_KEPT 256

struct hints {
    struct mutex lock;
    struct {
        struct {
            uint64_t hash;
            int64_t unix_ms;
        } kept[HINTS_KEPT];
    } shared;
};

void hints_init(struct hints *hints);
void hints_done(struct hints *hints);
void hints_note(struct hints *hints, struct text rule, struct text subject, int64_t unix_ms);
/* Was one noted at `since_unix_ms` or later? */
bool hints_has(struct hints *hints, struct text rule, struct text subject, int64_t since_unix_ms);

#endif
