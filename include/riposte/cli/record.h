/* A CloudTrail record as the event that EventBridge would have made of it.
 *
 * Ownership:  the event lives in the arena or is the record itself.
 * Threads:    pure.
 * Source:     FACTS.md 2.1 and 2.2. Sign-ins get the spelling "AWS Console Sign In via
 *             CloudTrail". */
#ifndef RIPOSTE_CLI_RECORD_H
#define RIPOSTE_CLI_RECORD_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"

#include <stdbool.h>

/* `record`: a CloudTrail record, an answer's event of LookupEvents (that holds one as text), or an
 * event already. ERROR_INVALID: none of these. */
MUST_CHECK bool record_event(struct text record, struct arena *arena, struct text *event_out,
                             struct error *error);

#endif
