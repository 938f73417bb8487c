/* How a definition is put together from files, as a snapshot does it. */
#ifndef RIPOSTE_SERVER_CONFIG_DEFINITION_PARTS_H
#define RIPOSTE_SERVER_CONFIG_DEFINITION_PARTS_H

#include "riposte/base/arena.h"
#include "riposte/config/definition.h"

/* An empty definition with one reference; its parts go into its arena. */
struct definition *definition_new(void);
struct arena *definition_arena(struct definition *definition);
/* Takes the rule, which was read into the arena, or NULL. */
void definition_set_rule(struct definition *definition, struct rule *rule);
/* Adds the playbooks that `rule` names, read again from their sources in `playbooks` (all of which
 * were found good, and are there), copies `vars`, and writes the text. */
void definition_complete(struct definition *definition, const struct playbook *const *playbooks,
                         size_t playbook_count, const struct json *vars);

#endif
