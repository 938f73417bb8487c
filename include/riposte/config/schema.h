/* JSON Schemas (2020-12) of the files that are read here, made from the tables that read them: for
 * editors and for pipelines that check before they deploy. What needs more than a schema (names of
 * playbooks, places of paths, tests) `riposte check` says.
 *
 * Ownership:  what is made lives in the caller's arena.
 * Threads:    pure. */
#ifndef RIPOSTE_CONFIG_SCHEMA_H
#define RIPOSTE_CONFIG_SCHEMA_H

#include "riposte/base/arena.h"
#include "riposte/json/tree.h"

enum schema_kind { SCHEMA_SETTINGS, SCHEMA_RULE, SCHEMA_PLAYBOOK };

/* Comments, which the files may hold, must be taken out before they are validated. */
const struct json *schema_make(enum schema_kind kind, struct arena *arena);

#endif
