/* What the name of an AWS operation says of it: one answer for events, plans, policies and permits.
 *
 * Threads:    pure.
 * Source:     RULES.md, Guard. */
#ifndef RIPOSTE_EVENT_OPERATION_H
#define RIPOSTE_EVENT_OPERATION_H

#include "riposte/base/text.h"

#include <stdbool.h>

/* Get, List, Describe, Lookup, Head, as whole words: reads; all others write. */
bool operation_is_read(struct text operation);
/* Tells somebody and changes nothing: what a playbook that acts on nobody may call, and a permit to
 * notify allows beside reading. */
bool operation_is_notice(struct text service, struct text operation);

#endif
