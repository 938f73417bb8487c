/* An operator's approval, as the tasks that follow from it carry it: on whose word they write.
 *
 * Ownership:  the text lives in `arena`.
 * Threads:    pure.
 * Source:     RULES.md, Guard. */
#ifndef RIPOSTE_RESPOND_APPROVAL_H
#define RIPOSTE_RESPOND_APPROVAL_H

#include "riposte/base/arena.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* The detail that journal_approve() wants. */
struct text approval_detail(struct text approver, int64_t unix_ms, bool overrides_protection,
                            struct arena *arena);

#endif
