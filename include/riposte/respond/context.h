/* The context of an incident that is being worked on, or played through: config's, with what takes
 * a digest. principal.session_fingerprint is the first 16 hexadecimal digits of the SHA-256 of
 * principal.session; without a session there is none.
 *
 * Ownership:  as context_new().
 * Threads:    pure.
 * Source:     RULES.md, The context; Effects and undo. */
#ifndef RIPOSTE_RESPOND_CONTEXT_H
#define RIPOSTE_RESPOND_CONTEXT_H

#include "riposte/base/arena.h"
#include "riposte/base/text.h"
#include "riposte/config/context.h"
#include "riposte/json/tree.h"

#define FINGERPRINT_DIGITS 16

/* As context_new(). */
struct json *incident_context(const struct subject_event *event, struct text rule_name,
                              struct text severity, struct text incident_id,
                              const struct context_self *self, const struct json *vars,
                              struct arena *arena);

#endif
