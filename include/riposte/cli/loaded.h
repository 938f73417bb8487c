/* The settings, rules and playbooks that a command works on, and the calls they hold.
 *
 * Ownership:  loaded_snapshot() gives one reference.
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_LOADED_H
#define RIPOSTE_CLI_LOADED_H

#include "riposte/base/attributes.h"
#include "riposte/config/snapshot.h"

#include <stdbool.h>

/* False after printing all that is wrong on stderr. */
MUST_CHECK bool loaded_snapshot(const char *path, struct snapshot **snapshot_out);

/* A call somewhere in a rule or in one of its playbooks. */
struct loaded_call {
    const struct rule *rule;
    const struct call_template *call;
    struct text region; /* template; empty: the event's */
};

/* Every call that could be made: confirm, steps and links, before, verify, undo. In the order of
 * the rules; a playbook comes once for each rule that names it. */
typedef void loaded_call_fn(void *arg, const struct loaded_call *call);
void loaded_each_call(const struct snapshot *snapshot, loaded_call_fn *call_fn, void *arg);

#endif
