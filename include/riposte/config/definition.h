/* A rule with its playbooks and vars, resolved: what an incident keeps, whatever is reloaded. As
 * JSON text
 * {"rule":{...},"playbooks":[...],"vars":{...}} it lies in the journal.
 *
 * Ownership:  definition_read() gives one reference; definition_ref/unref.
 * Threads:    immutable; the count is atomic. */
#ifndef RIPOSTE_CONFIG_DEFINITION_H
#define RIPOSTE_CONFIG_DEFINITION_H

#include "riposte/base/attributes.h"
#include "riposte/base/blob.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/config/playbook.h"
#include "riposte/config/rule.h"

#include <stdbool.h>
#include <stddef.h>

struct definition {
    const struct rule *rule;
    const struct playbook *const *playbooks; /* in `respond` order */
    size_t playbook_count;
    const struct json *vars;
    struct blob *text;
};

/* From its text (of this or an older build). ERROR_INVALID names the first thing wrong. */
MUST_CHECK bool definition_read(struct blob *text, struct definition **definition_out,
                                struct error *error);
struct definition *definition_ref(struct definition *definition);
void definition_unref(struct definition **definition);
/* NULL when the rule has no playbook of that name. */
const struct playbook *definition_playbook(const struct definition *definition, struct text name);

#endif
