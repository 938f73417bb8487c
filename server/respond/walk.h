/* A walk through a playbook: where it stands, what it noted, what it finds recorded; and the
 * actions that it stops at. What plan.c is made of.
 *
 * Ownership:  everything lives in the walk's arena or points into its input.
 * Threads:    pure. */
#ifndef RIPOSTE_SERVER_RESPOND_WALK_H
#define RIPOSTE_SERVER_RESPOND_WALK_H

#include "dependence.h"

#include "riposte/respond/plan.h"

#define BEFORE_SUFFIX TEXT("#before")

enum step_result {
    STEP_SKIPPED,
    STEP_DONE,
    STEP_FAILED,
    STEP_STOP, /* the walk ends here: its action is set */
};

struct walk {
    const struct plan_input *input;
    struct arena *arena;
    struct plan_action *action;
    const struct json *context; /* with the answers so far */
    struct text prefix;         /* "<event key>/<playbook>/" */
    size_t next_record;         /* records stand in the walk's order, mostly */
    struct names failed, assumed;
    struct plan_note *notes;
    size_t note_count, note_capacity;
    bool has_written, has_failed;
    struct text failure; /* the first */
    struct text target;  /* plan_find(): the key it looks for; empty: an ordinary walk */
    const struct step *found;
    const struct json *found_context;
};

/* One call of a step: the step itself, or one element of its `each`. */
struct occasion {
    const struct step *step;
    const struct json *context; /* with `item` */
    struct text number;         /* of the element, or empty */
    bool is_known_only_when_asked;
};

/* "<event key>/<playbook>/<step>[/<item>]<suffix>". */
struct text walk_key(struct walk *walk, const struct occasion *occasion, struct text suffix);
bool walk_is_key(const struct walk *walk, struct text key, const struct occasion *occasion,
                 struct text suffix);
/* NULL: nothing is recorded. */
const struct plan_record *walk_record(struct walk *walk, const struct occasion *occasion,
                                      struct text suffix);

/* Why nothing is sent. */
struct plan_note *walk_note(struct walk *walk, const struct occasion *occasion, struct text reason);
enum step_result walk_skip(struct walk *walk, const struct occasion *occasion, struct text reason);
enum step_result walk_fail(struct walk *walk, const struct occasion *occasion, struct text reason);
enum step_result walk_end(struct walk *walk, enum plan_kind kind, struct text reason);

/* Renders what the walk stops at; a step that can't be rendered has failed. */
enum step_result action_ask(struct walk *walk, const struct occasion *occasion, bool is_before);
/* `before`: what was asked before, or NULL. */
enum step_result action_write(struct walk *walk, const struct occasion *occasion,
                              const struct plan_record *before);
/* The journal holds the intent: what it holds is sent, whatever the templates would give now. */
enum step_result action_write_again(struct walk *walk, const struct occasion *occasion,
                                    const struct plan_record *record);

#endif
