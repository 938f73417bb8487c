/* The settings, rules and playbooks that a command works on, and the calls they hold.
 *
 * Ownership:  loaded_snapshot() gives one reference.
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_LOADED_H
#define RIPOSTE_CLI_LOADED_H

#include "riposte/base/attributes.h"
#include "riposte/config/snapshot.h"

#include <stdbool.h>

/* False after printing all that is wrong on stderr. loaded_without_accounts() is done. */
MUST_CHECK bool loaded_snapshot(const char *path, struct snapshot **snapshot_out);

/* No server, no list: of the accounts of an organization none is known here but the event's own,
 * which counts as ours. */
void loaded_without_accounts(struct snapshot **snapshot);
/* Says so on stderr, for what depends on it. */
void loaded_say_accounts(const struct snapshot *snapshot);

/* A call somewhere in a rule or in one of its playbooks. */
struct loaded_call {
    const struct rule *rule; /* NULL: of a playbook that `notify` names */
    const struct call_template *call;
    struct text account; /* template; empty: the event's or the principal's */
    struct text region;  /* template; empty: the event's */
};

/* Every call that could be made: confirm, steps and links, before, verify, undo. In the order of
 * the rules; a playbook comes once for each rule that names it. */
typedef void loaded_call_fn(void *arg, const struct loaded_call *call);
void loaded_each_call(const struct snapshot *snapshot, loaded_call_fn *call_fn, void *arg);

#endif
