/* What a person should do about a principal that no playbook can contain. Private to the folder.
 *
 * Threads:    pure.
 * Source:     FACTS.md 7. */
#ifndef RIPOSTE_SERVER_RESPOND_ADVICE_H
#define RIPOSTE_SERVER_RESPOND_ADVICE_H

#include "riposte/base/text.h"

/* `kind` as in the context's principal. Never empty. */
struct text advice_for(struct text kind);

#endif
