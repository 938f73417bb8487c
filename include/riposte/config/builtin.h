/* Rules that every rule set has beside those of the files: the server's own, about itself. They
 * contain nobody: who works on them knows them by name and decides as their header says.
 *
 *     riposte-drill     respond/drill: a marked event; its plan is one question to STS
 *     riposte-canary    respond/canary: a canary is stale; asks CloudTrail why, and is held
 *
 * Behind them in the rule set stand the settings' canaries, which fire nothing.
 *
 * Threads:    pure. */
#ifndef RIPOSTE_CONFIG_BUILTIN_H
#define RIPOSTE_CONFIG_BUILTIN_H

#include "riposte/base/attributes.h"
#include "riposte/base/text.h"
#include "riposte/config/definition.h"

#include <stdbool.h>

enum builtin { BUILTIN_DRILL, BUILTIN_CANARY, BUILTIN_COUNT };

/* What a stale canary's own event says. */
#define CANARY_SOURCE      "riposte.canary"
#define CANARY_DETAIL_TYPE "Riposte canary is stale"

/* One reference, for the caller. */
struct definition *builtin_definition(enum builtin builtin);
/* False: a rule of that name is none of these. */
MUST_CHECK bool builtin_find(struct text rule, enum builtin *builtin_out);

#endif
