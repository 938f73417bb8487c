#include "riposte/respond/plan.h"

#include "advice.h"
#include "walk.h"

#include "riposte/config/context.h"
#include "riposte/config/template.h"
#include "riposte/detect/pattern.h"
#include "riposte/respond/parameters.h"

#include <assert.h>
#include <stdio.h>

/* ---- one call of a step -------------------------------------------------------------------------
 */

static struct text call_name(struct walk *walk, const struct call_template *call) {
    return arena_format(walk->arena, "%.*s:%.*s", TEXT_ARG(call->service),
                        TEXT_ARG(call->operation));
}

static enum step_result mismatch(struct walk *walk, const struct step *step, struct text what) {
    struct text name = call_name(walk, &step->call);
    return walk_end(walk, PLAN_HELD,
                    arena_format(walk->arena, "step %.*s: %.*s: %.*s", TEXT_ARG(step->name),
                                 TEXT_ARG(name), TEXT_ARG(what)));
}

static enum step_result judge_answer(struct walk *walk, const struct occasion *occasion,
                                     const struct plan_record *record) {
    const struct step *step = occasion->step;
    if (step->matches == NULL || record->is_assumed || record->error_code.bytes > 0 ||
        (step->is_write && record->answer == NULL)) {
        return STEP_DONE;
    }
    bool is_match = false;
    struct error error = {0};
    if (!plan_matches(step->matches, occasion->context, record->answer, walk->arena, &is_match,
                      &error)) {
        return mismatch(walk, step, text_of(error.text));
    }
    return is_match ? STEP_DONE
                    : mismatch(walk, step,
                               plan_mismatch(step->matches, occasion->context, record->answer,
                                             walk->arena));
}

static enum step_result judge_refusal(struct walk *walk, const struct occasion *occasion,
                                      const struct plan_record *record, bool is_link) {
    struct text why = record->reason.bytes > 0 ? record->reason : record->error_code;
    struct text name = call_name(walk, &occasion->step->call);
    struct text reason = arena_format(walk->arena, "%.*s: %.*s", TEXT_ARG(name), TEXT_ARG(why));
    if (occasion->step->matches != NULL && !is_link) {
        return walk_end(walk, PLAN_HELD,
                        arena_format(walk->arena, "step %.*s: %.*s", TEXT_ARG(occasion->step->name),
                                     TEXT_ARG(reason)));
    }
    struct plan_note *last = walk_note(walk, occasion, reason);
    last->is_failure = last->is_recorded = true;
    return STEP_FAILED;
}

static enum step_result judge_record(struct walk *walk, const struct occasion *occasion,
                                     const struct plan_record *record, bool is_link) {
    bool is_write = occasion->step->is_write;
    enum step_result result = STEP_DONE;
    switch (record->state) {
    case PLAN_INTENDED:
        return is_write ? action_write_again(walk, occasion, record)
                        : action_ask(walk, occasion, false);
    case PLAN_DEFERRED:
        return walk_end(walk, PLAN_WAIT, (struct text){NULL, 0});
    case PLAN_REFUSED:
        return judge_refusal(walk, occasion, record, is_link);
    case PLAN_WORKED:
        if (!is_write && record->answer == NULL && !record->is_assumed &&
            record->error_code.bytes == 0) {
            return action_ask(walk, occasion, false); /* it was too long to keep */
        }
        result = judge_answer(walk, occasion, record);
        break;
    case PLAN_NEEDLESS:
        break;
    }
    walk->has_written |= is_write && result == STEP_DONE;
    return result;
}

/* The step has `before`, and no call of it is recorded: is it so already? */
static enum step_result judge_before(struct walk *walk, const struct occasion *occasion) {
    const struct step *step = occasion->step;
    const struct plan_record *record = walk_record(walk, occasion, BEFORE_SUFFIX);
    if (record == NULL || record->state == PLAN_INTENDED) {
        return action_ask(walk, occasion, true);
    }
    if (record->state == PLAN_DEFERRED) {
        return walk_end(walk, PLAN_WAIT, (struct text){NULL, 0});
    }
    if (record->state == PLAN_REFUSED) {
        struct text why = record->reason.bytes > 0 ? record->reason : record->error_code;
        struct text reason = arena_format(walk->arena, "before: %.*s", TEXT_ARG(why));
        return walk_fail(walk, occasion, reason);
    }
    if (record->error_code.bytes > 0) {
        walk->has_written = true;
        struct text code = record->error_code;
        walk_note(walk, occasion,
                  arena_format(walk->arena, "before: %.*s: nothing to do", TEXT_ARG(code)));
        return STEP_DONE;
    }
    if (!record->is_assumed && record->answer == NULL) {
        return action_ask(walk, occasion, true);
    }
    bool is_so = false;
    struct error error = {0};
    if (!record->is_assumed && step->before->matches != NULL &&
        !plan_matches(step->before->matches, occasion->context, record->answer, walk->arena, &is_so,
                      &error)) {
        return walk_fail(walk, occasion, text_of(error.text));
    }
    if (is_so && walk->input->is_escape) { /* then it is no further containment */
        return walk_skip(walk, occasion, PLAN_ALREADY_SO);
    }
    if (is_so) {
        walk->has_written = true;
        walk_skip(walk, occasion, PLAN_ALREADY_SO);
        return STEP_DONE;
    }
    return action_write(walk, occasion, record);
}

static bool is_target(struct walk *walk, const struct occasion *occasion) {
    if (walk->target.bytes == 0 || !walk_is_key(walk, walk->target, occasion, TEXT(""))) {
        return false;
    }
    walk->found = occasion->step;
    walk->found_context = occasion->context;
    return true;
}

static enum step_result walk_call(struct walk *walk, const struct occasion *occasion, bool is_link,
                                  const struct plan_record **record_out) {
    if (is_target(walk, occasion)) {
        return STEP_STOP;
    }
    const struct plan_record *record = walk_record(walk, occasion, TEXT(""));
    *record_out = record;
    if (record != NULL) {
        return judge_record(walk, occasion, record, is_link);
    }
    if (walk->target.bytes > 0) {
        return STEP_SKIPPED; /* plan_find() only looks back */
    }
    if (occasion->step->is_write) {
        return occasion->step->before != NULL ? judge_before(walk, occasion)
                                              : action_write(walk, occasion, NULL);
    }
    return action_ask(walk, occasion, false);
}

/* ---- a step -------------------------------------------------------------------------------------
 */

static void remember_answer(struct walk *walk, const struct step *step,
                            const struct plan_record *record) {
    if (record != NULL && record->is_assumed && record->answer == NULL) {
        walk->assumed.items[walk->assumed.count++] = step->name;
    } else if (record != NULL && record->answer != NULL) {
        walk->context = context_with_step(walk->context, step->name, record->answer, walk->arena);
    }
}

static enum step_result walk_once(struct walk *walk, struct occasion *occasion, bool is_link) {
    const struct plan_record *record = NULL;
    enum step_result result = walk_call(walk, occasion, is_link, &record);
    if (result == STEP_DONE) {
        remember_answer(walk, occasion->step, record);
    }
    return result;
}

static bool recall(const struct plan_memo *memo, const struct step *step, bool *holds_out) {
    for (size_t i = 0; i < memo->count; i++) {
        if (memo->items[i].step == step) {
            *holds_out = memo->items[i].holds;
            return true;
        }
    }
    return false;
}

static void memorize(struct plan_memo *memo, const struct step *step, bool holds) {
    if (memo->count < PLAN_MEMO_STEPS) {
        memo->items[memo->count].step = step;
        memo->items[memo->count++].holds = holds;
    }
}

static bool judge_pattern(const struct occasion *occasion, bool *holds_out, struct error *error) {
    return pattern_match_tree(occasion->step->when, occasion->context, holds_out, error) ||
           error_wrap(error, "when");
}

static bool applies(struct walk *walk, const struct occasion *occasion, bool *applies_out,
                    struct error *error) {
    const struct step *step = occasion->step;
    struct plan_memo *memo = walk->input->memo;
    *applies_out = true;
    if (step->when == NULL || dependence_of_when(step->when, &walk->assumed)) {
        return true;
    }
    if (memo == NULL || step->is_when_of_item || step->is_when_of_answers) {
        return judge_pattern(occasion, applies_out, error);
    }
    if (recall(memo, step, applies_out)) {
        return true;
    }
    if (!judge_pattern(occasion, applies_out, error)) {
        return false;
    }
    memorize(memo, step, *applies_out);
    return true;
}

/* The step's `when`, of the step or of one element: DONE when it holds. */
static enum step_result judge_when(struct walk *walk, const struct occasion *occasion) {
    bool is_needed = false;
    struct error error = {0};
    if (!applies(walk, occasion, &is_needed, &error)) {
        return walk_fail(walk, occasion, text_of(error.text));
    }
    if (!is_needed) {
        walk_note(walk, occasion, TEXT("its condition does not hold"))->is_inapplicable = true;
    }
    return is_needed ? STEP_DONE : STEP_SKIPPED;
}

/* All elements, even if one fails; one that must wait lets the others go on. */
static enum step_result walk_elements(struct walk *walk, struct occasion *occasion,
                                      const struct json *array, bool is_link) {
    struct json *answers = json_new_array(walk->arena);
    bool is_waiting = false, has_failed = false, has_done = false, is_assumed = false;
    size_t index = 0;
    for (const struct json *item = json_first(array); item != NULL; item = json_next(item)) {
        char number[24];
        snprintf(number, sizeof(number), "%zu", index++);
        occasion->number = text_of(number);
        const struct plan_record *record = walk_record(walk, occasion, TEXT(""));
        bool must_render = record == NULL || record->state != PLAN_WORKED ||
                           occasion->step->matches != NULL || walk->target.bytes > 0;
        occasion->context = must_render ? context_with(walk->context, "item", item, walk->arena)
                                        : walk->context;
        occasion->number = must_render ? arena_copy_text(walk->arena, text_of(number))
                                       : occasion->number;
        /* What is recorded was decided already. */
        enum step_result result = occasion->step->is_when_of_item && record == NULL
                                      ? judge_when(walk, occasion)
                                      : STEP_DONE;
        if (result == STEP_DONE) {
            result = walk_call(walk, occasion, is_link, &record);
        }
        if (result == STEP_STOP && walk->action->kind == PLAN_WAIT && walk->found == NULL) {
            is_waiting = true;
            continue;
        }
        if (result == STEP_STOP) {
            return STEP_STOP;
        }
        has_failed |= result == STEP_FAILED;
        has_done |= result == STEP_DONE;
        is_assumed |= record != NULL && record->is_assumed;
        if (result == STEP_DONE && record != NULL && record->answer != NULL) {
            json_add_element(answers, json_copy(walk->arena, record->answer));
        }
    }
    if (is_waiting) {
        return walk_end(walk, PLAN_WAIT, (struct text){NULL, 0});
    }
    struct plan_record all = {.is_assumed = is_assumed && json_count(answers) == 0,
                              .answer = is_assumed && json_count(answers) == 0 ? NULL : answers};
    remember_answer(walk, occasion->step, &all);
    return has_failed ? STEP_FAILED : has_done ? STEP_DONE : STEP_SKIPPED;
}

static enum step_result walk_each(struct walk *walk, struct occasion *occasion, bool is_link) {
    const struct json *array = NULL;
    struct error error = {0};
    if (occasion->is_known_only_when_asked) {
        occasion->number = TEXT("0");
        return walk_once(walk, occasion, is_link);
    }
    if (!template_render_each(occasion->step->each, walk->context, walk->arena, &array, &error)) {
        error_wrap(&error, "each");
        return walk_fail(walk, occasion, text_of(error.text));
    }
    if (json_count(array) == 0) {
        return walk_skip(walk, occasion, TEXT("each: no element"));
    }
    return walk_elements(walk, occasion, array, is_link);
}

static bool stands(const struct walk *walk, const struct step *step) {
    const struct names standing = {(struct text *)walk->input->standing,
                                   walk->input->standing_count};
    return names_contain(&standing, step->name);
}

static enum step_result walk_single(struct walk *walk, const struct step *step, bool is_link) {
    struct occasion occasion = {.step = step, .context = walk->context};
    if (walk->input->is_escape && !is_link && step->is_write && stands(walk, step)) {
        walk_skip(walk, &occasion, TEXT("stands already"));
        return STEP_DONE;
    }
    enum step_result needed = step->is_when_of_item ? STEP_DONE : judge_when(walk, &occasion);
    if (needed != STEP_DONE) {
        return needed;
    }
    struct text failed = dependence_on_answer(step, &walk->failed, walk->arena);
    if (failed.bytes > 0) {
        struct text reason = arena_format(walk->arena, "uses the answer of step %.*s, which failed",
                                          TEXT_ARG(failed));
        return walk_fail(walk, &occasion, reason);
    }
    occasion.is_known_only_when_asked =
        dependence_on_answer(step, &walk->assumed, walk->arena).bytes > 0 ||
        (step->when != NULL && dependence_of_when(step->when, &walk->assumed));
    return step->each.bytes > 0 ? walk_each(walk, &occasion, is_link)
                                : walk_once(walk, &occasion, is_link);
}

/* Another principal of the ladder is contained too: up to which link it goes. */
static size_t climb(const struct walk *walk, const struct step *chain) {
    return chain == walk->input->playbook->ladder ? walk->input->ladder_link : 0;
}

static size_t first_link(const struct walk *walk, const struct step *chain) {
    size_t first = 0;
    for (size_t i = 0; walk->input->is_escape && i < chain->link_count; i++) {
        first = stands(walk, &chain->links[i]) ? i + 1 : first;
    }
    return walk->input->is_escape && first < climb(walk, chain) ? climb(walk, chain) : first;
}

static enum step_result walk_links(struct walk *walk, const struct step *chain) {
    bool has_failed = false, has_done = false;
    for (size_t i = first_link(walk, chain); i < chain->link_count; i++) {
        enum step_result result = walk_single(walk, &chain->links[i], true);
        if (result == STEP_FAILED) {
            walk->failed.items[walk->failed.count++] = chain->links[i].name;
            has_failed = true;
        } else if (result == STEP_STOP) {
            return result;
        } else if (result == STEP_DONE && walk->target.bytes == 0) {
            if (has_done || i >= climb(walk, chain)) {
                return result;
            }
            has_done = true;
            has_failed = false;
            i = climb(walk, chain) - 1;
        } /* plan_find() looks behind a link that stood, too: an escape went on there */
    }
    return has_failed ? STEP_FAILED : has_done ? STEP_DONE : STEP_SKIPPED;
}

static struct text last_failure(const struct walk *walk) {
    size_t at = walk->note_count;
    while (at > 0 && !walk->notes[at - 1].is_failure) {
        at--;
    }
    assert(at > 0); /* whatever fails says why */
    return arena_format(walk->arena, "step %.*s: %.*s", TEXT_ARG(walk->notes[at - 1].step->name),
                        TEXT_ARG(walk->notes[at - 1].reason));
}

static enum step_result walk_step(struct walk *walk, const struct step *step) {
    enum step_result result = step->link_count > 0 ? walk_links(walk, step)
                                                   : walk_single(walk, step, false);
    if (result == STEP_FAILED) {
        if (step->link_count == 0) {
            walk->failed.items[walk->failed.count++] = step->name;
        }
        if (!walk->has_failed) {
            walk->failure = last_failure(walk);
        }
        walk->has_failed = true;
    }
    return result;
}

/* ---- a playbook ---------------------------------------------------------------------------------
 */

static struct walk walk_start(const struct plan_input *input, struct arena *arena,
                              struct plan_action *action) {
    const struct playbook *playbook = input->playbook;
    size_t names = playbook->step_count;
    for (size_t i = 0; i < playbook->step_count; i++) {
        names += playbook->steps[i].link_count;
    }
    *action = (struct plan_action){0};
    struct plan_memo *memo = input->memo;
    if (memo != NULL && (memo->playbook != playbook || memo->context != input->context)) {
        *memo = (struct plan_memo){.playbook = playbook, .context = input->context};
    }
    struct walk walk = {.input = input,
                        .arena = arena,
                        .action = action,
                        .context = input->context,
                        .prefix = arena_format(arena, "%.*s/%.*s/", TEXT_ARG(input->event_key),
                                               TEXT_ARG(playbook->name))};
    walk.failed.items = arena_alloc_array(arena, names, sizeof(struct text));
    walk.assumed.items = arena_alloc_array(arena, names, sizeof(struct text));
    return walk;
}

static struct text principal_kind(const struct json *context) {
    return json_text(json_member(json_member(context, "principal"), "kind"));
}

static void finish(struct walk *walk) {
    bool contains = walk->input->playbook->acts_on == ACTS_ON_PRINCIPAL;
    if (walk->has_failed) {
        walk_end(walk, PLAN_FAILED, walk->failure);
    } else if (contains && !walk->has_written && walk->input->is_escape) {
        walk_end(walk, PLAN_HELD, TEXT("escaped: no further containment"));
    } else if (contains && !walk->has_written) {
        struct text kind = principal_kind(walk->input->context);
        walk_end(walk, PLAN_HELD,
                 arena_format(walk->arena, "no containment for %.*s: %.*s", TEXT_ARG(kind),
                              TEXT_ARG(advice_for(kind))));
    } else {
        walk_end(walk, PLAN_DONE, (struct text){NULL, 0});
    }
}

void plan_next(const struct plan_input *input, struct arena *arena,
               struct plan_action *action_out) {
    struct walk walk = walk_start(input, arena, action_out);
    enum step_result result = STEP_DONE;
    for (size_t i = 0; i < input->playbook->step_count && result != STEP_STOP; i++) {
        result = walk_step(&walk, &input->playbook->steps[i]);
    }
    if (result != STEP_STOP) {
        finish(&walk);
    }
    action_out->is_containing = action_out->kind == PLAN_WRITE &&
                                input->playbook->acts_on == ACTS_ON_PRINCIPAL;
    action_out->has_written = walk.has_written;
    action_out->notes = walk.notes;
    action_out->note_count = walk.note_count;
}

bool plan_find(const struct plan_input *input, struct text key, struct arena *arena,
               const struct step **step_out, const struct json **context_out, struct error *error) {
    struct plan_action action;
    struct walk walk = walk_start(input, arena, &action);
    walk.target = key;
    for (size_t i = 0; i < input->playbook->step_count && walk.found == NULL; i++) {
        enum step_result result = walk_step(&walk, &input->playbook->steps[i]);
        (void)result;
    }
    if (walk.found == NULL) {
        return error_set(error, ERROR_NOT_FOUND, "playbook %.*s: no step made the call %.*s",
                         TEXT_ARG(input->playbook->name), TEXT_ARG(key));
    }
    *step_out = walk.found;
    *context_out = walk.found_context;
    return true;
}

static const struct json *copy_json(struct arena *arena, const struct json *node) {
    return node != NULL ? json_copy(arena, node) : NULL;
}

struct plan_action plan_action_copy(const struct plan_action *action, struct arena *arena) {
    struct plan_action copy = *action;
    struct text *texts[] = {&copy.key,           &copy.service,     &copy.operation,
                            &copy.account,       &copy.region,      &copy.effect_account,
                            &copy.effect_target, &copy.effect_name, &copy.reason};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        *texts[i] = arena_copy_text(arena, *texts[i]);
    }
    copy.parameters = copy_json(arena, action->parameters);
    copy.inverse = copy_json(arena, action->inverse);
    struct plan_note *notes = arena_alloc_array(arena, action->note_count, sizeof(*notes));
    for (size_t i = 0; i < action->note_count; i++) {
        notes[i] = action->notes[i];
        notes[i].key = arena_copy_text(arena, notes[i].key);
        notes[i].reason = arena_copy_text(arena, notes[i].reason);
    }
    copy.notes = notes;
    return copy;
}
