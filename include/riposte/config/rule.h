/* A rule: a pattern, conditions, the playbooks to run, and its own tests.
 *
 * Ownership:  lives in the arena it was read into; patterns too.
 * Threads:    immutable once read.
 * Source:     RULES.md, Rules. */
#ifndef RIPOSTE_CONFIG_RULE_H
#define RIPOSTE_CONFIG_RULE_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/mode.h"
#include "riposte/base/text.h"
#include "riposte/config/context.h"
#include "riposte/config/findings.h"
#include "riposte/config/playbook.h"
#include "riposte/json/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What patterns can't say: a comparison of `value` with the tests that are there. */
struct comparison {
    const struct json *value;       /* a template */
    const struct json *in, *not_in; /* arrays of templates; NULL: no such test */
    const struct json *matches;     /* a pattern that may hold placeholders; NULL: none */
};

/* Asks AWS before anything is decided. */
struct question {
    const struct pattern *when; /* NULL: always */
    struct call_template call;
    struct text account, region;
    struct texts tolerate;
    const struct json *matches;
};

struct rule_test {
    struct text name;
    const struct json *event; /* parsed; of an "event" file or object */
    struct text event_text;
    struct texts earlier;       /* events that a threshold has counted within its time */
    const struct json *answers; /* by "service:Operation"; NULL: none */
    const struct json *vars;    /* instead of the settings'; NULL: those */
    bool has_self;
    struct context_self self; /* instead of the event's account as ours */
    bool is_match;
    bool has_calls, has_inverses;
    struct texts calls, inverses; /* "service:Operation" */
    const struct json *node;
};

struct rule {
    struct text name, description, severity, false_positives;
    struct texts attack;
    const struct json *pattern, *when; /* when: NULL for none */
    const struct comparison *where;    /* all must hold */
    size_t where_count;
    const struct question *confirm;
    size_t confirm_count;
    uint32_t threshold_count; /* 0: none, it fires at once */
    struct text threshold_of; /* template */
    int64_t threshold_per_ms;
    struct text subject; /* template */
    int64_t cooldown_ms;
    int64_t release_after_ms; /* the containment is taken back so long after it; 0: by nobody */
    struct texts respond;
    bool has_mode;
    enum mode mode;
    bool has_limit;
    uint32_t limit_count;
    int64_t limit_per_ms;
    const struct rule_test *tests;
    size_t test_count;
    const struct json *source;
    const char *file; /* NULL when it was read from a definition */
};

/* Reads one rule. `folder` (NULL: tests are not read) is what a test's event file starts from. All
 * that is wrong goes into `findings`; NULL then. */
struct rule *rule_read(const struct source *source, const struct json *root, const char *folder,
                       struct arena *arena, struct findings *findings);
void rule_done(struct rule *rule);

#endif
