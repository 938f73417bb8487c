#include "riposte/respond/plan.h"

#include "dependence.h"

#include "riposte/config/context.h"
#include "riposte/config/template.h"
#include "riposte/detect/pattern.h"
#include "riposte/respond/parameters.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define BEFORE_SUFFIX TEXT("#before")
#define OUR_PREFIX    TEXT("riposte-")

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

/* ---- notes ------------------------------------------------------------------------------------
 */

static struct text make_key(struct walk *walk, const struct occasion *occasion,
                            struct text suffix) {
    return arena_format(walk->arena, "%.*s%.*s%s%.*s%.*s", TEXT_ARG(walk->prefix),
                        TEXT_ARG(occasion->step->name), occasion->number.bytes > 0 ? "/" : "",
                        TEXT_ARG(occasion->number), TEXT_ARG(suffix));
}

static struct plan_note *note(struct walk *walk, const struct occasion *occasion,
                              struct text reason) {
    if (walk->note_count == walk->note_capacity) {
        size_t capacity = walk->note_capacity == 0 ? 8 : 2 * walk->note_capacity;
        struct plan_note *notes = arena_alloc_array(walk->arena, capacity, sizeof(*notes));
        if (walk->note_count > 0) {
            memcpy(notes, walk->notes, walk->note_count * sizeof(*notes));
        }
        walk->notes = notes;
        walk->note_capacity = capacity;
    }
    struct plan_note *last = &walk->notes[walk->note_count++];
    *last = (struct plan_note){.step = occasion->step,
                               .key = make_key(walk, occasion, TEXT("")),
                               .reason = arena_copy_text(walk->arena, reason)};
    return last;
}

static enum step_result skip(struct walk *walk, const struct occasion *occasion,
                             struct text reason) {
    note(walk, occasion, reason);
    return STEP_SKIPPED;
}

static enum step_result fail(struct walk *walk, const struct occasion *occasion,
                             struct text reason) {
    note(walk, occasion, reason)->is_failure = true;
    return STEP_FAILED;
}

static enum step_result end(struct walk *walk, enum plan_kind kind, struct text reason) {
    walk->action->kind = kind;
    walk->action->reason = reason;
    return STEP_STOP;
}

static struct text call_name(struct walk *walk, const struct call_template *call) {
    return arena_format(walk->arena, "%.*s:%.*s", TEXT_ARG(call->service),
                        TEXT_ARG(call->operation));
}

/* ---- records ------------------------------------------------------------------------------------
 */

static bool is_key(const struct walk *walk, struct text key, const struct occasion *occasion,
                   struct text suffix) {
    struct text parts[] = {walk->prefix, occasion->step->name,
                           occasion->number.bytes > 0 ? TEXT("/") : TEXT(""), occasion->number,
                           suffix};
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if (!text_starts_with(key, parts[i])) {
            return false;
        }
        key = text_slice(key, parts[i].bytes, key.bytes);
    }
    return key.bytes == 0;
}

static const struct plan_record *find_record(struct walk *walk, const struct occasion *occasion,
                                             struct text suffix) {
    const struct plan_input *input = walk->input;
    for (size_t i = 0; i < input->record_count; i++) {
        size_t at = (walk->next_record + i) % input->record_count;
        if (is_key(walk, input->records[at].key, occasion, suffix)) {
            walk->next_record = at;
            return &input->records[at];
        }
    }
    return NULL;
}

/* Is a value that begins with "riposte-" sent under a name? Then what was found there before is not
 * ours to restore: an attacker may have planted it. */
static bool names_our_own(const struct json *parameters) {
    for (const struct json *node = json_first(parameters); node != NULL; node = json_next(node)) {
        if (json_is_string(node) && text_starts_with(json_text(node), OUR_PREFIX)) {
            return true;
        }
    }
    return false;
}

/* ---- from an occasion to an action --------------------------------------------------------------
 */

static bool render_place(const struct walk *walk, const struct step *step,
                         const struct json *context, struct text *account_out,
                         struct text *region_out, struct error *error) {
    const struct plan_input *input = walk->input;
    *account_out = input->playbook->acts_on == ACTS_ON_PRINCIPAL ? input->principal_account
                                                                 : input->event_account;
    *region_out = input->event_region;
    return (step->account.bytes == 0 ||
            template_render_text(step->account, context, walk->arena, account_out, error) ||
            error_wrap(error, "account")) &&
           (step->region.bytes == 0 ||
            template_render_text(step->region, context, walk->arena, region_out, error) ||
            error_wrap(error, "region"));
}

static struct json *texts_to_json(const struct texts *texts, struct arena *arena) {
    struct json *array = json_new_array(arena);
    for (size_t i = 0; i < texts->count; i++) {
        json_add_element(array, json_new_string(arena, texts->items[i]));
    }
    return array;
}

static const struct json *make_inverse(const struct walk *walk, const struct undo *undo,
                                       const struct json *parameters) {
    struct arena *arena = walk->arena;
    struct json *inverse = json_new_object(arena);
    json_add_text(arena, inverse, "service", undo->call.service);
    json_add_text(arena, inverse, "operation", undo->call.operation);
    json_add_text(arena, inverse, "account", walk->action->account);
    json_add_text(arena, inverse, "region", walk->action->region);
    json_add_member(arena, inverse, TEXT("parameters"), json_copy(arena, parameters));
    json_add_member(arena, inverse, TEXT("tolerate"), texts_to_json(&undo->tolerate, arena));
    return inverse;
}

/* `prior`: what `before` answered; NULL: nothing did. */
static bool render_inverse(struct walk *walk, const struct occasion *occasion,
                           const struct json *prior, bool is_prior_open, struct error *error) {
    const struct step *step = occasion->step;
    const struct undo *undo = step->undo;
    struct plan_action *action = walk->action;
    if (undo == NULL || undo->call.operation.bytes == 0) {
        return true;
    }
    if (action->is_known_only_when_asked || (is_prior_open && dependence_on_prior(step))) {
        const struct json *with = undo->call.with != NULL ? undo->call.with
                                                          : json_new_object(walk->arena);
        action->inverse = make_inverse(walk, undo, with);
        return true;
    }
    if (prior != NULL && names_our_own(action->parameters) && dependence_on_prior(step)) {
        note(walk, occasion, TEXT("what stood under a name of ours is not restored"));
        return true;
    }
    const struct json *context = occasion->context, *parameters = NULL;
    if (prior != NULL) {
        context = context_with(context, "prior", prior, walk->arena);
    }
    context = context_with(context, "sent", plan_sent(action->parameters, walk->arena),
                           walk->arena);
    if (!plan_parameters(&undo->call, context, walk->arena, &parameters, error)) {
        return error_wrap(error, "undo");
    }
    action->inverse = make_inverse(walk, undo, parameters);
    return true;
}

static bool render_effect_part(struct walk *walk, struct text template, struct text fallback,
                               const struct json *context, struct text *out, struct error *error) {
    bool is_open = walk->action->is_known_only_when_asked;
    *out = template.bytes > 0 ? template : fallback;
    return template.bytes == 0 || is_open ||
           template_render_text(template, context, walk->arena, out, error) ||
           error_wrap(error, "effect");
}

static bool render_effect(struct walk *walk, const struct occasion *occasion, struct error *error) {
    struct plan_action *action = walk->action;
    action->effect_account = action->account;
    return render_effect_part(walk, occasion->step->effect_target, walk->input->principal_id,
                              occasion->context, &action->effect_target, error) &&
           render_effect_part(walk, occasion->step->effect_name, occasion->step->name,
                              occasion->context, &action->effect_name, error);
}

static bool render_call(struct walk *walk, const struct occasion *occasion,
                        const struct call_template *call, struct error *error) {
    struct plan_action *action = walk->action;
    action->step = occasion->step;
    action->service = call->service;
    action->operation = call->operation;
    action->is_known_only_when_asked = occasion->is_known_only_when_asked;
    if (!action->is_known_only_when_asked) {
        return render_place(walk, occasion->step, occasion->context, &action->account,
                            &action->region, error) &&
               plan_parameters(call, occasion->context, walk->arena, &action->parameters, error);
    }
    struct error ignored = {0};
    bool has_place = render_place(walk, occasion->step, occasion->context, &action->account,
                                  &action->region, &ignored);
    (void)has_place; /* what can't be said yet keeps its default */
    action->parameters = call->with != NULL ? call->with : json_new_object(walk->arena);
    return true;
}

static enum step_result ask(struct walk *walk, const struct occasion *occasion, bool is_before) {
    const struct step *step = occasion->step;
    struct error error = {0};
    if (!render_call(walk, occasion, is_before ? &step->before->call : &step->call, &error)) {
        *walk->action = (struct plan_action){0};
        return fail(walk, occasion, text_of(error.text));
    }
    walk->action->kind = PLAN_ASK;
    walk->action->is_before = is_before;
    walk->action->key = make_key(walk, occasion, is_before ? BEFORE_SUFFIX : TEXT(""));
    return STEP_STOP;
}

static enum step_result write_anew(struct walk *walk, const struct occasion *occasion,
                                   const struct plan_record *before) {
    const struct json *prior = before != NULL ? before->answer : NULL;
    bool is_prior_open = before != NULL && before->is_assumed;
    struct error error = {0};
    if (!render_call(walk, occasion, &occasion->step->call, &error) ||
        !render_effect(walk, occasion, &error) ||
        !render_inverse(walk, occasion, prior, is_prior_open, &error)) {
        *walk->action = (struct plan_action){0};
        return fail(walk, occasion, text_of(error.text));
    }
    walk->action->kind = PLAN_WRITE;
    walk->action->key = make_key(walk, occasion, TEXT(""));
    return STEP_STOP;
}

/* The journal holds the intent: what it holds is sent, whatever the templates would give now. */
static enum step_result write_again(struct walk *walk, const struct occasion *occasion,
                                    const struct plan_record *record) {
    struct plan_action *action = walk->action;
    if (record->request == NULL) {
        return fail(walk, occasion, TEXT("the journaled request can't be read"));
    }
    *action = (struct plan_action){
        .kind = PLAN_WRITE,
        .step = occasion->step,
        .key = record->key,
        .is_intended = true,
        .service = occasion->step->call.service,
        .operation = occasion->step->call.operation,
        .account = record->account,
        .region = record->region,
        .parameters = record->request,
    };
    return STEP_STOP;
}

/* ---- one call of a step -------------------------------------------------------------------------
 */

static enum step_result mismatch(struct walk *walk, const struct step *step, const char *what) {
    struct text name = call_name(walk, &step->call);
    return end(walk, PLAN_HELD,
               arena_format(walk->arena, "step %.*s: %.*s: %s", TEXT_ARG(step->name),
                            TEXT_ARG(name), what));
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
        return mismatch(walk, step, error.text);
    }
    return is_match ? STEP_DONE : mismatch(walk, step, "the answer does not match");
}

static enum step_result judge_refusal(struct walk *walk, const struct occasion *occasion,
                                      const struct plan_record *record, bool is_link) {
    struct text why = record->reason.bytes > 0 ? record->reason : record->error_code;
    struct text name = call_name(walk, &occasion->step->call);
    struct text reason = arena_format(walk->arena, "%.*s: %.*s", TEXT_ARG(name), TEXT_ARG(why));
    if (occasion->step->matches != NULL && !is_link) {
        return end(walk, PLAN_HELD,
                   arena_format(walk->arena, "step %.*s: %.*s", TEXT_ARG(occasion->step->name),
                                TEXT_ARG(reason)));
    }
    struct plan_note *last = note(walk, occasion, reason);
    last->is_failure = last->is_recorded = true;
    return STEP_FAILED;
}

static enum step_result judge_record(struct walk *walk, const struct occasion *occasion,
                                     const struct plan_record *record, bool is_link) {
    bool is_write = occasion->step->is_write;
    enum step_result result = STEP_DONE;
    switch (record->state) {
    case PLAN_INTENDED:
        return is_write ? write_again(walk, occasion, record) : ask(walk, occasion, false);
    case PLAN_DEFERRED:
        return end(walk, PLAN_WAIT, (struct text){NULL, 0});
    case PLAN_REFUSED:
        return judge_refusal(walk, occasion, record, is_link);
    case PLAN_WORKED:
        if (!is_write && record->answer == NULL && !record->is_assumed &&
            record->error_code.bytes == 0) {
            return ask(walk, occasion, false); /* it was too long to keep */
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
    const struct plan_record *record = find_record(walk, occasion, BEFORE_SUFFIX);
    if (record == NULL || record->state == PLAN_INTENDED) {
        return ask(walk, occasion, true);
    }
    if (record->state == PLAN_DEFERRED) {
        return end(walk, PLAN_WAIT, (struct text){NULL, 0});
    }
    if (record->state == PLAN_REFUSED) {
        struct text why = record->reason.bytes > 0 ? record->reason : record->error_code;
        struct text reason = arena_format(walk->arena, "before: %.*s", TEXT_ARG(why));
        return fail(walk, occasion, reason);
    }
    if (record->error_code.bytes > 0) {
        walk->has_written = true;
        struct text code = record->error_code;
        note(walk, occasion,
             arena_format(walk->arena, "before: %.*s: nothing to do", TEXT_ARG(code)));
        return STEP_DONE;
    }
    if (!record->is_assumed && record->answer == NULL) {
        return ask(walk, occasion, true);
    }
    bool is_so = false;
    struct error error = {0};
    if (!record->is_assumed && step->before->matches != NULL &&
        !plan_matches(step->before->matches, occasion->context, record->answer, walk->arena, &is_so,
                      &error)) {
        return fail(walk, occasion, text_of(error.text));
    }
    if (is_so) {
        walk->has_written = true;
        skip(walk, occasion, PLAN_ALREADY_SO);
        return STEP_DONE;
    }
    return write_anew(walk, occasion, record);
}

static bool is_target(struct walk *walk, const struct occasion *occasion) {
    if (walk->target.bytes == 0 || !is_key(walk, walk->target, occasion, TEXT(""))) {
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
    const struct plan_record *record = find_record(walk, occasion, TEXT(""));
    *record_out = record;
    if (record != NULL) {
        return judge_record(walk, occasion, record, is_link);
    }
    if (walk->target.bytes > 0) {
        return STEP_SKIPPED; /* plan_find() only looks back */
    }
    if (occasion->step->is_write) {
        return occasion->step->before != NULL ? judge_before(walk, occasion)
                                              : write_anew(walk, occasion, NULL);
    }
    return ask(walk, occasion, false);
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
        const struct plan_record *record = find_record(walk, occasion, TEXT(""));
        bool must_render = record == NULL || record->state != PLAN_WORKED ||
                           occasion->step->matches != NULL || walk->target.bytes > 0;
        occasion->context = must_render ? context_with(walk->context, "item", item, walk->arena)
                                        : walk->context;
        occasion->number = must_render ? arena_copy_text(walk->arena, text_of(number))
                                       : occasion->number;
        enum step_result result = walk_call(walk, occasion, is_link, &record);
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
        return end(walk, PLAN_WAIT, (struct text){NULL, 0});
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
        return fail(walk, occasion, text_of(error.text));
    }
    if (json_count(array) == 0) {
        return skip(walk, occasion, TEXT("each: no element"));
    }
    return walk_elements(walk, occasion, array, is_link);
}

static bool applies(struct walk *walk, const struct step *step, bool *applies_out,
                    struct error *error) {
    *applies_out = true;
    return step->when == NULL || dependence_of_when(step->when, &walk->assumed, walk->arena) ||
           pattern_match_tree(step->when, walk->context, applies_out, error) ||
           error_wrap(error, "when");
}

static bool stands(const struct walk *walk, const struct step *step) {
    const struct names standing = {(struct text *)walk->input->standing,
                                   walk->input->standing_count};
    return names_contain(&standing, step->name);
}

static enum step_result walk_single(struct walk *walk, const struct step *step, bool is_link) {
    struct occasion occasion = {.step = step, .context = walk->context};
    bool is_needed = false;
    struct error error = {0};
    if (walk->input->is_escape && !is_link && step->is_write && stands(walk, step)) {
        skip(walk, &occasion, TEXT("stands already"));
        return STEP_DONE;
    }
    if (!applies(walk, step, &is_needed, &error)) {
        return fail(walk, &occasion, text_of(error.text));
    }
    if (!is_needed) {
        return skip(walk, &occasion, TEXT("its condition does not hold"));
    }
    struct text failed = dependence_on_answer(step, &walk->failed, walk->arena);
    if (failed.bytes > 0) {
        struct text reason = arena_format(walk->arena, "uses the answer of step %.*s, which failed",
                                          TEXT_ARG(failed));
        return fail(walk, &occasion, reason);
    }
    occasion.is_known_only_when_asked =
        dependence_on_answer(step, &walk->assumed, walk->arena).bytes > 0;
    return step->each.bytes > 0 ? walk_each(walk, &occasion, is_link)
                                : walk_once(walk, &occasion, is_link);
}

static size_t first_link(const struct walk *walk, const struct step *chain) {
    size_t first = 0;
    for (size_t i = 0; walk->input->is_escape && i < chain->link_count; i++) {
        first = stands(walk, &chain->links[i]) ? i + 1 : first;
    }
    return first;
}

static enum step_result walk_links(struct walk *walk, const struct step *chain) {
    bool has_failed = false;
    for (size_t i = first_link(walk, chain); i < chain->link_count; i++) {
        enum step_result result = walk_single(walk, &chain->links[i], true);
        if (result == STEP_FAILED) {
            walk->failed.items[walk->failed.count++] = chain->links[i].name;
            has_failed = true;
        } else if (result != STEP_SKIPPED) {
            return result;
        }
    }
    return has_failed ? STEP_FAILED : STEP_SKIPPED;
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
        end(walk, PLAN_FAILED, walk->failure);
    } else if (contains && !walk->has_written && walk->input->is_escape) {
        end(walk, PLAN_HELD, TEXT("escaped: no further containment"));
    } else if (contains && !walk->has_written) {
        struct text kind = principal_kind(walk->input->context);
        end(walk, PLAN_HELD, arena_format(walk->arena, "no containment for %.*s", TEXT_ARG(kind)));
    } else {
        end(walk, PLAN_DONE, (struct text){NULL, 0});
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
