/* What stands in AWS and no incident here knows of, since the journal that knew was lost: found out
 * by comparing, and adopted as an incident of its own, which can be undone as any other.
 *
 * Threads:    any; the caller waits. */
#ifndef RIPOSTE_JOURNAL_ADOPT_H
#define RIPOSTE_JOURNAL_ADOPT_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/journal/journal.h"

#include <stdbool.h>
#include <stddef.h>

/* All effects that are there, whoever owns them, the latest first, into `arena`. */
MUST_CHECK bool journal_list_effects(struct journal *journal, struct arena *arena,
                                     struct journal_effect **effects_out, size_t *count_out,
                                     struct error *error);

struct journal_adoption {
    struct ulid id; /* the one it had; must not be here */
    struct text event_key;
    struct blob *event; /* what is shown as its event: how it was found */
    const struct journal_definition *definition;
    struct text rule, subject, principal_name, account, region;
    struct journal_effect_name effect;
    struct text playbook, step, request, inverse; /* as of the call that made it */
    struct text actor;
};

/* An incident that is done and owns that effect, which contains; audited as "adopted".
 * ERROR_INVALID: the incident, the event or the effect is here already. */
MUST_CHECK bool journal_adopt(struct journal *journal, const struct journal_adoption *adoption,
                              struct error *error);

#endif
