/* Settings, rules and playbooks as they were read at one moment: immutable, counted, swapped as a
 * whole.
 *
 * Ownership:  snapshot_load() gives one reference.
 * Threads:    immutable; the count is atomic. */
#ifndef RIPOSTE_CONFIG_SNAPSHOT_H
#define RIPOSTE_CONFIG_SNAPSHOT_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/config/context.h"
#include "riposte/config/definition.h"
#include "riposte/config/findings.h"
#include "riposte/config/settings.h"
#include "riposte/detect/ruleset.h"

#include <stdbool.h>
#include <stddef.h>

/* In `ruleset` stand the rules of files, those built in (builtin.h), and the settings' canaries. */
struct snapshot {
    const struct settings *settings;
    struct definition *const *definitions; /* one a rule; index = the rule's in `ruleset` */
    size_t rule_count;                     /* of files: the first */
    size_t all_count;                      /* with those built in (builtin.h), behind them */
    struct playbook *const *playbooks;     /* all that were read: `notify` names some */
    size_t playbook_count;
    struct ruleset *ruleset; /* captures: event_capture_paths; computed: the principal's members */
};

/* Reads the settings file at `path` and the folders it names. Everything that is wrong goes into
 * `findings`; false when there were errors. Playbooks that no rule uses are checked too. In enforce
 * an empty guard.protected is a warning. */
MUST_CHECK bool snapshot_load(const char *path, environment_fn *lookup_fn, void *arg,
                              struct snapshot **snapshot_out, struct findings *findings);
/* The same, with these as the accounts of the organization: for settings that say so. What the
 * two have in common they share. The caller gets one reference. */
struct snapshot *snapshot_with_accounts(struct snapshot *snapshot, struct texts accounts);
struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot **snapshot);

/* NULL: there is none of that name. */
const struct playbook *snapshot_playbook(const struct snapshot *snapshot, struct text name);

/* The index of the rule of files with that name; rule_count when there is none. */
size_t snapshot_find_rule(const struct snapshot *snapshot, struct text name);

/* Leaves the rules of files in it: for those who tell what they would do. */
void snapshot_drop_builtins(const struct snapshot *snapshot, struct ruleset_matches *matches);

/* The milder of the settings' mode and the rule's. */
enum mode snapshot_rule_mode(const struct snapshot *snapshot, const struct rule *rule);

/* leaves_fn for ruleset_match(): what a rule's `when` may name beside the event: the principal,
 * from captures, and vars. arg: struct principal_leaves, filled with what was read. An envelope
 * that can't be read is the match's error. */
struct principal_leaves {
    struct arena *arena;        /* the caller's, reset per event */
    const struct json *vars;    /* the settings'; NULL: none */
    struct envelope envelope;   /* out */
    struct principal principal; /* out */
};
bool principal_leaves(void *arg, const struct json_capture *captures, struct leaf_sink *sink,
                      struct error *error);

#endif
