/* What a notification says, and where it goes: the `notice` of the context, with the words that
 * vendors have for a state and a severity, and a step of a playbook that acts on nobody, filled.
 *
 *     state      pagerduty.action  asff.workflow, .record   ocsf activity, status
 *     observed   trigger           NEW, ACTIVE              1 Create, 1 New
 *     held       trigger           NEW, ACTIVE              1 Create, 1 New
 *     failed     trigger           NEW, ACTIVE              2 Update, 2 In Progress
 *     escaped    trigger           NEW, ACTIVE              2 Update, 2 In Progress
 *     others     trigger           NEW, ACTIVE              2 Update, 2 In Progress
 *     done       resolve           RESOLVED, ACTIVE         2 Update, 4 Resolved
 *     released   resolve           RESOLVED, ARCHIVED       3 Close, 4 Resolved
 *
 * Ownership:  lives in the arena.
 * Threads:    pure.
 * Source:     FACTS.md, Notifications. */
#ifndef RIPOSTE_SERVER_RESPOND_NOTICE_H
#define RIPOSTE_SERVER_RESPOND_NOTICE_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/config/playbook.h"
#include "riposte/config/settings.h"
#include "riposte/json/tree.h"

struct notice_facts {
    struct text state, reason, severity; /* severity: the rule's */
    struct text incident_id;
    int64_t unix_ms;                 /* of the change of state */
    const struct settings *settings; /* where people reach us; NULL: the default address */
};

const struct json *notice_new(const struct notice_facts *facts, struct arena *arena);

/* A step, filled from a context with the notice. */
struct notice_step {
    struct text service, operation; /* "https" "POST", "file" "append", "sns" "Publish" */
    struct text account;            /* of a call: whose; empty: our own */
    struct text region;
    const struct json *parameters; /* a post's body, an append's line, a call's parameters */
};
MUST_CHECK bool notice_fill(const struct step *step, const struct json *context,
                            struct text event_region, struct arena *arena,
                            struct notice_step *filled_out, struct error *error);
/* The context for a post's body: its secrets stand there as `values` say, one for each. */
const struct json *notice_with_secrets(const struct post *post, const struct text *values,
                                       const struct json *context, struct arena *arena);

#endif
