/* The one document that templates and every `when` see: the event's members with principal, rule,
 * incident, self, vars, steps and item. An event's own members of those names are invisible.
 *
 * Ownership:  lives in the arena; shares what it is given (event, vars, answers), which must live
 *             as long.
 * Threads:    one at a time.
 * Source:     RULES.md, The context. */
#ifndef RIPOSTE_CONFIG_CONTEXT_H
#define RIPOSTE_CONFIG_CONTEXT_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/config/settings.h"
#include "riposte/event/envelope.h"
#include "riposte/event/principal.h"
#include "riposte/json/tree.h"

#include <stdbool.h>

/* What the event is about, read once from its text. */
struct subject_event {
    const struct json *root;
    struct envelope envelope;
    struct principal principal;
};
/* Scans and parses `text`. ERROR_INVALID as envelope_read(). */
MUST_CHECK bool subject_event_read(struct text text, struct arena *arena,
                                   struct subject_event *event_out, struct error *error);

/* Who we are. */
struct context_self {
    struct text account, role, partition; /* empty: unknown */
    struct texts accounts;                /* those of the settings; `account` is one of them too */
    bool lacks_accounts;                  /* nobody knows them yet: then they are left out */
    struct texts resources;               /* what we run on, as the settings name it */
};
/* What can be said without asking AWS: the settings', with `account` as ours. When an event comes
 * in, that is its own: the guard lets pass no other. */
struct context_self context_self_known(const struct settings *settings, struct text account);

/* A context: an object whose computed members can be set as they come. */
struct json *context_new(const struct subject_event *event, struct text rule_name,
                         struct text severity, struct text incident_id,
                         const struct context_self *self, const struct json *vars,
                         struct arena *arena);
/* A new context with steps.<name> = answer as well (the old stays as it is). */
struct json *context_with_step(const struct json *context, struct text name,
                               const struct json *answer, struct arena *arena);
/* A new context with the member `name` (item, prior, answer, sent) = value. */
struct json *context_with(const struct json *context, const char *name, const struct json *value,
                          struct arena *arena);

#endif
