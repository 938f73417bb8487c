#include "walk.h"

#include "riposte/aws/quota.h"
#include "riposte/config/context.h"
#include "riposte/config/template.h"
#include "riposte/respond/parameters.h"

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
    if (prior != NULL && plan_names_our_own(action->parameters) && dependence_on_prior(step)) {
        walk_note(walk, occasion, TEXT("what stood under a name of ours is not restored"));
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

/* The event's account was judged by the guard; of the others only those that the settings name are
 * ours. Nothing is sent to a stranger's, whatever an event says: not even the question whether we
 * may. While nobody knows them, the client sends nothing there and the call is tried later. */
static bool check_account(const struct walk *walk, const struct json *context,
                          struct error *error) {
    struct text account = walk->action->account;
    const struct json *ours = json_member(json_member(context, "self"), "accounts");
    bool is_ours = ours == NULL || text_equal(account, walk->input->event_account);
    for (const struct json *node = json_first(ours); node != NULL && !is_ours;
         node = json_next(node)) {
        is_ours = text_equal(json_text(node), account);
    }
    return is_ours || error_set(error, ERROR_DENIED, "account %.*s is not one of aws.accounts",
                                TEXT_ARG(account));
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
               check_account(walk, occasion->context, error) &&
               plan_parameters(call, occasion->context, walk->arena, &action->parameters, error);
    }
    struct error ignored = {0};
    bool has_place = render_place(walk, occasion->step, occasion->context, &action->account,
                                  &action->region, &ignored);
    (void)has_place; /* what can't be said yet keeps its default */
    action->parameters = call->with != NULL ? call->with : json_new_object(walk->arena);
    return true;
}

enum step_result action_ask(struct walk *walk, const struct occasion *occasion, bool is_before) {
    const struct step *step = occasion->step;
    struct error error = {0};
    if (!render_call(walk, occasion, is_before ? &step->before->call : &step->call, &error)) {
        *walk->action = (struct plan_action){0};
        return walk_fail(walk, occasion, text_of(error.text));
    }
    walk->action->kind = PLAN_ASK;
    walk->action->is_before = is_before;
    walk->action->key = walk_key(walk, occasion, is_before ? BEFORE_SUFFIX : TEXT(""));
    return STEP_STOP;
}

/* What AWS will surely refuse is not sent: the next link is tried at once. */
static bool check_quota(const struct walk *walk, struct error *error) {
    const struct plan_action *action = walk->action;
    struct text role = {NULL, 0};
    return action->is_known_only_when_asked ||
           aws_quota_check(action->service, action->operation,
                           plan_wire(plan_as(action->parameters, &role), walk->arena), error);
}

enum step_result action_write(struct walk *walk, const struct occasion *occasion,
                              const struct plan_record *before) {
    const struct json *prior = before != NULL ? before->answer : NULL;
    bool is_prior_open = before != NULL && before->is_assumed;
    struct error error = {0};
    if (!render_call(walk, occasion, &occasion->step->call, &error) || !check_quota(walk, &error) ||
        !render_effect(walk, occasion, &error) ||
        !render_inverse(walk, occasion, prior, is_prior_open, &error)) {
        *walk->action = (struct plan_action){0};
        return walk_fail(walk, occasion, text_of(error.text));
    }
    walk->action->kind = PLAN_WRITE;
    walk->action->key = walk_key(walk, occasion, TEXT(""));
    return STEP_STOP;
}

enum step_result action_write_again(struct walk *walk, const struct occasion *occasion,
                                    const struct plan_record *record) {
    struct plan_action *action = walk->action;
    if (record->request == NULL) {
        return walk_fail(walk, occasion, TEXT("the journaled request can't be read"));
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
