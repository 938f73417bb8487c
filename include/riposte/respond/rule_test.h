/* Runs the tests that rules bring along, as `riposte check` does: the set decides the match, a dry
 * run the calls and their inverses; the account is ours, the clock stands at the event's time.
 *
 * Threads:    one at a time over one findings.
 * Source:     RULES.md, Rules (tests). */
#ifndef RIPOSTE_RESPOND_RULE_TEST_H
#define RIPOSTE_RESPOND_RULE_TEST_H

#include "riposte/base/arena.h"
#include "riposte/config/findings.h"
#include "riposte/config/snapshot.h"

#include <stddef.h>

struct rule_test_numbers {
    size_t run, failed;
};

/* Each failing test becomes a finding at its place in the rule's file: what was expected, what
 * came. A rule without tests is a warning. */
struct rule_test_numbers rule_test_run(const struct snapshot *snapshot, struct findings *findings);

struct rule_test_result {
    const struct rule_test *test;
    struct text what; /* what was expected, what came; empty: it passes */
};

/* Those of one rule (its index in the snapshot), as many as it has, into `arena`. */
struct rule_test_result *rule_test_results(const struct snapshot *snapshot, size_t rule_index,
                                           struct arena *arena);

#endif
