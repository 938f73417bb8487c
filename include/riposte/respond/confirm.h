/* A rule's questions to AWS before anything is decided: what is asked, and what the answer means.
 * Who asks is another matter: a worker, or a dry run.
 *
 * Ownership:  results live in the caller's arena.
 * Threads:    pure.
 * Source:     RULES.md, Rules (confirm). */
#ifndef RIPOSTE_RESPOND_CONFIRM_H
#define RIPOSTE_RESPOND_CONFIRM_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/config/context.h"
#include "riposte/config/rule.h"
#include "riposte/json/tree.h"

#include <stdbool.h>

struct confirm_call {
    bool applies; /* false: its `when` does not hold; counts as confirmed */
    struct text service, operation, account, region;
    const struct json *parameters;
};

/* Account and Region default to the event's. Errors as template_render(). */
MUST_CHECK bool confirm_prepare(const struct question *question, const struct subject_event *event,
                                const struct json *context, struct arena *arena,
                                struct confirm_call *call_out, struct error *error);
/* Does the answer confirm it? Errors as plan_matches(). */
MUST_CHECK bool confirm_judge(const struct question *question, const struct json *context,
                              const struct json *answer, struct arena *arena,
                              bool *is_confirmed_out, struct error *error);

#endif
