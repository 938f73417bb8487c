/* A rule's response to an event without sending anything: what `riposte plan` prints, rule tests
 * compare and observe journals. Runs guard, confirm and every playbook as in enforce, over answers
 * given by "service:Operation".
 *
 * A question without an entry counts as answered as hoped: confirm and `matches` match (the dry run
 * is then unconfirmed), a `before` does not (it is not so yet: the write is shown). What uses the
 * answer is known only when asked.
 *
 * Ownership:  everything lives in the caller's arena or points into the input.
 * Threads:    pure.
 * Source:     RULES.md, Rules (tests). */
#ifndef RIPOSTE_RESPOND_DRY_H
#define RIPOSTE_RESPOND_DRY_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/config/context.h"
#include "riposte/config/definition.h"
#include "riposte/config/settings.h"
#include "riposte/json/tree.h"
#include "riposte/respond/guard.h"
#include "riposte/respond/plan.h"

#include <stdbool.h>
#include <stddef.h>

struct dry_input {
    const struct definition *definition;
    const struct subject_event *event;
    const struct json *answers;      /* NULL: none */
    const struct settings *settings; /* guard.protected, aws; NULL: none */
    const struct context_self *self; /* NULL: the event's account is ours */
    const struct json *vars;         /* NULL: the definition's */
    struct text incident_id;         /* empty: 26 zeros */
    /* NULL: the account is ours, the clock stands at the event's time. Else what the guard said. */
    const struct guard_verdict *verdict;
};

enum dry_call_kind { DRY_CONFIRM, DRY_READ, DRY_BEFORE, DRY_WRITE, DRY_POST };

struct dry_call {
    enum dry_call_kind kind;
    struct text step, service, operation, account, region;
    const struct json *parameters; /* as plan_action */
    const struct json *inverse;
    struct text effect_account, effect_target, effect_name;
    const struct verify *verify;
    bool is_assumed; /* of questions: no entry in `answers` */
    bool is_known_only_when_asked;
    bool was_refused; /* confirm: did not match; others: the answer stopped the playbook */
};

struct dry_playbook {
    struct text name;
    enum acts_on acts_on;
    const struct dry_call *calls;
    size_t call_count;
    enum plan_kind end; /* PLAN_DONE, PLAN_HELD, PLAN_FAILED */
    struct text reason;
    const struct plan_note *notes; /* what was skipped, and why */
    size_t note_count;
};

struct dry_run {
    const struct definition *definition;
    const struct subject_event *event;
    enum guard_decision decision; /* PASS: would respond */
    struct text reason;
    bool is_unconfirmed;             /* a confirm's question was not asked */
    const struct dry_call *confirms; /* those that apply */
    size_t confirm_count;
    /* Of an incident for which AWS was asked: each question with its result, instead of `confirms`
     * in the JSON; the caller sets it. NULL: not asked. */
    const struct json *asked;
    const struct dry_playbook *playbooks; /* in `respond` order; none unless decision is PASS */
    size_t playbook_count;
};

/* ERROR_NOT_FOUND, ERROR_INVALID: the rule's subject or a confirm can't be rendered. */
MUST_CHECK bool dry_run(const struct dry_input *input, struct arena *arena, struct dry_run *run_out,
                        struct error *error);

/* "service:Operation" of the writes, in order. */
struct texts dry_writes(const struct dry_run *run, struct arena *arena);
/* The same of what takes them back, the last write's first: as an undo with `--resources` goes. A
 * write that can't be taken back has none. */
struct texts dry_inverses(const struct dry_run *run, struct arena *arena);
/* For people: lines, indented by `indent` spaces. */
void dry_print(const struct dry_run *run, unsigned indent, struct buffer *out);
/* What observe journals as the incident's plan, and `plan --json` prints. */
const struct json *dry_to_json(const struct dry_run *run, struct arena *arena);

#endif
