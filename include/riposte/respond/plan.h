/* What a playbook does next: pure. plan_next() walks the playbook from its start over what is
 * recorded of its calls and stops at the first thing that isn't: a question, a write, or the end.
 * Resuming after a crash is the same walk over the journaled calls; `riposte plan`, rule tests and
 * observe are the same walk over answers that a simulator supplies (dry.h).
 *
 *     context, records ─▶ plan_next ─▶ ASK ──── answer recorded ──┐
 *                            ▲        WRITE ── outcome recorded ──┤
 *                            └────────────────────────────────────┘
 *                                     WAIT | DONE | HELD | FAILED
 *
 * The walk is the same each time because it depends on nothing but its input: a `when` is decided
 * by the context and the recorded answers, a link of first_of is remembered by its recorded calls.
 *
 * Ownership:  everything lives in the caller's arena or points into the input.
 * Threads:    pure, but for the caller's memo.
 * Source:     RULES.md, Playbooks. */
#ifndef RIPOSTE_RESPOND_PLAN_H
#define RIPOSTE_RESPOND_PLAN_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/config/playbook.h"
#include "riposte/json/tree.h"

#include <stdbool.h>
#include <stddef.h>

/* A call of this playbook that was made, or is about to be. */
struct plan_record {
    struct text key; /* "<event key>/<playbook>/<step>[/<item>][#before]" */
    enum plan_state {
        PLAN_INTENDED, /* its intent is journaled, its outcome isn't known */
        PLAN_WORKED,   /* done, or a tolerated error (then error_code is set) */
        PLAN_REFUSED,  /* failed for good */
        PLAN_NEEDLESS, /* an effect that stands, an identical call pending: counts as done */
        PLAN_DEFERRED, /* to be tried again later: not in this run */
    } state;
    struct text error_code, reason;
    const struct json *answer;   /* NULL: none, or not kept */
    const struct json *request;  /* as journaled; NULL: take the rendered one */
    struct text account, region; /* as journaled; of an intent only */
    bool is_assumed;             /* nobody asked: any `matches` of it counts as matching, and who
                                    uses its answer is known only when asked */
};

/* What the conditions said that look neither at answers nor at elements: they say it again in each
 * walk over the same playbook and context. The caller's; zero at first. */
#define PLAN_MEMO_STEPS 32
struct plan_memo {
    const struct playbook *playbook;
    const struct json *context;
    struct {
        const struct step *step;
        bool holds;
    } items[PLAN_MEMO_STEPS];
    size_t count;
};

struct plan_input {
    struct plan_memo *memo; /* NULL: none is kept */
    const struct playbook *playbook;
    const struct json *context; /* context_new(): without steps */
    struct text event_key, event_account, event_region;
    struct text principal_account, principal_id;
    const struct plan_record *records;
    size_t record_count;
    /* An attacker went on after being contained: each first_of goes on behind the last of its links
     * that stands; what else stands is left alone. */
    bool is_escape;
    /* Names of steps (links too) whose writes stand, by other events of this incident. */
    const struct text *standing;
    size_t standing_count;
    /* Of the playbook's ladder: the link that is taken beside the first that applies, or, after an
     * escape, at least; 0: none. */
    size_t ladder_link;
};

/* The note of a step whose `before` found it so already. */
#define PLAN_ALREADY_SO TEXT("already so")

enum plan_kind {
    PLAN_ASK,    /* send a read: a step's, or its `before` */
    PLAN_WRITE,  /* journal the intent (unless is_intended), then send */
    PLAN_WAIT,   /* nothing more in this run: a deferred call is due later */
    PLAN_DONE,   /* over */
    PLAN_HELD,   /* over: the incident is to be held, with the reason */
    PLAN_FAILED, /* over, something failed for good, with the reason */
};

/* What became of a step, or of one element of its `each`, that isn't told by a call's record. */
struct plan_note {
    const struct step *step;
    struct text key;
    bool is_failure;  /* else skipped */
    bool is_recorded; /* it says of a recorded call why it counts as failed */
    bool
        is_inapplicable; /* skipped since its `when` doesn't hold: event and playbook say as much */
    struct text reason;
};

struct plan_action {
    enum plan_kind kind;
    const struct step *step; /* ASK, WRITE */
    struct text key;
    bool is_before;   /* ASK: of `before` */
    bool is_intended; /* WRITE: the intent is in the journal: send the recorded request */
    /* It uses an answer that is only assumed: parameters hold the templates as written. */
    bool is_known_only_when_asked;
    struct text service, operation, account, region;
    const struct json *parameters; /* rendered `with`, {"$json": ...} kept; an object */
    /* WRITE: how to take it back, {"service","operation","account","region","parameters",
     * "tolerate"}; NULL: it can't be. */
    const struct json *inverse;
    struct text effect_account, effect_target, effect_name; /* empty: none */
    bool is_containing;            /* WRITE: by a playbook that acts on a principal */
    struct text reason;            /* HELD, FAILED */
    bool has_written;              /* at an end: a write applied (needless ones count) */
    const struct plan_note *notes; /* so far */
    size_t note_count;
};

/* Never fails: what can't be rendered fails its step, and the reason stands in the notes. */
void plan_next(const struct plan_input *input, struct arena *arena, struct plan_action *action_out);

/* Into another arena, for an action that must outlive its walk's. */
struct plan_action plan_action_copy(const struct plan_action *action, struct arena *arena);

/* The step and context of the call recorded under `key`: for verifications long after. False when
 * the playbook has no such step (any more) or its context can't be made again. */
MUST_CHECK bool plan_find(const struct plan_input *input, struct text key, struct arena *arena,
                          const struct step **step_out, const struct json **context_out,
                          struct error *error);

#endif
